"""Markets are listed in order, with parameters that can work."""

import pytest
from tests.world import World

from setoff.shared.codec import records


def test_a_listing_sets_every_parameter() -> None:
    world = World()
    assert world.list_market(1, unit=7, taker_fee=300, maker_fee=-300, band=200_000) == "accepted"
    market = world.market()
    assert (market.unit, market.initial_margin, market.maintenance_margin) == (7, 100_000, 50_000)
    assert (market.taker_fee, market.maker_fee, market.band) == (300, -300, 200_000)
    assert (market.mark, market.index, market.best_bid, market.best_ask, market.open_interest) == (0, 0, 0, 0, 0)
    assert world.machine.regs.markets == 1


@pytest.mark.parametrize("market", [0, 2, 255, 65535])
def test_rejects_market_out_of_turn(market: int) -> None:
    assert World().list_market(market) == "bad_parameters"


def test_rejects_the_same_market_twice() -> None:
    world = World()
    assert world.list_market(1) == "accepted"
    assert world.list_market(1) == "bad_parameters"
    assert world.list_market(2) == "accepted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": 0},
        {"unit": 2**32},
        {"maintenance_margin": 0},
        {"maintenance_margin": 100_001},
        {"initial_margin": 1_000_001},
        {"taker_fee": 100_001},
        {"maker_fee": 100_001},
        {"maker_fee": -501},
        {"band": 0},
        {"band": 1_000_001},
    ],
)
def test_rejects_unsound_parameters(wrong: dict[str, int]) -> None:
    world = World()
    assert world.list_market(1, **wrong) == "bad_parameters"
    assert world.machine.regs.markets == 0


@pytest.mark.parametrize(
    "limit",
    [
        {"unit": 2**32 - 1},
        {"maintenance_margin": 1, "initial_margin": 1},
        {"initial_margin": 1_000_000, "maintenance_margin": 1_000_000},
        {"taker_fee": 100_000, "maker_fee": -100_000},
        {"taker_fee": 0, "maker_fee": 0},
        {"maker_fee": 100_000},
        {"band": 1_000_000},
    ],
)
def test_takes_parameters_at_their_limits(limit: dict[str, int]) -> None:
    assert World().list_market(1, **limit) == "accepted"


def test_255_markets_and_no_more() -> None:
    world = World()
    assert {world.list_market(market) for market in range(1, 256)} == {"accepted"}
    assert world.list_market(256) == "bad_parameters"


def test_a_listing_in_a_record_is_malformed() -> None:
    world = World()
    assert world.take(world.scene.list_market()) == "malformed_record"
    assert world.machine.regs.kind == records.LIST_MARKET
