"""Moves of a game: every honest one is taken, and none that hides an earlier difference."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_path, merkle_root
from setoff.shared.dispute.bisection import Move, compute_siblings, first_difference, make_move, verify_move
from setoff.shared.machine.history import EPOCH, Geometry, HistoryTree

START = keccak(b"start")
FANOUT = EPOCH.fanout


def make_opening(tag: bytes) -> list[bytes]:
    return [keccak(tag + bytes([child])) for child in range(FANOUT)]


def open_child(history: HistoryTree, level: int, first: int, index: int) -> list[bytes]:
    return history.children(level, first + index)


def play(one: HistoryTree, other: HistoryTree) -> tuple[int, list[Move]]:
    """A whole game, `one` to move first: the first differing position and the moves. Every move is checked."""
    geometry = one.geometry
    sides = [one, other]
    prefix, moves = 0, []
    for level in range(geometry.levels):
        mover, opponent = sides[level % 2], sides[1 - level % 2]
        mine, theirs = mover.children(level, prefix), opponent.children(level, prefix)
        below = prefix * geometry.fanout
        move = make_move(mine, theirs, partial(open_child, mover, level + 1, below))
        is_last = level == geometry.levels - 1
        assert verify_move(move, merkle_root(mine), merkle_root(theirs), is_last=is_last, fanout=geometry.fanout)
        prefix = below + move.index
        moves.append(move)
    return prefix, moves


def is_taken(move: Move, my_node: bytes, their_node: bytes) -> bool:
    return verify_move(move, my_node, their_node, is_last=False)


@given(st.integers(0, FANOUT - 1), st.data())
def test_a_move_proves_its_index_to_be_the_first_difference(index: int, data: st.DataObject) -> None:
    opened = make_opening(b"opened")
    mine = make_opening(b"shared")
    theirs = list(mine)
    mine[index] = merkle_root(opened)
    for child in range(index + 1, FANOUT):
        if data.draw(st.booleans()):
            theirs[child] = keccak(theirs[child])
    my_node, their_node = merkle_root(mine), merkle_root(theirs)
    move = make_move(mine, theirs, lambda child: opened if child == index else [])
    assert first_difference(mine, theirs) == move.index == index
    assert len(move.common) == index.bit_count()
    assert len(move.mine) == len(move.theirs) == 5 - index.bit_count()
    assert is_taken(move, my_node, their_node)

    assert not is_taken(move, their_node, my_node)
    assert not verify_move(move, my_node, their_node, is_last=True)
    forged = keccak(b"forged")
    for wrong in (
        replace(move, index=FANOUT),
        replace(move, index=-1),
        replace(move, index=index ^ 1),
        replace(move, children=[forged, *opened[1:]]),
        replace(move, children=opened[:16]),
        replace(move, their_child=forged),
        replace(move, common=[*move.common, forged]),
        replace(move, mine=[*move.mine, forged]),
        replace(move, theirs=[*move.theirs, forged]),
        *([replace(move, common=[forged, *move.common[1:]])] if move.common else []),
        *([replace(move, mine=[forged, *move.mine[1:]])] if move.mine else []),
        *([replace(move, theirs=[forged, *move.theirs[1:]])] if move.theirs else []),
    ):
        assert not is_taken(wrong, my_node, their_node)


@given(st.integers(0, FANOUT - 2), st.integers(1, FANOUT - 1))
def test_no_left_siblings_hide_an_earlier_difference(first: int, distance: int) -> None:
    later = min(first + distance, FANOUT - 1)
    opened = make_opening(b"opened")
    mine, theirs = make_opening(b"shared"), make_opening(b"shared")
    theirs[first] = keccak(b"different")
    mine[later] = merkle_root(opened)
    _, my_right, their_right = compute_siblings(mine, theirs, later)
    for side in (mine, theirs):
        common = compute_siblings(side, side, later)[0]
        move = Move(later, opened, theirs[later], common, my_right, their_right)
        assert not is_taken(move, merkle_root(mine), merkle_root(theirs))


def test_a_node_both_sides_share_is_no_difference() -> None:
    opened = make_opening(b"opened")
    mine, theirs = make_opening(b"shared"), make_opening(b"shared")
    mine[3] = theirs[3] = merkle_root(opened)
    theirs[9] = keccak(b"different")
    common, my_right, their_right = compute_siblings(mine, theirs, 3)
    move = Move(3, opened, theirs[3], common, my_right, their_right)
    assert not is_taken(move, merkle_root(mine), merkle_root(theirs))


def test_equal_openings_leave_nothing_to_dispute() -> None:
    with pytest.raises(ValueError, match="nothing to dispute"):
        first_difference(make_opening(b"same"), make_opening(b"same"))


REDUCED = Geometry(1, 2, 3, 2)


@settings(deadline=None)
@given(st.integers(0, REDUCED.positions - 1), st.booleans())
def test_a_game_ends_at_the_first_differing_leaf(position: int, liar_first: bool) -> None:
    leaves = [keccak(bytes([n])) for n in range(REDUCED.positions)]
    lies = leaves[:position] + [keccak(leaf) for leaf in leaves[position:]]

    def history(all_leaves: list[bytes]) -> HistoryTree:
        steps = 1 << REDUCED.micro_bits
        inputs = [all_leaves[start : start + steps] for start in range(0, len(all_leaves), steps)]
        half = 1 << REDUCED.input_bits
        return HistoryTree.of(START, [inputs[:half], inputs[half:]], REDUCED)

    truth, lie = history(leaves), history(lies)
    found, moves = play(lie, truth) if liar_first else play(truth, lie)
    assert found == position
    assert {moves[-1].children[0], moves[-1].their_child} == {leaves[position], lies[position]}


@pytest.mark.parametrize(
    ("true_inputs", "false_inputs", "position"),
    [
        ([[b"a"]], [[b"x"]], 0),
        ([[b"a", b"b"]], [[b"a", b"b", b"x"]], 2),
        ([[b"a"]], [[b"a"], [b"x"]], 1 << 20),
        ([[b"a"], [b"b"]], [[b"a"], [b"x", b"b"]], 1 << 20),
    ],
    ids=["leaf 0", "idle rest of an input", "unused input", "right end, false middle"],
)
def test_a_game_on_the_real_geometry(
    true_inputs: list[list[bytes]], false_inputs: list[list[bytes]], position: int
) -> None:
    truth, lie = (
        HistoryTree.of(START, [[[keccak(step) for step in steps] for steps in inputs]])
        for inputs in (true_inputs, false_inputs)
    )
    found, moves = play(lie, truth)
    assert (found, len(moves)) == (position, 7)
    assert climb(moves[-1].children[0], position, lie.path(position)) == lie.root


def test_siblings_are_those_of_the_path() -> None:
    mine = make_opening(b"mine")
    index = 0b10110
    common, right, _ = compute_siblings(mine, mine, index)
    path = merkle_path(mine, index)
    assert (common, right) == ([path[1], path[2], path[4]], [path[0], path[3]])
