"""The player at the court: look at L1, decide, send; again and again. The operator's publisher and the watcher's
challenger are both one of these, with their own knowledge and policy.

Nothing is waited for: a round sends all that is due, and the next one sees from L1 what came of it. Each call is tried
on the pending block first, so a call that would revert is not sent; if its reason says that somebody else has done it
already, that is success. A proof is also tried on the judge alone, since a proof that L1 reads otherwise than this
player's machine would eliminate its own side.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from setoff.shared.config.pause import Pause
from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.calls import Call, make_call, step_call
from setoff.shared.dispute.events import Event
from setoff.shared.dispute.strategy import Player, Policy, is_contradicted
from setoff.shared.dispute.trace_provider import Epochs, find_executed, find_true_root
from setoff.shared.dispute.urgency import deadline_of, share_of_wait
from setoff.shared.errors import ChainError, SetoffError, StateError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import JUDGE
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.rpc import Address
from setoff.shared.l1.sender import add_margin
from setoff.shared.l1.walk import walk_back
from setoff.shared.machine.spot_checks import WrongFastPath
from setoff.shared.params import ETHER

INTERVAL: Final = 1.0
"""Seconds between rounds."""
SPREAD: Final = 4.0
"""Seconds within which the honest players of a court take turns at what one of them has to do."""
FIRST_PAUSE, LAST_PAUSE = 1.0, 120.0
"""Seconds before something refused is tried again: at first, and at most."""

DONE: Final[dict[type[Action], frozenset[str]]] = {
    actions.Claim: frozenset({"already_claimed", "start_contradicted"}),
    actions.Join: frozenset({"history_exists", "claim_state"}),
    actions.Move: frozenset({"not_on_turn", "match_sealed", "history_not_standing", "claim_state"}),
    actions.Timeout: frozenset({"history_not_standing", "match_sealed", "claim_state"}),
    actions.Prove: frozenset({"history_not_standing", "claim_state"}),
    actions.Install: frozenset({"claim_state"}),
    actions.Void: frozenset({"claim_state"}),
    actions.Settle: frozenset({"claim_state"}),
    actions.Release: frozenset({"history_not_held"}),
    actions.Redeem: frozenset({"nothing_owed"}),
    actions.Reclaim: frozenset({"claim_state"}),
    actions.ReclaimHistory: frozenset({"history_not_held"}),
    actions.Advance: frozenset({"already_advanced"}),
    actions.Collect: frozenset({"nothing_owed"}),
}
"""Reasons of a revert that mean: somebody has done it, or the game has gone past it."""

NOT_YET: Final = frozenset({"too_early", "claim_too_early", "clock_runs", "not_ready"})
"""Reasons that only time takes away: tried again in the next round."""

PASSING: Final = frozenset({"insufficient_funds", "rpc_refused"})
"""Reasons that may be gone at any time: money may come, and a node have another opinion."""

TRIES: Final = 3
"""Times that a call is tried which is refused, and goes through after the last block that was read: several backends
may answer at one address, and one of them be on another branch."""

CONTINUED: Final = 8
"""Blocks at most that a refusal may come after the one that was read last, to be held against the newest one."""

POOR_PAUSE: Final = 4.0
"""Seconds before an action that was refused for one of them is tried again, at most."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Round:
    """What one round came to."""

    block: int
    """The last block taken into account."""
    now: int
    """The time decided at."""
    events: list[Event]
    """New since the last round."""
    sent: list[tuple[Action, bytes]] = field(default_factory=list)
    """With the transaction's hash."""
    done: list[Action] = field(default_factory=list)
    """Others have done them."""
    refused: list[tuple[Action, str]] = field(default_factory=list)
    """With the reason."""


