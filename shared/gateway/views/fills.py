"""An account's fills, in their order, each with the position before it and what it realised."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.gateway.assets import COLLATERAL, Json, Universe
from setoff.shared.gateway.order_ids import Cloids, to_oid
from setoff.shared.gateway.views.pages import read_after
from setoff.shared.rules.positions import apply_fill
from setoff.shared.sdk import SetoffClient
from setoff.shared.state.leaves import Market, Position

KEPT: Final = 10_000
"""Fills, the latest."""
MADE: Final = {"liquidation": "market", "takeover": "backstop", "deleverage": "backstop"}
"""Kinds of fills that the machine makes of an account in liquidation, their taker, and the method that bots read."""

DELEVERAGED: Final = "Auto-Deleveraging"
"""The direction of a fill by which an account is deleveraged for another's liquidation."""


class FillBook:
    """The fills of one account, read on from the last one each time that they are asked for."""

    def __init__(self, client: SetoffClient, name: str, address: str, universe: Universe, cloids: Cloids) -> None:
        self._client = client
        self._name = name
        self._address = address
        self._universe = universe
        self._cloids = cloids
        self._reading = asyncio.Lock()
        self._last_fill = -1
        self._positions: dict[int, Position] = defaultdict(Position)
        self.fills: deque[Json] = deque(maxlen=KEPT)
        """Oldest first."""
        self.count = 0
        """So many there were."""
        self._sizes: deque[tuple[tuple[int, int], int, int]] = deque(maxlen=KEPT)
        """After each fill: where it was (batch, input), its market, and the position then."""

    async def read(self) -> list[Json]:
        """All that is kept, oldest first; what is new was asked for. Raises Refusal, Unavailable."""
        async with self._reading:
            fills = await read_after(self._client, "fills", self._name, "fills", "fill", self._last_fill)
            for fill in fills:
                self.fills.append(self._show(fill))
                self.count += 1
                self._last_fill = int(fill["fill"])
            return list(self.fills)

    def size_before(self, market: int, batch: int, input_index: int) -> int:
        """The position in a market, lots, before an input; 0 before all fills that are kept."""
        for where, of, size in reversed(self._sizes):
            if of == market and where < (batch, input_index):
                return size
        return 0

    def _show(self, fill: Mapping[str, Any]) -> Json:
        asset = self._universe.of_market(int(fill["market"]))
        is_taker, lots, kind = bool(fill["is_taker"]), int(fill["size"]), str(fill["kind"])
        is_buy = (fill["side"] == "buy") == is_taker
        position, delta = self._positions[asset.market], lots if is_buy else -lots
        before, paid = position.size, position.cost
        ticks, unit = int(fill["price"]), self._universe.scales.units[asset.market]
        apply_fill(position, delta, ticks, _make_market(unit))
        self._sizes.append(((int(fill["batch"]), int(fill["input_index"])), asset.market, position.size))
        realised = position.cost - paid - delta * ticks * unit
        client, number = int(fill["client"]), fill["order"]
        shown: Json = {
            "coin": asset.coin,
            "px": asset.show_price(ticks),
            "sz": asset.show_size(lots),
            "side": "B" if is_buy else "A",
            "time": int(fill["time_ms"]),
            "startPosition": asset.show_size(before),
            "dir": DELEVERAGED if kind == "deleverage" and not is_taker else name_direction(before, position.size),
            "closedPnl": self._universe.show_amount(realised),
            "hash": "0x" + "00" * 32,
            "oid": 0 if number is None else to_oid(client, int(number)),
            "crossed": is_taker,
            "fee": self._universe.show_amount(int(fill["fee"])),
            "tid": int(fill["fill"]),
            "feeToken": COLLATERAL,
            "twapId": None,
        }
        if cloid := self._cloids.find(client):
            shown["cloid"] = cloid
        if kind in MADE and is_taker:
            shown["liquidation"] = {"liquidatedUser": self._address, "markPx": shown["px"], "method": MADE[kind]}
        return shown


def _make_market(unit: int) -> Market:
    """What of a market netting looks at: the token units that a lot is worth at a tick."""
    return Market(unit=unit, initial_margin=0, maintenance_margin=0, taker_fee=0, maker_fee=0, band=0)


def name_direction(before: int, after: int) -> str:
    """What a fill does to a position (lots, below zero for a short one)."""
    if before * after < 0:
        return "Long > Short" if before > 0 else "Short > Long"
    if abs(after) > abs(before):
        return "Open Long" if after > 0 else "Open Short"
    return "Close Long" if before > 0 else "Close Short"
