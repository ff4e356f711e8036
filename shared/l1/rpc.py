"""L1 nodes over JSON-RPC: everything that needs no account.

Hashes and data are bytes, addresses 20 bytes (hexadecimal strings are taken too), money wei, times unix seconds.

A read is tried again, on every endpoint in turn, for `patience` seconds: while nobody answers, while the answer is a
refusal in whatever words, no answer to the question (`answers.py`), or a `null` where something has to be, for that
says only that this backend does not have it yet. Then a `ChainError` has the last complaint, in the node's own words.
What a contract refuses is a `Reverted` with the contract's own reason.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.answers import (
    Block,
    Lacking,
    Log,
    Malformed,
    SentTransaction,
    TransactionReceipt,
    take_bytes,
    take_list,
    take_logs,
    take_object,
    take_quantity,
    take_receipt,
    take_transaction,
)
from setoff.shared.l1.endpoint import LONGEST_REST, Endpoint, Refused, Reverted, Unanswered, Unsupported
from setoff.shared.l1.headers import take_block, take_pending

LOG_BLOCKS: Final = 2000
"""Blocks asked for in one request for logs; halved whenever a node refuses, for whatever reason."""

TAKEN: Final = 4
"""Requests for logs of one width that have to go well before a wider one is tried again."""

GAS_CAP: Final = 1 << 24
"""No transaction may ask for more gas (EIP-7825)."""

FIRST_DELAY, LAST_DELAY = 0.1, 1.0
"""Seconds between tries: at first, and at most."""

LACK: Final = 8.0
"""Seconds for which something that has to be there is asked for again, at most, where a node has it not."""

DOUBTS: Final = 4
"""Times that a call is tried which a node refuses in words that nobody knows: it may be the call."""

FAR: Final = 60
"""Seconds that the next block may be ahead of the latest one, before all endpoints are asked."""

LOWER_TOLD: Final = 30.0
"""Seconds for which a lower head of another branch is told of after it was met."""

SPLIT: Final = "shows two branches at once, so what is sent can be lost"

CALLS: Final = frozenset({"eth_call", "eth_estimateGas"})
SENDS: Final = frozenset({"eth_sendRawTransaction"})

Address = bytes | str
T = TypeVar("T")

log = logging.getLogger(__name__)


class Node:
    """Connections to one chain's nodes: the first that answers is asked. May be shared by threads."""

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        chain_id: int | None = None,
        patience: float = 10.0,
        timeout: float = 10.0,
    ) -> None:
        """`url`: one, several separated by commas, or a sequence; `chain_id`: the chain that they have to serve;
        `patience` (s) as above, `timeout` (s) is of one request.

        Raises ConfigError if the address of a node is no URL.
        """
        urls = [part.strip() for part in url.split(",")] if isinstance(url, str) else list(url)
        if not urls:
            raise ConfigError("bad_config", "there is no L1 node")
        self.endpoints = tuple(Endpoint(each, timeout) for each in urls)
        self.patience = patience
        self._wanted_chain = chain_id
        self._has_pending: bool | None = None
        self.learnt: dict[str, bool] = {}
        """What these nodes can do, as far as it was tried out, by name (`abilities.py`)."""
        self._log_span = LOG_BLOCKS
        self._lower = "", 0.0  # of a lower head, what is told, and until when

    @cached_property
    def chain_id(self) -> int:
        """The chain's number. Raises ConfigError if it is not the one asked for, of any endpoint that answers."""
        chain_id = self.ask("eth_chainId", take=take_quantity)
        if self._wanted_chain not in (None, chain_id):
            raise ConfigError("wrong_chain", f"{self.hosts} serves chain {chain_id}, not {self._wanted_chain}")
        return chain_id

    @property
    def hosts(self) -> str:
        """The endpoints' hosts, for people."""
        return ", ".join(endpoint.host for endpoint in self.endpoints)

    def note_split(self) -> None:
        """Whoever is asked first was seen to answer of two branches at once: of several backends behind it, one is
        elsewhere. It is asked last from now on, and told of for a while."""
        endpoint = self._choose({}, {})
        is_new = not endpoint.is_split()
        endpoint.split_at = time.monotonic()
        if is_new:
            log.error("L1 endpoints: %s", self._tell_split(endpoint))

    def note_lower(self, head: int, read: int, seconds: float) -> None:
        """The head shown is of another branch than the one read up to a higher block, and is followed in so many
        seconds unless somebody shows that one (`lower.py`)."""
        what = f"{self.hosts} shows block {head} of another branch than was read up to block {read}"
        told = f"{what}: it is followed in {max(seconds, 0):.0f} s unless the other is shown again"
        self._lower = told, time.monotonic() + LOWER_TOLD

    def list_splits(self) -> list[str]:
        """What is to be told of endpoints that have answered of two branches."""
        lower, until = self._lower
        splits = [self._tell_split(endpoint) for endpoint in self.endpoints if endpoint.is_split()]
        return splits + [lower] * (time.monotonic() < until)

    def _tell_split(self, endpoint: Endpoint) -> str:
        is_only = len(self.endpoints) == 1
        advice = "name a second L1 node beside it (rpc_url=URL,URL)" if is_only else "it is asked last"
        return f"{endpoint.host} {SPLIT}: {advice}"

    def check_chain(self) -> None:
        """Ask the node which chain it serves. Raises ConfigError if it is another one, ChainError if it is silent."""
        _ = self.chain_id

    def request(self, method: str, *params: Any) -> Any:
        """The `result` of one JSON-RPC call, whatever it is. Raises as `ask`."""
        return self.ask(method, *params, take=_take_anything)

    def ask(self, method: str, *params: Any, take: Callable[[Any], T], patience: float | None = None) -> T:
        """The `result` of one JSON-RPC call as `take` reads it; `patience`: in place of the node's own.

        Raises ChainError("rpc_unreachable"), Reverted or Refused.
        """
        return self._ask(method, params, take, patience)[0]

    def _ask(
        self, method: str, params: Sequence[Any], take: Callable[[Any], T], patience: float | None
    ) -> tuple[T, Endpoint]:
        """See `ask`; and who said so."""
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        delay, tries, lacking_since = FIRST_DELAY, 0, 0.0
        last: dict[Endpoint, float] = {}  # when it was asked last
        unable: dict[Endpoint, Unsupported] = {}
        first: Refused | None = None
        was_lost = False
        while True:
            endpoint = self._choose(last, unable)
            if endpoint in last:  # all that can were asked
                now = time.monotonic()
                if max(now + delay, endpoint.rests_until) > deadline:
                    complaint = "; ".join(f"{each.host}: {each.complaint}" for each in last)
                    raise ChainError("rpc_unreachable", complaint)
                time.sleep(max(delay, endpoint.rests_until - now))
                delay = min(2 * delay, LAST_DELAY)
                last.clear()
            last[endpoint] = time.monotonic()
            tries += 1
            try:
                answer = _read(take, endpoint.ask(method, params))
            except Unsupported as refusal:
                unable[endpoint] = refusal
                if len(unable) == len(self.endpoints):
                    refusal.was_lost = was_lost
                    raise
            except Reverted as refusal:
                refusal.was_lost = was_lost
                raise
            except Refused as refusal:
                first = first or refusal
                if self._is_final(refusal, method, tries):
                    first.was_lost = was_lost
                    raise first from None
                endpoint.complaint = refusal.message or "an error without words"
            except Unanswered as failure:
                was_lost |= not failure.is_untouched
                endpoint.complaint = str(failure)
                endpoint.rest(failure.pause)
            except Malformed as failure:
                was_lost = True
                endpoint.complaint = f"a malformed answer to {method}: {failure}"
                log.warning("%s gave %s", endpoint.host, endpoint.complaint)
            except Lacking:
                endpoint.complaint = f"{method} answers null"
                lacking_since = lacking_since or time.monotonic()
                deadline = min(deadline, lacking_since + LACK)
            else:
                endpoint.complaint = ""
                return answer, endpoint

    def ask_each(self, method: str, *params: Any, take: Callable[[Any], T]) -> list[T | Refused | None]:
        """What every endpoint answers itself, of those that answer, in their order: the `result`, None for null, or the
        refusal. Raises ChainError("rpc_unreachable") if none does, within `patience`.
        """
        deadline, delay = time.monotonic() + self.patience, FIRST_DELAY
        while True:
            answers: list[T | Refused | None] = []
            for endpoint in self.endpoints:
                try:
                    answers.append(_read(take, endpoint.ask(method, params)))
                except Refused as refusal:
                    answers.append(refusal)
                except Lacking:
                    answers.append(None)
                except Malformed as failure:
                    endpoint.complaint = f"a malformed answer to {method}: {failure}"
                except Unanswered as failure:
                    endpoint.complaint = str(failure)
            if answers:
                return answers
            if time.monotonic() + delay > deadline:
                complaint = "; ".join(f"{each.host}: {each.complaint}" for each in self.endpoints)
                raise ChainError("rpc_unreachable", complaint)
            time.sleep(delay)
            delay = min(2 * delay, LAST_DELAY)

    def _is_final(self, refusal: Refused, method: str, tries: int) -> bool:
        """Whether there is no use in asking on, after so many tries."""
        if tries < len(self.endpoints):
            return False  # what one refuses another may take
        is_plain = refusal.reason == "insufficient_funds" or method in SENDS or not method.startswith("eth_")
        return is_plain or (method in CALLS and tries >= DOUBTS * len(self.endpoints))

    def tell_each(self, method: str, *params: Any) -> None:
        """Say something to every endpoint, whatever it answers: what one keeps to itself another passes on."""
        for endpoint in self.endpoints:
            try:
                endpoint.ask(method, params)
            except (Refused, Unanswered) as error:
                log.debug("%s: %s", endpoint.host, error)

    def doubt(
        self, to: Address, data: bytes, value: int = 0, sender: Address | None = None, wanted: bytes | None = None
    ) -> bool:
        """Whether of several endpoints one refuses a call in the next block, or comes to something else than is
        `wanted` of it, and another does not: then the former rests a while."""
        if len(self.endpoints) < 2:
            return False
        request, tag = self._call_object(to, data, value, sender), self.next_block()
        allows: dict[Endpoint, bool] = {}
        for endpoint in self.endpoints:
            try:
                answer = _read(take_bytes, endpoint.ask("eth_call", (request, tag)))
                if wanted is None:
                    endpoint.ask("eth_estimateGas", (request, tag))
                allows[endpoint] = wanted in (None, answer)
            except Refused:
                allows[endpoint] = False
            except (Unanswered, Malformed, Lacking) as error:
                log.debug("%s: %s", endpoint.host, error)
        if len(set(allows.values())) < 2:
            return False
        for endpoint in (endpoint for endpoint, is_allowed in allows.items() if not is_allowed):
            log.error("L1 endpoints: %s refuses a call that others allow, and is asked last", endpoint.host)
            endpoint.rest(LONGEST_REST)
        return True

    def _choose(self, last: dict[Endpoint, float], unable: dict[Endpoint, Unsupported]) -> Endpoint:
        """Who is asked next: who was not yet, whose word counts, who wants no rest; the first one of these."""
        now = time.monotonic()
        able = [endpoint for endpoint in self.endpoints if endpoint not in unable]

        def rank(each: Endpoint) -> tuple[object, ...]:
            doubts = bool(each.refuted), each.is_split(), bool(each.suspicion)
            return each in last, max(each.rests_until - now, 0.0), *doubts

        return min(able, key=rank)

    # --- reads ---

    def block(self, number: int | str = "latest") -> Block:
        """The block with this number or tag ("latest", "finalized", …). It has to be there: waits for it a while.

        Raises ChainError("rpc_unreachable") if nobody shows it.
        """
        return self.ask("eth_getBlockByNumber", _tag(number), False, take=_take_block_at(number))

    def block_by_hash(self, block_hash: bytes) -> Block:
        """The block with this hash, which somebody has seen. Raises as `block`."""
        return self.ask("eth_getBlockByHash", to_hex(block_hash), False, take=_take_block_at(block_hash))

    def find_block(self, number: int | str) -> Block | None:
        """The block with this number or tag, None if the node that was asked has none: which proves nothing."""
        return self.ask("eth_getBlockByNumber", _tag(number), False, take=_or_none(_take_block_at(number)))

    def head(self) -> Block:
        """The latest block."""
        return self.block()

    def now(self) -> int:
        """The timestamp a transaction sent now can expect: the pending block's, never less than the latest one's."""
        pending, head = self._pending_time(), self.head().timestamp
        if pending > head + FAR and len(self.endpoints) > 1:  # no clock runs out by the word of one
            answers = self.ask_each("eth_getBlockByNumber", "pending", False, take=take_pending)
            pending = min(answer for answer in (pending, *answers) if isinstance(answer, int))
        return max(head, pending)

    def balance(self, address: Address) -> int:
        """Wei."""
        return self.ask("eth_getBalance", to_hex(address), "latest", take=take_quantity)

    def code(self, address: Address) -> bytes:
        """The contract's code, empty if there is none."""
        return self.ask("eth_getCode", to_hex(address), "latest", take=take_bytes)

    def transaction_count(self, address: Address, number: int | str = "latest") -> int:
        """The account's next nonce after that block."""
        return self.ask("eth_getTransactionCount", to_hex(address), _tag(number), take=take_quantity)

    def find_transaction(self, transaction: bytes) -> SentTransaction | None:
        """A transaction, None if the node that was asked does not show it: which proves nothing."""
        return self.ask("eth_getTransactionByHash", to_hex(transaction), take=_or_none(take_transaction))

    def transaction_in(self, transaction: bytes, block_hash: bytes) -> SentTransaction:
        """A transaction of that block. A node that has given up its index of transactions still has it in the block.

        Raises ChainError.
        """
        found = self.find_transaction(transaction)
        if found is not None:
            return found
        for found in self.transactions_of(block_hash):
            if found.hash == transaction:
                return found
        raise ChainError("rpc_unreachable", f"transaction {transaction.hex()} is not in the block it was said to be in")

    def transactions_of(self, block: bytes | int) -> list[SentTransaction]:
        """All transactions of a block, by its hash or number. Raises ChainError."""
        take = _take_transactions
        if isinstance(block, int):
            return self.ask("eth_getBlockByNumber", hex(block), True, take=take)
        return self.ask("eth_getBlockByHash", to_hex(block), True, take=take)

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        """How a transaction went, None if the node that was asked shows none: which proves nothing."""
        return self.ask("eth_getTransactionReceipt", to_hex(transaction), take=_or_none(take_receipt))

    def call(
        self,
        to: Address | None,
        data: bytes,
        *,
        value: int = 0,
        sender: Address | None = None,
        block: int | str | bytes = "latest",
        blob_hashes: Sequence[bytes] = (),
    ) -> bytes:
        """What the contract at `to` returns, or a contract's creation, in a transaction with blobs of these hashes.

        After the block with this number, tag or hash: whoever is on another branch has none of this hash. Raises
        Reverted.
        """
        request = self._call_object(to, data, value, sender, blob_hashes)
        return self.ask("eth_call", request, _tag(block), take=take_bytes)

    def next_block(self) -> str:
        """Tag of the block to try transactions on: the pending one, the latest where the node knows none."""
        if self._has_pending is None:
            self._pending_time()
        return "pending" if self._has_pending else "latest"

    def blob_base_fee(self) -> int:
        """Wei a unit of blob gas (EIP-4844)."""
        return self.ask("eth_blobBaseFee", take=take_quantity)

    def estimate_gas(
        self,
        sender: Address,
        to: Address | None,
        data: bytes,
        value: int = 0,
        blob_hashes: Sequence[bytes] = (),
        *,
        block: int | bytes | None = None,
    ) -> int:
        """Gas that a transaction of `sender` would use, with blobs of these hashes, after that block, by default next.

        Raises Reverted.
        """
        request = self._call_object(to, data, value, sender, blob_hashes)
        tag = self.next_block() if block is None else _tag(block)
        return self.ask("eth_estimateGas", request, tag, take=take_quantity)

    def logs(
        self,
        addresses: Iterable[Address],
        first: int,
        last: int,
        topics: Iterable[bytes | None] = (),
        *,
        span: int | None = None,
        told_by: set[Endpoint] | None = None,
    ) -> list[Log]:
        """The events of these contracts in the blocks `first` to `last`, in order, as far as the node shows them: a
        node that is behind leaves out the newest without a word (`block_logs.py` has all of a block).

        Whatever refuses a range, and however, is asked for half of it, down to one block; `span`: blocks to begin with.
        `told_by` takes in who has answered.
        """
        wanted_addresses = {bytes.fromhex(to_hex(address)[2:]) for address in addresses}
        wanted_topics = list(topics)
        asked = {
            "address": [to_hex(address) for address in sorted(wanted_addresses)],
            "topics": [None if topic is None else to_hex(topic) for topic in wanted_topics],
        }
        found: list[Log] = []
        width, taken = min(span or LOG_BLOCKS, self._log_span), 0
        while first <= last:
            until = min(first + width - 1, last)
            bounds = {"fromBlock": hex(first), "toBlock": hex(until)}
            try:
                page, endpoint = self._ask(
                    "eth_getLogs", [{**asked, **bounds}], take_logs, None if until == first else 0.0
                )
            except ChainError:
                if first == until:
                    raise
                width = (until - first + 1) // 2
                self._log_span, taken = width, 0
                continue
            if told_by is not None:
                told_by.add(endpoint)
            # A node may know the first topic only, or answer a question of somebody else's.
            found += [
                entry
                for entry in page
                if first <= entry.block_number <= until
                and entry.address in wanted_addresses
                and matches_topics(entry, wanted_topics)
            ]
            taken += 1
            if taken >= TAKEN and width < (span or LOG_BLOCKS):  # what was too much once may have been so by chance
                width, taken = min(2 * width, span or LOG_BLOCKS), 0
                self._log_span = max(self._log_span, width)
            first = until + 1
        return sorted(found, key=lambda entry: (entry.block_number, entry.index))

    # --- internal ---

    def _pending_time(self) -> int:
        """The pending block's timestamp; 0 on a node that shows none, which is not asked again."""
        if self._has_pending is False:
            return 0
        try:
            pending = self.ask(
                "eth_getBlockByNumber", "pending", False, take=_or_none(take_pending), patience=FIRST_DELAY
            )
        except ChainError as error:
            if isinstance(error, Refused) or self._is_refused("eth_getBlockByNumber", "pending", False):
                self._has_pending = False
            return 0
        self._has_pending = pending is not None
        return pending or 0

    def _is_refused(self, method: str, *params: Any) -> bool:
        """Whether every endpoint that answers other questions meanwhile refuses this, twice, in whatever words."""
        questions: tuple[tuple[str, tuple[Any, ...]], ...] = ((method, params), ("eth_blockNumber", ()))
        refused = []
        for endpoint in self.endpoints:
            answers = []
            for name, told in (*questions, *questions):
                try:
                    endpoint.ask(name, told)
                    answers.append(True)
                except Refused:
                    answers.append(False)
                except Unanswered:
                    break
            if answers[1::2] == [True, True]:
                refused.append(not any(answers[::2]))
        return bool(refused) and all(refused)

    def _call_object(
        self, to: Address | None, data: bytes, value: int, sender: Address | None, blob_hashes: Sequence[bytes] = ()
    ) -> dict[str, Any]:
        request: dict[str, Any] = {"data": to_hex(data), "value": hex(value), "gas": hex(GAS_CAP)}
        if blob_hashes:
            request["blobVersionedHashes"] = [to_hex(versioned_hash) for versioned_hash in blob_hashes]
        if to is not None:
            request["to"] = to_hex(to)
        if sender is not None:
            request["from"] = to_hex(sender)
        return request


