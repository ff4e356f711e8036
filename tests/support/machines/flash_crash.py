"""A flash crash, replayed on the machine: leveraged accounts, liquidity that thins out as the price falls, no humans.

    python -m tests.support.machines.flash_crash [ACCOUNTS]

The prices are Coinbase's hourly BTC/USD of February 2018, the worst day of the record (-27 % in 24 hours), an hour told
in a minute: open, high, low and close are reports 15 seconds apart.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from setoff.deploy.simulation.market_lab.pictures.prices import Hour, fetch_prices, find_crash, tell
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_up
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.holders import get_visited
from setoff.shared.rules.matching import is_liquidation
from setoff.shared.rules.step import apply_step
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account

DOLLAR = 1_000_000
"""Token units of a dollar."""
# A tick is a dollar and a lot a thousandth of a bitcoin, so a lot and tick is a thousand token units.
UNIT = DOLLAR // 1_000
TERMS = {
    "unit": UNIT,
    "initial_margin": 50_000,
    "maintenance_margin": 25_000,
    "close_out": 8_000,
    "taker_fee": 450,
    "maker_fee": -100,
    "band": 300_000,
    "step_band": 100_000,
    "max_age": 120,
    "funding_cap": 40_000,
    "impact": 10,
    "tier1_size": 20_000,
    "tier1_initial": 100_000,
    "tier1_maintenance": 50_000,
}
MAKERS = 8
SECONDS = 15
"""Seconds between two reports."""
BACKING = 120
"""Dollars that each trader has in the backstop."""
DEPTH = 120
"""Lots a trader that the makers offer on each side in quiet times."""


class Moment(NamedTuple):
    """What the exchange looks like after one report and the work it set off; lots and dollars.

    liquidated, taken, deleveraged: lots sold to the book, taken over by the backstop, closed against the other side, up
    to now; accounts: different accounts liquidated up to now.
    """

    price: int
    mark: int
    open_interest: int
    liquidated: int
    taken: int
    deleveraged: int
    accounts: int
    insurance: float
    backstop: float
    steps: int


@dataclass
class Totals:
    """Lots and accounts that the machine has closed so far."""

    liquidated: int = 0
    taken: int = 0
    deleveraged: int = 0
    accounts: set[int] = field(default_factory=set)


class Crash:
    """An exchange with `traders` leveraged accounts, eight market makers and a backstop, on one machine."""

    def __init__(self, traders: int, price: int, seed: int = 7) -> None:
        self.traffic = SampleTraffic()
        self.machine = Machine.genesis(self.traffic.domain)
        self.machine.begin(0, self.traffic.time)
        self.random = Random(seed)
        self.totals = Totals()
        self.moments: list[Moment] = []
        self.path: list[int] = []
        self.deposited = 0
        self.steps = 0
        self.traders = range(MAKERS + 1, MAKERS + 1 + traders)
        self._open(price)

    def run(self, hours: Sequence[Hour]) -> list[Moment]:
        """Replay these hours."""
        for price in tell(hours):
            self.begin_batch(SECONDS)
            self.report(price)
            if len(self.path) % 4 == 0:
                self.take(self.traffic.crank())
            self.quote(price)
        return self.moments

    # --- set-up ------------------------------------------------------------------------------------------------------

    def _open(self, price: int) -> None:
        """Half of the traders are long with high leverage, the other half short with less; some longs have stops."""
        traffic, draw = self.traffic, self.random
        self.take(traffic.list_market(**TERMS), is_message=True)
        self.take(traffic.set_signer(max_age=60), is_message=True)
        for maker in range(1, MAKERS + 1):
            self.deposit(maker, len(self.traders) * 2_000)
        equities = {trader: round(500 * draw.lognormvariate(0, 0.8)) + 100 for trader in self.traders}
        for trader, equity in equities.items():
            self.deposit(trader, equity)
        self.take(traffic.report(0, price))
        assert self.take(traffic.backstop_deposit(1, len(self.traders) * BACKING * DOLLAR)) == "accepted"
        longs = self.traders[0::2]
        for long, short in zip(longs, self.traders[1::2], strict=True):
            leverage = draw.uniform(3, 18)
            lots = int(min(equities[long] * leverage, equities[short] * 9) * 1_000 / price)
            if lots:
                assert self.take(traffic.order(long, records.BUY, price, lots, order_slot=0)) == "accepted"
                assert self.take(traffic.order(short, records.SELL, price, lots, order_slot=0)) == "accepted"
                if draw.random() < 0.1:
                    flags = records.BELOW | records.REDUCE_ONLY | records.IOC
                    stop = round(price * draw.uniform(0.9, 0.97))
                    self.take(
                        traffic.order(long, records.SELL, stop * 9 // 10, lots, flags=flags, trigger=stop, order_slot=1)
                    )
        self.quote(price)

    def deposit(self, account: int, dollars: int) -> None:
        assert self.take(self.traffic.deposit(account, dollars * DOLLAR), is_message=True) == "accepted"
        self.deposited += dollars * DOLLAR

    # --- what happens ------------------------------------------------------------------------------------------------

    def begin_batch(self, seconds: int) -> None:
        self.traffic.time += seconds
        self.machine.begin(self.machine.regs.batch + 1, self.traffic.time)

    def report(self, price: int) -> None:
        """A price, all the work it sets off, and what the exchange looks like then."""
        self.path.append(price)
        before = self.steps
        assert self.take(self.traffic.report(0, price)) == "accepted"
        while self.machine.regs.has_work:
            if self.take(self.traffic.crank(0)) == "step_cap":
                self.begin_batch(1)
        self.check_solvency()
        market, totals = self.machine.state.market(1), self.totals
        backstop = self.machine.state.account(keys.BACKSTOP)
        self.moments.append(
            Moment(
                market.index,
                market.mark,
                market.open_interest,
                totals.liquidated,
                totals.taken,
                totals.deleveraged,
                len(totals.accounts),
                market.insurance / DOLLAR,
                self.get_equity(backstop) / DOLLAR,
                self.steps - before,
            )
        )

    def quote(self, price: int) -> None:
        """Every maker quotes anew, eight levels a side; the further the price has moved of late, the thinner."""
        recent = self.path[-24:] or [price]
        moved = (max(recent) - min(recent)) / max(recent)
        depth = len(self.traders) * DEPTH * max(0.02, 1 - 4 * moved) / MAKERS
        for maker in range(1, MAKERS + 1):
            legs = []
            for n in range(8):
                away = max(1, round(price * (0.0004 * 1.9**n + 0.0001 * maker)))
                lots = max(1, round(depth * (1 + n) / 36))
                legs.append(Leg(0, 1, 2 * n, price - away, lots))
                legs.append(Leg(records.SELL_LEG, 1, 2 * n + 1, price + away, lots))
            self.take(self.traffic.cancel_all(maker))
            for body in self.traffic.bulk(maker, legs):
                assert self.take(body) == "accepted"

    def take(self, body: bytes, is_message: bool = False) -> str:
        """Run an input step by step, with an eye on every visit of an account and every trade beside the market."""
        regs, state = self.machine.regs, self.machine.state
        regs.steps += 1
        step_fetch(regs, state, body, is_message)
        while regs.phase != phases.IDLE:
            self.steps += 1
            phase = regs.phase
            if phase == phases.SWEEP:
                self.watch_visit()
            elif phase == phases.FILL and is_liquidation(regs):
                self.totals.liquidated += regs.lots
                apply_step(regs, state)
            elif phase == phases.TAKEOVER:
                before = regs.size
                apply_step(regs, state)
                self.totals.taken += before - regs.size
            elif phase == phases.DELEVERAGE:
                before = state.market(1).open_interest
                apply_step(regs, state)
                self.totals.deleveraged += before - state.market(1).open_interest
            else:
                apply_step(regs, state)
        return errors.OUTCOMES[regs.outcome]

    # --- what must hold ----------------------------------------------------------------------------------------------

    def watch_visit(self) -> None:
        """A visit begins a liquidation iff the account is below maintenance then, by a formula of our own, and does not
        wait."""
        regs, state = self.machine.regs, self.machine.state
        number = get_visited(regs.sweep_end, regs.sweep_word)
        paused_until = state.account(number).paused_until
        apply_step(regs, state)
        account, market = state.account(number), state.market(1)
        size = abs(account.positions[0].size)
        weight = size * 25_000 + max(0, size - TERMS["tier1_size"]) * 25_000
        equity, worth = self.get_equity(account), market.mark * UNIT
        is_below = size and equity * PPM < worth * weight
        middle = div_up(worth * weight, PPM) + div_up(worth * size * TERMS["close_out"], PPM)
        is_waiting = is_below and regs.time < paused_until and 2 * equity > middle
        assert bool(is_below and not is_waiting) == (regs.phase not in (phases.WORK, phases.STRIKE)), number
        if is_below:
            self.totals.accounts.add(number)

    def get_equity(self, account: Account) -> int:
        """Cash and the one position at the mark, token units."""
        return account.collateral + account.positions[0].size * self.machine.state.market(1).mark * UNIT

    def check_solvency(self) -> None:
        """No account owes more than it has, and together they have exactly what the vault owes."""
        state, regs = self.machine.state, self.machine.regs
        market = state.market(1)
        equities = [self.get_equity(state.account(number)) for number in range(regs.accounts + 1)]
        assert min(equities) >= 0
        assert sum(equities) + market.insurance + market.pool == regs.owed == self.deposited
        assert market.insurance >= 0
        self.machine.state.commit()


def summarise(crash: Crash) -> str:
    """The end in a few lines."""
    last = crash.moments[-1]
    prices = [moment.price for moment in crash.moments]
    return (
        f"{len(crash.traders):,} traders, {len(prices)} reports, index {prices[0]:,} to {min(prices):,}\n"
        f"open interest {crash.moments[0].open_interest / 1_000:,.0f} to {last.open_interest / 1_000:,.0f} BTC\n"
        f"{last.accounts:,} accounts liquidated: {last.liquidated / 1_000:,.1f} BTC to the book, "
        f"{last.taken / 1_000:,.1f} to the backstop, {last.deleveraged / 1_000:,.1f} deleveraged\n"
        f"insurance ${last.insurance:,.0f}, backstop ${last.backstop:,.0f}; "
        f"at most {max(moment.steps for moment in crash.moments):,} steps for a report\n"
    )


def main(arguments: Sequence[str]) -> None:
    """Replay, and report."""
    traders = int(arguments[0]) if arguments else 10_000
    hours = find_crash(fetch_prices())
    crash = Crash(traders, round(hours[0][0]))
    crash.run(hours)
    print(summarise(crash), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
