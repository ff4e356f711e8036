"""The present rules, as a flow meets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.pictures.flow import Flow, Quote
from setoff.deploy.simulation.market_lab.pictures.moments import Sight
from setoff.deploy.simulation.market_lab.terms import BACKSTOP_DELAY
from setoff.shared.codec import records
from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TAKEOVER, Machine
from setoff.shared.state import keys


class PresentRules:
    """A machine of today; `sights`: what every look gave. (A twin of the script `earlier_rules.py`.)"""

    def __init__(self) -> None:
        pen = Pen()
        self.exchange = Exchange(Machine.genesis(pen.domain, BACKSTOP_DELAY), pen)
        self.exchange.machine.begin(0, pen.time)
        self.sights: list[Sight] = []

    @property
    def pen(self) -> Pen:
        """Everybody's."""
        return self.exchange.pen

    def deposit(self, account: int, amount: int) -> None:
        """Money from L1."""
        self.exchange.deposit(account, amount)

    def list_market(self, terms: Mapping[str, int]) -> None:
        """Market 1."""
        known = {each.name for each in fields(records.MarketParameters)}
        self.exchange.expect(self.pen.list_market(1, **{n: v for n, v in terms.items() if n in known}), is_message=True)

    def set_signer(self, number: int, quorum: int, max_age: int) -> None:
        """An oracle signer."""
        self.exchange.expect(self.pen.set_signer(number, quorum, max_age), is_message=True)

    def stake(self, account: int, amount: int) -> None:
        """Asked for long before."""
        self.exchange.stake(account, amount)

    def order(self, account: int, side: str, price: int, size: int, slot: int, flags: Sequence[str]) -> None:
        """An order."""
        bits = sum(getattr(records, flag) for flag in flags)
        self._take(self.pen.order(account, getattr(records, side), price, size, flags=bits, order_slot=slot))

    def stop(self, account: int, price: int, limit: int, size: int) -> None:
        """Below the mark."""
        flags = records.BELOW | records.REDUCE_ONLY | records.IOC
        self._take(self.pen.order(account, records.SELL, limit, size, flags=flags, trigger=price, order_slot=201))

    def quote(self, account: int, quotes: Sequence[Quote]) -> None:
        """All anew."""
        legs = []
        for slot, (side, price, size) in enumerate(quotes):
            flags = records.POST_ONLY | (records.SELL_LEG if side == "SELL" else 0)
            legs.append(records.Leg(flags, 1, slot, price, size))
        self._take(self.pen.cancel_all(account))
        for body in self.pen.bulk(account, legs):
            self._take(body)

    def withdraw(self, account: int, amount: int) -> None:
        """To L1."""
        self._take(self.pen.withdraw(account, amount))

    def report(self, signer: int, price: int) -> None:
        """Of now."""
        self._take(self.pen.report(signer, price))

    def crank(self) -> None:
        """Of market 1."""
        self._take(self.pen.crank(1))

    def wait(self, seconds: int) -> None:
        """A new batch."""
        self.exchange.wait(seconds)

    def look(self) -> None:
        """One more sight."""
        market, machine, closed = self.exchange.market(), self.exchange.machine, self.exchange.closed
        numbers = (keys.BACKSTOP, *range(1, machine.regs.accounts + 1))
        held = [(self.exchange.account(number).collateral, self.exchange.position(number)) for number in numbers]
        self.sights.append(
            Sight(
                market.index,
                market.mark,
                market.open_interest,
                market.insurance,
                market.pool,
                market.funding,
                (closed[LIQUIDATION], closed[TAKEOVER], closed[DELEVERAGE]),
                dict(self.exchange.withdrawn),
                [(cash, position.size, position.funding) for cash, position in held],
            )
        )

    def _take(self, body: bytes) -> None:
        self.exchange.take(body)
        while self.exchange.machine.is_busy:
            self.exchange.take(self.pen.crank(0))


def play_on_present_rules(flow: Flow) -> PresentRules:
    """The whole flow."""
    rules = PresentRules()
    for action in flow.actions:
        getattr(rules, action.name)(*action.arguments)
    return rules
