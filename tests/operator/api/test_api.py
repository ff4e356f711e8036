"""The HTTP interface: every bad input is refused with its reason, and changes nothing."""

import asyncio
import json
from typing import Any

import pytest
from tests.support.processes.running_operator import Running, operator

from setoff.deploy.simulation.sample_traffic import CHAIN_ID, START_TIME, VAULT, SampleTraffic, trader_key
from setoff.shared.codec import eip712, records
from setoff.shared.codec.records import (
    AmendBody,
    BackstopWithdrawBody,
    CancelBody,
    OrderBody,
    TransferBody,
    WithdrawBody,
)
from setoff.shared.codec.signatures import address_of
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import is_known_reason
from setoff.shared.rules import phases
from setoff.shared.wire.records import encode_record

BUY, SELL = records.BUY, records.SELL


def order(**changes: int) -> bytes:
    """A signed order that would be accepted but for `changes`."""
    fields = {"account": 1, "nonce": 7, "market": 1, "side": BUY, "flags": 0, "order_slot": 3, "price": 100, "size": 5}
    return SampleTraffic().sign(records.encode(OrderBody(**(fields | changes))), trader_key(1))


def request(**changes: Any) -> dict[str, Any]:
    """The JSON of a good order, with members of its message replaced (None: left out)."""
    payload = encode_record(order())
    message = payload["typed"]["message"] | changes
    payload["typed"]["message"] = {name: value for name, value in message.items() if value is not None}
    return payload


def sign(body: bytes, account: int = 1) -> dict[str, Any]:
    return encode_record(SampleTraffic().sign(body, trader_key(account)))


def with_domain(**domain: Any) -> dict[str, Any]:
    payload = encode_record(order())
    payload["typed"]["domain"] = domain
    return payload


def with_signature(signature: Any) -> dict[str, Any]:
    return encode_record(order()) | {"signature": signature}


GOOD = encode_record(order())
FORGED = encode_record(SampleTraffic().sign(order()[:60], trader_key(2)))
OTHER_CHAIN = encode_record(SampleTraffic(chain_id=1).sign(order()[:60], trader_key(1)))

LEGS = [records.Leg(0, 1, order_slot, 90, 1) for order_slot in range(12)]
BULK = SampleTraffic().bulk(1, LEGS)
AGENT = {"account": 1, "nonce": 7, "agent": 1, "expiry": 2**40}

