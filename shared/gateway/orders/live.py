"""An account's orders that can still trade, under the numbers that bots have of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.gateway.order_ids import is_client_id, to_oid
from setoff.shared.sdk import SetoffClient

Json = dict[str, Any]
PAGE: Final = 1000


class Live(NamedTuple):
    """One of them: `shown` is what the exchange shows of it, `past` what its history does, None if not yet."""

    oid: int
    order_slot: int
    client: int
    shown: Mapping[str, Any]
    past: Json | None


async def read_live(client: SetoffClient, account: str, *, has_past: bool = False) -> list[Live]:
    """All of an account; with what the history knows of them if `has_past`. Raises Refusal, Unavailable."""
    shown = await client.orders(account)
    open_orders: dict[int, Json] = {}
    if shown and (has_past or not all(is_client_id(int(order["client"])) for order in shown)):
        page = await client.history("orders", account, status="open", limit=PAGE)
        open_orders = {int(order["order_slot"]): order for order in reversed(page["orders"])}
    found = []
    for order in shown:
        slot, own = int(order["order_slot"]), int(order["client"])
        past = open_orders.get(slot)
        if past is not None and not _is_same(order, past):
            past = None  # the history is a moment behind
        if is_client_id(own) or past is not None:
            number = 0 if past is None else int(past["order"])
            found.append(Live(to_oid(own, number), slot, own, order, past))
    return found


def _is_same(live: Mapping[str, Any], past: Mapping[str, Any]) -> bool:
    return all(live[name] == past[name] for name in ("client", "market", "side", "price"))
