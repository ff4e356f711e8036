"""What was signed and did not count: its nonce is given back; and what nobody answered: the same bytes again."""

from collections.abc import Callable
from typing import Any

import pytest

from setoff.shared.codec import records
from setoff.shared.codec.records import ABOVE, BUY, FOK, GTC, IOC
from setoff.shared.sdk import KeySigner, Refusal, SetoffClient, Unavailable
from setoff.shared.sdk.orders import AT_ONCE
from setoff.shared.wire.records import decode_record

SIGNER = KeySigner(b"\x07" * 32)
TAKEN = {"sequence": 1, "batch": 0, "input_index": 0, "resting": "5", "fills": [], "outcome": "accepted"}
NOW = 1_800_000_000


class Exchange(SetoffClient):
    """One that answers by a script: errors are raised, the last answer comes for ever."""

    def __init__(self, *script: Any, **options: Any) -> None:
        super().__init__("", SIGNER, clock_skew=1e9, **options)
        self.script = list(script)
        self.sent: list[bytes] = []
        self.clock = NOW

    async def _get(self, path: str, **query: int | str) -> Any:
        if path == "/v1/info":
            return {"chain_id": 1, "vault": "0x" + "5" * 40}
        if path == "/v1/status":
            return {"l1_time": self.clock}
        return {"account": 7, "owner": "0x" + SIGNER.address.hex(), "next_nonce": "5", "orders": [], "agents": []}

    async def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        self.sent.append(decode_record(options["json"], 1, b"\x55" * 20))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    def seen(self, what: Callable[[Any], Any] = lambda order: order.nonce) -> list[Any]:
        return [what(records.decode_order(record)) for record in self.sent]


async def test_a_refused_order_and_the_next_have_one_nonce() -> None:
    client = Exchange(Refusal("insufficient_margin"), TAKEN, TAKEN)
    with pytest.raises(Refusal):
        await client.place(1, BUY, 100, 5)
    await client.place(1, BUY, 90, 5)
    await client.place(1, BUY, 80, 5)
    assert client.seen() == [5, 5, 6]


async def test_a_nonce_that_another_record_followed_is_not_taken_again() -> None:
    client = Exchange(Refusal("insufficient_margin"), TAKEN)
    await client.load()
    nonces = client._nonces
    first, second = nonces.take(), nonces.take()
    nonces.give_back(first)
    assert (first, second, nonces.take()) == (5, 6, 7)


async def test_another_order_slot_is_tried_under_the_same_nonce() -> None:
    client = Exchange(Refusal("order_slot_taken"), Refusal("order_slot_taken"), TAKEN)
    await client.place(1, BUY, 100, 5)
    await client.place(1, BUY, 100, 5)
    assert client.seen(lambda order: (order.nonce, order.order_slot)) == [(5, 0), (5, 1), (5, 2), (6, 3)]
    named = Exchange(Refusal("order_slot_taken"))
    with pytest.raises(Refusal):
        await named.place(1, BUY, 100, 5, order_slot=9)
    assert named.seen() == [5]


@pytest.mark.parametrize(
    ("flags", "expiry", "signed"),
    [(IOC, 0, NOW + AT_ONCE), (FOK, 0, NOW + AT_ONCE), (GTC, 0, 0), (IOC, 17, 17), (IOC | ABOVE, 0, 0)],
)
async def test_an_order_that_is_to_trade_at_once_is_void_soon(flags: int, expiry: int, signed: int) -> None:
    client = Exchange(TAKEN)
    await client.place(1, BUY, 100, 5, flags, expiry=expiry, trigger=100 if flags & ABOVE else 0)
    assert client.seen(lambda order: order.expiry) == [signed]


async def test_a_clock_that_has_leapt_is_asked_again() -> None:
    client = Exchange(TAKEN, Refusal("order_expired"), TAKEN)
    await client.place(1, BUY, 100, 5, IOC)
    client.clock += 1000
    await client.place(1, BUY, 100, 5, IOC)
    assert client.seen(lambda order: order.expiry - NOW - AT_ONCE) == [0, 0, 1000]
    assert client.seen() == [5, 6, 6]


