"""`setoff deposit`."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.wallet import add_chain, add_exchange, format_amount, open_vault, parse_amount


def configure(parser: argparse.ArgumentParser) -> None:
    """How much, from whom."""
    parser.add_argument("amount", type=parse_amount, help="tokens, as 100 or 12.5")
    add_exchange(parser)
    add_chain(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deposit, and say into which account."""
    vault = open_vault(arguments)
    account = vault.deposit(arguments.amount)
    print(f"{format_amount(arguments.amount)} locked for account {account}; the next batch credits it")
    return 0
