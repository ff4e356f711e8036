"""Deadlines of actions, and who does first what one player is enough for."""

from tests.support.courts.arena import lie_from
from tests.support.courts.league import BEGIN, CLAIMANT, HONEST, LIAR, OTHER, TRUTH, Game, T

from setoff.deploy.simulation.lab.machine import position
from setoff.shared.dispute import actions
from setoff.shared.dispute.urgency import deadline_of, share_of_wait

LIE = lie_from(TRUTH.leaf(0), position(0, 0, 2), "urgent")


def disputed() -> Game:
    return Game(LIE.end).at(100).join(TRUTH, by=HONEST).at(130).join(LIE, by=LIAR)


def test_a_move_is_due_when_the_clock_of_the_side_on_turn_runs_out() -> None:
    game = disputed()
    key = game.key
    match = game.court.claims[key].match(TRUTH.root, LIE.root)
    move = actions.Move(key, match.on_turn, match.waiting, 0)
    assert deadline_of(move, game.court) == game.court.claims[key].expiry(match, T)
    assert deadline_of(actions.Prove(key, TRUTH.root, LIE.root), game.court) == BEGIN + 100 + 3 * T


def test_joins_have_a_deadline_and_housekeeping_has_none() -> None:
    claimed = Game(LIE.end)
    assert deadline_of(actions.Join(claimed.key, TRUTH.root), claimed.court) == BEGIN + T
    assert deadline_of(actions.Install(claimed.key, LIE.end), claimed.court) is None
    assert deadline_of(actions.Advance(0), claimed.court) is None


def test_who_is_paid_goes_first_and_the_others_wait_differently() -> None:
    game = Game(TRUTH.end)
    install = actions.Install(game.key, TRUTH.end)
    assert share_of_wait(install, game.court, CLAIMANT) == 0
    waits = {share_of_wait(install, game.court, who) for who in (HONEST, LIAR, OTHER)}
    assert len(waits) == 3 and all(0.25 <= wait <= 1 for wait in waits)
    # A move, a proof, a join: never left to others.
    assert share_of_wait(actions.Join(game.key, TRUTH.root), game.court, HONEST) == 0
