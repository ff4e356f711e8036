"""Checks an epoch from L1 alone: no Redis, no processes, no word of anybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from setoff.shared.errors import ChainError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine


class Execution(NamedTuple):
    """An epoch executed from genesis: the machine hashes before and after it, and what became of its inputs."""

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
    if epoch < 0 or (epoch + 1) * count > reader.batch_count():
        raise InputError("not_found", f"the batches of epoch {epoch} are not all posted")
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