def to_hex(data: Address) -> str:
    """As JSON-RPC has bytes; what is in hexadecimal already stays so."""
    return data if isinstance(data, str) else "0x" + data.hex()


def matches_topics(entry: Log, topics: Sequence[bytes | None]) -> bool:
    """Whether an event has these topics; None: any."""
    return len(entry.topics) >= len(topics) and all(
        wanted in (None, topic) for wanted, topic in zip(topics, entry.topics, strict=False)
    )


def _read(take: Callable[[Any], T], value: Any) -> T:
    """An answer as `take` reads it. Raises Lacking, and Malformed for whatever else it cannot make sense of."""
    try:
        return take(value)
    except (Lacking, Malformed):
        raise
    except Exception as error:  # of the libraries that decode it: no answer may end who has asked
        raise Malformed(f"{type(error).__name__}: {error}") from None


def _take_anything(value: Any) -> Any:
    return value


def _tag(block: int | str | bytes) -> str | dict[str, str]:
    """By hash as EIP-1898 has it."""
    if isinstance(block, bytes):
        return {"blockHash": to_hex(block)}
    return block if isinstance(block, str) else hex(block)


def _take_block_at(place: int | str | bytes) -> Callable[[Any], Block]:
    """Reads the block of this number or hash, or of a tag whichever it is. Raises Malformed for another one."""

    def read(value: Any) -> Block:
        block = take_block(value)
        if not isinstance(place, str) and place != (block.number if isinstance(place, int) else block.hash):
            raise Malformed(f"block {block.number} instead of the one asked for")
        return block

    return read


def _or_none(take: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """Reads null as nothing."""

    def read(value: Any) -> T | None:
        try:
            return take(value)
        except Lacking:
            return None

    return read


def _take_transactions(value: Any) -> list[SentTransaction]:
    return [take_transaction(entry) for entry in take_list(take_object(value).get("transactions"))]
