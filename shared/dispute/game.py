"""The games as the court sees them, rebuilt from its events alone. Pure: apply events in order, ask for anything.

A claim is disputed by histories; any two standing histories of a claim are in a match, from the later join on, whether
or not anybody has moved in it. So matches are not created, only looked up (`Claim.match`). Clocks, turns and levels are
those of `contracts/court/matches.vy` (PROTOCOL, Clocks and money).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Final

from setoff.shared.dispute import events
from setoff.shared.dispute.events import Event
from setoff.shared.dispute.terms import Terms
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.history import EPOCH

NOBODY: Final = bytes(20)


class ClaimState(Enum):
    """Of a claim, as in `contracts/court/claims.vy`."""

    CLAIMED = "claimed"
    DISPUTED = "disputed"
    INSTALLED = "installed"
    SETTLED = "settled"
    VOID = "void"
    MOOT = "moot"


DECIDED: Final = frozenset({ClaimState.SETTLED, ClaimState.VOID, ClaimState.MOOT})


class HistoryState(Enum):
    """Of a history, as in `contracts/court/histories.vy`."""

    STANDING = "standing"
    OUT = "out"
    PAID = "paid"


@dataclass(slots=True)
class HistoryCommitment:
    """Somebody's commitment to all leaves, with a bond."""

    root: bytes
    end: bytes
    owner: bytes
    joined_at: int
    join_order: int
    """In the order of joins, from 1."""
    children: tuple[bytes, ...]
    """Its opening at level 0."""
    state: HistoryState = HistoryState.STANDING
    was_eliminated: bool = False
    slice: int = 0
    """After its release: wei still kept for the movers of the winner's side."""


@dataclass(slots=True)
class Match:
    """Two histories on their way to the first leaf in which they differ."""

    earlier: bytes
    """Root of the history that joined first."""
    later: bytes
    since: int
    """When the turn began."""
    opening: tuple[bytes, ...]
    """Of the side that is not on turn: 32 nodes, or its leaf once sealed."""
    level: int = 0
    prefix: int = 0
    """Number of the node that the match is at, among those of its level; once sealed the leaves' position."""
    used: dict[bytes, int] = field(default_factory=dict)
    """Seconds of its clock that each root has used up in former turns."""

    @property
    def is_sealed(self) -> bool:
        """Whether the differing leaves are known, so that only a proof decides."""
        return self.level == EPOCH.levels

    @property
    def on_turn(self) -> bytes:
        """Root of the side whose clock runs: the later one at even levels. Means nothing once sealed."""
        return self.earlier if self.level % 2 else self.later

    @property
    def waiting(self) -> bytes:
        """Root of the other side."""
        return self.later if self.level % 2 else self.earlier


@dataclass(slots=True)
class Claim:
    """A claim and its dispute."""

    key: bytes
    epoch: int
    start: bytes
    end: bytes
    """What the claimant said."""
    round: int
    claimant: bytes
    epoch_hash: bytes
    claimed_at: int
    """t0."""
    stake: int
    """Id of the stake it is on; 0 if not known."""
    changed_at: int
    """Time of the last event about it."""
    state: ClaimState = ClaimState.CLAIMED
    disputed_at: int = 0
    """t1, the first join of a history with another end; 0: none."""
    result: bytes = ZERO
    """The end that was installed."""
    winner: bytes = ZERO
    """Root of the history that won; zero: none."""
    histories: dict[bytes, HistoryCommitment] = field(default_factory=dict)
    matches: dict[tuple[bytes, bytes], Match] = field(default_factory=dict)
    """Those with a move in them, by (earlier, later) root."""
    credited: set[tuple[bytes, bytes, bytes]] = field(default_factory=set)
    """(loser, winner, who): somebody acted for `winner` against `loser`, and was not paid for it yet."""

    def standing(self) -> list[HistoryCommitment]:
        """Histories that nobody has eliminated."""
        return [history for history in self.histories.values() if history.state is HistoryState.STANDING]

    def is_standing(self, root: bytes) -> bool:
        """Whether that history has joined and was not eliminated."""
        history = self.histories.get(root)
        return history is not None and history.state is HistoryState.STANDING

    def ends(self) -> set[bytes]:
        """Distinct ends among the standing histories."""
        return {history.end for history in self.standing()}

    def match(self, root: bytes, other: bytes) -> Match:
        """The match of two histories that have both joined. Raises KeyError if one has not."""
        one, two = self.histories[root], self.histories[other]
        earlier, later = (one, two) if one.join_order < two.join_order else (two, one)
        played = self.matches.get((earlier.root, later.root))
        return played or Match(earlier.root, later.root, later.joined_at, earlier.children)

    def matches_of(self, root: bytes) -> Iterator[Match]:
        """The matches of a history with each standing one, in the order of joins. Raises KeyError if it has not
        joined."""
        for other in self._standing_in_order():
            if other.root != root:
                yield self.match(root, other.root)

    def turns(self) -> Iterator[Match]:
        """Standing matches in which every clock that runs is shown: all in which somebody has moved, and of the others
        one for each later history, for its clock is the same in all of them. So they are no more than moves and
        histories, where the pairs are the square of these.
        """
        standing = self._standing_in_order()
        moved: Counter[bytes] = Counter()
        for (earlier, later), match in self.matches.items():
            if self.is_standing(earlier) and self.is_standing(later):
                moved[later] += 1
                yield match
        for number, later_one in enumerate(standing):
            if moved[later_one.root] < number:
                others = (other.root for other in islice(standing, number))
                yield self.match(
                    next(other for other in others if (other, later_one.root) not in self.matches), later_one.root
                )

    def _standing_in_order(self) -> list[HistoryCommitment]:
        """Of joins."""
        return sorted(self.standing(), key=lambda history: history.join_order)

    def delay(self, root: bytes) -> int:
        """Seconds of its clock that a history spent before it joined: since t0 if it differs from the claim, since t1
        if it defends it."""
        history = self.histories[root]
        return history.joined_at - (self.claimed_at if history.end != self.end else self.disputed_at)

    def expiry(self, match: Match, period: int) -> int:
        """When the clock of the side on turn runs out; `period` is T."""
        root = match.on_turn
        return match.since + period - self.delay(root) - match.used.get(root, 0)

    def join_deadline(self, end: bytes, period: int) -> int | None:
        """Before when a history with that end has to join; None while nobody disputes the claim with this end."""
        if end != self.end:
            return self.claimed_at + period
        return self.disputed_at + period if self.disputed_at else None


