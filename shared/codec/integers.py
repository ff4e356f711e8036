"""Exact integer helpers. Twin: ``contracts/codec/integers.vy``.

Python's ``//`` floors and Vyper's truncates toward zero, so neither language's operator is used on signed numbers
outside this file. Charges round up, credits round down.
"""

from __future__ import annotations

from typing import Final

PPM: Final = 1_000_000


def div_up(a: int, b: int) -> int:
    """Smallest integer >= a / b; a >= 0, b > 0."""
    return (a + b - 1) // b


def div_floor(a: int, b: int) -> int:
    """Largest integer <= a / b for signed a; b > 0."""
    return a // b


def div_ceil(a: int, b: int) -> int:
    """Smallest integer >= a / b for signed a; b > 0."""
    return -((-a) // b)


def div_trunc(a: int, b: int) -> int:
    """a / b rounded toward zero for signed a; b > 0."""
    return a // b if a >= 0 else -((-a) // b)
