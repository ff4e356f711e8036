"""False histories fit their commitment everywhere, and differ from the truth exactly where they say."""

import pytest
from tests.support.courts.league import GENESIS, TRUTH

from setoff.deploy.simulation.lab.machine import INPUTS_PER_BATCH, Run
from setoff.deploy.simulation.scenario.liars import (
    LAST,
    LEVELS,
    PLACES,
    FalseHistory,
    FromHere,
    Hollow,
    OneLeaf,
    RandomRoot,
    find_place,
)
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.dispute.bisection import make_move, verify_move
from setoff.shared.dispute.trace_provider import TraceProvider
from setoff.shared.errors import DataError, InputError
from setoff.shared.machine.history import EPOCH

BASE = Run(GENESIS, TRUTH)
INPUTS = [INPUTS_PER_BATCH, INPUTS_PER_BATCH]
LEAF = keccak(b"a lie")


def told(shape: str, position: int) -> FalseHistory:
    return {"leaf": OneLeaf, "from": FromHere}[shape](BASE, position, LEAF)


def descend(one: TraceProvider, other: TraceProvider) -> int:
    """Play all levels, each move checked as L1 does; returns the first position that differs."""
    mover, waiting, prefix = one, other, 0
    nodes = {id(one): one.root, id(other): other.root}
    for level in range(LEVELS):
        mine, theirs = mover.children(level, prefix), waiting.children(level, prefix)
        first = prefix * EPOCH.fanout
        move = make_move(mine, theirs, lambda index: mover.children(level + 1, first + index))  # noqa: B023
        assert verify_move(move, nodes[id(mover)], nodes[id(waiting)], is_last=level == LEVELS - 1)
        nodes = {id(mover): merkle_root(move.children), id(waiting): move.their_child}
        prefix = first + move.index
        mover, waiting = waiting, mover
    return prefix


@pytest.mark.parametrize("shape", ["leaf", "from"])
@pytest.mark.parametrize("place", PLACES)
def test_every_level_can_be_played_down_to_the_lie(shape: str, place: str) -> None:
    position = find_place(place, BASE, INPUTS)
    lie = told(shape, position)
    assert descend(lie, BASE) == descend(BASE, lie) == position
    assert climb(lie.leaf(position), position, lie.path(position)) == lie.root
    assert climb(lie.end, LAST, lie.path(LAST)) == lie.root
    assert list(lie.last_path()) == list(lie.path(LAST))[:30]
    assert lie.start_hash == GENESIS
    is_end_false = shape == "from" or place == "last"
    assert (lie.end != BASE.end) == is_end_false


def test_nothing_can_be_opened_below_a_hollow_node() -> None:
    position = find_place("inner", BASE, INPUTS)
    for level in range(1, LEVELS):
        lie = Hollow(BASE, level, position, b"seed")
        assert lie.end == BASE.end and lie.root != BASE.root
        assert climb(lie.end, LAST, lie.path(LAST)) == lie.root
        for above in range(level):
            prefix = position >> EPOCH.depth - EPOCH.opening_bits * above
            assert merkle_root(lie.children(above, prefix)) == lie.node(above, prefix)
        with pytest.raises(DataError):
            lie.children(level, position >> EPOCH.depth - EPOCH.opening_bits * level)
    with pytest.raises(InputError):
        Hollow(BASE, 3, LAST, b"seed")


def test_a_random_root_can_join_and_nothing_more() -> None:
    lie = RandomRoot(BASE, LEAF, b"seed")
    assert merkle_root(lie.children(0, 0)) == lie.root
    assert climb(lie.end, (1 << 30) - 1, lie.last_path()) == lie.children(0, 0)[31]
    with pytest.raises(DataError):
        lie.children(1, 0)


def test_liars_of_the_same_sort_differ() -> None:
    assert OneLeaf(BASE, 5, keccak(b"1")).root != OneLeaf(BASE, 5, keccak(b"2")).root


def test_a_place_that_the_epoch_does_not_have() -> None:
    with pytest.raises(InputError):
        find_place("unused-input", BASE, [1024])
