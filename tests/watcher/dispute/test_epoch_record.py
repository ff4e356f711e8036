"""The history of an epoch on disk: what the machine says, for every liar the same work, sound after a kill or not at
all."""

import multiprocessing
import os
import signal
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from tests.support.waiting import wait_until

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec import records
from setoff.shared.errors import DataError, StateError
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import FRAGMENT
from setoff.watcher.dispute import epoch_record
from setoff.watcher.dispute.epoch_files import EpochFiles, EpochWriter
from setoff.watcher.dispute.epoch_record import EpochRecord, Unsound, build

LIARS = 40
MAKERS = 300


class Epoch(NamedTuple):
    start: Machine
    batches: list[Batch]

    def record(self, folder: Path) -> EpochRecord:
        """Written down in `folder`, or read from there."""
        files = EpochFiles(folder)
        build(files, self.batches, self.start.copy)
        return EpochRecord(self.start.hash(), self.batches, ZERO, files)


def sample_epoch() -> Epoch:
    traffic = SampleTraffic()
    return Epoch(Machine.genesis(traffic.domain), play_epoch(traffic))


def long_epoch() -> Epoch:
    """Orders that meet hundreds of makers each, in some inputs of thousands of steps together."""
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    messages = [traffic.deposit(account, 10**12) for account in (1, 2)]
    messages += [traffic.list_market(), traffic.set_signer(max_age=10**6)]
    first = traffic.seal(messages, [traffic.report(0, 100)])
    makers = traffic.seal((), [traffic.order(1, records.SELL, 101, 1) for _ in range(MAKERS)])
    takers = traffic.seal((), [traffic.order(2, records.BUY, 101, 10_000, flags=records.FOK) for _ in range(6)])
    return Epoch(machine, [first, makers, takers])


@pytest.fixture(scope="module")
def long() -> Epoch:
    return long_epoch()


def positions(epoch: Epoch, count: int, rng: Random) -> list[int]:
    """Of steps all over the epoch."""
    found = []
    for _ in range(count):
        batch = rng.randrange(len(epoch.batches))
        input_index = rng.randrange(max(1, epoch.batches[batch].header.inputs))
        micro = rng.choice((0, 1, rng.randrange(8), rng.randrange(1 << 12)))
        found.append((batch << EPOCH.input_bits | input_index) << EPOCH.micro_bits | micro)
    return found


def corners(epoch: Epoch) -> list[int]:
    """Idle steps, unused inputs, unused batches, the first and the last of all."""
    at = lambda batch, input_index, micro: (batch << 10 | input_index) << 20 | micro  # noqa: E731
    batches = len(epoch.batches)
    return [0, at(0, 0, 2**20 - 1), at(0, 1023, 0), at(1, 1022, 5), at(batches, 0, 0), at(batches, 9, 9), 2**35 - 1]


@pytest.mark.parametrize("make", [sample_epoch, long_epoch])
def test_says_what_the_machine_says(make: type[Epoch], tmp_path: Path) -> None:
    epoch, rng = make(), Random(3)  # type: ignore[call-arg]
    run = EpochRun(epoch.start, epoch.batches, ZERO)
    record = epoch.record(tmp_path)
    assert (record.root, record.end, record.last_path()) == (run.root, run.end, run.last_path())
    for position in positions(epoch, 12, rng) + corners(epoch):
        for level in range(EPOCH.levels + 1):
            prefix = position >> EPOCH.opening_bits * (EPOCH.levels - level)
            assert record.children(level, prefix) == run.children(level, prefix)
        assert record.leaf(position) == run.leaf(position) and record.path(position) == run.path(position)
        assert record.proof(position) == run.proof(position)


