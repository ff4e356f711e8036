"""What attackers can do, as small numbers: a kind, and an index into a grid for each of its arguments.

So sequences can be drawn, changed, written down and read again; a move that is not possible when its turn comes is sent
all the same, and refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any, Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.errors import ConfigError

ATTACKERS: Final = 4
"""Accounts that collude: three masters, and a sub-account of the first."""
SIDES: Final = ("buy", "sell", "with the price", "against the price")
"""The latter two: as the true price has moved since the start (where it has not, buy and sell)."""
REFERENCES: Final = ("price", "index", "mark", "best bid", "best ask")
OFFSETS: Final = (
    0,
    10,
    -10,
    200,
    -200,
    1_000,
    -1_000,
    5_000,
    -5_000,
    20_000,
    -20_000,
    45_000,
    -45_000,
    99_000,
    -99_000,
)
"""Parts per million of the reference; 10 of them are a tick."""
LOTS: Final = (1, 100, 500, 5_000, 20_000)
SHARES: Final = (5, 50, 100)
"""Percent of the lots that the account's equity carries, or of the money that it has free."""
SIZES: Final = (*(f"{lots:,} lots" for lots in LOTS), *(f"{share} % of what it can carry" for share in SHARES))
FLAGS: Final = {
    "": records.GTC,
    "at once": records.IOC,
    "post-only": records.POST_ONLY,
    "fill-or-kill": records.FOK,
    "reduce-only, at once": records.REDUCE_ONLY | records.IOC,
    "reduce-only": records.REDUCE_ONLY,
}
SECONDS: Final = (1, 5, 20, 45, 60, 61, 120, 300, 900, 3_600)
LEVELS: Final = (2, 8, 32)

_WHO: Final = tuple(f"attacker {number + 1}" for number in range(ATTACKERS))
_PERCENT: Final = tuple(f"{offset / 10_000:+g} %" for offset in OFFSETS)
_SHARE: Final = tuple(f"{share} %" for share in SHARES)
_SECONDS: Final = tuple(f"{seconds} s" for seconds in SECONDS)

KINDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "order": (_WHO, SIDES, SIZES, _PERCENT, REFERENCES, tuple(FLAGS)),
    "ladder": (_WHO, SIDES, SIZES, _PERCENT, REFERENCES, tuple(f"{levels} levels" for levels in LEVELS)),
    "pair": (_WHO, _WHO, SIZES, _PERCENT, REFERENCES),
    "flick": (_WHO, SIDES, SIZES, _PERCENT, REFERENCES),
    "stop": (_WHO, SIDES, SIZES, _PERCENT, REFERENCES),
    "amend": (_WHO, SIZES, _PERCENT, REFERENCES),
    "cancel all": (_WHO,),
    "close": (_WHO,),
    "transfer": (_WHO, _WHO, _SHARE),
    "withdraw": (_WHO, _SHARE),
    "deposit": (_WHO, _SHARE),
    "stake": (_WHO, _SHARE),
    "unstake": (_WHO, _SHARE),
    "lie": (_PERCENT,),
    "silence": (_SECONDS,),
    "crank": (),
    "others": (),
    "wait": (_SECONDS,),
}
"""Of each kind the grids of its arguments, in words."""
WEIGHTS: Final = {"order": 8, "pair": 3, "ladder": 2, "wait": 5, "others": 3, "lie": 3, "transfer": 2, "withdraw": 2}
"""How often a kind is drawn, 1 unless said."""


class Move(NamedTuple):
    """A kind and the indices of its arguments."""

    kind: str
    arguments: tuple[int, ...]

    def describe(self) -> str:
        """In words."""
        words = [grid[index] for grid, index in zip(KINDS[self.kind], self.arguments, strict=True)]
        return " ".join([self.kind, *(word for word in words if word)]) if words else self.kind


def draw_move(random: Random) -> Move:
    """Any move."""
    kind = random.choices(list(KINDS), [WEIGHTS.get(kind, 1) for kind in KINDS])[0]
    return Move(kind, tuple(random.randrange(len(grid)) for grid in KINDS[kind]))


def change_move(move: Move, random: Random) -> Move:
    """The same kind with one argument changed; another move where there is none."""
    if not move.arguments:
        return draw_move(random)
    at = random.randrange(len(move.arguments))
    arguments = list(move.arguments)
    arguments[at] = random.randrange(len(KINDS[move.kind][at]))
    return Move(move.kind, tuple(arguments))


def to_json(moves: Iterable[Move]) -> list[list[Any]]:
    """Moves as they stand in a file."""
    return [[move.kind, *move.arguments] for move in moves]


def from_json(rows: Iterable[list[Any]]) -> list[Move]:
    """The inverse. Raises ConfigError on what is no move."""
    moves = []
    for row in rows:
        kind, arguments = row[0], tuple(row[1:])
        grids = KINDS.get(kind)
        if grids is None or len(grids) != len(arguments):
            raise ConfigError("bad_config", f"{row} is no move")
        if not all(type(index) is int and 0 <= index < len(grid) for index, grid in zip(arguments, grids, strict=True)):
            raise ConfigError("bad_config", f"{row} has an argument that is not on its grid")
        moves.append(Move(kind, arguments))
    return moves
