"""`setoff receipts`: what the operator signed for, held against what it posted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, Final

import requests

from setoff.deploy.cli.wallet import add_chain, add_receipts, receipts_file
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.settings import read_key
from setoff.shared.errors import ChainError, ConfigError, InputError
from setoff.shared.l1 import receipts as contract
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.evidence import BROKEN, ChainPosted, prosecute
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.l1.session import ONCE, open_session, read_whole
from setoff.shared.sdk.receipt_store import Finding, OperatorBond, ReceiptStore

EPILOG: Final = """\
For every record that it takes the operator signs a receipt: the record's number among all
records, its hash, the running hash of all records up to it, and a deadline for the posting.
The commands of a trader keep them (--receipts FOLDER) and check them when they come.

  setoff receipts list                      what is kept
  setoff receipts check                     were they kept? Exit code 1 if one was broken
  setoff receipts hand-over http://…:8710   give them to a watcher, which prosecutes by itself
  setoff receipts prosecute --key KEY       show L1 what is broken: the operator's bond goes,
                                            half of it to you
  setoff receipts bond                      what stands behind them, and for how long

Provable on L1: another record in the promised place, a deadline passed without the record,
two receipts that contradict each other. Not provable there, but told by `check`: a running
hash that does not fit what was posted. A record that was left out can be forced on L1: its
124 bytes are in the file as "body".
"""
HANDED: Final = 256
MOST_BYTES: Final = 1 << 16
"""Of a watcher's answer."""

TIMEOUT: Final = 30


def configure(parser: argparse.ArgumentParser) -> None:
    """The parts."""
    parser.epilog = EPILOG
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    kept = parts.add_parser("list", help="the receipts that are kept")
    kept.add_argument("--json", action="store_true", help="as JSON, a line each")
    check = parts.add_parser("check", help="hold them against the posted batches; exit code 1 if one was broken")
    check.add_argument("--recent", action="store_true", help="believe the first receipt's running hash, instead of "
                       "reading every batch there ever was")  # fmt: skip
    hand_over = parts.add_parser("hand-over", help="give them to a watcher")
    hand_over.add_argument("url", help="the watcher's address")
    charge = parts.add_parser("prosecute", help="take the operator's bond for one that was broken")
    charge.add_argument("--dry-run", action="store_true", help="only ask whether L1 would take it")
    bond = parts.add_parser("bond", help="the bond; with the operator's key: put it up, take it back")
    bond.add_argument("action", nargs="?", choices=("put-up", "announce-exit", "take-back"))
    for part in (charge, bond):
        part.add_argument("--key", metavar="KEY", default="", help="private key in hex, or the file that holds it")
    for part in parts.choices.values():
        add_receipts(part)
        add_chain(part)


def run(arguments: argparse.Namespace) -> int:
    """Do the part asked for."""
    deployment = Deployment.load(arguments.deployment)
    if arguments.part == "bond":
        return handle_bond(arguments, deployment)
    path = receipts_file(arguments, deployment)
    if not path.is_file():
        raise ConfigError("bad_config", f"no receipts are kept in {path}")
    if arguments.part == "list":
        return show(ReceiptStore(path, deployment.domain, None), arguments.json)
    if arguments.part == "hand-over":
        return hand_over(arguments.url, ReceiptStore(path, deployment.domain, None))
    key = read_key(arguments.key, "--key") if arguments.part == "prosecute" else None
    l1 = L1(arguments.rpc, key, chain_id=deployment.chain_id)
    receipt_store = ReceiptStore(path, deployment.domain, OperatorBond.read(l1, deployment))
    if arguments.part == "check":
        receipt_store.check_signatures()
        return check(
            receipt_store.check(ChainPosted(ChainReader(l1, deployment)), is_recent=arguments.recent), receipt_store
        )
    return charge(l1, deployment, receipt_store, is_dry=arguments.dry_run)


def show(receipt_store: ReceiptStore, as_json: bool) -> int:
    """Print what is kept."""
    for sequence in sorted(receipt_store.kept):
        for signed in receipt_store.kept[sequence]:
            shown = signed.to_json()
            print(json.dumps(shown) if as_json else "  ".join(f"{k} {v}" for k, v in shown.items() if k != "signature"))
    return 0


def check(findings: Sequence[Finding], receipt_store: ReceiptStore) -> int:
    """Print what became of them; 1 if one was broken."""
    broken = [finding for finding in findings if finding.state == BROKEN]
    for finding in findings:
        print(f"{finding.sequence:>8} {finding.state:<8} {finding.text}".rstrip())
    print(f"{len(receipt_store)} receipts, " + (f"{len(broken)} findings: BROKEN" if broken else "none broken"))
    if any(finding.charge for finding in broken):
        print("`setoff receipts prosecute --key KEY` takes the operator's bond, `hand-over` lets a watcher do it")
    return 1 if broken else 0


def hand_over(url: str, receipt_store: ReceiptStore) -> int:
    """Give all receipts to a watcher, page by page. Raises ChainError or InputError with the watcher's reason."""
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
    print(f"the watcher has all {len(shown)} receipts, {kept} of them new")
    return 0


def charge(l1: L1, deployment: Deployment, receipt_store: ReceiptStore, *, is_dry: bool) -> int:
    """Show L1 the first charge that it takes; 1 if there is none."""
    receipt_store.check_signatures()
    findings = receipt_store.check(ChainPosted(ChainReader(l1, deployment)))
    for finding in findings:
        if finding.charge is None:
            continue
        try:
            l1.dry_run(deployment.receipts, finding.charge.calldata)
            if not is_dry:
                prosecute(l1, deployment.receipts, finding.charge)
        except Reverted as refusal:
            print(f"{finding.sequence}: {finding.text}; L1 refuses: {refusal.reason}")
            continue
        if is_dry:
            print(f"{finding.sequence}: {finding.text}; L1 would take the bond for it")
            return 0
        l1.transact(deployment.receipts, contract.collect(l1.address))
        print(f"{finding.sequence}: {finding.text}; the bond is taken, half of it is yours")
        return 0
    print("nothing that L1 would take the bond for")
    return 1


def handle_bond(arguments: argparse.Namespace, deployment: Deployment) -> int:
    """Show the bond, or do something with it as the operator. Exit code 1 if it does not stand."""
    key = read_key(arguments.key, "--key") if arguments.action else None
    l1 = L1(arguments.rpc, key, chain_id=deployment.chain_id)
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
    print(f"operator    0x{receipts.operator().hex()}")
    print(f"bond        {bond.held} wei of {bond.needed}")
    print(f"exit        {f'announced, possible from {bond.exit_at}' if bond.exit_at else 'not announced'}")
    print(f"exit delay  {bond.exit_delay} s")
    print(f"slashed     {receipts.slashings(deployment.block)} times")
    return 0 if bond.stands or arguments.action in ("announce-exit", "take-back") else 1
