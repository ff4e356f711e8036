"""A sequencer whose publisher has found a fast path to be wrong takes every step, at once and after a restart; what was
logged by the fast path does not keep it from starting."""

import pytest
from tests.support.processes.resets import begin, close, ready
from tests.support.processes.running_operator import DEPLOYMENT, operator
from tests.support.waiting import until

from setoff.operator.publisher.snapshot import EpochSnapshot
from setoff.operator.sequencer.exchange import Exchange, SealedBatch
from setoff.operator.sequencer.journal_events import Closed
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.machine.machine import EVERY_STEP

WRONG = b"\x01" * 32
"""End of a batch, as a wrong fast path has it."""


async def test_the_publishers_alarm_is_heard_at_once_and_after_a_restart(redis_server: RedisServer) -> None:
    async with operator(redis_server.url, batch_interval=0.05, l1_poll=0.05) as running:
        await begin(running)
        assert running.sequencer.exchange.machine.many_accounts != EVERY_STEP
        with redis_server.client() as redis:
            EpochSnapshot(redis, DEPLOYMENT.namespace).alarm.ring("plain steps differ")
        await until(
            lambda: running.sequencer.exchange.machine.many_accounts == EVERY_STEP, "the sequencer hears nothing"
        )
        await close(running)
        traffic, l1 = running.traffic, running.l1
    async with operator(redis_server.url, traffic, l1) as again:
        assert again.sequencer.exchange.machine.many_accounts == EVERY_STEP


@pytest.mark.parametrize("is_known", [True, False], ids=["after an alarm", "without one"])
async def test_what_a_wrong_fast_path_came_to_is_made_anew(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    true_close, ends = Exchange.close, {}

    def close_wrongly(exchange: Exchange) -> tuple[Closed, SealedBatch]:
        _, sealed = true_close(exchange)
        ends[sealed.batch.header.number] = sealed.end
        return Closed(WRONG), SealedBatch(sealed.batch, WRONG, sealed.fills, sealed.proofs)

    monkeypatch.setattr(Exchange, "close", close_wrongly)
    async with operator(redis_server.url, batch_interval=0.05) as running:
        await begin(running)
        await close(running)
        traffic, l1 = running.traffic, running.l1
    monkeypatch.undo()
    if not is_known:
        with pytest.raises(DataError, match="ends elsewhere"):
            async with operator(redis_server.url, traffic, l1):
                pass
        return
    with redis_server.client() as redis:
        EpochSnapshot(redis, DEPLOYMENT.namespace).alarm.ring("plain steps differ")
    async with operator(redis_server.url, traffic, l1) as again:
        await until(lambda: ready(again), "the operator stays closed")
        kept = [again.outbox.get(number) for number in range(len(ends))]
        assert [sealed and sealed.end for sealed in kept] == [ends[number] for number in range(len(ends))]
