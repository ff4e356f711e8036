"""`setoff verify`."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.connections import open_reader
from setoff.deploy.cli.inspection.verdict import compare, is_claimed
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash
from setoff.watcher.execution.verify import verify_epoch


def run(arguments: argparse.Namespace) -> int:
    """Execute everything up to the epoch from L1 alone; exit code 1 if L1 holds another end, even if only claimed."""
    reader = open_reader(load_client(arguments))
    deployment = reader.deployment
    epoch = arguments.epoch
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
    facts = {"epoch": epoch, "inputs": inputs, "start": execution.start, "end": execution.end, "agrees": verdict.agrees}
    show(
        arguments,
        {**facts, "why": verdict.why},
        f"epoch {epoch}: {inputs} inputs, from 0x{execution.start.hex()} to 0x{execution.end.hex()}",
        verdict.why,
        f"verdict: what was executed here {verdict.text}",
    )
    return 1 if verdict.agrees is False else 0
