"""Executing epochs: right, once or twice, late, in any order, on several workers, with damaged data."""

import multiprocessing
import os
import signal
import threading
from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.chains.payments import post_payments
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.shared.errors import StateError, WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import used_inputs
from setoff.shared.rules import phases
from setoff.watcher.execution import executor, jobs
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.verify import verify_epoch, verify_from
from setoff.watcher.execution.worker import run_worker
from setoff.watcher.pulse import Pulse, read_status
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult, Progress

EPOCHS = 6
WAIT_AT = 7
"""The input, counted from 1, before which a slow worker stops."""


@pytest.fixture
def posted(exchange: Exchange) -> Exchange:
    """Six batches: deposits, transfers and withdrawals by the accounts of the deployment's own domain."""
    return post_payments(exchange, EPOCHS)


@pytest.fixture
def truth(posted: Exchange, desk: Desk) -> list[bytes]:
    """The ends of all epochs, from L1 alone."""
    machine = Machine.genesis(posted.deployment.domain, posted.deployment.backstop_delay)
    ends = []
    for number in range(EPOCHS):
        assert set(machine.run_batch(desk.context.reader.batch(number))) == {0}
        ends.append(machine.hash())
    return ends


def ends_of(desk: Desk) -> list[bytes]:
    results = [desk.store.epoch(epoch) for epoch in range(desk.store.epoch_count())]
    return [result.end for result in results if result is not None]


def work(settings: WatcherSettings, count: int = 1) -> None:
    """Let `count` worker processes empty the queue."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=run_worker, args=(settings,), kwargs={"burst": True}) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def test_executes_in_order_from_genesis(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    assert [desk.execute(epoch) for epoch in range(EPOCHS)] == truth == ends_of(desk)


def test_an_epoch_twice_or_too_early_does_no_harm(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    assert desk.execute(3) is None
    assert desk.execute(0) == desk.execute(0) == truth[0]
    assert desk.execute(2) is None and desk.execute(99) is None
    for epoch in (1, 1, 2, 1, 3, 4, 5, 0):
        assert desk.execute(epoch) == truth[epoch]
    assert ends_of(desk) == truth


def test_every_worker_takes_up_where_another_stopped(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    others = [Desk(desk.settings) for _ in range(3)]
    for epoch in range(EPOCHS):
        assert others[epoch % 3].execute(epoch) == truth[epoch]


def test_two_worker_processes_empty_the_queue(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    assert desk.jobs.enqueue_next() and desk.jobs.enqueue_next()
    assert len(desk.jobs.queue()) == 1, "one job however often it is asked for"
    work(desk.settings, 2)
    assert ends_of(desk) == truth
    assert desk.jobs.queue().job_ids == []
    assert not desk.jobs.enqueue_next()


def test_batches_damaged_in_redis_are_replaced_from_l1(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    keys = list(desk.store.redis.scan_iter(desk.store.key("batch", "*")))
    assert len(keys) == EPOCHS
    for number, key in enumerate(sorted(keys)):
        data = bytearray(desk.store.redis.get(key))
        if number % 3 == 0:
            data[-1] ^= 1
        elif number % 3 == 1:
            data = data[:-5]
        else:
            data[7] ^= 0x80  # in the header
        desk.store.redis.set(key, bytes(data))
    assert [desk.execute(epoch) for epoch in range(EPOCHS)] == truth
    for number in range(EPOCHS):
        place = desk.store.batch_place(number)
        assert place is not None and desk.store.batch(place.hash) == desk.context.reader.batch(number)


def test_another_batch_under_its_hash_is_not_executed(desk: Desk, truth: list[bytes]) -> None:
    """Consistent in itself, but not what L1 holds: its records are another batch's."""
    desk.catch_up()
    places = [desk.store.batch_place(number) for number in range(EPOCHS)]
    assert places[1] is not None and places[2] is not None
    key = desk.store.key("batch", places[1].hash.hex())
    desk.store.redis.set(key, desk.store.redis.get(desk.store.key("batch", places[2].hash.hex())))
    assert [desk.execute(epoch) for epoch in range(EPOCHS)] == truth


