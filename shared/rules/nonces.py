"""Nonces: each key of an account counts its own, and a record counts once. Twin: ``contracts/rules/nonces.vy``."""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.state.leaves import Account, Agent

NONCE_WINDOW: Final = 256
"""Nonces below the highest seen that can still be used, in any order."""
MAX_NONCE_JUMP: Final = 2**16
"""How far above the highest a nonce may be, so that no single record uses up a range: that takes 2^48 of an owner's,
and 2^16 of a session's. It is many times what may be on its way at once, of which the window takes no more than
itself."""
_BITMAP_MASK: Final = 2**256 - 1


def use_nonce(key: Account | Agent, nonce: int) -> int:
    """Mark `nonce` used; returns the outcome. Anti-replay window in the manner of RFC 6479, 256 wide.

    Nonces may come in any order; one that lies NONCE_WINDOW or more below the highest seen is too old.
    """
    if nonce > key.nonce_top:
        jump = nonce - key.nonce_top
        if jump > MAX_NONCE_JUMP:
            return errors.NONCE_TOO_FAR
        key.nonce_bitmap = (key.nonce_bitmap << jump) & _BITMAP_MASK if jump < NONCE_WINDOW else 0
        key.nonce_bitmap |= 1
        key.nonce_top = nonce
        return errors.ACCEPTED
    age = key.nonce_top - nonce
    if age >= NONCE_WINDOW:
        return errors.NONCE_TOO_OLD
    if key.nonce_bitmap >> age & 1:
        return errors.NONCE_USED
    key.nonce_bitmap |= 1 << age
    return errors.ACCEPTED
