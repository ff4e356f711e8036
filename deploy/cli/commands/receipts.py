"""`setoff receipts`: what the operator signed for, held against what it posted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import requests

from setoff.deploy.cli.connections import connect
from setoff.deploy.cli.output import show, tell
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, ConfigError, InputError
from setoff.shared.l1 import receipts as contract
from setoff.shared.l1.account import open_account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.evidence import BROKEN, ChainPosted, prosecute
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.l1.session import ONCE, open_session, read_whole
from setoff.shared.sdk.receipt_store import Finding, OperatorBond, ReceiptStore

HANDED: Final = 256
MOST_BYTES: Final = 1 << 16
"""Of a watcher's answer."""

TIMEOUT: Final = 30


def run(arguments: argparse.Namespace) -> int:
    """Do the part asked for."""
    settings = load_client(arguments)
    deployment = settings.load_deployment()
    if arguments.part == "bond":
        return handle_bond(arguments, settings, deployment)
    unchecked = ReceiptStore.open(settings.receipts, deployment, None)
    path = unchecked.path
    if arguments.part == "list":
        return list_kept(arguments, unchecked, path)
    if not path.is_file():
        raise ConfigError("bad_config", f"receipts: none are kept in {path}")
    if arguments.part == "hand-over":
        handed, kept = hand_over(arguments.url, unchecked)
        said = f"the watcher has all {handed} receipts, {kept} of them new"
        show(arguments, {"handed": handed, "new": kept}, said)
        return 0
    l1 = connect(settings, deployment, open_account(settings) if arguments.part == "prosecute" else None)
    receipt_store = ReceiptStore.open(settings.receipts, deployment, OperatorBond.read(l1, deployment))
    receipt_store.check_signatures()
    if arguments.part == "prosecute":
        return charge(arguments, l1, deployment, receipt_store)
    return show_findings(
        arguments,
        receipt_store.check(ChainPosted(ChainReader(l1, deployment)), is_recent=arguments.recent),
        len(receipt_store),
    )


def list_kept(arguments: argparse.Namespace, receipt_store: ReceiptStore, path: Path) -> int:
    """Print what is kept."""
    kept = [signed.to_json() for sequence in sorted(receipt_store.kept) for signed in receipt_store.kept[sequence]]
    lines = ["  ".join(f"{name} {value}" for name, value in each.items() if name != "signature") for each in kept]
    show(arguments, kept, *(lines or [f"no receipts are kept in {path}"]))
    return 0


def show_findings(arguments: argparse.Namespace, findings: Sequence[Finding], count: int) -> int:
    """Print what became of so many receipts; 1 if one was broken."""
    broken = [finding for finding in findings if finding.state == BROKEN]
    lines = [f"{finding.sequence:>8} {finding.state:<8} {finding.text}".rstrip() for finding in findings]
    lines.append(f"{count} receipts, " + (f"{len(broken)} findings: BROKEN" if broken else "none broken"))
    if any(finding.charge for finding in broken):
        lines.append(
            "`setoff receipts prosecute --key KEY` takes the operator's bond, `hand-over` lets a watcher do it"
        )
    facts = [{"sequence": each.sequence, "state": each.state, "text": each.text} for each in findings]
    show(arguments, {"receipts": count, "broken": len(broken), "findings": facts}, *lines)
    return 1 if broken else 0


def hand_over(url: str, receipt_store: ReceiptStore) -> tuple[int, int]:
    """Give all receipts to a watcher, page by page; how many there are, and how many were new to it.

    Raises ChainError or InputError with the watcher's reason.
    """
    shown = [signed.to_json() for sequence in sorted(receipt_store.kept) for signed in receipt_store.kept[sequence]]
    kept, session = 0, open_session()
    for start in range(0, len(shown), HANDED):
        body = {"receipts": shown[start : start + HANDED]}
        try:
            response = session.post(f"{url.rstrip('/')}/v1/receipts", json=body, timeout=TIMEOUT, **ONCE)
            answer: dict[str, Any] = dict(json.loads(read_whole(response, MOST_BYTES)))
        except (requests.RequestException, OSError, ValueError, TypeError, RecursionError) as error:
            raise ChainError("not_ready", f"the watcher does not answer: {type(error).__name__}") from error
        if response.status_code != 200:
            raise InputError(str(answer.get("reason", "not_ready")), str(answer.get("detail", "")))
        if not isinstance(new := answer.get("kept"), int):
            raise ChainError("not_ready", "the watcher does not answer: it does not say how many it has kept")
        kept += new
    return len(shown), kept


def charge(arguments: argparse.Namespace, l1: L1, deployment: Deployment, receipt_store: ReceiptStore) -> int:
    """Show L1 the first charge that it takes; 1 if there is none."""
    for finding in receipt_store.check(ChainPosted(ChainReader(l1, deployment))):
        if finding.charge is None:
            continue
        try:
            l1.dry_run(deployment.receipts, finding.charge.calldata)
            if not arguments.dry_run:
                prosecute(l1, deployment.receipts, finding.charge)
        except Reverted as refusal:
            tell(arguments, f"{finding.sequence}: {finding.text}; L1 refuses: {refusal.reason}")
            continue
        facts = {"sequence": finding.sequence, "text": finding.text, "taken": not arguments.dry_run}
        if arguments.dry_run:
            show(arguments, facts, f"{finding.sequence}: {finding.text}; L1 would take the bond for it")
            return 0
        l1.transact(deployment.receipts, contract.collect(l1.address))
        show(arguments, facts, f"{finding.sequence}: {finding.text}; the bond is taken, half of it is yours")
        return 0
    show(arguments, {"sequence": None, "taken": False}, "nothing that L1 would take the bond for")
    return 1


def handle_bond(arguments: argparse.Namespace, settings: ClientSettings, deployment: Deployment) -> int:
    """Show the bond, or do something with it as the operator. Exit code 1 if it does not stand."""
    l1 = connect(settings, deployment, open_account(settings) if arguments.action else None)
    receipts = ReceiptsContract(l1, deployment.receipts)
    bond = receipts.bond()
    if arguments.action == "put-up":
        l1.transact(deployment.receipts, contract.deposit_bond(), max(bond.needed - bond.held, 1))
    elif arguments.action == "announce-exit":
        l1.transact(deployment.receipts, contract.announce_exit())
    elif arguments.action == "take-back":
        l1.transact(deployment.receipts, contract.withdraw_bond())
        l1.transact(deployment.receipts, contract.collect(l1.address))
    bond = receipts.bond()
    operator, slashed = receipts.operator(), receipts.slashings(deployment.block)
    show(
        arguments,
        {"operator": operator, "slashed": slashed, "stands": bond.stands, **bond._asdict()},
        f"operator    0x{operator.hex()}",
        f"bond        {bond.held} wei of {bond.needed}",
        f"exit        {f'announced, possible from {bond.exit_at}' if bond.exit_at else 'not announced'}",
        f"exit delay  {bond.exit_delay} s",
        f"slashed     {slashed} times",
    )
    return 0 if bond.stands or arguments.action in ("announce-exit", "take-back") else 1
