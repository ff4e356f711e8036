"""Random calls by random people at random and at boundary times, to the court and to its model: never a difference.

At the end of every run whatever can be fetched is fetched, and the court holds nothing but what nobody can claim yet.
"""

import inspect
import os
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.support.courts.arena import CALLS, PARAMS, T, lie_from, truth
from tests.support.courts.twins import PEOPLE, Twins
from tests.support.evm import raw

from setoff.contracts.compiler import ROOT
from setoff.deploy.simulation.lab.machine import LAST, Exchanged, Garbage
from setoff.deploy.simulation.reference_court import DISPUTED, INSTALLED, STANDING, Revert
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import merkle_root
from setoff.shared.dispute.bisection import make_move
from setoff.shared.dispute.calls import Call
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.history import EPOCH
from setoff.shared.params import GWEI

IS_LONG = os.environ.get("SETOFF_LONG") == "1"
PROOFS = (bytes(32), b"", bytes(31), bytes(64), (3).to_bytes(32, "big"))

people = st.sampled_from(PEOPLE)
prices = st.sampled_from([0, 0, GWEI, PARAMS.gas_price_cap, 3 * PARAMS.gas_price_cap])
picks = st.integers(0, 2**16)

seen: dict[str, int] = {}
"""Calls taken in all runs, and reasons met."""
reasons: dict[str, int] = {}


