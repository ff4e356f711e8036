"""Careless changes of the fast path: each leaves out, or bends, one of the conditions on which visits are skipped."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, NamedTuple

from setoff.shared.machine import columns, rows, sweep


class FastMutant(NamedTuple):
    """One line of `module` that reads otherwise."""

    module: ModuleType
    name: str
    before: str
    after: str

    def compile(self) -> dict[str, Any]:
        """The names of the module as it would then be."""
        source = inspect.getsource(self.module)
        assert source.count(self.before) == 1, f"{self.before!r} stands {source.count(self.before)} times"
        names: dict[str, Any] = {"__name__": self.module.__name__}
        exec(compile(source.replace(self.before, self.after), self.module.__file__ or "", "exec"), names)
        return names


_SOUND = "sound = holding & ~rows.doubtful(markets)\n"
_BOTH = "sound = holding & ~rows.doubtful(markets, charges)"
_ROOM = "(phases.WORK_LIMIT - (regs.steps - regs.started)) // 2"

FAST_MUTANTS = (
    FastMutant(sweep, "nobody was given up", " or regs.skip_account", ""),
    FastMutant(sweep, "nobody is below maintenance", _SOUND, "sound = holding\n"),
    FastMutant(sweep, "nobody is below maintenance who pays", _BOTH, "sound = holding"),
    FastMutant(sweep, "nothing is due in a sweep", "rows.ids[sound & ~unsettled]", "rows.ids[sound]"),
    FastMutant(sweep, "nobody is taken out of the holders", _SOUND, "sound = ~rows.doubtful(markets)\n"),
    FastMutant(sweep, "nobody who pays is taken out", _BOTH, "sound = ~rows.doubtful(markets, charges)"),
    FastMutant(sweep, "prices stay", "self._markets.numbers == MarketTable(self._state, regs.markets).numbers", "True"),
    FastMutant(sweep, "nothing is due in a ranking", "rows.unsettled(markets) | rows", "rows"),
    FastMutant(sweep, "a ranking is of those of the sweep", "self._ranked or self._find_ranked(regs)", "self._swept"),
    FastMutant(sweep, "a ranking is of those of the last one", "self._ranked = None\n            if", "if"),
    FastMutant(columns, "free rows stand for the backstop", "used = len(self.rows)", "used = len(self.ids)"),
    FastMutant(sweep, "sides of a ranking are mixed up", "sign = -1 if", "sign = 1 if"),
    FastMutant(sweep, "who was used since is as before", "in self._columns.follow(self._state):", "in ():"),
    FastMutant(sweep, "all used accounts have low numbers", "self._used[base // WORD_BITS]", "self._used[0]"),
    FastMutant(sweep, "words are read from the wrong end", 'packbits(bits, bitorder="little"', "packbits(bits"),
    FastMutant(sweep, "funding is paid from the wrong end", 'np.uint8), bitorder="little"', "np.uint8)"),
    FastMutant(columns, "who has paid owes it still", "self.funding_low[place, at] = paid[:, 1]", "pass"),
    FastMutant(sweep, "every word is the first", "calm.get_word(base)", "calm.get_word(0)"),
    FastMutant(sweep, "an input has no end", f"min(before.bit_count(), {_ROOM})", "before.bit_count()"),
    FastMutant(sweep, "an input ends one visit late", _ROOM, f"{_ROOM} + 1"),
    FastMutant(sweep, "the suspect is left out, too", "((busy & -busy) - 1)", "((busy & -busy) * 2 - 1)"),
    FastMutant(sweep, "funding makes nobody poor", "doubtful(markets, charges)", "doubtful(markets, -charges)"),
    FastMutant(rows, "a settled future only pays", "found &= ~markets.settled[market]", "pass"),
    FastMutant(rows, "nothing settles", "found |= markets.settled[market]", "found |= False"),
    FastMutant(rows, "funding is small", "(markets.funding[market, 0] != high) | ", ""),
    FastMutant(rows, "funding is large", " | (markets.funding[market, 1] != low)", ""),
    FastMutant(rows, "no market has tiers", "in self.tiers:", "in ():"),
    FastMutant(rows, "floating point is exact", "RELATIVE_ERROR * magnitude + ABSOLUTE_ERROR", "0"),
    FastMutant(columns, "a debt is money", "np.where(is_negative, -value - 1.0, value)", "value"),
)
