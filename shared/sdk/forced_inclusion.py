"""Forced inclusion: any action through the L1 queue, with the operator or without it.

    inclusion = ForcedInclusion(l1, deployment, signer, as_sender=True)
    forced = inclusion.send(inclusion.withdraw(5_000_000))
    result = inclusion.wait(forced)         # when a batch has consumed it, whoever posted that

Everything is read from L1 alone: account, nonce, prices and outcomes come from running the posted batches again. Signed
records may be sent by anybody who pays for the gas; a record that its sender vouches for needs no signature but that of
the L1 transaction, so it also serves accounts that are contracts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, InputError, StateError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.chain import MESSAGE_QUEUED, ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.sender import make_pending
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.rules.positions import is_live
from setoff.shared.sdk.bodies import SESSION_GAP, get_bound, give_way, make_body, name_partner, next_session
from setoff.shared.sdk.proofs import ConfirmedAccount, find_confirmed_account, replay_confirmed
from setoff.shared.sdk.replay import InclusionResult, Replay
from setoff.shared.sdk.signer import Signer
from setoff.shared.sdk.vault import Vault
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Agent, Market
from setoff.shared.state.store import State
from setoff.shared.wire.scopes import EVERYTHING, Scope
from setoff.shared.wire.slippage import SLIPPAGE

NONCE_GAP: Final = 32
"""Nonces left free above the highest on L1: the operator may have taken records that it has not posted yet."""
POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Forced:
    """A message that was queued."""

    index: int
    """Its number in the queue."""
    due: int
    """From when on (unix seconds) no batch may leave it out."""


class ForcedInclusion:
    """The queue of one deployment, used by the account of `l1` (which pays) for the exchange account of `signer`.

    As sender the account of `l1` has to be the signer's own. An agent names its `principal` (account number or the
    owner's address) and its number `agent` there.
    """

    def __init__(
        self,
        l1: L1,
        deployment: Deployment,
        signer: Signer,
        *,
        as_sender: bool = False,
        principal: int | bytes | None = None,
        agent: int = 0,
        sub: int = 0,
        places: DataPlaces | None = None,
        report: Callable[[int], None] = lambda batch: None,
    ) -> None:
        """`places`: where the data of batches may be that are posted in blobs. `report`: see `Replay`."""
        if as_sender and l1.address != signer.address:
            raise InputError("bad_signature", "a record in the sender's name is sent with the sender's own key")
        self._l1 = l1
        self._deployment = deployment
        self._signer = signer
        self._as_sender = as_sender
        self._principal = principal
        self._agent = agent
        self._sub = sub
        self._vault = Vault(l1, deployment)
        self.replay = Replay(ChainReader(l1, deployment, places or DataPlaces()), report)
        self._nonces: dict[int, int] = {}
        self._sessions: list[int] = []

    # --- actions: bodies of 60 bytes ---------------------------------------------------------------------------------

    def withdraw(self, amount: int) -> bytes:
        """Take `amount` token units out, to the owner."""
        return self._body("Withdraw", amount)

    def transfer(self, peer: int, amount: int) -> bytes:
        """Move `amount` token units to account `peer`."""
        return self._body("Transfer", peer, amount)

    def order(
        self,
        market: int,
        side: int,
        price: int,
        size: int,
        flags: int = records.GTC,
        *,
        order_slot: int | None = None,
        expiry: int = 0,
        trigger: int = 0,
        partner: int | None = None,
    ) -> bytes:
        """An order of `size` lots at `price` ticks, in a free order slot unless `order_slot` names one."""
        account = self.account()
        order_slot = self._free_order_slot(account) if order_slot is None else order_slot
        if self._agent and self._state().agent(keys.get_master(account), self._agent).subs:
            flags = give_way(flags)
        fields = (market, side, flags, order_slot, price, size, expiry, trigger, 0, name_partner(partner))
        return make_body("Order", account, self._nonce(account), self._agent, *fields)

    def close(self, market: int, bound: int | None = None, slippage: int = SLIPPAGE) -> bytes:
        """Close the position in a market at once, at `bound` ticks or better (else `slippage` ppm from the mark).

        Raises InputError("not_reducing") if there is none, InputError("unknown_market").
        """
        account = self.account()
        leaf = self.leaf(account)
        size = next((p.size for p in leaf.positions if p.market == market), 0)
        if not size:
            raise InputError("not_reducing", f"there is no position in market {market}")
        side = records.SELL if size > 0 else records.BUY
        price = get_bound(self.market(market).mark, side, slippage) if bound is None else bound
        return self.order(market, side, price, abs(size), records.IOC | records.REDUCE_ONLY)

    def amend(self, order_slot: int, price: int, size: int) -> bytes:
        """Give the order in `order_slot` another price and size."""
        return self._body("Amend", order_slot, price, size)

    def cancel(self, order_slot: int) -> bytes:
        """Take back the order in `order_slot`."""
        return self._body("Cancel", order_slot, 0)

    def cancel_all(self) -> bytes:
        """Take back every order of the account."""
        return self._body("CancelAll")

    def schedule_cancel(self, deadline: int) -> bytes:
        """Let every order of the account die at `deadline` (unix seconds; 0: never)."""
        return self._body("ScheduleCancel", deadline)

    def set_agent(self, agent: int, address: bytes, expiry: int, scope: Scope = EVERYTHING) -> bytes:
        """Let `address` trade as agent number `agent` until `expiry` within `scope`; zeros take the right away."""
        account = self.account()
        last = max([self.leaf(keys.get_master(account)).session, *self._sessions, *self._waiting_sessions(account)])
        # The operator may have taken some that it has not posted yet.
        session = next_session(last + SESSION_GAP, address)
        self._sessions.append(session)
        return self._body("SetAgent", agent, address, expiry, session, *scope.fields)

    def backstop_deposit(self, amount: int) -> bytes:
        """Ask for shares of the backstop, for `amount` token units."""
        return self._body("BackstopDeposit", amount)

    def backstop_withdraw(self, shares: int | None = None) -> bytes:
        """Ask for the money of `shares` of the backstop, by default of all."""
        return self._body("BackstopWithdraw", self.shares() if shares is None else shares)

    def shares(self) -> int:
        """What the account has of the backstop; shares of an earlier generation are void."""
        account, backstop = self.leaf(self.account()), self.leaf(keys.BACKSTOP)
        return account.shares if account.generation == backstop.generation else 0

    # --- sending and waiting -----------------------------------------------------------------------------------------

    def sign(self, body: bytes) -> bytes:
        """The signed record of 124 bytes, which anybody may send."""
        deployment = self._deployment
        vault = bytes.fromhex(deployment.vault.removeprefix("0x"))
        return body + self._signer.sign(deployment.chain_id, vault, body)

    def send(self, body: bytes) -> Forced:
        """Queue a body: signed, or in the name of the sender.

        Raises ChainError: "pending" where it was sent, or is queued and cannot be shown, so that another is a second
        one (a body has a nonce: the same body counts once at most, however often it is queued); any other reason:
        nothing is queued.
        """
        return self._queued(self._vault.force_as(body) if self._as_sender else self._vault.force(self.sign(body)))

    def send_record(self, record: bytes) -> Forced:
        """Queue a record of 124 bytes that somebody signed, or that needs no signature (a crank, a page)."""
        return self._queued(self._vault.force(record))

    def wind_down(self) -> Forced:
        """Begin the end of the exchange. Raises Reverted("too_early") while the operator is not silent for so long."""
        return self._queued(self._vault.wind_down())

    def wait(
        self,
        forced: Forced,
        timeout: float | None = None,
        poll: float = POLL_SECONDS,
        tell: Callable[[str], None] = lambda text: None,
    ) -> InclusionResult:
        """Wait until a batch has consumed the message and the machine has taken what is in it; `tell` hears what for.

        Raises StateError("pending") after `timeout` seconds. A node that does not answer for a while only delays.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                self.replay.advance()
            except ChainError as error:
                if error.reason != "rpc_unreachable":
                    raise
            result = self.replay.result(forced.index)
            if result is not None and result.outcome != errors.PARKED:
                return result
            if end is not None and time.monotonic() >= end:
                if result is not None:
                    raise StateError("pending", f"message {forced.index} is {describe(result)}")
                raise StateError("pending", f"no batch has consumed message {forced.index} yet")
            left = int(forced.due - time.time())
            until = f"it may be left out for {left} s more" if left > 0 else "it may not be left out any more"
            tell(f"waiting for a batch to take message {forced.index}: {until}" if result is None else describe(result))
            time.sleep(poll)

    def pay(self, index: int) -> TransactionReceipt:
        """Have the vault pay withdrawal `index` against the newest confirmed state, proven from L1 alone.

        Raises InputError("not_found") before an epoch that holds it is confirmed, DataError, ChainError.
        """
        self.replay.advance()
        _, replay = replay_confirmed(self.replay.reader, self._vault, self.replay.batches)
        return self._vault.withdraw(replay.prove_withdrawal(index))

    # --- what the exchange holds -------------------------------------------------------------------------------------

    def account(self) -> int:
        """The exchange account acted for. Raises InputError("unknown_account") before its first deposit."""
        master = self._principal
        if not isinstance(master, int):
            master = self._vault.account(master or self._signer.address)
        if not master:
            raise InputError("unknown_account", "no deposit has opened an account for this address")
        return keys.sub_account(master, self._sub)

    def leaf(self, account: int) -> Account:
        """An account as the batches on L1 leave it."""
        return self._state().account(account)

    def confirmed(self) -> ConfirmedAccount:
        """The account as L1 has confirmed it: what no operator and no claim can take away any more. Raises
        InputError("not_found") before an epoch is confirmed, DataError if L1 has confirmed a lie, ChainError."""
        self.replay.advance()
        return find_confirmed_account(self.replay.reader, self._vault, self.account(), self.replay.batches)

    def market(self, market: int) -> Market:
        """A market as the batches on L1 leave it. Raises InputError("unknown_market")."""
        state = self._state()
        if not 1 <= market <= self.replay.machine.regs.markets:
            raise InputError("unknown_market", f"there is no market {market}")
        return state.market(market)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _queued(self, receipt: TransactionReceipt) -> Forced:
        queue = bytes.fromhex(self._deployment.queue.removeprefix("0x"))
        for entry in receipt.logs:
            if entry.address == queue and entry.topics[0] == MESSAGE_QUEUED.topic:
                index = int(MESSAGE_QUEUED.decode(entry)["index"])
                try:
                    queued_at = self._l1.block_by_hash(receipt.block_hash).timestamp
                    due = queued_at + Inbox(self._l1, self._deployment).force_delay()
                except ChainError as error:  # once it is queued nothing may fail, or somebody would send it again
                    raise make_pending(receipt.transaction, f"has queued message {index}; {error.detail}") from error
                return Forced(index, due)
        raise make_pending(receipt.transaction, "was taken by the queue, and shows no message")

    def _state(self) -> State:
        """The leaves after the last batch, to look at: what is changed in them changes nothing else."""
        self.replay.advance()
        self.replay.machine.state.commit()
        return State(self.replay.machine.state.tree)

    def _body(self, name: str, *fields: int | bytes) -> bytes:
        """A record of the account with a nonce that is free, of the signed type `name`."""
        account = self.account()
        return make_body(name, account, self._nonce(account), self._agent, *fields)

    def _key(self, account: int) -> Account | Agent:
        """What has the nonces of the signer: the owner's account, or the agent."""
        master = keys.get_master(account)
        return self._state().agent(master, self._agent) if self._agent else self.leaf(master)

    def _nonce(self, account: int) -> int:
        """A nonce above all that L1 knows of the signer's, in batches and in the queue."""
        master = keys.get_master(account)
        top = self._key(account).nonce_top
        waiting = [records.get_head(body)[2] for body in self._waiting(account)]
        # No further than a nonce may be: what waits beyond that will be refused.
        known = [nonce for nonce in (*waiting, self._nonces.get(master, 0)) if nonce < top + MAX_NONCE_JUMP]
        self._nonces[master] = max([top + NONCE_GAP, *known]) + 1
        return self._nonces[master]

    def _waiting(self, account: int) -> Iterator[bytes]:
        """The signer's own records for the master account among the messages that wait.

        Anybody can queue a message that names it, with any nonce; such are not its own.
        """
        for message in self.replay.waiting():
            sender: bytes | None = None
            body = message
            if message[0] == records.FORCED:
                sender, body = records.decode_forced(message)
            if body[0] not in records.SIGNED or body[0] == records.REPORT or not records.is_canonical(body):
                continue
            if keys.get_master(records.get_head(body)[1]) != keys.get_master(account):
                continue
            if sender is None:
                digest = eip712.digest(self._deployment.domain, body)
                sender = signatures.recover(digest, body[records.BODY_BYTES :])
            if sender == self._signer.address:
                yield body

    def _waiting_sessions(self, account: int) -> Iterator[int]:
        """Sessions that the owner's records among the messages that wait begin."""
        for body in self._waiting(account):
            if body[0] == records.SET_AGENT:
                yield records.decode_set_agent(body).session

    def _free_order_slot(self, account: int) -> int:
        """The highest order slot that is free: the exchange's own client begins with the lowest."""
        state, now = self._state(), self._l1.now()
        leaf = state.account(account)
        for order_slot in reversed(range(keys.MAX_ORDER_SLOT + 1)):
            order = state.order(keys.order_handle(account, order_slot))
            if not order.market or not is_live(order, leaf, now):
                return order_slot
        raise InputError("order_slot_taken", "all order slots of the account hold orders")


def describe(result: InclusionResult) -> str:
    """What became of a message, for people."""
    outcome = errors.OUTCOMES[result.outcome]
    where = f"in batch {result.batch}, input {result.input_index}"
    if result.outcome == errors.PARKED:
        return f"parked {where}: its turn comes after the machine's own work; a forced crank 0 lets that go on"
    if result.outcome == errors.BUSY:
        return f"used {where} to let the machine go on with what comes before it"
    return f"accepted {where}" if result.outcome == errors.ACCEPTED else f"refused {where}: {outcome}"


def find_withdrawals(replay: Replay, account: int) -> Sequence[int]:
    """Indices of an account's withdrawals, oldest first, in the state after the last batch run."""
    state = replay.machine.state
    return [n for n in range(replay.machine.regs.withdrawals) if state.withdrawal(n).account == account]
