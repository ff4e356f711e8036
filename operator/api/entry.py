"""Order entry over a WebSocket: frames of `shared/wire/entry_frames.py`, many on their way, answered by their numbers.

All answers of a group to one connection are written at once. Who does not read his answers is not read any more, and
closed after a while.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from aiohttp import WSMsgType, web

from setoff.operator.api.admission import Admission
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
MAX_FRAME: Final = 1 << 14
"""Bytes of a client's frame."""
TURN: Final = 16
"""Frames of one connection that are taken in a row."""


class EntryHandlers:
    """Takes records from WebSockets."""

    def __init__(self, admission: Admission, deployment: Deployment, scales: Scales, explainer: Explainer) -> None:
        self._admission = admission
        self._chain_id = deployment.chain_id
        self._vault = deployment.vault_bytes
        self._scales = scales
        self._explainer = explainer
        self._explaining: set[asyncio.Task[None]] = set()

    def handlers(self) -> Handlers:
        """By operation."""
        return {"enterRecords": self.serve}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, until its end."""
        check_socket(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME, compress=False)
        await socket.prepare(request)
        line, client, taken = Line(request.transport), request.remote or "", 0
        try:
            async for message in socket:
                is_let_in = True
                if message.type is WSMsgType.BINARY:
                    is_let_in = self._take_frame(client, line, message.data)
                elif message.type is WSMsgType.TEXT:
                    is_let_in = self._take_text(client, line, message.data)
                taken += 1
                if not is_let_in:
                    await self._admission.hold_back(client)
                if line.is_full:
                    await line.drain()
                elif taken % TURN == 0:
                    await asyncio.sleep(0)
        finally:
            line.close()
        return socket

    def _take_frame(self, client: str, line: Line, frame: bytes) -> bool:
        """Whether there was room for it."""
        number = entry_frames.read_number(frame)
        if (obstacle := self._admission.find_obstacle(client)) is not None:
            line.send(_encode(number, obstacle))
            return False
        try:
            _, parts = entry_frames.split_request(frame)
            (group,) = join_leg_pages(parts)
        except InputError as error:
            line.send(_encode(number, error))
        except ValueError:
            line.send(_encode(number, InputError("malformed_record", "a frame is one record, and the leg pages of it")))
        else:
            answer = self._explained(client, group[0], lambda came: line.send(_encode(number, came)))
            self._admission.enter(client, group, answer)
        return True

    def _take_text(self, client: str, line: Line, text: str) -> bool:
        """Whether there was room for it."""
        number: Any = None
        try:
            payload = parse_json(text.encode())
            number = payload.pop("number", None)
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= entry_frames.MAX_NUMBER:
                number = None
                raise InputError("missing_field", "'number' is an integer of 32 bits, the frame's own")
            if (obstacle := self._admission.find_obstacle(client)) is not None:
                raise obstacle
            record, leg_pages = decode_request(payload, self._chain_id, self._vault)
        except SetoffError as error:
            line.send_json(self._show(number, error))
            return not isinstance(error, StateError)
        else:
            answer = self._explained(client, record, partial(self._tell, line, number))
            self._admission.enter(client, [record, *leg_pages], answer)
        return True

    def _explained(self, client: str, record: bytes, answer: Answer) -> Answer:
        """What answers, and of a refusal a moment later, with what there is to say of it."""

        def tell(came: SubmitResult | SetoffError) -> None:
            if not isinstance(came, SetoffError) or not self._explainer.can_explain(came):
                answer(came)
                return
            task = asyncio.create_task(explain(came))
            self._explaining.add(task)
            task.add_done_callback(self._explaining.discard)

        async def explain(refusal: SetoffError) -> None:
            answer(await self._explainer.explain(client, record, refusal))

        return tell

    def _tell(self, line: Line, number: int, came: SubmitResult | SetoffError) -> None:
        line.send_json(self._show(number, came))

    def _show(self, number: int | None, came: SubmitResult | SetoffError) -> dict[str, Any]:
        shown = show_error(came) if isinstance(came, SetoffError) else show_result(self._scales, came)
        return {"number": number, **shown}


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
