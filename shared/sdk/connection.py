"""The connection to an exchange: requests over HTTP, records over HTTP or a WebSocket, and what errors become."""

from __future__ import annotations

from typing import Any, Final, Self

import aiohttp

from setoff.shared.errors import StateError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bounded_answers import READ_BYTES, RECORD_BYTES, parse, read_body, read_reason
from setoff.shared.sdk.order_entry import LastingEntry, make_unavailable

TIMEOUT: Final = 30.0
"""Seconds for one request."""
NOTHING_TAKEN: Final = 503
"""HTTP status of an exchange that takes nothing now, and says why; of any other 5xx it is unknown what it did."""
_UNSENT: Final = (aiohttp.ClientConnectorError, aiohttp.InvalidURL)
"""There never was a connection."""


class Connection:
    """One session with an exchange. An async context manager."""

    def __init__(self, url: str, *, over_socket: bool = False) -> None:
        self._url = url.rstrip("/")
        self._http: aiohttp.ClientSession | None = None
        self._entry = LastingEntry(self._url) if over_socket else None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._entry is not None:
            await self._entry.close()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise StateError("not_ready", "use the client in an `async with` block")
        return self._http

    async def _get(self, path: str, **query: int | str) -> Any:
        return await self._request("GET", path, params={name: str(value) for name, value in query.items()})

    async def _post_record(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What `POST /v1/records` answers."""
        if self._entry is None:
            return await self._request("POST", "/v1/records", limit=RECORD_BYTES, json=payload)
        return await self._entry.request(payload)

    async def _request(self, method: str, path: str, *, limit: int = READ_BYTES, **options: Any) -> dict[str, Any]:
        """An answer of at most `limit` bytes. Raises Refusal, Unavailable."""
        try:
            async with self._session().request(method, self._url + path, **options) as response:
                status, body = response.status, await read_body(response, limit)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            what = f"the exchange does not answer at {self._url.rpartition('@')[2]}: {type(error).__name__}"
            raise Unavailable("not_ready", what, is_unsent=isinstance(error, _UNSENT)) from error
        answer = parse(body)
        if status == 200 and isinstance(answer, dict):
            return answer
        reason, detail, numbers = read_reason(answer, "not_ready", f"HTTP status {status}")
        if not (isinstance(answer, dict) and isinstance(answer.get("reason"), str)):
            # Of a proxy, or whatever is between: it knows nothing of what has become of a request that it passed on.
            raise Unavailable(reason, f"the exchange does not answer: {detail}")
        if 400 <= status < 500:
            raise Refusal(reason, detail, numbers)
        raise make_unavailable(reason, detail) if status == NOTHING_TAKEN else Unavailable(reason, detail)
