"""`setoff wallet`: files that hold a private key, and test money for them on a development chain."""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path

from setoff.deploy.cli.wallet import add_chain, format_amount, parse_amount
from setoff.shared.codec import signatures
from setoff.shared.config.deployment_file import Deployment, is_hex
from setoff.shared.config.settings import read_key
from setoff.shared.errors import ConfigError


def configure(parser: argparse.ArgumentParser) -> None:
    """A new key, the address of one, money for one."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    new = parts.add_parser("new", help="make a key in a new file that nobody else may read, and print its address")
    new.add_argument("file", type=Path, help="not there yet: no file is ever written over. Keep a copy")
    show = parts.add_parser("address", help="print the address of a key: deploy's --operator, for instance")
    show.add_argument("key", help="the file, or the key in hex")
    fund = parts.add_parser("fund", help="on a development chain: ether for gas, and test dollars")
    fund.add_argument("wallet", help="whose: a key's file, or an address")
    fund.add_argument("--tokens", type=parse_amount, metavar="AMOUNT", default=parse_amount("1000000"),
                      help="test dollars; a million if it is not said")  # fmt: skip
    add_chain(fund)


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "new":
        print(f"{show_address(make_key_file(arguments.file))}: its key is in {arguments.file}, and nowhere else")
    elif arguments.part == "address":
        print(show_address(read_key(arguments.key, "wallet")))
    else:
        return _fund(arguments)
    return 0


def make_key_file(path: Path) -> bytes:
    """Make a key, and a file for it that only its owner may use. Raises ConfigError if something is there."""
    key = (1 + secrets.randbelow(signatures.CURVE_ORDER - 1)).to_bytes(32, "big")
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError("bad_config", f"{path} is there already, and is not written over") from None
    except OSError as error:
        raise ConfigError("bad_config", f"{path} cannot be made: {error.strerror}") from None
    with os.fdopen(file, "w") as opened:
        opened.write(f"0x{key.hex()}\n")
        opened.flush()
        os.fsync(opened.fileno())
    return key


def show_address(key: bytes) -> str:
    """0x and 40 digits."""
    return "0x" + signatures.address_of(key).hex()


def _fund(arguments: argparse.Namespace) -> int:
    from setoff.deploy.devnet.anvil import CHAIN_ID, dev_keys
    from setoff.deploy.devnet.devnet import FAUCET, WALLET, Faucet
    from setoff.shared.l1.connection import L1

    deployment = Deployment.load(arguments.deployment)
    if deployment.chain_id != CHAIN_ID:
        raise ConfigError(
            "wrong_chain", f"only a development chain ({CHAIN_ID}) has a faucet, not {deployment.chain_id}"
        )
    text = arguments.wallet
    owner = bytes.fromhex(text[2:]) if is_hex(text, 20) else signatures.address_of(read_key(text, "wallet"))
    l1 = L1(arguments.rpc, dev_keys()[FAUCET], chain_id=deployment.chain_id)
    Faucet(l1, deployment).give(owner, arguments.tokens)
    print(f"0x{owner.hex()} has {WALLET / 10**18:g} ETH and {format_amount(arguments.tokens)} test dollars more")
    return 0
