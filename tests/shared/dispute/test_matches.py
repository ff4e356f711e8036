"""Matches are the pairs of standing histories, the square of these: what is asked of them is answered without all
pairs, and comes to the same."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from tests.support.courts.crowd import crowded_court, root_of
from tests.support.courts.league import BEGIN as NOW
from tests.support.courts.league import GENESIS, TERMS, Book

from setoff.deploy.simulation.lab.cases import draw_game
from setoff.shared.dispute.events import Moved
from setoff.shared.dispute.game import Claim, ClaimState, CourtState, Match
from setoff.shared.params import ETHER
from setoff.watcher.monitor.dispute_view import view_disputes
from setoff.watcher.monitor.text import to_text

GAMES, GROUPS = 48, 4


def pairs(claim: Claim) -> list[Match]:
    """Every match between two standing histories, in the order of their joins."""
    standing = sorted(claim.standing(), key=lambda history: history.join_order)
    return [claim.match(one.root, other.root) for one, other in combinations(standing, 2)]


def clock(claim: Claim, match: Match, period: int) -> tuple[bool, int, int, int]:
    """What the times of a match are."""
    expiry = 0 if match.is_sealed else claim.expiry(match, period)
    return match.is_sealed, match.level, match.since, expiry


def check(claim: Claim, period: int) -> None:
    everything = pairs(claim)
    for history in claim.standing():
        found = list(claim.matches_of(history.root))
        assert found == [match for match in everything if history.root in (match.earlier, match.later)]
    turns = list(claim.turns())
    assert all(match in everything for match in turns)
    assert all(match in turns for match in everything if match.level)
    assert {clock(claim, match, period) for match in turns} == {clock(claim, match, period) for match in everything}
    assert len(turns) <= len(claim.matches) + max(len(claim.standing()) - 1, 0)


def states(seed: int) -> Iterator[CourtState]:
    """A random game, after each of its events."""
    lab = draw_game(seed).run()
    court = CourtState(lab.terms, lab.court.start_of[0])
    for event in lab.model.log:
        court.apply(event)
        yield court


@pytest.mark.parametrize("group", range(GROUPS))
def test_in_random_games_nothing_is_missed(group: int) -> None:
    most = 0
    for seed in range(group, GAMES, GROUPS):
        for court in states(seed):
            for claim in court.unfinished():
                check(claim, court.terms.challenge_period)
                most = max(most, len(claim.standing()))
    assert most >= 4, "games with few histories show nothing"


def test_the_monitor_shows_a_thousand_liars_without_their_matches_with_each_other() -> None:
    liars = 1000
    court = crowded_court(liars)
    (claim,) = court.unfinished()
    child = bytes(32)
    court.apply(Moved(NOW + liars, claim.key, root_of(2), root_of(1), 0, 3, (child,) * 32, child, child, bytes(20)))
    assert claim.state is ClaimState.DISPUTED
    (shown,) = view_disputes(court, Book(), 7, NOW).disputes
    assert len(shown.matches) + shown.idle_matches == liars * (liars + 1) // 2
    assert len(shown.matches) <= liars + 1 and [match.level for match in shown.matches].count(1) == 1
    assert shown.at_stake == (liars + 1) * TERMS.bond + TERMS.stake_reward > ETHER
    text = to_text(view_disputes(court, None, 7, NOW))
    assert f"and {shown.idle_matches} matches between others in which nobody has moved" in text
    assert claim.start == GENESIS
