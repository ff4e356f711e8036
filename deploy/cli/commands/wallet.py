"""`setoff wallet`: files that hold a private key, and test money for them on a development chain."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import secrets
from pathlib import Path
from typing import Final

from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_client
from setoff.shared.codec import signatures
from setoff.shared.config.deployment_file import is_hex
from setoff.shared.config.key_file import encrypt_key, find_password, is_keystore, read_key
from setoff.shared.errors import ConfigError

NEXT: Final = "next: setoff deposit 1000 locks some of them for an account at the exchange"


def run(arguments: argparse.Namespace) -> int:
    """Run the part asked for."""
    if arguments.part == "new":
        address = show_address(make_key_file(arguments.file))
        made = f"{address}: its key is in {arguments.file}, and nowhere else"
        show(arguments, {"address": address, "file": arguments.file}, made)
    elif arguments.part == "keystore":
        address = show_address(make_keystore(arguments.file, arguments.of, arguments.key_password))
        made = f"{address}: its key is in {arguments.file}, for whoever has the password"
        show(arguments, {"address": address, "file": arguments.file}, made)
    elif arguments.part == "address":
        address = show_address(read_key(arguments.of, "key", arguments.key_password))
        show(arguments, {"address": address}, address)
    else:
        return _fund(arguments)
    return 0


def make_key_file(path: Path) -> bytes:
    """Make a key, and a file for it that only its owner may use. Raises ConfigError if something is there."""
    key = _draw_key()
    _write_new(path, f"0x{key.hex()}\n")
    return key


def make_keystore(path: Path, of: str, password_file: str) -> bytes:
    """Put a key, a new one unless `of` names one, into a new keystore. Raises ConfigError, before anything is asked, if
    something is there."""
    if path.exists():
        raise ConfigError("bad_config", f"wallet: {path} is there already, and is not written over")
    key = read_key(of, "key") if of else _draw_key()
    password = find_password(path, "key", password_file)
    if not password:
        raise ConfigError("bad_config", "wallet: an empty password protects nothing")
    if not password_file and getpass.getpass("the same again: ") != password:
        raise ConfigError("bad_config", "wallet: these are two passwords; nothing was written")
    _write_new(path, encrypt_key(key, password))
    return key


def _draw_key() -> bytes:
    return (1 + secrets.randbelow(signatures.CURVE_ORDER - 1)).to_bytes(32, "big")


def _write_new(path: Path, content: str) -> None:
    """A file that only its owner may use. Raises ConfigError if something is there."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = f"wallet: {path} is there already, and is not written over"
        if not is_keystore(str(path)):
            with contextlib.suppress(ConfigError):
                text += f"; it holds the key of {show_address(read_key(str(path), 'wallet'))}"
        raise ConfigError("bad_config", text) from None
    except OSError as error:
        raise ConfigError("bad_config", f"{path} cannot be made: {error.strerror}") from None
    with os.fdopen(file, "w") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def show_address(key: bytes) -> str:
    """0x and 40 digits."""
    return "0x" + signatures.address_of(key).hex()


def _fund(arguments: argparse.Namespace) -> int:
    from setoff.deploy.cli.connections import connect, get_money
    from setoff.deploy.devnet.anvil import dev_keys
    from setoff.deploy.devnet.faucet import FAUCET, WALLET, Faucet, check_is_devnet

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