def test_a_wrong_batch_hash_in_the_list_is_read_again(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    place = desk.store.batch_place(3)
    assert place is not None
    desk.store.redis.hset(desk.store.key("batches"), "3", place.block.to_bytes(8, "big") + bytes(32))
    for epoch in range(3):
        desk.execute(epoch)
    assert desk.execute(3) is None
    desk.catch_up()
    assert [desk.execute(epoch) for epoch in range(EPOCHS)] == truth


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_damaged_snapshot_is_computed_again(desk: Desk, truth: list[bytes], damage: str) -> None:
    desk.catch_up()
    for epoch in range(4):
        desk.execute(epoch)
    key = desk.store.key("snapshot", truth[3].hex())
    if damage == "gone":
        desk.store.redis.delete(key)
    elif damage == "cut":
        desk.store.redis.set(key, desk.store.redis.get(key)[:-9])
    else:
        desk.store.redis.set(key, desk.store.redis.get(desk.store.key("snapshot", truth[2].hex())))
    assert Desk(desk.settings).execute(4) == truth[4]


def test_a_damaged_result_is_executed_again(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    for epoch in range(4):
        desk.execute(epoch)
    key = desk.store.key("epochs")
    value = bytearray(desk.store.redis.hget(key, "3"))
    value[-1] ^= 1
    desk.store.redis.hset(key, "3", bytes(value))
    fresh = Desk(desk.settings)
    assert fresh.execute(4) is None
    assert fresh.execute(3) == truth[3] and fresh.execute(4) == truth[4]


def test_a_result_of_replaced_batches_is_not_kept(desk: Desk, posted: Exchange, truth: list[bytes]) -> None:
    desk.catch_up()
    for epoch in range(EPOCHS - 1):
        desk.execute(epoch)
    stale = desk.archive.inputs(EPOCHS - 1)
    desk.store.rollback(posted.block)
    start = truth[EPOCHS - 2]
    assert not desk.store.put_epoch(EPOCHS - 1, EpochResult(stale.epoch_hash, start, truth[-1]))


def test_a_job_lost_with_its_worker_is_given_out_again(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    desk.jobs.enqueue_next()
    job = desk.jobs.queue().jobs[0]
    desk.store.redis.lrem(desk.jobs.queue().key, 1, job.id)
    job.prepare_for_execution("worker-killed", desk.store.redis.pipeline())
    desk.store.redis.hset(job.key, mapping={"status": "started", "worker_name": "worker-killed"})
    assert desk.jobs.enqueue_next() and len(desk.jobs.queue()) == 1
    work(desk.settings)
    assert ends_of(desk) == truth


def test_a_failed_job_is_given_out_again(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    desk.jobs.enqueue_next()
    job = desk.jobs.queue().jobs[0]
    desk.store.redis.lrem(desk.jobs.queue().key, 1, job.id)
    job.set_status("failed")
    assert desk.jobs.enqueue_next() and len(desk.jobs.queue()) == 1


def work_slowly(settings: WatcherSettings) -> None:
    """A worker that counts its inputs, keeps its progress after each, and waits with the last ones for its end."""
    store, run_input = Desk(settings).store, Machine.run_input
    executor.PROGRESS_EVERY, executor.SHARE = 0.0, 0  # type: ignore[misc]

    def count_and_run(machine: Machine, batch: Batch, input_index: int) -> int:
        if store.redis.incr(store.key("ran")) == WAIT_AT:
            threading.Event().wait()
        return run_input(machine, batch, input_index)

    Machine.run_input = count_and_run  # type: ignore[method-assign]
    run_worker(settings, burst=True)


def test_a_killed_worker_s_epoch_goes_on_where_it_was(posted: Exchange, settings: WatcherSettings) -> None:
    replace(posted.deployment, epoch_batches=EPOCHS).save(settings.deployment)
    desk = Desk(settings)
    desk.catch_up()
    assert desk.jobs.enqueue_next() and desk.jobs.queue().jobs[0].timeout == jobs.NO_LIMIT
    inputs = sum(used_inputs(batch) for batch in desk.archive.inputs(0).batches)
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=work_slowly, args=(settings,))
    worker.start()
    wait_until(lambda: int(desk.store.redis.get(desk.store.key("ran")) or 0) == WAIT_AT)
    assert desk.jobs.enqueue_next() and len(desk.jobs.queue()) == 0, "a worker that lives is at it"
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    kept = desk.store.progress()
    assert kept is not None and kept.machine != kept.start
    wait_until(lambda: not any(status.is_alive for status in read_status(desk.store)))
    wait_until(lambda: desk.jobs.enqueue_next() and len(desk.jobs.queue()) == 1)
    other = context.Process(target=work_slowly, args=(settings,))
    other.start()
    other.join()
    result = desk.store.epoch(0)
    assert result is not None and result.end == verify_epoch(desk.context.reader, 0)[0].end
    assert int(desk.store.redis.get(desk.store.key("ran"))) == inputs + 1, "no input twice but the one it died in"
    assert desk.store.progress() is None and desk.store.has_snapshots([result.end]) == [True]


def test_progress_of_replaced_batches_is_not_gone_on_with(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    machine = Machine.genesis(desk.context.deployment.domain, desk.context.deployment.backstop_delay)
    desk.store.put_progress(Progress(bytes(32), machine.hash(), 0, 1, machine.hash()), machine)
    assert desk.execute(0) == truth[0]
    inputs = desk.archive.inputs(1)
    desk.store.put_progress(Progress(inputs.epoch_hash, bytes(32), 0, 1, machine.hash()), machine)
    assert desk.execute(1) == truth[1], "another start"
    desk.store.put_progress(Progress(desk.archive.inputs(2).epoch_hash, truth[1], 0, 1, bytes(32)), machine)
    assert desk.execute(2) == truth[2], "its machine is not there"


def test_jobs_need_a_worker() -> None:
    jobs.bind(None)
    with pytest.raises(StateError, match="not_ready"):
        jobs.execute_epoch(0)


def test_verify_needs_nothing_but_l1(desk: Desk, truth: list[bytes]) -> None:
    seen: list[int] = []
    execution, machine = verify_epoch(desk.context.reader, 3, seen.append)
    assert (execution.start, execution.end, seen) == (truth[2], truth[3], [0, 1, 2, 3])
    assert machine.hash() == truth[3] and execution.outcomes == ((0, 0),)


def test_the_next_epoch_goes_to_whoever_did_the_last(desk: Desk, truth: list[bytes]) -> None:
    desk.catch_up()
    pulse = Pulse(desk.store, "worker-a")
    with pulse.beating():
        pulse.beat()
        Executor(desk.archive, desk.jobs, 16, "worker-a").execute(0)
        assert len(desk.jobs.queue("worker-a")) == 1 and len(desk.jobs.queue()) == 0
    assert desk.jobs.enqueue_next()
    assert len(desk.jobs.queue("worker-a")) == 0 and len(desk.jobs.queue()) == 1, "it is gone, so anybody may"


def test_large_machines_are_not_kept_after_every_epoch(
    desk: Desk, truth: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "CHEAP", 0.0)
    monkeypatch.setattr(executor, "SHARE", 10**9)
    desk.catch_up()
    assert [desk.execute(epoch) for epoch in range(EPOCHS)] == truth
    kept = [bool(desk.store.redis.exists(desk.store.key("snapshot", end.hex()))) for end in truth]
    assert kept == [True] + [False] * (EPOCHS - 1)
    assert desk.archive.machine_before(EPOCHS - 1).hash() == truth[EPOCHS - 2]


def test_epochs_of_several_batches(posted: Exchange, settings: WatcherSettings, truth: list[bytes]) -> None:
    replace(posted.deployment, epoch_batches=4).save(settings.deployment)
    desk = Desk(settings)
    desk.catch_up()
    inputs = desk.archive.inputs(0)
    assert [batch.header.number for batch in inputs.batches] == [0, 1, 2, 3]
    assert desk.execute(0) == truth[3] and desk.execute(1) is None
    assert not desk.jobs.enqueue_next(), "two batches of the next epoch are not posted yet"
    execution, _ = verify_epoch(desk.context.reader, 0)
    assert execution.end == truth[3] and len(execution.outcomes) == 4
    seen: list[int] = []
    alone, machine = verify_from(desk.context.reader, 0, Machine.genesis(*posted.deployment.genesis), seen.append)
    assert alone == execution and machine.hash() == truth[3] and seen == [0, 1, 2, 3]


def test_a_machine_that_the_rules_never_come_to_breaks_nobody(desk: Desk, truth: list[bytes]) -> None:
    for name, value in (
        ("phase", 77),
        ("phase", phases.SWEEP),
        ("accounts", 2**40),
        ("has_work", 9),
        ("phase", 2**64 - 1),
    ):
        machine = Machine.genesis(*desk.context.deployment.genesis)
        setattr(machine.regs, name, value)
        try:
            execution, _ = verify_from(desk.context.reader, 1, machine)
        except WitnessError as error:
            assert error.reason == "bad_witness"
        else:
            assert execution.end != truth[1]
