"""Players who decide for themselves, on the court's model: the honest one wins in time and loses no money."""

import random
from collections.abc import Callable

import pytest
from tests.support.courts.arena import lie_from
from tests.support.courts.league import (
    BEGIN,
    GENESIS,
    HONEST,
    LIAR,
    LOOK_SECONDS,
    OTHER,
    TERMS,
    TRUTH,
    WATCH,
    Behaviour,
    League,
    Party,
    T,
    at_the_last_second,
    book_of,
    eager,
    gives_up_at,
    mute,
    name,
    nothing_lost,
    true_histories,
    unproven,
)

from setoff.deploy.simulation.lab.machine import LAST, Exchanged, Garbage, Leaves, position
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import actions, events
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.game import ClaimState, CourtState
from setoff.shared.dispute.strategy import Player, Policy, is_contradicted
from setoff.shared.params import GWEI

LIES: dict[str, Leaves] = {
    "first leaf": lie_from(GENESIS, 0, "first"),
    "later leaf": lie_from(GENESIS, position(1, 2, 3), "later"),
    "last leaf": Exchanged(TRUTH, LAST, keccak(b"last")),
    "idle input": Exchanged(TRUTH, position(0, 1, 77), keccak(b"idle")),
    "unused batch": Exchanged(TRUTH, position(20, 0, 0), keccak(b"unused")),
    "false middle": Exchanged(TRUTH, position(0, 2, 1), keccak(b"middle")),
    "random root": Garbage(keccak(b"anywhere"), b"random"),
    "random root, right end": Garbage(TRUTH.end, b"random"),
}
BEHAVIOURS: dict[str, Behaviour] = {
    "self-destructive": eager,
    "unproven": unproven,
    "mute": mute,
    "last second": at_the_last_second,
    "gives up": gives_up_at(4),
}
CLAIMER = Policy(claim_after=0, collect_from=1)


def honest(*histories: Leaves, me: bytes = HONEST, policy: Policy = WATCH) -> Party:
    return Party(me, book_of(*(histories or (TRUTH,))), policy)


def liar(lie: Leaves, behaviour: Behaviour = eager, *, me: bytes = LIAR, policy: Policy = WATCH) -> Party:
    return Party(me, book_of(lie), policy, mute if isinstance(lie, Garbage) else behaviour)


def winner_of(league: League) -> bytes:
    claim = league.court.latest(0, GENESIS)
    assert claim is not None
    return claim.winner


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_false_claim_loses(lie: Leaves, behaviour: Behaviour) -> None:
    league = League(liar(lie, behaviour, policy=CLAIMER), honest(), gas_price=5 * GWEI)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed()
        assert league.court.start_of[1] == TRUTH.end
        league.run_until_quiet()
        claim = league.court.latest(0, GENESIS)
        assert claim is not None
        # A claim whose end is right is nobody's business, whatever its claimant thinks lies in the middle.
        if lie.end == TRUTH.end:
            assert not claim.histories
        else:
            assert claim.winner == TRUTH.root and league.model.stakes[0].slashed
    assert (league.model.wallets[HONEST] > 0) == (lie.end != TRUTH.end)


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_true_claim_that_somebody_disputes_is_defended(lie: Leaves, behaviour: Behaviour) -> None:
    league = League(honest(policy=CLAIMER), liar(lie, behaviour), gas_price=5 * GWEI)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed()
        assert league.court.start_of[1] == TRUTH.end
        league.run_until_quiet()
    assert not league.model.stakes[0].slashed


def test_the_right_end_with_a_false_middle_is_not_enough_to_skip_a_join() -> None:
    false_middle = LIES["false middle"]
    parties = (
        liar(LIES["later leaf"], policy=CLAIMER),
        liar(false_middle, me=OTHER),
        honest(),
    )
    league = League(*parties)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed().run_until_quiet()
    assert winner_of(league) == TRUTH.root


@pytest.mark.parametrize("count", [10, 30])
def test_one_honest_bond_beats_many_liars(count: int) -> None:
    draw = random.Random(count)
    liars = [
        liar(
            Exchanged(TRUTH, draw.choice([draw.randrange(LAST), LAST]), keccak(b"%d" % number)),
            draw.choice(list(BEHAVIOURS.values())),
            me=name(f"liar {number}"),
            policy=CLAIMER if number == 0 else Policy(),
        )
        for number in range(count)
    ]
    # The first one claims what nobody else would: everybody differs from it.
    liars[0] = liar(LIES["first leaf"], me=name("liar 0"), policy=CLAIMER)
    league = League(*liars, honest(), gas_price=GWEI)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed().run_until_quiet()
        assert winner_of(league) == TRUTH.root
    assert league.model.wallets[HONEST] > 0


def test_two_honest_watchers_do_not_get_in_each_others_way() -> None:
    league = League(liar(LIES["later leaf"], policy=CLAIMER), honest(), honest(me=OTHER), gas_price=GWEI)
    with nothing_lost(league, HONEST, OTHER):
        league.run_until_confirmed().run_until_quiet()
    assert winner_of(league) == TRUTH.root
    known = {"history_exists", "not_on_turn", "match_sealed", "history_not_standing", "claim_state"}
    known |= {"already_advanced", "history_not_held"}
    for party in league.parties[1:]:
        assert {reason for _, reason in party.refusals} <= known


