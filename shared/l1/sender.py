"""One account's transactions: who owns its nonces sees every one of them through.

A transaction is signed, kept (with its blobs, if it has some), and then sent; from then on it is sent again, at higher
fees, until a block with it is `CONFIRMATIONS` deep. So a node that loses its pool, a reorg that throws the block
away or fees that rise only delay it. An account has one `Sender` at a time: what a former process left in the pool is
replaced, not waited for, since its owner decides anew from what the chain shows; what it had bid is in a journal, so
that the replacement outbids it.

What may have been taken by a node is never signed again under another nonce, or it could be executed twice: only where
a block has another transaction of the account under that nonce is it certain that ours is never executed; and that
block has to be deep, on the chain that it was sent on, for a node may be on another one for a while. A node whose
answer was lost, or who refuses in words that nobody knows, may have taken it. What else a node says of a transaction
counts for little: whether it is known, in a block, paid for and bid enough is read from the chain, and an answer that
is late is waited for.

Nodes keep blob transactions in a pool of their own, and take none of an account that has others in the main one, nor
the other way round. So one of either kind is held here until those of the other kind before it are in a block; what has
a deadline, and has to wait for blobs, pays for them too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.abilities import REFUSING_ESTIMATES
from setoff.shared.l1.account import Account, KeyAccount
from setoff.shared.l1.answers import TransactionReceipt, take_quantity
from setoff.shared.l1.bid_journal import BidJournal, FormerBid, NoJournal
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.rpc import GAS_CAP, Node
from setoff.shared.l1.sidecar import Sidecar
from setoff.shared.l1.spending import Spending
from setoff.shared.l1.transaction import Unsigned
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.params import GWEI
from setoff.shared.wire.scales import Step

CONFIRMATIONS: Final = 32
"""Blocks on top of a transaction after which it is no longer looked after."""

GAS_MARGIN: Final = (3, 2)
"""Gas asked for, as a fraction of the estimate, since the state may change before the transaction runs."""
GAS_ALLOWANCE: Final = 60_000
"""Gas on top of that, for storage that then turns out to be empty."""
LEAST_BLOCK: Final = 4_000_000
"""Gas that the blocks of every chain have room for."""
BUMP: Final = (5, 4)
"""Of both fees when a transaction is replaced; nodes ask for at least 11/10."""
BLOB_BUMP: Final = (2, 1)
"""Of all three fees when one that carries blobs is replaced; nodes ask for just this."""
GUESSES: Final = 3
"""Times that a bid is raised for a refusal in words that nobody knows."""
LONGEST_SEARCH: Final = 1 << 14
"""Blocks back in which the transaction is looked for that took a nonce."""

_GWEIS: Final = Step(1, 9)
"""Of an ether."""

TAKEN: Final = ("already known", "already imported", "known transaction", "already in the", "already exists")
"""What nodes say of a transaction that they have."""

WAITING: Final = ("already reserved", "gapped", "nonce too high")
"""What nodes say of a transaction that has to wait: for others of the account in the other pool, which a former process
may have left there, or for its turn. All of that passes when the ones before are in a block."""

CHEAP: Final = ("underpriced", "base fee", "basefee", "fee per blob gas", "too low to replace", "replacement gas")
"""What nodes say of a bid that is too low."""

DOUBTS: Final = 6
"""Times that a call is tried again which the latest block allows and the next one does not, it is said."""
DOUBT_SECONDS: Final = 0.2
"""Before each of them."""

KNOWN: Final = (*TAKEN, *WAITING, *CHEAP, "nonce too low")
"""What has a meaning; anything else may be said of the node rather than of the transaction."""
PAUSES: Final = (0.1, 0.4, 1.0)
"""Seconds before the same transaction is sent again that was refused in other words. Nobody waits for them but the
thread that sends it for the first time, and that without the lock."""
FILLER_GAS: Final = 21_000
"""Of a transaction that does nothing."""

PRESSING: Final = 4
"""A deadline presses in the last quarter of the time there was, or when so many times the patience is left."""

log = logging.getLogger(__name__)


class NonceTaken(ChainError):
    """Another transaction of the account has the nonce in a block: as long as that is in the chain, this one is not
    executed."""

    block = 0
    """The block's number."""


