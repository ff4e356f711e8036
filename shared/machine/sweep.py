"""Sweeps and rankings without the visits that change nothing: the same registers, leaves and trace, in less time.

A visit of a healthy holder with nothing due is two steps (choose the work, visit) that only take its bit off the word
of holders in the registers. Which holders are so is found by columns (`columns.py`) with a margin of error; all others
are visited by the rule itself, which also reads each word.

What is known of the accounts holds for one input: within it neither time, prices nor parameters change between visits,
and accounts that were used meanwhile are visited by the rule in any case.

This is advice, the rule is the law: ``tests/differential/test_fast_paths.py`` compares the two in every mode.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from setoff.shared.codec import records
from setoff.shared.machine.columns import Columns, Flags, Ints, MarketTable
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import WORD_BITS
from setoff.shared.rules.holders import pass_visited
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


class Calm:
    """Accounts whose visits change nothing, a word of bits at a time."""

    def __init__(self, accounts: Ints) -> None:
        self._accounts: Ints = np.sort(accounts)
        self._words: dict[int, int] = {}

    def get_word(self, base: int) -> int:
        """Those among the accounts from `base` on, bit i for base + i."""
        word = self._words.get(base)
        if word is None:
            first, end = np.searchsorted(self._accounts, (base, base + WORD_BITS))
            bits = np.zeros(WORD_BITS, dtype=np.bool_)
            bits[self._accounts[first:end] - base] = True
            word = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
            self._words[base] = word
        return word


class Sweep:
    """The visits of one input."""

    def __init__(self, columns: Columns, regs: Registers, state: State) -> None:
        columns.refresh(state)
        self._columns = columns
        self._state = state
        self._used: defaultdict[int, int] = defaultdict(int)
        markets = MarketTable(state, regs.markets)
        self._up_to_date = ~columns.unsettled(markets)
        holding = columns.holding(regs.trigger_market)
        self._swept = self._find(self._up_to_date & holding & ~columns.doubtful(markets))
        self._ranked: Calm | None = None

    def count(self, regs: Registers) -> int:
        """How many visits from here on change nothing but the registers; a step of work comes next."""
        for account in self._columns.follow(self._state):
            self._used[account // WORD_BITS] |= 1 << account % WORD_BITS
        if regs.ranking:
            calm = self._ranked = self._ranked or self._find_ranked(regs)
            end, word = regs.rank_end, regs.rank_word
        else:
            self._ranked = None
            if regs.deleveraging or not regs.sweeping or regs.skip_account:
                return 0
            calm, end, word = self._swept, regs.sweep_end, regs.sweep_word
        if word == 0:
            return 0
        base = end - WORD_BITS
        busy = word & (~calm.get_word(base) | self._used[base // WORD_BITS])
        before = word & ((busy & -busy) - 1) if busy else word
        return max(0, min(before.bit_count(), (phases.WORK_LIMIT - (regs.steps - regs.started)) // 2))

    def skip(self, regs: Registers) -> None:
        """Do those visits."""
        count = self.count(regs)
        if count == 0:
            return
        regs.steps += 2 * count
        regs.return_phase = phases.WORK
        for _ in range(count):
            pass_on(regs)

    def walk(self, regs: Registers) -> Iterator[None]:
        """Do those visits step by step, for a trace: yields after each, with the registers as they are then."""
        for _ in range(self.count(regs)):
            regs.steps += 1
            regs.return_phase = phases.WORK
            regs.phase = phases.RANK if regs.ranking else phases.SWEEP
            yield
            regs.steps += 1
            regs.phase = phases.WORK
            pass_on(regs)
            yield

    def _find(self, flags: Flags) -> Calm:
        """Those of the rows in use: a free one stands for nobody, not for account 0, which its zeros look like."""
        used = len(self._columns.rows)
        return Calm(self._columns.ids[:used][flags[:used]])

    def _find_ranked(self, regs: Registers) -> Calm:
        """Those who have no score; who was used since the columns were filled is known by `_used`."""
        sign = -1 if regs.side == records.SELL else 1
        return self._find(self._up_to_date & ~self._columns.opposite(regs.market, sign))


def pass_on(regs: Registers) -> None:
    """Leave the next visit behind."""
    if regs.ranking:
        regs.rank_word = pass_visited(regs.rank_word)
    else:
        regs.sweep_word = pass_visited(regs.sweep_word)
