"""Ways out of an exchange: which are open, for how much, and from when on; and money taken out by the first that is.

    ways = WaysOut(l1, deployment, KeySigner(key), exchange="http://127.0.0.1:8700")
    for way in ways.look():
        print(way.text)
    index = ways.withdraw(5_000_000, tell=print)
    ways.pay(index, tell=print)

Through the operator, while it answers and takes records; forced through L1, whatever the operator does; and, once it is
gone for good, by the end of the exchange, which closes all positions at the last prices. The vault on L1 pays each,
against an end that L1 has confirmed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import InputError, StateError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.inbox import Inbox
from setoff.shared.machine.exits import find_exit
from setoff.shared.rules import phases
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.blocking import BlockingClient
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion, describe, find_withdrawals
from setoff.shared.sdk.signer import Signer
from setoff.shared.sdk.submission import ANSWER_PATIENCE
from setoff.shared.sdk.vault import Vault
from setoff.shared.state.store import State
from setoff.shared.wire.scales import Step

POLL_SECONDS: Final = 2.0
OPERATOR: Final = "operator"
FORCED: Final = "forced"
WIND_DOWN: Final = "wind-down"

BUSY: Final = frozenset({"not_ready", "overloaded", "paced"})
"""Refusals of the operator's that are none of the rules': the way through L1 is open all the same."""
USED: Final = (errors.NONCE_USED, errors.NONCE_TOO_OLD)
"""What becomes of a record that was taken before."""

Tell = Callable[[str], None]


def _say_nothing(text: str) -> None:
    pass


class WayOut(NamedTuple):
    """One of OPERATOR, FORCED, WIND_DOWN."""

    name: str
    is_open: bool
    amount: int
    """Token units that it takes out now."""
    opens_at: int
    """Unix seconds of L1's clock from which on it is open, or takes more; 0: now, or not known."""
    text: str
    """For people: how much, when, what to do."""