class CourtPlayer:
    """One account playing at one court. `step` is a round; `run` goes on until told to stop."""

    def __init__(
        self,
        l1: L1,
        court: Address,
        epochs: Epochs,
        policy: Policy | None = None,
        *,
        first_block: int = 0,
        spread: float = SPREAD,
    ) -> None:
        """`epochs` is what the player knows by itself; `first_block` that of the court's deployment; `spread` the
        most seconds to wait with what another player may do as well."""
        self.l1 = l1
        self.contract = CourtContract(l1, court)
        self.reader = CourtReader(self.contract, first_block)
        self.epochs = epochs
        self.reader.root_of = lambda claim: find_true_root(find_executed(self.epochs, claim), claim)
        self.player = Player(l1.address, policy or Policy())
        self.is_alarmed = False
        """Whether L1 has confirmed another result than this player's own."""
        self._sent: dict[Action, bytes] = {}
        self._pauses: dict[Action, Pause] = {}
        self._spread = spread
        self._done_before: set[Action] = set()
        self._waiting: dict[Action, float] = {}

    @property
    def paused(self) -> frozenset[Action]:
        """What was refused, and is left alone for now."""
        return frozenset(action for action, pause in self._pauses.items() if not pause.is_over)

    def step(self) -> Round:
        """One round. Raises ChainError if L1 cannot be reached; whatever was sent until then is looked after."""
        self.l1.tend()
        events = self.reader.poll()
        court = self.reader.court
        result = Round(self.reader.block, self.l1.now(), events)
        self._check_confirmed()
        chosen = self.player.choose(court, self.epochs, result.now)
        # What is no longer chosen has happened, or will be chosen anew after a reorg.
        self._sent = {action: self._sent[action] for action in chosen if action in self._sent}
        self._pauses = {action: self._pauses[action] for action in chosen if action in self._pauses}
        self._waiting = {action: self._waiting[action] for action in chosen if action in self._waiting}
        self._done_before &= set(chosen)
        for action in chosen:
            if not self._is_under_way(action) and self._is_our_turn(action):
                self._act(action, result)
        return result

    def run(self, stop: threading.Event, interval: float = INTERVAL) -> None:
        """Play until `stop` is set. An unreachable node only delays."""
        while not stop.is_set():
            try:
                self.step()
            except ChainError as error:
                log.warning("the round was broken off: %s", error)
            except Exception:
                log.exception("the round was broken off")  # a player that stops has lost all its games
            stop.wait(interval)

    def _is_our_turn(self, action: Action) -> bool:
        """Whether others had their chance to do what one player is enough for."""
        until = self._waiting.get(action)
        if until is None:
            share = share_of_wait(action, self.reader.court, self.player.me)
            until = self._waiting[action] = time.monotonic() + share * self._spread if share else 0.0
        return time.monotonic() >= until

    def _is_under_way(self, action: Action) -> bool:
        """Whether the action was sent and its effect cannot be seen yet, or was refused just now."""
        pause = self._pauses.get(action)
        if pause is not None and not pause.is_over:
            return True
        transaction = self._sent.get(action)
        if transaction is None:
            return False
        try:
            receipt = self.l1.sender.look(transaction)
        except ChainError as error:
            if error.reason == "rpc_unreachable":
                raise
            receipt = None
        else:
            if receipt is None or receipt.block_number > self.reader.block:
                return True
            if self.reader.block_hash(receipt.block_number) not in (None, receipt.block_hash):
                return True  # it is in a block of another branch
        # In a block that was read, and still to be done: it failed there.
        del self._sent[action]
        if receipt is not None and not receipt.succeeded:
            log.warning("%s failed in block %d", _name(action), receipt.block_number)
        return False

    def _act(self, action: Action, result: Round) -> None:
        """Build, try and send one call."""
        try:
            call = make_call(action, self.reader.court, self.epochs, self.player.me)
            if isinstance(action, actions.Prove):
                self._check_proof(action, call)
            data = self.contract.encode(call)
            transaction = self._send(action, call, data, self._due(action, result.now))
        except Reverted as error:
            self._refused(action, error.reason, result)
        except WrongFastPath:
            raise  # nothing of what is known of any epoch may be said
        except SetoffError as error:
            if error.reason == "rpc_unreachable":
                raise
            detail = self._describe_funds(call) if error.reason == "insufficient_funds" else str(error)
            self._refused(action, error.reason, result, detail)
        except Exception:
            # Whatever is wrong with one call, the other games have clocks that run.
            log.exception("%s could not be built", _name(action))
            result.refused.append((action, "not_ready"))
            self._pause(action)
        else:
            told = {"action": _name(action), "transaction": "0x" + transaction.hex()}
            log.info("%s sent as %s", _name(action), transaction.hex(), extra=told)
            self._pauses.pop(action, None)
            self._sent[action] = transaction
            result.sent.append((action, transaction))

    def _send(self, action: Action, call: Call, data: bytes, due: tuple[float, int] | None) -> bytes:
        """Try and send it. Raises Reverted; StateError("not_ready") if only one endpoint refuses, as far as others are
        asked: about what has a deadline, or was refused before."""
        court, gas = self.contract.address, None
        for tries_left in reversed(range(TRIES)):
            try:
                self.l1.dry_run(court, data, value=call.value)
                if gas is not None:
                    self.l1.note_split()  # refused, and a moment later allowed
                return self.l1.send(court, data, call.value, gas=gas if due else None, due=due)
            except Reverted as refusal:
                gas = self._estimate_after_what_was_read(data, call.value) if tries_left else None
                if gas is not None:
                    # By a backend that is elsewhere, or for what others have sent that is in no block yet.
                    log.info("%s is tried again, for what was read allows it: %s", _name(action), refusal)
                    continue
                is_worth_asking = due is not None or action in self._pauses
                if not is_worth_asking or not self.l1.doubt(court, data, call.value, self.player.me):
                    raise
                break
        raise StateError("not_ready", "one endpoint refuses what another allows")

    def _estimate_after_what_was_read(self, data: bytes, value: int) -> int | None:
        """Gas to send a call with that goes through after the newest block that continues what was read, as whoever has
        that block says; None if it does not, or nobody says so: then somebody else was first.

        Another trial comes before it is sent in any case, for what others have sent is in no block yet.
        """
        block = self.reader.block_hash(self.reader.block)
        if block is None:
            return None
        try:
            head = self.l1.head()
            if walk_back(self.l1, head, self.reader.block_hash, CONTINUED).fork == self.reader.block:
                block = head.hash
            self.l1.call(self.contract.address, data, value=value, sender=self.player.me, block=block)
            estimate = self.l1.estimate_gas(self.player.me, self.contract.address, data, value, block=block)
        except ChainError:
            return None
        return add_margin(estimate)

    def _describe_funds(self, call: Call) -> str:
        """What the account holds, and what the call takes beside its gas."""
        held = self.l1.balance(self.l1.address)
        return (
            f"insufficient_funds: 0x{self.l1.address.hex()} holds {held / ETHER:.4f} ETH, the call takes "
            f"{call.value / ETHER:.4f} ETH and its gas"
        )

    def _due(self, action: Action, now: int) -> tuple[float, int] | None:
        """In how many seconds the action is too late and what is lost then, for the sender."""
        deadline = deadline_of(action, self.reader.court)
        return None if deadline is None or deadline <= now else (deadline - now, self.reader.court.terms.bond)

    def _refused(self, action: Action, reason: str, result: Round, detail: str = "") -> None:
        if reason in DONE.get(type(action), ()):
            result.done.append(action)
            if action in self._done_before:
                # What others did long ago is still to be done by what was read: so something was left out there.
                self.reader.doubt()
            self._done_before.add(action)
            self._pause(action)
            return
        result.refused.append((action, reason))
        if reason not in NOT_YET:
            log.warning("%s was not sent: %s", _name(action), detail or f"it would revert: {reason}")
            self._pause(action, POOR_PAUSE if reason in PASSING else LAST_PAUSE)

    def _pause(self, action: Action, longest: float = LAST_PAUSE) -> None:
        self._pauses.setdefault(action, Pause(FIRST_PAUSE, LAST_PAUSE)).begin(longest)

    def _check_proof(self, action: actions.Prove, call: Call) -> None:
        """Raises StateError("wrong_pre") if L1's judge comes to another leaf than our history holds."""
        step, leaf = step_call(action, call, self.reader.court, self.epochs)
        result = self.contract.step(step)
        if result != leaf:
            if self.l1.doubt(self.contract.judge, JUDGE.encode(step.function, *step.arguments), wanted=leaf):
                raise StateError("not_ready", "one endpoint judges otherwise than another")
            log.error("the judge disagrees with this machine in match %s", _name(action))
            raise StateError("wrong_pre", f"the judge comes to {result.hex()}, our history holds {leaf.hex()}")

    def _check_confirmed(self) -> None:
        is_alarmed = is_contradicted(self.reader.court, self.epochs)
        if is_alarmed and not self.is_alarmed:
            log.critical(
                "L1 confirmed a start of epoch %d that is not the true one: nothing can be done about it any more",
                self.reader.court.confirmed,
            )
        self.is_alarmed = is_alarmed


def _name(action: Action) -> str:
    """An action for the log: hashes shortened."""
    values = [getattr(action, name) for name in action.__dataclass_fields__]
    return f"{type(action).__name__}({', '.join(v.hex()[:8] if isinstance(v, bytes) else str(v) for v in values)})"
