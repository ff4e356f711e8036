"""What became of orders: one by its number or cloid, and the latest of an account."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.gateway.assets import Json
from setoff.shared.gateway.order_ids import END, FOREIGN, is_client_id
from setoff.shared.gateway.orders.live import read_live
from setoff.shared.gateway.views.order_views import OrderViews
from setoff.shared.gateway.views.pages import read_latest
from setoff.shared.sdk import SetoffClient

MOST: Final = 2000
"""Orders that are shown at once."""
TRIES: Final = 10
"""An order that was taken a moment ago may not be in the history yet."""
PAUSE: Final = 0.05
"""Seconds between them."""


async def find_order(client: SetoffClient, name: str, views: OrderViews, oid: int, *, is_recent: bool) -> Json:
    """The answer to `orderStatus`; of one that is recent the history is asked again. Raises Refusal, Unavailable."""
    if not 0 < oid < END:
        return {"status": "unknownOid"}
    for last in range(TRIES - 1 if is_recent else 0, -1, -1):
        # Those that can still trade come first: a cloid may have been another order's before.
        for live in await read_live(client, name, has_past=True):
            if live.oid == oid:
                shown = views.show_full(live)
                told = {"order": shown, "status": "open", "statusTimestamp": shown["timestamp"]}
                return {"status": "order", "order": told}
        past = await _find_past(client, name, oid)
        if past is not None and past["status"] not in ("open", "amended"):
            return {"status": "order", "order": views.show_past(past)}
        if last:  # it has just left, or has just come and gone: the history will say
            await asyncio.sleep(PAUSE)
    return {"status": "unknownOid"}


async def _find_past(client: SetoffClient, name: str, oid: int) -> Mapping[str, Any] | None:
    """The order of the history that has this number, the last one of them."""
    if is_client_id(oid):
        found = (await client.find(client=oid, account=name))["orders"]
        return max(found, key=lambda order: int(order["order"]), default=None)
    number = oid - FOREIGN
    page = await client.history("orders", name, before=number + 1, limit=1)
    return next((order for order in page["orders"] if int(order["order"]) == number), None)


async def list_orders(client: SetoffClient, name: str, views: OrderViews) -> list[Json]:
    """The latest orders of an account, newest first; of one that was amended the last state alone."""
    rows = await read_latest(client, "orders", name, "orders", MOST)
    return [views.show_past(order) for order in rows if order["status"] != "amended"]
