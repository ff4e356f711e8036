# pragma version 0.4.3
"""
@title Exact integer helpers
@license MIT
@notice Python's `//` floors and Vyper's truncates toward zero, so neither is used on signed numbers outside this file.
        Charges round up, credits round down. Twin: `shared/codec/integers.py`.
@dev Every divisor is positive, so the one overflow of a signed division (the smallest number by -1) cannot occur.
"""

PPM: constant(uint256) = 1_000_000


@internal
@pure
def div_up(a: uint256, b: uint256) -> uint256:
    """
    @return Smallest integer >= a / b; b > 0.
    """
    return (a + b - 1) // b


@internal
@pure
def div_floor(a: int256, b: int256) -> int256:
    """
    @return Largest integer <= a / b; b > 0.
    """
    quotient: int256 = a // b
    if a < 0 and quotient * b != a:
        quotient -= 1
    return quotient


@internal
@pure
def div_ceil(a: int256, b: int256) -> int256:
    """
    @return Smallest integer >= a / b; b > 0.
    """
    quotient: int256 = a // b
    if a > 0 and quotient * b != a:
        quotient += 1
    return quotient


@internal
@pure
def div_trunc(a: int256, b: int256) -> int256:
    """
    @return a / b rounded toward zero; b > 0.
    """
    return a // b
