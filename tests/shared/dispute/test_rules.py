"""The court's rules on the model, call by call; after each the game rebuilt from events equals the court's state."""

import pytest
from tests.support.courts.arena import lie_from
from tests.support.courts.league import CLAIMANT, GENESIS, HONEST, LIAR, OTHER, TERMS, TRUTH, Game, T

from setoff.deploy.simulation.lab.machine import LAST, Exchanged, Garbage, position
from setoff.shared.codec.hashing import keccak
from setoff.shared.params import ETHER, GWEI, MOVE_GAS, PROVE_GAS, TIMEOUT_GAS

LIE = lie_from(GENESIS, position(0, 1, 2), "lie")
FALSE_MIDDLE = Exchanged(TRUTH, position(1, 0, 1), keccak(b"middle"))
SHARE = TERMS.bond - TERMS.bond_burn


@pytest.mark.parametrize(
    "place",
    [
        0,
        LAST,
        position(0, 0, 9),
        position(0, 900, 5),
        position(7, 3, 1),
        position(0, 1, 0) - 1,
        position(0, 1, 0),
        position(1, 0, 0) - 1,
        position(1, 0, 0),
    ],
    ids=[
        *("first leaf", "last leaf", "idle input", "unused input", "unused batch"),
        *("end of an input", "begin of an input", "end of a batch", "begin of a batch"),
    ],
)
@pytest.mark.parametrize("is_liar_first", [False, True])
def test_a_lie_is_found_wherever_it_is(place: int, is_liar_first: bool) -> None:
    lie = Exchanged(TRUTH, place, keccak(b"lie"))
    game = Game(LIE.end).join(TRUTH)
    if is_liar_first:
        game = Game(LIE.end).join(lie, LIAR).join(TRUTH)
    else:
        game.join(lie, LIAR)
    game.play(TRUTH, lie)
    assert game.court.claims[game.key].match(TRUTH.root, lie.root).prefix == place
    game.prove(TRUTH, lie).expect_out(lie)
    game.refuses("history_not_standing").timeout(TRUTH, lie)
    game.refuses("history_exists").join(lie, LIAR)


def test_the_claimant_is_slashed_for_a_false_end_and_its_chain_goes_on() -> None:
    game = Game(LIE.end).at(10).join(TRUTH).at(20).join(LIE, LIAR).at(30).play(TRUTH, LIE).prove(TRUTH, LIE)
    game.expect_out(LIE).at(T - 1).refuses("too_early").install(TRUTH.end)
    game.at(T).refuses("too_early").install(TRUTH.end)
    game.at(T + 10).refuses("wrong_end").install(LIE.end).install(TRUTH.end).settle(TRUTH).expect_state("settled")
    game.expect_owed(HONEST, TERMS.stake_reward).release(TRUTH, LIE)
    game.expect_owed(HONEST, TERMS.stake_reward + TERMS.bond + SHARE)
    game.refuses("history_not_held").release(LIE)


def test_a_true_claim_that_is_disputed_is_defended_and_costs_its_claimant_nothing() -> None:
    game = Game(TRUTH.end).refuses("not_disputed").join(TRUTH).at(T - 1).join(LIE, LIAR)
    game.at(2 * T - 2).join(TRUTH).play(TRUTH, LIE).prove(TRUTH, LIE).expect_standing(TRUTH)
    game.install(TRUTH.end).settle(TRUTH).release(TRUTH, LIE)
    assert game.model.has_room(CLAIMANT) and game.model.stakes[0].open == 0


def test_the_windows_close_exactly() -> None:
    Game(LIE.end).at(T - 1).join(TRUTH)
    Game(LIE.end).at(T).refuses("too_late").join(TRUTH)
    Game(TRUTH.end).at(5).join(LIE, LIAR).at(T + 4).join(TRUTH)
    Game(TRUTH.end).at(5).join(LIE, LIAR).at(T + 5).refuses("too_late").join(TRUTH)
    Game(TRUTH.end).at(T - 1).refuses("too_early").install(TRUTH.end)
    Game(TRUTH.end).at(T).install(TRUTH.end).expect_state("settled")


def test_a_clock_counts_what_was_spent_before_the_join_and_only_while_on_turn() -> None:
    game = Game(LIE.end).at(100).join(TRUTH).at(300).join(LIE, LIAR)
    # The claim's defender spent 200 s since the dispute began: it is on turn and has T - 200 left.
    game.at(300 + T - 200 - 1).refuses("clock_runs").timeout(TRUTH, LIE)
    game.move(LIE, TRUTH, LIAR)
    # The disputer spent 100 s since the claim.
    game.at(1099 + T - 100 - 1).refuses("clock_runs").timeout(TRUTH, LIE).move(TRUTH, LIE)
    # Both have one second left.
    game.refuses("not_on_turn").move(TRUTH, LIE)
    game.at(1099 + T - 100).refuses("clock_run_out").move(LIE, TRUTH, LIAR).timeout(LIE, TRUTH).expect_out(LIE)


