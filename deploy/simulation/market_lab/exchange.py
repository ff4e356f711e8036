"""The machine as everybody meets it: records in, outcomes out; and the money that went in and out of its vault.

It runs the machine's fast paths, as an operator does. Every record that is sent stands in the batch, whatever becomes
of it: that is what L1 lets an operator post.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.terms import BACKSTOP_DELAY, BITCOIN, PRICE
from setoff.shared import errors
from setoff.shared.machine.machine import Fill, Machine
from setoff.shared.state.leaves import Account, Market, Position


class Exchange:
    """A machine and its pen.

    `deposited`, `withdrawn`: token units by account; `forced`: messages by account; `closed`: lots by kind of fill.
    """

    def __init__(self, machine: Machine, pen: Pen) -> None:
        self.machine = machine
        self.pen = pen
        self.deposited: Counter[int] = Counter()
        self.withdrawn: Counter[int] = Counter()
        self.forced: Counter[int] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.closed: Counter[int] = Counter()

    @classmethod
    def open(
        cls,
        money: Mapping[int, int],
        *,
        markets: int = 1,
        signers: int = 4,
        quorum: int = 3,
        max_age: int = 60,
        price: int = PRICE,
        terms: Mapping[str, Any] | None = None,
        backstop_delay: int | None = None,
    ) -> Self:
        """Accounts with money (token units), equal markets, oracle signers and a first price.

        `backstop_delay`: seconds that a request of the backstop waits; by default mainnet's.
        """
        pen = Pen()
        machine = Machine.genesis(pen.domain, BACKSTOP_DELAY if backstop_delay is None else backstop_delay)
        machine.begin(0, pen.time)
        exchange = cls(machine, pen)
        for account, amount in money.items():
            exchange.deposit(account, amount)
        for market in range(1, markets + 1):
            exchange.expect(pen.list_market(market, **(BITCOIN | dict(terms or {}))), is_message=True)
        for number in range(signers):
            exchange.expect(pen.set_signer(number, quorum, max_age), is_message=True)
        for market in range(1, markets + 1):
            exchange.report([price] * quorum, market)
        return exchange

    def copy(self) -> Self:
        """The same exchange, which goes its own way from here; cheap."""
        twin = type(self)(self.machine.copy(), self.pen.copy())
        twin.deposited, twin.withdrawn = self.deposited.copy(), self.withdrawn.copy()
        twin.forced, twin.outcomes, twin.closed = self.forced.copy(), self.outcomes.copy(), self.closed.copy()
        return twin

    # --- inputs ------------------------------------------------------------------------------------------------------

    def take(self, body: bytes, *, is_message: bool = False, queued_at: int | None = None) -> str:
        """Run an input, of the queue's one that was queued then (unix seconds; now unless given); its outcome."""
        granted = self.machine.regs.withdrawals
        outcome = errors.OUTCOMES[self.machine.take(body, is_message, queued_at)]
        self.outcomes[outcome] += 1
        for fill in self.fills:
            self.closed[fill.kind] += fill.size
        for number in range(granted, self.machine.regs.withdrawals):
            withdrawal = self.machine.state.withdrawal(number)
            self.withdrawn[withdrawal.account] += withdrawal.amount
        return outcome

    def expect(self, body: bytes, *, is_message: bool = False) -> None:
        """Run an input of the set-up, which has to be accepted."""
        outcome = self.take(body, is_message=is_message)
        if outcome != "accepted":
            raise ValueError(f"the set-up was refused: {outcome}")

    def deposit(self, account: int, amount: int) -> None:
        """Money from L1."""
        self.expect(self.pen.deposit(account, amount), is_message=True)
        self.deposited[account] += amount

    def stake(self, account: int, amount: int) -> None:
        """Money (token units) that is in the backstop already when the play begins: asked for long before."""
        regs = self.machine.regs
        delay, regs.backstop_delay = regs.backstop_delay, 0
        self.expect(self.pen.backstop_deposit(account, amount))
        regs.backstop_delay = delay

    def force(self, account: int, record: bytes) -> str:
        """A record of `account` through the L1 queue, in its turn."""
        self.forced[account] += 1
        return self.take(self.pen.force(account, record), is_message=True)

    def wait(self, seconds: int) -> None:
        """A new batch, later."""
        self.pen.time += seconds
        self.machine.begin(self.machine.regs.batch + 1, self.pen.time)

    def report(self, prices: Sequence[int], market: int = 1) -> list[str]:
        """Reports of the first signers."""
        return [self.take(self.pen.report(number, price, market=market)) for number, price in enumerate(prices)]

    # --- the state ---------------------------------------------------------------------------------------------------

    @property
    def time(self) -> int:
        """Seconds, of the present batch."""
        return self.pen.time

    @property
    def fills(self) -> list[Fill]:
        """Trades of the last input."""
        return self.machine.fills

    def market(self, market: int = 1) -> Market:
        """The market's leaf; not to be changed."""
        return self.machine.state.market(market)

    def account(self, account: int) -> Account:
        """The account's leaf; not to be changed."""
        return self.machine.state.account(account)

    def position(self, account: int, market: int = 1) -> Position:
        """The account's position in a market, empty if there is none."""
        return next((p for p in self.account(account).positions if p.market == market), Position())