async def test_what_nobody_answers_is_sent_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.shared.sdk.submission.RESEND", 0.01)
    client = Exchange(Unavailable("not_ready"), Unavailable("overloaded"), TAKEN | {"is_repeat": True}, patience=5.0)
    assert (await client.place(1, BUY, 100, 5)).resting == 5
    assert len(client.sent) == 3 and len(set(client.sent)) == 1


@pytest.mark.parametrize("last", [Unavailable("not_ready"), Refusal("nonce_used")])
async def test_what_nobody_knows_of_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch, last: Exception) -> None:
    monkeypatch.setattr("setoff.shared.sdk.submission.RESEND", 0.01)
    client = Exchange(Unavailable("not_ready"), last, patience=0.1)
    with pytest.raises(Unavailable, match=r"^pending: .*unknown"):
        await client.place(1, BUY, 100, 5)
    assert len(set(client.sent)) == 1


MADE = Unavailable("not_ready", is_unsent=True)
"""Nothing was sent, or nothing taken."""


async def test_what_was_sent_and_not_answered_is_pending_without_patience_too() -> None:
    client = Exchange(Unavailable("not_ready"))
    with pytest.raises(Unavailable, match=r"^pending: .*find it by its nonce, 5") as told:
        await client.place(1, BUY, 100, 5)
    assert client.sent == [told.value.record] and not client.on_their_way
    assert told.value.numbers == {"nonce": "5", "record": "0x" + told.value.record.hex()}
    client.script = [TAKEN | {"is_repeat": True}]
    assert (await client.submit(told.value.record)).resting == 5
    assert client.sent == [told.value.record] * 2 and client.last_taken is not None


@pytest.mark.parametrize("answer", [{}, TAKEN | {"resting": "many"}, TAKEN | {"fills": [1]}, {"ok": True}])
async def test_an_answer_that_tells_nothing_is_none(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    monkeypatch.setattr("setoff.shared.sdk.submission.RESEND", 0.01)
    with pytest.raises(Unavailable, match=r"^pending: .*cannot be read"):
        await Exchange(answer).place(1, BUY, 100, 5)
    client = Exchange(answer, TAKEN | {"is_repeat": True}, patience=5.0)
    assert (await client.place(1, BUY, 100, 5)).resting == 5
    assert len(client.sent) == 2 and len(set(client.sent)) == 1


@pytest.mark.parametrize("nothing_taken", [MADE, Unavailable("paced"), Unavailable("overloaded")])
async def test_what_was_not_taken_and_the_next_have_one_nonce(nothing_taken: Unavailable) -> None:
    client = Exchange(nothing_taken, TAKEN)
    with pytest.raises(Unavailable, match=nothing_taken.reason):
        await client.place(1, BUY, 100, 5)
    await client.place(1, BUY, 90, 5)
    assert client.seen() == [5, 5]


async def test_of_a_pair_that_is_half_there_that_is_said() -> None:
    client = Exchange(TAKEN, Unavailable("not_ready"))
    with pytest.raises(Unavailable, match=r"^pending: the order above stands in order slot 0: what became of the one"):
        await client.place_pair(1, BUY, 5, 110, 90)
    client = Exchange(TAKEN, Refusal("insufficient_margin"), Unavailable("not_ready"))
    with pytest.raises(Unavailable, match=r"^pending: the order above stands .* refused .* was not taken back"):
        await client.place_pair(1, BUY, 5, 110, 90)


async def test_a_withdrawal_whose_number_is_not_told_is_not_to_be_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("setoff.shared.sdk.money.LOST", 0.05)
    monkeypatch.setattr("setoff.shared.sdk.money.POLL_SECONDS", 0.01)
    client = Exchange(TAKEN)
    looks = iter(({"withdrawals": 0},))

    async def status() -> Any:
        if (shown := next(looks, None)) is None:
            raise Unavailable("not_ready")
        return shown

    monkeypatch.setattr(client, "status", status)
    with pytest.raises(Unavailable, match=r"^pending: the withdrawal was taken, as record 1") as told:
        await client.request_withdrawal(5)
    assert [told.value.record] == client.sent


async def test_what_an_exchange_does_not_take_now_is_not_sent_again() -> None:
    client = Exchange(Unavailable("paced"), patience=5.0)
    with pytest.raises(Unavailable, match="paced"):
        await client.place(1, BUY, 100, 5)
    assert len(client.sent) == 1
