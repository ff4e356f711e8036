"""The court's own counters against the games rebuilt from its events: what a node left out of them shows here.

An event leaves a trace in the court's storage. A claim counts on its stake until it is closed, a history on its claim
until it is out, a move in its match; a confirmed start is there or not. So a view that agrees in all of these has
missed nothing that a player could still act upon. Money that is owed is left to the call that fetches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from setoff.shared.dispute.game import Claim, ClaimState, CourtState
from setoff.shared.l1.answers import Block
from setoff.shared.l1.contracts import Contract

STATES: Final[dict[ClaimState, int]] = {
    ClaimState.CLAIMED: 1,
    ClaimState.DISPUTED: 2,
    ClaimState.INSTALLED: 3,
    ClaimState.SETTLED: 4,
    ClaimState.VOID: 5,
    ClaimState.MOOT: 6,
}
"""As `contracts/court/claims.vy` counts them."""

RootOf = Callable[[Claim], bytes | None]
"""The root of a claim's true history, None where it is not known."""


def find_gap(contract: Contract, court: CourtState, block: Block, root_of: RootOf = lambda _: None) -> str:
    """The first thing in which the court after `block` differs from the games as they were rebuilt up to there; empty
    if there is none. Raises ChainError.

    `root_of`: whose matches are compared even where nobody has moved yet, as far as is known.
    """
    return next(_find_gaps(contract, court, block, root_of), "")


def _find_gaps(contract: Contract, court: CourtState, block: Block, root_of: RootOf) -> Iterator[str]:
    at = block.number
    confirmed = court.confirmed
    if contract.view("start_of", confirmed, block=at) != court.start_of[confirmed]:
        yield f"the start of epoch {confirmed} is another"
    if any(contract.view("start_of", confirmed + 1, block=at)):
        yield f"epoch {confirmed + 1} has a confirmed start"
    count = contract.view("stake_count", block=at)
    if count != max(court.stakes, default=0):
        yield f"{count} stakes were opened"
    for number, stake in court.stakes.items():
        if court.stake_of.get(stake.owner) != number and not stake.open:
            continue  # closed, and fetched back
        _, _, still_open, slashed = contract.view("stake_at", number, block=at)
        if (still_open, slashed) != (stake.open, stake.is_slashed):
            yield f"stake {number} has {still_open} open claims"
    for claim in court.unfinished():
        yield from _compare(contract, claim, root_of(claim), at)


def _compare(contract: Contract, claim: Claim, root: bytes | None, at: int) -> Iterator[str]:
    """A claim, its matches in which somebody has moved, and all of the history with this root.

    The rest, between others, decides nothing, and is the square of the histories.
    """
    state, *_, joined, standing, ends, _, _ = contract.view("claim_of", claim.key, block=at)
    name = f"the claim of epoch {claim.epoch}"
    if state != STATES[claim.state]:
        yield f"{name} is in state {state}"
    if (joined, standing, ends) != (len(claim.histories), len(claim.standing()), len(claim.ends())):
        yield f"{name} has {joined} histories, of which {standing} stand"
    ours = claim.matches_of(root) if root is not None and claim.is_standing(root) else ()
    for match in {(match.earlier, match.later): match for match in (*claim.turns(), *ours)}.values():
        found = contract.view("match_of", claim.key, match.earlier, match.later, block=at)[0]
        if (found[2], found[3], found[4]) != (match.level, match.prefix, match.since):
            yield f"a match of {name} is at level {found[2]}"
