"""Initial margins that rise with open interest (dYdX v4), a step a sample; maintenance margins that do not."""

import pytest
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.margin import weigh_initial, weigh_maintenance
from setoff.shared.rules.scale import FULL, STEP, compute_scale, follow_scale
from setoff.shared.state.leaves import Market, Terms, decode_market, decode_terms

BARE = {"taker_fee": 0, "maker_fee": 0}


def market_of(open_interest: int, cap: int = 2_000, scale: int = 0) -> Market:
    market = decode_market(b"")
    market.initial_margin, market.maintenance_margin = 100_000, 50_000
    market.open_interest, market.max_open_interest, market.scale = open_interest, cap, scale
    return market


def terms_of(share: int, most: int) -> Terms:
    terms = decode_terms(b"")
    terms.scale_from, terms.scale_most = share, most
    return terms


@pytest.mark.parametrize(
    ("open_interest", "cap", "share", "most", "scale"),
    [
        (2_000, 2_000, 0, 0, 0),  # terms that name none
        (1_000, 2_000, 5_000, 10_000, 0),
        (1_003, 2_000, 5_000, 10_000, 0),  # 255 * 3 / 1,000
        (1_004, 2_000, 5_000, 10_000, 1),
        (1_500, 2_000, 5_000, 10_000, 127),
        (1_999, 2_000, 5_000, 10_000, 254),
        (2_000, 2_000, 5_000, 10_000, FULL),
        (9_000, 2_000, 5_000, 10_000, FULL),  # a cap that was lowered
        (2_000, 2_000, 5_000, 4_000, 102),
        (1_000, 2_000, 0, 10_000, 127),
        (2_000, 2_000, 10_000, 10_000, 0),  # nothing lies between
        (5, 0, 5_000, 10_000, 0),
        (2**62, 2**64 - 1, 0, 10_000, 63),
    ],
)
def test_scale_rises_evenly_from_a_part_of_the_cap_on(
    open_interest: int, cap: int, share: int, most: int, scale: int
) -> None:
    assert compute_scale(market_of(open_interest, cap), terms_of(share, most)) == scale


@pytest.mark.parametrize(("scale", "after"), [(0, STEP), (100, 100 + STEP), (220, 252), (230, FULL), (FULL, FULL)])
def test_scale_rises_by_a_step_a_sample_at_most(scale: int, after: int) -> None:
    market = market_of(2_000, scale=scale)
    follow_scale(market, terms_of(5_000, 10_000))
    assert market.scale == after


@pytest.mark.parametrize(("scale", "after"), [(FULL, FULL - STEP), (33, 1), (32, 0), (7, 0), (0, 0)])
def test_scale_falls_by_a_step_a_sample_at_most(scale: int, after: int) -> None:
    market = market_of(0, scale=scale)
    follow_scale(market, terms_of(5_000, 10_000))
    assert market.scale == after


def test_every_lot_s_initial_margin_comes_nearer_to_its_worth() -> None:
    market = market_of(0)
    assert weigh_initial(7, market, market.scale) == 700_000
    market.scale = 51  # a fifth
    assert weigh_initial(7, market, market.scale) == 700_000 + 6_300_000 // 5
    market.scale = FULL
    assert weigh_initial(7, market, market.scale) == 7_000_000
    market.tier1_size, market.tier1_initial, market.tier1_maintenance = 3, 300_000, 200_000
    assert weigh_initial(7, market, market.scale) == 7_000_000
    market.scale = 51
    weight = 3 * 100_000 + 4 * 300_000
    assert weigh_initial(7, market, market.scale) == weight + (7_000_000 - weight) // 5


def test_more_lots_never_need_less() -> None:
    market = market_of(0)
    market.tier1_size, market.tier1_initial, market.tier1_maintenance = 5, 333_333, 200_000
    for market.scale in (0, 1, 77, 254, FULL):
        weights = [weigh_initial(size, market, market.scale) for size in range(12)]
        assert weights == sorted(weights) and len(set(weights)) == 12


def test_maintenance_margin_stays() -> None:
    """Nobody is liquidated for what others open."""
    market = market_of(2_000, scale=FULL)
    assert weigh_maintenance(7, market) == 350_000


def crowded(**market: int) -> World:
    """1 and 2 hold all of the open interest that there may be; 1 has what their initial margin needs, and no more."""
    world = World.trading(funds=1_000_000, max_open_interest=1_000, **BARE, **market)
    assert world.set_terms(scale_from=5_000, scale_most=10_000) == "accepted"
    for side, account in ((SELL, 2), (BUY, 1)):
        assert world.order(account, side, 100, 1_000) == "accepted"
    return world


def test_it_takes_eight_minutes_to_reach_full_margin() -> None:
    world = crowded()
    scales = []
    for _ in range(9):
        world.wait(60)
        assert world.report(0, 100) == world.crank() == "accepted"
        scales.append(world.market().scale)
    assert scales == [32, 64, 96, 128, 160, 192, 224, 255, 255]


def test_cranks_within_a_minute_move_it_once() -> None:
    world = crowded()
    world.wait(60)
    assert world.report(0, 100) == world.crank() == "accepted"
    for _ in range(3):
        world.crank()
    assert world.market().scale == STEP


def test_money_that_a_crowded_market_needs_stays_and_closing_frees_it() -> None:
    world = crowded()
    free = 1_000_000 - 100_000
    assert world.withdraw(3, 1) == "accepted"
    for _ in range(8):
        world.wait(60)
        assert world.report(0, 100) == world.crank() == "accepted"
    assert world.withdraw(1, free) == "insufficient_margin"
    assert world.withdraw(1, 1) == "insufficient_margin"  # 1,000 lots at 1,000 are all it has
    assert world.order(2, BUY, 100, 10, order_slot=1) == "accepted"
    assert world.order(1, SELL, 100, 10) == "accepted"
    assert world.withdraw(1, 10_001) == "insufficient_margin"
    assert world.withdraw(1, 10_000) == "accepted"
