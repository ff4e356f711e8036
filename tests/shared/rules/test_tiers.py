"""Margin tiers: each lot bears the margin of the tier it lies in, so that no single lot more costs a cliff."""

import pytest
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.margin import weigh_initial, weigh_maintenance
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
        (0, 0, 0),
        (1, 100_000, 50_000),
        (50, 5_000_000, 2_500_000),
        (51, 5_200_000, 2_600_000),
        (100, 15_000_000, 7_500_000),
        (101, 15_500_000, 7_750_000),
        (2**40, 15_000_000 + (2**40 - 100) * 500_000, 7_500_000 + (2**40 - 100) * 250_000),
    ],
)
def test_each_lot_has_the_margin_of_its_tier(size: int, initial: int, maintenance: int) -> None:
    assert weigh_initial(size, tiered(), 0) == initial
    assert weigh_maintenance(size, tiered()) == maintenance


def test_a_tier_of_size_zero_is_none() -> None:
    market = tiered()
    market.tier2_size = 0
    assert weigh_initial(1_000, market, 0) == 50 * 100_000 + 950 * 200_000
    market.tier1_size = 0
    assert weigh_maintenance(1_000, market) == 1_000 * 50_000


def test_open_orders_count_toward_the_tier() -> None:
    world = World.trading(funds=5_200, taker_fee=0, maker_fee=0, **TIERS)
    assert world.order(1, BUY, 100, 50) == "accepted"  # a tick and lot is worth 10: a tenth of 50,000
    assert world.order(1, BUY, 100, 1, order_slot=5) == "accepted"  # a fifth of 1,000
    assert world.order(1, BUY, 100, 1) == "insufficient_margin"
    assert world.cancel(1, 5) == "accepted"


def test_a_larger_position_is_liquidated_earlier() -> None:
    world = World.trading(funds=16_000, taker_fee=0, maker_fee=0, **TIERS)
    world.deposit(2, 10**6)
    world.order(1, BUY, 100, 100)
    world.order(2, SELL, 100, 100)
    world.order(2, BUY, 89, 100, order_slot=9)
    world.set_mark(92)  # equity 8,000, maintenance of 50 and 50 lots 2,300 + 4,600
    assert world.position(1).size == 100
    world.set_mark(90)  # equity 6,000 of 6,750: a slice of 25 closes at 89, and 75 lots need only 4,500
    assert world.fills() == [(2, 89, 25)]
    assert world.position(1).size == 75
