"""Frames of a WebSocket, taken where they arrive: what carries a record straight from the bytes, all else by aiohttp.

Who floods a connection pays for it himself. It is read turn by turn, so many frames at a time, and all others between
two turns; a frame for which there is no room is answered unread, by its number, with an answer that is made once a
turn. So what is refused is refused at once, for about a microsecond, and waits nowhere; and beyond a rate that no
client needs, a connection is read no further, and what waits is in its sender's own buffers.

What is plain (whole, masked, not packed, of a bounded length) is taken here. Pings, farewells, pieces and whatever is
wrong go to aiohttp, which reads on alone from the first piece or mistake on.
"""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import Final, Protocol

from setoff.operator.api.line import BINARY, TEXT, Line, make_frame
from setoff.shared.wire.entry_frames import NUMBER

MAX_FRAME: Final = 1 << 14
"""Bytes of a client's frame."""
TURN: Final = 512
"""Of one connection's turn: so many frames are refused in a row, or a part of that is taken."""
TAKING: Final = 32
"""A frame that is looked at counts as so many that are not."""
CONTROL_SECONDS: Final = 0.25
"""Between two pings, pongs or farewells of a connection; what comes more often counts as refused."""
CONTROL_BURST: Final = 1.0
"""Seconds of them that may come at once."""
_IS_MASKED: Final = 0x80
_CONTROL: Final = 0x88
_HEAD: Final = Struct(">BB")
_LONG_HEAD: Final = Struct(">BBH")
_MASK_BYTES: Final = 4
_MASK_AND_NUMBER: Final = Struct(">II")
_SHORT: Final = 126
"""Lengths from here on are told otherwise."""


class Taker(Protocol):
    """Who takes the frames of a connection."""

    def find_refusal(self) -> bytes | None:
        """If there is no room for any: the answer to a binary frame, behind its number."""
        ...

    def take_binary(self, payload: bytes) -> bool:
        """A binary frame; whether there was a record in it."""
        ...

    def take_text(self, payload: bytes) -> bool:
        """A text frame; whether there was a record in it, and room for that."""
        ...

    def count_refused(self, unread: int, read: int) -> float:
        """So many were refused in a turn, without a look and after one; seconds for which the connection is to be read
        no further."""
        ...


class Frames(asyncio.Protocol):
    """Stands between a connection and aiohttp's protocol, which goes on to hear of all that is not taken here."""

    def __init__(self, http: asyncio.Protocol, transport: asyncio.Transport, line: Line, taker: Taker) -> None:
        """Frames of the connection that `http` has upgraded; `line` is the way back."""
        self._http = http
        self._transport = transport
        self._line = line
        self._taker = taker
        self._received = b""
        self.is_plain = True
        """Whether frames are taken here still, or all go to aiohttp."""
        self._controls = 0.0  # until when control frames come too often
        self._is_resting = False  # until its next turn; it is not read meanwhile
        self._draining: asyncio.Task[None] | None = None
        transport.set_protocol(self)

    def leave(self) -> None:
        """It is no WebSocket after all: aiohttp's protocol goes on alone."""
        self._transport.set_protocol(self._http)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if not self.is_plain:
            self._http.data_received(data)
            return
        self._received = self._received + data if self._received else bytes(data)
        if not self._is_resting:
            self._take_turn()

    def is_too_often(self) -> bool:
        """One more control frame: whether there were too many. Each is answered, or at least read."""
        now = asyncio.get_running_loop().time()
        self._controls = min(max(now, self._controls) + CONTROL_SECONDS, now + 2 * CONTROL_BURST)
        return self._controls > now + CONTROL_BURST

    def eof_received(self) -> bool | None:
        """See `asyncio.Protocol`."""
        return self._http.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.is_plain = False
        self._received = b""
        self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._http.resume_writing()

    def _take_turn(self) -> None:
        """Take what has arrived, as far as a turn goes."""
        data, at, left = self._received, 0, TURN
        refusal: tuple[bytes, bytes] | None = None
        refused: list[bytes] = []
        wrong = 0
        end = len(data)
        while left > 0 and end - at >= _HEAD.size:
            kind, length = _HEAD.unpack_from(data, at)
            length -= _IS_MASKED
            body = at + _HEAD.size + _MASK_BYTES
            if length == _SHORT:
                if end - at < _LONG_HEAD.size:
                    break
                length = _LONG_HEAD.unpack_from(data, at)[2]
                body = at + _LONG_HEAD.size + _MASK_BYTES
            elif not 0 <= length < _SHORT:
                self.is_plain = False
                break
            if length > MAX_FRAME or (kind not in (BINARY, TEXT) and kind < _CONTROL):
                self.is_plain = False
                break
            after = body + length
            if after > end:
                break
            if kind == BINARY:
                if refusal is None and (answer := self._taker.find_refusal()) is not None:
                    frame = make_frame(BINARY, bytes(NUMBER.size) + answer)
                    refusal = frame[: -len(answer) - NUMBER.size], answer
                if refusal is None:
                    wrong += not self._taker.take_binary(_unmask(data, body, length))
                    left -= TAKING
                elif length >= NUMBER.size:
                    mask, masked = _MASK_AND_NUMBER.unpack_from(data, body - _MASK_BYTES)
                    refused.append(NUMBER.pack(mask ^ masked))
                    left -= 1
                else:
                    refused.append(bytes(NUMBER.size))
                    left -= 1
            elif kind == TEXT:
                wrong += not self._taker.take_text(_unmask(data, body, length))
                left -= TAKING
            else:
                self._http.data_received(data[at:after])
                wrong += self.is_too_often()
                left -= TAKING
            at = after
        if refusal is not None:
            head, answer = refusal
            self._line.send_frames(head + (answer + head).join(refused) + answer)
        if not self.is_plain:
            self._received = b""
            if not self._transport.is_closing():
                self._http.data_received(data[at:])
            return
        self._received = data[at:]
        wait = self._taker.count_refused(len(refused), wrong)
        if wait > 0 or left <= 0 or self._line.is_full:
            self._rest(wait)

    def _rest(self, seconds: float) -> None:
        """Until others have had their turns, for so long at least, and until the client has read its answers."""
        loop = asyncio.get_running_loop()
        if not self._is_resting:
            self._is_resting = True
            if not self._transport.is_closing():
                self._transport.pause_reading()
        if self._line.is_full:
            self._draining = loop.create_task(self._drain())
        elif seconds > 0:
            loop.call_later(seconds, self._go_on)
        else:
            loop.call_soon(self._go_on)

    async def _drain(self) -> None:
        await self._line.drain()
        self._go_on()

    def _go_on(self) -> None:
        self._is_resting = False
        if not self.is_plain or self._transport.is_closing():
            return
        self._take_turn()
        if not self._is_resting:
            self._transport.resume_reading()


def _unmask(data: bytes, at: int, length: int) -> bytes:
    """A payload at its place."""
    mask, payload = data[at - _MASK_BYTES : at], data[at : at + length]
    if mask == bytes(_MASK_BYTES):
        return payload
    key = (mask * (length // _MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
