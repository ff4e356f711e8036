"""Histories and matches: joins, moves, clocks, proofs, and who is out."""

from collections.abc import Callable

import pytest
from tests.support.courts.arena import (
    BOND,
    DISPUTED,
    HONEST,
    INSTALLED,
    NO_WORK,
    OUT,
    PAID,
    PARAMS,
    PASSER_BY,
    RIVAL,
    STANDING,
    THIRD,
    Arena,
    T,
    lie_from,
    truth,
)
from tests.support.evm import reverts
from tests.support.own_contracts import RELAY

from setoff.deploy.simulation.lab.machine import LAST, Exchanged, Garbage, Leaves
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import merkle_path
from setoff.shared.machine.history import EPOCH

LIE = keccak(b"a lie")
STEP = 1 << 20 | 2
"""A real step: input 1, micro-step 2."""
BATCH, INPUT = 1 << 30, 1 << 20


# --- where a history can lie -----------------------------------------------------------------------------------------

REAL_STEPS = {
    "the first leaf": 0,
    "a step": STEP,
    "the last step of an input": INPUT | 3,
    "the first step of an input": 2 * INPUT,
    "the last step of a batch": 2 * INPUT | 3,
    "the first step of a batch": BATCH,
    "the last step of the epoch": BATCH | 2 * INPUT | 3,
}
IDLE_STEPS = {
    "an idle step": INPUT | 4,
    "the last idle step of an input": 2 * INPUT - 1,
    "the first step of an unused input": 3 * INPUT,
    "the last leaf of a batch": BATCH - 1,
    "an unused batch": 2 * BATCH | 7 * INPUT | 5,
    "the last leaf of all": LAST,
}


@pytest.mark.parametrize("position", [*REAL_STEPS.values(), *IDLE_STEPS.values()], ids=[*REAL_STEPS, *IDLE_STEPS])
@pytest.mark.parametrize("is_honest_first", [True, False], ids=["honest first", "liar first"])
def test_finds_and_judges_one_false_leaf(arena: Arena, position: int, is_honest_first: bool) -> None:
    # The right end with a false middle, but for the last leaf.
    honest = truth(arena.genesis)
    liar = Exchanged(honest, position, LIE)
    key = arena.claim(keccak(b"another lie"))
    for history, owner in ((honest, HONEST), (liar, RIVAL))[:: 1 if is_honest_first else -1]:
        arena.join(key, history, owner)
    assert arena.counters(key) == (2, 2 if position == LAST else 1)
    assert arena.seal(key, honest, liar) == position
    arena.prove(key, honest, liar)
    assert arena.chain.last.named("Eliminated") == [
        {"key": key, "root": liar.root, "opponent": honest.root, "cause": "proof"}
    ]
    assert arena.history_state(key, honest) == STANDING
    assert arena.history_state(key, liar) == OUT
    assert arena.counters(key) == (1, 1)


@pytest.mark.parametrize("position", REAL_STEPS.values(), ids=REAL_STEPS)
def test_finds_where_a_history_leaves_the_truth(arena: Arena, position: int) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, position, "liar")
    key = arena.claim(liar.end)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    assert arena.seal(key, honest, liar) == position
    arena.prove(key, honest, liar)
    assert arena.history_state(key, liar) == OUT


def test_the_pre_state_counts_under_either_root(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), Exchanged(truth(arena.genesis), STEP, LIE)
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.seal(key, honest, liar)
    pre = honest.leaf(STEP - 1)
    arena.court.prove(key, honest.root, liar.root, pre, liar.path(STEP - 1), NO_WORK, sender=PASSER_BY)
    assert arena.history_state(key, liar) == OUT


# --- joining ---------------------------------------------------------------------------------------------------------


def test_a_differing_history_joins_before_t0_plus_t(arena: Arena) -> None:
    honest, late = truth(arena.genesis), lie_from(arena.genesis, STEP, "late")
    key = arena.claim(LIE)
    arena.warp(T - 1)
    arena.join(key, honest)
    assert arena.state(key) == DISPUTED
    (event,) = arena.chain.last.named("Joined")
    assert event == {
        "key": key,
        "root": honest.root,
        "end": honest.end,
        "owner": HONEST,
        "children": tuple(honest.children(0, 0)),
    }
    for seconds in (1, 1):
        arena.warp(seconds)
        with reverts("too_late"):
            arena.join(key, late, RIVAL)


