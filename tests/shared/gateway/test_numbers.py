"""Decimals of bots and ticks, lots, token units of ours: exact both ways."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.gateway.assets import Asset
from setoff.shared.gateway.orders.desk import show_average
from setoff.shared.gateway.refusals import BotError
from setoff.shared.gateway.views.account_views import show_part
from setoff.shared.gateway.views.fills import name_direction
from setoff.shared.gateway.views.market_views import gather
from setoff.shared.state import keys
from setoff.shared.wire.scales import MarketScale, Step

BTC = Asset(0, 1, "BTC", MarketScale("BTC-PERP", "BTC", "USD", Step(5, 1), Step(1, 4), Step(1, 6)), 20)
"""Ticks of half a dollar, lots of 0.0001."""


@given(st.integers(1, keys.MAX_TICK), st.integers(1, 2**38))
def test_what_is_shown_is_read_as_the_same(ticks: int, lots: int) -> None:
    assert BTC.read_price(BTC.show_price(ticks)) == ticks
    assert BTC.read_size(BTC.show_size(lots)) == lots


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("77990.3", "Price must be divisible by tick size. asset=0"),
        ("0", "Order has invalid price. asset=0"),
        ("-5", "Order has invalid price. asset=0"),
        ("99999999", "Order has invalid price. asset=0"),
        ("1e5", "Price must be divisible by tick size. asset=0"),
        (77990.5, "Price must be divisible by tick size. asset=0"),
    ],
)
def test_a_price_off_the_grid_is_refused_as_bots_know_it(text: object, told: str) -> None:
    with pytest.raises(BotError) as refused:
        BTC.read_price(text)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.00015", "Order has invalid size. asset=0"),
        ("0", "Order has zero size. asset=0"),
        ("-0.1", "Order has invalid size. asset=0"),
        (None, "Order has invalid size. asset=0"),
    ],
)
def test_a_size_off_the_grid_is_refused_as_bots_know_it(text: object, told: str) -> None:
    with pytest.raises(BotError) as refused:
        BTC.read_size(text)
    assert str(refused.value).startswith(told)


def test_the_middle_of_two_prices_is_exact() -> None:
    assert BTC.show_middle(155_981, 155_982) == "77990.75"


@given(st.lists(st.tuples(st.integers(1, keys.MAX_TICK), st.integers(1, 2**38)), min_size=1, max_size=5))
def test_an_average_price_is_true_to_a_thousandth_of_a_tick(fills: list[tuple[int, int]]) -> None:
    exact = Fraction(sum(price * size for price, size in fills), sum(size for _, size in fills)) / 2
    assert abs(Fraction(show_average(BTC, fills)) - exact) <= Fraction(1, 4000)


def test_levels_are_put_together_away_from_the_middle() -> None:
    bids = [(77_996, 3, 1), (77_991, 4, 2), (77_989, 5, 1)]
    assert gather(BTC, bids, 4, is_up=False) == [(77_990, 7, 3), (77_980, 5, 1)]
    asks = [(78_001, 3, 1), (78_010, 4, 2), (78_011, 5, 1)]
    assert gather(BTC, asks, 4, is_up=True) == [(78_010, 7, 3), (78_020, 5, 1)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (0, 5, "Open Long"),
        (5, 2, "Close Long"),
        (5, 0, "Close Long"),
        (5, -1, "Long > Short"),
        (-5, -8, "Open Short"),
        (-5, 0, "Close Short"),
        (-5, 1, "Short > Long"),
    ],
)
def test_a_fill_is_named_by_what_it_does_to_the_position(before: int, after: int, told: str) -> None:
    assert name_direction(before, after) == told


def test_a_part_of_one_is_a_plain_decimal() -> None:
    assert [show_part(Fraction(n, 10**6)) for n in (500, -100, 0, 10**6)] == ["0.0005", "-0.0001", "0", "1"]