def test_a_copier_of_the_honest_root_only_locks_his_own_bond_for_the_truth() -> None:
    copier = honest(me=LIAR)
    copier.behaviour = mute
    league = League(liar(LIES["later leaf"], policy=CLAIMER, me=OTHER), copier, honest(), gas_price=GWEI)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed().run_until_quiet()
    claim = league.court.latest(0, GENESIS)
    assert claim is not None and claim.histories[TRUTH.root].owner == LIAR and claim.winner == TRUTH.root


def test_a_deferring_watcher_leaves_the_work_to_the_owner_but_steps_in() -> None:
    # The owner of the honest root joins and falls silent.
    silent = honest(me=OTHER)
    silent.behaviour = mute
    backup = honest(policy=Policy(deference=50, collect_from=1))
    league = League(liar(LIES["later leaf"], policy=CLAIMER), silent, backup)
    league.run_until_confirmed()
    assert league.court.start_of[1] == TRUTH.end
    busy = League(liar(LIES["later leaf"], policy=CLAIMER), honest(me=OTHER), backup, gas_price=GWEI)
    busy.run_until_confirmed().run_until_quiet()
    assert [event for event in busy.model.log if getattr(event, "sender", None) == HONEST] == []


@pytest.mark.parametrize(
    "kind",
    [actions.Join, actions.Move, actions.Prove, actions.Timeout, actions.Install],
    ids=lambda kind: kind.__name__,
)
def test_censorship_within_the_budget_changes_nothing(kind: type[Action]) -> None:
    # T = 1000 of which a budget of 900 is left after five inclusions and the queue.
    lie = LIES["later leaf"]
    league = League(liar(lie, unproven if kind is actions.Prove else at_the_last_second, policy=CLAIMER), honest())
    spent = 0

    def block(party: Party, action: Action) -> bool:
        nonlocal spent
        if party.me != HONEST or not isinstance(action, kind) or spent >= 850:
            return False
        spent += LOOK_SECONDS
        return True

    league.blocked = block
    with nothing_lost(league, HONEST):
        league.run_until_confirmed(limit=3 * T).run_until_quiet()
    assert spent > 0
    assert winner_of(league) == TRUTH.root


def test_a_limited_queue_answers_the_most_urgent_clock_first() -> None:
    liars = [liar(Exchanged(TRUTH, 1000 + n, keccak(b"%d" % n)), me=name(f"liar {n}")) for n in range(12)]
    claimer = liar(LIES["first leaf"], me=OTHER, policy=CLAIMER)
    league = League(claimer, *liars, honest())
    league.queue_limit = 2
    league.run_until_confirmed()
    assert winner_of(league) == TRUTH.root or league.court.start_of[1] == TRUTH.end


def test_pipelined_claims_are_checked_before_their_predecessor_is_confirmed() -> None:
    first, second = true_histories(2)
    lie = lie_from(first.end, position(0, 0, 1), "second", epoch=1)
    liar_book = Party(LIAR, book_of(first, lie), CLAIMER)
    league = League(liar_book, honest(first, second), epochs=2)
    with nothing_lost(league, HONEST):
        for _ in range(3):
            league.tick()
        assert league.court.start_of.keys() == {0} and len(league.court.claims) == 2
        claim = league.court.latest(1, first.end)
        assert claim is not None and claim.state is ClaimState.DISPUTED
        league.run_until_confirmed(2).run_until_quiet()
    assert league.court.start_of[2] == second.end


def test_claims_on_false_starts_are_ignored_and_refunded() -> None:
    first, second = true_histories(2)
    lie = lie_from(GENESIS, position(0, 0, 1), "first")
    lie_after = lie_from(lie.end, position(0, 0, 0), "second", epoch=1)
    other_after = lie_from(lie.end, position(0, 1, 0), "other", epoch=1)
    liars = (Party(LIAR, book_of(lie, lie_after), CLAIMER, mute), Party(OTHER, book_of(lie, other_after), WATCH, mute))
    league = League(*liars, honest(first, second, policy=CLAIMER), epochs=2)
    with nothing_lost(league, HONEST):
        league.run_until_confirmed(2).run_until_quiet()
    false = league.court.latest(1, lie.end)
    assert false is not None and false.state is ClaimState.MOOT
    assert {history.owner for history in false.histories.values()} == {LIAR, OTHER}
    assert league.court.start_of[2] == second.end


def test_a_void_dispute_is_claimed_again() -> None:
    # Two liars eliminate each other before any honest player comes.
    one, two = (Exchanged(TRUTH, LAST, keccak(word)) for word in (b"one", b"two"))
    late = honest(policy=CLAIMER)
    late.behaviour = lambda court, chosen, now: chosen if now >= BEGIN + 2 * T else []
    parties = (liar(lie_from(GENESIS, 5 << 20, "claim"), mute, policy=CLAIMER), liar(one, me=OTHER))
    league = League(*parties, Party(name("two"), book_of(two)), late)
    parties[0].behaviour = lambda court, chosen, now: [a for a in chosen if isinstance(a, actions.Claim)]
    league.run_until_confirmed(limit=5 * T)
    claim = league.court.latest(0, GENESIS)
    assert claim is not None and league.court.start_of[1] == TRUTH.end
    assert claim.round == 1


