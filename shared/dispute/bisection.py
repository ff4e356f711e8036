"""One move of a game, as pure arithmetic on openings.

Both sides of a match hold an opening: the 32 nodes five binary levels below the node they disagree on. The side on
turn names the first index at which the two openings differ, opens its own node there, and shows that the index is the
first: both nodes, climbed up with the *same* left siblings, must reach the two nodes already on L1. Everything left of
the index is thereby proven equal; the right siblings are each side's own. At the last level the node opened is a leaf,
and its opening is itself.

Siblings are listed from the opening's nodes upward. Twin: `move` of `contracts/court/matches.vy`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from setoff.shared.codec.hashing import hash_pair
from setoff.shared.codec.merkle import merkle_path, merkle_root
from setoff.shared.machine.history import EPOCH


@dataclass(frozen=True, slots=True)
class Move:
    """What the side on turn sends; with 32 nodes an opening, `common` and `mine` have 5 siblings together."""

    index: int
    """The first of the 32 nodes at which the two openings differ."""
    children: list[bytes]
    """The mover's opening of its node at `index`: 32 nodes, or the leaf alone."""
    their_child: bytes
    """The opponent's node at `index`."""
    common: list[bytes]
    """Left siblings of `index`, the same for both sides."""
    mine: list[bytes]
    """The mover's right siblings of `index`."""
    theirs: list[bytes]
    """The opponent's right siblings of `index`, as many as the mover's."""


def first_difference(mine: Sequence[bytes], theirs: Sequence[bytes]) -> int:
    """The first index at which two openings differ. Raises ValueError if they are the same."""
    for index, (my_node, their_node) in enumerate(zip(mine, theirs, strict=True)):
        if my_node != their_node:
            return index
    raise ValueError("two openings that are the same leave nothing to dispute")


def compute_siblings(
    mine: Sequence[bytes], theirs: Sequence[bytes], index: int
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The lists (common, mine, theirs) of a move at `index`, the first difference of the two openings."""
    my_path, their_path = merkle_path(mine, index), merkle_path(theirs, index)
    is_left = [bool((index >> height) & 1) for height in range(len(my_path))]
    return (
        [node for node, left in zip(my_path, is_left, strict=True) if left],
        [node for node, left in zip(my_path, is_left, strict=True) if not left],
        [node for node, left in zip(their_path, is_left, strict=True) if not left],
    )


def make_move(mine: Sequence[bytes], theirs: Sequence[bytes], open_child: Callable[[int], Sequence[bytes]]) -> Move:
    """The move of the side that holds the opening `mine` against `theirs`.

    `open_child` gives the mover's opening of its node at an index. Raises ValueError if the openings are the same.
    """
    index = first_difference(mine, theirs)
    common, my_right, their_right = compute_siblings(mine, theirs, index)
    return Move(index, list(open_child(index)), theirs[index], common, my_right, their_right)


def verify_move(move: Move, my_node: bytes, their_node: bytes, *, is_last: bool, fanout: int = EPOCH.fanout) -> bool:
    """Whether L1 takes `move` on the mover's and the opponent's node, as the court checks it.

    `is_last` says that the nodes opened are leaves; `fanout` is the number of nodes of an opening.
    """
    height = fanout.bit_length() - 1
    lefts = move.index.bit_count()
    if (
        not 0 <= move.index < fanout
        or len(move.children) != (1 if is_last else fanout)
        or len(move.common) != lefts
        or len(move.mine) != height - lefts
        or len(move.theirs) != height - lefts
    ):
        return False
    my_child = merkle_root(move.children)
    if my_child == move.their_child:
        return False
    mine, theirs = my_child, move.their_child
    common, rights = iter(move.common), zip(move.mine, move.theirs, strict=True)
    for level in range(height):
        if (move.index >> level) & 1:
            left = next(common)
            mine, theirs = hash_pair(left, mine), hash_pair(left, theirs)
        else:
            my_right, their_right = next(rights)
            mine, theirs = hash_pair(mine, my_right), hash_pair(theirs, their_right)
    return mine == my_node and theirs == their_node