class CourtMachine(RuleBasedStateMachine):
    """What anybody may do."""

    twins: Twins | None = None

    @initialize(
        claimed=st.integers(0, 7), joins=st.lists(st.integers(0, 7), max_size=5, unique=True), delays=st.integers(0, 2)
    )
    def begin(self, claimed: int, joins: list[int], delays: int) -> None:
        """A claim and some histories, at one court for all runs: deploying takes longer than playing."""
        cls = type(self)
        if cls.twins is None:
            cls.twins = Twins()
        else:
            cls.twins.reset()
        self.t = cls.twins
        genesis = self.t.arena.genesis
        first = truth(genesis)
        second = truth(first.end, 1)
        self.starts = [(0, genesis), (1, first.end), (2, second.end), (1, keccak(b"three")), (0, keccak(b"no"))]
        self.histories: dict[tuple[int, bytes], list[Any]] = {}
        for epoch, start in self.starts:
            honest = truth(start, epoch)
            self.histories[epoch, start] = [
                honest,
                lie_from(start, 1 << 20, "one", epoch),
                lie_from(start, 1 << 20, "two", epoch),
                Exchanged(honest, LAST, keccak(b"three")),
                Exchanged(honest, LAST, keccak(b"four")),
                Exchanged(honest, (2 << 20) + 1, keccak(b"middle")),
                Exchanged(honest, 0, keccak(b"first")),
                Garbage(keccak(b"end"), b"garbage"),
            ]
        histories = self.histories[0, genesis]
        key = self.t.model.key_of(0, genesis)
        self.do(Call("claim", (0, genesis, histories[claimed].end), PARAMS.stake), PEOPLE[3])
        for number in joins:
            self.t.set_time(self.t.now + (0, 1, T // 7)[delays])
            self._join(key, histories[number], PEOPLE[number % 3])
        if claimed % 2:
            # A claim on a false start that somebody stands for, disputed by somebody who believes in it, too.
            self._join(key, histories[3], PEOPLE[1])
            epoch, start = self.starts[3]
            self.do(Call("claim", (epoch, start, keccak(b"further")), 0), PEOPLE[3])
            self._join(self.t.model.key_of(epoch, start), self.histories[epoch, start][0], PEOPLE[0])

    def _join(self, key: bytes, history: Any, who: str) -> None:
        arguments = (key, list(history.children(0, 0)), history.end, list(history.last_path()))
        self.do(Call("join", arguments, PARAMS.bond), who)

    # --- helpers ---

    def do(self, call: Call, sender: str, price: int = 0) -> str:
        reason = self.t.call(call, sender, price)
        seen[call.function] = seen.get(call.function, 0) + (not reason)
        reasons[reason] = reasons.get(reason, 0) + 1
        return reason

    def key(self, pick: int) -> bytes:
        """A claim, the latest ones first; or none at all."""
        keys = [*reversed(self.t.model.claims), keccak(b"no claim")]
        return keys[pick % len(keys)] if pick % 7 else keys[0]

    def of_key(self, key: bytes) -> list[Any]:
        claim = self.t.model.claims.get(key)
        return self.histories[(claim.epoch, claim.start) if claim else self.starts[0]]

    def pair(self, pick: int) -> tuple[bytes, Any, Any]:
        """Two histories of a claim, standing ones if there are."""
        model = self.t.model
        running = [key for key, claim in model.claims.items() if claim.state in (DISPUTED, INSTALLED)]
        disputed = [key for key in running if model.claims[key].standing > 1] or running
        key = disputed[pick % len(disputed)] if disputed else self.key(pick)
        held = model.claims[key].histories if key in model.claims else {}
        histories = self.of_key(key)
        standing = [h for h in histories if h.root in held and held[h.root].state == STANDING]
        if pick % 11 == 0 or len(standing) < 2:
            standing = histories
        one = standing[(pick >> 3) % len(standing)]
        other = standing[(pick >> 7) % len(standing)]
        if other is one and pick % 5:
            other = standing[((pick >> 7) + 1) % len(standing)]
        return key, one, other

    # --- time ---

    @rule(pick=picks, offset=st.sampled_from([-1, 0, 1]))
    def boundary(self, pick: int, offset: int) -> None:
        """To a time at which a window opens or closes, or a clock runs out, or one second beside it."""
        model = self.t.model
        times = []
        for claim in model.claims.values():
            times.append(claim.claimed_at + T)
            if claim.disputed_at:
                times += [claim.disputed_at + T, claim.disputed_at + 3 * T]
            if claim.state in (DISPUTED, INSTALLED):
                times += [model._expiry(claim, match) for match in claim.matches.values() if match.level < 7]
        coming = sorted({time + offset for time in times if self.t.now < time + offset < self.t.now + 3 * T})
        if coming:
            # Mostly the next one: far jumps end all that is going on.
            self.t.set_time(coming[0] if pick % 4 else coming[pick % len(coming)])

    @rule(seconds=st.sampled_from([1, 7, T // 5]))
    def wait(self, seconds: int) -> None:
        self.t.set_time(self.t.now + seconds)

    # --- calls ---

    @rule(who=people, pick=picks, other=picks, wrong=st.integers(0, 9))
    def claim(self, who: str, pick: int, other: int, wrong: int) -> None:
        starts = self.starts[:1] if pick % 3 == 0 else self.starts
        epoch, start = starts[pick % len(starts)]
        history = self.histories[epoch, start][other % 8]
        value = 0 if self.t.model.has_room(raw(who)) else PARAMS.stake
        if wrong == 0:
            value = PARAMS.stake - value
        end = ZERO if wrong == 1 else history.end
        self.do(Call("claim", (epoch + (EPOCH.fanout if wrong == 2 else 0), start, end), value), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 7), wrong=st.integers(0, 15))
    def join(self, who: str, pick: int, choice: int, wrong: int) -> None:
        key = self.key(pick)
        history = self.of_key(key)[choice]
        path, end = list(history.last_path()), history.end
        if wrong == 0:
            path[3] = ZERO
        if wrong == 1:
            end = ZERO
        value = PARAMS.bond - (wrong == 2)
        self.do(Call("join", (key, list(history.children(0, 0)), end, path), value), who)

    @precondition(lambda self: any(claim.standing > 1 for claim in self.t.model.claims.values()))
    @rule(who=people, pick=picks, price=prices, wrong=st.integers(0, 15))
    def move(self, who: str, pick: int, price: int, wrong: int) -> None:
        self._move(who, pick, price, wrong)

    @precondition(lambda self: any(claim.standing > 1 for claim in self.t.model.claims.values()))
    @rule(who=people, pick=picks, price=prices, count=st.integers(2, 7))
    def play(self, who: str, pick: int, price: int, count: int) -> None:
        """Several moves of one match."""
        for _ in range(count):
            if self._move(who, pick, price, 15):
                break

    def _move(self, who: str, pick: int, price: int, wrong: int) -> str:
        key, one, other = self.pair(pick)
        claim = self.t.court.claims.get(key)
        roots = {one.root, other.root}
        match = claim.match(one.root, other.root) if claim and roots <= claim.histories.keys() else None
        empty = Call("move", (key, one.root, other.root, 0, [ZERO] * 32, ZERO, [], [ZERO] * 5, [ZERO] * 5))
        if match is None or match.is_sealed:
            return self.do(empty, who, price)
        mover, opponent = (one, other) if match.on_turn == one.root else (other, one)
        if wrong == 0:
            mover, opponent = opponent, mover
        level, prefix = match.level, match.prefix
        try:
            move = make_move(
                mover.children(level, prefix),
                opponent.children(level, prefix),
                lambda index: mover.children(level + 1, EPOCH.fanout * prefix + index),
            )
        except (AssertionError, ValueError):
            return self.do(empty, who, price)
        index, children, theirs = move.index, list(move.children), move.their_child
        common, mine = list(move.common), list(move.mine)
        if wrong == 1:
            index = index ^ 1
        elif wrong == 2:
            index += 32
        elif wrong == 3:
            children = children[:-1]
        elif wrong == 4:
            children[0] = ZERO
        elif wrong == 5:
            theirs = ZERO
        elif wrong == 6:
            common, mine = mine, common
        elif wrong == 7:
            mine = mine[:-1]
        elif wrong == 8:
            theirs = merkle_root(children)
        arguments = (key, mover.root, opponent.root, index, children, theirs, common, mine, list(move.theirs))
        return self.do(Call("move", arguments), who, price)

    @precondition(lambda self: any(claim.standing > 1 for claim in self.t.model.claims.values()))
    @rule(who=people, pick=picks, price=prices)
    def timeout(self, who: str, pick: int, price: int) -> None:
        key, one, other = self.pair(pick)
        self.do(Call("timeout", (key, one.root, other.root)), who, price)

    @precondition(lambda self: any(claim.matches for claim in self.t.model.claims.values()))
    @rule(who=people, pick=picks, price=prices, wrong=st.integers(0, 12))
    def prove(self, who: str, pick: int, price: int, wrong: int) -> None:
        self._prove(who, pick, price, wrong)

    def _prove(self, who: str, pick: int, price: int, wrong: int) -> None:
        key, one, other = self.pair(pick)
        claim = self.t.court.claims.get(key)
        roots = {one.root, other.root}
        match = claim.match(one.root, other.root) if claim and roots <= claim.histories.keys() else None
        if isinstance(one, Garbage):
            one, other = other, one
        if isinstance(one, Garbage):
            return
        place = match.prefix if match and match.is_sealed else 0
        pre = one.leaf(place - 1) if place else claim.start if claim else ZERO
        path = list(one.path(place - 1)) if place else []
        if wrong == 0:
            pre = ZERO
        elif wrong == 1:
            path = path[:-1] if path else [ZERO] * 35
        elif wrong == 2 and path:
            path[7] = ZERO
        proof = PROOFS[wrong % len(PROOFS)] if wrong < 6 else PROOFS[0]
        self.do(Call("prove", (key, one.root, other.root, pre, path, proof)), who, price)

    @precondition(lambda self: any(claim.standing > 1 for claim in self.t.model.claims.values()))
    @rule(who=people, pick=picks, price=prices)
    def judge_one(self, who: str, pick: int, price: int) -> None:
        """A match to its end: all its moves and the proof, or the end of a clock."""
        for _ in range(7):
            self._move(who, pick, price, 15)
        self._prove(who, pick, price, 12)
        key, one, other = self.pair(pick)
        try:
            _, match = self.t.model._match(key, one.root, other.root)
        except Revert:
            return
        if match.level < EPOCH.levels:
            expiry = self.t.model._expiry(self.t.model.claims[key], match)
            self.t.set_time(max(self.t.now, expiry - pick % 2))
            self.do(Call("timeout", (key, other.root, one.root)), who, price)

    @precondition(lambda self: self.t.model.claims)
    @rule(who=people, pick=picks)
    def conclude(self, who: str, pick: int) -> None:
        """To when a claim can be concluded, and everything that can conclude it."""
        key = self.key(pick)
        claim = self.t.model.claims.get(key)
        if claim is None:
            return
        due = max(claim.claimed_at + T, claim.disputed_at + (1 + 2 * (pick % 2)) * T if claim.disputed_at else 0)
        self.t.set_time(max(self.t.now, due))
        for end in list(claim.by) or [claim.end]:
            self.do(Call("install", (key, end)), who)
        if pick % 5 == 0:
            self.do(Call("void", (key,)), who)
        for epoch in range(3):
            self.do(Call("advance", (epoch,)), who)
        for root in list(claim.histories):
            self.do(Call("settle", (key, root)), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 7))
    def install(self, who: str, pick: int, choice: int) -> None:
        key = self.key(pick)
        claim = self.t.model.claims.get(key)
        end = self.of_key(key)[choice].end if claim is None or pick % 3 == 0 or not claim.by else max(claim.by)
        self.do(Call("install", (key, end if pick % 2 or claim is None else claim.end)), who)

    @rule(who=people, pick=picks)
    def void(self, who: str, pick: int) -> None:
        self.do(Call("void", (self.key(pick),)), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 8))
    def settle(self, who: str, pick: int, choice: int) -> None:
        key = self.key(pick)
        self.do(Call("settle", (key, ZERO if choice == 8 else self.of_key(key)[choice].root)), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 7))
    def release(self, who: str, pick: int, choice: int) -> None:
        key = self.key(pick)
        self.do(Call("release", (key, self.of_key(key)[choice].root)), who)

    @rule(who=people, pick=picks)
    def release_all(self, who: str, pick: int) -> None:
        key = self.key(pick)
        claim = self.t.model.claims.get(key)
        if claim is not None:
            for root in list(claim.histories):
                self.do(Call("release", (key, root)), who)
            for (loser, _), credits in list(claim.credits.items()):
                for mover in list(credits):
                    self.do(Call("redeem", (key, loser, mover)), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 7), mover=people)
    def redeem(self, who: str, pick: int, choice: int, mover: str) -> None:
        key = self.key(pick)
        self.do(Call("redeem", (key, self.of_key(key)[choice].root, raw(mover))), who)

    @rule(who=people, epoch=st.integers(0, 3))
    def advance(self, who: str, epoch: int) -> None:
        self.do(Call("advance", (epoch,)), who)

    @rule(who=people, pick=picks)
    def reclaim(self, who: str, pick: int) -> None:
        model = self.t.model
        false = [key for key, claim in model.claims.items() if model._is_false_start(key) and claim.state < 4]
        self.do(Call("reclaim", (false[0] if false and pick % 2 else self.key(pick),)), who)

    @rule(who=people, pick=picks, choice=st.integers(0, 7))
    def reclaim_history(self, who: str, pick: int, choice: int) -> None:
        key = self.key(pick)
        self.do(Call("reclaim_history", (key, self.of_key(key)[choice].root)), who)

    @rule(who=people, owner=people)
    def collect(self, who: str, owner: str) -> None:
        self.do(Call("collect", (raw(owner),)), who)

    @rule(who=people, id=st.integers(0, 4))
    def unstake(self, who: str, id: int) -> None:
        self.do(Call("unstake", (id,)), who)

    def teardown(self) -> None:
        """All that is anybody's is fetched; what remains belongs to claims that are not decided."""
        if not hasattr(self, "t"):
            return
        model = self.t.model
        for key, claim in list(model.claims.items()):
            for root in list(claim.histories):
                is_moot = model.start_of.get(claim.epoch, claim.start) != claim.start
                self.do(Call("reclaim_history" if is_moot else "release", (key, root)), PEOPLE[0])
            for (loser, _), credits in list(claim.credits.items()):
                for mover in list(credits):
                    self.do(Call("redeem", (key, loser, mover)), PEOPLE[0])
        for id, stake in enumerate(list(model.stakes), 1):
            self.do(Call("unstake", (id,)), "0x" + stake.owner.hex())
        for who in PEOPLE:
            self.do(Call("collect", (raw(who),)), PEOPLE[0])
        left = sum(stake.held for stake in model.stakes) + sum(sum(c.slices.values()) for c in model.claims.values())
        for claim in model.claims.values():
            left += PARAMS.bond * sum(history.state != 3 for history in claim.histories.values())
        assert model.balance == left


