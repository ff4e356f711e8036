"""Kinds of steps: all there are, the rare ones, and what a generator has to favour so that they come up."""

from __future__ import annotations

from collections import Counter

from tests.support.generator.inputs import MESSAGES, RECORDS
from tests.support.judge.bench import KINDS

PHASED = KINDS - {"idle", "unused input", "unused batch"}
"""Kinds that leave something in the state, which are judged now and then beyond the quota."""


CRITICAL = {"takeover", "rank", "deleverage", "liquidated"}
"""Kinds that a break of prices brings up."""

CALLED = {"approach", "tally", "pair", "vouch", "cross"}
"""Kinds that the end of a call brings up."""


SOURCES = {
    "clear": "cancel_all",
    "amend": "amend",
    "fire": "armed",
    "gather": "report",
    "leg": "bulk",
    "next": "fok",
    "seek": "cancel",
    "request": "backstop_deposit",
    "shares": "backstop_deposit",
    "credit": "backstop_deposit",
    "strike": "report",
    "crank": "crank",
    "descend": "crank",
    "depth": "crank",
    "sample": "crank",
    "transfer": "transfer",
    "unlist": "cancel",
    "unwind": "crank",
    "withdraw": "withdraw",
}
"""What makes the steps of a phase."""


def favour_of(kinds: set[str]) -> Counter[str]:
    """Weights for the generator that bring up steps of these kinds."""
    favour: Counter[str] = Counter()
    for kind in sorted(kinds):  # a set's own order changes from run to run
        name = kind.removeprefix("fetch ")
        name = SOURCES.get(name, name)
        favour[name if name in RECORDS or name in MESSAGES or name.startswith("refuse ") else "order"] += 25
    return favour
