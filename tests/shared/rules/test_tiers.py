"""Margin tiers: the larger the position, the larger the fraction, on all of it."""

import pytest
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.margin import get_initial_margin, get_maintenance_margin
from setoff.shared.state.leaves import Market, decode_market

TIERS = {
    "tier1_size": 50,
    "tier1_initial": 200_000,
    "tier1_maintenance": 100_000,
    "tier2_size": 100,
    "tier2_initial": 500_000,
    "tier2_maintenance": 250_000,
}


def tiered() -> Market:
    market = decode_market(b"")
    market.initial_margin, market.maintenance_margin = 100_000, 50_000
    for name, value in TIERS.items():
        setattr(market, name, value)
    return market


@pytest.mark.parametrize(
    ("size", "initial", "maintenance"),
    [
        (0, 100_000, 50_000),
        (49, 100_000, 50_000),
        (50, 200_000, 100_000),
        (99, 200_000, 100_000),
        (100, 500_000, 250_000),
        (2**40, 500_000, 250_000),
    ],
)
def test_the_tier_is_the_size_s(size: int, initial: int, maintenance: int) -> None:
    assert get_initial_margin(size, tiered()) == initial
    assert get_maintenance_margin(size, tiered()) == maintenance


def test_a_tier_of_size_zero_is_none() -> None:
    market = tiered()
    market.tier2_size = 0
    assert get_initial_margin(1_000, market) == 200_000
    market.tier1_size = 0
    assert get_maintenance_margin(1_000, market) == 50_000


def test_open_orders_count_toward_the_tier() -> None:
    world = World.trading(funds=10_000, taker_fee=0, maker_fee=0, **TIERS)
    assert world.order(1, BUY, 100, 49) == "accepted"  # 4,900
    assert world.order(1, BUY, 100, 1, order_slot=5) == "accepted"  # 50 lots: a fifth of 50,000
    assert world.order(1, BUY, 100, 1) == "insufficient_margin"
    assert world.cancel(1, 5) == "accepted"


def test_a_larger_position_is_liquidated_earlier() -> None:
    world = World.trading(funds=10_000, taker_fee=0, maker_fee=0, **TIERS)
    world.deposit(2, 10**6)
    world.order(1, BUY, 100, 50)
    world.order(2, SELL, 100, 50)
    world.order(2, BUY, 89, 100, order_slot=9)
    world.set_mark(90)  # equity 5,000, maintenance of 50 lots 4,500
    assert world.position(1).size == 50
    world.set_mark(88)  # equity 4,000 of 4,400: a slice of 13 closes at 89, and 37 lots need only 1,628
    assert world.fills() == [(2, 89, 13)]
    assert world.position(1).size == 37
