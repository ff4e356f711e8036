"""`setoff verify`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from setoff.deploy.cli.connections import open_reader
from setoff.deploy.cli.inspection.difference import describe_differences
from setoff.deploy.cli.inspection.executed import Executed
from setoff.deploy.cli.inspection.verdict import compare, is_claimed, read_court
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.dispute.trace_provider import find_executed
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.watcher.execution.verify import verify_epoch


def run(arguments: argparse.Namespace) -> int:
    """Execute everything up to the epoch from L1 alone; exit code 1 if L1 holds another end, even if only claimed."""
    reader = open_reader(load_client(arguments))
    deployment = reader.deployment
    epoch = arguments.epoch if arguments.batch is None else arguments.batch // deployment.epoch_batches
    if epoch is None:
        epoch = reader.batch_count() // deployment.epoch_batches - 1
        if epoch < 0:
            show(arguments, {"epoch": None, "agrees": None}, "no epoch is posted yet: there is nothing to verify")
            return 0
    execution, _ = verify_epoch(reader, epoch, lambda batch: tell_progress(f"batch {batch}"))
    tell_progress("")
    inputs = sum(len(outcomes) for outcomes in execution.outcomes)
    last = reader.batch_hash((epoch + 1) * deployment.epoch_batches - 1)
    found = epoch_hash(epoch, deployment.epoch_batches, last)
    verdict = compare(
        ProvenCourt(reader.proven, deployment.court), epoch, found, execution, lambda: is_claimed(reader, epoch)
    )
    differences = list(find_differences(reader, epoch)) if verdict.agrees is False else []
    tell_progress("")
    facts = {"epoch": epoch, "inputs": inputs, "start": execution.start, "end": execution.end, "agrees": verdict.agrees}
    show(
        arguments,
        {**facts, "why": verdict.why, "differences": differences},
        f"epoch {epoch}: {inputs} inputs, from 0x{execution.start.hex()} to 0x{execution.end.hex()}",
        verdict.why,
        f"verdict: what was executed here {verdict.text}",
        *differences,
    )
    return 1 if verdict.agrees is False else 0


def find_differences(reader: ChainReader, epoch: int) -> Iterator[str]:
    """Where the false claims about an epoch leave the truth, in words. It is executed again, to be asked for any
    step."""
    executed = Executed(reader, [epoch], lambda batch: tell_progress(f"batch {batch}"))
    for claim in read_court(reader).claims.values():
        known = find_executed(executed, claim) if claim.epoch == epoch else None
        if known is not None and claim.end != known.run.end and isinstance(known.run, EpochRun):
            yield from describe_differences(reader, claim, known.run, lambda batch: tell_progress(f"batch {batch}"))
