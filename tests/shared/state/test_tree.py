"""The state tree against py-trie's sparse Merkle tree, an implementation nobody here wrote."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.smt import SparseMerkleTree

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import WitnessError
from setoff.shared.state.tree import DEPTH, EMPTY, Path, Tree, fold

LAST_KEY = (1 << DEPTH) - 1

# Mostly a few neighbouring keys, so that updates meet in shared subtrees and deletions empty them again.
keys = st.one_of(st.integers(0, 11), st.integers(LAST_KEY - 3, LAST_KEY), st.integers(0, LAST_KEY))
updates = st.dictionaries(keys, st.one_of(st.just(b""), st.binary(max_size=96)), max_size=8)


class Referee:
    """py-trie's tree with integer keys."""

    def __init__(self) -> None:
        self.tree = SparseMerkleTree(key_size=DEPTH // 8)

    def update(self, changes: dict[int, bytes]) -> bytes:
        for key, value in changes.items():
            self.tree.set(key.to_bytes(DEPTH // 8, "big"), value)
        return self.root

    @property
    def root(self) -> bytes:
        return bytes(self.tree.root_hash)

    def siblings(self, key: int) -> list[bytes]:
        """From height 0 upward."""
        _, branch = self.tree._get(key.to_bytes(DEPTH // 8, "big"))
        return [bytes(node) for node in reversed(branch)]


@settings(deadline=None)
@given(st.lists(updates, max_size=6))
def test_every_update_gives_the_root_of_py_trie(sequence: list[dict[int, bytes]]) -> None:
    tree, referee = Tree(), Referee()
    assert tree.root == referee.root
    for changes in sequence:
        assert tree.update(changes) == tree.root == referee.update(changes)


@settings(deadline=None)
@given(st.lists(updates, max_size=4))
def test_deleting_all_leaves_leaves_nothing_behind(sequence: list[dict[int, bytes]]) -> None:
    tree = Tree()
    for changes in sequence:
        tree.update(changes)
    tree.update({key: b"" for key, _ in list(tree.items())})
    assert tree.root == EMPTY[DEPTH]
    assert dict(tree.items()) == {}
    assert getattr(tree, "_nodes", {}) == {}
    assert all(tree.prove(key) == Path(0, ()) for changes in sequence for key in changes)


@settings(deadline=None)
@given(updates, keys, st.binary(max_size=64))
def test_a_path_carries_the_old_value_and_any_new_one(leaves: dict[int, bytes], key: int, value: bytes) -> None:
    tree, referee = Tree(leaves.items()), Referee()
    referee.update(leaves)
    path = tree.prove(key)
    expanded = list(path.siblings)
    assert referee.siblings(key) == [
        expanded.pop(0) if (path.bitmap >> height) & 1 else EMPTY[height] for height in range(DEPTH)
    ]
    assert fold(key, tree.get(key), path) == tree.root
    assert fold(key, value, path) == tree.update({key: value})


@settings(deadline=None)
@given(updates, updates, updates)
def test_a_copy_and_its_origin_do_not_see_each_other(
    leaves: dict[int, bytes], mine: dict[int, bytes], theirs: dict[int, bytes]
) -> None:
    tree = Tree(leaves.items())
    twin = tree.copy()
    tree.update(mine)
    twin.update(theirs)
    assert tree.root == Tree((leaves | mine).items()).root
    assert twin.root == Tree((leaves | theirs).items()).root
    assert dict(twin.items()) == {key: value for key, value in (leaves | theirs).items() if value}


def test_the_empty_subtrees_start_at_the_absent_leaf() -> None:
    assert EMPTY[0] == keccak(b"")
    assert len(EMPTY) == DEPTH + 1
    assert Tree().prove(7) == Path(0, ())


def test_reads_what_was_written() -> None:
    tree = Tree([(1, b"one"), (2, b"two"), (1, b"uno")])
    assert (tree.get(1), tree.get(2), tree.get(3)) == (b"uno", b"two", b"")


@pytest.mark.parametrize("key", [-1, LAST_KEY + 1])
def test_refuses_a_key_beyond_40_bits_and_changes_nothing(key: int) -> None:
    tree = Tree([(1, b"one")])
    root = tree.root
    with pytest.raises(ValueError, match="40 bits"):
        tree.update({2: b"two", key: b"x"})
    with pytest.raises(ValueError, match="40 bits"):
        tree.prove(key)
    with pytest.raises(ValueError, match="40 bits"):
        fold(key, b"x", Path(0, ()))
    assert (tree.root, tree.get(2)) == (root, b"")


@pytest.mark.parametrize(
    "path", [Path(1, ()), Path(0, (EMPTY[0],)), Path(1 << DEPTH, (EMPTY[0],)), Path(-1, (EMPTY[0],))]
)
def test_refuses_a_path_whose_bitmap_does_not_fit_its_siblings(path: Path) -> None:
    with pytest.raises(WitnessError, match="witness_path"):
        fold(1, b"one", path)
