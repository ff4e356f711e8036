"""Leaves of the state tree by name, and what is in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Final

from setoff.shared.errors import InputError
from setoff.shared.state import keys, leaves

MOST: Final = 20
"""Digits of a number in a name."""

_SIDES: Final = {"buy": 0, "sell": 1, "above": keys.ABOVE, "below": keys.BELOW}
DECODERS: Final[dict[int, Callable[[bytes], Any]]] = {
    keys.ACCOUNT: leaves.decode_account,
    keys.ORDER: leaves.decode_order,
    keys.LEVEL: leaves.decode_level,
    keys.BITMAP: leaves.decode_bitmap,
    keys.MARKET: leaves.decode_market,
    keys.ORACLE: leaves.decode_oracle,
    keys.SIGNERS: leaves.decode_signers,
    keys.WITHDRAWAL: leaves.decode_withdrawal,
    keys.AGENT: leaves.decode_agent,
    keys.PARKED: leaves.decode_parked,
    keys.HOLDERS: leaves.decode_bitmap,
    keys.REQUEST: leaves.decode_request,
    keys.TERMS: leaves.decode_terms,
    keys.ACTIVITY: leaves.decode_activity,
}
"""What reads a leaf's value, by the kind in its key."""

FORMS: Final[dict[str, str]] = {
    "account": "N",
    "order": "ACCOUNT SLOT",
    "level": "MARKET buy|sell|above|below TICK",
    "market": "N",
    "oracle": "MARKET",
    "signers": "",
    "withdrawal": "INDEX",
    "agent": "ACCOUNT NUMBER",
    "parked": "INDEX",
    "request": "ACCOUNT",
    "terms": "",
    "activity": "ACCOUNT",
}
"""What follows each name; any leaf can also be named by its key, 0x and up to ten digits."""


def parse_leaf(words: Sequence[str]) -> int:
    """The key of the leaf that these words name. Raises InputError("not_found") if they name none."""
    kind, *rest = words
    if kind.startswith("0x") and not rest:
        try:
            key = int(kind, 16)
        except ValueError:
            key = -1
        if 0 <= key < 2**keys.KEY_BITS:
            return key
        raise InputError("not_found", f"'{kind}' is no key of a leaf: 0x and up to ten hexadecimal digits")
    form = FORMS.get(kind)
    if form is None or len(rest) != len(form.split()):
        forms = "; ".join(f"{name} {each}".strip() for name, each in FORMS.items())
        raise InputError("not_found", f"a leaf is named as one of: {forms}; or by its key, 0x…")
    if kind == "level":
        market, side, tick = rest
        if side not in _SIDES:
            raise InputError("not_found", f"'{side}' is no side of a level: {', '.join(_SIDES)}")
        return keys.level_key(_parse(market, keys.MAX_MARKET), _SIDES[side], _parse(tick, keys.MAX_TICK))
    most = keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB)
    if kind == "order":
        return keys.order_key(keys.order_handle(_parse(rest[0], most), _parse(rest[1], keys.MAX_ORDER_SLOT)))
    if kind == "agent":
        return keys.agent_key(_parse(rest[0], keys.MAX_ACCOUNT), _parse(rest[1], keys.MAX_AGENT))
    makers: dict[str, tuple[Callable[[int], int], int]] = {
        "account": (keys.account_key, most),
        "market": (keys.market_key, keys.MAX_MARKET),
        "oracle": (keys.oracle_key, keys.MAX_MARKET),
        "withdrawal": (keys.withdrawal_key, 2**32),
        "parked": (keys.parked_key, 2**32),
        "request": (keys.request_key, most),
        "activity": (keys.activity_key, keys.MAX_ACCOUNT),
    }
    if kind in makers:
        make, limit = makers[kind]
        return make(_parse(rest[0], limit))
    return keys.signers_key() if kind == "signers" else keys.terms_key()


def name_leaf(key: int) -> str:
    """A leaf's key as words, such as `parse_leaf` takes."""
    kind, body = key >> keys.BODY_BITS, key & (1 << keys.BODY_BITS) - 1
    if kind == keys.ORDER:
        return f"order {keys.handle_account(body)} {keys.handle_order_slot(body)}"
    if kind == keys.LEVEL:
        side = next(name for name, number in _SIDES.items() if number == body >> 24 & 3)
        return f"level {body >> 26} {side} {body & keys.MAX_TICK}"
    if kind == keys.AGENT:
        return f"agent {body >> 8} {body & 0xFF}"
    if kind in (keys.BITMAP, keys.HOLDERS):
        what = "levels" if kind == keys.BITMAP else "holders"
        return f"a word of the {what} of market {body >> (20 if kind == keys.BITMAP else 18)} (0x{key:x})"
    name = _NAMES.get(kind)
    if name is None:
        return f"0x{key:x}"
    return f"{name} {body}" if FORMS[name] else name


def read_leaf(key: int, value: bytes) -> dict[str, Any]:
    """The fields of a leaf that are not zero, by name; empty for one that is absent. Raises InputError("not_found")."""
    decode = DECODERS.get(key >> keys.BODY_BITS)
    if decode is None:
        raise InputError("not_found", f"0x{key:x} is no key of a leaf")
    fields: dict[str, Any] = _read(decode(value))
    return fields


def find_changes(key: int, before: bytes, after: bytes) -> list[str]:
    """What a step changed in a leaf, a line a field."""
    old, new = _flatten(read_leaf(key, before)), _flatten(read_leaf(key, after))
    return [
        f"{name}: {old.get(name, 0)} → {new.get(name, 0)}" for name in {**old, **new} if old.get(name) != new.get(name)
    ]


def list_fields(fields: dict[str, Any]) -> list[str]:
    """Fields of a leaf for people, a line each."""
    return [f"  {name:<26} {value}" for name, value in _flatten(fields).items()]


_NAMES: Final = {
    keys.ACCOUNT: "account",
    keys.MARKET: "market",
    keys.ORACLE: "oracle",
    keys.SIGNERS: "signers",
    keys.WITHDRAWAL: "withdrawal",
    keys.PARKED: "parked",
    keys.REQUEST: "request",
    keys.TERMS: "terms",
    keys.ACTIVITY: "activity",
}


def _parse(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < MOST and int(text) <= most):
        raise InputError("not_found", f"'{text}' is no number from 0 to {most}")
    return int(text)


def _read(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {item.name: _read(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {name: each for name, each in fields.items() if each not in (0, "", {}, [])}
    if isinstance(value, tuple | list):
        found = [_read(each) for each in value]
        return {str(number): each for number, each in enumerate(found) if each not in (0, "", {}, [])}
    if isinstance(value, bytes):
        return f"0x{value.hex()}" if any(value) else ""
    if isinstance(value, int) and value >= 2**64:
        return hex(value)  # bits, mostly
    return value


def _flatten(fields: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{before}{name}.")
        else:
            flat[before + name] = value
    return flat
