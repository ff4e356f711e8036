"""Where a private key comes from: hex, a file with hex in it, or a keystore (Web3 Secret Storage, version 3).

A keystore's password comes from a file, or from whoever sits at the terminal; never from the command line, where other
users of the machine see it. Nothing that is read here is ever shown.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from setoff.shared.config.deployment_file import is_hex
from setoff.shared.config.limits import is_url
from setoff.shared.errors import ConfigError

KEY_BYTES: Final = 32
KEYSTORE_VERSION: Final = 3

_typed: Final[dict[Path, str]] = {}
"""Passwords that somebody has typed: nobody is asked twice by one process."""


def read_key(text: str, setting: str, password_file: str = "") -> bytes:
    """A private key given in hex or as the name of a file, with the file that holds a keystore's password. Raises
    ConfigError, which never shows it."""
    if not text:
        raise ConfigError("bad_config", f"{setting}: is not set")
    if is_hex(text, KEY_BYTES):
        return bytes.fromhex(text.removeprefix("0x"))
    if is_url(text):
        raise ConfigError("bad_config", f"{setting}: is a remote signer, and this needs the key itself")
    try:
        path = Path(text).expanduser()
        content = path.read_text().strip()
    except (OSError, ValueError, RuntimeError):
        raise ConfigError("bad_config", f"{setting}: is neither 32 bytes of hex nor a readable file") from None
    if is_hex(content, KEY_BYTES):
        return bytes.fromhex(content.removeprefix("0x"))
    keystore = parse_keystore(content)
    if keystore is None:
        text = f"{setting}: names a file that does not hold 32 bytes of hex, nor a keystore of version 3"
        raise ConfigError("bad_config", text)
    return _decrypt(keystore, find_password(path, setting, password_file), path, setting)


def parse_keystore(content: str) -> Mapping[str, Any] | None:
    """The keystore of version 3 that a file holds, None if it holds something else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(found, dict) and found.get("version") == KEYSTORE_VERSION
    return found if is_one and isinstance(found.get("crypto", found.get("Crypto")), dict) else None


def is_keystore(text: str) -> bool:
    """Whether a key is given as the name of a file that holds a keystore."""
    try:
        return not is_hex(text, KEY_BYTES) and parse_keystore(Path(text).expanduser().read_text()) is not None
    except (OSError, ValueError, RuntimeError):
        return False


def encrypt_key(key: bytes, password: str) -> str:
    """The content of a keystore (scrypt, AES-128)."""
    from eth_account import Account  # the rest of the product needs neither it nor the curves that it brings

    return json.dumps(Account.encrypt(key, password, kdf="scrypt")) + "\n"


def find_password(path: Path, setting: str, password_file: str) -> str:
    """The password of the keystore at `path`: what `password_file` holds without the end of its line, else what is
    typed. Raises ConfigError where there is neither."""
    if password_file:
        try:
            return Path(password_file).expanduser().read_text().rstrip("\r\n")
        except (OSError, ValueError, RuntimeError):
            text = f"{setting}_password: names no file that can be read; it takes a file's name, not the password"
            raise ConfigError("bad_config", text) from None
    if path not in _typed:
        if not sys.stdin.isatty():
            text = f"{setting}: the keystore {path} needs a password: {setting}_password names a file that holds it"
            raise ConfigError("bad_config", text)
        _typed[path] = getpass.getpass(f"password of {path}: ")
    return _typed[path]


def _decrypt(keystore: Mapping[str, Any], password: str, path: Path, setting: str) -> bytes:
    from eth_account import Account

    try:
        key = bytes(Account.decrypt(dict(keystore), password))
    except Exception as error:  # whatever the file makes its libraries say
        _typed.pop(path, None)
        if "MAC mismatch" in str(error):
            raise ConfigError("bad_config", f"{setting}: that is not the password of the keystore {path}") from None
        text = f"{setting}: the keystore {path} cannot be read: it is damaged, or of a kind that is not known here"
        raise ConfigError("bad_config", text) from None
    if len(key) != KEY_BYTES:
        raise ConfigError("bad_config", f"{setting}: the keystore {path} holds {len(key)} bytes, a key has {KEY_BYTES}")
    return key
