"""`setoff watcher`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments import config
from setoff.deploy.cli.arguments.common import add_service
from setoff.deploy.cli.arguments.words import parse_count, parse_path

CAPITAL: Final = """\
Money: one bond stands for the truth against any number of liars about one epoch. An attacker who lies about every epoch
ties up one of yours for each (one stake of his covers many such claims): with the challenge period T, up to
T / claim_interval + 1 bonds at once (rounded up; on mainnet's terms 169), and twice as many if he censors as well. All
come back; but with fewer the epochs beyond them stand undefended by you. `setoff watcher status` and `doctor` compare
what you hold."""

EVIDENCE: Final = """\
Disk: what an epoch takes to be disputed stays in Redis until L1 has confirmed, settled and paid it; the history of a
disputed epoch goes to `evidence_dir`, about 50 bytes a step. `setoff watcher status` shows how much of each there is,
how many inputs were checked against plain steps, and an ALARM if one came out otherwise."""

WORKERS: Final = """\
Near the head of L1 one worker executes and the others stand by. With three epochs or more to go they share the work:
whoever has nothing to do in order takes epochs from machines at claimed ends, which it asks of `peers` and
`snapshot_peers` (operators and other watchers), and checks by their hash; what it comes to counts once the epochs
before are executed and end there. Where nobody has a machine it finds the signers of what comes."""

LIVENESS_KEEPER: Final = (
    "With --set liveness_keeper=true it also keeps the exchange alive while its operator is silent: once L1 lets "
    "everybody post, it posts what waits in the queue (forced withdrawals above all), fills the epoch up, claims it "
    "with a stake, and sends what the wind-down needs. That takes a key with ether."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The whole watcher, more workers on other machines, and a look at how it is."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    run = parts.add_parser(
        "run", help="follower, workers, archivist and challenger, until a signal; without a key it only watches"
    )
    run.description = (
        "Follower, workers, archivist and challenger, until SIGTERM or SIGINT; without a key it only watches."
    )
    run.epilog = f"{CAPITAL}\n\n{EVIDENCE}\n\n{LIVENESS_KEEPER}"
    worker = parts.add_parser(
        "worker", help="one more process that executes epochs, on any machine that reaches the watcher's Redis"
    )
    worker.epilog = WORKERS
    status = parts.add_parser(
        "status",
        help="how the processes of a watcher are, and how much evidence is kept; exit code 1 if one is missing, is "
        "silent or has an error",
    )
    blob = parts.add_parser("blob", help="hand in a blob that the watcher misses, or any to keep, from a file")
    blob.add_argument("file", type=parse_path, help="131,072 bytes, as they are")
    receipts = parts.add_parser(
        "receipts",
        help="hand in receipts from a trader's file, and see what became of all of them; exit code 1 if one is broken",
    )
    receipts.add_argument("file", type=parse_path, nargs="?", help="JSON lines, as `setoff receipts` keeps them")
    disputes = parts.add_parser(
        "disputes", help="the disputes that are on, withheld data, the operator's presence, and alerts"
    )
    _configure_disputes(disputes)
    doctor = parts.add_parser("doctor", help="whether this watcher could win a dispute today")
    _configure_doctor(doctor)
    for part in (run, worker):
        part.set_defaults(is_service=True)
    for part in (run, worker, status, blob, receipts, disputes, doctor):
        add_service(part, "watcher")
    config.configure(parts, "watcher")


def _configure_disputes(part: argparse.ArgumentParser) -> None:
    part.description = (
        "The disputes that are on; batches whose data is withheld, and until when what is claimed of them can be "
        "disputed; whether the operator is there, from when on anybody may post, and whether the exchange winds down. "
        "Exit code 1 if there is an alert: also where a claim cannot be judged here and a quarter of the challenge "
        "period is gone (critical when half of it is), or a process of the watcher's has an error."
    )
    part.add_argument("--prometheus", action="store_true", help="as metrics")
    part.add_argument("--past", action="store_true", help="those that are over, with the money that they brought and "
                      "cost the account of the key")  # fmt: skip
    part.add_argument("--listen", metavar="HOST:PORT", help="serve /metrics, /disputes and / there until stopped")
    part.add_argument("--low", type=parse_count, metavar="SECONDS",
                      help="an honest clock with less is an alert; by default a quarter of the period")  # fmt: skip


def _configure_doctor(part: argparse.ArgumentParser) -> None:
    part.description = (
        "Whether this watcher could win a dispute today, and as a liveness keeper claim what it posts (it takes a "
        "stake, and the gas of whole epochs). Exit code 1, and why, if it could not."
    )
    part.add_argument(
        "--liars", type=parse_count, default=10, metavar="N", help="to have the money for; now %(default)s"
    )
    part.add_argument(
        "--steps", type=parse_count, metavar="N", help="of the largest batch to expect; by default the rules' cap"
    )
    part.add_argument("--kappa", type=parse_count, metavar="SECONDS", help="that building a history may take; by "
                      "default the preset's whose terms the court has")  # fmt: skip
