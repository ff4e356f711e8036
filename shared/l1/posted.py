"""The batches that L1 holds, one after the other, with their inputs: where those begin who have nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch


def read_batches(reader: ChainReader, first: int = 0, until: int | None = None) -> Iterator[Batch]:
    """Batches from number `first` to before `until` (None: all that are posted now), each checked against what inbox
    and queue are proven to hold. Headers and messages are read at once, records batch by batch.

    Raises ChainError if the nodes show fewer, or do not answer, DataError if one does not have what it commits to.
    """
    begin, last = reader.deployment.block, reader.proven.block().number
    messages = {message.index: message.body for message in reader.messages(begin, last)}
    number = first
    for posted in reader.batches(begin, last):
        header = posted.header
        if header.number < first:
            continue
        if until is not None and header.number >= until:
            break
        wanted = range(header.first_message, header.first_message + header.message_count)
        known = [messages[index] for index in wanted if index in messages]
        if len(known) < len(wanted):
            known = reader.messages_of(posted)
        yield reader.assemble(posted, known)
        number = header.number + 1
    if until is not None and number < until:
        raise ChainError("rpc_unreachable", f"{reader.l1.hosts} does not show batch {number} now")
