"""Who takes: gamblers with leverage and stops, hedgers, and arbitrageurs, who leave no quote that is worth taking."""

from __future__ import annotations

from collections.abc import Iterator

from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.state.keys import MAX_TICK

STOP_SLOT = 255
SLIPPAGE = 10_000
"""Parts per million of the mark that a taker gives way at most."""


def get_limit(view: View, side: int) -> int:
    """A limit on the safe side of the mark: what it could cost counts against the margin."""
    away = view.mark * SLIPPAGE // PPM
    return max(1, view.mark + (away if side == records.BUY else -away))


class Gambler(Agent):
    """Opens a position with `leverage` now and then, leaves a stop `stop` ppm away, and closes it after a while."""

    def __init__(
        self, account: int, every: int = 60, *, leverage: int = 10, stop: int = 20_000, seed: str = ""
    ) -> None:
        super().__init__(every, seed=f"{account} {seed}")
        self.account = account
        self.leverage = leverage
        self.stop = stop

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """In, out, or wait."""
        size = view.get_size(self.account)
        if self.random.random() < 0.7:
            return
        if size:
            yield pen.cancel_all(self.account)
            yield self._take(view, pen, records.SELL if size > 0 else records.BUY, abs(size), records.REDUCE_ONLY)
            return
        lots = view.get_equity(self.account) * self.leverage // (view.mark * view.unit)
        if lots > 0:
            side = self.random.choice((records.BUY, records.SELL))
            yield self._take(view, pen, side, lots)
            yield self._arm(view, pen, side, lots)

    def _take(self, view: View, pen: Pen, side: int, lots: int, flags: int = 0) -> bytes:
        limit = get_limit(view, side)
        return pen.order(self.account, side, limit, lots, flags=records.IOC | flags, market=self.market, order_slot=0)

    def _arm(self, view: View, pen: Pen, side: int, lots: int) -> bytes:
        away = view.mark * self.stop // PPM
        flags = records.REDUCE_ONLY | records.IOC | (records.BELOW if side == records.BUY else records.ABOVE)
        trigger = view.mark - away if side == records.BUY else view.mark + away
        limit = 1 if side == records.BUY else MAX_TICK
        return pen.order(
            self.account,
            1 - side,
            limit,
            lots,
            flags=flags,
            trigger=max(1, trigger),
            market=self.market,
            order_slot=STOP_SLOT,
        )


class Hedger(Agent):
    """Owns coins elsewhere, a number that wanders, and keeps as many lots short here."""

    def __init__(self, account: int, every: int = 120, *, lots: int = 5_000, seed: str = "") -> None:
        super().__init__(every, seed=f"{account} {seed}")
        self.account = account
        self.owned = lots
        self.swing = max(1, lots // 5)

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """Toward the hedge."""
        self.owned = max(0, self.owned + self.random.randint(-self.swing, self.swing))
        missing = self.owned + view.get_size(self.account)
        if missing:
            side = records.SELL if missing > 0 else records.BUY
            yield pen.order(
                self.account,
                side,
                get_limit(view, side),
                abs(missing),
                flags=records.IOC,
                market=self.market,
                order_slot=0,
            )


class Arbitrageur(Agent):
    """Takes whatever is offered more than `edge` ppm better than the price elsewhere."""

    def __init__(self, account: int, every: int = 10, *, lots: int = 50_000, edge: int = 1_000) -> None:
        super().__init__(every)
        self.account = account
        self.lots = lots
        self.edge = edge

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """On the side where there is something to take."""
        away = view.price * self.edge // PPM
        if 0 < view.best_ask < view.price - away:
            yield self._take(pen, records.BUY, view.price - away)
        if view.best_bid > view.price + away:
            yield self._take(pen, records.SELL, view.price + away)

    def _take(self, pen: Pen, side: int, limit: int) -> bytes:
        return pen.order(self.account, side, limit, self.lots, flags=records.IOC, market=self.market, order_slot=0)
