"""What an exchange sends, read as if it meant harm: so many bytes and no more, and whatever cannot be read is
`Unavailable`, as if nothing had come. Whether a record that was on its way was taken is unknown then, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import aiohttp

from setoff.shared.sdk.answers import Unavailable
from setoff.shared.wire.json_text import read_json

RECORD_BYTES: Final = 1 << 20
"""What is read of the answer to a record."""
READ_BYTES: Final = 16 << 20
"""What is read of any other answer, and of one message of a stream: a page of a thousand entries is far below."""
TEXT: Final = 1000
"""Characters that are kept of a reason and of its detail."""
_UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Around what reads an answer, and nothing else. Raises Unavailable for one that is misshapen."""
    try:
        yield
    except _UNREADABLE as error:
        raise make_unreadable(what, f"{type(error).__name__}: {error}") from error


def make_unreadable(what: str, why: str) -> Unavailable:
    """The one error for an answer that cannot be read."""
    return Unavailable("not_ready", f"{what} cannot be read: {why[:TEXT]}")


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """All of an answer. Raises Unavailable for one of more than `limit` bytes, of which no more are read."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > limit:
            response.close()
            raise make_unreadable("the exchange's answer", f"it has more than {limit} bytes")
    return bytes(body)


def parse(text: bytes | str) -> Any:
    """What JSON says. Raises Unavailable for what is none, or nested deeper than MAX_DEPTH."""
    with reading("the exchange's answer"):
        return read_json(text)


def parse_message(text: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Unavailable."""
    told = parse(text)
    if not isinstance(told, dict):
        raise make_unreadable("the exchange's message", "it is no object")
    return told


def read_reason(answer: Any, reason: str, detail: str) -> tuple[str, str, dict[str, Any]]:
    """Why an exchange refuses: reason, detail and numbers of its answer, where it has such."""
    if not isinstance(answer, dict):
        return reason, detail, {}
    numbers = answer.get("numbers")
    return (
        str(answer.get("reason", reason))[:TEXT],
        str(answer.get("detail", detail))[:TEXT],
        numbers if isinstance(numbers, dict) else {},
    )