BAD_JSON: list[tuple[str, Any, int, str]] = [
    ("empty object", {}, 400, "missing_field"),
    ("a list", [GOOD], 400, "malformed_json"),
    ("null", None, 400, "malformed_json"),
    ("no signature", {"typed": GOOD["typed"]}, 400, "missing_field"),
    ("no typed", {"signature": GOOD["signature"]}, 400, "missing_field"),
    ("unknown member", GOOD | {"extra": 1}, 400, "malformed_json"),
    ("unknown type", {**GOOD, "typed": GOOD["typed"] | {"type": "Loan"}}, 400, "missing_field"),
    ("type is a number", {**GOOD, "typed": GOOD["typed"] | {"type": 1}}, 400, "missing_field"),
    ("message is text", {**GOOD, "typed": GOOD["typed"] | {"message": "Order"}}, 400, "missing_field"),
    ("unknown member of the message", request(colour=1), 400, "malformed_json"),
    ("missing price", request(price=None), 400, "missing_field"),
    ("price is a fraction", request(price=1.5), 400, "missing_field"),
    ("price is true", request(price=True), 400, "missing_field"),
    ("price is text", request(price="cheap"), 400, "missing_field"),
    ("price is other digits", request(price="١٠٠"), 400, "missing_field"),
    ("size is a very long number", request(size="9" * 5000), 400, "missing_field"),
    ("negative size", request(size=-1), 422, "size_out_of_range"),
    ("huge size", request(size=2**64), 422, "size_out_of_range"),
    ("huge price", request(price=2**32), 422, "price_out_of_range"),
    ("negative price", request(price=-5), 422, "price_out_of_range"),
    ("huge order slot", request(order_slot=2**16), 422, "order_slot_out_of_range"),
    ("huge market", request(market=2**16), 422, "unknown_market"),
    ("huge account", request(account=2**32), 422, "unknown_account"),
    ("huge nonce", request(nonce=2**64), 422, "malformed_record"),
    ("side 256", request(side=256), 422, "malformed_record"),
    ("signature is not hex", with_signature("0xzz"), 422, "bad_signature"),
    ("signature is short", with_signature("0x1234"), 422, "bad_signature"),
    ("signature is empty", with_signature(""), 422, "bad_signature"),
    ("signature is a number", with_signature(5), 400, "missing_field"),
    ("signature is zero", with_signature("0x" + "00" * 64), 422, "bad_signature"),
    ("signature with v 29", with_signature(GOOD["signature"] + "1d"), 422, "bad_signature"),
    ("somebody else's signature", FORGED, 422, "bad_signature"),
    ("signed for another chain", OTHER_CHAIN, 422, "bad_signature"),
    ("says another chain", with_domain(chainId=1), 400, "wrong_chain"),
    ("says another chain in hex", with_domain(chainId="0x1"), 400, "wrong_chain"),
    ("says no chain at all", with_domain(chainId="main"), 400, "wrong_chain"),
    ("says another vault", with_domain(chainId=CHAIN_ID, verifyingContract="0x" + "22" * 20), 400, "wrong_chain"),
    ("says another name", with_domain(name="Netting"), 400, "wrong_chain"),
    ("domain is a list", {**GOOD, "typed": GOOD["typed"] | {"domain": []}}, 400, "missing_field"),
    ("unknown account", encode_record(order(account=99)), 422, "unknown_account"),
    ("account 0", encode_record(order(account=0)), 422, "unknown_account"),
    ("unknown market", encode_record(order(market=2)), 422, "unknown_market"),
    ("market 0", encode_record(order(market=0)), 422, "unknown_market"),
    ("side 2", encode_record(order(side=2)), 422, "malformed_record"),
    ("fill or kill of what is not there", encode_record(order(flags=3)), 422, "unfillable"),
    ("two self-trade rules", encode_record(order(flags=24)), 422, "malformed_record"),
    ("armed without a trigger", encode_record(order(flags=32)), 422, "malformed_record"),
    ("triggered at once", encode_record(order(flags=64, trigger=150)), 422, "would_trigger"),
    ("nothing to reduce", encode_record(order(flags=4)), 422, "not_reducing"),
    ("expired", encode_record(order(expiry=5)), 422, "order_expired"),
    ("unknown agent", encode_record(order(agent=9)), 422, "malformed_record"),
    ("nobody's agent", encode_record(order(agent=1)), 422, "bad_signature"),
    ("crank too early", encode_record(records.encode_crank(1)), 422, "not_due"),
    ("crank of no market", encode_record(records.encode_crank(2)), 422, "unknown_market"),
    ("signed crank", encode_record(records.encode_crank(1)) | {"signature": "0x"}, 400, "malformed_json"),
    ("bulk without pages", encode_record(BULK[0]), 422, "wrong_leg_page"),
    ("bulk without its last page", encode_record(BULK[0], BULK[1:-1]), 422, "wrong_leg_page"),
    ("bulk with a page too many", encode_record(BULK[0], (*BULK[1:], BULK[1])), 422, "wrong_leg_page"),
    ("order with a page", encode_record(order(), BULK[1:]), 422, "wrong_leg_page"),
    ("pages are text", encode_record(BULK[0]) | {"leg_pages": "0x"}, 400, "missing_field"),
    ("a page is not hex", encode_record(BULK[0]) | {"leg_pages": ["0xzz"]}, 400, "missing_field"),
    (
        "key of an agent is short",
        {**GOOD, "typed": {"type": "SetAgent", "message": AGENT | {"key": "0x12"}}},
        400,
        "missing_field",
    ),
    (
        "too many shares",
        sign(records.encode(BackstopWithdrawBody(1, 7, 5))),
        422,
        "insufficient_margin",
    ),
    ("amend of nothing", sign(records.encode(AmendBody(1, 7, 9, 100, 1))), 422, "unknown_order"),
    ("zero size", encode_record(order(size=0)), 422, "size_out_of_range"),
    ("size above the limit", encode_record(order(size=phases.MAX_ORDER_SIZE + 1)), 422, "size_out_of_range"),
    ("more than it has", sign(records.encode(TransferBody(1, 7, 2, 10**13))), 422, "insufficient_margin"),
    ("zero price", encode_record(order(price=0)), 422, "price_out_of_range"),
    ("price above the highest tick", encode_record(order(price=2**24)), 422, "price_out_of_range"),
    ("price outside the band", encode_record(order(price=201)), 422, "price_band"),
    ("order slot above the limit", encode_record(order(order_slot=256)), 422, "order_slot_out_of_range"),
    ("cancel of nothing", sign(records.encode(CancelBody(1, 7, 9))), 422, "unknown_order"),
    ("transfer to oneself", sign(records.encode(TransferBody(1, 7, 1, 5))), 422, "same_account"),
    ("transfer to nobody", sign(records.encode(TransferBody(1, 7, 50, 5))), 422, "unknown_account"),
    ("transfer of nothing", sign(records.encode(TransferBody(1, 7, 2, 0))), 422, "amount_out_of_range"),
    (
        "transfer of too much",
        sign(records.encode(TransferBody(1, 7, 2, 2**96 - 1))),
        422,
        "insufficient_margin",
    ),
    ("withdrawal of nothing", sign(records.encode(WithdrawBody(1, 7, 0))), 422, "amount_out_of_range"),
    ("withdrawal of too much", sign(records.encode(WithdrawBody(1, 7, 2**127))), 422, "amount_out_of_range"),
    ("report of a stranger", encode_record(SampleTraffic().report(1, 100)), 422, "unknown_signer"),
    ("report of the past", encode_record(SampleTraffic().report(0, 100, time=5)), 422, "stale_report"),
    ("report of the future", encode_record(SampleTraffic().report(0, 100, time=2**63)), 422, "future_report"),
    ("report at no price", encode_record(SampleTraffic().report(0, 0)), 422, "price_out_of_range"),
]