@pytest.mark.parametrize("late", [T, T + 1])
def test_no_history_joins_from_t0_plus_t_on(arena: Arena, late: int) -> None:
    key = arena.claim(LIE)
    arena.warp(late)
    with reverts("too_late"):
        arena.join(key, truth(arena.genesis))
    arena.court.install(key, LIE)
    with reverts("claim_state"):
        arena.join(key, truth(arena.genesis))


@pytest.mark.parametrize("disputed_after", [0, 1, T - 1])
def test_a_defender_joins_from_t1_until_t1_plus_t(arena: Arena, disputed_after: int) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(honest.end)
    with reverts("not_disputed"):
        arena.join(key, honest)
    arena.warp(disputed_after)
    arena.join(key, liar, RIVAL)
    arena.warp(T - 1)
    arena.join(key, honest)
    arena.warp(1)
    with reverts("too_late"):
        arena.join(key, Exchanged(honest, STEP, LIE), THIRD)
    arena.warp(1)
    with reverts("too_late"):
        arena.join(key, Exchanged(honest, STEP, LIE), THIRD)


def test_one_root_joins_once(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest, RIVAL)
    with reverts("history_exists"):
        arena.join(key, honest, HONEST)
    with reverts("history_exists"):
        arena.join(key, honest, RIVAL)
    arena.join(key, liar, THIRD)
    arena.beat(key, liar, honest)
    with reverts("history_exists"):
        arena.join(key, liar, THIRD)
    # Its end is part of the root: it cannot be posted with another.
    with reverts("history_end"):
        arena.court.join(key, honest.children(0, 0), LIE, honest.last_path(), sender=THIRD, value=BOND)


def test_a_join_shows_its_end(arena: Arena) -> None:
    honest = truth(arena.genesis)
    key = arena.claim(LIE)
    children, path = honest.children(0, 0), honest.last_path()
    for arguments in (
        ([*children[:-1], LIE], honest.end, path),
        (children, honest.leaf(STEP), path),
        (children, honest.end, path[::-1]),
        (children, honest.end, [LIE, *path[1:]]),
    ):
        with reverts("history_end"):
            arena.court.join(key, *arguments, sender=HONEST, value=BOND)
    with reverts("claim_state"):
        arena.court.join(keccak(b"no such key"), children, honest.end, path, sender=HONEST, value=BOND)


def test_no_history_ends_in_the_zero_hash(arena: Arena) -> None:
    """Zero stands for an end that is not known yet: installed, it would leave the next epoch without a start."""
    key = arena.claim(LIE)
    with reverts("zero_hash"):
        arena.court.join(key, [bytes(32)] * 32, bytes(32), [bytes(32)] * 30, sender=RIVAL, value=BOND)


@pytest.mark.parametrize("value", [0, BOND - 1, BOND + 1])
def test_a_join_brings_exactly_the_bond(arena: Arena, value: int) -> None:
    honest = truth(arena.genesis)
    key = arena.claim(LIE)
    with reverts("wrong_value"):
        arena.court.join(key, honest.children(0, 0), honest.end, honest.last_path(), sender=HONEST, value=value)


def test_install_and_join_in_one_second(arena: Arena) -> None:
    honest = truth(arena.genesis)
    key = arena.claim(LIE)
    arena.warp(T - 1)
    arena.join(key, honest)
    with reverts("too_early"):
        arena.court.install(key, LIE)
    arena.warp(1)
    with reverts("wrong_end"):
        arena.court.install(key, LIE)
    with reverts("too_early"):
        arena.court.install(key, honest.end)
    with reverts("one_end_stands"):
        arena.court.void(key)


# --- turns and clocks ------------------------------------------------------------------------------------------------


