"""Honest flow as it was: the recorded orders of a real exchange, dealt out to a few accounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from zlib import crc32

from setoff.deploy.simulation.demo.sample import read_orders, read_trades
from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View

SLOTS = 256


class RecordedFlow(Agent):
    """Half an hour of orders and cancels (`demo/sample.py`), one in `thinning` of those that never traded; their
    prices are moved along to `price`, ticks, at the first trade.
    """

    def __init__(
        self, accounts: Sequence[int], price: int, *, every: int = 5, thinning: int = 2000, seed: int = 0
    ) -> None:
        super().__init__(every)
        self.accounts = accounts
        self.price = price
        self._first = read_trades()[0].price
        self._events = deque(read_orders(thinning, seed))
        self._free = {account: deque(range(SLOTS)) for account in accounts}
        self._open: dict[int, tuple[int, int]] = {}
        self._began: int | None = None

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """All that has come since the last turn."""
        self._began = view.time if self._began is None else self._began
        while self._events and self._events[0].at <= view.time - self._began:
            event = self._events.popleft()
            if event.size:
                account = self.accounts[crc32(str(event.order).encode()) % len(self.accounts)]
                if self._free[account]:
                    slot = self._free[account].popleft()
                    self._open[event.order] = account, slot
                    price = event.price * self.price // self._first
                    yield pen.order(account, event.side, price, event.size, market=self.market, order_slot=slot)
            elif event.order in self._open:
                account, slot = self._open.pop(event.order)
                self._free[account].append(slot)
                yield pen.cancel(account, slot)


class RecordedPrice:
    """The price of the same half hour, trade by trade, moved along in the same way."""

    def __init__(self, price: int) -> None:
        self._trades = read_trades()
        self._price = price

    def get(self, seconds: int) -> int:
        """Ticks, so many seconds into it."""
        last = self._trades[0].price
        for trade in self._trades:
            if trade.at > seconds:
                break
            last = trade.price
        return last * self._price // self._trades[0].price
