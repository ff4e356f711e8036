"""The court's model in blocks: what everybody sees, whose calls get in and when.

In each block come first the attackers who want to be first, then the calls of the honest that are due, as many as fit
and the censor lets through, then the other attackers; after it the honest see what happened and decide what to send.
Attackers wait for nothing and are never short of room.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from setoff.deploy.simulation.lab.audit import Audit
from setoff.deploy.simulation.lab.machine import GENESIS, Run, judge, true_history
from setoff.deploy.simulation.lab.setting import Setting
from setoff.deploy.simulation.reference_court import Judge, ReferenceCourt, Revert
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.calls import Call, make_call
from setoff.shared.dispute.game import ClaimState, CourtState
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.dispute.terms import Terms
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.errors import StateError
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.params import INSTALL_GAS, JOIN_GAS, MOVE_GAS, PROVE_GAS, RELEASE_GAS, SETTLE_GAS, TIMEOUT_GAS

BEGIN: Final = 1_000_000
"""Time at which all epochs are posted."""

GAS: Final = {
    "join": JOIN_GAS,
    "move": MOVE_GAS,
    "timeout": TIMEOUT_GAS,
    "prove": PROVE_GAS,
    "install": INSTALL_GAS,
    "settle": SETTLE_GAS,
    "release": RELEASE_GAS,
}
"""Gas of a call as the bond counts it; of others (they are no part of a dispute) none is counted."""

MakeModel = Callable[[Terms, bytes, Judge, int], ReferenceCourt]


def address(name: str) -> bytes:
    """The address of somebody."""
    return keccak(name.encode())[:20]


class Attacker(Protocol):
    """Anybody else. Acts in every block, before or after the honest calls, or both."""

    def before(self, lab: Lab) -> None: ...
    def after(self, lab: Lab) -> None: ...
    def wakes(self, lab: Lab) -> Iterator[int]:
        """Times in the future at which it wants to act although nothing happens."""


class Censor:
    """Keeps honest calls out of blocks, some kinds or all, for C seconds altogether."""

    def __init__(self, budget: int, kinds: frozenset[str] | None = None, draw: random.Random | None = None) -> None:
        self.left = budget
        self.kinds = kinds
        self._draw = draw
        self._spent_at = -1

    def blocks(self, lab: Lab, call: Call) -> bool:
        """Whether this call stays out of this block. The first one in a block costs the block's time."""
        if self.kinds is not None and call.function not in self.kinds:
            return False
        if self._spent_at == lab.now:
            return True
        if self.left < lab.setting.block or (self._draw is not None and self._draw.random() < 0.5):
            return False
        self.left -= lab.setting.block
        self._spent_at = lab.now
        return True


@dataclass
class Honest:
    """An honest party: the strategy that the real player runs, what it knows, and its calls on their way."""

    name: str
    policy: Policy
    make_player: Callable[[bytes, Policy], Player] = Player
    awake_from: int = 0
    """Seconds after the beginning at which it appears."""
    gas: dict[str, int] = field(default_factory=dict)
    """By call: what it paid for, whether or not the call went through."""
    outrun: int = 0
    """Gas of one-step proofs that somebody else had brought before, and is credited for."""
    refusals: dict[str, int] = field(default_factory=dict)
    pending: dict[Action, tuple[int, Call]] = field(default_factory=dict)
    """Calls on their way, most urgent first: when it was sent, and what."""
    calls: int = 0
    """That got into a block."""

    def __post_init__(self) -> None:
        self.me = address(self.name)
        self.player = self.make_player(self.me, self.policy)

    def land(self, lab: Lab) -> None:
        """Those calls get into this block that are due, fit, and are not censored."""
        room = lab.setting.capacity
        for action, (sent_at, call) in list(self.pending.items()):
            if room == 0:
                break
            if lab.now < sent_at + lab.setting.params.inclusion or lab.censor.blocks(lab, call):
                continue
            room -= 1
            del self.pending[action]
            self.calls += 1
            self.gas[call.function] = self.gas.get(call.function, 0) + GAS.get(call.function, 0)
            reason = lab.call(call, self.me)
            if reason:
                self.outrun += GAS.get(call.function, 0) if call.function == "prove" else 0
                self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def decide(self, lab: Lab) -> None:
        """Look at the chain, and send what the strategy wants sent."""
        if lab.now < BEGIN + self.awake_from:
            return
        view = View(lab)
        pending: dict[Action, tuple[int, Call]] = {}
        for action in self.player.choose(lab.court, view, lab.now):
            executed = self.pending.get(action)
            if executed is None:
                try:
                    executed = (lab.now, make_call(action, lab.court, view, self.me))
                except StateError as error:
                    self.refusals[error.reason] = self.refusals.get(error.reason, 0) + 1
                    continue
            pending[action] = executed
        self.pending = pending


@dataclass(frozen=True)
class View:
    """What an honest party knows at this time: an epoch's history is at hand κ after it came to need it."""

    lab: Lab

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """The epoch, from its true start."""
        lab = self.lab
        executed = lab.truth.get(epoch)
        if executed is None:
            return None
        claim = lab.court.latest(epoch, executed.run.start_hash)
        if claim is not None and claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED):
            # A true claim needs defence only from the time at which it is disputed.
            since = max(claim.claimed_at, claim.disputed_at if claim.end == executed.run.end else 0)
            if lab.now < since + lab.setting.params.computation:
                return None
        return executed


