"""A market maker: quotes on both sides around the index, leaning against what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg


class Maker(Agent):
    """Levels a side, `spread` ppm apart from the middle on and from each other; `lots` at each; `limit`: lots it
    holds at most on either side; `premium`: ppm above the index that it thinks is the price.
    """

    def __init__(
        self,
        account: int,
        every: int = 10,
        *,
        lots: int = 10_000,
        levels: int = 3,
        spread: int = 200,
        limit: int = 500_000,
        premium: int = 0,
    ) -> None:
        super().__init__(every)
        self.account = account
        self.lots = lots
        self.levels = levels
        self.spread = spread
        self.limit = limit
        self.premium = premium
        self._quoted: list[Leg] = []

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """All quotes anew where they have to move, or are not all there."""
        legs = list(self._quote(view))
        if legs != self._quoted or view.count_orders(self.account) != len(legs):
            self._quoted = legs
            yield pen.cancel_all(self.account)
            yield from pen.bulk(self.account, legs)

    def _quote(self, view: View) -> Iterator[Leg]:
        size = view.get_size(self.account)
        middle = view.index + view.index * self.premium // PPM
        middle -= view.index * self.spread * size // (PPM * self.limit)
        for level in range(self.levels):
            away = max(1, view.index * self.spread * (level + 1) // PPM)
            if size < self.limit:
                yield Leg(records.POST_ONLY, self.market, 2 * level, max(1, middle - away), self.lots)
            if size > -self.limit:
                yield Leg(records.POST_ONLY | records.SELL_LEG, self.market, 2 * level + 1, middle + away, self.lots)
