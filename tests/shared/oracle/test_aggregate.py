"""One price from several: the median to the unit, what is left out, and how far a liar gets."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.errors import InputError
from setoff.shared.oracle.aggregate import Observation, aggregate, compute_median, read_price, show, to_ticks
from setoff.shared.state.keys import MAX_TICK

NOW = 1_000_000.0
LIMITS = {"max_age": 30.0, "max_distance": 100.0, "least": 2}
PRICES = st.fractions(min_value=Fraction(1, 1000), max_value=10**9, max_denominator=10**6)


def observe(*prices: object, time: float = NOW) -> list[Observation]:
    return [Observation(f"source {n}", read_price(price), time) for n, price in enumerate(prices)]


@pytest.mark.parametrize(
    ("prices", "median"),
    [
        (("3", "1", "2"), "2"),
        (("4", "1", "2", "3"), "2.5"),
        (("0.1", "0.2"), "0.15"),
        (("100", "100.01", "99.98", "100.02", "100"), "100"),
    ],
)
def test_the_median_is_the_middle_one_or_half_of_two(prices: tuple[str, ...], median: str) -> None:
    assert compute_median([read_price(price) for price in prices]) == Fraction(median)


def test_what_is_too_far_from_the_median_is_left_out_and_says_by_how_much() -> None:
    verdict = aggregate(observe("100", "101", "102.02", "99.98"), NOW, **LIMITS)
    # The median of the four is 100.5: a hundred basis points of it are 1.005.
    assert verdict.price == Fraction("100")
    ((rejected, why),) = verdict.rejected
    assert rejected.source == "source 2" and why == "151.2 basis points from the median 100.5"


def test_a_distance_that_is_just_the_limit_is_no_fault() -> None:
    assert not aggregate(observe("99", "100", "101"), NOW, **LIMITS).rejected
    assert len(aggregate(observe("98.99", "100", "101"), NOW, **LIMITS).rejected) == 1


def test_what_is_old_failed_or_from_the_future_does_not_count_at_all() -> None:
    told = [
        *observe("100", "102"),
        *observe("1", time=NOW - 31),
        *observe("2", time=NOW + 31),
        Observation("gone", None, problem="no answer within 5 s"),
    ]
    verdict = aggregate(told, NOW, **LIMITS)
    assert verdict.price == 101 and len(verdict.used) == 2
    assert [why for _, why in verdict.rejected] == ["31 s old", "of a time 31 s ahead", "no answer within 5 s"]


def test_too_few_sources_are_no_price() -> None:
    verdict = aggregate(observe("100"), NOW, **LIMITS)
    assert verdict.price is None and len(verdict.used) == 1
    assert aggregate([], NOW, **LIMITS).price is None
    two = aggregate(observe("100", "110"), NOW, **LIMITS)  # each is five hundred from the middle of both
    assert two.price is None and len(two.rejected) == 2


@given(st.lists(PRICES, min_size=1, max_size=9), st.randoms())
def test_the_order_of_the_sources_does_not_matter(prices: list[Fraction], random: object) -> None:
    told = [Observation(str(n), price, NOW) for n, price in enumerate(prices)]
    shuffled = told[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (aggregate(each, NOW, **LIMITS) for each in (told, shuffled))
    assert one.price == other.price and set(one.used) == set(other.used)
    assert len(one.used) + len(one.rejected) == len(prices)


@given(PRICES, st.lists(st.fractions(0, Fraction(1, 101)), min_size=2, max_size=5), st.data())
def test_a_minority_cannot_move_the_price_out_of_what_the_honest_ones_say(
    base: Fraction, spreads: list[Fraction], data: st.DataObject
) -> None:
    honest = [base * (1 + spread) for spread in spreads]
    lies = data.draw(st.lists(PRICES, max_size=len(honest) - 1))
    told = [Observation(str(n), price, NOW) for n, price in enumerate([*honest, *lies])]
    verdict = aggregate(told, NOW, **LIMITS)
    assert verdict.price is not None and min(honest) <= verdict.price <= max(honest)


@given(st.integers(1, MAX_TICK), st.sampled_from(["1", "0.5", "0.01", "25"]))
def test_ticks_are_the_nearest_ones(ticks: int, size: str) -> None:
    tick = Fraction(size)
    assert to_ticks(ticks * tick, tick) == ticks
    assert to_ticks((ticks - Fraction(1, 2)) * tick, tick) == ticks  # the higher one of two
    assert to_ticks((ticks + Fraction(49, 100)) * tick, tick) == ticks


@pytest.mark.parametrize("price", ["0.49", str(MAX_TICK + 1)])
def test_a_price_that_no_book_can_hold_is_refused(price: str) -> None:
    with pytest.raises(InputError, match="price_out_of_range"):
        to_ticks(Fraction(price), Fraction(1))


@pytest.mark.parametrize("value", [0, -1, "", "abc", "nan", "inf", "-inf", None, True, [1], "1e99", float("nan")])
def test_what_is_no_price_is_none(value: object) -> None:
    with pytest.raises(ValueError, match="is no "):
        read_price(value)


@pytest.mark.parametrize(
    ("value", "price"), [(78000, "78000"), (0.1, "0.1"), (" 1.5\n", "1.5"), ("1e3", "1000"), (Decimal("2.50"), "2.5")]
)
def test_numbers_are_what_is_written(value: object, price: str) -> None:
    assert read_price(value) == Fraction(price) and show(read_price(value)) == price


@pytest.mark.parametrize("value", ["1." + "1" * 1_000_000, "9" * 101, Decimal("1." + "1" * 100_000), 10**200])
def test_a_number_of_very_many_digits_is_refused_unread(value: object) -> None:
    """Its fraction alone would take more than a minute."""
    with pytest.raises(ValueError, match=r"has more than 100 characters"):
        read_price(value)