@dataclass(slots=True)
class Stake:
    """What a claimant put up."""

    owner: bytes
    open: int = 0
    """Claims on it that are not closed."""
    is_slashed: bool = False


class CourtState:
    """All claims of one court. Events that do not fit (of claims it has not seen, say) are passed over."""

    def __init__(self, terms: Terms, genesis: bytes) -> None:
        """`genesis` is the confirmed start of epoch 0."""
        self.terms = terms
        self.claims: dict[bytes, Claim] = {}
        self.start_of: dict[int, bytes] = {0: genesis}
        """Confirmed starts by epoch."""
        self.stood_at: dict[tuple[int, bytes], int] = {}
        """(epoch, end) to the time of the earliest claim under which somebody stands for that end."""
        self.stakes: dict[int, Stake] = {}
        self.stake_of: dict[bytes, int] = {}
        self.owed: dict[bytes, int] = {}
        self._undecided: dict[bytes, Claim] = {}
        self._unpaid: dict[bytes, Claim] = {}
        self._latest: dict[tuple[int, bytes], Claim] = {}

    # --- questions ---

    @property
    def confirmed(self) -> int:
        """The last epoch whose start is confirmed."""
        return len(self.start_of) - 1

    def unfinished(self) -> Iterable[Claim]:
        """Claims that are neither settled nor void nor moot."""
        return tuple(self._undecided.values())

    def unpaid(self) -> Iterable[Claim]:
        """The others, as long as somebody has money to fetch there."""
        return tuple(self._unpaid.values())

    def latest(self, epoch: int, start: bytes) -> Claim | None:
        """The claim of the latest round on that start, void ones included."""
        return self._latest.get((epoch, start))

    def next_round(self, epoch: int, start: bytes) -> int | None:
        """The round in which that start may be claimed now; None if it is claimed."""
        claim = self.latest(epoch, start)
        if claim is None:
            return 0
        return claim.round + 1 if claim.state is ClaimState.VOID else None

    def is_true_start(self, claim: Claim) -> bool:
        """Whether the claim's start is confirmed."""
        return self.start_of.get(claim.epoch) == claim.start

    def is_false_start(self, claim: Claim) -> bool:
        """Whether the confirmed start is known and another."""
        return self.start_of.get(claim.epoch, claim.start) != claim.start

    def room(self, owner: bytes) -> int:
        """How many more claims the claimant's stake takes; 0: the next claim needs a new stake."""
        stake = self.stakes.get(self.stake_of.get(owner, 0))
        return 0 if stake is None or stake.is_slashed else max(self.terms.stake_claims - stake.open, 0)

    # --- events ---

    def apply(self, event: Event) -> None:
        """Take in what happened next."""
        if isinstance(event, events.Claimed):
            self._claimed(event)
        elif isinstance(event, events.KeyEvent):
            claim = self.claims.get(event.key)
            if claim is not None:
                claim.changed_at = event.at
                self._happened(claim, event)
                self._note(claim)
        else:
            self._moved_on(event)

    def _claimed(self, event: events.Claimed) -> None:
        stake = self.stake_of.get(event.claimant, 0)
        if stake:
            self.stakes[stake].open += 1
        claim = Claim(
            event.key,
            event.epoch,
            event.start,
            event.end,
            event.round,
            event.claimant,
            event.epoch_hash,
            event.at,
            stake,
            event.at,
        )
        self.claims[event.key] = self._undecided[event.key] = claim
        self._latest[event.epoch, event.start] = claim
        self._stand_for(claim, event.end)

    def _stand_for(self, claim: Claim, end: bytes) -> None:
        """Somebody claims that end, or joins for it."""
        place = claim.epoch, end
        self.stood_at[place] = min(self.stood_at.get(place, claim.claimed_at), claim.claimed_at)

    def _happened(self, claim: Claim, event: events.KeyEvent) -> None:
        """Anything about a claim but the claim itself."""
        match event:
            case events.Joined():
                if event.end != claim.end and not claim.disputed_at:
                    claim.disputed_at = event.at
                    claim.state = ClaimState.DISPUTED
                join_order = len(claim.histories) + 1
                claim.histories[event.root] = HistoryCommitment(
                    event.root, event.end, event.owner, event.at, join_order, event.children
                )
                self._stand_for(claim, event.end)
            case events.Moved():
                self._moved(claim, event)
            case events.Eliminated():
                history = claim.histories.get(event.root)
                if history is not None:
                    history.state = HistoryState.OUT
                    history.was_eliminated = True
                    claim.credited.add((event.root, event.opponent, event.sender))
            case events.Installed():
                claim.state = ClaimState.INSTALLED
                claim.result = event.end
            case events.Settled():
                claim.state = ClaimState.SETTLED
                claim.winner = event.winner
                self._close_stake(claim)
            case events.Voided():
                claim.state = ClaimState.VOID
                self._close_stake(claim)
            case events.Mooted():
                claim.state = ClaimState.MOOT
                self._close_stake(claim)
            case events.Released():
                self._paid(claim, event.root)
                history = claim.histories.get(event.root)
                if history is not None and history.was_eliminated and claim.winner != ZERO:
                    history.slice = self.terms.bond - self.terms.bond_burn - event.amount
            case events.Redeemed():
                claim.credited.discard((event.root, claim.winner, event.mover))
                history = claim.histories.get(event.root)
                if history is not None:
                    history.slice -= event.amount
            case events.Reclaimed():
                self._paid(claim, event.root)

    def _moved(self, claim: Claim, event: events.Moved) -> None:
        if event.mover not in claim.histories or event.opponent not in claim.histories:
            return
        match = claim.match(event.mover, event.opponent)
        claim.matches[match.earlier, match.later] = match
        match.used[event.mover] = match.used.get(event.mover, 0) + event.at - match.since
        match.since = event.at
        match.prefix = match.prefix * EPOCH.fanout + event.index
        match.level = event.level + 1
        match.opening = event.children
        claim.credited.add((event.opponent, event.mover, event.sender))

    def _paid(self, claim: Claim, root: bytes) -> None:
        if root in claim.histories:
            claim.histories[root].state = HistoryState.PAID

    def _close_stake(self, claim: Claim) -> None:
        if claim.stake in self.stakes:
            self.stakes[claim.stake].open -= 1

    def _moved_on(self, event: Event) -> None:
        """Anything that is not about one claim."""
        match event:
            case events.Advanced():
                self.start_of[event.epoch] = event.start
            case events.Staked():
                self.stakes[event.id] = Stake(event.owner)
                self.stake_of[event.owner] = event.id
            case events.Slashed():
                if event.id in self.stakes:
                    self.stakes[event.id].is_slashed = True
            case events.Unstaked():
                stake = self.stakes.get(event.id)
                if stake is not None and self.stake_of.get(stake.owner) == event.id:
                    del self.stake_of[stake.owner]
            case events.Owed():
                self.owed[event.owner] = self.owed.get(event.owner, 0) + event.amount
            case events.Collected():
                self.owed.pop(event.owner, None)

    def _note(self, claim: Claim) -> None:
        """Keep the lists of unfinished and unpaid claims."""
        if claim.state not in DECIDED:
            return
        self._undecided.pop(claim.key, None)
        claim.matches.clear()
        if any(is_unpaid(claim, history) for history in claim.histories.values()):
            self._unpaid[claim.key] = claim
        else:
            self._unpaid.pop(claim.key, None)


def is_unpaid(claim: Claim, history: HistoryCommitment) -> bool:
    """Whether a decided claim still holds money of the history's bond that is for somebody."""
    if history.state is HistoryState.OUT:
        return claim.winner != ZERO or claim.state is ClaimState.MOOT
    return history.state is HistoryState.STANDING or history.slice > 0