class WaysOut:
    """Those of the owner `signer`, whose L1 account `l1` pays for what is sent there."""

    def __init__(
        self,
        l1: L1,
        deployment: Deployment,
        signer: Signer,
        exchange: str = "",
        *,
        sub: int = 0,
        places: DataPlaces | None = None,
    ) -> None:
        """`exchange`: URL of the operator's API, "" to do without it; `places`: where batches are that are in blobs."""
        self._l1 = l1
        self._deployment = deployment
        self._signer = signer
        self._exchange = exchange
        self._sub = sub
        self._inbox = Inbox(l1, deployment)
        self._vault = Vault(l1, deployment)
        self._inclusion = ForcedInclusion(
            l1, deployment, signer, as_sender=l1.address == signer.address, sub=sub, places=places
        )
        self._coin = deployment.names.collateral

    def look(self) -> tuple[WayOut, ...]:
        """All of them, the quickest first. Raises ChainError if L1 cannot be read."""
        return self._look_at_operator(), self._look_at_queue(), self._look_at_end()

    def withdraw(self, amount: int, tell: Tell = _say_nothing, poll: float = POLL_SECONDS) -> int:
        """Take `amount` token units out, through the operator if it is there, else through L1; its number.

        Where the operator does not answer to the record, or does not take it now, the same record is forced through L1:
        it has one nonce, so the withdrawal is granted once, whether the operator has taken it, and posts it, or not.

        Raises Refusal, or InputError with the reason for which the machine refused; ChainError as `force`.
        """
        operator = self._look_at_operator()
        tell(operator.text)
        if not operator.is_open:
            return self.force(amount, tell, poll)
        try:
            with self._client() as client:
                return client.request_withdrawal(amount)
        except (Unavailable, Refusal) as error:
            if isinstance(error, Refusal) and error.reason not in BUSY:
                raise
            tell(f"the operator does not take it after all ({error}): forced through L1")
            if not error.record:
                return self.force(amount, tell, poll)
            return self._finish(self._inclusion.send_record(error.record), amount, tell, poll)

    def force(self, amount: int, tell: Tell = _say_nothing, poll: float = POLL_SECONDS) -> int:
        """Take them out through L1, posting what waits when the operator does not; the withdrawal's number.

        Raises InputError with the reason for which the machine refused, and ChainError: after one of `send` but
        "pending" nothing was sent, after any other the withdrawal is on its way, and another is a second one.
        """
        return self._finish(self._inclusion.send(self._inclusion.withdraw(amount)), amount, tell, poll)

    def _finish(self, forced: Forced, amount: int, tell: Tell, poll: float) -> int:
        """Wait for a withdrawal that is queued; its number."""
        inclusion = self._inclusion
        tell(f"message {forced.index} is queued on L1: no batch may leave it out from {_clock(forced.due)} on")
        while True:
            try:
                result = inclusion.wait(forced, poll, min(poll, 1.0), tell)
                break
            except StateError:
                self._post(tell)
        found = find_withdrawals(inclusion.replay, inclusion.account())
        if result.outcome in USED:  # by the same record, which came through the operator: it counts once
            state = inclusion.replay.machine.state
            found = [index for index in found if state.withdrawal(index).amount == amount]
        if result.outcome not in (errors.ACCEPTED, *USED) or not found:
            raise InputError(errors.OUTCOMES[result.outcome], f"the withdrawal was {describe(result)}")
        how = "was granted through the operator" if result.outcome in USED else f"was {describe(result)}"
        tell(f"withdrawal {found[-1]} of {self.show(amount)} {how}")
        return found[-1]

    def wind_down(self, tell: Tell = _say_nothing, poll: float = POLL_SECONDS) -> None:
        """Begin the end of the exchange, if nobody has. Raises Reverted("too_early") while that is not open."""
        if not self._inbox.is_winding_down():
            forced = self._inclusion.wind_down()
            while True:
                try:
                    self._inclusion.wait(forced, poll, min(poll, 1.0), tell)
                    return
                except StateError:
                    self._post(tell)

    def settle(self, tell: Tell = _say_nothing, poll: float = POLL_SECONDS) -> None:
        """Once the exchange ends, crank its markets, a minute of batch time apart, until each is settled: then all that
        an account has is collateral. Raises ChainError."""
        cranked_at = 0
        while markets := self._find_unsettled():
            now = self._l1.now()
            if now > cranked_at + phases.SAMPLE_INTERVAL:
                for market in markets:
                    self._inclusion.send_record(records.encode_crank(market))
                cranked_at = now
                tell(f"markets to settle: {', '.join(map(str, markets))}; a crank for each is queued on L1")
            self._post(tell)
            time.sleep(poll)

    def pay(self, index: int, tell: Tell = _say_nothing, poll: float = POLL_SECONDS) -> TransactionReceipt | None:
        """Wait until L1 has confirmed the epoch of a withdrawal, and have the vault pay it; None if it was paid before.

        The proof is made from L1 alone. Raises ChainError.
        """
        tried = -1
        while not self._vault.is_paid(index):
            self._inclusion.replay.advance()
            newest = self._find_newest()
            if newest > tried:
                tried = newest
                try:
                    return self._inclusion.pay(index)
                except InputError:
                    pass  # it is of a later epoch
            what = f"epochs up to {newest} are confirmed" if newest >= 0 else "no epoch is confirmed yet"
            tell(f"withdrawal {index} waits for L1 to confirm its epoch: {what}; a claim can be disputed first")
            self._complete_epoch(tell)
            time.sleep(poll)
        return None

    def show(self, amount: int) -> str:
        """Token units as people write them."""
        return f"{Step(1, self._coin.decimals).show(amount)} {self._coin.symbol}"

    def read_amount(self, amount: Decimal | str) -> int:
        """Token units of an amount in the collateral's currency. Raises InputError."""
        return Step(1, self._coin.decimals).read(amount, "the amount", "amount_out_of_range")

    def describe_confirmed(self) -> str:
        """What L1 has confirmed of the account, for people. Raises ChainError, DataError."""
        try:
            epoch, _, leaf = self._inclusion.confirmed()
        except InputError as error:
            return error.detail
        positions = sum(1 for each in leaf.positions if each.size)
        return f"{self.show(leaf.collateral)} of collateral and {positions} positions, at the end of epoch {epoch}"

    # --- which are open ----------------------------------------------------------------------------------------------

    def _look_at_operator(self) -> WayOut:
        if not self._exchange:
            return WayOut(OPERATOR, False, 0, 0, "operator: closed, no exchange is named")
        try:
            with self._client() as client:
                status = client.status()
                if status["obstacle"] is not None:
                    return WayOut(OPERATOR, False, 0, 0, f"operator: closed: {status['obstacle']['detail']}")
                leaving = client.account()["exit"]
        except (Unavailable, Refusal) as error:
            return WayOut(OPERATOR, False, 0, 0, f"operator: closed: {error}")
        amount, more_at = int(leaving["now"]), leaving["more_at"]
        later = f", more from {_clock(more_at)} on" if more_at else ""
        text = f"operator: open, {self.show(amount)} now{later}; paid when L1 has confirmed the epoch"
        return WayOut(OPERATOR, True, amount, more_at, text)

    def _look_at_queue(self) -> WayOut:
        now, opens_at = self._l1.now(), self._inbox.opens_at()
        self._inclusion.replay.advance()
        room = find_exit(self._inclusion.replay.machine, self._inclusion.account(), now)
        posting = f"no batch may leave it out after {self._inbox.force_delay()} s, and from {_clock(opens_at)} on"
        posting += " anybody may post it if the operator does not"
        if now >= opens_at:
            posting = "the operator is silent, and anybody may post it now"
        later = f", more from {_clock(room.more_at)} on" if room.more_at else ""
        text = f"forced: open, {self.show(room.now)} now{later}; {posting}"
        return WayOut(FORCED, True, room.now, room.more_at, text)

    def _look_at_end(self) -> WayOut:
        if self._inbox.is_winding_down():
            text = "wind-down: the exchange ends; when its markets are settled, force the withdrawal of everything"
            return WayOut(WIND_DOWN, True, 0, 0, text)
        opens_at = self._inbox.operator_posted_at() + self._inbox.wind_down()
        is_open = self._l1.now() >= opens_at
        when = "open: anybody may begin it" if is_open else f"closed until {_clock(opens_at)} at least"
        text = f"wind-down: {when}; it closes all positions at the last prices, for who cannot close them otherwise"
        return WayOut(WIND_DOWN, is_open, 0, opens_at, text)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _client(self) -> BlockingClient:
        return BlockingClient(
            self._exchange, self._signer, sub=self._sub, deployment=self._deployment, patience=ANSWER_PATIENCE
        )

    def _find_newest(self) -> int:
        """The newest epoch that L1 has confirmed, -1 for none."""
        epoch = self._inclusion.replay.batches // self._deployment.epoch_batches - 1
        while epoch >= 0 and not self._vault.is_confirmed(epoch):
            epoch -= 1
        return epoch

    def _find_unsettled(self) -> list[int]:
        """Markets that have had a price, and are not settled as far as the batches on L1 go."""
        replay = self._inclusion.replay
        replay.advance()
        replay.machine.state.commit()
        state = State(replay.machine.state.tree)
        found = [(number, state.market(number)) for number in range(1, replay.machine.regs.markets + 1)]
        return [number for number, market in found if market.index and not market.settled]

    def _post(self, tell: Tell) -> None:
        """Post what waits, where that is everybody's now."""
        try:
            receipt = post_waiting(self._l1, self._deployment)
            tell(f"the operator is silent: what waits was posted in its place, in block {receipt.block_number}")
        except StateError as early:
            if early.reason != "not_due":  # nothing waits
                tell(early.detail)
        except Reverted:
            pass  # somebody else was faster

    def _complete_epoch(self, tell: Tell) -> None:
        """Claims are of whole epochs: where nobody else posts any more, force what fills up the last one."""
        is_whole = self._inclusion.replay.batches % self._deployment.epoch_batches == 0
        if not is_whole and self._l1.now() >= self._inbox.opens_at():
            if not self._inbox.state().waiting:
                self._inclusion.send_record(records.encode_crank(0))
            self._post(tell)


def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
