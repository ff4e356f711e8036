# pragma version 0.4.3
"""
@title Nonces: each key of an account counts its own, and a record counts once
@license MIT
@notice Twin: `shared/rules/nonces.py`.
"""

import errors

# Nonces below the highest seen that can still be used, in any order.
NONCE_WINDOW: constant(uint256) = 256
# How far above the highest a nonce may be: 2**48 records use up what an owner has, whatever their nonces.
MAX_NONCE_JUMP: constant(uint256) = 2**16


@internal
@pure
def use_nonce(top: uint256, bitmap: uint256, nonce: uint256) -> (uint256, uint256, uint256):
    """
    @notice Mark `nonce` used. Anti-replay window in the manner of RFC 6479, 256 wide: nonces may come in any order; one
            that lies NONCE_WINDOW or more below the highest seen is too old.
    @return The highest nonce, the bitmap and the outcome.
    """
    if nonce > top:
        jump: uint256 = nonce - top
        if jump > MAX_NONCE_JUMP:
            return top, bitmap, errors.NONCE_TOO_FAR
        return nonce, (bitmap << jump if jump < NONCE_WINDOW else 0) | 1, errors.ACCEPTED
    age: uint256 = top - nonce
    if age >= NONCE_WINDOW:
        return top, bitmap, errors.NONCE_TOO_OLD
    if bitmap >> age & 1 == 1:
        return top, bitmap, errors.NONCE_USED
    return top, bitmap | 1 << age, errors.ACCEPTED