def test_right_end_and_false_middle_loses_like_any_other_lie() -> None:
    game = Game(LIE.end).join(TRUTH).join(FALSE_MIDDLE, LIAR).play(TRUTH, FALSE_MIDDLE).prove(TRUTH, FALSE_MIDDLE)
    game.expect_standing(TRUTH)


def test_a_root_with_nothing_behind_it_can_only_wait_for_its_end() -> None:
    garbage = Garbage(keccak(b"nowhere"), b"garbage")
    game = Game(LIE.end).join(TRUTH).join(garbage, LIAR).at(T - 1).refuses("clock_runs").timeout(TRUTH, garbage)
    game.at(T).timeout(garbage, TRUTH).expect_out(garbage)


def test_two_lies_may_fall_to_one_proof() -> None:
    one, two = (Exchanged(TRUTH, position(0, 0, 0), keccak(word)) for word in (b"one", b"two"))
    game = Game(LIE.end).join(one, LIAR).join(two, OTHER).play(one, two).prove(one, two).expect_out(one, two)
    game.at(T - 1).refuses("too_early").void().at(T).void().expect_state("void")
    assert game.model.stakes[0].slashed and game.court.next_round(0, GENESIS) == 1


def test_nobody_is_picked_while_several_ends_stand() -> None:
    other = lie_from(GENESIS, position(1, 2, 3), "other")
    game = Game(LIE.end).join(TRUTH).join(other, LIAR)
    game.at(2 * T).refuses("ends_differ").install(TRUTH.end)
    game.at(3 * T - 1).refuses("too_early").void().at(3 * T).void().release(TRUTH, other)
    game.expect_owed(HONEST, TERMS.bond).expect_owed(LIAR, TERMS.bond)


def test_only_actions_for_the_winner_are_paid_and_only_by_the_loser() -> None:
    other = lie_from(GENESIS, position(1, 2, 3), "other")
    price = GWEI
    game = Game(LIE.end).join(TRUTH).join(LIE, LIAR).join(other, OTHER)
    game.play(other, LIE, OTHER, price).prove(other, LIE, OTHER, price)
    game.expect_out(LIE)
    game.play(TRUTH, other, HONEST, price).prove(TRUTH, other, HONEST, price)
    game.at(T).install(TRUTH.end).settle(TRUTH).release(TRUTH, LIE, other)
    # Liar against liar pays nothing; of the seven moves against `other` three were for the truth.
    gas = (3 * MOVE_GAS + PROVE_GAS) * price
    game.refuses("nothing_owed").redeem(LIE, OTHER)
    before = game.model.owed[HONEST]
    assert before == TERMS.stake_reward + TERMS.bond + SHARE + SHARE - gas
    game.redeem(other, HONEST).expect_owed(HONEST, before + gas)
    game.refuses("nothing_owed").redeem(other, HONEST)


def test_credits_never_exceed_the_share_of_the_loser() -> None:
    game = Game(LIE.end).join(TRUTH).join(LIE, LIAR).play(TRUTH, LIE, OTHER, 10**6 * GWEI)
    game.prove(TRUTH, LIE, OTHER, 10**6 * GWEI).at(T).install(TRUTH.end).settle(TRUTH).release(LIE)
    capped = (3 * MOVE_GAS + PROVE_GAS) * TERMS.gas_price_cap
    assert game.court.claims[game.key].histories[LIE.root].slice == min(capped, SHARE)


def test_a_timeout_is_paid_to_who_called_it() -> None:
    game = Game(LIE.end).join(TRUTH).join(LIE, LIAR).at(T).timeout(TRUTH, LIE, OTHER, GWEI)
    game.install(TRUTH.end).settle(TRUTH).release(LIE).redeem(LIE, OTHER)
    game.expect_owed(OTHER, TIMEOUT_GAS * GWEI)


def test_money_is_conserved_to_the_wei() -> None:
    game = Game(LIE.end).join(TRUTH).join(LIE, LIAR).play(TRUTH, LIE, HONEST, 3 * GWEI).at(T)
    game.prove(TRUTH, LIE, HONEST, GWEI).install(TRUTH.end).settle(TRUTH).release(TRUTH, LIE).redeem(LIE, HONEST)
    model = game.model
    for who in (HONEST, LIAR):
        if model.owed[who]:
            model.collect(who)
    assert model.balance == 0
    assert model.burnt == TERMS.stake - TERMS.stake_reward + TERMS.bond_burn
    assert model.wallets[HONEST] == TERMS.stake_reward + SHARE
    assert model.wallets[CLAIMANT] == -TERMS.stake and TERMS.stake == 10 * ETHER
