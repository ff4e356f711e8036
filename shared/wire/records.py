"""Records as the JSON of the API: what a client sends is the typed data it signed, in any of the usual spellings.

    {"typed": {"type": "Order", "message": {"account": 1, …}}, "signature": "0x…"}
    {"typed": {"type": "Bulk", "message": {…}}, "signature": "0x…", "leg_pages": ["0x…", …]}  those it signs, 124 bytes
    {"typed": {"type": "Crank", "message": {"market": 1}}}                                    anybody's, not signed

`primaryType` may stand for `type`; `domain` and `types` may be there, as wallets have them. Integers are JSON numbers
or, since JavaScript's end at 2^53, decimal strings; addresses and hashes are hexadecimal. A signature has 65 bytes
(r, s, v) or 64 (EIP-2098).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.errors import InputError
from setoff.shared.rules import phases

CRANK: Final = "Crank"


class Field(NamedTuple):
    """A member of a signed message: its width in bits, and the reason that refuses a number beyond it.

    `is_bytes`: it is so many bits of hexadecimal text.
    """

    name: str
    bits: int
    reason: str = "malformed_record"
    is_bytes: bool = False


class Shape(NamedTuple):
    """A signed type: its number as a record, its fields in order, and how they become a 60-byte body."""

    kind: int
    fields: tuple[Field, ...]
    encode: Callable[..., bytes]


_ACCOUNT: Final = Field("account", 32, "unknown_account")
_NONCE: Final = Field("nonce", 64)
_MARKET: Final = Field("market", 16, "unknown_market")
_ORDER_SLOT: Final = Field("order_slot", 16, "order_slot_out_of_range")
_PRICE: Final = Field("price", 32, "price_out_of_range")
_SIZE: Final = Field("size", 64, "size_out_of_range")
_AMOUNT: Final = Field("amount", 128, "amount_out_of_range")
_CLIENT: Final = Field("client", 64)
_AGENT: Final = Field("agent", 8)

#: The signed types by name.
SHAPES: Final[dict[str, Shape]] = {
    "Order": Shape(
        records.ORDER,
        (
            _ACCOUNT,
            _NONCE,
            _MARKET,
            Field("side", 8),
            Field("flags", 8),
            _ORDER_SLOT,
            _PRICE,
            _SIZE,
            Field("expiry", 32),
            Field("trigger", 32),
            _CLIENT,
            _AGENT,
        ),
        lambda *v: records.encode_order(records.OrderBody(*v)),
    ),
    "Cancel": Shape(
        records.CANCEL,
        (_ACCOUNT, _NONCE, _ORDER_SLOT, _CLIENT, _AGENT),
        lambda *v: records.encode_cancel(records.CancelBody(*v)),
    ),
    "CancelAll": Shape(
        records.CANCEL_ALL,
        (_ACCOUNT, _NONCE, _AGENT),
        lambda *v: records.encode_cancel_all(records.CancelAllBody(*v)),
    ),
    "Amend": Shape(
        records.AMEND,
        (_ACCOUNT, _NONCE, _ORDER_SLOT, _PRICE, _SIZE, _AGENT),
        lambda *v: records.encode_amend(records.AmendBody(*v)),
    ),
    "ScheduleCancel": Shape(
        records.SCHEDULE_CANCEL,
        (_ACCOUNT, _NONCE, Field("deadline", 64), _AGENT),
        lambda *v: records.encode_schedule_cancel(records.ScheduleCancelBody(*v)),
    ),
    "SetAgent": Shape(
        records.SET_AGENT,
        (_ACCOUNT, _NONCE, _AGENT, Field("key", 160, is_bytes=True), Field("expiry", 64)),
        lambda *v: records.encode_set_agent(records.SetAgentBody(*v)),
    ),
    "Bulk": Shape(
        records.BULK,
        (_ACCOUNT, _NONCE, Field("leg_pages", 256, is_bytes=True), _AGENT),
        lambda *v: records.encode_bulk(records.BulkBody(*v)),
    ),
    "BackstopDeposit": Shape(
        records.BACKSTOP_DEPOSIT,
        (_ACCOUNT, _NONCE, _AMOUNT),
        lambda *v: records.encode_backstop_deposit(records.BackstopDepositBody(*v)),
    ),
    "BackstopWithdraw": Shape(
        records.BACKSTOP_WITHDRAW,
        (_ACCOUNT, _NONCE, Field("shares", 128, "amount_out_of_range")),
        lambda *v: records.encode_backstop_withdraw(records.BackstopWithdrawBody(*v)),
    ),
    "Transfer": Shape(
        records.TRANSFER,
        (_ACCOUNT, _NONCE, Field("peer", 32, "unknown_account"), _AMOUNT),
        lambda *v: records.encode_transfer(records.TransferBody(*v)),
    ),
    "Withdraw": Shape(
        records.WITHDRAW, (_ACCOUNT, _NONCE, _AMOUNT), lambda *v: records.encode_withdraw(records.WithdrawBody(*v))
    ),
    "Report": Shape(
        records.REPORT,
        (Field("signer", 32, "unknown_signer"), Field("time", 64, "future_report"), _MARKET, _PRICE),
        lambda *v: records.encode_report(records.ReportBody(*v)),
    ),
}

_TYPED_MEMBERS: Final = {"type", "primaryType", "message", "domain", "types"}


def make_leg_pages(legs: Sequence[Leg]) -> tuple[bytes, tuple[bytes, ...]]:
    """The pages of a bulk record's legs, 124 bytes each, in order; and before them the hash that it signs (32 bytes).

    Raises InputError("malformed_record") if there are no legs, or more than fit on phases.MAX_LEG_PAGES pages.
    """
    if not 1 <= len(legs) <= phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE:
        raise InputError(
            "malformed_record", f"a bulk record has 1 to {phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE} legs"
        )
    leg_pages: list[bytes] = []
    following = bytes(32)
    for start in reversed(range(0, len(legs), records.LEGS_PER_PAGE)):
        leg_pages.append(records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
        following = keccak(leg_pages[-1])
    return following, tuple(reversed(leg_pages))


def read_legs(leg_pages: Sequence[bytes]) -> list[Leg]:
    """The legs of a bulk record's pages, without the empty ones at the end."""
    packed = b"".join(leg_page[1 : 1 + records.LEGS_PER_PAGE * records.LEG_BYTES] for leg_page in leg_pages)
    legs = [
        records.decode_leg(int.from_bytes(packed[start : start + records.LEG_BYTES], "big"))
        for start in range(0, len(packed), records.LEG_BYTES)
    ]
    while legs and not any(legs[-1]):
        legs.pop()
    return legs