def test_a_claimer_uses_one_stake_for_many_epochs_and_claims_what_nobody_claimed() -> None:
    histories = true_histories(4)
    grace = Policy(claim_after=30, collect_from=1)
    league = League(honest(*histories, policy=grace), epochs=4)
    league.tick()
    assert not league.court.claims
    league.run_until_confirmed(4)
    assert [league.court.start_of[epoch] for epoch in range(1, 5)] == [history.end for history in histories]
    assert len(league.model.stakes) == 2  # n_max is 3
    with nothing_lost(league, HONEST):
        league.run_until_quiet()


def test_knowledge_of_other_inputs_disputes_nothing() -> None:
    book = book_of(TRUTH)
    other = book.runs[0]
    book.runs[0] = type(other)(keccak(b"another fork"), other.posted_at, other.run)
    league = League(liar(LIES["first leaf"], policy=CLAIMER), Party(HONEST, book))
    for _ in range(5):
        league.tick()
    assert not any(isinstance(event, events.Joined) for event in league.model.log)


def test_junk_events_are_passed_over() -> None:
    court = CourtState(TERMS, GENESIS)
    unknown = keccak(b"unknown")
    for event in (
        events.Joined(1, unknown, unknown, unknown, LIAR, (unknown,) * 32),
        events.Moved(1, unknown, unknown, unknown, 3, 4, (), unknown, unknown),
        events.Eliminated(1, unknown, unknown, unknown, "proof"),
        events.Settled(1, unknown, unknown, unknown),
        events.Slashed(1, 7, LIAR),
        events.Unstaked(1, 9),
        events.Claimed(1, unknown, 99, unknown, unknown, 0, LIAR, unknown),
        events.Moved(1, unknown, unknown, unknown, 3, 4, (), unknown, unknown),
        events.Eliminated(1, unknown, unknown, unknown, "proof"),
        events.Released(1, unknown, unknown, LIAR, 5),
    ):
        court.apply(event)
    assert Player(HONEST).choose(court, book_of(TRUTH), BEGIN) == []


def test_a_contradicted_start_is_noticed() -> None:
    court = CourtState(TERMS, GENESIS)
    assert not is_contradicted(court, book_of(*true_histories(2)))
    court.apply(events.Advanced(1, 1, keccak(b"false")))
    assert is_contradicted(court, book_of(*true_histories(2)))
    assert Player(HONEST, CLAIMER).choose(court, book_of(*true_histories(2)), BEGIN)[1:] == []


def test_choice_is_ordered_by_the_time_left() -> None:
    league = League(liar(LIES["first leaf"], policy=CLAIMER), honest())
    league.tick()
    chosen = league.parties[1].player.choose(league.court, league.parties[1].book, league.now)
    assert [type(action) for action in chosen] == [actions.Join]
    late = league.parties[1].player.choose(league.court, league.parties[1].book, BEGIN + T)
    assert late == []


@pytest.mark.parametrize("seed", range(12))
def test_random_leagues(seed: int) -> None:
    draw = random.Random(seed)
    behaviours = list(BEHAVIOURS.values())
    kinds: list[Callable[[int], Leaves]] = [
        lambda n: Exchanged(TRUTH, draw.randrange(LAST + 1), keccak(b"%d" % n)),
        lambda n: lie_from(GENESIS, position(draw.randrange(2), draw.randrange(3), draw.randrange(4)), f"{n}"),
        lambda n: Garbage(keccak(b"end %d" % n), b"garbage %d" % n),
        lambda n: Exchanged(TRUTH, LAST, keccak(b"last %d" % n)),
    ]
    parties = [
        liar(draw.choice(kinds)(n), draw.choice(behaviours), me=name(f"liar {n}")) for n in range(draw.randrange(1, 9))
    ]
    parties[0].policy = CLAIMER
    watchers = [honest(me=name(f"watcher {n}"), policy=CLAIMER) for n in range(draw.randrange(1, 3))]
    parties += watchers
    draw.shuffle(parties)
    league = League(*parties, gas_price=draw.choice([0, GWEI, 10 * GWEI]))
    with nothing_lost(league, *(watcher.me for watcher in watchers)):
        league.run_until_confirmed().run_until_quiet()
        assert league.court.start_of[1] == TRUTH.end


def test_what_the_player_sends_is_what_the_abi_takes() -> None:
    league = League(liar(LIES["later leaf"], policy=CLAIMER), honest())
    seen: dict[str, Call] = {}
    original = league.model.call

    def watch(call: Call, sender: bytes, gas_price: int = 0) -> object:
        seen[call.function] = call
        return original(call, sender, gas_price)

    league.model.call = watch  # type: ignore[method-assign]
    league.run_until_confirmed().run_until_quiet()
    assert {"claim", "join", "move", "prove", "install", "settle", "release", "advance", "collect"} <= set(seen)
