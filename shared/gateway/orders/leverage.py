"""The leverage that a bot has chosen for a market, held here.

The exchange has one margin for each market, whoever trades; a bot that chooses less leverage than that allows is held
to it by the gateway: its orders are refused where positions and orders, each at its market's leverage, would need more
than the account's equity. Nothing else asks for it: no liquidation comes sooner.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from setoff.shared.codec import records
from setoff.shared.config.whole_file import replace_file
from setoff.shared.gateway.assets import Asset, Universe
from setoff.shared.gateway.orders.wanted import Wanted
from setoff.shared.gateway.refusals import NO_MARGIN, BotError


class Leverages:
    """Of the markets of one account; in a file if one is named."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._chosen: dict[int, int] = {}
        if file is not None and file.is_file():
            self._chosen = {int(market): int(leverage) for market, leverage in json.loads(file.read_text()).items()}

    def get(self, asset: Asset) -> int:
        """That of a market: what was chosen, else what the market allows at most."""
        return min(self._chosen.get(asset.market, asset.leverage), asset.leverage)

    def choose(self, asset: Asset, leverage: int) -> None:
        """Raises BotError for more than the market allows."""
        if not 1 <= leverage <= asset.leverage:
            raise BotError(f"Invalid leverage value. asset={asset.number} (1 to {asset.leverage})")
        self._chosen[asset.market] = leverage
        if self._file is not None:
            replace_file(self._file, json.dumps(self._chosen))

    def is_needed(self, wanted: Iterable[Wanted]) -> bool:
        """Whether any of these orders has to be checked."""
        return any(self._counts(order) for order in wanted)

    def _counts(self, order: Wanted) -> bool:
        closes = order.flags & (records.REDUCE_ONLY | records.ARMED)
        return not closes and self.get(order.asset) < order.asset.leverage

    def check(
        self, universe: Universe, account: Mapping[str, Any], marks: Mapping[int, int], wanted: Iterable[Wanted]
    ) -> list[BotError | None]:
        """Of each order, taken in after the one before it: why it may not be, None where it may. `marks`: ticks, by
        market."""
        sides: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        sizes: dict[int, int] = {}
        for position in account["positions"]:
            market = int(position["market"])
            sizes[market] = int(position["size"])
            sides[market] = [int(position["bids"]), int(position["asks"])]
        equity = int(account["equity"])
        found: list[BotError | None] = []
        for order in wanted:
            if order.flags & (records.REDUCE_ONLY | records.ARMED):
                found.append(None)
                continue
            sides[order.asset.market][order.side] += order.size
            need = Fraction(0)
            for market, (bids, asks) in sides.items():
                lots = max(abs(sizes.get(market, 0) + bids), abs(sizes.get(market, 0) - asks))
                worth = lots * marks[market] * universe.scales.units[market]
                need += Fraction(worth, self.get(universe.of_market(market)))
            is_too_much = need > equity and self._counts(order)
            if is_too_much:
                sides[order.asset.market][order.side] -= order.size
                need_text, have = universe.show_amount(-int(-need // 1)), universe.show_amount(equity)
                at = self.get(order.asset)
                text = f"{NO_MARGIN} asset={order.asset.number} (at a leverage of {at}: needs {need_text}, has {have})"
                found.append(BotError(text))
            else:
                found.append(None)
        return found
