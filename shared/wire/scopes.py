"""The scope of an agent, for people and JSON: which sub-accounts, markets, kinds of records and orders it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.errors import InputError
from setoff.shared.rules.agents import CLOSES_ONLY, SIZE_BITS, get_max_size
from setoff.shared.rules.phases import MAX_ORDER_SIZE
from setoff.shared.state import keys
from setoff.shared.state.leaves import Agent

MAX_MARKETS: Final = 8
"""Markets that a scope can name, as many as an account has positions."""
KINDS: Final = {kind.name: number for number, kind in records.TYPES.items() if records.AGENT_KINDS >> number & 1}
"""Types that an agent may sign, by the name that they have in `typed.type`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an agent may touch. Each list left empty stands for everything.

    subs: 0 is the master itself; kinds: as in `KINDS`; closes_only: it sends none but reduce-only orders; max_size: the
    most lots of one order, 0 for any, of which the highest ten binary digits count.
    """

    subs: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    markets: tuple[int, ...] = ()
    closes_only: bool = False
    max_size: int = 0

    @property
    def fields(self) -> tuple[int, int, bytes, int]:
        """`subs`, `kinds`, `markets` and `limits` of a record that names an agent.

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
        if not 0 <= self.max_size <= MAX_ORDER_SIZE:
            raise InputError("malformed_record", f"an order has at most {MAX_ORDER_SIZE} lots")
        kinds = (KINDS[kind] for kind in self.kinds)
        doubled = max(0, self.max_size.bit_length() - SIZE_BITS)
        limits = (CLOSES_ONLY if self.closes_only else 0) | doubled << SIZE_BITS | self.max_size >> doubled
        return _to_bits(self.subs), _to_bits(tuple(kinds)), bytes(self.markets).ljust(MAX_MARKETS, b"\0"), limits

    @classmethod
    def of(cls, agent: Agent) -> Scope:
        """That of an agent's leaf."""
        return cls(
            tuple(sub for sub in range(keys.MAX_SUB + 1) if agent.subs >> sub & 1),
            tuple(name for name, number in KINDS.items() if agent.kinds >> number & 1),
            tuple(filter(None, agent.markets.to_bytes(MAX_MARKETS, "big"))),
            agent.limits & CLOSES_ONLY != 0,
            get_max_size(agent.limits),
        )

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "subs": list(self.subs),
            "kinds": list(self.kinds),
            "markets": list(self.markets),
            "closes_only": self.closes_only,
            "max_size": str(self.max_size),
        }


EVERYTHING: Final = Scope()


def _to_bits(numbers: Sequence[int]) -> int:
    return sum(1 << number for number in set(numbers))
