"""A price at a URL: JSON, and a JSON pointer (RFC 6901) to the number in it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

import aiohttp

from setoff.shared.oracle.aggregate import read_price
from setoff.shared.oracle.source import Quote

MOST_BYTES: Final = 1 << 20
"""Of an answer."""


class HttpSource:
    """`https://…#/data/0/price`; without a pointer the answer is the number itself."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, _, pointer = url.partition("#")
        self._pointer = unquote(pointer)
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
        return Quote(read_price(find_member(json.loads(body, parse_float=Decimal), self._pointer)))

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
