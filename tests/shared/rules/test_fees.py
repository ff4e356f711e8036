"""Fees and rebates: charges round up, rebates round down, and the difference is the market's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.margin import compute_fee


@pytest.mark.parametrize(
    ("value", "rate", "fee"),
    [
        (0, 500, 0),
        (1, 500, 1),
        (2_000, 500, 1),
        (2_001, 500, 2),
        (4_999, -200, 0),
        (5_000, -200, -1),
        (9_999, -200, -1),
        (10_000, -200, -2),
        (123, 0, 0),
    ],
)
def test_charges_round_up_and_rebates_down(value: int, rate: int, fee: int) -> None:
    assert compute_fee(value, rate) == fee


@given(st.integers(0, 2**96), st.integers(0, 100_000))
def test_a_rebate_never_exceeds_the_charge_that_pays_for_it(value: int, rate: int) -> None:
    assert 0 <= compute_fee(value, rate) + compute_fee(value, -rate) <= 1


def test_the_taker_pays_the_maker_earns_and_the_market_keeps_the_rest() -> None:
    world = World.trading()  # 5 bp taker, -2 bp maker, 10 units a lot and tick
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    # 7,000 units: 3.5 up to 4 from the taker, 1.4 down to 1 for the maker
    assert world.account(2).collateral == 1_000_000 - 7_000 - 4
    assert world.account(1).collateral == 1_000_000 + 7_000 + 1
    assert world.market().insurance == 3


def test_every_fill_rounds_by_itself() -> None:
    world = World.trading(unit=1)
    for order_slot in range(3):
        world.order(1, SELL, 100, 1, order_slot=order_slot)
    world.order(2, BUY, 100, 3)
    assert world.account(2).collateral == 1_000_000 - 300 - 3  # three fills of 0.05, each rounded up
    assert world.account(1).collateral == 1_000_000 + 300


def test_a_maker_fee_may_be_a_charge() -> None:
    world = World.trading(maker_fee=100)
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    assert world.account(1).collateral == 1_000_000 + 7_000 - 1
    assert world.market().insurance == 5


def test_without_fees_nothing_is_kept() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, SELL, 100, 7)
    world.order(2, BUY, 100, 7)
    assert world.market().insurance == 0
    assert world.account(1).collateral + world.account(2).collateral == 2_000_000


def test_the_price_is_the_maker_s() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, SELL, 95, 1)
    world.order(2, BUY, 105, 1)
    assert world.account(2).collateral == 1_000_000 - 950
