"""A price at a URL: JSON, and a JSON pointer (RFC 6901) to the number in it; with another one to the time of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

import aiohttp

from setoff.shared.oracle.aggregate import read_price
from setoff.shared.oracle.source import Quote
from setoff.shared.wire.json_text import read_json

MOST_BYTES: Final = 1 << 20
"""Of an answer."""

IN_MILLISECONDS: Final = 10**11
"""From this number on a time is in milliseconds: as seconds it would be that of the year 5138."""


TIME: Final = "@/"
"""Where the pointer to the time begins."""


class HttpSource:
    """`https://…#/data/0/price`; without a pointer the answer is the number itself. `#/data/0/price@/data/0/time`: its
    time, too, unix seconds or milliseconds."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, _, pointers = url.partition("#")
        self._pointer, _, self._time = unquote(pointers).partition(TIME)
        self._time = self._time and f"/{self._time}"
        self._session = session

    async def ask(self) -> Quote:
        """See `Source`. Raises aiohttp.ClientError."""
        async with self._session.get(self._url) as answer:
            answer.raise_for_status()
            body = await answer.content.read(MOST_BYTES + 1)
            while len(body) <= MOST_BYTES and not answer.content.at_eof():
                body += await answer.content.read(MOST_BYTES + 1 - len(body))
        if len(body) > MOST_BYTES:
            raise ValueError(f"it answers with more than {MOST_BYTES} bytes")
        data = read_json(body, parse_float=Decimal)
        at = float(read_price(find_member(data, self._time))) if self._time else None
        if at is not None and at >= IN_MILLISECONDS:
            at /= 1000
        return Quote(read_price(find_member(data, self._pointer)), at)

    async def close(self) -> None:
        """The session is its owner's."""


def find_member(data: Any, pointer: str) -> Any:
    """What a JSON pointer points to. Raises ValueError if nothing is there."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isascii() and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            raise ValueError(f"its answer has nothing at {pointer}: no {name[:40]!r}")
    return data
