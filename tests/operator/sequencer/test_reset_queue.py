"""Resets without a reorg, on the real reader of the queue; and resets that find L1 changing under their hands."""

import asyncio
from functools import reduce
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.processes.resets import begin, check_order, close, ready, refuse, stranger
from tests.support.processes.running_operator import HandL1, Running, opening, operator
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, stamp_all
from setoff.operator.sequencer.messages import L1View, QueueMessages
from setoff.operator.sequencer.reset import RESET_TRIES
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.answers import Block
from setoff.shared.l1.chain import QueuedMessage
from setoff.shared.machine.batch import ZERO, Batch, extend_queue_hash

DELAY = 500


pytestmark = pytest.mark.usefixtures("no_pause")


class QueueL1(HandL1):
    """A hand-written chain with a message in each block, which the real `QueueMessages` reads."""

    def __init__(self, traffic: SampleTraffic) -> None:
        super().__init__(opening(traffic))
        l1 = SimpleNamespace(
            head=self._head,
            block=self._block,
            block_by_hash=lambda block_hash: self._block(int.from_bytes(block_hash, "big")),
            now=lambda: self.time,
            call=self._call,
        )
        reader: Any = SimpleNamespace(
            l1=l1,
            deployment=SimpleNamespace(block=0, inbox="", queue=""),
            events=SimpleNamespace(node=l1, read=self._read),
            decode=lambda messages: (messages, []),
        )
        self._source = QueueMessages(reader, 0)

    async def look(self, first: int, queue_hash: bytes) -> L1View:
        return await self._source.look(first, queue_hash)

    def _head(self) -> Block:
        return self._block(len(self.messages))

    def _block(self, number: int) -> Block:
        block_hash, parent = number.to_bytes(32, "big"), max(number - 1, 0).to_bytes(32, "big")
        return Block(number, block_hash, parent, self.time, 1, is_sealed=True)

    def _call(self, *_: object, **__: object) -> bytes:
        return DELAY.to_bytes(32, "big")

    def _read(self, block: Block) -> list[QueuedMessage]:
        self.messages[:] = stamp_all(self.messages, START_TIME)
        if not 0 < block.number <= len(self.messages):
            return []
        queue_hash = reduce(extend_queue_hash, self.messages[: block.number], ZERO)
        index = block.number - 1
        return [QueuedMessage(index, self.messages[index], queue_hash, START_TIME, block.number, block.hash)]


async def begin_on_l1(running: Running) -> dict[bytes, int]:
    """Some trade, all of it on L1; then three deposits and a withdrawal of one of them, which are not."""
    taken = await begin(running)
    await close(running)
    while len(running.l1.posted) <= running.outbox.latest():
        running.l1.take(running.outbox)
    traffic, exchange = running.traffic, running.sequencer.exchange
    consumed = exchange.cursor.messages
    running.l1.messages += [traffic.deposit(4, 500), traffic.deposit(5, 600), traffic.deposit(6, 700)]
    await until(lambda: exchange.cursor.messages == consumed + 3, "the messages are not consumed")
    withdrawal = traffic.withdraw(4, 77)
    status, answer = await running.submit(withdrawal)
    assert status == 200, answer
    await close(running)
    return taken | {withdrawal: answer["sequence"]}


async def check_after(running: Running, taken: dict[bytes, int]) -> None:
    """Nothing is lost, neither a record nor a message, and new messages are seen."""
    messages = len(running.l1.messages)
    await until(lambda: running.sequencer.exchange.cursor.messages == messages, "messages are not consumed again")
    await until(lambda: ready(running), "the operator stays closed")
    machine = running.sequencer.exchange.machine
    assert [machine.state.account(account).collateral for account in (4, 5, 6)] == [500 - 77, 600, 700]
    assert machine.regs.withdrawals == 1
    running.l1.messages.append(running.traffic.deposit(7, 900))
    await until(lambda: running.sequencer.exchange.cursor.messages == messages + 1, "a new message is not seen")
    await close(running)
    check_order(running, taken)


