"""Members of a JSON object that somebody sent: there, of the right kind, in range, or refused with a reason."""

from __future__ import annotations

from typing import Any, NoReturn

from setoff.shared.codec.layout import Field
from setoff.shared.errors import InputError
from setoff.shared.wire.json_text import read_json


def parse_json(data: bytes) -> dict[str, Any]:
    """The JSON object in a request's body. Raises InputError("malformed_json")."""
    try:
        value = read_json(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InputError("malformed_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise InputError("malformed_json", "the body is not a JSON object")
    return value


def read_bytes(message: dict[str, Any], field: Field) -> bytes:
    """A field of bytes, in hexadecimal. Raises InputError("missing_field")."""
    value = message.get(field.name)
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if len(data) != field.size:
        raise InputError("missing_field", f"message.{field.name} is {field.size} bytes in hexadecimal")
    return data


def read_integer(message: dict[str, Any], field: Field) -> int:
    """A number, as one or as a decimal string. Raises InputError("missing_field"), or with the field's own reason."""
    value = message.get(field.name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 80:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError("missing_field", f"message.{field.name} is an integer, as a number or a decimal string")
    if not 0 <= value < 1 << 8 * field.size:
        raise InputError(field.reason, f"{field.name} is {value}, but has to be 0 to 2^{8 * field.size} - 1")
    return value


def get_member(container: dict[str, Any], name: str, kind: type) -> Any:
    """A member that has to be there, and of this kind. Raises InputError("missing_field")."""
    value = container.get(name)
    if not isinstance(value, kind):
        raise InputError("missing_field", f"'{name}' is missing or has the wrong type")
    return value


def refuse_others(container: dict[str, Any], known: set[str], where: str) -> None:
    """Raises InputError("malformed_json") if there are members beside those that are `known`."""
    for name in container.keys() - known:
        raise InputError("malformed_json", f"{where} has no member '{name[:40]}'")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
