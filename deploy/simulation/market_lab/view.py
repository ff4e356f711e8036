"""What a trader can see: the time, the price in the world outside, public figures, an account of its own."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.wealth import compute_equity, compute_marks


class View:
    """Of one market. `price` is what it trades at elsewhere, ticks."""

    def __init__(self, exchange: Exchange, price: int, market: int = 1) -> None:
        self._exchange = exchange
        self.market = market
        self.price = price
        leaf = exchange.market(market)
        self.time = exchange.time
        self.index = leaf.index
        self.mark = leaf.mark
        self.best_bid = leaf.best_bid
        self.best_ask = leaf.best_ask
        self.unit = leaf.unit
        self.initial_margin = leaf.initial_margin
        self.band = leaf.band

    def get_size(self, account: int) -> int:
        """Lots that an account of one's own holds, signed."""
        return self._exchange.position(account, self.market).size

    def count_orders(self, account: int) -> int:
        """Orders that an account of one's own has open, in every market."""
        return self._exchange.account(account).orders.bit_count()

    def get_equity(self, account: int) -> int:
        """What an account of one's own is worth at the marks, token units."""
        return compute_equity(self._exchange.machine, account, compute_marks(self._exchange.machine))
