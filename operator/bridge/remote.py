"""The sequencer, seen from a process of the API: a desk at the end of a line."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from setoff.operator.bridge import messages
from setoff.operator.bridge.channel import Channel, Message
from setoff.operator.bridge.desk import Signed
from setoff.operator.bridge.messages import Rest, State
from setoff.operator.bridge.mirror import Mirror
from setoff.operator.sequencer.announcer import Announcer
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange, SealedBatch
from setoff.operator.sequencer.sequencer import Status
from setoff.operator.sequencer.submissions import Answer, UnknownFate
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import StateError
from setoff.shared.l1.da.registry import get_module
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State as TreeState
from setoff.shared.state.tree import Tree

MACHINE_PART: Final = 0.05
OWN_PART: Final = 0.1
"""Of the time, that bringing the copy up to date may take the machine, and this process."""
_ANY: Final = 1 << 32
"""Stands for a market that no copy knows."""
_NOTHING: Final = State(Status.STARTING.value, "not_ready", "the sequencer is starting", 0, 0, 0, 0, 0)


class RemoteDesk:
    """See `Desk`; `feed` is told the news, `stopped` is set when the sequencer says that it is over, or is gone."""

    def __init__(self, deployment: Deployment, feed: Announcer, *, is_alone: bool) -> None:
        """`is_alone`: whether the sequencer has no other line, over which somebody may have heard more."""
        self.stopped = asyncio.Event()
        self.is_gone = False
        self._channel: Channel
        self._feed = feed
        self._is_alone = is_alone
        self._state = _NOTHING
        self._obstacle: StateError | None = StateError("not_ready", _NOTHING.detail)
        rest = Rest(BatchCursor().encode(), 0, [], -1)
        self._mirror = Mirror(Machine.genesis(*deployment.genesis), rest)
        self._pieces = Tree()  # of a copy of everything that is coming
        self._answers: dict[int, Answer] = {}
        self._next = 0
        self._asked: asyncio.Future[None] | None = None  # of the changes on their way
        self._not_before = 0.0
        self._following: asyncio.Task[None] | None = None  # the one after that
        self._untold: list[Callable[[], None]] = []  # news that the feed is told with the next copy
        self._telling: asyncio.Task[None] | None = None

    def attach(self, channel: Channel) -> None:
        """The line to the sequencer."""
        self._channel = channel

    @property
    def status(self) -> Status:
        """See `Desk`."""
        return Status.STOPPED if self.is_gone else Status(self._state.status)

    @property
    def exchange(self) -> Exchange:
        """See `Desk`."""
        return self._mirror

    @property
    def turns(self) -> int:
        """See `Desk`."""
        return self._mirror.turns

    @property
    def l1_time(self) -> int:
        """See `Desk`."""
        return self._state.l1_time

    @property
    def unposted(self) -> int:
        """See `Desk`."""
        return self._state.unposted

    @property
    def paced_until(self) -> int:
        """See `Desk`."""
        return self._state.paced_until

    @property
    def commit(self) -> int:
        """See `Desk`."""
        return self._state.commit

    @property
    def is_copy(self) -> bool:
        """See `Desk`."""
        return True

    @property
    def is_fresh(self) -> bool:
        """See `Desk`."""
        return self._is_alone and self._mirror.turns >= self._state.turns

    async def refresh(self) -> None:
        """See `Desk`. However many wait, one question is on its way, and one after it."""
        if self._following is None:
            self._following = asyncio.create_task(self._ask())
        await asyncio.shield(self._following)

    def obstacle(self) -> StateError | None:
        """See `Desk`."""
        return self._obstacle

    def enter(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer, signed: Signed | None = None) -> None:
        """See `Desk`."""
        if self.is_gone:
            answer(StateError("not_ready", "the sequencer is gone"))
            return
        number, self._next = self._next, self._next + 1
        self._answers[number] = answer
        digest, signer = signed if signed is not None else (None, None)
        self._channel.send(messages.ENTER, number, record, tuple(leg_pages), digest, signer)

    def tell_heard(self, is_heard: bool, hears_records: bool) -> None:
        """Say whether anybody listens, and whether to records."""
        self._channel.send(messages.HEARD, is_heard, hears_records)

    def tell_up(self) -> None:
        """Say that this process serves."""
        self._channel.send(messages.UP)

    def take(self, message: Message) -> None:
        """A message of the sequencer's."""
        _TAKERS[message[0]](self, message)

    def lose(self) -> None:
        """The line is cut."""
        self.is_gone = True
        self._obstacle = StateError("not_ready", "the sequencer is gone")
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer(UnknownFate("pending", "the sequencer is gone; whether the record was taken is unknown"))
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)
        self.stopped.set()

    async def _ask(self) -> None:
        if self._asked is not None:
            await self._asked
        if (pause := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        self._following = None  # who comes from now on has to wait for another one
        if self.is_gone:
            raise StateError("not_ready", "the sequencer is gone")
        self._asked = asyncio.get_running_loop().create_future()
        self._channel.send(messages.REFRESH)
        await self._asked

    def _take_state(self, message: Message) -> None:
        state = self._state = State(*message[1:])
        is_ready = state.status == Status.READY.value
        if state.reason or not is_ready:
            detail = state.detail if state.reason else f"the sequencer is {state.status}"
            self._obstacle = StateError(state.reason or "not_ready", detail)
        else:
            self._obstacle = None

    def _take_taken(self, message: Message) -> None:
        answer = self._answers.pop(message[1], None)
        if answer is not None:
            answer(messages.read_result(message[2]))

    def _take_refused(self, message: Message) -> None:
        answer = self._answers.pop(message[1], None)
        if answer is not None:
            answer(messages.read_error(*message[2:]))

    def _take_begin(self, _: Message) -> None:
        self._pieces = Tree()

    def _take_piece(self, message: Message) -> None:
        self._pieces.update(dict(message[1]))

    def _take_whole(self, message: Message) -> None:
        _, leaves, regs, rest = message
        tree, self._pieces = self._pieces, Tree()
        tree.update(dict(leaves))
        self._mirror = Mirror(Machine(Registers.decode(regs), TreeState(tree)), Rest(*rest))

    def _take_changes(self, message: Message) -> None:
        _, leaves, regs, rest, cost = message
        start = time.monotonic()
        if rest:
            self._mirror.change(leaves, regs, Rest(*rest))
        end = time.monotonic()
        self._not_before = end + max(cost / MACHINE_PART, (end - start) / OWN_PART)
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def _take_record(self, message: Message) -> None:
        result = messages.read_result(message[1])
        self._tell(lambda: self._feed.tell_record(result), {fill.fill.market for fill in result.fills})

    def _take_fill(self, message: Message) -> None:
        fill = messages.read_fill(message[1])
        self._tell(lambda: self._feed.tell_fill(fill), {fill.fill.market})

    def _take_batch(self, message: Message) -> None:
        header = Header.decode(message[1])
        batch = Batch(header, (), (), module=get_module(header.module).codec)
        self._tell(lambda: self._feed.tell_batch(SealedBatch(batch, message[2], (), ())), {_ANY})

    def _tell(self, tell: Callable[[], None], markets: set[int]) -> None:
        """Tell the feed, which may show the exchange as it is then: of markets that this copy does not know yet, and
        after a batch, not before it is brought up to date. News stay in their order."""
        if self._telling is None and max(markets, default=0) <= self._mirror.machine.regs.markets:
            tell()
            return
        self._untold.append(tell)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_later())

    async def _tell_later(self) -> None:
        while self._untold:
            untold, self._untold = self._untold, []
            with contextlib.suppress(StateError):
                await self.refresh()
            for tell in untold:
                tell()
        self._telling = None

    def _take_restart(self, _: Message) -> None:
        self._feed.restart()

    def _take_ask(self, _: Message) -> None:
        self.tell_up()

    def _take_stop(self, _: Message) -> None:
        self._feed.close()
        self.stopped.set()


_TAKERS: Final[dict[int, Callable[[RemoteDesk, Message], None]]] = {
    messages.STATE: RemoteDesk._take_state,
    messages.TAKEN: RemoteDesk._take_taken,
    messages.REFUSED: RemoteDesk._take_refused,
    messages.BEGIN: RemoteDesk._take_begin,
    messages.PIECE: RemoteDesk._take_piece,
    messages.WHOLE: RemoteDesk._take_whole,
    messages.CHANGES: RemoteDesk._take_changes,
    messages.RECORD: RemoteDesk._take_record,
    messages.FILL: RemoteDesk._take_fill,
    messages.BATCH: RemoteDesk._take_batch,
    messages.RESTART: RemoteDesk._take_restart,
    messages.STOP: RemoteDesk._take_stop,
    messages.ASK: RemoteDesk._take_ask,
}