BAD_BYTES: list[tuple[str, bytes, int, str]] = [
    ("nothing", b"", 400, "malformed_json"),
    ("not JSON", b"{", 400, "malformed_json"),
    ("not UTF-8", b'{"typed": "\xff"}', 400, "malformed_json"),
    ("not a number", b'{"typed": NaN}', 400, "malformed_json"),
    ("very deep", b"[" * 50_000, 400, "malformed_json"),
    ("very long number", b'{"typed": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
    ("too large", json.dumps(GOOD | {"pad": "x" * 70_000}).encode(), 413, "body_too_large"),
]


async def check_refused(
    exchange: Running, answer: tuple[int, Any], before: dict[str, Any], code: int, reason: str
) -> None:
    status, body = answer
    assert (status, body.get("reason")) == (code, reason), body
    assert {"reason", "detail"} <= body.keys() <= {"reason", "detail", "numbers"} and body["detail"]
    assert body["detail"] != "the machine refuses the record", body
    assert is_known_reason(reason)
    after = await exchange.status()
    for name in ("machine", "records", "batch", "open_inputs", "commit"):
        assert after[name] == before[name], name


async def test_refuses_bad_requests_and_changes_nothing(exchange: Running) -> None:
    before = await exchange.status()
    for name, payload, code, reason in BAD_JSON:
        try:
            await check_refused(exchange, await exchange.post(payload), before, code, reason)
        except AssertionError as error:
            raise AssertionError(name) from error
    for name, data, code, reason in BAD_BYTES:
        try:
            await check_refused(exchange, await exchange.post(data=data), before, code, reason)
        except AssertionError as error:
            raise AssertionError(name) from error
    status, answer = await exchange.post(GOOD)
    assert status == 200 and answer["sequence"] == before["records"]


async def test_refuses_a_replayed_nonce(exchange: Running) -> None:
    assert (await exchange.post(GOOD))[0] == 200
    before = await exchange.status()
    await check_refused(exchange, await exchange.post(GOOD), before, 422, "nonce_used")
    other = encode_record(order(order_slot=4, size=1))
    await check_refused(exchange, await exchange.post(other), before, 422, "nonce_used")
    far = encode_record(order(nonce=2**40, order_slot=5))
    await check_refused(exchange, await exchange.post(far), before, 422, "nonce_too_far")
    old = encode_record(order(nonce=2**16, order_slot=5))
    assert (await exchange.post(old))[0] == 200
    before = await exchange.status()
    await check_refused(
        exchange, await exchange.post(encode_record(order(nonce=8, order_slot=6))), before, 422, "nonce_too_old"
    )


async def test_a_refused_first_record_opens_no_batch(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.02) as exchange:
        before = await exchange.status()
        while before["batch"] == 0 or before != await exchange.status():
            await asyncio.sleep(0.1)
            before = await exchange.status()
        exchange.l1.time += 100
        refused = await exchange.post(encode_record(order(size=0)))
        await check_refused(exchange, refused, before, 422, "size_out_of_range")


async def test_takes_both_forms_of_a_signature(exchange: Running) -> None:
    for nonce, v in ((7, 27), (8, 0)):
        record = order(nonce=nonce, order_slot=nonce)
        word = int.from_bytes(record[92:], "big")
        s, parity = word & (2**255 - 1), word >> 255
        long = record[60:92] + s.to_bytes(32, "big") + bytes([parity + v])
        payload = encode_record(record) | {"signature": "0x" + long.hex()}
        assert (await exchange.post(payload))[0] == 200


async def test_takes_what_a_wallet_signs(exchange: Running) -> None:
    """The whole typed data, as eth_signTypedData_v4 has it, with the exchange's domain."""
    record = order()
    typed = eip712.typed_data(CHAIN_ID, VAULT, record[:60])
    status, answer = await exchange.post({"typed": typed, "signature": record[60:].hex()})
    assert status == 200, answer


async def test_trades_and_shows_it(exchange: Running) -> None:
    traffic = exchange.traffic
    status, resting = await exchange.submit(traffic.order(1, SELL, 101, 5))
    assert status == 200 and resting["resting"] == "5" and resting["fills"] == []
    status, taken = await exchange.submit(traffic.order(2, BUY, 102, 3))
    assert status == 200 and taken["resting"] == "0"
    assert taken["sequence"] == resting["sequence"] + 1 and taken["input_index"] == resting["input_index"] + 1
    [fill] = taken["fills"]
    assert (fill["price"], fill["size"], fill["taker"], fill["maker"], fill["side"]) == (101, "3", 2, 1, "buy")

    assert (await exchange.get("/v1/book/1"))[1] == {
        "market": 1,
        "symbol": "M1-PERP",
        "time": START_TIME,
        "time_ms": START_TIME * 1000,
        "bids": [],
        "asks": [{"price": 101, "size": "2", "orders": 1, "decimal": {"price": "0.00101", "size": "2"}}],
    }
    _, seller = await exchange.get("/v1/accounts/1")
    assert seller["positions"][0]["size"] == "-3" and seller["positions"][0]["asks"] == "2"
    assert [o["size"] for o in seller["orders"]] == ["2"]
    _, buyer = await exchange.get(f"/v1/accounts/0x{address_of(trader_key(2)).hex()}")
    assert buyer["account"] == 2 and buyer["positions"][0]["size"] == "3" and buyer["next_nonce"] == "2"
    assert (await exchange.get("/v1/fills"))[1]["fills"] == [fill]
    assert (await exchange.get("/v1/fills?account=3"))[1]["fills"] == []
    assert (await exchange.get(f"/v1/fills?after={fill['fill']}"))[1]["fills"] == []
    assert (await exchange.get("/v1/orders/1"))[1]["orders"] == seller["orders"]
    _, info = await exchange.get("/v1/info")
    assert info["chain_id"] == CHAIN_ID and info["vault"] == "0x" + VAULT.hex()
    assert (info["block"], info["block_hash"]) == (0, "0x" + 64 * "0")  # as the deployment file has them
    assert [market["market"] for market in info["markets"]] == [1]
    assert (await exchange.get("/v1/health"))[0] == 200


async def test_book_lists_the_best_levels_first(exchange: Running) -> None:
    traffic = exchange.traffic
    for price in (90, 99, 70, 98, 99):
        assert (await exchange.submit(traffic.order(1, BUY, price, 2)))[0] == 200
    for price in (130, 101, 180):
        assert (await exchange.submit(traffic.order(2, SELL, price, 1)))[0] == 200
    _, book = await exchange.get("/v1/book/1?depth=3")
    assert [(level["price"], level["size"], level["orders"]) for level in book["bids"]] == [
        (99, "4", 2),
        (98, "2", 1),
        (90, "2", 1),
    ]
    assert [level["price"] for level in book["asks"]] == [101, 130, 180]


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("/v1/book/2", 404, "not_found"),
        ("/v1/book/x", 404, "not_found"),
        ("/v1/book/x-", 400, "missing_field"),
        ("/v1/book/1?debth=3", 400, "missing_field"),
        ("/v1/book/1?depth=3&depth=4", 400, "missing_field"),
        ("/v1/book/1?depth=many", 400, "missing_field"),
        ("/v1/accounts/4", 404, "not_found"),
        ("/v1/accounts/0", 404, "not_found"),
        ("/v1/accounts/0x12", 400, "missing_field"),
        ("/v1/accounts/0x" + "12" * 20, 404, "not_found"),
        ("/v1/accounts/0xzz", 400, "missing_field"),
        ("/v1/accounts/-1", 400, "missing_field"),
        ("/v1/orders/9", 404, "not_found"),
        ("/v1/batches/7", 404, "not_found"),
        ("/v1/batches/99999999999999999999", 400, "missing_field"),
        ("/v1/withdrawals/0", 404, "not_found"),
        ("/v1/fills?account=77", 404, "not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/ws?channels=secrets", 400, "missing_field"),
    ],
)
async def test_refuses_bad_reads(exchange: Running, path: str, code: int, reason: str) -> None:
    status, answer = await exchange.get(path)
    assert (status, answer["reason"]) == (code, reason)


