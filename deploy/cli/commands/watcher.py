"""`setoff watcher`: re-executes what was posted, and disputes what is claimed falsely."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from setoff.deploy.cli import settings
from setoff.deploy.cli.output import show
from setoff.shared.errors import ConfigError
from setoff.shared.machine.batch import Batch
from setoff.watcher.settings import WatcherSettings


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    loaded = settings.load_service(arguments, WatcherSettings)
    if arguments.part == "run":
        from setoff.watcher.service import run_watcher

        run_watcher(loaded.unlock())
    elif arguments.part == "worker":
        from setoff.watcher.execution.worker import run_worker
        from setoff.watcher.preflight import wait_for_l1

        if wait_for_l1(loaded, threading.Event()):
            run_worker(loaded)
    elif arguments.part == "blob":
        return _keep_blob(arguments, loaded)
    elif arguments.part == "receipts":
        return _handle_receipts(arguments, loaded)
    elif arguments.part == "disputes":
        return _show_disputes(arguments, loaded)
    elif arguments.part == "doctor":
        return _examine(arguments, loaded)
    else:
        return _show_status(arguments, loaded)
    return 0


def _show_status(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.shared.config.store_health import find_store_problems
    from setoff.watcher.context import find_store, name_redis
    from setoff.watcher.monitor.status import describe_status, find_problems
    from setoff.watcher.pulse import read_status

    store = find_store(loaded, loaded.load_deployment())
    if store is None:
        nothing = f"nothing runs: no Redis server answers as {name_redis(loaded)} (REDIS_URL names another one)"
        problems = [*find_store_problems(loaded), nothing]
        show(arguments, {"processes": [], "problems": problems}, *(f"PROBLEM: {each}" for each in problems))
        return 1
    problems = find_store_problems(loaded, store.redis)
    statuses = read_status(store)
    problems += find_problems(statuses)
    facts = [{"process": each.process, "age": each.age, "alive": each.is_alive, **each.facts} for each in statuses]
    asked = f"asked: {name_redis(loaded)}, keys {store.prefix}:…"
    told = [describe_status(statuses), *(f"PROBLEM: {problem}" for problem in problems)]
    show(arguments, {"processes": facts, "problems": problems}, asked, *told)
    return 1 if problems else 0


def _keep_blob(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.watcher.chain.blobs import keep_blob
    from setoff.watcher.context import open_store

    try:
        blob = arguments.file.read_bytes()
    except OSError as error:
        raise ConfigError("bad_config", f"{arguments.file} cannot be read: {error.strerror}") from None
    store = open_store(loaded, loaded.load_deployment())
    kept = f"0x{keep_blob(store, blob).hex()}"
    show(arguments, {"kept": kept}, f"kept: {kept}")
    return 0


def _handle_receipts(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.shared.l1.receipts import ReceiptsContract
    from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
    from setoff.watcher.context import Context
    from setoff.watcher.receipts.docket import ReceiptDocket

    context = Context.open(loaded)
    store = ReceiptDocket(context.store)
    facts: dict[str, Any] = {}
    lines = []
    file = arguments.file
    if file is not None:
        if not file.is_file():
            raise ConfigError("bad_config", f"there is no file {file}")
        contract = ReceiptsContract(context.l1, context.deployment.receipts)
        receipt_store = ReceiptStore(file, context.deployment.domain, OperatorBond(contract.operator(), 0, 0))
        receipt_store.check_signatures()
        facts["new"] = store.put(signed for there in receipt_store.kept.values() for signed in there)
        lines.append(f"{facts['new']} new receipts")
    waiting, kept = store.count()
    cases = store.cases()
    lines.append(f"{waiting} wait, {kept} kept, {len(cases)} broken")
    lines += [f"{case.sequence:>8} {case.kind:<14} {case.state:<14} {case.text}" for case in cases]
    broken = [{"sequence": each.sequence, "kind": each.kind, "state": each.state, "text": each.text} for each in cases]
    show(arguments, {**facts, "waiting": waiting, "kept": kept, "broken": broken}, *lines)
    return 1 if cases else 0


def _show_disputes(arguments: argparse.Namespace, loaded: WatcherSettings) -> int:
    from setoff.shared.config.settings import parse_listen
    from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
    from setoff.watcher.monitor.metrics import to_prometheus
    from setoff.watcher.monitor.pages import make_server
    from setoff.watcher.monitor.text import to_text

    monitor = DisputeMonitor(loaded, arguments.low)
    if arguments.past:
        past = monitor.read_past()
        show(arguments, past, monitor.describe_past(past))
        return 0
    if arguments.listen:
        with make_server(parse_listen(arguments.listen), monitor.look) as server:
            print(f"disputes: http://{server.server_address[0]!s}:{server.server_address[1]}", flush=True)
            server.serve_forever()
        return 0
    overview = monitor.look()
    words = to_prometheus(overview).rstrip() if arguments.prometheus else to_text(overview)
    show(arguments, overview.to_dict(), words)
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
    facts = {"could_win": could_win, "findings": [finding._asdict() for finding in findings]}
    show(arguments, facts, f"this watcher could {'' if could_win else 'NOT '}win a dispute{keeping} today")
    return 0 if could_win else 1
