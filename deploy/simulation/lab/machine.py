"""A machine of a few steps with the real geometry of positions, so that a history takes microseconds to build.

The first `MICROS` micro-steps of the first `INPUTS_PER_BATCH` inputs of every batch hash on; everywhere else nothing
happens, as in idle and unused positions of the real machine. Twin: `tests/support/contracts/toy_judge.vy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Protocol

from setoff.deploy.simulation.reference_court import Revert
from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.machine.batch import encode_words
from setoff.shared.machine.history import EPOCH, HistoryTree

INPUTS_PER_BATCH: Final = 3
MICROS: Final = 4
LAST: Final = EPOCH.positions - 1
GENESIS: Final = keccak(b"lab genesis")
PROOF: Final = bytes(32)
"""What the judge of this machine takes as a proof; anything shorter is malformed."""


def position(batch: int, input_index: int, micro: int) -> int:
    """The number of a position."""
    return batch << 30 | input_index << 20 | micro


def run_step(first_batch: int, batch_count: int, place: int, pre: bytes) -> bytes:
    """The machine hash after the step at `place`."""
    batch, input_index, micro = place >> 30, (place >> 20) & 1023, place & (2**20 - 1)
    if batch >= batch_count or input_index >= INPUTS_PER_BATCH or micro >= MICROS:
        return pre
    return keccak(encode_words(pre, first_batch, place))


def judge(first_batch: int, batch_count: int, place: int, pre: bytes, proof: bytes) -> bytes:
    """L1's judge of this machine. Raises Revert for a malformed proof."""
    if len(proof) < len(PROOF):
        raise Revert("wrong_input")
    return run_step(first_batch, batch_count, place, pre)


class Leaves(Protocol):
    """A history, true or false, as far as its owner can open it."""

    @property
    def root(self) -> bytes: ...
    @property
    def end(self) -> bytes: ...
    def children(self, level: int, prefix: int) -> Sequence[bytes]: ...
    def leaf(self, position: int) -> bytes: ...
    def path(self, position: int) -> Sequence[bytes]: ...
    def last_path(self) -> Sequence[bytes]: ...


def run_epoch(
    start: bytes, epoch: int, batch_count: int, wrong_at: int | None = None, wrong: bytes = b""
) -> list[list[list[bytes]]]:
    """The machine hash after every real step, by batch and input; as if it had become `wrong` at `wrong_at`."""
    state, first = start, epoch * batch_count
    batches = []
    for batch in range(batch_count):
        inputs = []
        for input_index in range(INPUTS_PER_BATCH):
            leaves = []
            for micro in range(MICROS):
                place = position(batch, input_index, micro)
                state = wrong if place == wrong_at else run_step(first, batch_count, place, state)
                leaves.append(state)
            inputs.append(leaves)
        batches.append(inputs)
    return batches


@lru_cache(maxsize=256)
def true_history(start: bytes, epoch: int, batch_count: int) -> HistoryTree:
    """What really happens in an epoch."""
    return HistoryTree.of(start, run_epoch(start, epoch, batch_count))


@lru_cache(maxsize=256)
def history_gone_wrong(start: bytes, epoch: int, batch_count: int, place: int, state: bytes) -> HistoryTree:
    """What would happen if the machine had come to `state` at `place`, one of its real steps: another end."""
    return HistoryTree.of(start, run_epoch(start, epoch, batch_count, place, state))


