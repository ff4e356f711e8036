"""The court's own counters against the games as they were read: what is asked, and what is found."""

from typing import Any

from tests.support.courts.crowd import KEY, crowded_court, root_of
from tests.support.courts.league import BEGIN

from setoff.shared.dispute.events import Moved
from setoff.shared.dispute.game import CourtState
from setoff.shared.l1.answers import Block
from setoff.shared.l1.court_audit import STATES, find_gap

LIARS = 100
HEAD = Block(9, bytes(32), bytes(32), BEGIN + LIARS, 0)


class CourtAsItIs:
    """Answers the audit's questions from another state; counts those about matches."""

    def __init__(self, court: CourtState) -> None:
        self._court = court
        self.matches_asked = 0

    def view(self, name: str, *arguments: Any, block: int) -> Any:
        court = self._court
        if name == "start_of":
            return court.start_of.get(arguments[0], bytes(32))
        if name == "stake_count":
            return 0
        claim = court.claims[arguments[0]]
        if name == "claim_of":
            counts = len(claim.histories), len(claim.standing()), len(claim.ends())
            return (STATES[claim.state], 0, 0, *counts, 0, 0)
        self.matches_asked += 1
        match = claim.match(*arguments[1:])
        return [(0, 0, match.level, match.prefix, match.since)]


def crowd_with_a_move(mover: int, opponent: int) -> CourtAsItIs:
    court, child = crowded_court(LIARS), bytes(32)
    move = Moved(BEGIN + LIARS, KEY, root_of(mover), root_of(opponent), 0, 3, (child,) * 32, child, child)
    court.apply(move)
    return CourtAsItIs(court)


def test_a_move_against_our_history_that_was_not_read_is_found() -> None:
    read, real = crowded_court(LIARS), crowd_with_a_move(77, 5)
    assert "at level 1" in find_gap(real, read, HEAD, lambda claim: root_of(5))  # type: ignore[arg-type]


def test_what_is_asked_grows_with_the_histories_and_not_with_their_pairs() -> None:
    real = CourtAsItIs(crowded_court(LIARS))
    assert find_gap(real, crowded_court(LIARS), HEAD, lambda claim: root_of(0)) == ""  # type: ignore[arg-type]
    assert real.matches_asked <= 2 * LIARS
