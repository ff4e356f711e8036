"""Netting: fills collapse into one position with one cost; an emptied place is free again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.positions import apply_fill, find_position, release, reserve
from setoff.shared.state.leaves import Account, Position, decode_market


def netted(*fills: tuple[int, int]) -> tuple[int, int]:
    """(size, cost) after fills of (delta, price)."""
    market = decode_market(b"")
    market.unit = 1
    position = Position(market=1)
    for delta, price in fills:
        apply_fill(position, delta, price, market)
    return position.size, position.cost


@pytest.mark.parametrize(
    ("fills", "size", "cost"),
    [
        ([(10, 100)], 10, 1_000),
        ([(10, 100), (5, 130)], 15, 1_650),
        ([(-10, 100), (-5, 130)], -15, -1_650),
        ([(10, 100), (-4, 999)], 6, 600),
        ([(10, 100), (-10, 1)], 0, 0),
        ([(10, 100), (-15, 120)], -5, -600),  # flips: what is left was sold at 120
        ([(-10, 100), (15, 80)], 5, 400),
        ([(3, 7), (-1, 9)], 2, 14),
        ([(2, 3), (1, 4), (-1, 1)], 2, 7),  # 10 - trunc(10 / 3)
        ([(-2, 3), (-1, 4), (1, 1)], -2, -7),  # the same, mirrored: truncation, not floor
    ],
)
def test_cost_is_that_of_the_open_lots(fills: list[tuple[int, int]], size: int, cost: int) -> None:
    assert netted(*fills) == (size, cost)


fill_lists = st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 1_000)), max_size=30)


@given(fill_lists)
def test_long_and_short_are_mirror_images(fills: list[tuple[int, int]]) -> None:
    size, cost = netted(*fills)
    assert netted(*((-delta, price) for delta, price in fills)) == (-size, -cost)


@given(fill_lists)
def test_cost_has_the_sign_of_the_position_and_no_position_costs_nothing(fills: list[tuple[int, int]]) -> None:
    size, cost = netted(*fills)
    assert cost * size > 0 or size == cost == 0


def test_a_place_is_kept_while_anything_is_open_there() -> None:
    position = Position(market=3)
    reserve(position, BUY, 5)
    reserve(position, SELL, 2)
    release(position, BUY, 5)
    assert position.market == 3
    release(position, SELL, 2)
    assert position.market == 0


def test_the_own_place_comes_before_the_first_free_one() -> None:
    account = Account()
    account.positions[4].market = 9
    assert find_position(account, 9) is account.positions[4]
    assert find_position(account, 8) is account.positions[0]
    for number, position in enumerate(account.positions):
        position.market = 20 + number
    assert find_position(account, 8) is None


def test_a_closed_position_frees_its_place() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5)
    world.order(2, BUY, 100, 5)
    assert (world.position(2).size, world.position(2).cost) == (5, 5_000)
    world.order(1, BUY, 105, 5)
    world.order(2, SELL, 105, 5)
    assert world.account(1).positions[0].market == world.account(2).positions[0].market == 0
    # bought at 100, sold at 105: 5 * 5 ticks * 10 units; 3 units of fee each way
    assert world.account(2).collateral == 1_000_000 + 250 - 3 - 3


def test_a_position_flips_within_one_order() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5)
    world.order(2, BUY, 100, 5)
    world.order(3, BUY, 100, 8)
    world.order(2, SELL, 100, 8)
    assert [world.position(n).size for n in (1, 2, 3)] == [-5, -3, 8]
    assert [world.position(n).cost for n in (1, 2, 3)] == [-5_000, -3_000, 8_000]
    assert world.market().open_interest == 8