class Taker(NamedTuple):
    """The account's transaction that has a nonce, in a block."""

    hash: bytes
    block: int


class Sent(NamedTuple):
    """A transaction as its account remembers it."""

    hash: bytes
    """Of its last version."""
    data: bytes
    state: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Fees:
    """How to pay for transactions; all in wei a unit of gas, but `patience`."""

    cap: int = 500 * GWEI
    """Never bid more than this, base fee included: beyond it a transaction waits."""
    urgent_cap: int = 5_000 * GWEI
    """The most to bid, instead, for what has a deadline that presses, and never more than what would be lost."""
    blob_cap: int = 500 * GWEI
    """Wei a unit of blob gas: never bid more for blobs, unless what waits for them has a deadline that presses."""
    least_tip: int = GWEI
    patience: float = 30.0
    """Seconds to wait for a block before the bid is raised."""


@dataclass(frozen=True, slots=True)
class Urgency:
    """Why a transaction must not wait for lower fees."""

    deadline: float
    """When it comes too late, on the monotonic clock."""
    worth: int
    """Wei lost then: the most that it may cost."""
    presses_at: float
    """From when on the fee cap gives way."""

    @classmethod
    def of(cls, seconds: float, worth: int, fees: Fees) -> Urgency:
        """Of something that is too late in so many seconds from now."""
        now = time.monotonic()
        return cls(now + seconds, worth, now + seconds - max(PRESSING * fees.patience, seconds / PRESSING))


@dataclass(slots=True)
class Transaction:
    """One nonce and everything that was sent under it."""

    nonce: int
    to: str | None
    data: bytes
    value: int
    gas: int
    tip: int
    fee: int
    sidecar: Sidecar | None = None
    blob_fee: int = 0
    """Highest price of a unit of blob gas."""
    raw: bytes = b""
    """As a node takes it, its blobs included."""
    hashes: list[bytes] = field(default_factory=list)
    """Of every version sent, the first one first."""
    bid_at: float = LONG_AGO
    """When its fees were last raised."""
    was_mined: bool = False
    urgency: Urgency | None = None
    refusals: int = 0
    """Times that it was refused in words that nobody knows, since it was last given up."""
    again_at: float = 0.0
    """From when on it may be sent again, on the monotonic clock."""
    is_paid_for: bool = False
    """Whether what it took is among the spending."""
    may_be_held: bool = False
    """Whether somebody who was told of it has not answered: then he may have taken it, whatever others say."""
    refusal: str = ""
    """What was said of it last by who refuses what another may hold."""
    is_offered: bool = False
    """Whether the thread that sends it for the first time is still at it: `tend` lets it alone."""

    @property
    def blob_gas(self) -> int:
        """Blob gas that it carries."""
        return self.sidecar.gas if self.sidecar else 0

    @property
    def cost(self) -> int:
        """Wei that it may take."""
        return self.value + self.gas * self.fee + self.blob_gas * self.blob_fee


def make_pending(transaction: bytes, why: str) -> ChainError:
    """The error of a transaction that was sent, and may still be executed: whoever sent it again might pay twice."""
    sent = f"0x{transaction.hex()}"
    return ChainError("pending", f"transaction {sent} {why}", {"transaction": sent})