class Exchanged:
    """A history with one leaf exchanged, in any place: the same end unless it is the last one."""

    def __init__(self, base: HistoryTree, place: int, leaf: bytes) -> None:
        self._base, self._place, self._leaf = base, place, leaf
        self._siblings = base.path(place)

    @cached_property
    def root(self) -> bytes:
        """The commitment."""
        return self._node(0, 0)

    @property
    def end(self) -> bytes:
        """The last leaf."""
        return self.leaf(LAST)

    def children(self, level: int, prefix: int) -> list[bytes]:
        """As of `HistoryTree`."""
        if level == EPOCH.levels:
            return [self.leaf(prefix)]
        nodes = self._base.children(level, prefix)
        index = (self._place >> self._height(level + 1)) - EPOCH.fanout * prefix
        if 0 <= index < EPOCH.fanout:
            nodes[index] = self._node(level + 1, EPOCH.fanout * prefix + index)
        return nodes

    def leaf(self, place: int) -> bytes:
        """As of `HistoryTree`."""
        return self._leaf if place == self._place else self._base.leaf(place)

    def path(self, place: int) -> list[bytes]:
        """As of `HistoryTree`."""
        siblings = self._base.path(place)
        if place != self._place:
            # Where the paths to both leaves part, the sibling is the node above the exchanged one.
            height = (place ^ self._place).bit_length() - 1
            siblings[height] = climb(self._leaf, self._place, self._siblings[:height])
        return siblings

    def last_path(self) -> list[bytes]:
        """As of `HistoryTree`."""
        return self.path(LAST)[: -EPOCH.opening_bits]

    def _height(self, level: int) -> int:
        return EPOCH.depth - EPOCH.opening_bits * level

    def _node(self, level: int, prefix: int) -> bytes:
        height = self._height(level)
        if prefix == self._place >> height:
            return climb(self._leaf, self._place, self._siblings[:height])
        return self._base.node(level, prefix)


class Garbage:
    """A root over random nodes with any last leaf: it can join, and has nothing to move with below the first level.

    With `base`, everything outside one child of the first opening is the base's, so a match descends into the rubbish.
    """

    def __init__(self, end: bytes, name: bytes, base: Leaves | None = None, child: int = 0) -> None:
        self.end = end
        if base is None:
            self._path = [keccak(name + b"path %d" % height) for height in range(EPOCH.depth - EPOCH.opening_bits)]
            last = climb(end, 2 ** len(self._path) - 1, self._path)
            self._children = [keccak(name + b"child %d" % number) for number in range(EPOCH.fanout - 1)] + [last]
        else:
            self._path = list(base.last_path())
            self._children = list(base.children(0, 0))
            self._children[child] = hash_pair(name.ljust(32), self._children[child])

    @cached_property
    def root(self) -> bytes:
        """The commitment."""
        return merkle_root(self._children)

    def children(self, level: int, prefix: int) -> list[bytes]:
        """The first opening, and below it made-up nodes that lead nowhere."""
        if level == 0:
            return self._children
        if level == EPOCH.levels:
            return [self.leaf(prefix)]
        return [keccak(self.root + b"%d %d %d" % (level, prefix, number)) for number in range(EPOCH.fanout)]

    def leaf(self, place: int) -> bytes:
        """The end, or something made up."""
        return self.end if place == LAST else keccak(self.root + b"leaf %d" % place)

    def path(self, place: int) -> list[bytes]:
        """Siblings that lead nowhere, but for the last leaf's."""
        if place == LAST:
            return [*self._path, *([bytes(32)] * EPOCH.opening_bits)]
        return [keccak(self.root + b"path %d %d" % (place, height)) for height in range(EPOCH.depth)]

    def last_path(self) -> list[bytes]:
        """As of `HistoryTree`."""
        return self._path


@dataclass(frozen=True)
class Run:
    """What somebody takes an epoch to be: the `TraceProvider` of a player, true or false."""

    start_hash: bytes
    leaves: Leaves

    @property
    def root(self) -> bytes:
        """As of `TraceProvider`, and so the others."""
        return self.leaves.root

    @property
    def end(self) -> bytes:
        """Machine hash after the epoch."""
        return self.leaves.end

    def children(self, level: int, prefix: int) -> Sequence[bytes]:
        """The opening of a node."""
        return self.leaves.children(level, prefix)

    def last_path(self) -> Sequence[bytes]:
        """The last leaf's siblings."""
        return self.leaves.last_path()

    def leaf(self, position: int) -> bytes:
        """Machine hash after a position."""
        return self.leaves.leaf(position)

    def path(self, position: int) -> Sequence[bytes]:
        """A leaf's siblings."""
        return self.leaves.path(position)

    def proof(self, position: int) -> bytes:
        """What the judge takes."""
        return PROOF
