"""The history commitment: one Merkle root over the machine hash at every position of an epoch.

Leaf j is the machine hash after trace position j = (batch, input index, micro-step): 2^5 × 2^10 × 2^20 = 2^35 of them.
Hardly any is a real step: an input runs to idle and then nothing changes, and unused inputs and batches repeat what
was before them. So every tree here is a short list of nodes followed by one leaf repeated to the end (`PaddedTree`),
and a run of equal leaves costs one hash a level. The same structure serves three times: leaves in an input, inputs in a
batch, batches in the epoch.

A game opens a history level by level: a node of level l lies 5·l binary levels below the root, and its opening is the
32 nodes 5 binary levels below it. Siblings are listed from the leaf upward.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol, Self

from setoff.shared.codec.hashing import hash_pair, hash_pairs

NODE: Final = 32
"""Bytes of a node."""
KEPT_NODES: Final = 1 << 22
"""Leaves that a history keeps at a time, 64 bytes each; others it asks for again."""

InputLeaves = Callable[[int, int], Sequence[bytes]]
"""(batch, input index) to the machine hashes after each real step of a used input: one or more, the last repeats."""


class InputTree(Protocol):
    """The part of a history that covers one input, wherever its nodes are."""

    def node(self, height: int, index: int) -> bytes:
        """The node number `index` among those `height` levels above the leaves."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How many binary levels each part of a position has, and how many an opening spans. L1 knows only `EPOCH`."""

    batch_bits: int = 5
    input_bits: int = 10
    micro_bits: int = 20
    opening_bits: int = 5

    def __post_init__(self) -> None:
        if self.depth % self.opening_bits:
            raise ValueError("openings need to divide the depth of a history")

    @property
    def depth(self) -> int:
        """Binary levels from root to leaf."""
        return self.batch_bits + self.input_bits + self.micro_bits

    @property
    def levels(self) -> int:
        """Openings from root to leaf: moves of a game."""
        return self.depth // self.opening_bits

    @property
    def fanout(self) -> int:
        """Nodes of an opening."""
        return 1 << self.opening_bits

    @property
    def positions(self) -> int:
        """Number of leaves."""
        return 1 << self.depth


EPOCH: Final = Geometry()


@lru_cache(maxsize=256)
def uniform(leaf: bytes, height: int) -> tuple[bytes, ...]:
    """Roots of the trees of height 0 to `height` all of whose leaves are `leaf`."""
    nodes = [leaf]
    for _ in range(height):
        nodes.append(hash_pair(nodes[-1], nodes[-1]))
    return tuple(nodes)


def fold(layer: bytes) -> bytes:
    """The root over a layer of nodes, 32 bytes each, a power of two of them."""
    while len(layer) > NODE:
        layer = hash_pairs(layer)
    return layer


class PaddedTree:
    """A binary tree over a few nodes and, after them, one leaf repeated to the end.

    The nodes are `height` levels above the leaves and the root `depth` levels above the nodes. Each layer is kept as
    one byte string of 32-byte nodes, without the repetition at its end.
    """

    __slots__ = ("height", "layers", "padding")

    def __init__(self, nodes: Sequence[bytes], leaf: bytes, height: int, depth: int) -> None:
        """`nodes` are at most 2^depth, perhaps none; `leaf` is what all leaves after them hold."""
        if len(nodes) > 1 << depth:
            raise ValueError(f"{len(nodes)} nodes do not fit into 2^{depth}")
        self.height = height
        self.padding = uniform(leaf, height + depth)
        count = len(nodes)
        while count and nodes[count - 1] == self.padding[height]:
            count -= 1
        layer = b"".join(nodes[:count])
        self.layers = [layer]
        for level in range(height, height + depth):
            if len(layer) % (2 * NODE):
                layer += self.padding[level]
            layer = hash_pairs(layer)
            self.layers.append(layer)

    def node(self, height: int, index: int) -> bytes:
        """The node number `index` among those `height` levels above the leaves."""
        start = index * NODE
        return self.layers[height - self.height][start : start + NODE] or self.padding[height]

    @property
    def size(self) -> int:
        """How many nodes it was built from, those that only repeat the leaf at the end left out."""
        return len(self.layers[0]) // NODE

    @property
    def root(self) -> bytes:
        """The node above all."""
        return self.node(self.height + len(self.layers) - 1, 0)


