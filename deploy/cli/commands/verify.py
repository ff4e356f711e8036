"""`setoff verify`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from setoff.deploy.cli.connections import connect
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash

if TYPE_CHECKING:
    from setoff.watcher.execution.verify import Execution

TRIES: Final = 6
"""Times that the court is read: narrower, and from others, after each that its storage contradicts."""


def run(arguments: argparse.Namespace) -> int:
    """Execute everything up to the epoch from L1 alone; exit code 1 if L1 holds another end, even if only claimed."""
    from setoff.watcher.execution.verify import verify_epoch

    settings = load_client(arguments)
    deployment = settings.load_deployment()
    reader = ChainReader(connect(settings, deployment), deployment, DataPlaces(settings.beacon_url, settings.peer_urls))
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
        ProvenCourt(reader.proven, deployment.court), epoch, found, execution, lambda: _is_claimed(reader, epoch)
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


class Verdict(NamedTuple):
    """How what was executed compares with what L1 holds; `agrees`: None where L1 holds nothing yet."""

    agrees: bool | None
    why: str

    @property
    def text(self) -> str:
        """For people."""
        if self.agrees is None:
            return "has nothing to agree with"
        return f"{'agrees' if self.agrees else 'DIFFERS'} with the chain"


def _is_claimed(reader: ChainReader, epoch: int) -> bool:
    """Whether it was ever claimed, by the court's events as they agree with its storage. Raises ChainError."""
    court = CourtReader(CourtContract(reader.l1, reader.deployment.court), reader.deployment.block)
    for tries_left in reversed(range(TRIES)):
        try:
            court.poll()
            break
        except ChainError:
            if not tries_left:
                raise
    return any(claim.epoch == epoch for claim in court.court.claims.values())


def compare(
    court: ProvenCourt, epoch: int, epoch_hash: bytes, execution: Execution, is_claimed: Callable[[], bool]
) -> Verdict:
    """Whether what L1 holds of the epoch agrees with its true start and end.

    `is_claimed`: whether it was ever claimed, on whatever start.
    """
    confirmed = court.start_of(epoch + 1)
    if any(confirmed):
        if confirmed == execution.end:
            return Verdict(True, "L1 has confirmed this end")
        return Verdict(False, f"L1 has confirmed another end: 0x{confirmed.hex()}")
    claim = court.claim(epoch_hash, execution.start)
    if not claim.is_claimed:
        if is_claimed():
            what = "it is claimed from another start only, which is not the true one"
            return Verdict(False, f"L1 has not confirmed an end yet; {what}")
        return Verdict(None, "L1 has not confirmed an end yet, and nobody has claimed one")
    if claim.end == execution.end:
        return Verdict(True, "L1 has not confirmed an end yet; this one is claimed")
    return Verdict(False, f"L1 has not confirmed an end yet; another one is claimed: 0x{claim.end.hex()}")
