"""Orders as bots are shown them: those that can still trade, and what became of the others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.gateway.assets import Asset, Json, Universe
from setoff.shared.gateway.order_ids import Cloids, to_oid
from setoff.shared.gateway.orders.live import Live

TIF: Final = {"gtc": "Gtc", "ioc": "Ioc", "post_only": "Alo", "fok": "Ioc"}
REJECTED: Final = {
    "insufficient_margin": "perpMarginRejected",
    "would_cross": "badAloPxRejected",
    "unfillable": "iocCancelRejected",
    "not_reducing": "reduceOnlyRejected",
    "would_trigger": "badTriggerPxRejected",
    "price_band": "oracleRejected",
    "open_interest_cap": "positionIncreaseAtOpenInterestCapRejected",
    "price_out_of_range": "tickRejected",
    "position_limit": "perpMaxPositionRejected",
}
"""Statuses of orders that were refused, by reason; "rejected" for any other."""
CANCELLED: Final = {
    "insufficient_margin": "marginCanceled",
    "self_trade": "selfTradeCanceled",
    "not_reducing": "reduceOnlyCanceled",
    "pruned": "reduceOnlyCanceled",
    "not_resting": "iocCancelRejected",
    "market_expired": "delistedCanceled",
}
"""Statuses of orders that left for another reason than that their owner wanted it."""


def find_status(order: Mapping[str, Any]) -> str:
    """What became of an order of the history."""
    status, reason = str(order["status"]), str(order["reason"])
    if status == "refused":
        return REJECTED.get(reason, "rejected")
    if status == "expired":
        return "scheduledCancel"
    if status == "cancelled":
        if reason == "not_resting" and int(order["filled"]):
            return "canceled"  # what an order that takes at once did not get
        return CANCELLED.get(reason, "canceled" if not reason else "marginCanceled")
    return status if status in ("open", "filled") else "canceled"


class OrderViews:
    """Shows orders under their numbers and cloids."""

    def __init__(self, universe: Universe, cloids: Cloids) -> None:
        self._universe = universe
        self._cloids = cloids

    def show_live(self, live: Live) -> Json:
        """One that can still trade, shortly."""
        shown = self.show_full(live)
        return {name: shown[name] for name in _SHORT}

    def show_full(self, live: Live) -> Json:
        """One that can still trade, with all there is to it; as new as can be if the history has it not yet."""
        order, past = live.shown, live.past
        size = int(order["size"])
        ordered = size if past is None else int(past["size"])
        time_ms = time.time_ns() // 1_000_000 if past is None else int(past["time_ms"])
        return self._show(order, live.oid, live.client, size, ordered, time_ms)

    def show_past(self, order: Mapping[str, Any]) -> Json:
        """One of the history, with what became of it and when."""
        client = int(order["client"])
        left = int(order["size"]) - int(order["filled"])
        shown = self._show(order, to_oid(client, int(order["order"])), client, left, int(order["size"]),
                           int(order["time_ms"]))  # fmt: skip
        closed = order["closed_time"]
        at = int(order["time_ms"]) if closed is None else int(closed) * 1000
        return {"order": shown, "status": find_status(order), "statusTimestamp": at}

    def _show(self, order: Mapping[str, Any], oid: int, client: int, left: int, ordered: int, time_ms: int) -> Json:
        asset = self._universe.of_market(int(order["market"]))
        trigger = order["trigger_price"]
        is_market = trigger is not None and order["flags"] == "ioc"
        price = int(trigger) if is_market else int(order["price"])
        return {
            "coin": asset.coin,
            "side": "B" if order["side"] == "buy" else "A",
            "limitPx": asset.show_price(price),
            "sz": asset.show_size(left),
            "oid": oid,
            "timestamp": time_ms,
            "triggerCondition": _show_condition(asset, order),
            "isTrigger": trigger is not None,
            "triggerPx": "0.0" if trigger is None else asset.show_price(int(trigger)),
            "children": [],
            "isPositionTpsl": False,
            "reduceOnly": bool(order["reduce_only"]),
            "orderType": _name_type(order, is_market=is_market),
            "origSz": asset.show_size(ordered),
            "tif": None if is_market else TIF[order["flags"]],
            "cloid": self._cloids.find(client),
        }


_SHORT: Final = ("coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz", "reduceOnly", "cloid")


def is_above(order: Mapping[str, Any]) -> bool | None:
    """Whether an armed order waits for a rise, as far as it is told; the history does not tell."""
    trigger = order.get("trigger")
    return None if not isinstance(trigger, Mapping) else "above" in trigger


def _show_condition(asset: Asset, order: Mapping[str, Any]) -> str:
    if order["trigger_price"] is None:
        return "N/A"
    above = is_above(order)
    if above is None:
        return "Triggered"
    return f"Price {'above' if above else 'below'} {asset.show_price(int(order['trigger_price']))}"


def _name_type(order: Mapping[str, Any], *, is_market: bool) -> str:
    if order["trigger_price"] is None:
        return "Limit"
    kind = "Market" if is_market else "Limit"
    above = is_above(order)
    is_stop = above is None or above == (order["side"] == "buy")
    return f"{'Stop' if is_stop else 'Take Profit'} {kind}"
