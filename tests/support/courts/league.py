"""Games of the toy machine on the court's model: one call at a time (`Game`), or by players who decide (`League`).

Without a chain, because players look at the court a hundred times in each of many games; that the model is the court is
what `twins.py` is for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from tests.support.courts.arena import PARAMS, truth

from setoff.deploy.simulation.lab.machine import Leaves, Run, judge
from setoff.deploy.simulation.reference_court import ReferenceCourt, Revert
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.calls import Call, make_call
from setoff.shared.dispute.game import CourtState, HistoryState
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.dispute.terms import Terms
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.errors import StateError
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.history import HistoryTree

TERMS = Terms(*PARAMS.terms())
T = TERMS.challenge_period
GENESIS = keccak(b"genesis")
BEGIN = 1_000_000
"""Unix seconds of the first claim."""
EPOCHS = 4


def name(text: str) -> bytes:
    """The address of somebody."""
    return keccak(text.encode())[:20]


@dataclass
class Book:
    """The epochs somebody has executed."""

    runs: dict[int, ExecutedEpoch] = field(default_factory=dict)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        return self.runs.get(epoch)


def batch_hash(number: int) -> bytes:
    return keccak(b"batch %d" % number)


def make_model(epochs: int = EPOCHS) -> ReferenceCourt:
    """A court with so many epochs posted."""
    model = ReferenceCourt(TERMS, GENESIS, judge, BEGIN)
    model.batch_hashes = [batch_hash(number) for number in range(epochs * TERMS.epoch_batches)]
    return model


def book_of(*histories: Leaves, start: bytes = GENESIS, posted_at: int = BEGIN) -> Book:
    """What somebody knows who believes these to be the histories of epochs 0, 1, …."""
    book = Book()
    count = TERMS.epoch_batches
    for epoch, history in enumerate(histories):
        commitment = epoch_hash(epoch, count, batch_hash((epoch + 1) * count - 1))
        book.runs[epoch] = ExecutedEpoch(commitment, posted_at, Run(start, history))
        start = history.end
    return book


def true_histories(epochs: int, start: bytes = GENESIS) -> list[HistoryTree]:
    """What really happens, epoch by epoch."""
    histories = []
    for epoch in range(epochs):
        histories.append(truth(start, epoch))
        start = histories[-1].end
    return histories


TRUTH = truth(GENESIS)
HONEST, LIAR, OTHER, CLAIMANT = (name(who) for who in ("honest", "liar", "other", "claimant"))


class Game:
    """One claim, played call by call: `Game(lie).join(TRUTH).join(lie).play(TRUTH, lie).prove(…).expect_out(lie)`.

    After each call the game rebuilt from events is compared with the model's state.
    """

    def __init__(self, claimed: bytes, *, epoch: int = 0, start: bytes = GENESIS) -> None:
        self.model = make_model()
        self.court = CourtState(TERMS, GENESIS)
        self._read = 0
        self._refusal: str | None = None
        self.key: bytes = self._call(Call("claim", (epoch, start, claimed), TERMS.stake), CLAIMANT)

    def at(self, seconds: int) -> Self:
        """Go to so many seconds after the claim."""
        self.model.now = BEGIN + seconds
        return self

    def refuses(self, reason: str) -> Self:
        """The next call reverts with `reason`."""
        self._refusal = reason
        return self

    def join(self, history: Leaves, by: bytes = HONEST) -> Self:
        arguments = (self.key, history.children(0, 0), history.end, history.last_path())
        return self._do(Call("join", arguments, TERMS.bond), by)

    def move(self, mover: Leaves, opponent: Leaves, by: bytes = HONEST, gas_price: int = 0) -> Self:
        """`mover` moves at the match's present level, whether or not it is on turn."""
        match = self.court.claims[self.key].match(mover.root, opponent.root)
        book = book_of(mover)
        action = actions.Move(self.key, mover.root, opponent.root, match.level)
        try:
            call = make_call(action, self.court, book, by)
        except StateError as error:
            if error.reason != "children_equal":
                raise
            call = Call("move", (self.key, mover.root, opponent.root, 0, [], bytes(32), [], [], []))
        return self._do(call, by, gas_price)

    def play(self, one: Leaves, other: Leaves, by: bytes = HONEST, gas_price: int = 0) -> Self:
        """All moves of both sides that are left."""
        while not (match := self.court.claims[self.key].match(one.root, other.root)).is_sealed:
            mover, opponent = (one, other) if match.on_turn == one.root else (other, one)
            self.move(mover, opponent, by, gas_price)
        return self

    def prove(self, executed: Leaves, other: Leaves, by: bytes = HONEST, gas_price: int = 0) -> Self:
        """Judge the match; the leaf before comes from `executed`."""
        call = make_call(actions.Prove(self.key, executed.root, other.root), self.court, book_of(executed), by)
        return self._do(call, by, gas_price)

    def timeout(self, one: Leaves, other: Leaves, by: bytes = HONEST, gas_price: int = 0) -> Self:
        return self._do(Call("timeout", (self.key, one.root, other.root)), by, gas_price)

    def install(self, end: bytes) -> Self:
        return self._do(Call("install", (self.key, end)))

    def void(self) -> Self:
        return self._do(Call("void", (self.key,)))

    def settle(self, winner: Leaves | None) -> Self:
        return self._do(Call("settle", (self.key, winner.root if winner else bytes(32))))

    def release(self, *histories: Leaves) -> Self:
        for history in histories:
            self._do(Call("release", (self.key, history.root)))
        return self

    def redeem(self, history: Leaves, mover: bytes) -> Self:
        return self._do(Call("redeem", (self.key, history.root, mover)))

    def expect_out(self, *histories: Leaves) -> Self:
        for history in histories:
            assert self.court.claims[self.key].histories[history.root].state is HistoryState.OUT
        return self

    def expect_standing(self, *histories: Leaves) -> Self:
        assert {history.root for history in self.court.claims[self.key].standing()} == {h.root for h in histories}
        return self

    def expect_state(self, state: str) -> Self:
        assert self.court.claims[self.key].state.value == state
        return self

    def expect_owed(self, who: bytes, amount: int) -> Self:
        assert self.model.owed[who] == self.court.owed.get(who, 0) == amount
        return self

    def _do(self, call: Call, by: bytes = HONEST, gas_price: int = 0) -> Self:
        reason, self._refusal = self._refusal, None
        if reason is None:
            self._call(call, by, gas_price)
        else:
            with pytest.raises(Revert) as refusal:
                self._call(call, by, gas_price)
            assert refusal.value.reason == reason
        return self

    def _call(self, call: Call, by: bytes, gas_price: int = 0) -> Any:
        result = self.model.call(call, by, gas_price)
        for event in self.model.log[self._read :]:
            self.court.apply(event)
        self._read = len(self.model.log)
        check_same(self.court, self.model)
        return result


