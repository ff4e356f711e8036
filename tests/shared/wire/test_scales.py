"""Between ticks and decimals: exact both ways, and never another worth than L1's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.errors import ConfigError, InputError
from setoff.shared.wire.scales import MarketScale, Step

CENT = Step(1, 2)
BITCOIN = MarketScale.make("BTC-PERP", "BTC", "USD", lot="0.0001", unit=100, tokens=Step(1, 6))


@pytest.mark.parametrize(
    ("step", "count", "text"),
    [
        (CENT, 0, "0"),
        (CENT, 1, "0.01"),
        (CENT, 250, "2.5"),
        (CENT, -7, "-0.07"),
        (CENT, 12300, "123"),
        (Step(25, 2), 3, "0.75"),
        (Step(10, 0), 7, "70"),
        (Step(1, 6), -1_000_001, "-1.000001"),
    ],
)
def test_shows_what_so_many_are(step: Step, count: int, text: str) -> None:
    assert step.show(count) == text
    assert step.read(text, "it", "missing_field") == count


@given(st.integers(1, 10**9), st.integers(0, 18), st.integers(-(10**24), 10**24))
def test_what_is_shown_is_read_again(mantissa: int, places: int, count: int) -> None:
    step = Step(mantissa, places)
    assert step.read(step.show(count), "it", "missing_field") == count
    assert step.read(Decimal(step.show(count)), "it", "missing_field") == count


@pytest.mark.parametrize(("value", "near"), [("0.015", "0.01 or 0.02"), (Decimal("-0.001"), "-0.01 or 0")])
def test_what_is_between_two_steps_is_refused_with_both(value: Decimal | str, near: str) -> None:
    with pytest.raises(InputError, match=near):
        CENT.read(value, "the price", "price_out_of_range")


@pytest.mark.parametrize(
    "value", ["", "1e3", " 1", "1,5", "0x1", "nan", "١", "1" * 99, Decimal("NaN"), Decimal("Infinity")]
)
def test_what_is_no_plain_decimal_is_refused(value: Decimal | str) -> None:
    with pytest.raises(InputError, match="decimal number"):
        CENT.read(value, "the price", "price_out_of_range")


def test_a_tick_follows_from_the_lot_and_from_what_l1_says() -> None:
    assert (BITCOIN.tick.show(1), BITCOIN.lot.show(1)) == ("1", "0.0001")
    assert BITCOIN.is_true(100) and not BITCOIN.is_true(101)
    finer = MarketScale.make("BTC-PERP", "BTC", "USD", lot="0.001", unit=100, tokens=Step(1, 6))
    assert (finer.tick.show(1), finer.is_true(100)) == ("0.1", True)


@pytest.mark.parametrize("lot", ["0", "0.3", "-1", "x", "1e-3"])
def test_a_lot_that_makes_no_decimal_of_a_tick_is_refused(lot: str) -> None:
    with pytest.raises(ConfigError):
        MarketScale.make("X-PERP", "X", "USD", lot=lot, unit=100, tokens=Step(1, 6))
