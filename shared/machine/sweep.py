"""Sweeps and rankings without the visits that change nothing: the same registers, leaves and trace, in less time.

A visit of a healthy account with nothing due is two steps (choose the work, visit) that only move the registers on. So
where the machine's own work comes to such visits, their number is all one needs. Which accounts are not among them is
found by columns (`columns.py`) with a margin of error; each of those is visited by the rule itself.

What is known of the accounts holds for one input: within it neither time, prices nor parameters change between visits,
and accounts that were used meanwhile are visited by the rule in any case.

This is advice, the rule is the law: ``tests/differential/test_fast_paths.py`` compares the two in every mode.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

import numpy as np

from setoff.shared.codec import records
from setoff.shared.machine.columns import Columns, Flags, Ints, MarketTable
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


class Round:
    """The order in which accounts are visited: each master, from the backstop on, and after it its sub-accounts."""

    def __init__(self, accounts: int, columns: Columns) -> None:
        """Of masters 0 to `accounts`."""
        self._subs: Ints = np.zeros(accounts + 1, dtype=np.int64)
        masters = columns.ids <= min(accounts, keys.MAX_ACCOUNT)
        np.maximum.at(self._subs, columns.ids[masters], columns.subs[masters])
        self._first: Ints = np.concatenate(([0], np.cumsum(self._subs + 1)))
        self.accounts = accounts
        self.length = int(self._first[-1])

    def number(self, account: int, subs: int) -> int:
        """Number of the visit of `account`, from 0; `length` after the last, -1 where there is none.

        `subs`: how many sub-accounts the visits of its master's are to reach.
        """
        master, sub = keys.get_master(account), keys.get_sub(account)
        if master > self.accounts:
            return self.length
        if sub and subs != self._subs[master]:
            return -1
        return int(self._first[master]) + sub

    def numbers(self, accounts: Ints) -> list[int]:
        """Numbers of the visits of those of `accounts` that are visited, ascending."""
        masters, subs = accounts & keys.MAX_ACCOUNT, accounts >> 20
        known = masters <= self.accounts
        masters, subs = masters[known], subs[known]
        known = subs <= self._subs[masters]
        found: list[int] = np.sort(self._first[masters[known]] + subs[known]).tolist()
        return found

    def account(self, number: int) -> int:
        """The account of a visit; after the last, the master that does not exist yet."""
        if number >= self.length:
            return self.accounts + 1
        master = int(np.searchsorted(self._first, number, side="right")) - 1
        return keys.sub_account(master, number - int(self._first[master]))

    def subs(self, account: int) -> int:
        """How many sub-accounts of its master are visited."""
        return int(self._subs[keys.get_master(account)])


class Sweep:
    """The visits of one input."""

    def __init__(self, columns: Columns, regs: Registers, state: State) -> None:
        columns.refresh(state)
        self._columns = columns
        self._state = state
        self._round = Round(regs.accounts, columns)
        markets = MarketTable(state, regs.markets)
        self._unsettled = columns.unsettled(markets)
        self._swept = self._find(self._unsettled | columns.doubtful(markets))
        self._ranked: list[int] | None = None

    def count(self, regs: Registers) -> int:
        """How many visits from here on change nothing but the registers; a step of work comes next."""
        for account in self._columns.follow(self._state):
            self._add(account)
        room = (phases.WORK_LIMIT - (regs.steps - regs.started)) // 2
        if regs.ranking:
            if self._ranked is None:
                self._ranked = self._find_ranked(regs)
            # The last one decides what the ranking found.
            return self._until(
                self._ranked, self._round.number(regs.rank, regs.rank_subs), room, self._round.length - 1
            )
        self._ranked = None
        if not regs.sweeping or regs.skip_account:
            return 0
        return self._until(self._swept, self._round.number(regs.sweep, regs.sweep_subs), room, self._round.length)

    def skip(self, regs: Registers) -> None:
        """Do those visits."""
        count = self.count(regs)
        if count <= 0:
            return
        regs.steps += 2 * count
        regs.return_phase = phases.WORK
        if regs.ranking:
            regs.rank, regs.rank_subs = self._after(regs.rank, count)
        else:
            regs.sweep, regs.sweep_subs = self._after(regs.sweep, count)
            if keys.get_master(regs.sweep) > regs.accounts:
                regs.sweeping = 0

    def walk(self, regs: Registers) -> Iterator[None]:
        """Do those visits step by step, for a trace: yields after each, with the registers as they are then."""
        for _ in range(self.count(regs)):
            regs.steps += 1
            regs.return_phase = phases.WORK
            regs.phase = phases.RANK if regs.ranking else phases.SWEEP
            yield
            regs.steps += 1
            regs.phase = phases.WORK
            if regs.ranking:
                regs.rank, regs.rank_subs = self._after(regs.rank, 1)
            else:
                regs.sweep, regs.sweep_subs = self._after(regs.sweep, 1)
                if keys.get_master(regs.sweep) > regs.accounts:
                    regs.sweeping = 0
            yield

    def _after(self, account: int, count: int) -> tuple[int, int]:
        """The account after `count` visits from `account` on, and the sub-accounts of the last one visited."""
        visits = self._round
        number = visits.number(account, visits.subs(account)) + count
        return visits.account(number), visits.subs(visits.account(number - 1))

    def _find(self, flags: Flags) -> list[int]:
        return self._round.numbers(self._columns.ids[flags])

    def _find_ranked(self, regs: Registers) -> list[int]:
        """Visits of those who might have a score, and of those used since the columns were filled."""
        columns = self._columns
        sign = -1 if regs.side == records.SELL else 1
        return sorted(
            {
                *self._find(self._unsettled | columns.opposite(regs.market, sign)),
                *self._round.numbers(np.array(list(columns.stale), dtype=np.int64)),
            }
        )

    def _add(self, account: int) -> None:
        visits = self._round
        # One number alone is faster without arrays.
        if keys.get_master(account) > visits.accounts or keys.get_sub(account) > (subs := visits.subs(account)):
            return
        number = visits.number(account, subs)
        for suspects in (self._swept, self._ranked):
            if suspects is not None:
                insort(suspects, number)

    @staticmethod
    def _until(suspects: list[int], number: int, room: int, end: int) -> int:
        """Visits from `number` to the next suspect, at most `room` and not beyond `end`; none at a number below 0."""
        if not 0 <= number < end:
            return 0
        at = bisect_left(suspects, number)
        following = suspects[at] if at < len(suspects) else end
        return max(0, min(following - number, end - number, room))