def check_same(court: CourtState, model: ReferenceCourt) -> None:
    """The game rebuilt from events is in the state the court itself is in."""
    states = ("absent", "claimed", "disputed", "installed", "settled", "void", "moot")
    histories = ("absent", "standing", "out", "paid")
    assert court.start_of == model.start_of
    assert set(court.claims) == set(model.claims)
    assert court.owed == {who: amount for who, amount in model.owed.items() if amount}
    for who in model.stake_of:
        assert bool(court.room(who)) == model.has_room(who)
    for key, real_claim in model.claims.items():
        claim = court.claims[key]
        assert claim.state.value == states[real_claim.state]
        assert (claim.claimed_at, claim.disputed_at, claim.winner) == (
            real_claim.claimed_at,
            real_claim.disputed_at,
            real_claim.winner,
        )
        assert (
            len(claim.standing()) == real_claim.standing and len(claim.ends()) == real_claim.ends
        ) or real_claim.state > 3
        assert {root: history.state.value for root, history in claim.histories.items()} == {
            root: histories[history.state] for root, history in real_claim.histories.items()
        }
        assert all(claim.histories[root].slice == left for root, left in real_claim.slices.items())
        if real_claim.state in (2, 3):
            roots = [history.root for history in claim.standing()]
            for one in roots:
                for other in roots:
                    if one != other:
                        match, (_, real) = claim.match(one, other), model._match(key, one, other)
                        assert (match.earlier, match.level, match.prefix, match.since) == (
                            real.earlier,
                            real.level,
                            real.prefix,
                            real.since,
                        )
                        assert match.is_sealed or claim.expiry(match, T) == model._expiry(real_claim, real)


Behaviour = Callable[[CourtState, list[Action], int], list[Action]]
"""What somebody does of what his strategy chose: (games, choice, now) to choice."""


def eager(court: CourtState, chosen: list[Action], now: int) -> list[Action]:
    return chosen


def mute(court: CourtState, chosen: list[Action], now: int) -> list[Action]:
    """Joins and claims, and never answers."""
    return [action for action in chosen if not isinstance(action, actions.Move | actions.Timeout | actions.Prove)]


def unproven(court: CourtState, chosen: list[Action], now: int) -> list[Action]:
    """Plays on as well as one can with a lie: lets L1 run no step."""
    return [action for action in chosen if not isinstance(action, actions.Prove)]


