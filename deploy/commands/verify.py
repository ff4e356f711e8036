"""`setoff verify`."""

from __future__ import annotations

import argparse
import sys

from setoff.deploy.commands.wallet import add_chain
from setoff.deploy.events import read_call
from setoff.shared.adapters.blobs import BlobSource
from setoff.shared.adapters.chain import ChainReader
from setoff.shared.adapters.config import Deployment
from setoff.shared.adapters.l1 import L1
from setoff.shared.machine.data import BLOBS


def configure(parser: argparse.ArgumentParser) -> None:
    """Which epoch, on which chain."""
    parser.add_argument("epoch", type=int, nargs="?", help="its number; by default the last one posted")
    parser.add_argument("--beacon", default="", metavar="URL", help="of a consensus node, for batches in blobs")
    parser.add_argument("--peer", action="append", default=[], metavar="URL",
                        help="of a watcher that keeps old blobs; repeatable")  # fmt: skip
    add_chain(parser)


def run(arguments: argparse.Namespace) -> int:
    """Execute everything up to the epoch from L1 alone; exit code 1 if L1 has confirmed something else."""
    from setoff.watcher.verify import verify_epoch

    deployment = Deployment.load(arguments.deployment)
    l1 = L1(arguments.rpc, chain_id=deployment.chain_id)
    reader = ChainReader(l1, deployment, {BLOBS: BlobSource(l1, arguments.beacon, arguments.peer)})
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
    confirmed = bytes(read_call(reader.l1, deployment.court, "confirmed(uint256) bytes32", epoch))
    if not any(confirmed):
        print("L1 has not confirmed an end yet")
        return 0
    if confirmed == execution.end:
        print("L1 has confirmed this end")
        return 0
    print(f"L1 has confirmed another end: 0x{confirmed.hex()}")
    return 1
