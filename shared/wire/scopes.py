"""The scope of an agent, for people and JSON: which sub-accounts, markets and kinds of records it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.errors import InputError
from setoff.shared.state import keys
from setoff.shared.state.leaves import Agent

MAX_MARKETS: Final = 8
"""Markets that a scope can name, as many as an account has positions."""
KINDS: Final = {kind.name: number for number, kind in records.TYPES.items() if records.AGENT_KINDS >> number & 1}
"""Types that an agent may sign, by the name that they have in `typed.type`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an agent may touch. Each list left empty stands for everything.

    subs: 0 is the master itself; kinds: as in `KINDS`.
    """

    subs: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    markets: tuple[int, ...] = ()

    @property
    def fields(self) -> tuple[int, int, bytes]:
        """`subs`, `kinds` and `markets` of a record that names an agent.

        Raises InputError("malformed_record") for what an agent cannot have.
        """
        if not all(0 <= sub <= keys.MAX_SUB for sub in self.subs):
            raise InputError("malformed_record", f"sub-accounts are 0 (the master) to {keys.MAX_SUB}")
        if not all(kind in KINDS for kind in self.kinds):
            raise InputError("malformed_record", f"an agent signs {', '.join(KINDS)}")
        if len(self.markets) > MAX_MARKETS or not all(1 <= market <= keys.MAX_MARKET for market in self.markets):
            raise InputError(
                "malformed_record", f"at most {MAX_MARKETS} markets, 1 to {keys.MAX_MARKET}, or none for all of them"
            )
        kinds = (KINDS[kind] for kind in self.kinds)
        return _to_bits(self.subs), _to_bits(tuple(kinds)), bytes(self.markets).ljust(MAX_MARKETS, b"\0")

    @classmethod
    def of(cls, agent: Agent) -> Scope:
        """That of an agent's leaf."""
        return cls(
            tuple(sub for sub in range(keys.MAX_SUB + 1) if agent.subs >> sub & 1),
            tuple(name for name, number in KINDS.items() if agent.kinds >> number & 1),
            tuple(filter(None, agent.markets.to_bytes(MAX_MARKETS, "big"))),
        )

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"subs": list(self.subs), "kinds": list(self.kinds), "markets": list(self.markets)}


EVERYTHING: Final = Scope()


def _to_bits(numbers: Sequence[int]) -> int:
    return sum(1 << number for number in set(numbers))