def at_the_last_second(court: CourtState, chosen: list[Action], now: int) -> list[Action]:
    """Moves and joins only when there is hardly time left."""
    taken: list[Action] = []
    for action in unproven(court, chosen, now):
        deadline = now
        if isinstance(action, actions.Move):
            claim = court.claims[action.key]
            deadline = claim.expiry(claim.match(action.mover, action.opponent), T)
        elif isinstance(action, actions.Join):
            deadline = court.claims[action.key].claimed_at + T
        if now + LOOK_SECONDS >= deadline:
            taken.append(action)
    return taken


def gives_up_at(level: int) -> Behaviour:
    """Answers until a level, then never again."""

    def behave(court: CourtState, chosen: list[Action], now: int) -> list[Action]:
        return [action for action in chosen if not isinstance(action, actions.Move) or action.level < level]

    return behave


LOOK_SECONDS = 10
"""Seconds between two looks at the chain."""


WATCH = Policy(collect_from=1)


@dataclass
class Party:
    """Somebody at the court: who, what he believes, how he behaves."""

    me: bytes
    book: Book
    policy: Policy = WATCH
    behaviour: Behaviour = eager
    refusals: list[tuple[Action, str]] = field(default_factory=list)

    @property
    def player(self) -> Player:
        return Player(self.me, self.policy)


class League:
    """Players at one court, each deciding for itself, tick by tick. `blocked(party, action)` censors."""

    def __init__(self, *parties: Party, epochs: int = 1, gas_price: int = 0) -> None:
        self.model = make_model(epochs)
        self.court = CourtState(TERMS, GENESIS)
        self.parties = parties
        self.gas_price = gas_price
        self.blocked: Callable[[Party, Action], bool] = lambda party, action: False
        self.queue_limit = 10**9
        self._read = 0

    @property
    def elapsed(self) -> int:
        """Seconds since the beginning."""
        return self.model.now - BEGIN

    def tick(self) -> int:
        """Everybody looks at the chain and acts; returns how many calls were taken."""
        taken = 0
        self.read()
        decided = [
            (party, party.behaviour(self.court, party.player.choose(self.court, party.book, self.model.now), self.now))
            for party in self.parties
        ]
        for party, chosen in decided:
            for action in chosen[: self.queue_limit]:
                if not self.blocked(party, action):
                    taken += self.act(party, action)
        self.read()
        self.model.now += LOOK_SECONDS
        return taken

    @property
    def now(self) -> int:
        return self.model.now

    def act(self, party: Party, action: Action) -> bool:
        try:
            call = make_call(action, self.court, party.book, party.me)
            self.model.call(call, party.me, self.gas_price)
        except StateError as error:
            party.refusals.append((action, error.reason))
            return False
        return True

    def read(self) -> None:
        for event in self.model.log[self._read :]:
            self.court.apply(event)
        self._read = len(self.model.log)

    def run(self, until: Callable[[], bool], limit: int = 4 * T) -> Self:
        """Tick until something holds; fails if it does not within `limit` seconds."""
        while not until():
            assert self.elapsed < limit, "it takes too long"
            self.tick()
        return self

    def run_until_confirmed(self, epoch: int = 1, limit: int = 2 * T) -> Self:
        """Tick until an epoch's start is confirmed, within the bound."""
        return self.run(lambda: epoch in self.court.start_of, limit)

    def run_until_quiet(self, limit: int = 6 * T) -> Self:
        """Tick until nobody has done anything for longer than any clock runs."""
        quiet = 0
        while quiet <= 2 * T:
            assert self.elapsed < limit + 2 * T, "they never stop"
            quiet = 0 if self.tick() else quiet + LOOK_SECONDS
        check_same(self.court, self.model)
        return self

    def unstake_all(self) -> None:
        """Everybody takes back what stake he still has, and collects."""
        for id, stake in enumerate(self.model.stakes, 1):
            if not stake.slashed and stake.open == 0 and stake.held:
                self.model.call(Call("unstake", (id,)), stake.owner)
        for who, amount in list(self.model.owed.items()):
            if amount:
                self.model.call(Call("collect", (who,)), who)
        self.read()


@contextmanager
def nothing_lost(league: League, *honest: bytes) -> Iterator[None]:
    """In the end nobody honest has lost money, and the court holds none."""
    yield
    league.unstake_all()
    for who in honest:
        assert league.model.wallets[who] >= 0
    assert league.model.balance == 0
    assert sum(league.model.wallets.values()) + league.model.burnt == 0
