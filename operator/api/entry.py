"""Order entry over a WebSocket: frames of `shared/wire/entry_frames.py`, many on their way, answered by their numbers.

Frames are taken where they arrive (`frames.py`); what there is no room for is refused there. All answers of a group to
one connection are written at once. Who does not read his answers is not read any more, and closed after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from setoff.operator.api.admission import READ, UNREAD, Admission
from setoff.operator.api.clients import get_client
from setoff.operator.api.frames import MAX_FRAME, Frames
from setoff.operator.api.line import Line
from setoff.operator.api.refusals.explainer import Explainer
from setoff.operator.api.routes import Handlers
from setoff.operator.api.sockets import check_socket
from setoff.operator.api.views.record_views import show_result
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import SubmitResult, join_leg_pages
from setoff.operator.sequencer.submissions import Answer, UnknownFate
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import InputError, SetoffError, StateError
from setoff.shared.wire import entry_frames
from setoff.shared.wire.entry_frames import Taken
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.records import decode_request
from setoff.shared.wire.refusals import show_error

HEARTBEAT_SECONDS: Final = 20.0
"""Between pings."""
CLOSING_SECONDS: Final = 1.0
"""For clients to answer that their connections end."""


class EntryHandlers:
    """Takes records from WebSockets."""

    def __init__(self, admission: Admission, deployment: Deployment, scales: Scales, explainer: Explainer) -> None:
        self.admission = admission
        self._chain_id = deployment.chain_id
        self._vault = deployment.vault_bytes
        self._scales = scales
        self._explainer = explainer
        self._explaining: set[asyncio.Task[None]] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def handlers(self) -> Handlers:
        """By operation."""
        return {"enterRecords": self.serve}

    async def stop(self, _: web.Application) -> None:
        """End all connections: their clients open others, and the server's end does not wait for them."""
        closing = (socket.close(code=WSCloseCode.GOING_AWAY, message=b"stopping") for socket in list(self._sockets))
        if tasks := [asyncio.ensure_future(each) for each in closing]:
            await asyncio.wait(tasks, timeout=CLOSING_SECONDS)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, until its end."""
        check_socket(request)
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME, compress=False, autoping=False
        )
        transport = request.transport
        line = Line(transport)
        taker = _Taker(self, line, get_client(request))
        if transport is None:
            raise ConnectionResetError("the connection is lost")
        frames = Frames(request.protocol, transport, line, taker)
        try:
            await socket.prepare(request)
        except BaseException:
            frames.leave()
            raise
        self._sockets.add(socket)
        try:
            async for message in socket:  # in pieces
                wait = 0.0
                if message.type is WSMsgType.BINARY:
                    wait = taker.take_or_refuse(message.data)
                elif message.type is WSMsgType.TEXT:
                    wait = taker.count_refused(0, not taker.take_text(message.data.encode()))
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                if message.type in (WSMsgType.PING, WSMsgType.PONG) and not frames.is_plain:
                    wait = taker.count_refused(0, frames.is_too_often())
                await asyncio.sleep(wait)
                if line.is_full:
                    await line.drain()
        finally:
            self._sockets.discard(socket)
            line.close()
        return socket

    def enter(self, client: str, group: Sequence[bytes], answer: Answer) -> None:
        """Let a record in; of a refusal `answer` is called a moment later, with what there is to say of it."""
        self.admission.enter(client, group, partial(self._tell, client, group[0], answer))

    def decode(self, payload: dict[str, Any]) -> tuple[bytes, tuple[bytes, ...]]:
        """The record of a text frame, with its leg pages. Raises InputError."""
        return decode_request(payload, self._chain_id, self._vault)

    def show(self, number: int | None, came: SubmitResult | SetoffError) -> dict[str, Any]:
        """The answer to a text frame."""
        shown = show_error(came) if isinstance(came, SetoffError) else show_result(self._scales, came)
        return {"number": number, **shown}

    def _tell(self, client: str, record: bytes, answer: Answer, came: SubmitResult | SetoffError) -> None:
        if not isinstance(came, SetoffError) or not self._explainer.can_explain(came):
            answer(came)
            return
        task = asyncio.create_task(self._explain(client, record, answer, came))
        self._explaining.add(task)
        task.add_done_callback(self._explaining.discard)

    async def _explain(self, client: str, record: bytes, answer: Answer, refusal: SetoffError) -> None:
        answer(await self._explainer.explain(client, record, refusal))


class _Taker:
    """Takes the frames of one connection; see `frames.Taker`."""

    def __init__(self, entry: EntryHandlers, line: Line, client: str) -> None:
        self._entry = entry
        self._line = line
        self._client = client

    def find_refusal(self) -> bytes | None:
        obstacle = self._entry.admission.find_obstacle(self._client)
        return None if obstacle is None else _encode(0, obstacle)[entry_frames.NUMBER.size :]

    def take_binary(self, payload: bytes) -> bool:
        line, number = self._line, entry_frames.read_number(payload)
        try:
            _, parts = entry_frames.split_request(payload)
            (group,) = join_leg_pages(parts)
        except InputError as error:
            line.send(_encode(number, error))
            return False
        except ValueError:
            line.send(_encode(number, InputError("malformed_record", "a frame is one record, and the leg pages of it")))
            return False
        self._entry.enter(self._client, group, lambda came: line.send(_encode(number, came)))
        return True

    def take_text(self, payload: bytes) -> bool:
        number: Any = None
        try:
            message = parse_json(payload)
            number = message.pop("number", None)
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= entry_frames.MAX_NUMBER:
                number = None
                raise InputError("missing_field", "'number' is an integer of 32 bits, the frame's own")
            if (obstacle := self._entry.admission.find_obstacle(self._client)) is not None:
                raise obstacle
            record, leg_pages = self._entry.decode(message)
        except SetoffError as error:
            self._line.send_json(self._entry.show(number, error))
            return False
        self._entry.enter(self._client, [record, *leg_pages], partial(self._tell, number))
        return True

    def count_refused(self, unread: int, read: int) -> float:
        return self._entry.admission.count_refused(self._client, unread * UNREAD + read * READ)

    def take_or_refuse(self, payload: bytes) -> float:
        """A binary frame that came in pieces; seconds for which no more is to be read."""
        refusal = self.find_refusal()
        if refusal is None:
            return self.count_refused(0, not self.take_binary(payload))
        self._line.send(payload[: entry_frames.NUMBER.size].ljust(entry_frames.NUMBER.size, b"\0") + refusal)
        return self.count_refused(0, 1)

    def _tell(self, number: int, came: SubmitResult | SetoffError) -> None:
        self._line.send_json(self._entry.show(number, came))


def _encode(number: int, came: SubmitResult | SetoffError) -> bytes:
    if isinstance(came, SubmitResult):
        return entry_frames.encode_taken(number, show_taken(came))
    status = entry_frames.REFUSED
    if isinstance(came, StateError):
        status = entry_frames.UNKNOWN if isinstance(came, UnknownFate) else entry_frames.LATER
    return entry_frames.encode_refusal(number, status, came.reason, show_error(came)["detail"])


def show_taken(result: SubmitResult) -> Taken:
    """A result as a binary answer tells it."""
    fills = result.fills
    return Taken(
        result.sequence, result.batch, result.input_index, result.outcome, result.resting,
        sum(numbered.fill.size for numbered in fills), len(fills), fills[0].number if fills else 0,
        result.legs, result.is_paused, result.signed,
    )  # fmt: skip
