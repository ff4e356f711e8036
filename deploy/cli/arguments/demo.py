"""`setoff demo`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments.words import parse_count, parse_path
from setoff.deploy.simulation.lies import CLAIM_LIES, list_lies

EPILOG: Final = """\
Everything is real: an L1 node, the contracts, an operator and two watchers as processes, order flow recorded at an
exchange. The operator claims a false end of one batch; the watchers find it, play the dispute game down to a single
step, and L1 judges it. In the end all facts are read back from the chain, and the exit code is 0 only if each holds.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which lie, how long, where to."""
    parser.epilog = f"{EPILOG}\nLies:\n{list_lies(CLAIM_LIES)}"
    parser.add_argument("--lie", choices=list(CLAIM_LIES), default="wrong-fill", metavar="NAME",
                        help="what the operator lies about; now %(default)s")  # fmt: skip
    parser.add_argument("--honest", action="store_true", help="no lie at all")
    parser.add_argument(
        "--data", default="calldata", metavar="NAME", help="where the records are posted, or blobs; now %(default)s"
    )
    parser.add_argument("--records", type=parse_count, metavar="N", help="events of the recorded order flow to send")
    parser.add_argument(
        "--seed", type=parse_count, default=0, metavar="N", help="chooses keys and which orders are sent"
    )
    parser.add_argument(
        "--console", action="store_true", help="print where the web consoles are, and keep all running until Ctrl-C"
    )
    parser.add_argument("--report", type=parse_path, metavar="FILE", help="write the summary there, too, as JSON")
    parser.add_argument("--keep", type=parse_path, metavar="DIR", help="keep logs and state in a new folder there")
