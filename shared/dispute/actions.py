"""What a player may do, naming histories by their roots and claims by their keys, so that an action means the same
whatever happened in the meantime: done twice, the second one reverts and harms nobody.

`shared/dispute/calls.py` makes the court's calls of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One call to the court."""


@dataclass(frozen=True, slots=True)
class KeyAction(Action):
    """A call about one claim."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Claim(Action):
    """Stake on the end of an epoch that nobody has claimed on this start, in this round."""

    epoch: int
    start: bytes
    round: int


@dataclass(frozen=True, slots=True)
class Join(KeyAction):
    """Stand for our history, with a bond."""

    root: bytes


@dataclass(frozen=True, slots=True)
class Move(KeyAction):
    """Descend in a match in which `mover` is on turn at `level`."""

    mover: bytes
    opponent: bytes
    level: int


@dataclass(frozen=True, slots=True)
class Timeout(KeyAction):
    """Eliminate `loser`, which is on turn against `winner` and has no time left."""

    loser: bytes
    winner: bytes


@dataclass(frozen=True, slots=True)
class Prove(KeyAction):
    """Let L1 run the disputed step of our history `root` against `opponent`."""

    root: bytes
    opponent: bytes


@dataclass(frozen=True, slots=True)
class Install(KeyAction):
    """Fix the claim's end."""

    end: bytes


@dataclass(frozen=True, slots=True)
class Void(KeyAction):
    """Give up a dispute that nobody can win any more."""


@dataclass(frozen=True, slots=True)
class Settle(KeyAction):
    """Name the history that won; zero if none stands."""

    winner: bytes


@dataclass(frozen=True, slots=True)
class Release(KeyAction):
    """Pay out a history's bond."""

    root: bytes


@dataclass(frozen=True, slots=True)
class Redeem(KeyAction):
    """Pay `mover` his gas out of the bond of the eliminated history `root`."""

    root: bytes
    mover: bytes


@dataclass(frozen=True, slots=True)
class Reclaim(KeyAction):
    """Close a moot claim."""


@dataclass(frozen=True, slots=True)
class ReclaimHistory(KeyAction):
    """Refund the bond of a history of a moot claim."""

    root: bytes


@dataclass(frozen=True, slots=True)
class Advance(Action):
    """Confirm the end of `epoch` as the start of the next."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Collect(Action):
    """Have everything sent that the court owes `owner`."""

    owner: bytes


@dataclass(frozen=True, slots=True)
class Unstake(Action):
    """Take back a stake without open claims. No strategy does this by itself: it is for who stops claiming."""

    id: int
