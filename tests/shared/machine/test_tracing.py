"""A trace is the same, whoever computes it: one process, several, or one whose helpers were killed."""

import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from itertools import islice

import pytest

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec import records
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.epoch import EpochRun, honest_step, used_inputs
from setoff.shared.machine.history import HistoryTree
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import Place, estimate_seconds, trace_inputs, walk
from setoff.shared.rules import phases

# On one worker, so that the epoch is traced by hand once.
pytestmark = pytest.mark.xdist_group("tracing")

CHUNK = 32


def make_random_batches(seed: int) -> tuple[Machine, list[Batch]]:
    """The sample batches, and after them orders, cancels and reports as they come, refused ones among them."""
    traffic, rng = SampleTraffic(), random.Random(seed)
    batches = play_epoch(traffic)
    for _ in range(3):
        traffic.time += rng.randrange(3)
        inputs = [traffic.report(number, rng.randrange(60, 120)) for number in range(3)]
        for _ in range(rng.randrange(20)):
            account, side = rng.randrange(1, 9), rng.randrange(2)
            flags = rng.choice((records.GTC, records.IOC, records.FOK, records.POST_ONLY))
            order = traffic.order(account, side, rng.randrange(80, 120), rng.randrange(1, 30), flags=flags)
            inputs.append(rng.choice((order, traffic.cancel(account, rng.randrange(4)))))
        batches.append(traffic.seal([traffic.deposit(rng.randrange(1, 9), 10_000)], inputs))
    return Machine.genesis(traffic.domain), batches


def trace_by_hand(machine: Machine, batches: list[Batch]) -> list[list[bytes]]:
    """Every input's hashes, each of a machine that was put together anew, without anything kept from before."""
    inputs = []
    for batch in batches:
        for input_index in range(used_inputs(batch)):
            hashes: list[bytes] = []
            while not hashes or machine.regs.phase != phases.IDLE:
                machine.step(batch, input_index, len(hashes))
                hashes.append(Machine.restore(machine.snapshot()).hash())
            inputs.append(hashes)
    return inputs


@pytest.fixture(scope="module")
def epoch() -> tuple[Machine, list[Batch], list[list[bytes]]]:
    start, batches = make_random_batches(1)
    return start, batches, trace_by_hand(start.copy(), batches)


Epoch = tuple[Machine, list[Batch], list[list[bytes]]]


def has_helpers() -> bool:
    return any(child.name.startswith("history") for child in multiprocessing.active_children())


@pytest.mark.parametrize("chunk_steps", [1, 7, 10**6])
def test_chunks_make_no_difference(epoch: Epoch, chunk_steps: int) -> None:
    start, batches, expected = epoch
    assert list(trace_inputs(start.copy(), batches, workers=1, chunk_steps=chunk_steps)) == expected
    assert not has_helpers()


@pytest.mark.parametrize("chunk_steps", [1, 7, 10**6])
def test_visits_left_to_the_columns_make_no_difference(epoch: Epoch, chunk_steps: int) -> None:
    start, batches, expected = epoch
    machine = start.copy()
    machine.many_accounts = 0
    assert list(trace_inputs(machine, batches, workers=1, chunk_steps=chunk_steps)) == expected


@pytest.mark.parametrize("seed", range(2, 4))
def test_random_batches(seed: int) -> None:
    start, batches = make_random_batches(seed)
    assert list(trace_inputs(start.copy(), batches)) == trace_by_hand(start.copy(), batches)


def test_several_processes_give_the_history_of_one(epoch: Epoch) -> None:
    start, batches, expected = epoch
    inputs = trace_inputs(start.copy(), batches, workers=2, alone=CHUNK, chunk_steps=CHUNK)
    assert list(islice(inputs, 40)) == expected[:40]
    assert has_helpers()
    assert list(inputs) == expected[40:]
    assert not has_helpers()
    run = EpochRun(start, batches, ZERO)
    again = iter(expected)
    of_several = HistoryTree.of(start.hash(), [list(islice(again, used_inputs(batch))) for batch in batches])
    assert (run.root, run.end) == (of_several.root, of_several.end)


def test_an_epoch_that_fills_its_chunks_exactly_ends_with_an_empty_one(epoch: Epoch) -> None:
    start, batches, expected = epoch
    steps = sum(map(len, expected[: used_inputs(batches[0])]))
    inputs = trace_inputs(start.copy(), batches[:1], workers=2, alone=0, chunk_steps=steps // 2 + steps % 2)
    assert list(inputs) == expected[: used_inputs(batches[0])]
    inputs = trace_inputs(start.copy(), batches[:1], workers=1, chunk_steps=steps)
    assert list(inputs) == expected[: used_inputs(batches[0])]


def test_who_asked_goes_on_alone_if_the_helpers_are_killed(epoch: Epoch, caplog: pytest.LogCaptureFixture) -> None:
    start, batches, expected = epoch
    inputs = trace_inputs(start.copy(), batches, workers=2, alone=0, chunk_steps=1)
    assert list(islice(inputs, 3)) == expected[:3]
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    assert list(inputs) == expected[3:]
    assert "goes on alone" in caplog.text
    assert not has_helpers()


def test_helpers_end_when_nobody_wants_more(epoch: Epoch) -> None:
    start, batches, expected = epoch
    inputs = trace_inputs(start.copy(), batches, workers=2, alone=0, chunk_steps=4)
    assert next(inputs) == expected[0]
    assert has_helpers()
    inputs.close()
    assert not has_helpers()


def test_few_steps_start_no_process(epoch: Epoch) -> None:
    start, batches, expected = epoch
    inputs = trace_inputs(start.copy(), batches, workers=2)
    for hashes in expected:
        assert next(inputs) == hashes
        assert not has_helpers()


def test_a_stepper_of_ones_own_stays_in_this_process(epoch: Epoch) -> None:
    start, batches, expected = epoch
    seen: list[tuple[int, int]] = []

    def look(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        seen.append((input_index, micro))
        honest_step(machine, batch, input_index, micro)

    assert list(trace_inputs(start.copy(), batches, look, alone=0)) == expected
    assert len(seen) == sum(map(len, expected))


def test_a_walk_goes_on_from_any_place(epoch: Epoch) -> None:
    start, batches, expected = epoch
    leaves = [leaf for hashes in expected for leaf in hashes]
    machine = start.copy()
    for taken, place in enumerate(walk(machine, batches), 1):
        assert machine.hash() == leaves[taken - 1]
        if taken % 50 == 0:
            assert_goes_on(machine.copy(), batches, place, leaves[taken:])
    assert taken == len(leaves)
    assert list(walk(machine, batches, honest_step, place)) == []


def assert_goes_on(machine: Machine, batches: list[Batch], place: Place, leaves: list[bytes]) -> None:
    rest: Iterator[Place] = walk(machine, batches, honest_step, place)
    assert [machine.hash() for _ in islice(rest, 60)] == leaves[:60]


def test_estimate_of_a_trace() -> None:
    assert estimate_seconds(1.0, 10.0, 1) == 10.0
    assert estimate_seconds(1.0, 10.0, 2) == 5.5
    assert estimate_seconds(1.0, 10.0, 5) == 2.8
