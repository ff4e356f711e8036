"""What must hold whatever attackers do, looked at after every input of a try: money, mark, backstop, promises.

It holds the leaves of the accounts themselves, the same objects as long as a try lasts: to read them through the state
would take longer than the rules take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.search.promises import Promises
from setoff.deploy.simulation.market_lab.wealth import count_waiting
from setoff.shared.codec.integers import PPM, div_ceil
from setoff.shared.machine.machine import TAKEOVER
from setoff.shared.rules.phases import FUNDING_ONE, INDEX_INTERVAL
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account


class Watch:
    """Follows one exchange of one market. `breaches`: sentences; `shrunk`: the most that insurance and backstop
    together were below what they began with, token units at the marks; `kinds`: of fills that there were.
    """

    def __init__(self, exchange: Exchange, passive: Iterable[int], attackers: Iterable[int]) -> None:
        state = exchange.machine.state
        self._exchange = exchange
        self._market = exchange.market()
        self._backstop = state.account(keys.BACKSTOP)
        self._passive = {number: state.account(number) for number in passive}
        self._others = {number: state.account(number) for number in attackers} | {keys.BACKSTOP: self._backstop}
        self._accounts = self._passive | self._others
        self._promises = Promises()
        self._marks = deque([(exchange.time, self._market.mark)])
        self._sizes = self._get_sizes()
        self._before = self._get_backstop()
        self._began = self._before[1] + self._market.insurance
        self.breaches: list[str] = []
        self.shrunk = 0
        self.kinds: set[int] = set()

    def check(self, body: bytes, outcome: str) -> None:
        """After an input."""
        fills = self._exchange.fills
        self._check_money()
        self._check_mark()
        for sentence in self._promises.check(body, outcome, fills, self._sizes):
            self._hold(False, sentence)
        if fills:
            self.kinds.update(fill.kind for fill in fills)
            self._check_backstop()
            self._sizes = self._get_sizes()
            self._hold(sum(self._sizes.values()) == 0, "a long has no short")
        self._before = self._get_backstop()
        self.shrunk = max(self.shrunk, self._began - self._before[1] - self._market.insurance)

    # --- money -------------------------------------------------------------------------------------------------------

    def _check_money(self) -> None:
        market = self._market
        collateral = sum(account.collateral for account in self._accounts.values())
        collateral += sum(count_waiting(self._exchange.machine, number) for number in self._accounts)
        owed = self._exchange.machine.regs.owed
        self._hold(collateral + market.insurance + market.pool == owed, "money was made or lost")
        for number, account in self._passive.items():
            self._hold(self._get_equity(account) >= 0, f"account {number} fell below zero")

    def _get_equity(self, account: Account) -> int:
        market, equity = self._market, account.collateral
        for position in account.positions:
            if position.size:
                equity += position.size * market.mark * market.unit
                equity -= div_ceil(position.size * (market.funding - position.funding), FUNDING_ONE)
        return equity

    # --- mark and backstop -------------------------------------------------------------------------------------------

    def _check_mark(self) -> None:
        """Within a minute two intervals at most begin, each with a band of its own."""
        market, time = self._market, self._exchange.time
        if self._marks[-1] == (time, market.mark):
            return
        self._marks.append((time, market.mark))
        while self._marks[0][0] <= time - INDEX_INTERVAL:
            self._marks.popleft()
        low, high = min(mark for _, mark in self._marks), max(mark for _, mark in self._marks)
        self._hold(
            high * (PPM - market.step_band) ** 2 <= (low + 2) * (PPM + market.step_band) ** 2,
            f"the mark went from {low} to {high} within a minute",
        )

    def _check_backstop(self) -> None:
        market = self._market
        if market.backstop_cap and any(fill.kind == TAKEOVER for fill in self._exchange.fills):
            (before, equity), (after, left) = self._before, self._get_backstop()
            worth = abs(after) * market.mark * market.unit
            # Each takeover brings it something, of which the next of the input may use its part; and who leaves it is
            # paid after them.
            taken = [fill for fill in self._exchange.fills if fill.kind == TAKEOVER]
            gained = sum(fill.size * abs(market.mark - fill.price) * market.unit for fill in taken)
            allowed = (max(equity, left, 0) + gained) * market.backstop_cap // PPM
            self._hold(worth <= allowed or abs(after) <= abs(before), f"the backstop holds {worth} of {allowed}")

    def _get_backstop(self) -> tuple[int, int]:
        return sum(position.size for position in self._backstop.positions), self._get_equity(self._backstop)

    def _get_sizes(self) -> dict[int, int]:
        return {number: sum(p.size for p in account.positions) for number, account in self._accounts.items()}

    def _hold(self, is_held: bool, sentence: str) -> None:
        if not is_held and sentence not in self.breaches:
            self.breaches.append(sentence)
