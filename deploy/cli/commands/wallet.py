"""`setoff wallet`: files that hold a private key, and test money for them on a development chain."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_client
from setoff.shared.codec import signatures
from setoff.shared.config.deployment_file import is_hex
from setoff.shared.config.settings import read_key
from setoff.shared.errors import ConfigError

NEXT: Final = "next: setoff deposit 1000 locks some of them for an account at the exchange"


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "new":
        address = show_address(make_key_file(arguments.file))
        made = f"{address}: its key is in {arguments.file}, and nowhere else"
        show(arguments, {"address": address, "file": arguments.file}, made)
    elif arguments.part == "address":
        address = show_address(read_key(arguments.of, "wallet"))
        show(arguments, {"address": address}, address)
    else:
        return _fund(arguments)
    return 0


def make_key_file(path: Path) -> bytes:
    """Make a key, and a file for it that only its owner may use. Raises ConfigError if something is there."""
    key = (1 + secrets.randbelow(signatures.CURVE_ORDER - 1)).to_bytes(32, "big")
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = f"wallet: {path} is there already, and is not written over"
        with contextlib.suppress(ConfigError):
            text += f"; it holds the key of {show_address(read_key(str(path), 'wallet'))}"
        raise ConfigError("bad_config", text) from None
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
    from setoff.deploy.cli.connections import connect, get_money
    from setoff.deploy.devnet.anvil import dev_keys
    from setoff.deploy.devnet.devnet import FAUCET, WALLET, Faucet, check_is_devnet

    settings = load_client(arguments)
    deployment = settings.load_deployment()
    check_is_devnet(deployment, "a faucet")
    text = arguments.wallet
    owner = bytes.fromhex(text[2:]) if is_hex(text, 20) else signatures.address_of(read_key(text, "wallet"))
    l1 = connect(settings, deployment, dev_keys()[FAUCET])
    Faucet(l1, deployment).give(owner, arguments.tokens)
    tokens = get_money(deployment).show(arguments.tokens)
    more = f"0x{owner.hex()} has {WALLET / 10**18:g} ETH for gas and {tokens} more"
    show(arguments, {"address": owner, "wei": str(WALLET), "tokens": str(arguments.tokens)}, more, NEXT)
    return 0
