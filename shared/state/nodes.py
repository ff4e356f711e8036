"""The leaves of the state tree and the hashes above them. Twin, where modules are compiled: ``nodes.c``.

Leaf = keccak(value), absent leaf = keccak(b""), node = keccak(left ‖ right); a key's most significant bit decides at
the root. Here nodes live in a dictionary under their heap number (root 1, children of i at 2i and 2i + 1), empty
subtrees are not stored, and one update hashes every node above its dirty leaves once.

Height counts from the leaves: a leaf is at height 0, the root at height 40.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nsmallest
from typing import Self

from sha3 import keccak_256

from setoff.shared.codec.hashing import hash_pair, keccak

DEPTH = 40
_LEAVES = 1 << DEPTH
"""Number of keys, which is also the heap number of key 0's leaf."""


def _compute_empty_subtrees() -> tuple[bytes, ...]:
    hashes = [keccak(b"")]
    for _ in range(DEPTH):
        hashes.append(hash_pair(hashes[-1], hashes[-1]))
    return tuple(hashes)


EMPTY: tuple[bytes, ...] = _compute_empty_subtrees()
"""Hash of the subtree without any leaf, by height 0 to 40: `EMPTY[0]` an absent leaf, `EMPTY[40]` the empty tree."""


class Nodes:
    """A map from 40-bit keys to non-empty byte strings, with a Merkle root over all of them.

    An update costs one hash for each node above its dirty leaves; `copy` costs nothing until one of the two is written.
    """

    __slots__ = ("_nodes", "_owned", "_values")
    _values: dict[int, bytes]
    _nodes: dict[int, bytes]
    """Heap number to hash, only of subtrees that are not empty."""
    _owned: bool
    """False while a copy may be reading the same two dictionaries."""

    def __new__(cls, *_: object) -> Self:
        """Without any leaf."""
        self = super().__new__(cls)
        self._values, self._nodes, self._owned = {}, {}, True
        return self

    @property
    def root(self) -> bytes:
        """The 32-byte Merkle root."""
        return self._nodes.get(1, EMPTY[DEPTH])

    def get(self, key: int) -> bytes:
        """The value of `key`, b"" if absent."""
        return self._values.get(key, b"")

    def items(self) -> Iterator[tuple[int, bytes]]:
        """All present leaves, in no particular order."""
        return iter(self._values.items())

    def part(self, first: int, count: int) -> list[tuple[int, bytes]]:
        """Present leaves from key `first` on, at most `count`, keys ascending. Raises ValueError on a key beyond 40
        bits."""
        check_key(first)
        return nsmallest(count, (item for item in self._values.items() if item[0] >= first))

    def copy(self) -> Self:
        """An independent tree with the same leaves, for a constant price: the first write to either one pays."""
        twin = type(self).__new__(type(self))
        twin._values, twin._nodes = self._values, self._nodes
        twin._owned = self._owned = False
        return twin

    @classmethod
    def of_cut(cls, values: dict[int, bytes], beside: dict[int, bytes]) -> Self:
        """The part of a tree that holds these keys (b"" = absent), beside subtrees of which only the hash is known, by
        heap number.

        Its root is the whole tree's, before and after any change of these keys; what it says of others means nothing.
        Raises ValueError for what is no such dictionary.
        """
        if not all(1 <= number < 2 * _LEAVES and len(digest) == len(EMPTY[0]) for number, digest in beside.items()):
            raise ValueError("what is beside a cut is hashes by heap number")
        for key in values:
            check_key(key)
        cut = cls.__new__(cls)
        cut._nodes = dict(beside)
        cut._set_leaves([key for key, value in values.items() if value], values)
        cut._rehash(sorted(values))
        return cut

    def update(self, changes: Mapping[int, bytes]) -> bytes:
        """Set every key of `changes` to its value (b"" deletes it), all at once; returns the new root.

        Raises ValueError on a key beyond 40 bits, before anything has changed.
        """
        if changes:
            check_key(min(changes))
            check_key(max(changes))
        get = self._values.get
        dirty = [key for key, value in changes.items() if get(key, b"") != value]
        if dirty:
            dirty.sort()
            self._own()
            self._set_leaves(dirty, changes)
            self._rehash(dirty)
        return self.root

    def path(self, key: int) -> tuple[int, tuple[bytes, ...]]:
        """Bitmap and siblings of `key` (`tree.Path`). Raises ValueError on a key beyond 40 bits."""
        check_key(key)
        bitmap = 0
        siblings: list[bytes] = []
        for height in range(DEPTH):
            sibling = self._nodes.get(((_LEAVES + key) >> height) ^ 1)
            if sibling is not None:
                bitmap |= 1 << height
                siblings.append(sibling)
        return bitmap, tuple(siblings)

    def _own(self) -> None:
        if not self._owned:
            self._values, self._nodes = self._values.copy(), self._nodes.copy()
            self._owned = True

    def _set_leaves(self, keys: list[int], changes: Mapping[int, bytes]) -> None:
        values, nodes = self._values, self._nodes
        for key in keys:
            value = changes[key]
            if value:
                values[key] = value
                nodes[_LEAVES + key] = keccak_256(value).digest()
            else:
                del values[key], nodes[_LEAVES + key]

    def _rehash(self, keys: list[int]) -> None:
        """Hash every node above the leaves of `keys` (ascending) once.

        The path of each leaf is walked up to where the next leaf's path comes in from the right; that one, or another
        after it, goes on from there. So a node's dirty children are always there before it is hashed.
        """
        nodes = self._nodes
        get = nodes.get
        last = len(keys) - 1
        for place, key in enumerate(keys):
            node = _LEAVES + key
            stop = (key ^ keys[place + 1]).bit_length() - 1 if place < last else DEPTH
            height = self._clear_empty(node, stop) if node not in nodes else 0
            if height == stop:
                continue
            node >>= height
            digest = nodes[node]
            for empty in EMPTY[height:stop]:
                if node & 1:
                    digest = keccak_256(get(node - 1, empty) + digest).digest()
                else:
                    digest = keccak_256(digest + get(node + 1, empty)).digest()
                node >>= 1
                nodes[node] = digest

    def _clear_empty(self, node: int, stop: int) -> int:
        """Above an absent leaf, drop every node that has nothing below it any more; returns the height of the first
        node that has, hashed, or `stop`."""
        nodes = self._nodes
        for height in range(stop):
            sibling = nodes.get(node ^ 1)
            if sibling is not None:
                empty = EMPTY[height]
                nodes[node >> 1] = hash_pair(sibling, empty) if node & 1 else hash_pair(empty, sibling)
                return height + 1
            node >>= 1
            nodes.pop(node, None)
        return stop


def check_key(key: int) -> None:
    """Raises ValueError unless 0 <= key < 2^40."""
    if not 0 <= key < _LEAVES:
        raise ValueError(f"a state key has {DEPTH} bits: {key:#x}")