def show_ether(wei: int) -> str:
    """An amount for people, in ether to the gwei, rounded up."""
    return _GWEIS.show(-(-wei // GWEI))


def add_margin(estimate: int) -> int:
    """The gas to send a transaction with that was estimated to use so much."""
    return min(estimate * GAS_MARGIN[0] // GAS_MARGIN[1] + GAS_ALLOWANCE, GAS_CAP)


class Sender:
    """Signs and sends for one account, thread-safe. Use it through `L1`."""

    def __init__(self, node: Node, key: bytes | str | Account, fees: Fees, journal: BidJournal | None = None) -> None:
        """`journal`: where the bids are kept over a restart."""
        self._node = node
        self._account = KeyAccount(key) if isinstance(key, bytes | str) else key
        self._fees = fees
        self._lock = threading.RLock()
        self._next: int | None = None
        self._kept: dict[int, Transaction] = {}
        self._given_up: dict[bytes, bytes] = {}
        """Data of those that were refused in words that nobody knows, by every hash that they had: their nonce is free,
        and a node may hold them all the same."""
        self._anchor: tuple[int, bytes] | None = None
        """Number and hash of a block that was deep when the first one was sent: it tells the chain from others."""
        self._mined_in = 0
        """The highest block in which one of ours was seen."""
        self.journal: BidJournal = journal or NoJournal()
        self.spending = Spending()
        self.address: bytes = self._account.address

    @property
    def pending(self) -> int:
        """Number of transactions sent and not yet seen in a block."""
        with self._lock:
            return sum(not transaction.was_mined for transaction in self._kept.values())

    def list_sent(self) -> list[Sent]:
        """All that were sent and are looked after, and those that were given up and that a node may hold."""
        with self._lock:
            kept = [self._kept[nonce] for nonce in sorted(self._kept)]
            given_up = dict(self._given_up)
        sent = [
            Sent(each.hashes[-1], each.data, "is in a block" if each.was_mined or each.is_paid_for else
                 "is on its way, and was seen in no block")
            for each in kept if each.hashes
        ]  # fmt: skip
        return [Sent(hash_, data, "was refused, and a node may hold it") for hash_, data in given_up.items()] + sent

    def send(
        self,
        to: str | None,
        data: bytes,
        value: int,
        gas: int | None,
        due: tuple[float, int] | None = None,
        sidecar: Sidecar | None = None,
    ) -> bytes:
        """See `L1.send`."""
        if gas is None:
            estimate = self._estimate(to, data, value, sidecar.hashes if sidecar else ())
            gas = add_margin(estimate)
            if gas > LEAST_BLOCK:  # a margin that no block has room for would never be mined
                gas = max(estimate, min(gas, self._node.head().gas_limit or gas))
        if gas > GAS_CAP:
            raise ChainError("transaction_reverted", f"{gas} gas is more than a transaction may use")
        with self._lock:
            if self._anchor is None:
                self._drop_anchor()
            if self._next is None:
                self._next = self._node.transaction_count(self.address)
            transaction = Transaction(self._next, to, data, value, gas, 0, 0, sidecar)
            if due is not None:
                transaction.urgency = Urgency.of(*due, self._fees)
            transaction.tip, transaction.fee = self._bid(self._cap(transaction))
            transaction.blob_fee = self._bid_for_blobs(self._blob_cap(transaction)) if sidecar else 0
            self._outbid_journal(transaction)
            self._sign(transaction)
            self._kept[transaction.nonce] = transaction
            self._next += 1
            transaction.is_offered = True
        self._offer(transaction)
        return transaction.hashes[0]

    def _offer(self, transaction: Transaction) -> None:
        """Send it for the first time. Raises ChainError if no node takes it; then its nonce is free, or filled.

        Between two tries the lock is free: others are sent, looked after and looked for meanwhile.
        """
        try:
            while True:
                with self._lock:
                    pause = self._broadcast(transaction, is_first=True)
                if pause is None:
                    break
                time.sleep(pause)
            if transaction.urgency is not None and len(self._node.endpoints) > 1:
                # Who took it may be on a branch that no other has: what has a deadline is given to all at once.
                self._node.tell_each("eth_sendRawTransaction", "0x" + transaction.raw.hex())
        except ChainError as error:
            if error.reason != "rpc_unreachable" and not transaction.may_be_held:
                self._take_back(transaction)
                raise
            # Signed and kept: it goes out as soon as a node takes it, and whoever has it may bring it into a block.
            transaction.refusal = str(error)
            log.warning("transaction %d waits for the node: %s", transaction.nonce, error)
        finally:
            transaction.is_offered = False

    def _take_back(self, transaction: Transaction) -> None:
        """No node has taken it: its nonce is free, if no other thread has sent one after it meanwhile. Otherwise a
        transaction that does nothing fills the gap, for nodes take none out of turn."""
        with self._lock:
            if transaction.nonce + 1 == self._next:
                del self._kept[transaction.nonce]
                self._next = None if not self._kept else transaction.nonce  # by then it may be used, by one given up
                return
            log.warning("transaction %d was refused for good, and is replaced by an empty one", transaction.nonce)
            transaction.to, transaction.data, transaction.value = "0x" + self.address.hex(), b"", 0
            transaction.gas, transaction.sidecar, transaction.blob_fee = FILLER_GAS, None, 0
            transaction.urgency, transaction.refusals, transaction.again_at = None, 0, 0.0
            try:
                if not self._raise_bid(transaction):
                    self._sign(transaction)
            except ChainError as error:  # `tend` tries it again
                log.warning("the empty one is not signed yet: %s", error)
                return
            self._try_broadcast(transaction)

    def _estimate(self, to: str | None, data: bytes, value: int, blob_hashes: Sequence[bytes]) -> int:
        """Gas that a transaction would use.

        A backend that has not seen our last transaction refuses what needs it. What is refused of a block that has it,
        too, is refused; what is not is asked again of the next block: there somebody else may have been first.
        """
        try:
            return self._estimate_after(None, to, data, value, blob_hashes)
        except Reverted as error:
            if not self._mined_in or not self._is_allowed_at_head(to, data, value, blob_hashes):
                raise
            refusal = error
        for _ in range(DOUBTS):
            time.sleep(DOUBT_SECONDS)
            try:
                return self._estimate_after(None, to, data, value, blob_hashes)
            except Reverted as error:
                refusal = error
        raise refusal

    def _is_allowed_at_head(self, to: str | None, data: bytes, value: int, blob_hashes: Sequence[bytes]) -> bool:
        """Whether the call is seen to go through after the latest block, which has our last transaction.

        A backend that lacks this block says so, and is asked again, or another is.
        """
        block = max(self._node.head().number, self._mined_in)
        deadline = time.monotonic() + self._node.patience
        while time.monotonic() < deadline:
            try:
                self._estimate_after(block, to, data, value, blob_hashes)
            except Reverted:
                return False
            except ChainError as error:
                log.info("a refusal may be of a block before our last transaction: %s", error.detail)
            else:
                return True
        return False

    def _estimate_after(
        self, block: int | None, to: str | None, data: bytes, value: int, blob_hashes: Sequence[bytes]
    ) -> int:
        """The same after that block, None: next. Raises Reverted, also where the node's estimates refuse nothing."""
        node = self._node
        if not REFUSING_ESTIMATES.is_had_by(node):
            tag = node.next_block() if block is None else block
            node.call(to, data, value=value, sender=self.address, block=tag, blob_hashes=blob_hashes)
        return node.estimate_gas(self.address, to, data, value, blob_hashes, block=block)

    def tend(self) -> None:
        """Send again what is in no block, and forget what is deep enough in the chain."""
        with self._lock:
            if not self._kept:
                return
            head = self._node.head().number
            mined = self._node.transaction_count(self.address)
            settled = self._node.transaction_count(self.address, max(head - CONFIRMATIONS, 0)) if mined else 0
            for nonce in sorted(self._kept):
                transaction = self._kept[nonce]
                if nonce < settled:
                    self._find_price(transaction)
                    del self._kept[nonce]
                    self.journal.forget(nonce)
                    continue
                transaction.was_mined = nonce < mined
                if transaction.was_mined:
                    self._find_price(transaction)
                if transaction.was_mined or transaction.is_offered or self._is_held(transaction):
                    continue
                if time.monotonic() < transaction.again_at:
                    continue
                # Whether the node shows it says little, for some show no transaction that is in no block.
                if time.monotonic() - transaction.bid_at >= self._patience(transaction):
                    self._try_raise_bid(transaction)
                    self._try_broadcast(transaction)
                    if len(self._node.endpoints) > 1:  # one of them may keep to itself what it is given
                        self._node.tell_each("eth_sendRawTransaction", "0x" + transaction.raw.hex())
                elif self._node.find_transaction(transaction.hashes[-1]) is None:
                    # Dropped from a block by a reorg, or from the pool; all later nonces wait for it.
                    self._try_broadcast(transaction)

    def look(self, transaction: bytes) -> TransactionReceipt | None:
        """The receipt of a transaction sent here, whichever version of it was mined; None while none is.

        Raises NonceTaken("transaction_reverted") if another transaction took its nonce, so that it never will be.
        """
        kept = self._find_kept(transaction)
        # Which versions there are, and which of them was mined, is asked only after the nonce is seen to be used, so
        # that none is missed: until then another thread may raise the bid.
        is_used = kept is not None and kept.nonce < self._node.transaction_count(self.address)
        with self._lock:
            hashes = list(kept.hashes) if kept else [transaction]
        for version in hashes:
            if receipt := self._node.receipt(version):
                self._mined_in = max(self._mined_in, receipt.block_number)
                if kept is not None:
                    self._note_price(kept, receipt)
                return receipt
        if kept is not None and is_used:
            taker = self._find_taker(kept.nonce)
            if taker is not None and taker.hash not in hashes:
                what = f"another transaction took the nonce of {transaction.hex()}"
                taken = NonceTaken("transaction_reverted", what)
                taken.block = taker.block
                raise taken
        return None

    def _drop_anchor(self) -> None:
        """Remember a block of the chain that what is sent is meant for."""
        try:
            block = self._node.block(max(self._node.head().number - CONFIRMATIONS, 0))
            self._anchor = block.number, block.hash
        except ChainError as error:  # then nothing that a node says of a nonce is for good
            log.debug("there is no block to tell the chain by: %s", error)

    def _is_here(self) -> bool:
        """Whether the node is seen to be on the chain that was sent on."""
        if self._anchor is None:
            return False
        block = self._node.find_block(self._anchor[0])
        return block is not None and block.hash == self._anchor[1]

    def _is_for_good(self, block: int) -> bool:
        """Whether what that block has will stay: it is deep, on the chain that was sent on."""
        try:
            return self._node.head().number >= block + CONFIRMATIONS and self._is_here()
        except ChainError:
            return False

    def _find_price(self, transaction: Transaction) -> None:
        """Add what one in a block took to the spending, once; of one whose receipt is not shown nothing is known."""
        try:
            for version in () if transaction.is_paid_for else transaction.hashes:
                if receipt := self._node.receipt(version):
                    self._note_price(transaction, receipt)
                    return
        except ChainError as error:
            log.debug("what transaction %d took is not known: %s", transaction.nonce, error)

    def _note_price(self, transaction: Transaction, receipt: TransactionReceipt) -> None:
        with self._lock:
            if not transaction.is_paid_for:
                transaction.is_paid_for = True
                self.spending.add(transaction.to, transaction.data, receipt, transaction.blob_gas)

    def wait(self, transaction: bytes, timeout: float) -> TransactionReceipt:
        """See `L1.wait`."""
        deadline = time.monotonic() + timeout
        delay = 0.02
        while True:
            why = self._say_refusal(transaction)
            try:
                if receipt := self.look(transaction):
                    if receipt.succeeded or self._is_here():
                        return receipt
                    why = f"failed in block {receipt.block_number} of another chain than it was sent on"
                else:
                    self.tend()
            except NonceTaken as taken:  # by who is told that it failed for good it is sent anew
                if self._is_for_good(taken.block):
                    raise
                why = f"is in no block: another one has its nonce in block {taken.block}, which may not stay"
            except ChainError as error:  # of the node, whatever it says: the transaction is on its way
                log.warning("waiting for the node: %s", error)
            if time.monotonic() > deadline:
                raise make_pending(transaction, why)
            time.sleep(delay)
            delay = min(2 * delay, 1.0)

    def _say_refusal(self, transaction: bytes) -> str:
        kept = self._find_kept(transaction)
        if kept is None or not kept.refusal:
            return "is in no block yet"
        return f"is in no block yet, and one node may have it that did not answer; another: {kept.refusal}"

    def _find_kept(self, transaction: bytes) -> Transaction | None:
        """That one of which this is a version."""
        with self._lock:
            return next((kept for kept in self._kept.values() if transaction in kept.hashes), None)

    def _is_held(self, transaction: Transaction) -> bool:
        """Whether one before it is of the other kind, with or without blobs, and in no block yet."""
        others = [
            kept.nonce
            for kept in self._kept.values()
            if kept.nonce < transaction.nonce and not kept.was_mined and bool(kept.sidecar) != bool(transaction.sidecar)
        ]
        return bool(others) and max(others) >= self._node.transaction_count(self.address)

    def _urgency(self, transaction: Transaction) -> tuple[Urgency, int, int] | None:
        """What presses most among the transaction and those that have to wait for it, and their gas and blob gas."""
        found: tuple[Urgency, int, int] | None = None
        gas, blob_gas, now = 0, 0, time.monotonic()
        later = [kept for nonce, kept in self._kept.items() if nonce > transaction.nonce and not kept.was_mined]
        for kept in [transaction, *sorted(later, key=lambda kept: kept.nonce)]:
            gas += kept.gas
            blob_gas += kept.blob_gas
            urgency = kept.urgency
            presses = urgency is not None and urgency.presses_at <= now < urgency.deadline
            if urgency is not None and presses and (found is None or urgency.deadline < found[0].deadline):
                found = urgency, gas, blob_gas
        return found

    def _cap(self, transaction: Transaction) -> int:
        """The most to bid for a unit of its gas."""
        pressing = self._urgency(transaction)
        if pressing is None:
            return self._fees.cap
        urgency, gas, blob_gas = pressing
        worth = urgency.worth // 2 if blob_gas else urgency.worth  # the other half is for the blobs
        return max(self._fees.cap, min(self._fees.urgent_cap, worth // gas))

    def _blob_cap(self, transaction: Transaction) -> int:
        """The most to bid for a unit of its blob gas."""
        pressing = self._urgency(transaction)
        if pressing is None:
            return self._fees.blob_cap
        urgency, _, blob_gas = pressing
        return max(self._fees.blob_cap, min(self._fees.urgent_cap, urgency.worth // 2 // blob_gas))

    def _patience(self, transaction: Transaction) -> float:
        """Seconds to wait before its bid is raised."""
        pressing = self._urgency(transaction)
        if pressing is None:
            return self._fees.patience
        return min(self._fees.patience, max(1.0, (pressing[0].deadline - time.monotonic()) / 8))

    def _bid(self, cap: int) -> tuple[int, int]:
        """Tip and highest fee to offer now."""
        base = self._node.head().base_fee
        try:
            suggested = self._node.ask("eth_maxPriorityFeePerGas", take=take_quantity, patience=1.0)
        except ChainError:
            suggested = 0
        tip = min(max(suggested, self._fees.least_tip), cap)
        return tip, min(2 * base + tip, cap)

    def _bid_for_blobs(self, cap: int) -> int:
        """Highest price of a unit of blob gas to offer now."""
        return min(2 * self._node.blob_base_fee() + 1, cap)

    def _raise_bid(self, transaction: Transaction) -> bool:
        """Sign anew with higher fees, as far as the caps allow what nodes take for a replacement; whether they did."""
        cap = self._cap(transaction)
        bump, whole = BLOB_BUMP if transaction.sidecar else BUMP
        tip, fee = self._bid(cap)
        tip = max(tip, transaction.tip * bump // whole + 1)
        fee = max(fee, transaction.fee * bump // whole + 1)
        blob_fee, blob_cap = 0, 0
        if transaction.sidecar:
            blob_cap = self._blob_cap(transaction)
            blob_fee = max(self._bid_for_blobs(blob_cap), transaction.blob_fee * bump // whole + 1)
        if fee > cap or blob_fee > blob_cap:
            return False
        former = transaction.tip, transaction.fee, transaction.blob_fee
        transaction.tip, transaction.fee, transaction.blob_fee = tip, fee, blob_fee
        try:
            self._sign(transaction)
        except ChainError:
            transaction.tip, transaction.fee, transaction.blob_fee = former
            raise
        return True

    def _try_raise_bid(self, transaction: Transaction) -> None:
        """The same where it can wait: who signs may be away for a while."""
        try:
            self._raise_bid(transaction)
        except ChainError as error:
            log.warning("the bid of transaction %d was not raised: %s", transaction.nonce, error)

    def _outbid_journal(self, transaction: Transaction) -> None:
        """Bid more than a former process did under this nonce, up to the caps: nodes replace nothing for less."""
        former = self.journal.load(transaction.nonce)
        if former is None:
            return
        bump, whole = BLOB_BUMP if transaction.sidecar else BUMP
        cap = self._cap(transaction)
        transaction.fee = min(max(transaction.fee, former.fee * bump // whole + 1), cap)
        transaction.tip = min(max(transaction.tip, former.tip * bump // whole + 1), transaction.fee)
        if transaction.sidecar:
            blob_fee = max(transaction.blob_fee, former.blob_fee * bump // whole + 1)
            transaction.blob_fee = min(blob_fee, self._blob_cap(transaction))

    def _sign(self, transaction: Transaction) -> None:
        """Make a version of it with its fees of now. Raises ChainError, and changes nothing, if nobody signs it."""
        sidecar = transaction.sidecar
        unsigned = Unsigned(
            chain_id=self._node.chain_id,
            nonce=transaction.nonce,
            tip=transaction.tip,
            fee=transaction.fee,
            gas=transaction.gas,
            to=None if transaction.to is None else bytes.fromhex(transaction.to.removeprefix("0x")),
            value=transaction.value,
            data=transaction.data,
            blob_fee=transaction.blob_fee,
            blob_hashes=sidecar.hashes if sidecar else (),
        )
        signed = self._account.sign(unsigned)
        transaction.raw = sidecar.wrap(signed) if sidecar else signed
        transaction.hashes.append(keccak(signed))
        transaction.bid_at = time.monotonic()
        self.journal.save(transaction.nonce, FormerBid(transaction.tip, transaction.fee, transaction.blob_fee))

    def _try_broadcast(self, transaction: Transaction) -> None:
        try:
            self._broadcast(transaction)
        except ChainError as error:
            log.warning("transaction %d was not taken again: %s", transaction.nonce, error)

    def _broadcast(self, transaction: Transaction, *, is_first: bool = False) -> float | None:
        """Hand the transaction to the node, unless it is held. Raises ChainError if the node does not take it.

        `is_first`: nobody was told of it before, so it may be refused for good, or go out under another nonce. Returns
        the seconds after which the same has to be handed over once more: a node that has too much to do may refuse in
        any words. None: that is all.
        """
        if self._is_held(transaction):
            log.info("transaction %d waits for those of the other kind before it", transaction.nonce)
            return None
        guesses = 0
        while True:
            try:
                self._node.request("eth_sendRawTransaction", "0x" + transaction.raw.hex())
                transaction.refusals = 0
                return None
            except ChainError as error:
                transaction.may_be_held |= error.reason == "rpc_unreachable" or getattr(error, "was_lost", False)
                if error.reason == "rpc_unreachable":
                    raise
                refusal = error
            words = refusal.detail.lower()
            is_unheard_of = refusal.reason == "rpc_refused" and not any(known in words for known in KNOWN)
            if is_unheard_of and transaction.refusals < len(PAUSES):
                return self._pause(transaction, refusal)
            if any(known in words for known in TAKEN) or self._is_known(transaction):
                return None
            if any(waiting in words for waiting in WAITING):
                log.info("transaction %d waits for those before it", transaction.nonce)
                return None
            taker = self._find_taker(transaction.nonce)
            if taker is not None:
                if taker.hash in transaction.hashes or not is_first:
                    return None
                if taker.hash in self._given_up:
                    raise make_pending(taker.hash, "was executed, though it had been refused: nothing else was sent")
                is_certain = not transaction.may_be_held or self._is_for_good(taker.block)
                if not is_certain or not self._renumber(transaction):
                    return None
                continue
            if "nonce too low" in words:
                log.info("transaction %d: %s, which no block shows", transaction.nonce, refusal.detail)
                return None
            if not self._can_pay(transaction):
                has, cost = self._node.balance(self.address), transaction.cost
                text = f"0x{self.address.hex()} has {show_ether(has)} ETH, and the transaction may take"
                text += f" {show_ether(cost)} ETH for gas: {show_ether(cost - has)} ETH too little"
                raise ChainError("insufficient_funds", text, {"has_wei": str(has), "takes_wei": str(cost)})
            if not any(cheap in words for cheap in CHEAP) and not self._is_rivalled(transaction):
                guesses += 1
                if guesses > GUESSES:
                    transaction.refusals = 0
                    if is_first and is_unheard_of:
                        self._given_up |= dict.fromkeys(transaction.hashes, transaction.data)
                        refusal.numbers["transaction"] = f"0x{transaction.hashes[-1].hex()}"
                    raise refusal
            if not self._raise_bid(transaction):
                log.warning("transaction %d waits for lower fees: %s", transaction.nonce, refusal.detail)
                return None

    def _pause(self, transaction: Transaction, refusal: ChainError) -> float:
        """Let it alone for a while; the seconds."""
        log.info("transaction %d was refused, and is sent again: %s", transaction.nonce, refusal.detail)
        pause = PAUSES[transaction.refusals]
        transaction.refusals += 1
        transaction.again_at = time.monotonic() + pause
        return pause

    def _is_known(self, transaction: Transaction) -> bool:
        """Whether the node has the last version, whatever it says of it."""
        return self._node.find_transaction(transaction.hashes[-1]) is not None

    def _is_rivalled(self, transaction: Transaction) -> bool:
        """Whether the pool has another of the account's under this nonce, or the base fee is above the bid."""
        if self._node.head().base_fee > transaction.fee:
            return True
        try:
            return self._node.transaction_count(self.address, "pending") > transaction.nonce
        except ChainError:
            return False

    def _can_pay(self, transaction: Transaction) -> bool:
        return self._node.balance(self.address) >= transaction.cost

    def _renumber(self, transaction: Transaction) -> bool:
        """Give the newest transaction the account's next nonce: another one has its own for good."""
        if transaction.nonce + 1 != self._next:
            return False
        former = transaction.nonce
        transaction.nonce = max(self._node.transaction_count(self.address), former + 1)
        try:
            self._sign(transaction)
        except ChainError:
            transaction.nonce = former
            raise
        del self._kept[former]
        self._kept[transaction.nonce] = transaction
        self._next = transaction.nonce + 1
        del transaction.hashes[:-1]
        return True

    def _find_taker(self, nonce: int) -> Taker | None:
        """The account's transaction in the chain that has this nonce; None if none has, or that cannot be seen.

        Read from the block itself, for neither a count of nonces nor a missing receipt says whose it was.
        """
        node = self._node
        try:
            high = node.head().number
            if node.transaction_count(self.address, high) <= nonce:
                return None
            low, step = high, 1
            while low > 0 and node.transaction_count(self.address, low) > nonce:
                if step > LONGEST_SEARCH:
                    return None
                high, low, step = low, max(low - step, 0), 2 * step
            while high - low > 1:
                middle = (low + high) // 2
                if node.transaction_count(self.address, middle) > nonce:
                    high = middle
                else:
                    low = middle
            for sent in node.transactions_of(high):
                if (sent.sender, sent.nonce) == (self.address, nonce):
                    return Taker(sent.hash, high)
        except ChainError as error:
            log.debug("who took nonce %d cannot be seen: %s", nonce, error)
        return None
