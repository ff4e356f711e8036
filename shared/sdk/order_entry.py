"""Records over one WebSocket, many on their way at a time: much less work for both sides than a request each.

    async with OrderEntry("http://127.0.0.1:8700") as entry:
        on_their_way = [entry.send(record) for record in signed]      # in this order
        for taken in await asyncio.gather(*on_their_way): …

Frames and their fields: `shared/wire/entry_frames.py`. `SetoffClient(…, over_socket=True)` sends the same way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import aiohttp

from setoff.shared.errors import DataError, InputError, SetoffError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bounded_answers import RECORD_BYTES, parse_message, read_reason
from setoff.shared.wire import entry_frames
from setoff.shared.wire.entry_frames import Taken

TIMEOUT: Final = 30.0
"""Seconds to wait for a connection."""
_HEARTBEAT: Final = 15.0


class _Flight(NamedTuple):
    """A frame whose answer has not come: the records in it, none if it was JSON."""

    answer: asyncio.Future[Any]
    body: Sequence[bytes]


class OrderEntry:
    """One connection to the order entry of an exchange. An async context manager.

    When the connection ends, everything that was on its way raises `Unavailable("pending")`: the same bytes may be sent
    again, over HTTP, and count once. What is sent after it raises `Unavailable("not_ready")`: that was not sent.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/v1/entry"
        self._flights: dict[int, _Flight] = {}
        self._next = 0
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(TIMEOUT):
                self._socket = await self._http.ws_connect(self._url, heartbeat=_HEARTBEAT, max_msg_size=RECORD_BYTES)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._http.close()
            what = f"the exchange does not answer: {type(error).__name__}"
            raise Unavailable("not_ready", what, is_unsent=True) from error
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        if self._http is not None:
            await self._http.close()

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._socket is not None and not self._socket.closed

    @property
    def on_their_way(self) -> int:
        """Records whose answers have not come."""
        return len(self._flights)

    def send(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> asyncio.Future[Taken]:
        """Send a signed record of 124 bytes, a bulk record with its pages; what becomes of it comes later, or raises
        Refusal, or Unavailable, "pending" where it cannot be read."""
        number, answer = self._begin([record, *leg_pages])
        self._write(number, entry_frames.encode_request(number, record, leg_pages), is_text=False)
        return answer

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> Taken:
        """Send one, and wait for what becomes of it."""
        return await self.send(record, leg_pages)

    async def request(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer to the request of `POST /v1/records`, as that answers it. Raises Refusal or Unavailable."""
        number, answer = self._begin(())
        self._write(number, json.dumps({"number": number, **payload}).encode(), is_text=True)
        shown: dict[str, Any] = await answer
        return shown

    def _begin(self, body: Sequence[bytes]) -> tuple[int, asyncio.Future[Any]]:
        number, self._next = self._next, (self._next + 1) % entry_frames.MAX_NUMBER
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._flights[number] = _Flight(answer, body)
        return number, answer

    def _write(self, number: int, frame: bytes, *, is_text: bool) -> None:
        socket = self._socket
        if socket is None or socket.closed:
            ended = Unavailable("not_ready", "the connection to the exchange has ended", is_unsent=True)
            self._answer(number, ended)
            return
        sending = socket.send_frame(frame, aiohttp.WSMsgType.TEXT if is_text else aiohttp.WSMsgType.BINARY)
        task = asyncio.ensure_future(sending)
        task.add_done_callback(lambda done: self._note(number, done))

    def _note(self, number: int, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is not None:
            self._answer(number, _make_lost("the connection to the exchange has ended"))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._take(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self._take_text(message.data)
        except Unavailable:  # after what cannot be read, nothing that follows is believed
            await socket.close()
        finally:
            for number in list(self._flights):
                self._answer(number, _make_lost("the connection to the exchange has ended"))

    def _take(self, frame: bytes) -> None:
        number = entry_frames.read_number(frame)
        flight = self._flights.get(number)
        if flight is None:
            return
        try:
            self._answer(number, entry_frames.decode_answer(frame, flight.body))
        except DataError as error:  # whatever it tells, the record was sent
            self._answer(number, _make_lost(error.detail))

    def _take_text(self, text: str) -> None:
        shown = parse_message(text)
        number = shown.pop("number", None)
        if not isinstance(number, int):
            return
        if "reason" not in shown:
            self._answer(number, shown)
            return
        reason, detail, numbers = read_reason(shown, "not_ready", "")
        is_later = reason in entry_frames.LATER_REASONS
        self._answer(number, make_unavailable(reason, detail) if is_later else Refusal(reason, detail, numbers))

    def _answer(self, number: int, came: object) -> None:
        flight = self._flights.pop(number, None)
        if flight is None or flight.answer.done():
            return
        if isinstance(came, SetoffError):
            flight.answer.set_exception(_make_own(came))
        else:
            flight.answer.set_result(came)


class LastingEntry:
    """The order entry of a client and of its twins: opened with the first record, and again when it has ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._entry: OrderEntry | None = None
        self._opening = asyncio.Lock()

    async def request(self, payload: dict[str, Any]) -> dict[str, Any]:
        """See `OrderEntry`."""
        async with self._opening:
            if self._entry is None or not self._entry.is_open:
                await self.close()
                self._entry = await OrderEntry(self._url).__aenter__()
            entry = self._entry
        return await entry.request(payload)

    async def close(self) -> None:
        """End the connection."""
        entry, self._entry = self._entry, None
        if entry is not None:
            await entry.__aexit__()


def make_unavailable(reason: str, detail: str) -> Unavailable:
    """What an exchange says that takes nothing now: nothing was taken then, unless it says that it does not know."""
    return Unavailable(reason, detail, is_unsent=reason != "pending")


def _make_lost(why: str) -> Unavailable:
    return Unavailable("pending", f"{why}; whether the record was taken is unknown")


def _make_own(error: SetoffError) -> SetoffError:
    """The error as this package raises it."""
    if isinstance(error, Refusal | Unavailable | DataError):
        return error
    if isinstance(error, InputError):
        return Refusal(error.reason, error.detail, error.numbers)
    return make_unavailable(error.reason, error.detail)
