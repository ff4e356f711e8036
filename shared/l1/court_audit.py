"""The court's storage against the games rebuilt from its events: what a node left out of them, or put in, shows here.

Why nothing that a player could still act upon escapes:

- *Starts* have no gaps, and the newest one and those of the claims below are proven; after it none is.
- *Stakes* are numbered, and their number is proven; of each how many claims are open on it. One that is slashed takes
  no claim ever again: once that is proven, and that none is open on it, it is not looked at any more.
- *Claims* that were shown as open are each proven to be, on their stake. As many are open on it, so there are no
  others.
- *Histories* of such a claim are each proven to be in it, at their place in the order of joins; as many have joined.
- *Matches* of those that stand are a word each, zero before the first move; the nodes that they are at bind what was
  opened, and a root its children. Proven are all in which somebody was seen to move, and of the player's own history
  all: the rest, between others, decide nothing, and are the square of the histories.

Money that is owed is left to the call that fetches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Final

from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.game import DECIDED, Claim, ClaimState, CourtState, HistoryCommitment, HistoryState, Match
from setoff.shared.l1.storage import Fact, load_layout
from setoff.shared.machine.batch import encode_words
from setoff.shared.machine.history import fold

CLAIM_STATES: Final[dict[ClaimState, int]] = {
    ClaimState.CLAIMED: 1,
    ClaimState.DISPUTED: 2,
    ClaimState.INSTALLED: 3,
    ClaimState.SETTLED: 4,
    ClaimState.VOID: 5,
    ClaimState.MOOT: 6,
}
"""As `contracts/court/claims.vy` counts them."""

HISTORY_STATES: Final[dict[HistoryState, int]] = {
    HistoryState.STANDING: 1,
    HistoryState.OUT: 2,
    HistoryState.PAID: 3,
}
"""As `contracts/court/histories.vy` counts them."""

COURT: Final = load_layout("court")

RootOf = Callable[[Claim], bytes | None]
"""The root of a claim's true history, None where it is not known."""


def find_contradiction(court: CourtState) -> str:
    """What the events contradict each other in, which takes no look at L1; empty if they do not."""
    return next(_find_contradictions(court), "")


def list_facts(court: CourtState, root_of: RootOf = lambda _: None, closed: Collection[int] = ()) -> Iterator[Fact]:
    """What the court's storage has to be if the games are as they were rebuilt, and say nothing against each other.

    `root_of`: whose matches are compared even where nobody has moved yet, as far as is known; `closed`: stakes that
    were proven to be closed for good.
    """
    confirmed, open_claims = court.confirmed, Counter(claim.stake for claim in court.unfinished())
    ahead = [claim for claim in court.claims.values() if claim.epoch >= confirmed and claim.state in DECIDED]
    epochs = {claim.epoch for claim in court.unfinished() if claim.epoch < confirmed}
    for epoch in (*sorted(epochs), confirmed):
        slot = COURT.slot("claims.start_of", epoch)
        yield Fact(slot, _to_int(court.start_of[epoch]), f"the start of epoch {epoch}")
    yield Fact(COURT.slot("claims.start_of", confirmed + 1), 0, f"the start of epoch {confirmed + 1}")
    yield Fact(COURT.slot("stakes.stake_count"), len(court.stakes), "the number of stakes")
    for number, stake in court.stakes.items():
        if number in closed:
            continue

        def of_stake(field: str, value: int, number: int = number) -> Fact:
            return Fact(COURT.slot("stakes.stake_at", number, field=field), value, f"{field} of stake {number}")

        yield of_stake("open", open_claims[number])
        yield of_stake("slashed", int(stake.is_slashed))
        yield of_stake("owner", _to_int(stake.owner))
    for claim in ahead:
        yield Fact(COURT.slot("claims.claim_of", claim.key, field="state"), CLAIM_STATES[claim.state], _name(claim))
    for claim in court.unfinished():
        yield from _list_claim(claim, root_of(claim))


