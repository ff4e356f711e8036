"""An account's orders that can still trade, under the numbers that bots have of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.gateway.order_ids import is_client_id, to_oid
from setoff.shared.sdk import SetoffClient

Json = dict[str, Any]
PAGE: Final = 1000
TRIES: Final = 5
"""The history is a moment behind: so often it is asked for what it does not have yet."""
PAUSE: Final = 0.03
"""Seconds between them."""


class Live(NamedTuple):
    """One of them: `shown` is what the exchange shows of it, `past` what its history does, None if not yet."""

    oid: int
    order_slot: int
    client: int
    shown: Mapping[str, Any]
    past: Json | None


async def read_live(client: SetoffClient, account: str, *, has_past: bool = False) -> list[Live]:
    """All of an account; with what the history knows of them if `has_past`. Raises Refusal, Unavailable."""
    for last in range(TRIES - 1, -1, -1):
        shown = await client.orders(account)
        open_orders: dict[int, Json] = {}
        if shown and (has_past or not all(is_client_id(int(order["client"])) for order in shown)):
            page = await client.history("orders", account, status="open", limit=PAGE)
            open_orders = {int(order["order_slot"]): order for order in reversed(page["orders"])}
        found = [_make(order, open_orders.get(int(order["order_slot"]))) for order in shown]
        if not last or not has_past or all(live is not None and live.past is not None for live in found):
            break
        await asyncio.sleep(PAUSE)
    return [live for live in found if live is not None]


def _make(order: Mapping[str, Any], past: Json | None) -> Live | None:
    """None for an order that has no number yet: of another client, and not in the history."""
    if past is not None and not all(order[name] == past[name] for name in ("client", "market", "side", "price")):
        past = None  # that of an order before
    client = int(order["client"])
    if past is None and not is_client_id(client):
        return None
    number = 0 if past is None else int(past["order"])
    return Live(to_oid(client, number), int(order["order_slot"]), client, order, past)
