"""Histories that are false in a chosen place, and consistent with their commitment everywhere.

A liar with one of these can play every level of a game: each opening fits the node above it. What differs is where the
lie is: in one leaf, in all leaves from some position on, or in a node under which there is nothing at all. The honest
history they are made from may itself be a run that lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Final

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.merkle import merkle_path, merkle_root
from setoff.shared.dispute.trace_provider import TraceProvider
from setoff.shared.errors import DataError, InputError
from setoff.shared.machine.history import EPOCH, uniform

LEVELS: Final = EPOCH.levels
FANOUT: Final = EPOCH.fanout
LAST: Final = EPOCH.positions - 1

PLACES: Final[dict[str, str]] = {
    "first": "the first position of the epoch",
    "real": "the fetch of a record in the middle of the last batch",
    "inner": "a step inside a record, which fetches nothing",
    "idle": "the idle part of a used input",
    "input-end": "the last position of the first input",
    "input-start": "the first position of the second input",
    "unused-input": "an index of the first batch that has no input",
    "batch-end": "the last position of the first batch",
    "unused-batch": "a batch that the epoch does not have",
    "last": "the last position of the epoch",
}
"""Where a lie may be."""


def find_place(name: str, run: TraceProvider, inputs: Sequence[int]) -> int:
    """The position that a name of `PLACES` means in an epoch whose batches have so many inputs.

    Raises InputError if the epoch has no such place.
    """
    last_batch = len(inputs) - 1
    if name == "first":
        return 0
    if name == "last":
        return LAST
    if name == "input-end":
        return (1 << EPOCH.micro_bits) - 1
    if name == "input-start":
        return 1 << EPOCH.micro_bits
    if name == "batch-end":
        return (1 << (EPOCH.micro_bits + EPOCH.input_bits)) - 1
    if name == "unused-input" and inputs[0] < 1 << EPOCH.input_bits:
        return _position(0, (inputs[0] + (1 << EPOCH.input_bits)) // 2, 5)
    if name == "unused-batch" and len(inputs) < 1 << EPOCH.batch_bits:
        return _position((1 << EPOCH.batch_bits) - 1, 3, 1)
    if name == "idle":
        return _position(last_batch, inputs[last_batch] // 2, 1 << (EPOCH.micro_bits - 1))
    if name == "real" and inputs[last_batch]:
        return _position(last_batch, inputs[last_batch] // 2, 0)
    if name == "inner":
        for input_index in reversed(range(inputs[last_batch])):
            position = _position(last_batch, input_index, 1)
            if run.leaf(position) != run.leaf(position - 1):
                return position
    raise InputError("not_found", f"the epoch has no place '{name}': {', '.join(PLACES)}")


class FalseHistory:
    """What all of these are: a `TraceProvider` by its nodes. `_told` gives a node, None where its children decide."""

    def __init__(self, base: TraceProvider) -> None:
        """`base` is the run that is told wrongly."""
        self._base = base
        self.node = lru_cache(maxsize=4096)(self._node)

    @property
    def start_hash(self) -> bytes:
        """Machine hash before the epoch: nobody lies about that."""
        return self._base.start_hash

    @cached_property
    def end(self) -> bytes:
        """The last leaf."""
        return self.leaf(LAST)

    @cached_property
    def root(self) -> bytes:
        """The history commitment."""
        return self.node(0, 0)

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """The opening of a node. Raises DataError where there is nothing below it."""
        if level == LEVELS:
            return [self.node(level, prefix)]
        return [self.node(level + 1, prefix * FANOUT + child) for child in range(FANOUT)]

    def leaf(self, position: int) -> bytes:
        """What it says the machine hash is after a position."""
        return self.node(LEVELS, position)

    def path(self, position: int) -> Sequence[bytes]:
        """The leaf's 35 siblings."""
        siblings: list[bytes] = []
        for level in reversed(range(LEVELS)):
            prefix, child = divmod(position >> (EPOCH.opening_bits * (LEVELS - 1 - level)), FANOUT)
            siblings += merkle_path(self.children(level, prefix), child)
        return siblings

    def last_path(self) -> Sequence[bytes]:
        """The last leaf's 30 siblings below the last child of level 0."""
        return self.path(LAST)[: -EPOCH.opening_bits]

    def proof(self, position: int) -> bytes:
        """The base's proof: a liar can prove nothing better than what really happens."""
        return self._base.proof(position)

    def _node(self, level: int, prefix: int) -> bytes:
        told = self._told(level, prefix)
        return merkle_root(self.children(level, prefix)) if told is None else told

    def _told(self, level: int, prefix: int) -> bytes | None:
        """The node if the lie gives it, None if it follows from its children."""
        return self._base_node(level, prefix)

    def _base_node(self, level: int, prefix: int) -> bytes:
        if level == 0:
            return self._base.root
        return self._base.children(level - 1, prefix // FANOUT)[prefix % FANOUT]


class OneLeaf(FalseHistory):
    """One leaf is another; the end stays the same unless it is the last one."""

    def __init__(self, base: TraceProvider, position: int, leaf: bytes) -> None:
        super().__init__(base)
        self._position = position
        self._leaf = leaf

    def _told(self, level: int, prefix: int) -> bytes | None:
        if self._position >> _height(level) != prefix:
            return self._base_node(level, prefix)
        return self._leaf if level == LEVELS else None


class FromHere(FalseHistory):
    """From a position on the machine is in another state, and stays there: the end is another."""

    def __init__(self, base: TraceProvider, position: int, leaf: bytes) -> None:
        super().__init__(base)
        self._position = position
        self._leaf = leaf

    def _told(self, level: int, prefix: int) -> bytes | None:
        height = _height(level)
        if (prefix + 1) << height <= self._position:
            return self._base_node(level, prefix)
        return uniform(self._leaf, height)[-1] if prefix << height >= self._position else None


class Hollow(FalseHistory):
    """A node that nobody can open, at a level and over a position; all above it is sound."""

    def __init__(self, base: TraceProvider, level: int, position: int, seed: bytes) -> None:
        """`level` 1 to 6. Raises InputError if the last leaf, which a join has to show, would be below it."""
        super().__init__(base)
        self._level = level
        self._prefix = position >> _height(level)
        self._seed = seed
        if not 1 <= level < LEVELS or LAST >> _height(level) == self._prefix:
            raise InputError("not_found", "a hollow node is at level 1 to 6, and not over the last leaf")

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """As of any other, but below the hollow node."""
        if level >= self._level and prefix >> EPOCH.opening_bits * (level - self._level) == self._prefix:
            raise DataError("not_found", f"there is nothing below the node at level {self._level}")
        return super().children(level, prefix)

    def _told(self, level: int, prefix: int) -> bytes | None:
        if level == self._level and prefix == self._prefix:
            return keccak(self._seed)
        if level < self._level and self._prefix >> EPOCH.opening_bits * (self._level - level) == prefix:
            return None
        return self._base_node(level, prefix)


class RandomRoot:
    """A root with a last leaf that can be shown and nothing else below it: it can join and never move."""

    def __init__(self, base: TraceProvider, end: bytes, seed: bytes) -> None:
        self.start_hash = base.start_hash
        self.end = end
        self._path = [keccak(seed + bytes([height])) for height in range(EPOCH.depth - EPOCH.opening_bits)]
        node = end
        for sibling in self._path:
            node = hash_pair(sibling, node)
        self._children = [keccak(seed + bytes([0xFF, child])) for child in range(FANOUT - 1)] + [node]
        self.root = merkle_root(self._children)
        self._base = base

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """The first opening. Raises DataError for any other."""
        if (level, prefix) != (0, 0):
            raise DataError("not_found", "there is nothing below the first opening")
        return self._children

    def leaf(self, position: int) -> bytes:
        """Raises DataError."""
        raise DataError("not_found", f"there is no leaf {position}")

    def path(self, position: int) -> Sequence[bytes]:
        """Raises DataError."""
        raise DataError("not_found", f"there is no path to {position}")

    def last_path(self) -> Sequence[bytes]:
        """The last leaf's 30 siblings."""
        return self._path

    def proof(self, position: int) -> bytes:
        """What really happens there."""
        return self._base.proof(position)


def _position(batch: int, input_index: int, micro: int) -> int:
    return (batch << EPOCH.input_bits | input_index) << EPOCH.micro_bits | micro


def _height(level: int) -> int:
    """Binary levels between a node of a game's level and the leaves."""
    return EPOCH.depth - EPOCH.opening_bits * level