def is_closed(court: CourtState, number: int) -> bool:
    """Whether a stake has no open claim, and never will."""
    stake = court.stakes[number]
    return stake.is_slashed and stake.open == 0


def _find_contradictions(court: CourtState) -> Iterator[str]:
    for epoch in range(court.confirmed + 1):
        if epoch not in court.start_of:
            yield f"the start of epoch {epoch} was not shown"
    for number in range(1, max(court.stakes, default=0) + 1):
        if number not in court.stakes:
            yield f"stake {number} was not shown"
    for claim in court.unfinished():
        if claim.key != keccak(encode_words(claim.epoch_hash, claim.start, claim.round)):
            yield f"{_name(claim)} was shown under another key"
        if claim.state is ClaimState.CLAIMED and claim.histories:
            yield f"{_name(claim)} was shown with histories and without a dispute"
        for history in claim.histories.values():
            if fold(b"".join(history.children)) != history.root:
                yield f"the children of a history in {_name(claim)} were shown otherwise"


def _list_claim(claim: Claim, root: bytes | None) -> Iterator[Fact]:
    """A claim, its histories, its matches in which somebody has moved, and all of the history with this root."""

    def fact(field: str, value: int) -> Fact:
        return Fact(COURT.slot("claims.claim_of", claim.key, field=field), value, f"{field} of {_name(claim)}")

    yield fact("state", CLAIM_STATES[claim.state])
    yield fact("epoch", claim.epoch)
    yield fact("end", _to_int(claim.end))
    yield fact("stake", claim.stake)
    yield fact("claimed_at", claim.claimed_at)
    yield fact("disputed_at", claim.disputed_at)
    if claim.state is ClaimState.CLAIMED:
        return  # who is not disputed has no histories
    yield fact("joined", len(claim.histories))
    yield fact("standing", len(claim.standing()))
    yield fact("ends", len(claim.ends()))
    yield fact("result", _to_int(claim.result))
    for history in claim.histories.values():
        yield from _list_history(claim, history)
    ours = claim.matches_of(root) if root is not None and claim.is_standing(root) else ()
    for match in {(match.earlier, match.later): match for match in (*claim.turns(), *ours)}.values():
        yield from _list_match(claim, match)


def _list_history(claim: Claim, history: HistoryCommitment) -> Iterator[Fact]:
    what = f"a history in {_name(claim)}"
    yield Fact(COURT.slot("histories.packed", claim.key, history.root), pack_history(history), what)
    yield Fact(COURT.slot("histories.ends", claim.key, history.root), _to_int(history.end), f"the end of {what}")


def _list_match(claim: Claim, match: Match) -> Iterator[Fact]:
    number = keccak(claim.key + match.earlier + match.later)
    what = f"a match in {_name(claim)}"
    if (match.earlier, match.later) not in claim.matches:
        yield Fact(COURT.slot("matches.packed", number), 0, what)
        return
    yield Fact(COURT.slot("matches.packed", number), pack_match(match), what)
    nodes = "matches.later_nodes" if match.waiting == match.later else "matches.earlier_nodes"
    yield Fact(COURT.slot(nodes, number), _to_int(fold(b"".join(match.opening))), f"the node of {what}")


def pack_history(history: HistoryCommitment) -> int:
    """The word of a history, as `contracts/court/histories.vy` packs it."""
    state = HISTORY_STATES[history.state]
    return _to_int(history.owner) << 96 | history.joined_at << 56 | history.join_order << 8 | state


def pack_match(match: Match) -> int:
    """The word of a match, as `contracts/court/matches.vy` packs it."""
    earlier_used, later_used = (match.used.get(root, 0) for root in (match.earlier, match.later))
    return match.since << 176 | earlier_used << 112 | later_used << 48 | match.prefix << 8 | match.level


def _name(claim: Claim) -> str:
    return f"the claim of epoch {claim.epoch}"


def _to_int(word: bytes) -> int:
    return int.from_bytes(word, "big")
