"""Claims and the confirmed chain: what may be claimed when, installed, voided, walked over."""

from dataclasses import replace

import pytest
from tests.support.courts.arena import (
    CLAIMANT,
    CLAIMED,
    DISPUTED,
    HONEST,
    INSTALLED,
    MOOT,
    NOBODY,
    PARAMS,
    PASSER_BY,
    RIVAL,
    SETTLED,
    VOID,
    Arena,
    T,
    arena_with,
    lie_from,
    truth,
)
from tests.support.evm import reverts

from setoff.deploy.simulation.lab.machine import Garbage
from setoff.shared.codec.hashing import keccak
from setoff.shared.params import count_keys

END = keccak(b"an end")
OTHER = keccak(b"another end")
STEP = 1 << 20 | 2
"""A real step: input 1, micro-step 2."""


def test_an_undisputed_claim_is_confirmed_after_t(arena: Arena) -> None:
    key = arena.claim(END)
    assert key == arena.key(arena.genesis) == arena.court.key_of(0, arena.genesis)
    (event,) = arena.chain.last.named("Claimed")
    assert event["key"] == key
    assert (event["epoch"], event["start"], event["end"], event["round"]) == (0, arena.genesis, END, 0)
    assert event["claimant"] == CLAIMANT
    assert arena.state(key) == CLAIMED

    arena.warp(T - 1)
    with reverts("too_early"):
        arena.court.install(key, END)
    with reverts("not_installed"):
        arena.court.advance(0)
    arena.warp(1)
    with reverts("wrong_end"):
        arena.court.install(key, OTHER)
    arena.court.install(key, END, sender=PASSER_BY)
    assert arena.state(key) == SETTLED
    arena.court.advance(0, sender=PASSER_BY)
    assert arena.court.confirmed(0) == arena.court.start_of(1) == END
    assert arena.court.confirmed(1) == bytes(32)
    with reverts("claim_state"):
        arena.court.install(key, END)
    with reverts("already_advanced"):
        arena.court.advance(0)
    with reverts("start_unknown"):
        arena.court.advance(2)


def test_claims_only_what_is_posted_whole(arena: Arena) -> None:
    arena.claim(END)
    for epoch in (1, 2, 2**64, 2**256 - 1):
        with reverts("epoch_not_posted"):
            arena.claim(OTHER, END, epoch)
    arena.post()
    with reverts("epoch_not_posted"):
        arena.claim(OTHER, END, 1)
    arena.post()
    arena.claim(OTHER, END, 1)


def test_refuses_a_second_claim_of_one_start(arena: Arena) -> None:
    arena.claim(END)
    for end in (END, OTHER):
        with reverts("already_claimed"):
            arena.claim(end, by=HONEST)
    arena.warp(T)
    arena.court.install(arena.key(arena.genesis), END)
    with reverts("already_claimed"):
        arena.claim(OTHER, by=HONEST)


def test_refuses_the_zero_hash_and_a_contradicted_start(arena: Arena) -> None:
    with reverts("zero_hash"):
        arena.claim(bytes(32))
    with reverts("zero_hash"):
        arena.claim(END, bytes(32))
    with reverts("start_contradicted"):
        arena.claim(END, OTHER)


def test_claims_run_ahead_of_their_confirmation() -> None:
    arena = Arena(epochs=3)
    ends = [keccak(bytes([epoch])) for epoch in range(3)]
    keys = [
        arena.claim(end, start, epoch)
        for epoch, (start, end) in enumerate(zip([arena.genesis, *ends], ends, strict=False))
    ]
    arena.warp(T)
    # Installed in any order, walked in one.
    for key, end in reversed(list(zip(keys, ends, strict=True))):
        arena.court.install(key, end)
    with reverts("start_unknown"):
        arena.court.advance(1)
    for epoch in range(3):
        arena.court.advance(epoch)
    assert [arena.court.confirmed(epoch) for epoch in range(3)] == ends


INTERVAL = 600
PACED = replace(PARAMS, claim_interval=INTERVAL, batch_interval=300, max_skew=1800)


