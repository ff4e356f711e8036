"""The folded history against a naive one with every leaf written out, on geometries small enough for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.machine.history import EPOCH, Geometry, HistoryTree, PaddedTree, uniform

START = keccak(b"start")
SMALL = [Geometry(2, 3, 4, 3), Geometry(1, 2, 3, 2), Geometry(2, 2, 2, 2), Geometry(0, 1, 2, 1)]

Epoch = list[list[list[bytes]]]


def write_out(start: bytes, batches: Epoch, geometry: Geometry) -> list[bytes]:
    """Every leaf of the epoch, one by one, as the definition has it."""
    leaves: list[bytes] = []
    last = start
    for batch in range(1 << geometry.batch_bits):
        inputs = batches[batch] if batch < len(batches) else []
        for input_index in range(1 << geometry.input_bits):
            steps = inputs[input_index] if input_index < len(inputs) else []
            for micro in range(1 << geometry.micro_bits):
                if micro < len(steps):
                    last = steps[micro]
                leaves.append(last)
    return leaves


def write_out_layers(leaves: list[bytes]) -> list[list[bytes]]:
    """All layers of the tree over `leaves`, root first."""
    layers = [leaves]
    while len(layers[0]) > 1:
        below = layers[0]
        layers.insert(0, [hash_pair(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return layers


def epochs(geometry: Geometry) -> st.SearchStrategy[Epoch]:
    # Few distinct hashes: steps that change nothing and inputs that end as they began are the interesting ones.
    hashes = st.sampled_from([START, *(keccak(bytes([n])) for n in range(5))])
    steps = st.lists(hashes, min_size=1, max_size=1 << geometry.micro_bits)
    inputs = st.lists(steps, max_size=1 << geometry.input_bits)
    return st.lists(inputs, max_size=1 << geometry.batch_bits)


cases = st.sampled_from(SMALL).flatmap(lambda geometry: st.tuples(st.just(geometry), epochs(geometry)))


@settings(deadline=None)
@given(cases)
def test_every_node_opening_and_path_is_that_of_the_written_out_tree(case: tuple[Geometry, Epoch]) -> None:
    geometry, batches = case
    leaves = write_out(START, batches, geometry)
    layers = write_out_layers(leaves)
    history = HistoryTree.of(START, batches, geometry)
    assert history.root == history.node(0, 0) == layers[0][0]
    assert history.end == leaves[-1]
    for level in range(geometry.levels):
        for prefix, node in enumerate(layers[level * geometry.opening_bits]):
            children = history.children(level, prefix)
            assert history.node(level, prefix) == node == merkle_root(children)
            first = prefix * geometry.fanout
            assert children == layers[(level + 1) * geometry.opening_bits][first : first + geometry.fanout]
    for position, leaf in enumerate(leaves):
        assert history.leaf(position) == leaf
        assert history.children(geometry.levels, position) == [leaf]
        path = history.path(position)
        assert len(path) == geometry.depth
        assert climb(leaf, position, path) == history.root


@settings(deadline=None)
@given(cases)
def test_the_last_path_leads_from_the_end_to_the_last_child_of_the_root(case: tuple[Geometry, Epoch]) -> None:
    geometry, batches = case
    history = HistoryTree.of(START, batches, geometry)
    path = history.last_path()
    assert len(path) == geometry.depth - geometry.opening_bits
    assert climb(history.end, (1 << len(path)) - 1, path) == history.children(0, 0)[-1]


@settings(deadline=None)
@given(st.lists(st.sampled_from([keccak(bytes([n])) for n in range(3)]), max_size=8), st.integers(0, 2))
def test_a_padded_tree_keeps_no_repetition(nodes: list[bytes], last: int) -> None:
    leaf = keccak(bytes([last]))
    tree = PaddedTree(nodes, leaf, 0, 3)
    assert tree.root == merkle_root(nodes + [leaf] * (8 - len(nodes)))
    kept = len(tree.layers[0]) // 32
    assert kept == 0 or nodes[kept - 1] != leaf
    assert all(node == leaf for node in nodes[kept:])


def test_the_real_geometry_is_that_of_the_protocol() -> None:
    assert (EPOCH.depth, EPOCH.levels, EPOCH.fanout, EPOCH.positions) == (35, 7, 32, 1 << 35)


def test_an_epoch_without_inputs_is_one_repeated_leaf() -> None:
    history = HistoryTree.of(START, [[], []])
    assert history.end == history.leaf(0) == history.leaf(EPOCH.positions - 1) == START
    assert history.root == uniform(START, EPOCH.depth)[-1]
    assert history.path(12345) == list(uniform(START, EPOCH.depth)[:-1])


def test_on_the_real_geometry_every_level_opens_into_the_next() -> None:
    steps = [keccak(n.to_bytes(4, "big")) for n in range(1000)]
    history = HistoryTree.of(START, [[steps[:7], steps[7:8], steps[8:]], [], [steps[3:5]]])
    for position in (
        0,
        6,
        7,
        1 << 20,
        (2 << 20) + 991,
        (2 << 20) + 992,
        3 << 20,
        1 << 30,
        2 << 30,
        EPOCH.positions - 1,
    ):
        for level in range(EPOCH.levels):
            prefix = position >> (EPOCH.depth - level * EPOCH.opening_bits)
            children = history.children(level, prefix)
            assert len(children) == 32
            assert merkle_root(children) == history.node(level, prefix)
        assert climb(history.leaf(position), position, history.path(position)) == history.root
    assert history.leaf((2 << 20) + 991) == history.leaf(1 << 30) == steps[-1]
    assert history.leaf(2 << 30) == steps[3]
    assert history.end == steps[4]
    assert len(history.last_path()) == 30


def test_leaves_of_a_slot_are_asked_for_only_when_they_are_not_kept() -> None:
    asked: list[tuple[int, int]] = []
    batches = [[[keccak(bytes([input_index, step])) for step in range(3)] for input_index in range(6)]]

    def input_leaves(batch: int, input_index: int) -> list[bytes]:
        asked.append((batch, input_index))
        return batches[batch][input_index]

    def leaf(input_index: int) -> bytes:
        return history.leaf(input_index << EPOCH.micro_bits)

    history = HistoryTree(START, iter(map(iter, batches)), input_leaves, kept_nodes=4 * (2 + 21) + 22)
    history.children(2, 0)
    history.last_path()
    assert [leaf(index) for index in (5, 4, 3, 2)] == [batches[0][index][0] for index in (5, 4, 3, 2)]
    assert asked == []  # the last ones that were built
    for _ in range(2):
        history.path(1)
        history.children(6, 0)
    assert asked == [(0, 0)]  # instead of input 5, which was used longest ago
    assert [leaf(index) for index in (4, 3, 2, 0)] == [batches[0][index][0] for index in (4, 3, 2, 0)]
    assert asked == [(0, 0)]
    leaf(5)
    leaf(4)
    assert asked == [(0, 0), (0, 5), (0, 4)]


def test_a_slot_larger_than_the_room_for_leaves_is_kept_while_it_is_open() -> None:
    asked: list[int] = []
    leaves = [keccak(bytes([step])) for step in range(9)]

    def input_leaves(batch: int, input_index: int) -> list[bytes]:
        asked.append(input_index)
        return leaves

    history = HistoryTree(START, [[leaves, leaves]], input_leaves, kept_nodes=4)
    for _ in range(2):
        assert history.leaf(1 << EPOCH.micro_bits | 5) == leaves[5]
    assert asked == []
    for _ in range(2):
        assert history.leaf(5) == leaves[5]
    assert asked == [0]


def test_refuses_a_slot_that_now_has_other_leaves() -> None:
    inputs = [[keccak(b"a"), keccak(b"b")], [keccak(b"d")]]
    history = HistoryTree(START, [inputs], lambda batch, input_index: [keccak(b"a"), keccak(b"c")], kept_nodes=1)
    with pytest.raises(ValueError, match="no longer"):
        history.leaf(0)


@pytest.mark.parametrize(
    "batches",
    [
        [[[]]],
        [[[START] * 5]],
        [[[START]] * 3],
        [[], []],
    ],
    ids=["input without a step", "too many steps", "too many inputs", "too many batches"],
)
def test_refuses_what_the_geometry_does_not_hold(batches: Epoch) -> None:
    with pytest.raises(ValueError):
        HistoryTree.of(START, batches, Geometry(0, 1, 2, 1))


def test_has_no_node_outside_the_tree() -> None:
    history = HistoryTree.of(START, [[[keccak(b"a")]]])
    for level, prefix in ((0, 1), (1, 32), (7, EPOCH.positions), (7, -1), (8, 0), (-1, 0)):
        with pytest.raises(IndexError):
            history.node(level, prefix)


def test_refuses_openings_that_do_not_divide_the_depth() -> None:
    with pytest.raises(ValueError, match="divide"):
        Geometry(1, 1, 1, 2)
