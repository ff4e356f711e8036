"""The faults that everybody is tried behind, by name: of one node, of several behind one address, and of a node that is
on another chain for a while."""

from collections.abc import Callable
from typing import Final

from tests.support.nodes import faults
from tests.support.nodes.faulty_node import Fault, FaultyNode
from tests.support.nodes.other_chains import OnAnother, begin_another, begin_branch

SPELLS: Final = range(40), range(100, 150)
"""Questions that another chain answers: from the start on, and once the party is at work."""

MakeFaults = Callable[[FaultyNode], list[Fault]]

FAULTS: Final[dict[str, Callable[[int, FaultyNode], list[Fault]]]] = {
    "events from three blocks ago": lambda seed, node: [faults.Balanced(faults.Lagging(3), 3, {"eth_getLogs"})],
    "anything from three blocks ago": lambda seed, node: [faults.Balanced(faults.Lagging(3), 3)],
    "half of it two blocks ago": lambda seed, node: [faults.Flaky(faults.Lagging(2), 0.5, seed)],
    "events left out": lambda seed, node: [faults.Flaky(faults.LogGaps(), 0.5, seed)],
    "null blocks, no times": lambda seed, node: [
        faults.DropTimes(), faults.Flaky(faults.Null(), 0.3, seed, faults.BLOCK_NULLS)
    ],
    "null receipts": lambda seed, node: [faults.Flaky(faults.Null(), 0.5, seed, faults.RECEIPT_NULLS)],
    "null transactions": lambda seed, node: [faults.Flaky(faults.Null(), 0.5, seed, ["eth_getTransactionByHash"])],
    **{f"range limit {name}": lambda seed, node, name=name: [faults.RangeLimit(4, name)]
       for name in faults.RANGE_LIMITS},
    **{f"rate limit {name}": lambda seed, node, name=name: [faults.Balanced(faults.RateLimit(name), 3)]
       for name in faults.RATE_LIMITS},
    "resets": lambda seed, node: [faults.Flaky(faults.Reset(), 0.3, seed)],
    "slow": lambda seed, node: [faults.Slow(0.05)],
    "no old transactions": lambda seed, node: [faults.Unindexed(2)],
    "a hidden pool": lambda seed, node: [faults.HiddenPool()],
    "late receipts": lambda seed, node: [faults.LateReceipts(1.0)],
    "first topic only": lambda seed, node: [faults.FirstTopicOnly()],
    **{f"malformed {value!r}": lambda seed, node, value=value: [faults.Flaky(faults.Malformed(value), 0.2, seed)]
       for value in (5, None, [], "0x", {"number": "0x1"})},
    "another chain, for a while": lambda seed, node: [
        faults.Spells(OnAnother(node, begin_another), *SPELLS)
    ],
    "a branch, for a while": lambda seed, node: [faults.Spells(OnAnother(node, begin_branch(8, 2)), *SPELLS)],
    "a backend on a branch, for a while": lambda seed, node: [
        faults.Spells(faults.Balanced(OnAnother(node, begin_branch(8, 0)), 3), range(100))
    ],
    "lacks much": lambda seed, node: list(faults.LACKS.values()),
}  # fmt: skip
"""By name: the faults of a node, from a seed."""


def branch_for_good(node: FaultyNode) -> list[Fault]:
    """Every third answer is of a branch that no other backend has, and stays so: whoever sees the chain through this
    node alone may be too late, so it is one of two."""
    return [faults.Balanced(OnAnother(node, begin_branch(8, 0)), 3)]


def mix(names: list[str], seed: int, node: FaultyNode) -> list[Fault]:
    """Several at once."""
    return [fault for name in names for fault in FAULTS[name](seed, node)]
