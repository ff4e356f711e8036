"""Records as the JSON of the API: what a client sends is the typed data it signed, in any of the usual spellings.

    {"typed": {"type": "Order", "message": {"account": 1, …}}, "signature": "0x…"}

`primaryType` may stand for `type`; `domain` and `types` may be there, as wallets have them. Integers are JSON numbers
or, since JavaScript's end at 2^53, decimal strings. A signature has 65 bytes (r, s, v) or 64 (EIP-2098).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.errors import InputError


class Field(NamedTuple):
    """A member of a signed message: its width in bits, and the reason that refuses a number beyond it."""

    name: str
    bits: int
    reason: str


class Shape(NamedTuple):
    """A signed type: its number as a record, its fields in order, and how they become a 60-byte body."""

    kind: int
    fields: tuple[Field, ...]
    encode: Callable[..., bytes]


_ACCOUNT: Final = Field("account", 32, "unknown_account")
_NONCE: Final = Field("nonce", 64, "malformed_record")
_MARKET: Final = Field("market", 16, "unknown_market")
_SLOT: Final = Field("slot", 16, "slot_out_of_range")
_PRICE: Final = Field("price", 32, "price_out_of_range")
_AMOUNT: Final = Field("amount", 128, "amount_out_of_range")

#: The signed types by name.
SHAPES: Final[dict[str, Shape]] = {
    "Order": Shape(
        records.ORDER,
        (
            _ACCOUNT,
            _NONCE,
            _MARKET,
            Field("side", 8, "malformed_record"),
            Field("flags", 8, "malformed_record"),
            _SLOT,
            _PRICE,
            Field("size", 64, "size_out_of_range"),
        ),
        lambda *v: records.encode_order(records.OrderBody(*v)),
    ),
    "Cancel": Shape(
        records.CANCEL, (_ACCOUNT, _NONCE, _SLOT), lambda *v: records.encode_cancel(records.CancelBody(*v))
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


def parse_json(data: bytes) -> dict[str, Any]:
    """The JSON object in a request's body. Raises InputError("malformed_json")."""
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InputError("malformed_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise InputError("malformed_json", "the body is not a JSON object")
    return value


def decode_record(payload: dict[str, Any], chain_id: int, vault: bytes) -> bytes:
    """The 124-byte record of a request; `chain_id` and `vault` are the ones this service signs for.

    Raises InputError with the reason of the first thing that is wrong.
    """
    _refuse_others(payload, {"typed", "signature"}, "the request")
    typed = _member(payload, "typed", dict)
    _refuse_others(typed, _TYPED_MEMBERS, "typed")
    name = typed.get("type", typed.get("primaryType"))
    shape = SHAPES.get(name) if isinstance(name, str) else None
    if shape is None:
        raise InputError("missing_field", f"typed.type is one of {', '.join(SHAPES)}")
    if "domain" in typed:
        check_domain(_member(typed, "domain", dict), chain_id, vault)
    message = _member(typed, "message", dict)
    _refuse_others(message, {item.name for item in shape.fields}, "message")
    body = shape.encode(*[_integer(message, item) for item in shape.fields])
    return body + parse_signature(_member(payload, "signature", str))


def encode_record(record: bytes) -> dict[str, Any]:
    """The request that submits a 124-byte record: the inverse of `decode_record`, without a domain."""
    typed = eip712.typed_data(0, bytes(20), record[: records.BODY_BYTES])
    message = {name: value if value < 2**53 else str(value) for name, value in typed["message"].items()}
    return {
        "typed": {"type": typed["primaryType"], "message": message},
        "signature": "0x" + record[records.BODY_BYTES :].hex(),
    }


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


def _integer(message: dict[str, Any], item: Field) -> int:
    value = message.get(item.name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 80:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("missing_field", f"message.{item.name} is an integer, as a number or a decimal string")
    if not 0 <= value < 1 << item.bits:
        raise InputError(item.reason, f"message.{item.name} is beyond {item.bits} bits")
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
