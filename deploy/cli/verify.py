"""`setoff verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from setoff.deploy.cli.wallet import add_chain
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash

if TYPE_CHECKING:
    from setoff.watcher.execution.verify import Execution

TRIES: Final = 6
"""Times that the court is read: narrower, and from others, after each that its storage contradicts."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which epoch, on which chain."""
    parser.add_argument("epoch", type=int, nargs="?", help="its number; by default the last one posted")
    parser.add_argument("--beacon", default="", metavar="URL", help="of a consensus node, for batches in blobs")
    parser.add_argument("--peer", action="append", default=[], metavar="URL",
                        help="of a watcher that keeps old blobs; repeatable")  # fmt: skip
    add_chain(parser)


def run(arguments: argparse.Namespace) -> int:
    """Execute everything up to the epoch from L1 alone; exit code 1 if L1 holds another end, even if only claimed."""
    from setoff.watcher.execution.verify import verify_epoch

    deployment = Deployment.load(arguments.deployment)
    l1 = L1(arguments.rpc, chain_id=deployment.chain_id)
    reader = ChainReader(l1, deployment, DataPlaces(arguments.beacon, arguments.peer))
    epoch = arguments.epoch
    if epoch is None:
        epoch = reader.batch_count() // deployment.epoch_batches - 1
    is_shown = sys.stderr.isatty()

    def report(batch: int) -> None:
        if is_shown:
            print(f"\rbatch {batch} ", end="", file=sys.stderr, flush=True)

    execution, _ = verify_epoch(reader, epoch, report)
    if is_shown:
        print("\r", end="", file=sys.stderr)
    inputs = sum(len(outcomes) for outcomes in execution.outcomes)
    print(f"epoch {epoch}: {inputs} inputs, from 0x{execution.start.hex()} to 0x{execution.end.hex()}")
    last = reader.batch_hash((epoch + 1) * deployment.epoch_batches - 1)
    found = epoch_hash(epoch, deployment.epoch_batches, last)
    return compare(
        ProvenCourt(reader.proven, deployment.court), epoch, found, execution, lambda: _is_claimed(reader, epoch)
    )


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
) -> int:
    """Say whether what L1 holds of the epoch agrees with its true start and end; returns 1 if it does not, else 0.

    `is_claimed`: whether it was ever claimed, on whatever start.
    """
    confirmed = court.start_of(epoch + 1)
    if any(confirmed):
        if confirmed == execution.end:
            return _conclude("agrees", "L1 has confirmed this end")
        return _conclude("DIFFERS", f"L1 has confirmed another end: 0x{confirmed.hex()}")
    claim = court.claim(epoch_hash, execution.start)
    if not claim.is_claimed:
        if is_claimed():
            what = "it is claimed from another start only, which is not the true one"
            return _conclude("DIFFERS", f"L1 has not confirmed an end yet; {what}")
        return _conclude("has nothing to agree with", "L1 has not confirmed an end yet, and nobody has claimed one")
    if claim.end == execution.end:
        return _conclude("agrees", "L1 has not confirmed an end yet; this one is claimed")
    return _conclude("DIFFERS", f"L1 has not confirmed an end yet; another one is claimed: 0x{claim.end.hex()}")


def _conclude(verdict: str, why: str) -> int:
    print(why)
    with_what = "" if verdict.endswith("with") else " with the chain"
    print(f"verdict: what was executed here {verdict}{with_what}")
    return int(verdict == "DIFFERS")