async def test_refuses_other_methods(exchange: Running) -> None:
    async with exchange.http.delete(exchange.url + "/v1/records") as response:
        assert response.status == 405 and (await response.json())["reason"] == "not_found"


async def test_takes_many_records_as_bytes(exchange: Running) -> None:
    async def post(data: bytes) -> tuple[int, Any]:
        async with exchange.http.post(f"{exchange.url}/v1/records/bulk", data=data) as response:
            return response.status, await response.json()

    traffic = exchange.traffic
    good = [traffic.order(1, BUY, 99, 1), traffic.order(2, SELL, 101, 1)]
    bad = traffic.order(3, BUY, 99, 0)
    status, answer = await post(good[0] + bad + good[1] + good[0])
    assert status == 200
    first, refused, second, again = answer["results"]
    assert second["sequence"] == first["sequence"] + 1
    assert refused["reason"] == "size_out_of_range" and again["reason"] == "nonce_used"
    for data in (b"", good[0][:-1], good[0] * 257):
        status, answer = await post(data)
        assert (status, answer["reason"]) == (422, "malformed_record")


async def test_pushes_what_happens(exchange: Running) -> None:
    traffic = exchange.traffic
    async with exchange.http.ws_connect(exchange.url + "/ws?channels=fills,records") as socket:
        await exchange.submit(traffic.order(1, SELL, 101, 5))
        _, taken = await exchange.submit(traffic.order(2, BUY, 101, 5))
        told = [await socket.receive_json(timeout=5) for _ in range(3)]
    assert [message["channel"] for message in told] == ["records", "records", "fills"]
    del taken["receipts"]  # are for who sent the record
    assert told[1]["data"] == taken and told[2]["data"] == taken["fills"][0]