class Lab:
    """One game: a court with `epochs` posted, honest parties, attackers."""

    def __init__(
        self,
        setting: Setting,
        honest: list[Honest],
        attackers: list[Attacker],
        *,
        epochs: int = 1,
        censor: Censor | None = None,
        make_model: MakeModel = ReferenceCourt,
    ) -> None:
        self.setting = setting
        self.terms = setting.terms
        self.honest = honest
        self.attackers = attackers
        self.censor = censor or Censor(0)
        self.model = make_model(self.terms, GENESIS, judge, BEGIN)
        count = self.terms.epoch_batches
        self.model.batch_hashes = [keccak(b"batch %d" % number) for number in range(epochs * count)]
        self.court = CourtState(self.terms, GENESIS)
        self.truth: dict[int, ExecutedEpoch] = {}
        start = GENESIS
        for epoch in range(epochs):
            history = true_history(start, epoch, count)
            commitment = epoch_hash(epoch, count, self.model.batch_hashes[(epoch + 1) * count - 1])
            self.truth[epoch] = ExecutedEpoch(commitment, BEGIN, Run(start, history))
            start = history.end
        self.calls = 0
        self.reverts = 0
        self._taken = 0
        self._read = 0
        self.audit = Audit(self)

    @property
    def now(self) -> int:
        """Time of this block."""
        return self.model.now

    def call(self, call: Call, sender: bytes, gas_price: int | None = None) -> str:
        """A transaction in this block; returns the reason if the court refuses, "" if not."""
        self.calls += 1
        price = self.setting.gas_price if gas_price is None else gas_price
        # What the call would do is done completely or not at all, so the audit need only look when it was done.
        try:
            self.model.call(call, sender, price)
        except Revert as error:
            self.reverts += 1
            self.audit.after_refusal(call)
            return error.reason
        happened = self.model.log[self._read :]
        self._read = len(self.model.log)
        for event in happened:
            self.court.apply(event)
        self._taken += 1
        self.audit.after(call, price, happened)
        return ""

    def run(self) -> Lab:
        """Blocks until nothing happens any more, and then the money of everybody is fetched."""
        limit = BEGIN + self.limit
        while self.now <= limit:
            if not self.play_block():
                break
        else:
            self.audit.fail("they never stop")
        self.fetch_all()
        self.audit.at_the_end()
        return self

    @property
    def limit(self) -> int:
        """Seconds after which a game must long be over: a few rounds of an epoch after the other."""
        late = max((honest.awake_from for honest in self.honest), default=0)
        return late + 6 * self.setting.period * (len(self.truth) + 1)

    def play_block(self) -> bool:
        """One block, and on to the next one in which something can happen. False if there is none."""
        taken = self._taken
        for attacker in self.attackers:
            attacker.before(self)
        for honest in self.honest:
            honest.land(self)
        for attacker in self.attackers:
            attacker.after(self)
        for honest in self.honest:
            honest.decide(self)
        block = self.setting.block
        if self._taken > taken or any(honest.pending for honest in self.honest):
            self.model.now += block
            return True
        coming = min(self._moments(), default=None)
        if coming is None:
            return False
        self.model.now += max(-(-(coming - self.now) // block), 1) * block
        return True

    def _moments(self) -> Iterator[int]:
        """Times in the future at which a clock runs out or a window opens or closes, and one block before each."""
        for moment in self._thresholds():
            for time in (moment - self.setting.block, moment):
                if time > self.now:
                    yield time
        for attacker in self.attackers:
            yield from (time for time in attacker.wakes(self) if time > self.now)
        for honest in self.honest:
            if self.now < BEGIN + honest.awake_from:
                yield BEGIN + honest.awake_from

    def _thresholds(self) -> Iterator[int]:
        period, kappa = self.setting.period, self.setting.params.computation
        delays = {honest.policy.deference for honest in self.honest} | {0}
        for honest in self.honest:
            if honest.policy.claim_after is not None:
                yield BEGIN + honest.policy.claim_after
        for stood_at in self.court.stood_at.values():
            yield stood_at + self.terms.claim_interval
        for claim in (*self.court.unfinished(), *self.court.unpaid()):
            for delay in delays:
                yield claim.changed_at + delay
                yield from (claim.claimed_at + wait + delay for wait in (kappa, period))
                if claim.disputed_at:
                    yield from (claim.disputed_at + wait + delay for wait in (kappa, period, 3 * period))
            if claim.state not in (ClaimState.DISPUTED, ClaimState.INSTALLED):
                continue
            for match in claim.turns():
                if not match.is_sealed:
                    yield claim.expiry(match, period)
                    yield from (match.since + delay for delay in delays if delay)

    def fetch_all(self) -> None:
        """Everything that anybody can still fetch is fetched: bonds, credits, stakes."""
        model, somebody = self.model, address("passer-by")
        for key, claim in list(model.claims.items()):
            for root in list(claim.histories):
                for function in ("release", "reclaim_history"):
                    self.call(Call(function, (key, root)), somebody)
            for (loser, _), credits in list(claim.credits.items()):
                for who in list(credits):
                    self.call(Call("redeem", (key, loser, who)), somebody)
            self.call(Call("reclaim", (key,)), somebody)
        for id, stake in enumerate(list(model.stakes), 1):
            self.call(Call("unstake", (id,)), stake.owner)
        for who, amount in list(model.owed.items()):
            if amount:
                self.call(Call("collect", (who,)), somebody)
