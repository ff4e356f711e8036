"""`setoff watcher`: re-executes what was posted, and disputes what is claimed falsely."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path
from typing import Final

from setoff.deploy.cli import settings
from setoff.shared.errors import ConfigError
from setoff.shared.machine.batch import Batch
from setoff.watcher.settings import WatcherSettings

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
LIVENESS_KEEPER: Final = (
    "With --set liveness_keeper=true it also keeps the exchange alive while its operator is silent: once L1 lets "
    "everybody post, it posts what waits in the queue (forced withdrawals above all), fills the epoch up, claims it "
    "with a stake, and sends what the wind-down needs. That takes a key with ether."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The whole watcher, more workers on other machines, and a look at how it is."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name, purpose in (
        ("run", "follower, workers, archivist and challenger, until SIGTERM or SIGINT; without a key it only watches"),
        ("worker", "one more process that executes epochs, on any machine that reaches the watcher's Redis"),
        (
            "status",
            "how the processes of a watcher are, and how much evidence is kept; exit code 1 if one is missing, is "
            "silent or has an error",
        ),
        ("blob", "hand in a blob that the watcher misses, or any to keep, from a file"),
        (
            "receipts",
            "hand in receipts from a trader's file, and see what became of all of them; exit code 1 if one is broken",
        ),
    ):
        part = parts.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        settings.add_arguments(part, WatcherSettings)
        if name == "blob":
            part.add_argument("file", type=Path, help="131,072 bytes, as they are")
        if name == "receipts":
            part.add_argument("file", type=Path, nargs="?", help="JSON lines, as `setoff receipts` keeps them")
        if name == "run":
            part.epilog = f"{CAPITAL}\n\n{EVIDENCE}\n\n{LIVENESS_KEEPER}\n\n{part.epilog}"
    _configure_disputes(
        parts.add_parser(
            "disputes", help="the disputes that are on, withheld data, the operator's presence, and alerts"
        )
    )
    _configure_doctor(parts.add_parser("doctor", help="whether this watcher could win a dispute today"))


def _configure_disputes(part: argparse.ArgumentParser) -> None:
    part.description = (
        "The disputes that are on; batches whose data is withheld, and until when what is claimed of them can be "
        "disputed; whether the operator is there, from when on anybody may post, and whether the exchange winds down. "
        "Exit code 1 if there is an alert: also where a claim cannot be judged here and a quarter of the challenge "
        "period is gone (critical when half of it is), or a process of the watcher's has an error."
    )
    settings.add_arguments(part, WatcherSettings)
    part.add_argument("--json", action="store_true", help="as JSON")
    part.add_argument("--prometheus", action="store_true", help="as metrics")
    part.add_argument("--past", action="store_true", help="those that are over, with the money that they brought and "
                      "cost the account of the key")  # fmt: skip
    part.add_argument("--listen", metavar="HOST:PORT", help="serve /metrics, /disputes and / there until stopped")
    part.add_argument("--low", type=int, metavar="SECONDS",
                      help="an honest clock with less is an alert; by default a quarter of the period")  # fmt: skip


def _configure_doctor(part: argparse.ArgumentParser) -> None:
    part.description = (
        "Whether this watcher could win a dispute today, and as a liveness keeper claim what it posts (it takes a "
        "stake, and the gas of whole epochs). Exit code 1, and why, if it could not."
    )
    settings.add_arguments(part, WatcherSettings)
    part.add_argument("--liars", type=int, default=10, metavar="N", help="to have the money for; now %(default)s")
    part.add_argument(
        "--steps", type=int, metavar="N", help="of the largest batch to expect; by default the rules' cap"
    )
    part.add_argument("--kappa", type=int, metavar="SECONDS", help="that building a history may take; by default the "
                      "preset's whose terms the court has")  # fmt: skip
    part.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load(arguments, WatcherSettings)
    if arguments.part == "run":
        from setoff.watcher.service import run_watcher

        run_watcher(loaded)
    elif arguments.part == "worker":
        from setoff.watcher.execution.worker import run_worker
        from setoff.watcher.preflight import wait_for_l1

        if wait_for_l1(loaded, threading.Event()):
            run_worker(loaded)
    elif arguments.part == "blob":
        return _keep_blob(arguments.file, loaded)
    elif arguments.part == "receipts":
        return _handle_receipts(arguments.file, loaded)
    elif arguments.part == "disputes":
        return _show_disputes(arguments, loaded)
    elif arguments.part == "doctor":
        return _examine(arguments, loaded)
    else:
        return _show_status(loaded)
    return 0


def _show_status(loaded: WatcherSettings) -> int:
    from setoff.watcher.context import find_store, name_redis
    from setoff.watcher.monitor.status import describe_status, find_problems
    from setoff.watcher.pulse import read_status

    store = find_store(loaded, loaded.load_deployment())
    if store is None:
        print(f"PROBLEM: nothing runs: no Redis server answers as {name_redis(loaded)} (REDIS_URL names another one)")
        return 1
    statuses = read_status(store)
    print(f"asked: {name_redis(loaded)}, keys {store.prefix}:…")
    print(describe_status(statuses))
    return 1 if find_problems(statuses) else 0


def _keep_blob(path: Path, loaded: WatcherSettings) -> int:
    from setoff.watcher.chain.blobs import keep_blob
    from setoff.watcher.context import open_store

    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ConfigError("bad_config", f"{path} cannot be read: {error.strerror}") from None
    store = open_store(loaded, loaded.load_deployment())
    print(f"kept: 0x{keep_blob(store, blob).hex()}")
    return 0


def _handle_receipts(file: Path | None, loaded: WatcherSettings) -> int:
    from setoff.shared.l1.receipts import ReceiptsContract
    from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
    from setoff.watcher.context import Context
    from setoff.watcher.receipts.docket import ReceiptDocket

    context = Context.open(loaded)
    store = ReceiptDocket(context.store)
    if file is not None:
        if not file.is_file():
            raise ConfigError("bad_config", f"there is no file {file}")
        contract = ReceiptsContract(context.l1, context.deployment.receipts)
        receipt_store = ReceiptStore(file, context.deployment.domain, OperatorBond(contract.operator(), 0, 0))
        receipt_store.check_signatures()
        print(f"{store.put(signed for there in receipt_store.kept.values() for signed in there)} new receipts")
    waiting, kept = store.count()
    print(f"{waiting} wait, {kept} kept")
    cases = store.cases()
    for case in cases:
        print(f"{case.sequence:>8} {case.kind:<14} {case.state:<14} {case.text}")
    return 1 if cases else 0


def _show_disputes(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.shared.config.settings import parse_listen
    from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
    from setoff.watcher.monitor.metrics import to_prometheus
    from setoff.watcher.monitor.pages import make_server
    from setoff.watcher.monitor.text import to_text

    monitor = DisputeMonitor(loaded, arguments.low)
    if arguments.past:
        print(monitor.describe_past())
        return 0
    if arguments.listen:
        with make_server(parse_listen(arguments.listen), monitor.look) as server:
            print(f"disputes: http://{server.server_address[0]!s}:{server.server_address[1]}", flush=True)
            server.serve_forever()
        return 0
    overview = monitor.look()
    if arguments.json:
        print(json.dumps(overview.to_dict(), indent=2))
    else:
        print(to_prometheus(overview).rstrip() if arguments.prometheus else to_text(overview))
    return 1 if overview.alerts else 0


def _examine(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
    from setoff.watcher.monitor.doctor import Doctor

    def make_batches(chain_id: int, vault: bytes) -> list[Batch]:
        return play_epoch(SampleTraffic(chain_id, vault))

    doctor = Doctor(loaded, make_batches, liars=arguments.liars, steps=arguments.steps, kappa=arguments.kappa)
    findings = []
    for finding in doctor.examine():
        findings.append(finding)
        if not arguments.json:
            print(f"{finding.grade:<5} {finding.what}: {finding.seen}", flush=True)
    keeping = " and keep the exchange alive" if loaded.liveness_keeper else ""
    could_win = not any(finding.is_fatal for finding in findings)
    if arguments.json:
        print(json.dumps({"could_win": could_win, "findings": [finding._asdict() for finding in findings]}, indent=2))
    else:
        print(f"this watcher could {'' if could_win else 'NOT '}win a dispute{keeping} today")
    return 0 if could_win else 1
