"""Checks an epoch from L1: no Redis, no processes, no word of anybody's.

From genesis, by the inputs of all epochs up to it; or the epoch alone, from a machine whose hash L1 has
(`known_start.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witnesses import run_bounded
from setoff.watcher.checks.known_start import check_posted


class Execution(NamedTuple):
    """An epoch that was executed: the machine hashes before and after it, and what became of its inputs."""

    epoch: int
    start: bytes
    end: bytes
    outcomes: tuple[tuple[int, ...], ...]
    """Of each batch, the outcome of each input (`shared/errors.py`)."""


def verify_epoch(
    reader: ChainReader, epoch: int, report: Callable[[int], None] = lambda batch: None
) -> tuple[Execution, Machine]:
    """Execute every batch from the first up to the last of `epoch`, held against what inbox and queue hold, proven.

    `report` hears of every batch before it runs. Returns the execution of `epoch` and the machine after it, whose hash
    is what an honest claim says. Raises InputError("not_found") if not all its batches are posted, DataError if the
    node does not have what L1 commits to, ChainError.
    """
    count = reader.deployment.epoch_batches
    check_posted(reader, epoch)
    first, last = reader.deployment.block, reader.proven.block().number
    messages = {message.index: message.body for message in reader.messages(first, last)}
    machine = Machine.genesis(*reader.deployment.genesis)
    start = machine.hash()
    outcomes: list[tuple[int, ...]] = []
    queue_hash = ZERO
    # Proven to be those that the inbox has (`ChainReader.batches`).
    for number, posted in enumerate(reader.batches(first, last)[: (epoch + 1) * count]):
        header = posted.header
        report(number)
        wanted = range(header.first_message, header.first_message + header.message_count)
        if number == epoch * count:
            start = machine.hash()
        bodies = [messages[index] for index in wanted if index in messages]
        ran = machine.run_batch(reader.assemble(posted, bodies, queue_hash))
        queue_hash = header.queue_hash
        if number >= epoch * count:
            outcomes.append(tuple(ran))
    if len(outcomes) < count:
        raise ChainError("rpc_unreachable", f"{reader.l1.hosts} does not show all batches of epoch {epoch} now")
    return Execution(epoch, start, machine.hash(), tuple(outcomes)), machine


def verify_from(
    reader: ChainReader, epoch: int, machine: Machine, report: Callable[[int], None] = lambda batch: None
) -> tuple[Execution, Machine]:
    """Execute the batches of `epoch` alone, held against what inbox and queue hold, proven, from a machine that
    somebody has given, whose hash is the start that L1 has; it is used up.

    `report` and what is returned: see `verify_epoch`. Raises InputError("not_found") if not all its batches are posted,
    WitnessError("bad_witness") if the machine is none that the rules come to, DataError, ChainError.
    """
    start, outcomes = machine.hash(), []
    for batch in read_batches(reader, epoch):
        report(batch.header.number)
        outcomes.append(run_bounded(machine, batch))
    return Execution(epoch, start, machine.hash(), tuple(outcomes)), machine


def read_batches(reader: ChainReader, epoch: int) -> Iterator[Batch]:
    """The batches of an epoch, one by one, each checked against its hash on L1. Raises as `verify_from`."""
    check_posted(reader, epoch)
    count = reader.deployment.epoch_batches
    first, last = reader.find(epoch * count), reader.find((epoch + 1) * count - 1)
    shown = {each.header.number: each for each in reader.batches(first.block_number, last.block_number)}
    for number in range(epoch * count, (epoch + 1) * count):
        posted = shown.get(number)
        if posted is None or posted.header.hash() != reader.batch_hash(number):
            posted = reader.find(number)
        yield reader.assemble(posted, reader.messages_of(posted))
