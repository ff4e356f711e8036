"""What the trader's commands share: which exchange, which deployment, which key."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.settings import read_key
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.sdk.vault import Vault

T = TypeVar("T")

_AMOUNT: Final = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?(\.[0-9]+)?(?<=[0-9])", re.ASCII)

DECIMALS: Final = 6
"""Of the development token, as amounts are typed: 12.5 is 12,500,000 units."""

RPC_PATIENCE: Final = 3.0
"""Seconds to wait for L1 before a trade goes on without a check of its receipt."""


def add_exchange(parser: argparse.ArgumentParser) -> None:
    """`--exchange`, `--key`, and for whom the key acts: `--sub`, or `--account` and `--agent`."""
    parser.add_argument("--exchange", metavar="URL", default=_default("EXCHANGE", "http://127.0.0.1:8700"),
                        help="the operator's API (or SETOFF_EXCHANGE); now %(default)s")  # fmt: skip
    parser.add_argument("--key", metavar="KEY", default=_default("KEY", ""),
                        help="private key in hex, or the file that holds it (or SETOFF_KEY)")  # fmt: skip
    parser.add_argument("--sub", type=int, metavar="N", default=0, help="act on the account's sub-account N, 1 to 15")
    parser.add_argument("--account", dest="principal", metavar="ACCOUNT", default="",
                        help="the account that the key trades for, as its --agent")  # fmt: skip
    parser.add_argument("--agent", type=int, metavar="N", default=0, help="the number of the key among its agents")
    add_receipts(parser)


def add_receipts(parser: argparse.ArgumentParser) -> None:
    """`--receipts`."""
    parser.add_argument("--receipts", metavar="FOLDER", type=Path, default=Path(_default("RECEIPTS", "var/receipts")),
                        help="where signed receipts are kept, if there is a deployment file to check them by "
                        "(or SETOFF_RECEIPTS); now %(default)s")  # fmt: skip


def add_chain(parser: argparse.ArgumentParser) -> None:
    """`--rpc` and `--deployment`."""
    parser.add_argument("--rpc", metavar="URL", default=_default("RPC_URL", "http://127.0.0.1:8545"),
                        help="the L1 node (or SETOFF_RPC_URL); now %(default)s")  # fmt: skip
    place = _default("DEPLOYMENT", "var/deployment.json")
    parser.add_argument("--deployment", metavar="FILE", type=Path, default=Path(place),
                        help="where the contracts are (or SETOFF_DEPLOYMENT); now %(default)s")  # fmt: skip


def open_vault(arguments: argparse.Namespace) -> Vault:
    """The vault, used with the key of the arguments."""
    deployment = Deployment.load(arguments.deployment)
    key = read_key(arguments.key, "--key")
    return Vault(L1(arguments.rpc, key, chain_id=deployment.chain_id), deployment)


def ask_exchange(arguments: argparse.Namespace, question: Callable[[SetoffClient], Awaitable[T]]) -> T:
    """Connect with the key of the arguments, if any, and ask."""

    async def ask() -> T:
        signer = KeySigner(read_key(arguments.key, "--key")) if arguments.key else None
        client = SetoffClient(
            arguments.exchange,
            signer,
            account=arguments.principal,
            agent=arguments.agent,
            sub=arguments.sub,
            receipt_store=open_receipt_store(arguments) if signer else None,
        )
        async with client:
            return await question(client)

    return asyncio.run(ask())


def open_receipt_store(arguments: argparse.Namespace) -> ReceiptStore | None:
    """The kept receipts of the deployment, None without its file. If L1 does not answer new ones are not checked."""
    path = getattr(arguments, "deployment", None) or Path(_default("DEPLOYMENT", "var/deployment.json"))
    if not path.is_file():
        return None
    deployment = Deployment.load(path)
    rpc = getattr(arguments, "rpc", None) or _default("RPC_URL", "http://127.0.0.1:8545")
    operator_bond = None
    try:
        operator_bond = OperatorBond.read(L1(rpc, chain_id=deployment.chain_id, patience=RPC_PATIENCE), deployment)
    except ChainError as error:
        print(f"receipts are kept, but not checked: {error}", file=sys.stderr)
    return ReceiptStore(receipts_file(arguments, deployment), deployment.domain, operator_bond)


def receipts_file(arguments: argparse.Namespace, deployment: Deployment) -> Path:
    """Where the receipts of this deployment are kept."""
    return Path(arguments.receipts) / f"{deployment.file_name}.jsonl"


def parse_amount(text: str) -> int:
    """Token units of a decimal amount, 1000.5 or 1,000.5: a comma parts thousands. Raises ArgumentTypeError."""
    whole, _, part = text.partition(".")
    if not _AMOUNT.fullmatch(text) or len(part) > DECIMALS:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no amount: type it as 100, 12.5 or 1,000.5, with {DECIMALS} decimals at most"
        )
    whole = whole.replace(",", "")
    return int((whole or "0") + part.ljust(DECIMALS, "0"))


def format_amount(units: int) -> str:
    """An amount for people."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{units // 10**DECIMALS:,}.{units % 10**DECIMALS:0{DECIMALS}d}"


def _default(name: str, value: str) -> str:
    return os.environ.get(f"SETOFF_{name}", value)
