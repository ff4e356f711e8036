"""What the court's storage is held against: what is asked, and what is found."""

from tests.support.courts.crowd import KEY, crowded_court, root_of
from tests.support.courts.league import BEGIN

from setoff.shared.dispute.events import Moved
from setoff.shared.dispute.game import CourtState
from setoff.shared.l1.court_audit import list_facts

LIARS = 100


def crowd_with_a_move(mover: int, opponent: int) -> CourtState:
    court, child = crowded_court(LIARS), bytes(32)
    court.apply(Moved(BEGIN + LIARS, KEY, root_of(mover), root_of(opponent), 0, 3, (child,) * 32, child, child))
    return court


def test_a_move_against_our_history_that_was_not_read_is_found() -> None:
    held = {fact.slot: fact.value for fact in list_facts(crowd_with_a_move(77, 5))}
    facts = list(list_facts(crowded_court(LIARS), lambda claim: root_of(5)))
    (gap,) = [fact for fact in facts if fact.value != held.get(fact.slot, 0)]
    assert gap.what.startswith("a match") and gap.value == 0


def test_what_is_asked_grows_with_the_histories_and_not_with_their_pairs() -> None:
    facts = list(list_facts(crowded_court(LIARS), lambda claim: root_of(0)))
    assert len([fact for fact in facts if fact.what.startswith("a match")]) <= 2 * LIARS
    assert len(facts) <= 8 * LIARS
