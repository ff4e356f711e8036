"""The sequencer's ends of the lines to the API's processes: records come in, answers and news go out.

A line's other end has a copy of the exchange (`mirror.py`). It comes in pieces, between which turns go on, and behind
them what was used meanwhile. Then it is brought up to date when it asks, by the leaves that were used since it last
did: so who reads costs the machine what changed, once, and no view is ever made here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from socket import socket as Socket
from typing import Any, Final

from setoff.operator.bridge import messages
from setoff.operator.bridge.channel import Channel, Message
from setoff.operator.bridge.messages import Rest, State
from setoff.operator.sequencer.exchange import Exchange, NumberedFill, SealedBatch, SubmitResult
from setoff.operator.sequencer.sequencer import Sequencer, Status
from setoff.operator.sequencer.submissions import Answer
from setoff.shared.codec import signatures
from setoff.shared.codec.records import BODY_BYTES
from setoff.shared.errors import SetoffError

log = logging.getLogger(__name__)

PUSH_SECONDS: Final = 0.02
"""Between two looks at whether the sequencer's state is another one."""
SETTLE_SECONDS: Final = 60.0
"""For the other end to say that it is up, once it has a copy of everything."""
PIECE: Final = 2048
"""Leaves of a copy that are sent in a row: some milliseconds of both ends."""
_PAUSE: Final = 0.005


class Hub:
    """All lines of one sequencer; what its `Announcer` is."""

    def __init__(self) -> None:
        self._sequencer: Sequencer | None = None
        self._exchange: Exchange | None = None  # that the other ends have a copy of
        self._lines: set[Line] = set()
        self._pusher: asyncio.Task[None] | None = None

    def begin(self, sequencer: Sequencer) -> None:
        """Tell all lines of this sequencer from now on."""
        self._sequencer = sequencer
        self._pusher = asyncio.create_task(self._push())

    async def attach(self, socket: Socket, set_up: Message) -> Line:
        """A new line; `set_up` is what its other end has to know."""
        if self._sequencer is None:
            raise RuntimeError("the hub has no sequencer")
        line = Line(self._sequencer, self)
        line.channel = await Channel.open(socket, line.take, lambda: self._lose(line))
        line.channel.send(messages.SET_UP, *set_up)
        self._lines.add(line)
        self._look(line)
        return line

    async def settle(self) -> None:
        """Until every line's other end knows all that there is to know now."""
        for line in list(self._lines):
            self._look(line)
            await line.has_whole()
            line.is_up.clear()
            line.channel.send(messages.ASK)
        for line in list(self._lines):
            if not line.is_up.is_set():
                await asyncio.wait_for(line.is_up.wait(), SETTLE_SECONDS)

    def collect(self) -> Exchange | None:
        """Note for every line which leaves were used since the last time; the exchange that they are of."""
        exchange = self._exchange
        if exchange is not None:
            state = exchange.machine.state
            state.commit()
            used, state.seen = state.seen or {}, {}
            for line in self._lines:
                line.used.update(used)
        return exchange

    def tell_record(self, result: SubmitResult) -> None:
        """See `Announcer`."""
        plain: tuple[object, ...] | None = None
        for line in self._lines:
            if line.hears_records:
                plain = plain or (*messages.flatten_result(result)[:-1], [])
                line.channel.send(messages.RECORD, plain)

    def tell_fill(self, fill: NumberedFill) -> None:
        """See `Announcer`."""
        for line in self._lines:
            if line.is_heard:
                line.channel.send(messages.FILL, messages.flatten_fill(fill))

    def tell_batch(self, sealed: SealedBatch) -> None:
        """See `Announcer`."""
        for line in self._lines:
            if line.is_heard:
                line.channel.send(messages.BATCH, sealed.batch.header.encode(), sealed.end)

    def restart(self) -> None:
        """See `Announcer`."""
        for line in self._lines:
            line.channel.send(messages.RESTART)

    def close(self) -> None:
        """See `Announcer`."""
        if self._pusher is not None:
            self._pusher.cancel()
        for line in list(self._lines):
            line.channel.send(messages.STOP)

    def _lose(self, line: Line) -> None:
        self._lines.discard(line)
        line.stop()

    async def _push(self) -> None:
        while True:
            try:
                for line in self._lines:
                    self._look(line)
            except Exception:
                log.exception("the API's processes could not be told how the sequencer is")
            await asyncio.sleep(PUSH_SECONDS)

    def _look(self, line: Line) -> None:
        """Tell a line what is new, and all lines of another exchange."""
        sequencer = self._sequencer
        if sequencer is not None and sequencer.status is Status.READY and sequencer.exchange is not self._exchange:
            self._exchange = sequencer.exchange
            for one in self._lines:
                one.has_copy = False
        if self._exchange is not None and not line.has_copy:
            line.send_whole(self._exchange)
        line.push_state()

    def is_current(self, exchange: Exchange) -> bool:
        """Whether that is the one that the other ends are to have a copy of."""
        return exchange is self._exchange


