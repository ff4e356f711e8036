"""Who tries to move index, mark or funding for a gain, with a power that costs little: none of it pays."""

from pathlib import Path

import pytest
from tests.support.machines.world import BUY, IOC, SELL, World

from setoff.deploy import contracts
from setoff.deploy.contracts.listing import load_terms
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.state.keys import MAX_TICK

INDEX = 100_000
MAKER, OTHER_MAKER, VICTIM, ATTACKER = 1, 2, 3, 4
TERMS = load_terms(Path(contracts.__file__).parent / "presets" / "bitcoin.toml")
"""A lot at a price of one tick is 100 token units, a ten-thousandth of a dollar: at the index a lot is ten dollars."""


def market_of(signers: int = 1, quorum: int = 1) -> World:
    world = World()
    for account, money in ((MAKER, 10**14), (OTHER_MAKER, 10**14), (VICTIM, 10**12), (ATTACKER, 10**12)):
        assert world.deposit(account, money) == "accepted"
    assert world.list_market(1, **TERMS) == "accepted"
    for number in range(signers):
        assert world.set_signer(number, quorum) == "accepted"
    tell(world, quorum)
    return world


def tell(world: World, honest: int = 1, price: int = INDEX) -> None:
    for number in range(honest):
        assert world.report(number, price) == "accepted"


def quote(world: World, bid: int, ask: int, size: int = 500_000) -> None:
    assert world.order(MAKER, BUY, bid, size, order_slot=1) == "accepted"
    assert world.order(OTHER_MAKER, SELL, ask, size, order_slot=1) == "accepted"


def pass_minutes(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.wait(60)
        tell(world)
        assert world.crank() == "accepted"


def premium_market(premium: int) -> World:
    """Honest quotes around a price above the index, for so long that the mark is there."""
    world = market_of()
    quote(world, INDEX + premium - 20, INDEX + premium + 20)
    pass_minutes(world, 60)
    assert abs(world.market().mark - INDEX - premium) < 5
    return world


def test_a_dust_bid_neither_flicks_the_mark_nor_takes_anybody_s_position() -> None:
    world = premium_market(4_300)
    lots = 40_000
    assert world.order(VICTIM, BUY, INDEX + 4_320, lots, flags=IOC) == "accepted"
    mark = world.market().mark
    needed = lots * 100 * mark * 52_000 // PPM
    assert world.withdraw(VICTIM, world.equity(VICTIM) - needed) == "accepted"
    money, owned = world.equity(ATTACKER), world.equity(VICTIM)
    for _ in range(5):
        assert world.order(ATTACKER, BUY, INDEX + 4_319, 1, order_slot=3) == "accepted"
        world.wait(2)
        tell(world)
        assert abs(world.market().mark - mark) <= 5
        world.wait(58)
        tell(world)
        assert world.crank() == "accepted"
        assert abs(world.market().mark - mark) <= 5
        world.cancel(ATTACKER, 3)
    assert world.position(VICTIM).size == lots
    assert world.equity(ATTACKER) <= money
    assert world.equity(VICTIM) > owned * 9 // 10  # five minutes of funding


def test_a_dust_bid_does_not_save_a_long_its_funding() -> None:
    paid = []
    for is_attacked in (False, True):
        world = premium_market(2_000)
        assert world.order(VICTIM, BUY, INDEX + 2_020, 40_000, flags=IOC) == "accepted"
        before = world.market().funding
        for _ in range(30):
            if is_attacked:
                assert world.order(ATTACKER, BUY, INDEX + 2_019, 1, order_slot=3) == "accepted"
            pass_minutes(world, 1)
            world.cancel(ATTACKER, 3)
        paid.append(world.market().funding - before)
    assert paid[0] == paid[1] > 0


@pytest.mark.parametrize("lies", [(1,), (MAX_TICK,), (90_000, 110_000), (99_999, 100_001)])
def test_one_false_signer_of_four_gains_nothing(lies: tuple[int, ...]) -> None:
    world = market_of(signers=4, quorum=3)
    assert world.order(ATTACKER, SELL, INDEX, 40_000) == "accepted"
    assert world.order(VICTIM, BUY, INDEX, 40_000) == "accepted"
    money, owned = world.equity(ATTACKER), world.equity(VICTIM)
    for _ in range(10):
        for lie in lies:
            world.wait(1)
            assert world.report(3, lie) == "accepted"
            assert (world.market().index, world.market().mark) == (INDEX, INDEX)
        world.wait(20)
        tell(world, 3)
    assert (world.equity(ATTACKER), world.equity(VICTIM)) == (money, owned)


def test_sixty_reports_in_a_batch_move_the_price_as_far_as_one() -> None:
    world = market_of()
    band = INDEX * TERMS["step_band"] // PPM
    world.wait(phases.INDEX_INTERVAL)
    taken = sum(world.report(0, MAX_TICK, time=world.traffic.time + second) == "accepted" for second in range(-59, 61))
    assert taken == 120
    assert (world.market().index, world.market().mark) == (INDEX + band, INDEX + band)
    world.wait(phases.INDEX_INTERVAL - 1)
    world.report(0, MAX_TICK, time=world.traffic.time + 10)
    assert world.market().index == world.market().mark == INDEX + band
    assert world.order(ATTACKER, SELL, INDEX + band, 1) == "halted"  # and nobody opens into it


def test_dead_bids_at_the_end_of_the_hour_earn_no_funding() -> None:
    world = market_of()
    quote(world, INDEX - 1_000, INDEX + 1_000)
    assert world.order(ATTACKER, SELL, INDEX, 40_000) == "accepted"
    assert world.order(VICTIM, BUY, INDEX, 40_000) == "accepted"
    money = world.equity(ATTACKER)
    for minute in range(120):
        world.wait(59)
        tell(world)
        if minute % 60 > 45:
            end = world.traffic.time + 1
            assert world.order(ATTACKER, BUY, INDEX + 998, 500, order_slot=50, expiry=end) == "accepted"
        world.wait(1)
        assert world.crank() == "accepted"
        assert world.resting(ATTACKER, 50).market == 0  # the crank took it out
    assert world.equity(ATTACKER) <= money
    assert world.market().funding == 0


def test_a_position_opened_just_before_a_late_crank_earns_less_than_its_fee() -> None:
    world = market_of()
    quote(world, INDEX + 4_000, INDEX + 4_040, size=100_000)
    pass_minutes(world, 30)
    world.wait(10 * phases.HOUR)
    tell(world)
    money, funding = world.equity(ATTACKER), world.market().funding
    assert world.order(ATTACKER, SELL, INDEX + 4_000, 40_000, flags=IOC) == "accepted"
    assert world.crank() == "accepted"
    earned = (world.market().funding - funding) * 40_000 // phases.FUNDING_ONE
    fee = 40_000 * (INDEX + 4_000) * 100 * TERMS["taker_fee"] // PPM
    # At the cap of 4 % an eighth an hour for two minutes: 167 ppm of the index, where the fee is 500.
    assert earned == 40_000 * INDEX * 100 * TERMS["funding_cap"] // (8 * 30) // PPM < fee
    assert world.order(ATTACKER, BUY, INDEX + 4_040, 40_000, flags=IOC) == "accepted"
    assert world.position(ATTACKER).size == 0
    assert world.equity(ATTACKER) < money