def test_every_liar_costs_the_same_few_steps(long: Epoch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the liars' inputs and the order in which they reply: no reply runs the epoch again."""
    record, rng = long.record(tmp_path), Random(5)
    steps = [0]
    step = Machine.step
    epoch_steps = sum(stored.steps for stored in record._files.inputs)

    def count(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        steps[0] += 1
        step(machine, batch, input_index, micro)

    monkeypatch.setattr(Machine, "step", count)
    worst = 0
    where = sorted(positions(long, LIARS, rng), reverse=True)
    for level in (0, 2, 4, 6, EPOCH.levels):
        for position in where:
            before = steps[0]
            if level == EPOCH.levels:
                record.leaf(position - 1), record.path(position - 1), record.proof(position)
            else:
                record.children(level, position >> EPOCH.opening_bits * (EPOCH.levels - level))
                record.children(level + 1, position >> EPOCH.opening_bits * (EPOCH.levels - level - 1))
            worst = max(worst, steps[0] - before)
    assert epoch_steps > 3 * FRAGMENT
    assert worst <= 2 * (FRAGMENT + 2 * EPOCH.fanout)


def build_slowly(folder: Path, wait_at: int) -> None:
    """Writes the whole machine down every two chunks, and waits for its end before chunk `wait_at`."""
    epoch_record.SNAPSHOT_STEPS, epoch_record.STEPS_A_LEAF = 2 * FRAGMENT, 0  # type: ignore[misc]
    add = EpochWriter.add

    def add_or_wait(writer: EpochWriter, chunk: object) -> None:
        if writer.chunk == wait_at:
            (folder / "waits").touch()
            signal.pause()
        add(writer, chunk)  # type: ignore[arg-type]

    EpochWriter.add = add_or_wait  # type: ignore[method-assign]
    epoch = long_epoch()
    build(EpochFiles(folder), epoch.batches, epoch.start.copy)


def test_a_killed_process_s_history_is_gone_on_with(
    long: Epoch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=build_slowly, args=(tmp_path, 5))
    process.start()
    wait_until(lambda: (tmp_path / "waits").exists())
    with pytest.raises(StateError, match="not_ready"):
        long.record(tmp_path)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    for name in ("nodes0", "fragments"):  # what was written after the last machine, perhaps in part
        with (tmp_path / name).open("ab") as file:
            file.write(b"torn")
    traced: list[int] = []
    add = EpochWriter.add

    def note(writer: EpochWriter, chunk: object) -> None:
        traced.append(writer.chunk)
        add(writer, chunk)  # type: ignore[arg-type]

    monkeypatch.setattr(EpochWriter, "add", note)
    record = long.record(tmp_path)
    assert traced[0] == 4, "the last machine was written down before chunk 4"
    run = EpochRun(long.start, long.batches, ZERO)
    assert record.root == run.root
    position = positions(long, 1, Random(1))[0]
    assert record.proof(position) == run.proof(position)


def test_several_processes_write_the_same(long: Epoch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = long.record(tmp_path / "alone")
    trace_chunks = epoch_record.trace_chunks
    monkeypatch.setattr(epoch_record, "trace_chunks", lambda *a, **k: trace_chunks(*a, workers=2, alone=FRAGMENT, **k))
    together = long.record(tmp_path / "together")
    assert together.root == alone.root
    for name in ("nodes0", "nodes5", "inputs", "fragments", "chunks"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "together" / name).read_bytes()


@pytest.mark.parametrize("name", ["nodes0", "nodes5", "fragments"])
def test_nothing_damaged_is_said(long: Epoch, tmp_path: Path, name: str) -> None:
    record = long.record(tmp_path)
    stored = record._files.inputs[-1]
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    at = {"nodes0": stored.first[0] * 32, "nodes5": stored.first[1] * 32, "fragments": len(data) // 2}[name]
    for byte in range(at, min(at + (len(data) if name == "fragments" else 32), len(data))):
        data[byte] ^= 1
    path.write_bytes(data)
    position = (2 << EPOCH.input_bits | 5) << EPOCH.micro_bits
    with pytest.raises(Unsound):
        for level in range(EPOCH.levels + 1):
            record.children(level, position >> EPOCH.opening_bits * (EPOCH.levels - level))
        record.path(position)
        record.proof(position)


def test_a_history_without_its_end_is_not_read(long: Epoch, tmp_path: Path) -> None:
    long.record(tmp_path).close()
    (tmp_path / "inputs").write_bytes((tmp_path / "inputs").read_bytes()[:-104])
    with pytest.raises(DataError, match="not all inputs"):
        long.record(tmp_path)
