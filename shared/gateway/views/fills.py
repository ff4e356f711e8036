"""An account's fills, in their order, each with the position before it and what it realised."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.gateway.assets import Json, Universe
from setoff.shared.gateway.order_ids import Cloids, to_oid
from setoff.shared.gateway.views.pages import read_after
from setoff.shared.sdk import SetoffClient

KEPT: Final = 10_000
"""Fills, the latest."""
MADE: Final = frozenset({"liquidation", "takeover"})
"""Kinds of fills that the machine makes of an account in liquidation, its taker."""


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
        self._last_entry = -1
        self._realised: dict[int, int] = {}
        self._sizes: dict[int, int] = defaultdict(int)
        self.fills: deque[Json] = deque(maxlen=KEPT)
        """Oldest first."""
        self.count = 0
        """So many there were."""

    async def read(self) -> list[Json]:
        """All that is kept, oldest first; what is new was asked for. Raises Refusal, Unavailable."""
        async with self._reading:
            fills = await read_after(self._client, "fills", self._name, "fills", "fill", self._last_fill)
            if fills:
                await self._read_ledger()
            for fill in fills:
                self.fills.append(self._show(fill))
                self.count += 1
                self._last_fill = int(fill["fill"])
            return list(self.fills)

    async def _read_ledger(self) -> None:
        """What fills have realised: the ledger has it of each, with the fill."""
        entries = await read_after(
            self._client, "ledger", self._name, "entries", "entry", self._last_entry, kind="trade"
        )
        for entry in entries:
            self._last_entry = int(entry["entry"])
            if entry["about"] is not None:
                fill = int(entry["about"])
                self._realised[fill] = self._realised.get(fill, 0) + int(entry["amount"])

    def _show(self, fill: Mapping[str, Any]) -> Json:
        asset = self._universe.of_market(int(fill["market"]))
        is_taker, lots = bool(fill["is_taker"]), int(fill["size"])
        is_buy = (fill["side"] == "buy") == is_taker
        before = self._sizes[asset.market]
        after = before + (lots if is_buy else -lots)
        self._sizes[asset.market] = after
        client, number = int(fill["client"]), fill["order"]
        shown: Json = {
            "coin": asset.coin,
            "px": asset.show_price(int(fill["price"])),
            "sz": asset.show_size(lots),
            "side": "B" if is_buy else "A",
            "time": int(fill["time_ms"]),
            "startPosition": asset.show_size(before),
            "dir": name_direction(before, after),
            "closedPnl": self._universe.show_amount(self._realised.pop(int(fill["fill"]), 0)),
            "hash": "0x" + "00" * 32,
            "oid": 0 if number is None else to_oid(client, int(number)),
            "crossed": is_taker,
            "fee": self._universe.show_amount(int(fill["fee"])),
            "tid": int(fill["fill"]),
            "feeToken": self._universe.currency,
            "twapId": None,
        }
        if cloid := self._cloids.find(client):
            shown["cloid"] = cloid
        if fill["kind"] in MADE and is_taker:
            shown["liquidation"] = {"liquidatedUser": self._address, "markPx": shown["px"], "method": "market"}
        return shown


def name_direction(before: int, after: int) -> str:
    """What a fill does to a position (lots, below zero for a short one)."""
    if before * after < 0:
        return "Long > Short" if before > 0 else "Short > Long"
    if abs(after) > abs(before):
        return "Open Long" if after > 0 else "Open Short"
    return "Close Long" if before > 0 else "Close Short"
