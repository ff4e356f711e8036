"""The keys of a mnemonic, as wallets derive them: BIP-39 without a passphrase, BIP-32, Ethereum's path of BIP-44."""

from __future__ import annotations

import hmac
from hashlib import pbkdf2_hmac
from typing import Final

from coincurve import PrivateKey

from setoff.shared.codec.signatures import CURVE_ORDER

HARDENED: Final = 1 << 31
"""From this number on a child is derived from its parent's private key."""

PATH: Final = (44 + HARDENED, 60 + HARDENED, HARDENED, 0)
"""m/44'/60'/0'/0, under which the accounts are."""


def derive_keys(mnemonic: str, count: int) -> tuple[bytes, ...]:
    """The private keys, 32 bytes each, of the first `count` accounts."""
    seed = pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", 2048)
    root = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for number in PATH:
        root = _derive(root, number)
    return tuple(_derive(root, account)[:32] for account in range(count))


def _derive(parent: bytes, number: int) -> bytes:
    """Key and chain code, 32 bytes each, of a child."""
    key, chain_code = parent[:32], parent[32:]
    told = bytes(1) + key if number >= HARDENED else PrivateKey(key).public_key.format()
    digest = hmac.digest(chain_code, told + number.to_bytes(4, "big"), "sha512")
    secret = (int.from_bytes(digest[:32], "big") + int.from_bytes(key, "big")) % CURVE_ORDER
    return secret.to_bytes(32, "big") + digest[32:]
