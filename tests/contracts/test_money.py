"""Every wei that comes into the court: who gets it, what is burnt, and that nothing is left."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.courts.arena import (
    BOND,
    CLAIMANT,
    HONEST,
    MOOT,
    MOVER,
    NOBODY,
    OUT,
    PAID,
    PARAMS,
    PASSER_BY,
    RIVAL,
    SETTLED,
    SHARE,
    SINK,
    STANDING,
    THIRD,
    VOID,
    Arena,
    T,
    lie_from,
    truth,
)
from tests.support.evm import ETHER, reverts
from tests.support.own_contracts import RELAY

from setoff.deploy.simulation.lab.machine import Exchanged, Garbage, Leaves
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import encode_words

STAKE, REWARD, CLAIMS = PARAMS.stake, PARAMS.stake_reward, PARAMS.stake_claims
GWEI = 10**9
LIE = keccak(b"a lie")
STEP = 1 << 20 | 2


def held(arena: Arena) -> int:
    return arena.chain.balance(arena.court.address)


def burnt(arena: Arena) -> int:
    return arena.chain.balance(SINK)


def direction(key: bytes, loser: Leaves, winner: Leaves) -> bytes:
    return keccak(encode_words(key, loser.root, winner.root))


def credited(arena: Arena, key: bytes, loser: Leaves, winner: Leaves, mover: str = HONEST) -> int:
    return int(arena.court.credit_of(direction(key, loser, winner), mover))


def finish(arena: Arena, key: bytes, winner: Leaves) -> None:
    """Install and settle, and advance the first epoch."""
    arena.chain.set_time(max(arena.now, arena.court.claim_of(key)[6] + T))
    arena.court.install(key, winner.end)
    arena.court.settle(key, winner.root)
    arena.court.advance(0)


# --- stakes ----------------------------------------------------------------------------------------------------------


def test_one_stake_covers_n_max_open_claims() -> None:
    arena = Arena(epochs=CLAIMS + 2)
    ends = [keccak(bytes([number])) for number in range(CLAIMS + 2)]
    starts = [arena.genesis, *ends]
    arena.claim(ends[0])
    assert held(arena) == STAKE
    for epoch in range(1, CLAIMS):
        assert arena.court.has_room(CLAIMANT)
        with reverts("wrong_value"):
            arena.court.claim(epoch, starts[epoch], ends[epoch], sender=CLAIMANT, value=STAKE)
        arena.court.claim(epoch, starts[epoch], ends[epoch], sender=CLAIMANT)
    assert not arena.court.has_room(CLAIMANT)
    for value in (0, 1, STAKE - 1, STAKE + 1):
        with reverts("wrong_value"):
            arena.court.claim(CLAIMS, starts[CLAIMS], ends[CLAIMS], sender=CLAIMANT, value=value)
    arena.court.claim(CLAIMS, starts[CLAIMS], ends[CLAIMS], sender=CLAIMANT, value=STAKE)
    assert held(arena) == 2 * STAKE
    assert arena.court.stake_of(CLAIMANT) == 2
    assert [arena.court.stake_at(i)[2] for i in (1, 2)] == [CLAIMS, 1]
    assert not arena.court.has_room(HONEST)
    with reverts("wrong_value"):
        arena.court.claim(CLAIMS + 1, starts[CLAIMS + 1], LIE, sender=HONEST)


def test_an_unslashed_stake_goes_back_when_its_last_claim_closed(arena: Arena) -> None:
    key = arena.claim(LIE)
    with reverts("stake_open"):
        arena.court.unstake(1, sender=CLAIMANT)
    arena.warp(T)
    arena.court.install(key, LIE)
    assert arena.court.has_room(CLAIMANT)
    with reverts("not_the_owner"):
        arena.court.unstake(1, sender=RIVAL)
    with reverts("not_the_owner"):
        arena.court.unstake(2, sender=CLAIMANT)
    arena.court.unstake(1, sender=CLAIMANT)
    assert not arena.court.has_room(CLAIMANT)
    assert arena.owed(CLAIMANT) == STAKE
    with reverts("nothing_owed"):
        arena.court.unstake(1, sender=CLAIMANT)
    arena.collect_all()
    assert held(arena) == 0


def test_two_lies_on_one_stake_pay_both_winners() -> None:
    arena = Arena()
    arena.post_epochs(1)
    first, second = truth(arena.genesis), truth(truth(arena.genesis).end, epoch=1)
    keys = [arena.claim(LIE)]
    arena.join(keys[0], first, HONEST)
    keys.append(arena.claim(LIE, first.end, 1))
    assert held(arena) == STAKE + BOND
    arena.join(keys[1], second, RIVAL)
    arena.warp(T)
    for key, history in zip(keys, (first, second), strict=True):
        arena.court.install(key, history.end)

    with reverts("start_not_confirmed"):
        arena.court.settle(keys[1], second.root)
    arena.court.settle(keys[0], first.root)
    assert arena.chain.last.named("Slashed") == [{"id": 1, "payee": HONEST}]
    assert burnt(arena) == STAKE - CLAIMS * REWARD
    assert arena.owed(HONEST) == REWARD
    # A slashed stake takes no further claim, and is not given back.
    assert not arena.court.has_room(CLAIMANT)
    arena.court.advance(0)
    arena.court.settle(keys[1], second.root)
    assert arena.owed(RIVAL) == REWARD
    assert burnt(arena) == STAKE - 2 * REWARD  # what no other lie needed went with the last claim
    with reverts("stake_slashed"):
        arena.court.unstake(1, sender=CLAIMANT)
    for key, history in zip(keys, (first, second), strict=True):
        arena.court.release(key, history.root)
    arena.collect_all()
    assert held(arena) == 0


def test_a_slashed_stake_keeps_what_open_claims_may_need() -> None:
    arena = Arena()
    arena.post_epochs(1)
    honest = truth(arena.genesis)
    lie = arena.claim(LIE)
    arena.join(lie, honest)
    fine = arena.claim(truth(honest.end, 1).end, honest.end, 1)
    arena.warp(T)
    arena.court.install(lie, honest.end)
    arena.court.settle(lie, honest.root)
    assert arena.court.stake_at(1) == (CLAIMANT, (CLAIMS - 1) * REWARD, 1, True)
    arena.court.install(fine, truth(honest.end, 1).end)
    assert arena.court.stake_at(1) == (CLAIMANT, 0, 0, True)
    arena.court.release(lie, honest.root)
    arena.collect_all()
    assert held(arena) == 0
    assert burnt(arena) == STAKE - REWARD


def test_a_true_claim_is_not_slashed_by_a_dispute(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(honest.end)
    arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    arena.beat(key, liar, honest)
    finish(arena, key, honest)
    assert arena.court.stake_at(1) == (CLAIMANT, STAKE, 0, False)


# --- bonds and credits -----------------------------------------------------------------------------------------------


def test_a_won_dispute_pays_out_to_the_wei(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.seal(key, honest, liar, by=MOVER, gas_price=50 * GWEI)
    arena.prove(key, honest, liar, by=THIRD, gas_price=10 * GWEI)
    moves, proof = credited(arena, key, liar, honest, MOVER), credited(arena, key, liar, honest, THIRD)
    assert 0 < moves <= 3 * 50 * GWEI * arena.court.MOVE_GAS()
    assert 0 < proof <= 10 * GWEI * arena.court.PROVE_GAS()

    for call in (lambda: arena.court.release(key, honest.root), lambda: arena.court.release(key, liar.root)):
        with reverts("claim_state"):
            call()
    finish(arena, key, honest)
    assert arena.state(key) == SETTLED
    with reverts("nothing_owed"):
        arena.court.redeem(key, liar.root, MOVER)
    with reverts("history_not_held"):
        arena.court.release(key, keccak(b"no such history"))
    arena.court.release(key, liar.root, sender=PASSER_BY)
    assert arena.history_state(key, liar) == PAID
    assert arena.court.slices(key, liar.root) == moves + proof
    assert arena.owed(HONEST) == REWARD + SHARE - moves - proof
    arena.court.release(key, honest.root, sender=PASSER_BY)
    assert arena.owed(HONEST) == REWARD + SHARE - moves - proof + BOND
    for root in (honest.root, liar.root):
        with reverts("history_not_held"):
            arena.court.release(key, root)
    arena.court.redeem(key, liar.root, MOVER, sender=PASSER_BY)
    arena.court.redeem(key, liar.root, THIRD, sender=PASSER_BY)
    for mover in (MOVER, THIRD, HONEST, RIVAL):
        with reverts("nothing_owed"):
            arena.court.redeem(key, liar.root, mover)
    assert (arena.owed(MOVER), arena.owed(THIRD), arena.owed(RIVAL)) == (moves, proof, 0)
    before = arena.chain.balance(MOVER)
    arena.collect_all(MOVER, HONEST, THIRD)
    assert arena.chain.balance(MOVER) == before + moves
    assert held(arena) == 0
    assert burnt(arena) == STAKE - REWARD + PARAMS.bond_burn


def test_a_timeout_is_credited_too(arena: Arena) -> None:
    honest, garbage = truth(arena.genesis), Garbage(LIE, b"garbage")
    key = arena.claim(honest.end)
    arena.join(key, garbage, RIVAL)
    arena.join(key, honest)
    arena.move(key, honest, garbage)
    arena.warp(T)
    arena.court.timeout(key, honest.root, garbage.root, sender=MOVER, gas_price=GWEI)
    credit = credited(arena, key, garbage, honest, MOVER)
    assert 0 < credit <= GWEI * arena.court.TIMEOUT_GAS()
    finish(arena, key, honest)
    arena.court.release(key, garbage.root)
    arena.court.redeem(key, garbage.root, MOVER)
    assert arena.owed(MOVER) == credit
    assert arena.owed(HONEST) == SHARE - credit


def test_a_credit_is_about_the_gas_that_was_paid(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    total = 0
    for _ in range(7):
        arguments = arena.move_arguments(key, honest, liar)
        arena.chain.cool()
        arena.court.move(*arguments, sender=HONEST, gas_price=GWEI)
        paid = arena.chain.last.gas_used
        now = credited(arena, key, liar, honest) + credited(arena, key, honest, liar)
        # Never short by more than a few per cent, unless for the limit.
        assert (
            min(paid, arena.court.MOVE_GAS()) * 0.9 <= (now - total) / GWEI <= min(1.5 * paid, arena.court.MOVE_GAS())
        )
        total = now


@pytest.mark.parametrize("gas_price", [0, GWEI, PARAMS.gas_price_cap, 50 * PARAMS.gas_price_cap])
def test_no_gas_price_exceeds_the_slice(arena: Arena, gas_price: int) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    arena.seal(key, honest, liar, gas_price=gas_price)
    arena.prove(key, honest, liar, gas_price=gas_price)
    credit = credited(arena, key, liar, honest)
    if gas_price == 0:
        assert credit == 0
    most = 4 * arena.court.MOVE_GAS() + arena.court.PROVE_GAS()
    assert credit <= most * min(gas_price, PARAMS.gas_price_cap) <= SHARE
    finish(arena, key, honest)
    arena.court.release(key, liar.root)
    arena.court.release(key, honest.root)
    if credit:
        arena.court.redeem(key, liar.root, HONEST)
    arena.collect_all()
    assert held(arena) == 0


def test_a_slice_is_never_exceeded() -> None:
    # A bond far below what the formula asks for: credits are cut, first come first served.
    arena = Arena(replace(PARAMS, bond=10**14))
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    arena.seal(key, honest, liar, by=MOVER, gas_price=GWEI)
    arena.prove(key, honest, liar, by=THIRD, gas_price=GWEI)
    assert credited(arena, key, liar, honest, MOVER) > 10**14
    finish(arena, key, honest)
    arena.court.release(key, liar.root)
    arena.court.release(key, honest.root)
    assert arena.court.slices(key, liar.root) == 10**14 // 2
    arena.court.redeem(key, liar.root, MOVER)
    with reverts("nothing_owed"):
        arena.court.redeem(key, liar.root, THIRD)
    arena.collect_all(MOVER, HONEST)
    assert held(arena) == 0


def test_liars_who_play_each_other_draw_nothing(arena: Arena) -> None:
    honest = truth(arena.genesis)
    one, other = lie_from(arena.genesis, STEP, "one"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(LIE)
    for history, owner in ((one, RIVAL), (other, THIRD), (honest, HONEST)):
        arena.join(key, history, owner)
    arena.seal(key, one, other, by=MOVER, gas_price=GWEI)
    arena.prove(key, one, other, by=MOVER, gas_price=GWEI)
    assert credited(arena, key, one, other, MOVER) > 0
    finish(arena, key, honest)
    for history in (one, other, honest):
        arena.court.release(key, history.root)
    for root in (one.root, other.root, honest.root):
        with reverts("nothing_owed"):
            arena.court.redeem(key, root, MOVER)
    assert arena.owed(HONEST) == REWARD + 2 * SHARE + BOND
    arena.collect_all()
    assert held(arena) == 0


def test_an_elimination_elsewhere_still_refunds_the_honest_moves(arena: Arena) -> None:
    honest = truth(arena.genesis)
    one, other = lie_from(arena.genesis, STEP, "one"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(LIE)
    for history, owner in ((one, RIVAL), (other, THIRD), (honest, HONEST)):
        arena.join(key, history, owner)
    arena.move(key, honest, one, by=MOVER, gas_price=GWEI)
    credit = credited(arena, key, one, honest, MOVER)
    assert credit > 0
    arena.seal(key, one, other)
    arena.prove(key, one, other)
    assert arena.history_state(key, one) == OUT
    finish(arena, key, honest)
    arena.court.release(key, one.root)
    arena.court.redeem(key, one.root, MOVER)
    assert arena.owed(MOVER) == credit


def test_moves_for_the_losing_side_are_not_paid(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    while arena.match(key, honest, liar).level < 7:
        by = RIVAL if arena.match(key, honest, liar).on_turn == liar.root else HONEST
        arena.move(key, honest, liar, by=by, gas_price=GWEI)
    arena.prove(key, honest, liar)
    assert credited(arena, key, honest, liar, RIVAL) > 0
    finish(arena, key, honest)
    arena.court.release(key, liar.root)
    arena.court.release(key, honest.root)
    for root in (honest.root, liar.root):
        with reverts("nothing_owed"):
            arena.court.redeem(key, root, RIVAL)


def test_a_second_standing_history_gets_its_bond_back(arena: Arena) -> None:
    # The right end with a false middle, and nobody plays: from t1 + 3T on the claim is settled all the same.
    honest, lazy = truth(arena.genesis), Exchanged(truth(arena.genesis), STEP, LIE)
    key = arena.claim(LIE)
    arena.join(key, honest)
    disputed_at = arena.now
    arena.join(key, lazy, RIVAL)
    arena.warp(T)
    arena.court.install(key, honest.end)
    arena.chain.set_time(disputed_at + 3 * T - 1)
    with reverts("history_standing"):
        arena.court.settle(key, honest.root)
    arena.warp(1)
    with reverts("history_not_standing"):
        arena.court.settle(key, keccak(b"no such history"))
    with reverts("history_standing"):
        arena.court.settle(key, NOBODY)
    arena.court.settle(key, honest.root)
    for history in (honest, lazy):
        assert arena.history_state(key, history) == STANDING
        arena.court.release(key, history.root)
    arena.court.advance(0)
    assert (arena.owed(HONEST), arena.owed(RIVAL)) == (REWARD + BOND, BOND)
    arena.collect_all()
    assert held(arena) == 0


def test_nobody_left_after_the_installation(arena: Arena) -> None:
    # Both who share the installed end are found out afterwards.
    base = lie_from(arena.genesis, STEP, "a liar")
    one, other = Exchanged(base, STEP + 1, LIE), Exchanged(base, STEP + 1, keccak(b"b"))
    key = arena.claim(LIE)
    arena.join(key, one, RIVAL)
    arena.join(key, other, THIRD)
    arena.seal(key, one, other)
    arena.warp(T)
    arena.court.install(key, base.end)
    arena.prove(key, one, other)
    assert arena.counters(key) == (0, 0)
    for root in (one.root, other.root):
        with reverts("history_not_standing"):
            arena.court.settle(key, root)
    arena.court.settle(key, NOBODY)
    arena.court.release(key, one.root)
    arena.court.release(key, other.root)
    assert held(arena) == 0
    assert burnt(arena) == STAKE + 2 * BOND


# --- void and moot ---------------------------------------------------------------------------------------------------


def test_a_void_dispute_burns_and_returns(arena: Arena) -> None:
    one, other = lie_from(arena.genesis, STEP, "one"), lie_from(arena.genesis, STEP, "other")
    out = lie_from(arena.genesis, STEP, "out")
    key = arena.claim(LIE)
    for history, owner in ((one, RIVAL), (other, THIRD), (out, MOVER)):
        arena.join(key, history, owner)
    arena.seal(key, one, other)
    arena.warp(T)
    arena.court.timeout(key, one.root, out.root, sender=PASSER_BY, gas_price=GWEI)
    arena.warp(2 * T)
    arena.court.void(key)
    assert arena.state(key) == VOID
    assert arena.chain.last.named("Slashed") == [{"id": 1, "payee": "0x" + 40 * "0"}]
    assert burnt(arena) == STAKE
    for history in (one, other, out):
        arena.court.release(key, history.root)
    with reverts("nothing_owed"):
        arena.court.redeem(key, out.root, PASSER_BY)
    assert (arena.owed(RIVAL), arena.owed(THIRD), arena.owed(MOVER)) == (BOND, BOND, 0)
    assert burnt(arena) == STAKE + BOND
    arena.collect_all()
    assert held(arena) == 0


def test_a_void_claim_that_somebody_defends_is_not_slashed(arena: Arena) -> None:
    claimed, liar = lie_from(arena.genesis, STEP, "claimed"), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(claimed.end)
    arena.join(key, liar, RIVAL)
    arena.join(key, claimed, THIRD)
    arena.seal(key, claimed, liar)
    arena.warp(3 * T)
    arena.court.void(key)
    assert arena.court.stake_at(1) == (CLAIMANT, STAKE, 0, False)


def false_start_arena() -> tuple[Arena, bytes, bytes, Leaves, Leaves]:
    """An arena with a disputed claim on a false start of epoch 1: (arena, true key, false key, out, standing)."""
    arena = Arena(epochs=2)
    false_start = keccak(b"false start")
    true_key = arena.claim(false_start, by=THIRD)
    arena.join(true_key, truth(arena.genesis), by=MOVER)
    key = arena.claim(LIE, false_start, 1)
    one, other = truth(false_start, 1), lie_from(false_start, STEP, "liar", 1)
    arena.join(key, one, HONEST)
    arena.join(key, other, RIVAL)
    arena.seal(key, one, other, by=MOVER, gas_price=GWEI)
    arena.prove(key, one, other, start=false_start)
    return arena, true_key, key, other, one


def test_a_moot_dispute_refunds_everybody_once() -> None:
    arena, true_key, key, out, standing = false_start_arena()
    arena.warp(T)
    arena.court.install(key, standing.end)
    # Nothing is paid before the start is confirmed, whatever the outcome.
    with reverts("start_not_confirmed"):
        arena.court.settle(key, standing.root)
    with reverts("start_not_false"):
        arena.court.reclaim_history(key, out.root)
    with reverts("start_not_false"):
        arena.court.reclaim(key)
    arena.court.install(true_key, truth(arena.genesis).end)
    arena.court.advance(0)
    with reverts("start_not_confirmed"):
        arena.court.settle(key, standing.root)
    with reverts("claim_state"):
        arena.court.release(key, out.root)
    arena.court.reclaim_history(key, out.root, sender=PASSER_BY)
    assert arena.state(key) == MOOT
    assert arena.owed(RIVAL) == BOND
    arena.court.reclaim_history(key, standing.root, sender=PASSER_BY)
    assert arena.owed(HONEST) == BOND
    for history in (out, standing):
        with reverts("history_not_held"):
            arena.court.reclaim_history(key, history.root)
    with reverts("claim_state"):
        arena.court.reclaim(key)
    arena.court.unstake(2, sender=CLAIMANT)
    arena.collect_all()
    assert held(arena) == STAKE + BOND  # of the claim before
    assert burnt(arena) == 0


def test_a_void_dispute_on_a_false_start_refunds_its_bonds() -> None:
    arena = Arena(epochs=2)
    false_start = keccak(b"false start")
    true_key = arena.claim(false_start, by=THIRD)
    arena.join(true_key, truth(arena.genesis), by=MOVER)
    key = arena.claim(LIE, false_start, 1)
    one, other = lie_from(false_start, STEP, "one", 1), lie_from(false_start, STEP, "other", 1)
    arena.join(key, one, HONEST)
    arena.join(key, other, RIVAL)
    arena.seal(key, one, other)
    arena.prove(key, one, other, start=false_start)
    arena.warp(T)
    arena.court.void(key)
    with reverts("start_not_false"):
        arena.court.reclaim_history(key, one.root)
    with reverts("start_not_confirmed"):
        arena.court.release(key, one.root)
    arena.court.install(true_key, truth(arena.genesis).end)
    arena.court.advance(0)
    arena.court.reclaim_history(key, one.root)
    arena.court.reclaim_history(key, other.root)
    assert arena.state(key) == VOID
    assert (arena.owed(HONEST), arena.owed(RIVAL)) == (BOND, BOND)
    with reverts("start_not_confirmed"):
        arena.court.release(key, one.root)


def test_nothing_of_a_true_start_is_reclaimed(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.beat(key, liar, honest)
    calls: list[Callable[[], object]] = [
        lambda: arena.court.reclaim(key),
        lambda: arena.court.reclaim_history(key, liar.root),
        lambda: arena.court.reclaim_history(key, honest.root),
    ]
    for call in calls:
        with reverts("start_not_false"):
            call()
    finish(arena, key, honest)
    for call in calls:
        with reverts("start_not_false"):
            call()


# --- payment ---------------------------------------------------------------------------------------------------------


def test_payment_is_pulled_by_anybody_for_the_owner_alone(arena: Arena) -> None:
    relay = arena.chain.deploy(RELAY)
    claim = arena.court.encode("claim", 0, arena.genesis, LIE)
    relay.forward(arena.court.address, claim, sender=RIVAL, value=STAKE)
    arena.warp(T)
    arena.court.install(arena.key(arena.genesis), LIE)
    relay.forward(arena.court.address, arena.court.encode("unstake", 1), sender=RIVAL)
    assert arena.owed(relay.address) == STAKE

    # A receiver that refuses loses nothing and stops nobody.
    relay.prepare(True, "0x" + 40 * "0", b"")
    with reverts("refused"):
        arena.court.collect(relay.address, sender=PASSER_BY)
    assert arena.owed(relay.address) == STAKE
    with reverts("nothing_owed"):
        arena.court.collect(RIVAL, sender=RIVAL)

    # One that calls again while being paid gets nothing more.
    relay.prepare(False, arena.court.address, arena.court.encode("collect", relay.address))
    arena.court.collect(relay.address, sender=PASSER_BY)
    assert not relay.returned()
    assert arena.chain.balance(relay.address) == STAKE
    assert held(arena) == 0


def test_self_attack_loses_the_burnt_share(arena: Arena) -> None:
    # One person owns the claim, the lie and the truth.
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    before = arena.chain.balance(RIVAL)
    key = arena.claim(liar.end, by=RIVAL)
    arena.join(key, honest, RIVAL)
    arena.join(key, liar, RIVAL)
    arena.beat(key, liar, honest, by=RIVAL)
    finish(arena, key, honest)
    for root in (honest.root, liar.root):
        arena.court.release(key, root)
    arena.collect_all()
    assert before - arena.chain.balance(RIVAL) == STAKE - REWARD + PARAMS.bond_burn
    assert held(arena) == 0
    assert PARAMS.bond_burn >= ETHER // 2
