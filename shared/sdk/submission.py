"""Records of an account: signed with its next nonce, submitted, and what became of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from setoff.shared.codec import eip712, records
from setoff.shared.errors import DataError, InputError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bodies import make_body
from setoff.shared.sdk.bounded_answers import RECORD_BYTES, reading
from setoff.shared.sdk.exchange_clock import SKEW, ExchangeClock, check_clock
from setoff.shared.sdk.figures import Execution
from setoff.shared.sdk.history import History
from setoff.shared.sdk.signer import Signer
from setoff.shared.state import keys
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import SIGNED, encode_record

if TYPE_CHECKING:  # what holds receipts against L1 takes as long to import as all the rest
    from setoff.shared.config.deployment_file import Deployment
    from setoff.shared.sdk.listed_units import ListedUnits
    from setoff.shared.sdk.receipt_store import ReceiptStore

_ASK_AGAIN: Final = frozenset(
    ("nonce_used", "nonce_too_old", "nonce_too_far", "bad_signature", "agent_expired", "out_of_scope")
)
"""Reasons after which nonces are read again: another client uses the key too, or an agent was named anew."""
_USED: Final = frozenset(("nonce_used", "nonce_too_old"))
"""Reasons for which a record that is sent again is refused where no history is kept."""
RESEND: Final = 0.5
"""Seconds between two tries to send the same bytes."""
ANSWER_PATIENCE: Final = 15.0
"""Seconds in which who sends for a person sends a record again whose answer was lost, the same bytes; then its end is
said to be unknown."""


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A record that was taken: its number among all posted records, from 0, its batch and input index; for an order
    its slot of the account, the lots that rest in the book, and the fills as the API shows them; for a bulk record what
    each of its legs left there.

    `outcome`: "accepted", or the reason for which an order ended after it had traded. `is_paused`: there were so many
    makers that the exchange goes on with it after this answer, which is what came of it so far; of a bulk record the
    legs behind that page were not taken, and `legs` is as short. `signed`: the operator's signed receipts for it and
    its pages, as far as the client keeps them.
    """

    sequence: int
    batch: int
    input_index: int
    order_slot: int
    resting: int
    fills: tuple[Mapping[str, Any], ...]
    outcome: str = "accepted"
    legs: tuple[int, ...] = ()
    signed: tuple[SignedReceipt, ...] = ()
    is_paused: bool = False

    @property
    def filled(self) -> int:
        """Lots traded at once."""
        return sum(int(fill["size"]) for fill in self.fills)

    @property
    def executions(self) -> tuple[Execution, ...]:
        """The fills in decimals."""
        return tuple(Execution.read(fill) for fill in self.fills)

    @property
    def average_price(self) -> Decimal | None:
        """What was traded at once has cost on average, in quote per base; None if nothing was traded."""
        traded = sum((each.size for each in self.executions), Decimal())
        return sum((each.price * each.size for each in self.executions), Decimal()) / traded if traded else None


def _why(error: Unavailable | TimeoutError) -> str:
    return error.detail if isinstance(error, Unavailable) else "nothing has answered"


def _read_result(record: bytes, answer: Mapping[str, Any]) -> SubmitResult:
    """What became of a record, as an exchange answers it. Raises Unavailable if that cannot be read."""
    order_slot = 0
    if record[0] == records.ORDER:
        order_slot = records.decode_order(record).order_slot
    elif record[0] == records.AMEND:
        order_slot = records.decode_amend(record).order_slot
    with reading("the answer to a record"):
        result = SubmitResult(
            int(answer["sequence"]),
            int(answer["batch"]),
            int(answer["input_index"]),
            order_slot,
            int(answer["resting"]),
            tuple(answer["fills"]),
            str(answer["outcome"]),
            tuple(int(resting) for resting in answer.get("legs", ())),
            is_paused=bool(answer.get("is_paused", False)),
        )
        for fill in result.fills:
            int(fill["price"]), int(fill["size"])
        int(answer.get("leg_pages", 0))
        return result


class ReceiptBroken(DataError):
    """A record was taken, and its receipt is missing, wrong or worthless: `result` is what became of it."""

    def __init__(self, detail: str, result: SubmitResult) -> None:
        super().__init__("receipt_broken", detail)
        self.result = result


