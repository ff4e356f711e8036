"""The sparse Merkle tree of depth 40 that holds the state, with batched updates.

Leaf = keccak(value), absent leaf = keccak(b""), node = keccak(left ‖ right); a key's most significant bit decides at
the root. Root for root this is py-trie's `SparseMerkleTree(key_size=5)`, the independent referee of the tests; only the
way to get there differs: nodes live in memory under their heap number (root 1, children of i at 2i and 2i + 1), empty
subtrees are not stored, and one update hashes every node above its dirty leaves once.

Height counts from the leaves: a leaf is at height 0, the root at height 40.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sha3 import keccak_256

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.errors import WitnessError

DEPTH = 40
LEAVES = 1 << DEPTH
"""Number of keys, which is also the heap number of key 0's leaf."""


def _compute_empty_subtrees() -> tuple[bytes, ...]:
    hashes = [keccak(b"")]
    for _ in range(DEPTH):
        hashes.append(hash_pair(hashes[-1], hashes[-1]))
    return tuple(hashes)


EMPTY: tuple[bytes, ...] = _compute_empty_subtrees()
"""Hash of the subtree without any leaf, by height 0 to 40: `EMPTY[0]` an absent leaf, `EMPTY[40]` the empty tree."""


class Path(NamedTuple):
    """The siblings between one leaf and the root, empty ones left out."""

    bitmap: int
    """Bit h (0 to 39) is set iff the sibling at height h is not the empty subtree of that height."""
    siblings: tuple[bytes, ...]
    """The hashes of those siblings, from height 0 upward; 32 bytes each."""


def fold(key: int, value: bytes, path: Path) -> bytes:
    """The root of a tree in which `key` holds `value` (b"" = absent) beside the siblings of `path`.

    Twin of the judge's fold. Raises WitnessError if the bitmap does not fit the siblings, ValueError on a key beyond 40
    bits.
    """
    check_key(key)
    bitmap, siblings = path
    if bitmap >> DEPTH or bitmap.bit_count() != len(siblings):
        raise WitnessError("witness_path", "the bitmap needs one bit for each sibling, below bit 40")
    node = keccak(value)
    taken = 0
    for height in range(DEPTH):
        if (bitmap >> height) & 1:
            sibling = siblings[taken]
            taken += 1
        else:
            sibling = EMPTY[height]
        node = hash_pair(sibling, node) if (key >> height) & 1 else hash_pair(node, sibling)
    return node


def check_key(key: int) -> None:
    """Raises ValueError unless 0 <= key < 2^40."""
    if not 0 <= key < LEAVES:
        raise ValueError(f"a state key has {DEPTH} bits: {key:#x}")


class Tree:
    """A map from 40-bit keys to non-empty byte strings, with a Merkle root over all of them.

    An update costs one hash for each node above its dirty leaves; `copy` costs nothing until one of the two is written.
    """

    __slots__ = ("_nodes", "_owned", "_values")

    def __init__(self, items: Iterable[tuple[int, bytes]] = ()) -> None:
        """A tree of `items` (the last one wins if a key comes twice). Raises ValueError on a key beyond 40 bits."""
        self._values: dict[int, bytes] = {}
        self._nodes: dict[int, bytes] = {}  # heap number to hash, only of subtrees that are not empty
        self._owned = True  # False while a copy may be reading the same two dicts
        self.update(dict(items))

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

    def copy(self) -> "Tree":
        """An independent tree with the same leaves, for a constant price: the first write to either one pays."""
        twin = Tree()
        twin._values, twin._nodes = self._values, self._nodes
        twin._owned = self._owned = False
        return twin

    def cut(self, wanted: Iterable[int]) -> dict[int, bytes]:
        """What it takes beside the values of these keys to have their paths: hashes by heap number, of subtrees beside
        the paths, empty ones left out. No later change of these keys alone changes any of them."""
        on_paths = {LEAVES + key for key in wanted}
        if not on_paths:
            return {1: self.root}
        found: dict[int, bytes] = {}
        for _ in range(DEPTH):
            for node in on_paths:
                beside = node ^ 1
                if beside not in on_paths and (digest := self._nodes.get(beside)) is not None:
                    found[beside] = digest
            on_paths = {node >> 1 for node in on_paths}
        return found

    @classmethod
    def of_cut(cls, values: Mapping[int, bytes], beside: Mapping[int, bytes]) -> "Tree":
        """The part of a tree that holds these keys (b"" = absent), beside subtrees of which only the hash is known.

        Its root is the whole tree's, before and after any change of these keys; what it says of others means nothing.
        """
        tree = cls()
        tree._nodes = dict(beside)
        tree._set_leaves([key for key, value in values.items() if value], values)
        tree._rehash(sorted(values))
        return tree

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

    def prove(self, key: int) -> Path:
        """The path of `key`, present or absent, under the current root. Raises ValueError on a key beyond 40 bits."""
        check_key(key)
        bitmap = 0
        siblings: list[bytes] = []
        for height in range(DEPTH):
            sibling = self._nodes.get(((LEAVES + key) >> height) ^ 1)
            if sibling is not None:
                bitmap |= 1 << height
                siblings.append(sibling)
        return Path(bitmap, tuple(siblings))

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
                nodes[LEAVES + key] = keccak_256(value).digest()
            else:
                del values[key], nodes[LEAVES + key]

    def _rehash(self, keys: list[int]) -> None:
        """Hash every node above the leaves of `keys` (ascending) once.

        The path of each leaf is walked up to where the next leaf's path comes in from the right; that one, or another
        after it, goes on from there. So a node's dirty children are always there before it is hashed.
        """
        nodes = self._nodes
        get = nodes.get
        last = len(keys) - 1
        for place, key in enumerate(keys):
            node = LEAVES + key
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
