"""Attackers. Each is one idea; a game has any number of them at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from setoff.deploy.simulation.lab.machine import PROOF, Run
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.calls import Call, make_call
from setoff.shared.dispute.game import Claim, ClaimState
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.errors import StateError
from setoff.shared.machine.data import ZERO

if TYPE_CHECKING:
    from setoff.deploy.simulation.lab.chain import Lab

NEVER: Final = 1 << 60


class Bystander:
    """An attacker who does nothing: the others say what they do instead."""

    def before(self, lab: Lab) -> None:
        """Acts ahead of the honest calls of a block."""

    def after(self, lab: Lab) -> None:
        """Acts behind them."""

    def wakes(self, lab: Lab) -> Iterator[int]:
        """Times at which it acts by its own clock."""
        return iter(())


Reply = Callable[["Lab", int, int, int], bool]
"""Whether to make a move now: (lab, level, time the turn began, time the clock runs out)."""


def at_once(lab: Lab, level: int, since: int, expiry: int) -> bool:
    """Never waits."""
    return True


def at_the_last_moment(lab: Lab, level: int, since: int, expiry: int) -> bool:
    """Waits for the last block in which a move still counts."""
    return lab.now + lab.setting.block >= expiry


def never(lab: Lab, level: int, since: int, expiry: int) -> bool:
    """Joins, and lets its clock run out."""
    return False


def until(stop: int, reply: Reply = at_once) -> Reply:
    """Replies up to a level, and then no more."""
    return lambda lab, level, since, expiry: level < stop and reply(lab, level, since, expiry)


def late_from(first: int) -> Reply:
    """Quick at first, at the last moment from a level on."""
    return lambda lab, level, since, expiry: level < first or at_the_last_moment(lab, level, since, expiry)


def by_chance(seed: int) -> Reply:
    """Now or later."""
    draw = random.Random(seed)
    return lambda lab, level, since, expiry: draw.random() < 0.3


@dataclass(frozen=True)
class Beliefs:
    """What a liar takes the epochs to be."""

    runs: dict[int, ExecutedEpoch]

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """The epoch as the liar has it."""
        return self.runs.get(epoch)


class Liar(Bystander):
    """Plays a lie by the strategy of the honest player: claims, joins, moves, installs; with a timing of its own."""

    def __init__(
        self,
        me: bytes,
        runs: dict[int, Run],
        *,
        claims: bool = False,
        reply: Reply = at_once,
        joins_at: Callable[[Lab, Claim], int] | None = None,
        proves: bool = False,
        is_first: bool = False,
        finishes: bool = True,
    ) -> None:
        """`runs` by epoch; `proves`: also where the proof eliminates itself; `finishes`: fetches money, concludes."""
        self.me = me
        self.runs = runs
        self.reply = reply
        self._joins_at = joins_at
        self._proves = proves
        self._is_first = is_first
        self._finishes = finishes
        self._player = Player(me, Policy(claim_after=0 if claims else None, collect_from=1))
        self._seen = (-1, -1)
        self._beliefs: Beliefs | None = None

    def before(self, lab: Lab) -> None:
        """Acts here if it is one of the first."""
        if self._is_first:
            self._act(lab)

    def after(self, lab: Lab) -> None:
        """Acts here if it is not."""
        if not self._is_first:
            self._act(lab)

    def wakes(self, lab: Lab) -> Iterator[int]:
        """When it joins."""
        if self._joins_at is not None:
            for claim in lab.court.unfinished():
                yield self._joins_at(lab, claim)

    def _act(self, lab: Lab) -> None:
        seen = (lab.now, len(lab.model.log))
        if seen == self._seen:
            return
        if self._beliefs is None:
            self._beliefs = Beliefs({epoch: replace(lab.truth[epoch], run=run) for epoch, run in self.runs.items()})
        for action in self._player.choose(lab.court, self._beliefs, lab.now):
            if self._wants(lab, action):
                try:
                    call = make_call(action, lab.court, self._beliefs, self.me)
                except (StateError, IndexError, AssertionError):
                    continue  # its lie goes no further, or somebody was quicker
                lab.call(call, self.me)
        self._seen = (lab.now, len(lab.model.log))

    def _wants(self, lab: Lab, action: Action) -> bool:
        match action:
            case actions.Join(key):
                return self._joins_at is None or lab.now >= self._joins_at(lab, lab.court.claims[key])
            case actions.Move(key, mover, opponent, level):
                claim = lab.court.claims[key]
                match = claim.match(mover, opponent)
                return self.reply(lab, level, match.since, claim.expiry(match, lab.setting.period))
            case actions.Prove():
                return self._proves
            case actions.Claim() | actions.Timeout():
                return True
        return self._finishes


class Crowd(Bystander):
    """Many liars under one head: they join in one block, reply to the truth in one block, and spare each other."""

    def __init__(self, members: Sequence[tuple[bytes, Run]], reply: Reply = at_once, *, join_after: int = 0) -> None:
        """`members`: who, with which false history of epoch 0; `join_after` seconds after the claim."""
        self._members = members
        self._reply = reply
        self._join_after = join_after
        self._beliefs: dict[bytes, Beliefs] = {}

    def before(self, lab: Lab) -> None:
        """Joins, replies, and times the truth out where it can."""
        executed = lab.truth[0]
        claim = lab.court.latest(0, executed.run.start_hash)
        if claim is None or lab.now < claim.claimed_at + self._join_after:
            return
        truth = executed.run.root
        for me, run in self._members:
            book = self._beliefs.setdefault(me, Beliefs({0: replace(executed, run=run)}))
            if run.root not in claim.histories:
                deadline = claim.join_deadline(run.end, lab.setting.period)
                if claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED) and deadline and lab.now < deadline:
                    lab.call(make_call(actions.Join(claim.key, run.root), lab.court, book, me), me)
            elif claim.is_standing(run.root) and claim.is_standing(truth):
                self._answer(lab, claim, book, me, run.root, truth)

    def _answer(self, lab: Lab, claim: Claim, book: Beliefs, me: bytes, root: bytes, truth: bytes) -> None:
        match = claim.match(root, truth)
        if match.is_sealed or claim.state not in (ClaimState.DISPUTED, ClaimState.INSTALLED):
            return
        expiry = claim.expiry(match, lab.setting.period)
        if match.on_turn == truth:
            if lab.now >= expiry:
                lab.call(Call("timeout", (claim.key, root, truth)), me)
        elif lab.now < expiry and self._reply(lab, match.level, match.since, expiry):
            lab.call(make_call(actions.Move(claim.key, root, truth, match.level), lab.court, book, me), me)


class FrontRunner(Bystander):
    """Makes every call that an honest party is about to make just before it does, of some kinds or all."""

    def __init__(self, me: bytes, kinds: frozenset[str] | None = None) -> None:
        self.me = me
        self._kinds = kinds

    def before(self, lab: Lab) -> None:
        """Copies what waits for this block."""
        for honest in lab.honest:
            for sent_at, call in list(honest.pending.values()):
                is_due = lab.now >= sent_at + lab.setting.params.inclusion
                if is_due and (self._kinds is None or call.function in self._kinds):
                    lab.call(call, self.me)


class Helper(Bystander):
    """Somebody else with the truth who moves for the honest side, and draws its credits."""

    def __init__(self, me: bytes) -> None:
        self.me = me

    def before(self, lab: Lab) -> None:
        """Moves, times out and proves whatever there is for the truth."""
        beliefs = Beliefs(lab.truth)
        for action in Player(self.me).choose(lab.court, beliefs, lab.now):
            if isinstance(action, actions.Move | actions.Timeout | actions.Prove):
                lab.call(make_call(action, lab.court, beliefs, self.me), self.me)


class Vulture(Bystander):
    """Tries in every block whatever could end a game early or twice: all that has to be refused, and is not honest."""

    def __init__(self, me: bytes, draw: random.Random, tries: int = 12) -> None:
        self.me = me
        self._draw = draw
        self._tries = tries

    def before(self, lab: Lab) -> None:
        """A few calls drawn from all that one can think of."""
        court, draw = lab.court, self._draw
        for key in list(court.claims)[-4:]:
            claim = court.claims[key]
            roots = list(claim.histories)
            ends = {claim.end, *(history.end for history in claim.histories.values())}
            calls = [Call("void", (key,)), Call("reclaim", (key,)), Call("advance", (claim.epoch,))]
            calls += [Call("install", (key, end)) for end in ends]
            calls += [Call("settle", (key, root)) for root in (*roots, ZERO)]
            calls += [Call(kind, (key, root)) for root in roots for kind in ("release", "reclaim_history")]
            calls += [Call("redeem", (key, root, self.me)) for root in roots]
            calls += [Call("timeout", (key, one, other)) for one in roots for other in roots]
            sealed = [match for match in claim.matches.values() if match.is_sealed]
            for match in sealed:
                # Proofs that fail inside the judge, and proofs from a state that neither side has.
                path = [ZERO] * 35 if match.prefix else []
                for pre, proof in ((claim.start, b""), (claim.start, PROOF), (ZERO, PROOF)):
                    calls.append(Call("prove", (key, match.earlier, match.later, pre, path, proof)))
                    calls.append(Call("prove", (key, match.later, match.earlier, pre, [], proof)))
            calls.append(Call("unstake", (claim.stake,)))
            calls.append(Call("claim", (claim.epoch, claim.start, keccak(b"again")), lab.terms.stake))
            if claim.round or claim.state is ClaimState.VOID:
                calls.pop()  # a void claim may be claimed again, which is a lie of its own
            for call in calls if len(calls) <= self._tries else draw.sample(calls, self._tries):
                lab.call(call, self.me)


class StarvedProver(Bystander):
    """Calls `prove` for sealed matches with what makes the judge fail, from the true state before."""

    def __init__(self, me: bytes) -> None:
        self.me = me

    def before(self, lab: Lab) -> None:
        """Before any honest proof gets in."""
        for claim in lab.court.unfinished():
            executed = lab.truth.get(claim.epoch)
            if executed is None or executed.run.start_hash != claim.start:
                continue
            for match in list(claim.matches.values()):
                if match.is_sealed:
                    place = match.prefix
                    pre = executed.run.leaf(place - 1) if place else claim.start
                    path = list(executed.run.path(place - 1)) if place else []
                    lab.call(Call("prove", (claim.key, match.earlier, match.later, pre, path, b"")), self.me)


class Repeater(Bystander):
    """Posts every root again: the same, with another end, and after its elimination."""

    def __init__(self, me: bytes) -> None:
        self.me = me
        self._joins: dict[tuple[bytes, bytes], Call] = {}

    def after(self, lab: Lab) -> None:
        """Remembers the joins it saw on their way, and tries them all."""
        for honest in lab.honest:
            for _, call in honest.pending.values():
                if call.function == "join":
                    key, _, end, _ = call.arguments
                    self._joins[key, end] = call
        for call in list(self._joins.values()):
            key, children, end, path = call.arguments
            if key in lab.court.claims and any(h.end == end for h in lab.court.claims[key].histories.values()):
                lab.call(call, self.me)
                lab.call(replace(call, arguments=(key, children, lab.court.claims[key].end, path)), self.me)
                lab.call(replace(call, arguments=(key, children, keccak(b"other end"), path)), self.me)


class Copier(Bystander):
    """Posts the true history before anybody honest does, and then falls silent."""

    def __init__(self, me: bytes) -> None:
        self.me = me

    def before(self, lab: Lab) -> None:
        """As soon as it may be posted."""
        for claim in lab.court.unfinished():
            executed = lab.truth.get(claim.epoch)
            if executed is None or executed.run.start_hash != claim.start or executed.run.root in claim.histories:
                continue
            deadline = claim.join_deadline(executed.run.end, lab.setting.period)
            if deadline is not None and lab.now < deadline:
                beliefs = Beliefs(lab.truth)
                lab.call(make_call(actions.Join(claim.key, executed.run.root), lab.court, beliefs, self.me), self.me)


class Miser(Bystander):
    """Posts several lies, each for no bond if the court takes that, else for one."""

    def __init__(self, me: bytes, runs: Sequence[Run]) -> None:
        self.me = me
        self._runs = runs

    def before(self, lab: Lab) -> None:
        """All at once, as soon as there is a claim."""
        claim = lab.court.latest(0, lab.truth[0].run.start_hash)
        if claim is None:
            return
        for run in self._runs:
            if run.root not in claim.histories:
                call = Call("join", (claim.key, list(run.children(0, 0)), run.end, list(run.last_path())))
                for value in (0, 1, 2 * lab.terms.bond, lab.terms.bond):
                    if not lab.call(replace(call, value=value), self.me):
                        break
