"""Sweeps and rankings without the visits that change nothing, and with those that only settle funding done at once.

The same registers, leaves and trace, in less time.

A visit of a healthy holder with nothing due is two steps (choose the work, visit) that only take its bit off the word
of holders in the registers. Which holders are so is found by columns (`columns.py`) with a margin of error. Healthy
ones who have funding to pay, or to get, do so together, a word at a time (`settling.py`). All others are visited by the
rule itself, which also reads each word.

What is known of the accounts holds as long as neither prices nor parameters change, which within an input they do not
between visits; accounts that were used meanwhile are visited by the rule in any case.

This is advice, the rule is the law: ``tests/differential/test_fast_paths.py`` compares the two in every mode.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from setoff.shared.codec import records
from setoff.shared.machine.columns import Columns
from setoff.shared.machine.rows import Ints, MarketTable, Rows
from setoff.shared.machine.settling import settle
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import WORD_BITS
from setoff.shared.rules.holders import pass_visited
from setoff.shared.state import keys
from setoff.shared.state.leaves import decode_market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_NO_MARKET: Final = decode_market(b"")


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
    """The visits of one input, or of several one after the other."""

    def __init__(self, columns: Columns, regs: Registers, state: State) -> None:
        columns.refresh(state)
        self._columns = columns
        self._state = state
        self._used: defaultdict[int, int] = defaultdict(int)
        self._market = regs.trigger_market
        self._markets = markets = MarketTable(state, regs.markets)
        found = [look(rows, markets, regs.trigger_market) for rows in columns.blocks()]
        paying = gather(rows for _, rows in found)
        self._swept = Calm(gather(rows for rows, _ in found))
        self._paying = Calm(paying) if len(paying) else None
        self._ranked: Calm | None = None

    def holds(self, regs: Registers) -> bool:
        """Whether what was found is true of the input that has begun as well: nothing changed but accounts that were
        used, if this is the machine's only sweep."""
        is_same = self._market == regs.trigger_market and self._ranked is None and not regs.ranking
        return is_same and self._markets.numbers == MarketTable(self._state, regs.markets).numbers

    def count(self, regs: Registers) -> int:
        """How many visits from here on change nothing but the registers; a step of work comes next."""
        return self._choose(regs, None).bit_count()

    def _choose(self, regs: Registers, paying: Calm | None) -> int:
        """Those of the word in the registers whose visits come next, up to the first that is the rule's.

        `paying`: who may be among them beside those whose visits change nothing.
        """
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
        passed = calm.get_word(base) | (0 if paying is None or regs.ranking else paying.get_word(base))
        busy = word & (~passed | self._used[base // WORD_BITS])
        before = word & ((busy & -busy) - 1) if busy else word
        room = max(0, min(before.bit_count(), (phases.WORK_LIMIT - (regs.steps - regs.started)) // 2))
        return take_lowest(before, room)

    def skip(self, regs: Registers) -> None:
        """Do those visits, and those that only settle funding, where nothing may have to be taken back."""
        paying = None if self._state.has_journal else self._paying
        chosen = self._choose(regs, paying)
        if chosen == 0:
            return
        regs.steps += 2 * chosen.bit_count()
        regs.return_phase = phases.WORK
        if regs.ranking:
            regs.rank_word &= ~chosen
            return
        if paying is not None:
            base = regs.sweep_end - WORD_BITS
            self._settle(regs, base, chosen & paying.get_word(base))
        regs.sweep_word &= ~chosen

    def _settle(self, regs: Registers, base: int, chosen: int) -> None:
        """Have accounts pay, or get, the funding that is due: bit i of those chosen for account base + i."""
        if chosen:
            state = self._state
            bits = np.unpackbits(np.frombuffer(chosen.to_bytes(WORD_BITS // 8, "little"), np.uint8), bitorder="little")
            places: list[int] = (np.flatnonzero(bits) + keys.account_key(base)).tolist()
            markets = [_NO_MARKET, *(state.market(market) for market in range(1, regs.markets + 1))]
            values = dict(zip(places, settle(state.values(places), markets), strict=True))
            state.write(values)
            self._columns.settle(values, self._markets)

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

    def _find_ranked(self, regs: Registers) -> Calm:
        """Those who have no score; who was used since the columns were filled is known by `_used`."""
        sign = -1 if regs.side == records.SELL else 1
        blocks, markets = self._columns.blocks(), self._markets
        return Calm(gather(rows.ids[~(rows.unsettled(markets) | rows.opposite(regs.market, sign))] for rows in blocks))


def look(rows: Rows, markets: MarketTable, market: int) -> tuple[Ints, Ints]:
    """Of a sweep of `market` the accounts whose visits change nothing, and those whose visits only settle funding."""
    unsettled, holding = rows.unsettled(markets), rows.holding(market)
    paying = rows.ids[:0]
    if (unsettled & holding).any():
        charges, payable = rows.compute_due(markets)
        sound = holding & ~rows.doubtful(markets, charges)
        paying = rows.ids[unsettled & sound & payable]
    else:
        sound = holding & ~rows.doubtful(markets)
    return rows.ids[sound & ~unsettled], paying


def gather(parts: Iterable[Ints]) -> Ints:
    """One array of all of them."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def take_lowest(word: int, count: int) -> int:
    """The lowest `count` of its bits."""
    rest = word if count < word.bit_count() else 0
    for _ in range(count if rest else 0):
        rest = pass_visited(rest)
    return word & ~rest


def pass_on(regs: Registers) -> None:
    """Leave the next visit behind."""
    if regs.ranking:
        regs.rank_word = pass_visited(regs.rank_word)
    else:
        regs.sweep_word = pass_visited(regs.sweep_word)