class Nonces:
    """The nonces of one key, an owner's or an agent's, shared by its clients of all sub-accounts."""

    def __init__(self) -> None:
        self.next = 0  # 0: not known

    def take(self) -> int:
        """The next nonce."""
        nonce = self.next
        self.next += 1
        return nonce

    def give_back(self, nonce: int) -> None:
        """After a refusal: the next record takes it again if none has taken one since, and so at most one of the two
        can ever count. What was signed stays valid for whoever has it."""
        if self.next == nonce + 1:
            self.next = nonce

    def keep(self, nonce: int) -> None:
        """It is taken again."""
        if self.next == nonce:
            self.next = nonce + 1


class Submission(History):
    """Signs and submits for one account, or, with an `agent`'s number, for that of another."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        account: int | str = "",
        agent: int = 0,
        sub: int = 0,
        receipt_store: ReceiptStore | None = None,
        over_socket: bool = False,
        deployment: Deployment | None = None,
        listed: ListedUnits | None = None,
        patience: float = 0.0,
        clock_skew: float = SKEW,
    ) -> None:
        super().__init__(
            url, signer, account=account, sub=sub, over_socket=over_socket, deployment=deployment, listed=listed
        )
        self._clock_skew = clock_skew
        self._agent = agent
        self._receipt_store = receipt_store
        self._patience = patience
        self._clock = ExchangeClock()
        self._chain_id = 0
        self._vault = b""
        self._account = 0
        self._nonces = Nonces()
        self._gives_way = False
        self._busy: set[int] = set()
        self.on_their_way: set[bytes] = set()
        """Records that were sent, and whose end is not known yet."""
        self.last_taken: SubmitResult | None = None
        """What became of the record that the exchange has taken last."""

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> SubmitResult:
        """Submit a signed record of 124 bytes, a bulk record with its pages.

        Raises Refusal: nothing was changed, and the next record has the same nonce, if no other was signed meanwhile.
        Raises Unavailable: "pending" where it was sent and nobody has told what became of it, which with a `patience`
        was asked for so long; any other reason: nothing was taken, and the nonce is given back in the same way. After
        "pending" only the same bytes (the error's `record`) may be submitted again, for they never count twice, and an
        exchange that keeps a history answers what became of them; `find` with the error's "nonce" looks it up, too.
        What is signed anew is another record: both may count. Raises ReceiptBroken, with what became of it, if the
        record was taken and its receipt is missing, wrong or worthless.
        """
        self.on_their_way.add(record)
        try:
            answer, result = await self._deliver(record, leg_pages)
        except Refusal as error:
            error.record = record
            _, account, nonce = records.get_head(record)
            if error.reason in _ASK_AGAIN:
                self._nonces.next = 0
            elif account == self._account and account:
                self._nonces.give_back(nonce)
            self.on_their_way.discard(record)
            raise
        except Unavailable as error:
            error.record = record
            if error.reason != "pending":
                _, account, nonce = records.get_head(record)
                if account == self._account and account:
                    self._nonces.give_back(nonce)
            self.on_their_way.discard(record)
            raise
        self.on_their_way.discard(record)
        self.last_taken = result
        taken = leg_pages[: int(answer.get("leg_pages", 0))]
        if self._receipt_store is None or answer.get("is_repeat"):
            return result
        try:
            return replace(result, signed=tuple(self._receipt_store.take([record, *taken], answer.get("receipts"))))
        except DataError as error:
            raise ReceiptBroken(error.detail, result) from None

    async def _deliver(self, record: bytes, leg_pages: Sequence[bytes]) -> tuple[Mapping[str, Any], SubmitResult]:
        """What is answered to a record: to the same bytes again, while there is patience and nothing is."""
        payload, until = encode_record(record, leg_pages), time.monotonic() + self._patience
        send, is_lost = self._post_record, False
        while True:
            try:
                async with asyncio.timeout(max(until - time.monotonic(), RESEND) if self._patience else None):
                    answer = await send(payload)
                return answer, _read_result(record, answer)
            except (Unavailable, TimeoutError) as error:
                why = _why(error)
                is_told = isinstance(error, Unavailable) and (error.is_unsent or not error.is_without_answer)
                is_lost |= not is_told
                is_later = isinstance(error, Unavailable) and not error.is_without_answer
                if not is_lost and (is_later or time.monotonic() >= until):
                    raise
            except Refusal as error:
                if not is_lost or error.reason not in _USED:
                    raise
                self._nonces.next = 0
                why = "it was taken, as it seems, and this exchange does not say what became of it"
                break
            if (left := until - time.monotonic()) <= 0:
                break
            await asyncio.sleep(min(RESEND, left))
            send = self._post_over_http
        raise self._make_pending(record, why)

    async def _post_over_http(self, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._request("POST", "/v1/records", limit=RECORD_BYTES, json=payload)

    def _make_pending(self, record: bytes, why: str) -> Unavailable:
        """The error of a record that was sent and may count: whoever signed it anew might have it twice."""
        text, numbers = f"{why}; whether the record was taken is unknown", {"record": "0x" + record.hex()}
        _, account, nonce = records.get_head(record)
        if account == self._account and account:  # a crank and a report have none
            text, numbers = f"{text}: find it by its nonce, {nonce}", {"nonce": str(nonce), **numbers}
        return Unavailable("pending", text, numbers)

    async def now(self) -> int:
        """The exchange's time, unix seconds: L1's, by which orders expire, in bounds of this machine's clock. Raises
        DataError where it is farther from that."""
        told = await super().now()
        await self._load_domain()
        check_clock(told, self._chain_id, self._clock_skew)
        return told

    def sign(self, body: bytes) -> bytes:
        """The 124-byte record of a 60-byte body; the exchange's domain is known once anything was sent."""
        return body + self._own_signer().sign(self._chain_id, self._vault, body)

    async def load(self) -> int:
        """The account traded for; with it domain, nonce and order slots are read if they are not known.

        Raises Refusal("not_found") before the first deposit has arrived, Refusal("bad_signature") for an agent whom the
        account does not name now.
        """
        await self._load_domain()
        if not self._account or not self._nonces.next:
            shown = await self.account()
            with reading("the account"):
                account = int(shown["account"])
                self._check_account(account, shown)
                self._nonces.next = max(self._nonces.next, int(self._find_key(shown)["next_nonce"]))
                self._busy |= {int(order["order_slot"]) for order in shown["orders"]}
            self._account = account
        return self._account

    def _check_account(self, account: int, shown: Mapping[str, Any]) -> None:
        """Whether it is the one that was asked for: what is signed counts for the account whose number is in it.

        Raises DataError.
        """
        wanted = self._name or "0x" + self._own_signer().address.hex()
        if wanted.isdecimal():
            is_asked = keys.get_master(account) == keys.get_master(int(wanted))
            sub = self._sub or keys.get_sub(int(wanted))
        else:
            is_asked = str(shown["owner"]).lower().removeprefix("0x") == wanted.lower().removeprefix("0x")
            sub = self._sub
        if not is_asked or keys.get_sub(account) != sub or self._account not in (0, account):
            raise DataError("data_mismatch", f"{self._own_name()} was asked for, and account {account} is shown")

    def _find_key(self, shown: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the exchange shows of the key that signs: the owner's is the account's own."""
        if not self._agent:
            return shown
        for agent in shown["agents"]:
            if agent["agent"] == self._agent:
                self._gives_way = bool(agent["subs"])
                return cast("Mapping[str, Any]", agent)
        raise Refusal("bad_signature", f"account {shown['master']} has no agent {self._agent} who may trade now")

    async def read_domain(self) -> bytes:
        """The EIP-712 domain separator that is signed for, 32 bytes. Raises DataError where the deployment file names
        another."""
        await self._load_domain()
        return eip712.domain_separator(self._chain_id, self._vault)

    async def _ask_domain(self) -> tuple[int, bytes]:
        info = await self.info()
        with reading("what the exchange says of itself"):
            return int(info["chain_id"]), bytes.fromhex(info["vault"].removeprefix("0x"))

    async def _load_domain(self) -> None:
        if not self._vault:
            chain_id, vault = await self._ask_domain()
            known = self._deployment
            if known is not None and (known.chain_id, known.vault_bytes) != (chain_id, vault):
                text = f"the deployment file names chain {known.chain_id} and vault {known.vault}"
                text += f", the exchange chain {chain_id} and vault 0x{vault.hex()}: nothing is signed for it"
                raise DataError("wrong_deployment", text)
            self._chain_id, self._vault = chain_id, vault

    async def _signed(self, name: str, *fields: int | bytes) -> bytes:
        """The account's next record, of the signed type `name`."""
        if self._agent and SIGNED[name].fields[-1].name != "agent":
            raise InputError("bad_signature", "an agent trades; money and keys are the owner's")
        account, nonce = await self.load(), self._nonces.take()
        try:
            body = make_body(name, account, nonce, self._agent, *fields)
        except InputError:
            self._nonces.give_back(nonce)
            raise
        return self.sign(body)