def check_leg_pages(record: bytes, leg_pages: Sequence[bytes]) -> None:
    """Check that these are the pages of a record: all that a bulk record signs, none for any other.

    Raises InputError("wrong_leg_page").
    """
    expected = records.decode_bulk(record).leg_pages if record[0] == records.BULK else bytes(32)
    if len(leg_pages) > phases.MAX_LEG_PAGES:
        raise InputError("wrong_leg_page", f"a bulk record has at most {phases.MAX_LEG_PAGES} pages here")
    start = 1 + records.LEGS_PER_PAGE * records.LEG_BYTES
    for number, leg_page in enumerate(leg_pages):
        if len(leg_page) != records.RECORD_BYTES or leg_page[0] != records.LEG_PAGE:
            raise InputError("wrong_leg_page", f"page {number} is no page of {records.RECORD_BYTES} bytes")
        if keccak(leg_page) != expected:
            raise InputError("wrong_leg_page", f"page {number} is not the one that the record or the page before names")
        expected = leg_page[start : start + 32]
    if expected != bytes(32):
        raise InputError("wrong_leg_page", f"a page that the record or page {len(leg_pages) - 1} names is missing")


def parse_json(data: bytes) -> dict[str, Any]:
    """The JSON object in a request's body. Raises InputError("malformed_json")."""
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InputError("malformed_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise InputError("malformed_json", "the body is not a JSON object")
    return value


def decode_request(payload: dict[str, Any], chain_id: int, vault: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The 124-byte record of a request, and the pages that belong to it if it is a bulk record.

    `chain_id` and `vault` are the ones this service signs for. Raises InputError with the reason of the first thing
    that is wrong.
    """
    leg_pages = _leg_pages(payload)
    record = decode_record({name: value for name, value in payload.items() if name != "leg_pages"}, chain_id, vault)
    check_leg_pages(record, leg_pages)
    return record, leg_pages


def decode_record(payload: dict[str, Any], chain_id: int, vault: bytes) -> bytes:
    """The 124-byte record of a request without pages; see `decode_request`."""
    _refuse_others(payload, {"typed", "signature"}, "the request")
    typed = _member(payload, "typed", dict)
    _refuse_others(typed, _TYPED_MEMBERS, "typed")
    name = typed.get("type", typed.get("primaryType"))
    if name == CRANK:
        return _decode_crank(payload, typed)
    shape = SHAPES.get(name) if isinstance(name, str) else None
    if shape is None:
        raise InputError("missing_field", f"typed.type is one of {', '.join(SHAPES)}, {CRANK}")
    if "domain" in typed:
        check_domain(_member(typed, "domain", dict), chain_id, vault)
    message = _member(typed, "message", dict)
    _refuse_others(message, {item.name for item in shape.fields}, "message")
    body = shape.encode(*[_bytes(message, item) if item.is_bytes else _integer(message, item) for item in shape.fields])
    return body + parse_signature(_member(payload, "signature", str))


def encode_body(name: str, values: Sequence[int | bytes]) -> bytes:
    """The 60-byte body of a signed type from its fields in order. Raises InputError for one beyond its width."""
    shape = SHAPES[name]
    for item, value in zip(shape.fields, values, strict=True):
        if not item.is_bytes:
            _integer({item.name: value}, item)
    return shape.encode(*values)


def encode_crank(market: int) -> bytes:
    """The crank of a market. Raises InputError("unknown_market") for a number that no market can have."""
    return records.encode_crank(_integer({_MARKET.name: market}, _MARKET))


def encode_record(record: bytes, leg_pages: Sequence[bytes] = ()) -> dict[str, Any]:
    """The request that submits a 124-byte record (and its pages): the inverse of `decode_request`, without a domain."""
    if record[0] == records.CRANK:
        return {"typed": {"type": CRANK, "message": {"market": records.decode_crank(record).market}}}
    typed = eip712.typed_data(0, bytes(20), record[: records.BODY_BYTES])
    message = {
        name: str(value) if isinstance(value, int) and value >= 2**53 else value
        for name, value in typed["message"].items()
    }
    payload: dict[str, Any] = {
        "typed": {"type": typed["primaryType"], "message": message},
        "signature": "0x" + record[records.BODY_BYTES :].hex(),
    }
    if leg_pages:
        payload["leg_pages"] = ["0x" + leg_page.hex() for leg_page in leg_pages]
    return payload


def check_domain(domain: dict[str, Any], chain_id: int, vault: bytes) -> None:
    """Check the domain that a client says it signed. Raises InputError("wrong_chain")."""
    theirs = domain.get("chainId", chain_id)
    try:
        theirs = int(theirs, 0) if isinstance(theirs, str) else theirs
    except ValueError:
        theirs = None
    if theirs != chain_id or isinstance(theirs, bool):
        raise InputError("wrong_chain", f"this exchange settles on chain {chain_id}")
    contract = domain.get("verifyingContract", "0x" + vault.hex())
    if not isinstance(contract, str) or contract.lower() != "0x" + vault.hex():
        raise InputError("wrong_chain", f"the verifying contract is the vault, 0x{vault.hex()}")
    if domain.get("name", eip712.NAME) != eip712.NAME or domain.get("version", eip712.VERSION) != eip712.VERSION:
        raise InputError("wrong_chain", f"the domain is {eip712.NAME}, version {eip712.VERSION}")


def parse_signature(text: str) -> bytes:
    """The compact form of a signature in hex. Raises InputError("bad_signature")."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InputError("bad_signature", "the signature is not hexadecimal") from None
    if len(raw) == records.SIGNATURE_BYTES:
        return raw
    if len(raw) != records.SIGNATURE_BYTES + 1 or raw[64] not in (0, 1, 27, 28):
        raise InputError("bad_signature", "a signature has 64 bytes, or 65 with v = 0, 1, 27 or 28")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    if not (0 < r < signatures.CURVE_ORDER and 0 < s < signatures.CURVE_ORDER):
        raise InputError("bad_signature", "r or s is not a number below the order of the curve")
    return signatures.compact(r, s, raw[64] % 27)


def _decode_crank(payload: dict[str, Any], typed: dict[str, Any]) -> bytes:
    """A crank has neither account nor signature."""
    _refuse_others(payload, {"typed"}, "a crank's request")
    message = _member(typed, "message", dict)
    _refuse_others(message, {_MARKET.name}, "message")
    return records.encode_crank(_integer(message, _MARKET))


def _leg_pages(payload: dict[str, Any]) -> tuple[bytes, ...]:
    """The member `leg_pages`, if there is one."""
    if "leg_pages" not in payload:
        return ()
    try:
        return tuple(bytes.fromhex(leg_page.removeprefix("0x")) for leg_page in _member(payload, "leg_pages", list))
    except (AttributeError, ValueError):
        raise InputError("missing_field", "'leg_pages' is a list of leg pages in hexadecimal") from None


def _bytes(message: dict[str, Any], item: Field) -> bytes:
    value = message.get(item.name)
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if len(data) * 8 != item.bits:
        raise InputError("missing_field", f"message.{item.name} is {item.bits // 8} bytes in hexadecimal")
    return data


def _integer(message: dict[str, Any], item: Field) -> int:
    value = message.get(item.name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 80:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("missing_field", f"message.{item.name} is an integer, as a number or a decimal string")
    if not 0 <= value < 1 << item.bits:
        raise InputError(item.reason, f"{item.name} is {value}, but has to be 0 to 2^{item.bits} - 1")
    return value


def _member(container: dict[str, Any], name: str, kind: type) -> Any:
    value = container.get(name)
    if not isinstance(value, kind):
        raise InputError("missing_field", f"'{name}' is missing or has the wrong type")
    return value


def _refuse_others(container: dict[str, Any], known: set[str], where: str) -> None:
    for name in container.keys() - known:
        raise InputError("malformed_json", f"{where} has no member '{name[:40]}'")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
