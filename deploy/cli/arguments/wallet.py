"""`setoff wallet`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.amounts import parse_amount
from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_path


def configure(parser: argparse.ArgumentParser) -> None:
    """A new key, the address of one, money for one."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    new = parts.add_parser("new", help="make a key in a new file that nobody else may read, and print its address")
    new.add_argument("file", type=parse_path, help="not there yet: no file is ever written over. Keep a copy")
    keystore = parts.add_parser(
        "keystore", help="put a key, a new one if none is named, into a new file that a password protects",
        description="Web3 Secret Storage, version 3 (scrypt, AES-128), as geth, web3signer and wallets read it.",
    )  # fmt: skip
    keystore.add_argument("file", type=parse_path, help="not there yet: no file is ever written over. Keep a copy")
    keystore.add_argument("--of", metavar="KEY", default="", help="the file with the key, which stays as it is; "
                          "by default a new key is made")  # fmt: skip
    keystore.add_argument("--key-password", metavar="FILE", default="",
                          help="that holds the password; by default it is asked for, twice")  # fmt: skip
    show = parts.add_parser("address", help="print the address of a key: deploy's --operator, for instance")
    show.add_argument("of", metavar="key", help="the file or keystore, or the key in hex")
    show.add_argument("--key-password", metavar="FILE", default="",
                      help="that holds a keystore's password; by default it is asked for")  # fmt: skip
    fund = parts.add_parser("fund", help="on a development chain: ether for gas, and test dollars")
    fund.add_argument("wallet", help="whose: a key's file, or an address")
    fund.add_argument("--tokens", type=parse_amount, metavar="AMOUNT", default=parse_amount("1000000"),
                      help="test dollars; a million if it is not said")  # fmt: skip
    add_chain(fund)
