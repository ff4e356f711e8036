"""A batch, or a record of it: what it holds, what became of it, and what L1 says of its epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from setoff.deploy.cli.advice import OUTCOMES as ADVICE
from setoff.deploy.cli.inspection.past import go_to
from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.verdict import Verdict, compare, is_claimed
from setoff.deploy.cli.inspection.words import describe_input, show_hex, show_time
from setoff.shared.codec import records
from setoff.shared.errors import ACCEPTED, OUTCOMES, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.da.registry import get_module
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import Batch, Header, epoch_hash
from setoff.watcher.execution.verify import verify_epoch


class Ran(NamedTuple):
    """A batch that was run here, and what became of its inputs; `verdict`: how its epoch compares with what L1 holds of
    it, None while not all its batches are posted."""

    posted: PostedBatch
    batch: Batch
    outcomes: Sequence[int]
    end: bytes
    """The machine hash after its epoch, or as far as that is posted."""
    verdict: Verdict | None


def run_batch(reader: ChainReader, number: int, report: Callable[[int], None]) -> Ran:
    """Run everything up to the end of the epoch of batch `number`. Raises InputError("not_found") if that batch is not
    posted."""
    posted = reader.find(number)
    count = reader.deployment.epoch_batches
    epoch, place = divmod(number, count)
    if (epoch + 1) * count > reader.batch_count():
        machine, batch = go_to(reader, number, report)
        return Ran(posted, batch, machine.run_batch(batch), machine.hash(), None)
    execution, _ = verify_epoch(reader, epoch, report)
    found = epoch_hash(epoch, count, reader.batch_hash((epoch + 1) * count - 1))
    court = ProvenCourt(reader.proven, reader.deployment.court)
    verdict = compare(court, epoch, found, execution, lambda: is_claimed(reader, epoch))
    batch = reader.assemble(posted, reader.messages_of(posted))
    return Ran(posted, batch, execution.outcomes[place], execution.end, verdict)


def explain_batch(reader: ChainReader, number: int, report: Callable[[int], None], *, is_whole: bool = False) -> Told:
    """Batch `number`; `is_whole`: each of its inputs, too."""
    ran = run_batch(reader, number, report)
    header = ran.batch.header
    counts = Counter(OUTCOMES[outcome] for outcome in ran.outcomes)
    epoch = number // reader.deployment.epoch_batches
    verdict = ran.verdict
    place = get_module(header.module).name
    lines = [
        f"batch {number} of epoch {epoch}, of {show_time(header.timestamp)}",
        f"posted in block {ran.posted.block_number} by transaction {show_hex(ran.posted.transaction)}",
        f"inputs: {_count(header)}" + (f", the records in {place}" if header.record_count else ""),
        f"outcomes: {', '.join(f'{count} {name}' for name, count in counts.most_common()) or 'no input'}",
        f"epoch {epoch}: {verdict.why}" if verdict else f"epoch {epoch}: not all its batches are posted yet",
        f"machine hash after {'it' if verdict else 'this batch'}, as executed here: {show_hex(ran.end)}",
    ]
    inputs = [_to_facts(ran, index) for index in range(header.inputs)]
    if is_whole:
        lines += [f"  {each['input']:>4} {each['outcome']:<22} {each['text']}" for each in inputs]
    facts = {
        "batch": number,
        "epoch": epoch,
        "timestamp": header.timestamp,
        "block": ran.posted.block_number,
        "transaction": ran.posted.transaction,
        "messages": [header.first_message, header.first_message + header.message_count],
        "records": [header.first_record, header.first_record + header.record_count],
        "data": place,
        "outcomes": counts,
        "end": ran.end,
        "agrees": verdict.agrees if verdict else None,
        "why": verdict.why if verdict else "",
        "inputs": inputs,
    }
    return Told(facts, lines, verdict is not None and verdict.agrees is False)


def explain_record(reader: ChainReader, sequence: int, report: Callable[[int], None]) -> Told:
    """Record `sequence` of all that were posted. Raises InputError("not_found") if there is none."""
    header = find_batch_of_record(reader, sequence)
    ran = run_batch(reader, header.number, report)
    index = header.message_count + sequence - header.first_record
    fact = _to_facts(ran, index)
    reason = fact["outcome"]
    lines = [
        f"record {sequence}: {fact['text']}",
        f"input {index} of batch {header.number}, posted in block {ran.posted.block_number}",
    ]
    if ran.outcomes[index] == ACCEPTED:
        return Told({"record": sequence, **fact}, [*lines, "accepted"])
    lines += [f"refused: {reason}", f"next: {ADVICE[reason]}"]
    return Told({"record": sequence, **fact, "next": ADVICE[reason]}, lines, is_bad=True)


def find_batch_of_record(reader: ChainReader, sequence: int) -> Header:
    """The header of the batch that holds a record, by its number among all. Raises InputError("not_found")."""
    posted = reader.batches(reader.deployment.block, reader.proven.block().number)
    for each in posted:
        header = each.header
        if header.first_record <= sequence < header.first_record + header.record_count:
            return header
    last = posted[-1].header if posted else None
    count = last.first_record + last.record_count if last else 0
    raise InputError("not_found", f"there is no record {sequence}: {count} are posted, from 0")


def _to_facts(ran: Ran, index: int) -> dict[str, Any]:
    header = ran.batch.header
    is_message = index < header.message_count
    data = ran.batch.messages[index][: records.RECORD_BYTES] if is_message else ran.batch.body(index)
    number = header.first_message + index if is_message else header.first_record + index - header.message_count
    return {
        "batch": header.number,
        "input": index,
        "message" if is_message else "record": number,
        "text": describe_input(data, is_message=is_message),
        "outcome": OUTCOMES[ran.outcomes[index]],
    }


def _count(header: Header) -> str:
    parts = []
    for count, first, name in (
        (header.message_count, header.first_message, "message"),
        (header.record_count, header.first_record, "record"),
    ):
        if count:
            parts.append(f"{name} {first}" if count == 1 else f"{name}s {first} to {first + count - 1}")
    return " and ".join(parts) or "none"