def test_the_court_is_its_model() -> None:
    run_state_machine_as_test(
        CourtMachine,
        settings=settings(
            max_examples=500 if IS_LONG else 25,
            stateful_step_count=100 if IS_LONG else 50,
            derandomize=not IS_LONG,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


WEIGHTS: dict[str, int] = {
    **{"join": 10, "move": 8, "play": 8, "judge_one": 8, "timeout": 4, "prove": 6, "boundary": 4, "wait": 3},
    **{"claim": 5, "conclude": 3, "release_all": 3, "install": 2, "void": 1, "settle": 2, "release": 2, "redeem": 2},
    **{"advance": 2, "reclaim": 2, "reclaim_history": 3, "collect": 1, "unstake": 1},
}
"""How often each rule is tried in a walk, so that walks get far: disputes are played, judged, installed and paid."""


def walk(seed: int, steps: int) -> CourtMachine:
    """A walk through the rules of the state machine with these weights, to its teardown."""
    draw = random.Random(seed)
    machine = CourtMachine()
    machine.begin(draw.randrange(8), draw.sample(range(8), draw.randrange(2, 6)), draw.randrange(3))
    ranges = {"choice": 7, "other": 2**16, "pick": 2**16, "claimed": 7, "id": 4, "epoch": 3}
    for _ in range(steps):
        name = draw.choices(list(WEIGHTS), WEIGHTS.values())[0]
        arguments: dict[str, Any] = {}
        for argument in inspect.signature(getattr(CourtMachine, name)).parameters:
            if argument in ranges:
                arguments[argument] = draw.randint(0, ranges[argument])
            elif argument == "wrong":
                arguments[argument] = draw.randrange(20)
            elif argument in ("who", "owner", "mover"):
                arguments[argument] = draw.choice(PEOPLE)
            elif argument == "price":
                arguments[argument] = draw.choice([0, GWEI, PARAMS.gas_price_cap, 3 * PARAMS.gas_price_cap])
            elif argument == "offset":
                arguments[argument] = draw.choice([-1, 0, 1])
            elif argument == "seconds":
                arguments[argument] = draw.choice([1, 7, T // 5])
            elif argument == "count":
                arguments[argument] = draw.randrange(2, 8)
        getattr(machine, name)(**arguments)
    machine.teardown()
    return machine


@pytest.mark.parametrize("group", range(4))
def test_walks_through_whole_disputes(group: int) -> None:
    for seed in range(group, 1000 if IS_LONG else 32, 4):
        walk(seed, 80)


def test_walks_take_every_call_and_meet_every_reason() -> None:
    seen.clear()
    reasons.clear()
    for seed in range(1000, 1020):
        walk(seed, 80)
    machine = CourtMachine()
    machine.begin(1, [0, 3], 1)
    for wrong in range(10):
        machine._move(PEOPLE[0], 1, GWEI, wrong)
    for _ in range(6):
        machine._move(PEOPLE[0], 1, GWEI, 15)
    for wrong in range(7):
        machine._prove(PEOPLE[0], 1, GWEI, wrong)
    machine.conclude(who=PEOPLE[0], pick=1)
    for pick in range(3):
        machine.reclaim(who=PEOPLE[0], pick=pick)
    machine.teardown()
    assert set(seen) == CALLS and all(count > 0 for count in seen.values()), f"never taken: {seen}"
    assert COURT_REASONS - set(reasons) <= {"history_standing"}, f"met: {reasons}"


COURT_REASONS = {
    reason
    for path in (ROOT / "court").glob("*.vy")
    if path.stem not in ("terms", "batches", "genesis")
    for reason in re.findall(r'assert [^#]*?, "(\w+)"', path.read_text())
}
"""Every reason of the contracts of the court but those of its construction."""
