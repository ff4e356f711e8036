"""Reports of prices, and cranks."""

from __future__ import annotations

from tests.support.generator.players import (
    ORACLES,
    PRICE_EDGES,
    SIGNERS,
    Players,
)

from setoff.shared.codec import records
from setoff.shared.state import keys, leaves


class Prices(Players):
    """What moves a market without an order."""

    def report_of(self, index: int, time: int, market: int, price: int) -> bytes:
        body = records.encode(records.ReportBody(index, time, market, price))
        return self.sign(ORACLES.get(index, ORACLES[0]), body)

    def report(self) -> bytes:
        rng = self.rng
        market = self.some_market()
        price = self.next_price(market)
        if rng.random() < 0.05:
            price = rng.choice(PRICE_EDGES)
        age = rng.choices((0, 1, 10, 60, 61, 121, -1, -60, -61, -121), (8, 4, 2, 1, 1, 1, 4, 1, 1, 1))[0]
        index = rng.choice((*range(SIGNERS), *range(SIGNERS), SIGNERS, leaves.MAX_SIGNERS, 2**32 - 1))
        return self.report_of(index, max(0, self.time - age), market, price)

    def next_price(self, market: int) -> int:
        """A walk with jumps: makers resting far away and levered accounts lose their margin."""
        rng = self.rng
        mark = self.read_market(market).mark or self.first_price(market)
        self.drift[market] = rng.choice((-1, 1)) if rng.random() < 0.1 else self.drift.get(market, 1)
        jump = rng.choices((0, mark // 200, mark // 20, mark // 4), (2, 6, 4, 1))[0]
        price = mark + self.drift[market] * rng.randint(0, max(1, jump))
        anchor = self.first_price(market)
        if price > 3 * anchor or price < anchor // 3 + 1:
            price = anchor
        return min(price, keys.MAX_TICK) if self.is_large else price

    def crash(self) -> bytes:
        """A jump so large that some accounts are worth nothing after it."""
        market = self.rng.randint(1, 3)
        mark = self.read_market(market).mark or self.first_price(market)
        price = self.rng.choice((mark // 2, mark * 3 // 4, mark * 5 // 4, mark * 3 // 2))
        return self.report_of(self.rng.randrange(SIGNERS), self.time, market, min(max(1, price), keys.MAX_TICK))

    def crank(self) -> bytes:
        return records.encode_crank(self.some_market())