def test_claims_are_paced_along_the_starts_that_somebody_stands_for() -> None:
    arena = Arena(PACED, epochs=3)
    with reverts("claim_too_early"):
        arena.claim(END, OTHER, 1)
    arena.claim(END)
    first = arena.now
    arena.warp(INTERVAL - 1)
    with reverts("claim_too_early"):
        arena.claim(OTHER, END, 1)
    arena.warp(1)
    arena.claim(OTHER, END, 1)
    assert arena.court.stood_at(0, END) == first
    assert arena.court.stood_at(1, OTHER) == first + INTERVAL
    arena.warp(10 * INTERVAL)
    for nobodys in (END, keccak(b"what nobody has said")):
        with reverts("claim_too_early"):
            arena.claim(END, nobodys, 2)
    arena.claim(END, OTHER, 2)


def test_whoever_disputes_a_claim_stands_for_the_start_of_the_next() -> None:
    """So the honest chain goes on under attack, as fast as honest histories join."""
    arena = Arena(PACED, epochs=3)
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(OTHER)
    claimed_at = arena.now
    arena.warp(INTERVAL // 2)
    with reverts("claim_too_early"):
        arena.claim(END, honest.end, 1)
    arena.join(key, honest)
    assert arena.court.stood_at(0, honest.end) == claimed_at, "the pace is that of the claim, not of the join"
    with reverts("claim_too_early"):
        arena.claim(END, honest.end, 1)
    arena.chain.set_time(claimed_at + INTERVAL)
    arena.claim(END, honest.end, 1)
    arena.join(key, liar, RIVAL)
    arena.claim(END, liar.end, 1)
    # Another history with the same end, of a later claim, changes nothing.
    assert arena.court.stood_at(0, liar.end) == claimed_at


def test_the_earliest_claim_counts_of_those_under_which_an_end_is_stood_for() -> None:
    """A start may be reached in several ways; the claim after it has waited for the interval along one of them."""
    arena = Arena(PACED, epochs=3)
    honest, other = truth(arena.genesis), lie_from(arena.genesis, STEP, "other")
    arena.join(arena.claim(OTHER), honest)
    arena.join(arena.key(arena.genesis), other, RIVAL)
    arena.warp(INTERVAL)
    early = arena.claim(keccak(b"a first end"), honest.end, 1)
    at = arena.now
    arena.warp(5)
    arena.claim(END, other.end, 1)
    assert arena.court.stood_at(1, END) == at + 5
    shared = lie_from(honest.end, STEP, "shared", 1)
    arena.claim(shared.end, OTHER, 1)
    arena.join(early, shared, RIVAL)
    assert arena.court.stood_at(1, shared.end) == at


def test_claims_on_false_starts_prepay_none_on_the_true_chain() -> None:
    """A liar paces 60 epochs with claims that lead nowhere; then he has one claim to make under a true start, not 59:
    what an honest party has to dispute at once is bounded by the terms."""
    epochs = 60
    arena = Arena(replace(PACED, challenge_period=20 * INTERVAL), epochs=epochs)
    true = [truth(arena.genesis)]
    for epoch in range(1, epochs):
        true.append(truth(true[-1].end, epoch))
    lies = [keccak(b"nobody's %d" % epoch) for epoch in range(epochs)]
    keys = [arena.claim(lies[0])]
    arena.join(keys[0], true[0])
    for epoch in range(1, epochs):
        arena.warp(INTERVAL)
        arena.claim(lies[epoch], lies[epoch - 1], epoch)
    for epoch in range(1, epochs):
        if arena.court.stood_at(epoch - 1, true[epoch - 1].end):
            keys.append(arena.claim(keccak(b"lie %d" % epoch), true[epoch - 1].end, epoch))
    assert len(keys) == 2

    # From now on one comes an interval, as fast as the honest histories join.
    while arena.now < arena.court.claim_of(keys[1])[5] + arena.params.challenge_period:
        epoch = len(keys) - 1
        arena.join(keys[epoch], true[epoch])
        with reverts("claim_too_early"):
            arena.claim(END, true[epoch].end, epoch + 1)
        arena.warp(INTERVAL)
        keys.append(arena.claim(END, true[epoch].end, epoch + 1))
    assert len(keys) - 1 == count_keys(arena.params.challenge_period, INTERVAL)


def test_true_starts_can_be_prepared_for_a_bond_each() -> None:
    """What remains: on false starts a liar may stand for true ends. Each takes a bond of his own for as long as the
    start is not known to be false, and a claim's place: no more are claimed at once than he can lock bonds for."""
    epochs = 6
    arena = Arena(PACED, epochs=epochs)
    true = [truth(arena.genesis)]
    for epoch in range(1, epochs):
        true.append(truth(true[-1].end, epoch))
    before, start = arena.chain.balance(RIVAL), arena.genesis
    for epoch in range(epochs - 1):
        key = arena.claim(keccak(b"nobody's %d" % epoch), start, epoch)
        if epoch:
            # No history of this start; it is never looked at, since nobody honest plays on a false start.
            arena.join(key, Garbage(true[epoch].end, b"%d" % epoch), RIVAL)
        else:
            arena.join(key, true[0])
        start = keccak(b"nobody's %d" % epoch)
        arena.warp(INTERVAL)
    for epoch in range(1, epochs):
        arena.claim(keccak(b"lie %d" % epoch), true[epoch - 1].end, epoch)
    assert before - arena.chain.balance(RIVAL) == (epochs - 2) * PACED.bond


def test_a_false_start_claim_is_moot() -> None:
    arena = Arena(epochs=2)
    honest, false_start = truth(arena.genesis), OTHER
    true_key = arena.claim(false_start, by=RIVAL)
    arena.join(true_key, honest)
    false_key = arena.claim(OTHER, false_start, 1)
    next_key = arena.claim(OTHER, honest.end, 1)
    stake = arena.court.stake_at(2)
    for key in (true_key, false_key, next_key):
        with reverts("start_not_false"):
            arena.court.reclaim(key)
    arena.warp(T)
    arena.court.install(true_key, honest.end)
    arena.court.advance(0)
    with reverts("start_not_false"):
        arena.court.reclaim(next_key)
    arena.court.reclaim(false_key, sender=PASSER_BY)
    assert arena.state(false_key) == MOOT
    assert arena.court.stake_at(2)[2] == 1 < stake[2] == 2
    with reverts("claim_state"):
        arena.court.reclaim(false_key)
    with reverts("claim_state"):
        arena.court.install(false_key, OTHER)
    with reverts("claim_state"):
        arena.join(false_key, lie_from(false_start, STEP, "x", 1))
    with reverts("start_contradicted"):
        arena.claim(END, false_start, 1)


def test_an_undisputed_false_start_claim_closes_and_leads_nowhere() -> None:
    arena = Arena(epochs=2)
    honest, false_start = truth(arena.genesis), OTHER
    true_key = arena.claim(false_start, by=RIVAL)
    arena.join(true_key, honest)
    false_key = arena.claim(OTHER, false_start, 1)
    arena.warp(T)
    arena.court.install(false_key, OTHER)
    arena.court.install(true_key, honest.end)
    arena.court.advance(0)
    with reverts("not_installed"):
        arena.court.advance(1)
    with reverts("claim_state"):
        arena.court.reclaim(false_key)
    assert arena.court.stake_at(2)[2] == 0


def test_several_ends_are_void_after_three_periods(arena: Arena) -> None:
    # Two liars sealed against each other, whom nobody judges.
    liar, other = lie_from(arena.genesis, STEP, "liar"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(keccak(b"what nobody defends"))
    arena.warp(5)
    arena.join(key, liar, RIVAL)
    disputed_at = arena.now
    arena.join(key, other, HONEST)
    assert arena.state(key) == DISPUTED
    arena.seal(key, liar, other)
    arena.chain.set_time(disputed_at + 3 * T - 1)
    with reverts("too_early"):
        arena.court.void(key)
    with reverts("ends_differ"):
        arena.court.install(key, liar.end)
    arena.warp(1)
    with reverts("ends_differ"):
        arena.court.install(key, liar.end)
    arena.court.void(key, sender=PASSER_BY)
    assert arena.state(key) == VOID
    assert arena.chain.last.named("Voided") == [{"key": key, "round": 0}]
    for call in (arena.court.void, lambda k: arena.court.install(k, liar.end), lambda k: arena.court.settle(k, NOBODY)):
        with reverts("claim_state"):
            call(key)
    with reverts("claim_state"):
        arena.join(key, truth(arena.genesis))
    with reverts("claim_state"):
        arena.court.move(*([key, liar.root, other.root, 0, [bytes(32)] * 32, bytes(32), [], [], []]))

    # The next round has its own key, and takes the same histories.
    again = arena.claim(truth(arena.genesis).end, by=HONEST)
    assert again == arena.key(arena.genesis, round=1) == arena.court.key_of(0, arena.genesis)
    arena.join(again, liar, RIVAL)
    arena.join(again, truth(arena.genesis))
    assert arena.counters(again) == (2, 2)


def test_none_standing_is_void_after_one_period(arena: Arena) -> None:
    # The claim is a lie that nobody defends, and two liars are found out in one proof.
    liar, other = lie_from(arena.genesis, STEP, "liar"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(keccak(b"what nobody defends"))
    arena.warp(5)
    arena.join(key, liar, RIVAL)
    disputed_at = arena.now
    arena.join(key, other, HONEST)
    arena.seal(key, liar, other)
    arena.prove(key, liar, other)
    assert arena.counters(key) == (0, 0)
    arena.chain.set_time(disputed_at + T - 1)
    with reverts("too_early"):
        arena.court.void(key)
    arena.warp(1)
    with reverts("ends_differ"):
        arena.court.install(key, liar.end)
    arena.court.void(key)
    assert arena.state(key) == VOID


def test_one_standing_end_is_not_void(arena: Arena) -> None:
    honest = truth(arena.genesis)
    key = arena.claim(keccak(b"a lie"))
    arena.join(key, honest)
    arena.warp(10 * T)
    with reverts("one_end_stands"):
        arena.court.void(key)
    arena.court.install(key, honest.end)
    assert arena.state(key) == INSTALLED


def test_install_waits_for_defenders_of_the_claim(arena: Arena) -> None:
    honest = truth(arena.genesis)
    key = arena.claim(keccak(b"a lie"))
    arena.warp(T - 1)
    arena.join(key, honest)
    disputed_at = arena.now
    arena.warp(1)
    with reverts("too_early"):
        arena.court.install(key, honest.end)
    arena.chain.set_time(disputed_at + T - 1)
    with reverts("too_early"):
        arena.court.install(key, honest.end)
    arena.warp(1)
    with reverts("wrong_end"):
        arena.court.install(key, keccak(b"a lie"))
    arena.court.install(key, honest.end)
    assert arena.chain.last.named("Installed") == [{"key": key, "end": honest.end}]


def test_install_of_the_claimed_end_waits_for_t0_only(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(honest.end)
    arena.warp(T // 2)
    arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    arena.beat(key, liar, honest)
    arena.warp(T // 2 - 1)
    with reverts("too_early"):
        arena.court.install(key, honest.end)
    arena.warp(1)
    arena.court.install(key, honest.end)
    arena.court.advance(0)
    assert arena.court.confirmed(0) == honest.end


def test_the_corrected_end_goes_on(arena: Arena) -> None:
    honest = truth(arena.genesis)
    arena.post_epochs(1)
    key = arena.claim(keccak(b"a lie"))
    arena.join(key, honest)
    arena.warp(T)
    arena.court.install(key, honest.end)
    arena.court.advance(0)
    following = truth(honest.end, epoch=1)
    arena.claim(following.end, honest.end, 1, by=HONEST)
    with reverts("start_contradicted"):
        arena.claim(END, keccak(b"a lie"), 1, by=RIVAL)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch_batches": 0},
        {"epoch_batches": 33},
        {"challenge_period": 0},
        {"bond_burn_ppm": 1_000_000},
        {"stake_claims": 0},
        {"stake_claims": 11},
    ],
)
def test_refuses_terms_that_cannot_work(change: dict[str, int]) -> None:
    with reverts("bad_terms"):
        arena_with(**change)


def test_tells_its_terms(arena: Arena) -> None:
    assert arena.court.get_terms() == PARAMS.terms()
    assert arena.court.INBOX() == arena.inbox.address
    assert arena.court.JUDGE() == arena.judge.address
