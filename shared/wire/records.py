"""Records as the JSON of the API: what a client sends is the typed data it signed, in any of the usual spellings.

    {"typed": {"type": "Order", "message": {"account": 1, …}}, "signature": "0x…"}
    {"typed": {"type": "Bulk", "message": {…}}, "signature": "0x…", "leg_pages": ["0x…", …]}  those it signs, 124 bytes
    {"typed": {"type": "Crank", "message": {"market": 1}}}                                    anybody's, not signed

`primaryType` may stand for `type`; `domain` and `types` may be there, as wallets have them. Integers are JSON numbers
or, since JavaScript's end at 2^53, decimal strings; addresses and hashes are hexadecimal. A signature has 65 bytes
(r, s, v) or 64 (EIP-2098).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from setoff.shared.codec import eip712, records
from setoff.shared.errors import InputError
from setoff.shared.wire.leg_pages import check_leg_pages
from setoff.shared.wire.members import get_member, read_bytes, read_integer, refuse_others
from setoff.shared.wire.signing import check_domain, parse_signature

SIGNED: Final = {kind.name: kind for kind in records.SIGNED.values()}
"""The signed types by the name in `typed.type`."""

_CRANK: Final = records.TYPES[records.CRANK].name
_MARKET: Final = records.TYPES[records.CRANK].fields[-1]
_TYPED_MEMBERS: Final = {"type", "primaryType", "message", "domain", "types"}
_EXACT: Final = 2**53
"""Where a JSON number ends in JavaScript."""


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
    refuse_others(payload, {"typed", "signature"}, "the request")
    typed = get_member(payload, "typed", dict)
    refuse_others(typed, _TYPED_MEMBERS, "typed")
    name = typed.get("type", typed.get("primaryType"))
    if name == _CRANK:
        return _decode_crank(payload, typed)
    kind = SIGNED.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InputError("missing_field", f"typed.type is one of {', '.join(SIGNED)}, {_CRANK}")
    if "domain" in typed:
        check_domain(get_member(typed, "domain", dict), chain_id, vault)
    message = get_member(typed, "message", dict)
    refuse_others(message, {field.name for field in kind.fields}, "message")
    values = [(read_bytes if field.is_bytes else read_integer)(message, field) for field in kind.fields]
    return records.encode(kind.body(*values)) + parse_signature(get_member(payload, "signature", str))


def encode_body(name: str, values: Sequence[int | bytes]) -> bytes:
    """The 60-byte body of a signed type from its fields in order. Raises InputError for one beyond its width."""
    kind = SIGNED[name]
    for field, value in zip(kind.fields, values, strict=True):
        if not field.is_bytes:
            read_integer({field.name: value}, field)
    return records.encode(kind.body(*values))


def encode_crank(market: int) -> bytes:
    """The crank of a market. Raises InputError("unknown_market") for a number that no market can have."""
    return records.encode_crank(read_integer({_MARKET.name: market}, _MARKET))


def encode_record(record: bytes, leg_pages: Sequence[bytes] = ()) -> dict[str, Any]:
    """The request that submits a 124-byte record (and its pages): the inverse of `decode_request`, without a domain."""
    if record[0] == records.CRANK:
        return {"typed": {"type": _CRANK, "message": {"market": records.decode_crank(record).market}}}
    typed = eip712.typed_data(0, bytes(20), record[: records.BODY_BYTES])
    message = {
        name: str(value) if isinstance(value, int) and value >= _EXACT else value
        for name, value in typed["message"].items()
    }
    payload: dict[str, Any] = {
        "typed": {"type": typed["primaryType"], "message": message},
        "signature": "0x" + record[records.BODY_BYTES :].hex(),
    }
    if leg_pages:
        payload["leg_pages"] = ["0x" + leg_page.hex() for leg_page in leg_pages]
    return payload


def _decode_crank(payload: dict[str, Any], typed: dict[str, Any]) -> bytes:
    """A crank has neither account nor signature."""
    refuse_others(payload, {"typed"}, "a crank's request")
    message = get_member(typed, "message", dict)
    refuse_others(message, {_MARKET.name}, "message")
    return records.encode_crank(read_integer(message, _MARKET))


def _leg_pages(payload: dict[str, Any]) -> tuple[bytes, ...]:
    """The member `leg_pages`, if there is one."""
    if "leg_pages" not in payload:
        return ()
    try:
        return tuple(bytes.fromhex(leg_page.removeprefix("0x")) for leg_page in get_member(payload, "leg_pages", list))
    except (AttributeError, ValueError):
        raise InputError("missing_field", "'leg_pages' is a list of leg pages in hexadecimal") from None
