"""What the court says happened, one class an event, fields as in its ABI. Twin: the events of `contracts/court/*.vy`.

Hashes are 32 bytes, addresses 20 bytes, money wei, times unix seconds; `at` is the time of the event's block. These
events alone rebuild a game (`game.py`): an opening is always in an event, never to be found in somebody's calldata.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Anything the court reports."""

    at: int


@dataclass(frozen=True, slots=True)
class KeyEvent(Event):
    """Something that happened to one claim."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Claimed(KeyEvent):
    """Somebody staked on `end`."""

    epoch: int
    start: bytes
    end: bytes
    round: int
    claimant: bytes
    epoch_hash: bytes


@dataclass(frozen=True, slots=True)
class Joined(KeyEvent):
    """A history stands; `children` is its opening at level 0, 32 nodes."""

    root: bytes
    end: bytes
    owner: bytes
    children: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Moved(KeyEvent):
    """`mover` opened its child at `index`, the first in which the two histories differ."""

    mover: bytes
    opponent: bytes
    level: int
    """Before the move, 0 to 6."""
    index: int
    children: tuple[bytes, ...]
    """32 nodes, or at level 6 the leaf alone."""
    mover_child: bytes
    opponent_child: bytes
    sender: bytes = b""
    """Who called, as far as known: the court credits him."""


@dataclass(frozen=True, slots=True)
class Eliminated(KeyEvent):
    """The history `root` is out, by "timeout" or "proof", in its match with `opponent`."""

    root: bytes
    opponent: bytes
    cause: str
    sender: bytes = b""
    """Who called, as far as known: the court credits him."""


@dataclass(frozen=True, slots=True)
class Installed(KeyEvent):
    """The claim's end is fixed."""

    end: bytes


@dataclass(frozen=True, slots=True)
class Voided(KeyEvent):
    """The dispute was given up; the next claim on this start has the next round."""

    round: int


@dataclass(frozen=True, slots=True)
class Settled(KeyEvent):
    """The claim is closed; `winner` is zero if no history won it."""

    winner: bytes
    end: bytes


@dataclass(frozen=True, slots=True)
class Mooted(KeyEvent):
    """The claim's start turned out not to be the confirmed one."""


@dataclass(frozen=True, slots=True)
class Released(KeyEvent):
    """A history's bond was paid out: `amount` to `owner`, the winner's or its own."""

    root: bytes
    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Redeemed(KeyEvent):
    """`mover` was paid his credits out of what the eliminated history `root` left for them."""

    root: bytes
    mover: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Reclaimed(KeyEvent):
    """The whole bond of a history of a moot claim was refunded."""

    root: bytes
    owner: bytes


@dataclass(frozen=True, slots=True)
class Advanced(Event):
    """`epoch` has its confirmed start."""

    epoch: int
    start: bytes


@dataclass(frozen=True, slots=True)
class Staked(Event):
    """`owner` opened the stake number `id` with the claim of the same transaction."""

    id: int
    owner: bytes


@dataclass(frozen=True, slots=True)
class Slashed(Event):
    """A claim on the stake was a lie; the reward went to `payee`, or was burnt if that is zero."""

    id: int
    payee: bytes


@dataclass(frozen=True, slots=True)
class Unstaked(Event):
    """The stake was taken back."""

    id: int


@dataclass(frozen=True, slots=True)
class Owed(Event):
    """`amount` more waits for `owner` to collect it."""

    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Collected(Event):
    """`owner` was sent all that waited for him."""

    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Burnt(Event):
    """Money left the court for nobody."""

    amount: int


EVENTS: tuple[type[Event], ...] = (
    Claimed,
    Joined,
    Moved,
    Eliminated,
    Installed,
    Voided,
    Settled,
    Mooted,
    Released,
    Redeemed,
    Reclaimed,
    Advanced,
    Staked,
    Slashed,
    Unstaked,
    Owed,
    Collected,
    Burnt,
)