def test_the_later_history_moves_first_and_turns_alternate(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    for level in range(EPOCH.levels):
        match = arena.match(key, honest, liar)
        assert (match.level, match.earlier, match.later) == (level, honest.root, liar.root)
        assert match.on_turn == (liar.root if level % 2 == 0 else honest.root)
        arguments = list(arena.move_arguments(key, honest, liar))
        swapped = [key, arguments[2], arguments[1], *arguments[3:]]
        with reverts("not_on_turn"):
            arena.court.move(*swapped, sender=PASSER_BY)
        arena.court.move(*arguments, sender=PASSER_BY)
        (event,) = arena.chain.last.named("Moved")
        assert (event["mover"], event["opponent"], event["level"]) == (arguments[1], arguments[2], level)
        assert (event["index"], list(event["children"])) == (arguments[3], arguments[4])
        assert event["opponent_child"] == arguments[5]
    sealed = arena.match(key, liar, honest)
    assert (sealed.level, sealed.prefix, sealed.on_turn) == (7, STEP, bytes(32))
    assert (sealed.earlier_node, sealed.later_node) == (honest.leaf(STEP), liar.leaf(STEP))
    with reverts("match_sealed"):
        arena.court.move(*arguments, sender=PASSER_BY)
    arena.warp(10 * T)
    with reverts("match_sealed"):
        arena.court.timeout(key, honest.root, liar.root)


def test_clocks_run_out_at_the_second(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.warp(100)
    arena.join(key, honest)  # 100 s of its clock are gone
    arena.warp(200)
    arena.join(key, liar, RIVAL)  # 300 s of its clock are gone
    joined = arena.now
    assert arena.match(key, honest, liar).expiry == joined + T - 300
    arena.chain.set_time(joined + T - 301)
    with reverts("clock_runs"):
        arena.court.timeout(key, honest.root, liar.root)
    arena.move(key, honest, liar)  # with one second left
    moved = arena.now
    assert arena.match(key, honest, liar).later_used == T - 301
    assert arena.match(key, honest, liar).expiry == moved + T - 100
    arena.warp(50)
    arena.move(key, honest, liar)
    # The liar has one second left, and the honest side's time does not count for it.
    assert arena.match(key, honest, liar).expiry == arena.now + 1
    assert arena.match(key, honest, liar).earlier_used == 50
    arguments = arena.move_arguments(key, honest, liar)
    with reverts("clock_runs"):
        arena.court.timeout(key, liar.root, honest.root)
    arena.warp(1)
    with reverts("clock_run_out"):
        arena.court.move(*arguments, sender=PASSER_BY)
    arena.court.timeout(key, liar.root, honest.root, sender=PASSER_BY)
    assert arena.chain.last.named("Eliminated") == [
        {"key": key, "root": liar.root, "opponent": honest.root, "cause": "timeout"}
    ]
    assert arena.counters(key) == (1, 1)


def test_a_defenders_clock_starts_with_the_dispute(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(honest.end)
    arena.warp(T - 1)
    arena.join(key, liar, RIVAL)  # one second of its clock is left
    arena.warp(T - 1)
    arena.join(key, honest)
    assert arena.match(key, honest, liar).expiry == arena.now + 1
    arena.move(key, honest, liar)
    assert arena.match(key, honest, liar).expiry == arena.now + 1
    arena.warp(1)
    arena.court.timeout(key, honest.root, liar.root)
    assert arena.history_state(key, liar) == OUT


def test_every_match_has_its_own_clocks(arena: Arena) -> None:
    honest = truth(arena.genesis)
    liars = [lie_from(arena.genesis, STEP, f"liar {number}") for number in range(5)]
    key = arena.claim(LIE)
    for liar in liars:
        arena.join(key, liar, RIVAL)
    arena.join(key, honest)
    expiry = arena.now + T
    for number, liar in enumerate(liars):
        arena.warp(100)
        assert arena.match(key, honest, liar).expiry == expiry
        arena.move(key, honest, liar)
        assert arena.match(key, honest, liar).later_used == 100 * (number + 1)
    arena.chain.set_time(arena.now + T)
    for liar in liars:
        arena.court.timeout(key, honest.root, liar.root)
    assert arena.counters(key) == (1, 1)


def test_in_one_second_the_order_of_joins_decides(arena: Arena) -> None:
    first, second = lie_from(arena.genesis, STEP, "a"), truth(arena.genesis)
    key = arena.claim(LIE)
    arena.join(key, first, RIVAL)
    arena.join(key, second)
    assert arena.match(key, first, second).later == second.root
    assert arena.court.match_of(key, second.root, first.root) == arena.court.match_of(key, first.root, second.root)


# --- moves that do not fit -------------------------------------------------------------------------------------------


def test_refuses_a_move_that_does_not_open_the_two_nodes(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, INPUT | BATCH, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    while arena.match(key, honest, liar).level < 2:
        arena.move(key, honest, liar)
    good = arena.move_arguments(key, honest, liar)
    _, _, _, index, children, _, common, mine, theirs = good
    junk = keccak(b"junk")

    def change(place: int, value: object) -> tuple[object, ...]:
        return (*good[:place], value, *good[place + 1 :])

    assert len(mine) == len(theirs) > 0
    for arguments, reason in (
        (change(3, 32), "child_index"),
        (change(3, 2**256 - 1), "child_index"),
        (change(3, index ^ 1), "wrong_opening"),
        (change(4, [*children[:-1], junk]), "wrong_opening"),
        (change(4, children[:31]), "children_length"),
        (change(4, children[:1]), "children_length"),
        (change(4, []), "children_length"),
        (change(5, junk), "wrong_opening"),
        (change(6, [junk] * len(common) or [junk]), "wrong_opening"),
        (change(6, [*common, junk][:5]), "wrong_opening"),
        (change(7, [*mine[:-1], junk]), "wrong_opening"),
        (change(7, mine[:-1]), "wrong_opening"),
        (change(8, [*theirs[:-1], junk]), "wrong_opening"),
        (change(8, theirs[:-1]), "wrong_opening"),
        (change(7, [*mine, junk][:5]) if len(mine) < 5 else change(8, []), "wrong_opening"),
    ):
        with reverts(reason):
            arena.court.move(*arguments, sender=RIVAL)
    arena.court.move(*good, sender=RIVAL)


def test_refuses_to_descend_where_the_two_agree(arena: Arena) -> None:
    # Left of the difference the children are the same; right of it the left siblings would not be common.
    honest, liar = truth(arena.genesis), Exchanged(truth(arena.genesis), 5 * BATCH, LIE)
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    mine, theirs = liar.children(0, 0), honest.children(0, 0)
    for index in (0, 4, 6, 31):
        my_path, their_path = merkle_path(mine, index), merkle_path(theirs, index)
        left = [height for height in range(5) if index >> height & 1]
        right = [height for height in range(5) if not index >> height & 1]
        arguments = (
            key,
            liar.root,
            honest.root,
            index,
            liar.children(1, index),
            theirs[index],
            [my_path[height] for height in left],
            [my_path[height] for height in right],
            [their_path[height] for height in right],
        )
        with reverts("children_equal"):
            arena.court.move(*arguments, sender=RIVAL)
    arena.move(key, honest, liar)
    assert arena.match(key, honest, liar).prefix == 5


def test_refuses_a_false_leaf_at_the_last_level(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    while arena.match(key, honest, liar).level < 6:
        arena.move(key, honest, liar)
    good = arena.move_arguments(key, honest, liar)
    assert len(good[4]) == 1
    with reverts("children_length"):
        arena.court.move(*good[:4], good[4] * 32, *good[5:], sender=RIVAL)
    with reverts("wrong_opening"):
        arena.court.move(*good[:4], [LIE], *good[5:], sender=RIVAL)
    arena.court.move(*good, sender=RIVAL)


def test_garbage_below_the_first_level_times_out(arena: Arena) -> None:
    honest, garbage = truth(arena.genesis), Garbage(LIE, b"garbage")
    key = arena.claim(honest.end)
    arena.join(key, garbage, RIVAL)
    arena.join(key, honest)
    arena.move(key, honest, garbage)  # needs nothing of the garbage but its first opening
    arena.warp(T - 1)
    with reverts("clock_runs"):
        arena.court.timeout(key, honest.root, garbage.root)
    arena.warp(1)
    arena.court.timeout(key, honest.root, garbage.root)
    assert arena.history_state(key, garbage) == OUT
    arena.court.install(key, honest.end)


def test_moves_made_through_a_contract_are_in_events(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    relay = arena.chain.deploy(RELAY)
    key = arena.claim(LIE)
    data = arena.court.encode("join", key, liar.children(0, 0), liar.end, liar.last_path())
    relay.forward(arena.court.address, data, sender=RIVAL, value=BOND)
    (joined,) = arena.chain.last.named("Joined")
    assert joined["children"] == tuple(liar.children(0, 0))
    assert joined["owner"] == relay.address
    arena.join(key, honest)
    arguments = arena.move_arguments(key, honest, liar)
    relay.forward(arena.court.address, arena.court.encode("move", *arguments), sender=RIVAL)
    (moved,) = arena.chain.last.named("Moved")
    assert list(moved["children"]) == arguments[4]


# --- proofs ----------------------------------------------------------------------------------------------------------


def sealed(arena: Arena, position: int = STEP) -> tuple[bytes, Leaves, Leaves]:
    """A key with an honest and a lying history, sealed at `position`."""
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, position, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.seal(key, honest, liar)
    return key, honest, liar


def test_both_sides_can_be_out_in_one_proof(arena: Arena) -> None:
    one, other = lie_from(arena.genesis, STEP, "one"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(LIE)
    arena.join(key, one)
    arena.join(key, other, RIVAL)
    arena.seal(key, one, other)
    assert arena.counters(key) == (2, 2)
    arena.prove(key, one, other)
    assert [event["root"] for event in arena.chain.last.named("Eliminated")] == [one.root, other.root]
    assert arena.counters(key) == (0, 0)
    assert (arena.court.by(key, one.end), arena.court.by(key, other.end)) == (0, 0)


def test_a_proof_needs_a_sealed_match(arena: Arena) -> None:
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    for _ in range(EPOCH.levels):
        with reverts("match_not_sealed"):
            arena.court.prove(key, honest.root, liar.root, honest.leaf(STEP - 1), honest.path(STEP - 1), NO_WORK)
        arena.move(key, honest, liar)
    arena.prove(key, honest, liar)


def test_a_proof_starts_from_the_common_leaf(arena: Arena) -> None:
    key, honest, liar = sealed(arena)
    pre, path = honest.leaf(STEP - 1), honest.path(STEP - 1)
    for wrong_pre, wrong_path in (
        (LIE, path),
        (honest.leaf(STEP), path),
        (honest.leaf(STEP), honest.path(STEP)),
        (honest.leaf(STEP - 2), honest.path(STEP - 2)),
        (pre, [LIE, *path[1:]]),
        (pre, path[:-1]),
        (pre, []),
        (arena.genesis, []),
    ):
        with reverts("wrong_pre"):
            arena.court.prove(key, honest.root, liar.root, wrong_pre, wrong_path, NO_WORK)
    arena.court.prove(key, honest.root, liar.root, pre, path, NO_WORK)


def test_a_proof_at_position_zero_starts_from_the_claims_start(arena: Arena) -> None:
    key, honest, liar = sealed(arena, 0)
    for pre, path in (
        (arena.genesis, honest.path(0)),
        (LIE, []),
        (honest.leaf(0), honest.path(0)),
        (honest.leaf(LAST), honest.path(LAST)),
    ):
        with reverts("wrong_pre"):
            arena.court.prove(key, honest.root, liar.root, pre, path, NO_WORK)
    arena.court.prove(key, honest.root, liar.root, arena.genesis, [], NO_WORK)
    assert arena.history_state(key, liar) == OUT


def test_a_judge_that_reverts_is_no_verdict(arena: Arena) -> None:
    key, honest, liar = sealed(arena)
    with reverts("wrong_input"):
        arena.court.prove(key, honest.root, liar.root, honest.leaf(STEP - 1), honest.path(STEP - 1), b"")
    assert arena.counters(key) == (2, 2)


def test_at_every_gas_limit_a_proof_reverts_or_is_right() -> None:
    arena = Arena()
    key, honest, liar = sealed(arena)
    work = (3000).to_bytes(32, "big")
    arguments = (key, honest.root, liar.root, honest.leaf(STEP - 1), honest.path(STEP - 1), work)
    arena.chain.cool()
    before = arena.chain.snapshot()
    arena.court.prove(*arguments, sender=HONEST)
    needed = arena.chain.last.gas_used
    arena.chain.restore(before)

    def proves(gas: int) -> bool:
        before = arena.chain.snapshot()
        data = arena.court.encode("prove", *arguments)
        succeeded = arena.chain.succeeds(arena.court.address, data, sender=HONEST, gas=gas)
        assert arena.history_state(key, honest) == STANDING
        assert arena.history_state(key, liar) == (OUT if succeeded else STANDING)
        arena.chain.restore(before)
        return succeeded

    # Coarsely over everything, and finely where there begins to be enough.
    coarse = [gas for gas in range(30_000, needed + needed // 4, 1_777) if proves(gas)]
    fine = [gas for gas in range(coarse[0] - 2_000, coarse[0] + 1_000, 37) if proves(gas)]
    assert len(coarse) > 10 and 10 < len(fine) < 3_000 // 37 - 10


# --- those who are out -----------------------------------------------------------------------------------------------


def test_nothing_is_played_against_a_history_that_is_out(arena: Arena) -> None:
    honest = truth(arena.genesis)
    out, other = lie_from(arena.genesis, STEP, "out"), lie_from(arena.genesis, STEP, "other")
    key = arena.claim(LIE)
    for history, owner in ((honest, HONEST), (out, RIVAL), (other, THIRD)):
        arena.join(key, history, owner)
    arguments = arena.move_arguments(key, out, other)
    arena.beat(key, out, honest)
    calls: list[Callable[[], object]] = [
        lambda: arena.court.move(*arguments),
        lambda: arena.court.timeout(key, out.root, other.root),
        lambda: arena.court.timeout(key, out.root, honest.root),
        lambda: arena.court.prove(key, out.root, honest.root, LIE, [], NO_WORK),
        lambda: arena.court.match_of(key, out.root, honest.root),
        lambda: arena.court.match_of(key, keccak(b"who never joined"), honest.root),
    ]
    arena.warp(5 * T)
    for call in calls:
        with reverts("history_not_standing"):
            call()
    with reverts("same_history"):
        arena.court.timeout(key, honest.root, honest.root)
    # The match between those who stand goes on.
    arena.court.timeout(key, other.root, honest.root)
    assert arena.counters(key) == (1, 1)


def test_matches_go_on_after_the_installation(arena: Arena) -> None:
    honest = truth(arena.genesis)
    false_middle = Exchanged(honest, STEP, LIE)
    key = arena.claim(keccak(b"another lie"))
    arena.join(key, honest)
    arena.join(key, false_middle, RIVAL)
    arena.move(key, honest, false_middle)
    arena.warp(T - 10)
    while arena.match(key, honest, false_middle).level < 5:
        arena.move(key, honest, false_middle)
    arena.warp(10)
    arena.court.install(key, honest.end)
    assert arena.state(key) == INSTALLED
    with reverts("claim_state"):
        arena.join(key, lie_from(arena.genesis, STEP, "late"), THIRD)
    with reverts("history_standing"):
        arena.court.settle(key, honest.root)
    arena.chain.set_time(arena.match(key, honest, false_middle).expiry - 1)
    arena.seal(key, honest, false_middle)
    arena.prove(key, honest, false_middle)
    arena.court.settle(key, honest.root)
    with reverts("claim_state"):
        arena.court.timeout(key, honest.root, false_middle.root)


def test_a_copy_of_the_truth_serves_the_truth(arena: Arena) -> None:
    # Somebody else posts the honest root first: he locks his bond for it, and anybody plays it.
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(LIE)
    arena.join(key, honest, RIVAL)
    arena.join(key, liar, RIVAL)
    with reverts("history_exists"):
        arena.join(key, honest, HONEST)
    arena.beat(key, liar, honest, by=HONEST)
    arena.warp(T)
    arena.court.install(key, honest.end)
    arena.court.settle(key, honest.root)


def test_gas_does_not_depend_on_how_many_there_are() -> None:
    def measure(liars: int) -> dict[str, int]:
        arena = Arena()
        chain, court = arena.chain, arena.court
        honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "the liar")
        last = lie_from(arena.genesis, STEP, "the last one")
        key = arena.claim(LIE)
        arena.join(key, liar, RIVAL)
        arena.join(key, honest)
        for number in range(liars):
            other = lie_from(arena.genesis, STEP, f"liar {number}")
            arena.join(key, other, THIRD)
            arena.move(key, other, honest)
        gas = {}

        def spend(name: str, call: Callable[[], object]) -> None:
            chain.cool()
            call()
            gas[name] = chain.last.gas_used

        join = (key, last.children(0, 0), last.end, last.last_path())
        spend("join", lambda: court.join(*join, sender=RIVAL, value=PARAMS.bond))
        move = arena.move_arguments(key, honest, liar)
        spend("move", lambda: court.move(*move, sender=HONEST))
        arena.seal(key, honest, liar)
        proof = arena.proof_arguments(key, honest, liar)
        spend("prove", lambda: court.prove(*proof, sender=HONEST))
        arena.warp(T)
        spend("timeout", lambda: court.timeout(key, honest.root, last.root, sender=HONEST))
        return gas

    few, many = measure(0), measure(12)
    for name, gas in few.items():
        # Only whether a word of storage is new or not.
        assert abs(many[name] - gas) <= 20_000, (name, few, many)


def test_a_paid_history_is_not_standing(arena: Arena) -> None:
    key, honest, liar = sealed(arena)
    arena.prove(key, honest, liar)
    arena.warp(T)
    arena.court.install(key, honest.end)
    arena.court.settle(key, honest.root)
    arena.court.release(key, honest.root)
    assert arena.history_state(key, honest) == PAID
    with reverts("claim_state"):
        arena.court.match_of(key, honest.root, liar.root)
