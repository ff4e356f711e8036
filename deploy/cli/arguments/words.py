"""Kinds of words on the command line: each says what it takes when it refuses."""

from __future__ import annotations

import math
import os
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final

ADDRESS_BYTES: Final = 20
RECORD_BYTES: Final = 124
HASH_BYTES: Final = 32
MOST_SECONDS: Final = 10**9
"""Of a time that somebody types: thirty years."""

MOST_PORT: Final = 65535
LONGEST_NAME: Final = 255
"""Bytes of a name in a path, as systems have it."""
MOST_DIGITS: Final = 78
"""Of a whole number: no number of the contracts is longer."""


def parse_whole(text: str) -> int:
    """A whole number, negative ones too: what they may be, the exchange says. Raises ArgumentTypeError."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        raise ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def parse_number(text: str) -> str:
    """A number as it is written, negative ones too: what it counts, the market says. Raises ArgumentTypeError."""
    whole, _, part = text.removeprefix("-").partition(".")
    digits = whole + part
    if not (whole and digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS) or text.endswith("."):
        raise ArgumentTypeError(f"'{text}' is not a number, as 10 or 0.5")
    return text


def parse_market(text: str) -> int | str:
    """A market's number, or its symbol. Raises ArgumentTypeError."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdecimal():
        return parse_whole(text)
    if not (text.isascii() and text.replace("-", "").isalnum()):
        raise ArgumentTypeError(f"'{text[:40]}' is neither the number of a market nor a symbol, as BTC-PERP")
    return text.upper()


def parse_count(text: str) -> int:
    """A whole number from 0 on. Raises ArgumentTypeError."""
    if (number := parse_whole(text)) < 0:
        raise ArgumentTypeError(f"'{text}' is not a whole number from 0 on")
    return number


def parse_time(text: str) -> float:
    """A number of seconds or days. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < MOST_SECONDS:
        raise ArgumentTypeError(f"'{text}' is not a number greater than 0")
    return number


def parse_port(text: str) -> int:
    """A port, 0 for a free one. Raises ArgumentTypeError."""
    if (number := parse_count(text)) > MOST_PORT:
        raise ArgumentTypeError(f"'{text}' is no port: 0 to {MOST_PORT}")
    return number


def parse_path(text: str) -> Path:
    """The name of a file or folder, which need not be there. Raises ArgumentTypeError."""
    if not text or any(len(os.fsencode(part)) > LONGEST_NAME for part in text.split("/")):
        raise ArgumentTypeError(f"'{text[:40]}' is no name that a file can have")
    return Path(text)


def parse_place(text: str) -> str:
    """The URL of a server, or the name of a file. Raises ArgumentTypeError."""
    scheme, mark, rest = text.partition("://")
    if mark and (scheme not in ("http", "https") or not rest.strip("/")):
        raise ArgumentTypeError(f"'{text[:40]}' is neither a URL, as http://watcher.example:8710, nor a file")
    return text if mark else str(parse_path(text))


def parse_address(text: str) -> bytes:
    """20 bytes in hex. Raises ArgumentTypeError."""
    return _parse_hex(text, ADDRESS_BYTES, "an address")


def parse_hash(text: str) -> bytes:
    """32 bytes in hex. Raises ArgumentTypeError."""
    return _parse_hex(text, HASH_BYTES, "a hash")


def parse_record(text: str) -> bytes:
    """124 bytes in hex. Raises ArgumentTypeError."""
    return _parse_hex(text, RECORD_BYTES, "a record")


def _parse_hex(text: str, length: int, what: str) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) != 2 * length or set(digits) - set("0123456789abcdefABCDEF"):
        raise ArgumentTypeError(f"'{text}' is not {what}: 0x and {2 * length} hexadecimal digits")
    return bytes.fromhex(digits)
