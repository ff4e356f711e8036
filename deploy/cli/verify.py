"""`setoff verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from setoff.deploy.cli.wallet import add_chain
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import COURT
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.module import DataPlaces

ABSENT: Final = 0
"""State of a key that nobody has claimed (`contracts/court/claims.vy`)."""


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
    inputs = sum(len(outcomes) for outcomes in execution.outcomes)
    print(f"epoch {epoch}: {inputs} inputs, from 0x{execution.start.hex()} to 0x{execution.end.hex()}")
    court = CourtContract(reader.l1, deployment.court)

    def is_claimed() -> bool:
        logs = court.logs("Claimed", deployment.block, reader.l1.head().number)
        return any(COURT.events["Claimed"].decode(log)["epoch"] == epoch for log in logs)

    return compare(court, epoch, execution.start, execution.end, is_claimed)


def compare(court: CourtContract, epoch: int, start: bytes, end: bytes, is_claimed: Callable[[], bool]) -> int:
    """Say what L1 holds of the epoch against its true start and end; returns 1 if that is something else, or 0.

    `is_claimed`: whether it was ever claimed, on whatever start.
    """
    confirmed = bytes(court.view("confirmed", epoch))
    if any(confirmed):
        if confirmed == end:
            print("L1 has confirmed this end")
            return 0
        print(f"L1 has confirmed another end: 0x{confirmed.hex()}")
        return 1
    state, _, _, claimed = court.view("claim_of", court.view("key_of", epoch, start))[:4]
    if state == ABSENT:
        if is_claimed():
            print("L1 has not confirmed an end yet; it is claimed from another start only, which is not the true one")
            return 1
        print("L1 has not confirmed an end yet, and nobody has claimed one")
        return 0
    if bytes(claimed) == end:
        print("L1 has not confirmed an end yet; this one is claimed")
        return 0
    print(f"L1 has not confirmed an end yet; another one is claimed: 0x{bytes(claimed).hex()}")
    return 1
