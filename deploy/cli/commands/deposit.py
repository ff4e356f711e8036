"""`setoff deposit`."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import format_amount
from setoff.deploy.cli.connections import open_vault
from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_client


def run(arguments: argparse.Namespace) -> int:
    """Deposit, and say into which account."""
    vault = open_vault(load_client(arguments))
    account = vault.deposit(arguments.amount)
    show(
        arguments,
        {"account": account, "amount": str(arguments.amount)},
        f"{format_amount(arguments.amount)} locked for account {account}; the next batch credits it",
    )
    return 0
