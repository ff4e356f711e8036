"""Markets are listed in order, with parameters that can work."""

import pytest
from tests.support.machines.world import World

from setoff.shared.codec import records

TIER = {"tier1_size": 5, "tier1_initial": 200_000, "tier1_maintenance": 100_000}


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
        {"max_age": 0},
        {"step_band": 0},
        {"step_band": 1_000_001},
        {"funding_cap": 100_001},
        {"close_out": 50_001},
        {"max_position": 0},
        {"max_position": records.MAX_POSITION + 1},
        {"tier2_size": 5, "tier2_initial": 200_000, "tier2_maintenance": 100_000},
        {"tier1_size": 5, "tier1_initial": 99_999, "tier1_maintenance": 50_000},
        {"tier1_size": 5, "tier1_initial": 100_000, "tier1_maintenance": 49_999},
        {"tier1_size": 5, "tier1_initial": 100_000, "tier1_maintenance": 100_001},
        {"tier1_size": 5, "tier1_initial": 1_000_001, "tier1_maintenance": 50_000},
        TIER | {"tier2_size": 5, "tier2_initial": 300_000, "tier2_maintenance": 100_000},
        TIER | {"tier2_size": 6, "tier2_initial": 199_999, "tier2_maintenance": 100_000},
        TIER | {"tier2_size": 6, "tier2_initial": 200_000, "tier2_maintenance": 99_999},
        TIER | {"tier2_size": 6, "tier2_initial": 200_000, "tier2_maintenance": 200_001},
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
        {"max_age": 1, "step_band": 1, "funding_cap": 0, "close_out": 50_000, "max_position": 1},
        {"funding_cap": 100_000, "max_open_interest": 2**64 - 1, "impact": 0, "max_position": records.MAX_POSITION},
        {"max_open_interest": 0},
        TIER,
        TIER | {"tier2_size": 6, "tier2_initial": 200_000, "tier2_maintenance": 100_000},
        TIER | {"tier2_size": 2**64 - 1, "tier2_initial": 1_000_000, "tier2_maintenance": 1_000_000},
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
    assert world.take(world.traffic.list_market()) == "malformed_record"
    assert world.machine.regs.markets == 0


PARAMETERS = {
    "initial_margin": 200_000,
    "maintenance_margin": 150_000,
    "taker_fee": 11,
    "maker_fee": -7,
    "band": 300_000,
    "max_age": 90,
    "step_band": 40_000,
    "funding_cap": 3_000,
    "close_out": 20_000,
    "max_open_interest": 1_000,
    "max_position": 100,
    "impact": 5,
    "tier1_size": 10,
    "tier1_initial": 300_000,
    "tier1_maintenance": 200_000,
    "tier2_size": 20,
    "tier2_initial": 400_000,
    "tier2_maintenance": 300_000,
}


def test_a_change_sets_every_parameter_but_unit_and_expiry() -> None:
    world = World.trading()
    assert world.set_market(1, unit=77, expiry=5, **PARAMETERS) == "accepted"
    market = world.market()
    assert {name: getattr(market, name) for name in PARAMETERS} == PARAMETERS
    assert (market.unit, market.expiry, market.mark) == (10, 0, 100)


def test_rejects_change_of_a_market_that_is_not_listed_or_to_what_cannot_work() -> None:
    world = World.trading()
    assert world.set_market(2) == "bad_parameters"
    assert world.set_market(0) == "bad_parameters"
    assert world.set_market(1, band=0) == "bad_parameters"
    assert world.market().band == 1_000_000