class HistoryTree:
    """What a party says happened in an epoch: its root, and on request any node, opening, leaf or path under it.

    The roots of inputs and all above them are kept, about 64 bytes a used input. Of the leaves only the last ones built
    or opened are: `input_leaves` gives those of another input again when a game descends into it.
    """

    def __init__(
        self,
        start: bytes,
        batches: Iterable[Iterable[Sequence[bytes]]],
        input_leaves: InputLeaves,
        geometry: Geometry = EPOCH,
        kept_nodes: int = KEPT_NODES,
    ) -> None:
        """The history of an epoch that starts at machine hash `start`.

        `batches` yields every batch's used inputs in order, each as its real steps' machine hashes (`InputLeaves`); it
        is read once, input by input, so it may run the machine as it goes. Raises ValueError on an input without a
        step, or on more batches, inputs or steps than the geometry has.
        """
        self.geometry = geometry
        self._input_leaves = input_leaves
        self._open_input: Callable[[int, int], InputTree] = self._opened
        self._open: OrderedDict[tuple[int, int], PaddedTree] = OrderedDict()
        self._room = kept_nodes
        self._input_height = geometry.micro_bits
        self._batch_height = geometry.micro_bits + geometry.input_bits
        self._batches: list[PaddedTree] = []
        end = start
        for inputs in batches:
            roots: list[bytes] = []
            for leaves in inputs:
                input_index = self._input_tree(leaves)
                self._keep(len(self._batches), len(roots), input_index)
                roots.append(input_index.root)
                end = input_index.padding[0]
            self._batches.append(PaddedTree(roots, end, self._input_height, geometry.input_bits))
        self._epoch = PaddedTree([batch.root for batch in self._batches], end, self._batch_height, geometry.batch_bits)

    @classmethod
    def over(
        cls,
        start: bytes,
        inputs: Sequence[Sequence[tuple[bytes, bytes]]],
        open_input: Callable[[int, int], InputTree],
        geometry: Geometry = EPOCH,
    ) -> Self:
        """The history of an epoch whose inputs' trees are kept elsewhere: `inputs[batch][input_index]` is root and last
        leaf of a used input, of which a batch has one at least, `open_input(batch, input_index)` its tree."""
        history = cls(start, (), lambda batch, input_index: (), geometry)
        end = start
        for of_batch in inputs:
            end = of_batch[-1][1]
            roots = [root for root, _ in of_batch]
            history._batches.append(PaddedTree(roots, end, history._input_height, geometry.input_bits))
        roots = [batch.root for batch in history._batches]
        history._epoch = PaddedTree(roots, end, history._batch_height, geometry.batch_bits)
        history._open_input = open_input
        return history

    @classmethod
    def of(cls, start: bytes, batches: Sequence[Sequence[Sequence[bytes]]], geometry: Geometry = EPOCH) -> Self:
        """The history of an epoch whose leaves are all at hand: `batches[batch][input_index]` as in `InputLeaves`."""
        return cls(start, batches, lambda batch, input_index: batches[batch][input_index], geometry)

    @property
    def root(self) -> bytes:
        """The commitment, 32 bytes."""
        return self._epoch.root

    @property
    def end(self) -> bytes:
        """The last leaf: the machine hash after the epoch."""
        return self._epoch.padding[0]

    def node(self, level: int, prefix: int) -> bytes:
        """The node that a game at `level` (0 the root, 7 a leaf) reaches by the child numbers in base-32 `prefix`."""
        return self._node(self.geometry.depth - level * self.geometry.opening_bits, prefix)

    def children(self, level: int, prefix: int) -> list[bytes]:
        """The opening of `node(level, prefix)`: the 32 nodes one level further, or at level 7 the leaf itself."""
        if level == self.geometry.levels:
            return [self.leaf(prefix)]
        first = prefix * self.geometry.fanout
        return [self.node(level + 1, first + child) for child in range(self.geometry.fanout)]

    def leaf(self, position: int) -> bytes:
        """The machine hash after `position`."""
        return self._node(0, position)

    def path(self, position: int) -> list[bytes]:
        """The 35 siblings of the leaf at `position`."""
        return [self._node(height, (position >> height) ^ 1) for height in range(self.geometry.depth)]

    def last_path(self) -> list[bytes]:
        """The 30 siblings of the last leaf under `children(0, 0)[31]`: what joining a game has to show."""
        return self.path(self.geometry.positions - 1)[: -self.geometry.opening_bits]

    def _input_tree(self, leaves: Sequence[bytes]) -> PaddedTree:
        if not leaves:
            raise ValueError("a used input has at least one step")
        return PaddedTree(leaves, leaves[-1], 0, self.geometry.micro_bits)

    def _node(self, height: int, index: int) -> bytes:
        if not (0 <= height <= self.geometry.depth and 0 <= index < self.geometry.positions >> height):
            raise IndexError(f"a history has no node {index} at height {height}")
        if height >= self._batch_height:
            return self._epoch.node(height, index)
        batch = index >> (self._batch_height - height)
        if batch >= len(self._batches):
            return self._epoch.padding[height]
        inputs = self._batches[batch]
        index -= batch << (self._batch_height - height)
        if height >= self._input_height:
            return inputs.node(height, index)
        input_index = index >> (self._input_height - height)
        if input_index >= inputs.size:
            return inputs.padding[height]
        index -= input_index << (self._input_height - height)
        return self._open_input(batch, input_index).node(height, index)

    def _opened(self, batch: int, input_index: int) -> PaddedTree:
        """The tree of one used input, from its leaves if it is not among the last ones used.

        Raises ValueError if `input_leaves` now gives other leaves than the history was built from.
        """
        tree = self._open.get((batch, input_index))
        if tree is not None:
            self._open.move_to_end((batch, input_index))
            return tree
        tree = self._input_tree(self._input_leaves(batch, input_index))
        if tree.root != self._batches[batch].node(self._input_height, input_index):
            raise ValueError(f"input {input_index} of batch {batch} no longer gives the leaves of this history")
        self._keep(batch, input_index, tree)
        return tree

    def _keep(self, batch: int, input_index: int, tree: PaddedTree) -> None:
        """Keep the leaves of an input, and let go of those used longest ago that there is no more room for."""
        self._open[batch, input_index] = tree
        self._room -= tree.size + len(tree.padding)
        while self._room < 0 and len(self._open) > 1:
            _, gone = self._open.popitem(last=False)
            self._room += gone.size + len(gone.padding)