class Line:
    """One line. `used`: keys of leaves that its other end may have otherwise; `is_heard`, `hears_records`: whether
    anybody listens, and whether to records; `is_up`: set when the other end serves."""

    def __init__(self, sequencer: Sequencer, hub: Hub) -> None:
        self.channel: Channel
        self.is_up = asyncio.Event()
        self.used: dict[int, bytes] = {}
        self.is_heard = self.hears_records = False
        self.has_copy = False
        self._copied: Exchange | None = None  # of which the copy is being sent
        self._copying: asyncio.Task[None] | None = None
        self._sequencer = sequencer
        self._hub = hub
        self._state: State | None = None
        self._last_fill = 0

    def take(self, message: Message) -> None:
        """A message of the other end."""
        kind = message[0]
        if kind == messages.ENTER:
            _, number, record, leg_pages, digest, signer = message
            if signer is not None:
                signatures.note_ahead(digest, record[BODY_BYTES:], signer)
            self._sequencer.enter(record, leg_pages, self._answering(number))
        elif kind == messages.REFRESH:
            self._send_changes()
        elif kind == messages.HEARD:
            _, self.is_heard, self.hears_records = message
        elif kind == messages.UP:
            self.is_up.set()

    def send_whole(self, exchange: Exchange) -> None:
        """Begin to send a copy of everything, if that is not on its way; until it is there, nothing is ready there."""
        if self._copied is exchange:
            return
        self.stop()
        self._copied = exchange
        self._send_state(State(Status.RECOVERING.value, "not_ready", "a copy of the exchange is on its way", *[0] * 5))
        self._copying = asyncio.create_task(self._copy(exchange))

    async def has_whole(self) -> None:
        """Until the copy that is on its way is sent."""
        if self._copying is not None:
            await asyncio.wait([self._copying])

    def stop(self) -> None:
        """Send no more of a copy."""
        if self._copying is not None:
            self._copying.cancel()
        self._copied = self._copying = None

    async def _copy(self, exchange: Exchange) -> None:
        """Every leaf as it is when its piece is sent, and then those that were used since the first one."""
        self._hub.collect()
        self.used.clear()
        state = exchange.machine.state
        keys = [key for key, _ in state.tree.items()]
        self.channel.send(messages.BEGIN)
        for at in range(0, len(keys), PIECE):
            get = exchange.machine.state.tree.get
            self.channel.send(messages.PIECE, [(key, get(key)) for key in keys[at : at + PIECE]])
            await asyncio.sleep(0)
            while self.channel.is_full:
                await asyncio.sleep(_PAUSE)
        if not self._hub.is_current(exchange):
            return
        self._last_fill = 0
        self.channel.send(messages.WHOLE, *self._take_changes(exchange))
        self.has_copy = True
        self._copied = self._copying = None
        self.push_state()

    def push_state(self) -> None:
        """Tell the sequencer's state, if it is another one than was told."""
        if self._copied is not None:
            return
        sequencer = self._sequencer
        obstacle = sequencer.obstacle()
        reason, detail = ("", "") if obstacle is None else (obstacle.reason, obstacle.detail)
        state = State(
            sequencer.status.value, reason, detail, sequencer.l1_time, sequencer.unposted, sequencer.paced_until,
            sequencer.commit, sequencer.turns,
        )  # fmt: skip
        if state != self._state:
            self._send_state(state)

    def _send_state(self, state: State) -> None:
        self._state = state
        self.channel.send(messages.STATE, *state)

    def _answering(self, number: int) -> Answer:
        def answer(came: SubmitResult | SetoffError) -> None:
            if self._state is None or self._state.turns != self._sequencer.turns:
                self.push_state()  # first: who hears of a record finds it in what he reads then
            if isinstance(came, SubmitResult):
                self.channel.send(messages.TAKEN, number, messages.flatten_result(came))
            else:
                self.channel.send(messages.REFUSED, number, *messages.flatten_error(came))

        return answer

    def _send_changes(self) -> None:
        start = time.thread_time()
        exchange = self._hub.collect()
        if exchange is None or not self.has_copy:
            self.channel.send(messages.CHANGES, [], b"", (), 0.0)
            return
        self.channel.send(messages.CHANGES, *self._take_changes(exchange), time.thread_time() - start)

    def _take_changes(self, exchange: Exchange) -> tuple[list[tuple[int, bytes]], bytes, tuple[Any, ...]]:
        """Leaves that were used since the other end was last told of them, registers, and the rest."""
        self._hub.collect()
        get = exchange.machine.state.tree.get
        leaves = [(key, get(key)) for key in self.used]
        self.used.clear()
        return leaves, exchange.machine.regs.encode(), tuple(self._take_rest(exchange))

    def _take_rest(self, exchange: Exchange) -> Rest:
        fills: list[tuple[int, ...]] = []
        for numbered in reversed(exchange.fills):
            if numbered.number <= self._last_fill:
                break
            fills.append(messages.flatten_fill(numbered))
        if fills:
            self._last_fill = fills[0][0]
        fills.reverse()
        return Rest(exchange.cursor.encode(), exchange.inputs, fills, self._sequencer.turns)
