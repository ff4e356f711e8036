"""secp256k1 signatures in compact form (EIP-2098): r, then s with the parity of R's y in its top bit; 64 bytes.

A signature is taken iff 0 < r < n, 0 < s <= n/2 and recovery succeeds: with the low-s rule added, exactly what the
``ecrecover`` precompile takes for v in {27, 28}.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from coincurve import PrivateKey

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.recovery import recover as _recover

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER: Final = CURVE_ORDER // 2
_AHEAD: Final = 1 << 12
"""Signers kept for whoever asks next; of more, the oldest are forgotten and recovered again."""

_ahead: Final[OrderedDict[bytes, bytes]] = OrderedDict()


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """20-byte address that signed the 32-byte `digest`, or None where the signature is not valid."""
    known = _ahead.pop(digest + signature, None) if _ahead else None
    return _recover(digest, signature) if known is None else known


def recover_ahead(digest: bytes, signature: bytes) -> bytes | None:
    """As `recover`, from any thread, for a record that the machine is about to see: the next `recover` is for nothing.

    Only the next: who runs records again, to check them or to measure how long it takes, does the whole work.
    """
    signer = _recover(digest, signature)
    if signer is not None:
        note_ahead(digest, signature, signer)
    return signer


def note_ahead(digest: bytes, signature: bytes, signer: bytes) -> None:
    """What another process of ours has found by `recover_ahead`: the next `recover` is for nothing, once."""
    _ahead[digest + signature] = signer
    if len(_ahead) > _AHEAD:
        _ahead.popitem(last=False)


def sign(digest: bytes, private_key: bytes | PrivateKey) -> bytes:
    """64-byte compact signature of the 32-byte `digest`.

    Who signs often hands the key over as a PrivateKey: to make one of 32 bytes takes as long as the signature.
    """
    key = PrivateKey(private_key) if isinstance(private_key, bytes) else private_key
    raw = key.sign_recoverable(digest, hasher=None)
    return compact(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64])


def compact(r: int, s: int, parity: int) -> bytes:
    """EIP-2098 form of (r, s, yParity), s made low."""
    if s > HALF_ORDER:
        s, parity = CURVE_ORDER - s, parity ^ 1
    return r.to_bytes(32, "big") + (s | (parity << 255)).to_bytes(32, "big")


def address_of(private_key: bytes) -> bytes:
    """20-byte address of a private key."""
    return keccak(PrivateKey(private_key).public_key.format(compressed=False)[1:])[12:]
