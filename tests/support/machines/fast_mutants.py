"""Careless changes of the fast path: each leaves out, or bends, one of the conditions on which visits are skipped."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, NamedTuple

from setoff.shared.machine import columns, sweep


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


_SWEPT = "self._unsettled | columns.doubtful(markets)"
_ROOM = "(regs.steps - regs.started)) // 2"

FAST_MUTANTS = (
    FastMutant(sweep, "nobody was given up", " or regs.skip_account", ""),
    FastMutant(sweep, "nobody is below maintenance", _SWEPT, "self._unsettled"),
    FastMutant(sweep, "nothing is due in a sweep", _SWEPT, "columns.doubtful(markets)"),
    FastMutant(sweep, "nothing is due in a ranking", "self._unsettled | columns.opposite", "columns.opposite"),
    FastMutant(sweep, "the last of a ranking decides nothing", "self._round.length - 1\n", "self._round.length\n"),
    FastMutant(sweep, "sides of a ranking are mixed up", "sign = -1 if", "sign = 1 if"),
    FastMutant(sweep, "who was used before a ranking is as before", "list(columns.stale)", "[]"),
    FastMutant(sweep, "who was used since is as before", "in self._columns.follow(self._state):", "in ():"),
    FastMutant(sweep, "an input has no end", "end - number, room))", "end - number))"),
    FastMutant(
        sweep,
        "an input ends one visit late",
        "(regs.steps - regs.started)) // 2",
        "(regs.steps - regs.started)) // 2 + 1",
    ),
    FastMutant(sweep, "the suspect is left out, too", "left(suspects, number)", "left(suspects, number + 1)"),
    FastMutant(sweep, "sub-accounts are masters", "known = subs <= self._subs[masters]", "known = subs == 0"),
    FastMutant(columns, "nothing settles", "found |= markets.settled[market]", "found |= False"),
    FastMutant(columns, "funding is small", "(markets.funding[market, 0] != high) | ", ""),
    FastMutant(columns, "funding is large", " | (markets.funding[market, 1] != low)", ""),
    FastMutant(columns, "no market has tiers", "in markets.tiers:", "in ():"),
    FastMutant(columns, "floating point is exact", "RELATIVE_ERROR * magnitude + ABSOLUTE_ERROR", "0"),
    FastMutant(columns, "a debt is money", "np.where(is_negative, -value - 1.0, value)", "value"),
)
