"""One price from several: what is too old or too far from the others is left out, the middle of the rest counts.

    1. What failed, is no positive number, or is older than `max_age` is rejected; so is what is as far in the future.
    2. Of what is left, whatever is farther than `max_distance` basis points from the median is rejected.
    3. If at least `least` sources are left, the price is their median: the middle one, or half of the two there.

While the honest sources are more than half, and no farther from each other than `max_distance`, the price is one
between theirs, whatever the others say. All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from setoff.shared.errors import InputError
from setoff.shared.state.keys import MAX_TICK

BASIS: Final = 10_000
"""Basis points of one."""
MOST_DIGITS: Final = 100
"""Characters of a number that a source gives: exact arithmetic with a million digits takes minutes."""


class Observation(NamedTuple):
    """What a source said: the price, and as of when (unix seconds); or why it said nothing."""

    source: str
    price: Fraction | None
    time: float = 0.0
    problem: str = ""


class Rejected(NamedTuple):
    """An observation that is not used, and why."""

    observation: Observation
    why: str


class Verdict(NamedTuple):
    """What comes of a round: the price, None where too few sources are left."""

    price: Fraction | None
    used: tuple[Observation, ...]
    rejected: tuple[Rejected, ...]


def aggregate(
    observations: Sequence[Observation], now: float, *, max_age: float, max_distance: float, least: int
) -> Verdict:
    """The price of a market; ages in seconds, the distance in basis points."""
    rejected = []
    good: list[Observation] = []
    for each in observations:
        if why := _find_fault(each, now, max_age):
            rejected.append(Rejected(each, why))
        else:
            good.append(each)
    if good:
        middle = compute_median([each.price for each in good if each.price is not None])
        bound = middle * Fraction(max_distance) / BASIS
        far = [each for each in good if each.price is not None and abs(each.price - middle) > bound]
        for each in far:
            assert each.price is not None
            points = abs(each.price - middle) * BASIS / middle
            rejected.append(Rejected(each, f"{float(points):.1f} basis points from the median {show(middle)}"))
        good = [each for each in good if each not in far]
    prices = [each.price for each in good if each.price is not None]
    price = compute_median(prices) if len(prices) >= max(least, 1) else None
    return Verdict(price, tuple(good), tuple(rejected))


def compute_median(prices: Sequence[Fraction]) -> Fraction:
    """The middle one, or half of the two in the middle; of one at least."""
    ordered = sorted(prices)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def to_ticks(price: Fraction, tick: Fraction) -> int:
    """The nearest number of ticks, the higher of two. Raises InputError if the book has no such price."""
    ticks = (price / tick + Fraction(1, 2)).__floor__()
    if not 1 <= ticks <= MAX_TICK:
        raise InputError(
            "price_out_of_range", f"{show(price)} is {ticks} ticks of {show(tick)}: 1 to {MAX_TICK} can be"
        )
    return ticks


def read_price(value: object) -> Fraction:
    """The number that a source gives, of MOST_DIGITS characters at most. Raises ValueError unless it is a finite one
    above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    # A float as it is written: what was meant by 0.1 is a tenth.
    text = str(value).strip()
    if len(text) > MOST_DIGITS:
        raise ValueError(f"'{text[:40]}...' has more than {MOST_DIGITS} characters")
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{str(value)[:40]!r} is no number") from None
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > 60:
        raise ValueError(f"{str(value)[:40]!r} is no price")
    return Fraction(number)


def show(number: Fraction) -> str:
    """For people: at most twelve digits behind the point."""
    text = f"{Decimal(number.numerator) / Decimal(number.denominator):.12f}"
    return text.rstrip("0").rstrip(".")


def _find_fault(each: Observation, now: float, max_age: float) -> str:
    if each.price is None:
        return each.problem or "it said nothing"
    if each.price <= 0:
        return "it is no price"
    if now - each.time > max_age:
        return f"{now - each.time:.0f} s old"
    if each.time - now > max_age:
        return f"of a time {each.time - now:.0f} s ahead"
    return ""
