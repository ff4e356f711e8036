"""An operator whose batches fill faster than L1 takes epochs: it waits, says until when, and no batch grows too old."""

import asyncio

import pytest
from tests.support.processes.running_operator import HandL1, Running, opening, operator, replay
from tests.support.waiting import until

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.pace import Pace, get_patience
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.params import PRESETS

INTERVAL = 600


@pytest.mark.parametrize(
    ("count", "number", "postable", "opens"),
    [
        (0, 0, 5, 5),  # nothing has begun
        (0, 3, 5, 5),
        (0, 4, 5 + 600, 5),
        (0, 8, 5 + 1200, 5 + 600),
        (1, 3, 5, 5),  # an epoch has, at 0
        (1, 4, 600, 5),
        (4, 7, 600, 5),
        (4, 8, 1200, 600),
        (4, 12, 1800, 1200),
    ],
)
def test_what_l1_takes_when(count: int, number: int, postable: int, opens: int) -> None:
    pace = Pace(4, INTERVAL, count, patience=INTERVAL)
    assert (pace.postable_at(number, 5), pace.opens_at(number, 5)) == (postable, opens)
    assert (pace.obstacle(number, 5) is None) == (opens == 5)
    assert pace._replace(interval=0).postable_at(number, 5) == 5


def test_an_epoch_whose_time_has_come_begins_now_however_late_it_is() -> None:
    pace = Pace(4, INTERVAL, 4, patience=INTERVAL)
    assert pace.postable_at(4, 10_000) == 10_000
    assert pace.postable_at(8, 10_000) == 10_600
    assert pace.obstacle(8, 10_000) is None
    assert pace.opens_at(12, 10_000) == 10_600


@pytest.mark.parametrize("preset", PRESETS)
def test_no_batch_that_the_pace_keeps_is_ever_too_old_for_l1(preset: str) -> None:
    """However an operator fills its batches: it opens none that would wait for too long."""
    params = PRESETS[preset]
    begun, now, oldest = 0, 0, 0
    pace = Pace(params.epoch_batches, params.claim_interval, patience=get_patience(params.max_skew))
    waiting: list[int] = []  # timestamps of closed batches
    for number in range(4 * params.epoch_batches):
        opens = pace.opens_at(number, now)
        while waiting and (turn := pace.postable_at(pace.posted, now)) <= opens:
            now = turn
            if pace.posted % pace.epoch_batches == 0:
                begun, pace = begun + 1, pace._replace(began_at=now)
            oldest = max(oldest, now - waiting.pop(0))
            pace = pace._replace(posted=pace.posted + 1)
        now = opens
        waiting.append(now)  # filled at once
    assert begun >= (2 if params.claim_interval else 0)
    assert oldest <= get_patience(params.max_skew)
    assert oldest + params.batch_interval <= params.max_skew // 2


async def fill(running: Running, seconds: float = 20.0) -> dict[str, object]:
    """Send records until one is refused; returns what the client is told."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        status, answer = await running.submit(running.traffic.transfer(1, 2, 1))
        if status != 200:
            assert status == 503
            return dict(answer)
    raise AssertionError("the operator takes every record")


async def test_takes_records_for_the_epoch_that_has_begun_and_the_next(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    l1.epoch_batches, l1.epoch_interval = 2, INTERVAL
    async with operator(redis_server.url, traffic, l1, batch_interval=0.02, max_unposted_age=1.0) as running:
        status, answer = await running.submit(traffic.report(0, 100))
        assert status == 200, answer
        refused = await fill(running)
        assert refused["reason"] == "paced" and str(START_TIME + INTERVAL) in str(refused["detail"])
        assert running.sequencer.exchange.cursor.number == 4, "two epochs, of which L1 has none so far"

        while len(l1.posted) < 2:
            l1.take(running.outbox)
        l1.take(running.outbox)
        assert len(l1.posted) == 2, "the second epoch is too early"
        await until(lambda: shows(running, unposted=2, paced_until=START_TIME + INTERVAL), "the wait is not shown")
        assert (await running.get("/v1/health"))[1]["reason"] == "paced"

        # Messages that come meanwhile open no batch that would wait for longer than an interval either.
        l1.messages.append(traffic.deposit(1, 5))
        l1.time += INTERVAL - 1
        await asyncio.sleep(0.2)
        assert running.sequencer.exchange.cursor.number == 4 and not running.sequencer.exchange.is_open
        assert (await running.get("/v1/health"))[1]["reason"] == "paced", "the wait for the pace is no age"

        l1.time += 1
        await until(lambda: shows(running, obstacle=None), "the operator stays closed")
        l1.take(running.outbox)
        l1.take(running.outbox)
        assert len(l1.posted) == 4 and l1.epoch_began_at == START_TIME + INTERVAL
        assert (await fill(running))["reason"] == "paced"
        assert running.sequencer.exchange.cursor.number == 6
        replay(running.outbox)


async def test_those_that_wait_while_a_batch_fills_are_told_and_not_kept(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    l1 = HandL1(opening(traffic))
    l1.epoch_batches, l1.epoch_interval = 1, INTERVAL
    async with operator(redis_server.url, traffic, l1, max_per_client=10_000, max_waiting=10_000) as running:
        await running.submit(traffic.report(0, 100))
        sent = [traffic.transfer(1, 2, 1) for _ in range(2500)]
        results = await asyncio.gather(*map(running.sequencer.submit, sent), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Exception)]
        assert {getattr(error, "reason", "") for error in refused} == {"paced"}
        taken = running.sequencer.exchange.cursor.records
        assert running.sequencer.exchange.cursor.number == 2 and len(results) - len(refused) <= taken <= 2 * 1024
        replay(running.outbox)


async def shows(running: Running, **expected: object) -> bool:
    """Whether the status says so."""
    status = await running.status()
    return all(status[name] == value for name, value in expected.items())