@pytest.mark.parametrize("cause", ["message_left_out", "too old", "a stranger"])
async def test_a_reset_runs_the_messages_that_it_gives_back(redis_server: RedisServer, cause: str) -> None:
    l1 = QueueL1(traffic := SampleTraffic())
    l1.max_skew = 10_000
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin_on_l1(running)
        before, held = running.sequencer.exchange, len(l1.posted)
        if cause == "message_left_out":
            refuse(running.outbox, held)
        elif cause == "too old":
            l1.time += 9_000
        else:
            l1.posted.append(stranger(running.outbox, held, START_TIME))
        await until(lambda: running.sequencer.exchange is not before, "nothing is made anew")
        await check_after(running, taken)


async def test_a_stranger_takes_some_of_the_messages(redis_server: RedisServer) -> None:
    l1 = QueueL1(traffic := SampleTraffic())
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin_on_l1(running)
        before, held = running.sequencer.exchange, len(l1.posted)
        header = stranger(running.outbox, held, START_TIME).header
        first = header.first_message
        foreign = Batch.seal(
            header.parent, held, START_TIME, first, header.first_record, header.queue_hash, l1.messages[first:][:1], ()
        )
        l1.posted.append(foreign)
        await until(lambda: running.sequencer.exchange is not before, "nothing is made anew")
        assert running.outbox.header(held) == foreign.header
        await check_after(running, taken)


class Changing(HandL1):
    """A chain that changes between two reads: `faults` are what the next reads of a batch raise."""

    faults: list[Exception]

    def batch(self, number: int) -> Batch:
        if self.faults:
            raise self.faults.pop(0)
        return super().batch(number)


FAULTS = [InputError("not_found", "batch 1 is not on L1"), DataError("data_mismatch", "another batch")]


@pytest.mark.parametrize("fault", FAULTS, ids=["gone", "another"])
@pytest.mark.parametrize("is_down", [False, True], ids=["running", "restarted"])
async def test_a_reset_that_l1_changes_under_is_tried_again(
    redis_server: RedisServer, fault: Exception, is_down: bool
) -> None:
    l1 = Changing(opening(traffic := SampleTraffic()))
    l1.faults = [fault] * (RESET_TRIES - 1)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        taken = await begin(running)
        await close(running)
        l1.take(running.outbox)
        foreign = stranger(running.outbox, 1, START_TIME)
        if not is_down:
            l1.posted.append(foreign)
            await until(lambda: running.outbox.header(1) == foreign.header, "the stranger's batch is not taken over")
            await until(lambda: ready(running), "the operator stays closed")
            check_order(running, taken)
            return
    l1.posted.append(foreign)
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        assert running.outbox.header(1) == foreign.header and not l1.faults
        await close(running)
        check_order(running, taken)


async def test_a_reset_that_never_fits_is_given_up(redis_server: RedisServer) -> None:
    l1 = Changing(opening(traffic := SampleTraffic()))
    l1.faults = []
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        l1.take(running.outbox)
        commit = running.sequencer.commit
        l1.faults = FAULTS * 100
        l1.posted.append(stranger(running.outbox, 1, START_TIME))
        await asyncio.wait_for(running.sequencer.failed.wait(), 10)
        assert isinstance(running.sequencer.failure, DataError)
        assert len(FAULTS) * 100 - len(l1.faults) == RESET_TRIES
        assert running.sequencer.commit == commit


async def test_a_lost_batch_of_the_outbox_is_not_waited_for(redis_server: RedisServer) -> None:
    """L1 cannot bring it back."""
    async with operator(redis_server.url, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        running.l1.take(running.outbox)
        foreign = stranger(running.outbox, 1, START_TIME)
        running.sequencer._outbox.get = lambda number: None  # type: ignore[method-assign]
        running.l1.posted.append(foreign)
        await asyncio.wait_for(running.sequencer.failed.wait(), 10)
        assert "the outbox has lost batch 1" in str(running.sequencer.failure)
        assert running.sequencer._resetter._tries == 0
