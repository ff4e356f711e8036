"""Who tries to move index, mark or funding for a gain, with a power that costs little: none of it pays."""

import random
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
TERMS = load_terms(Path(contracts.__file__).parent / "presets" / "bitcoin.toml") | {"maintenance_margin": 50_000}
"""With that margin quotes may come 4 % beyond the mark. A lot at a price of one tick is 100 token units, a
ten-thousandth of a dollar: at the index a lot is ten dollars."""


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
    """Honest quotes around a price above the index, for so long that the mark is there, or as far as it may go."""
    world = market_of()
    quote(world, INDEX + premium - 20, INDEX + premium + 20)
    pass_minutes(world, 60)
    shown = min(premium - 20, INDEX * (TERMS["maintenance_margin"] // phases.MARK_PART) // PPM)
    assert abs(world.market().mark - INDEX - shown) < 5
    return world


def test_a_dust_bid_neither_flicks_the_mark_nor_takes_anybody_s_position() -> None:
    world = premium_market(2_900)
    lots = 40_000
    assert world.order(VICTIM, BUY, INDEX + 2_920, lots, flags=IOC) == "accepted"
    mark = world.market().mark
    needed = lots * 100 * mark * 52_000 // PPM
    assert world.withdraw(VICTIM, world.equity(VICTIM) - needed) == "accepted"
    money, owned = world.equity(ATTACKER), world.equity(VICTIM)
    for _ in range(5):
        assert world.order(ATTACKER, BUY, INDEX + 2_919, 1, order_slot=3) == "accepted"
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


def take_out_what_the_mark_says(world: World, price: int) -> int:
    """The attacker buys half a million dollars' worth at `price` and withdraws all it may; returns what that is."""
    assert world.order(ATTACKER, BUY, price, 50_000, flags=IOC) == "accepted"
    assert world.position(ATTACKER).size == 50_000
    needed = -(-50_000 * 100 * world.market().mark * TERMS["initial_margin"] // PPM) + TERMS["order_margin"]
    money = world.equity(ATTACKER) - needed
    assert world.withdraw(ATTACKER, money + 1) == "insufficient_margin"
    assert world.withdraw(ATTACKER, money) == "accepted"
    return money


@pytest.mark.parametrize("side_left", [BUY, SELL, None])
@pytest.mark.parametrize("minutes", [0, 1, 5, 30])
def test_nobody_draws_out_a_premium_that_is_gone(side_left: int | None, minutes: int) -> None:
    """The premium goes, the book gets thin, and somebody buys at the true price while the mark is still the old one."""
    world = premium_market(4_500)
    brought = world.equity(ATTACKER)
    world.cancel(MAKER, 1)
    world.cancel(OTHER_MAKER, 1)
    if side_left is not None:
        account, price = (MAKER, INDEX - 20) if side_left == BUY else (OTHER_MAKER, INDEX + 20)
        assert world.order(account, side_left, price, 500_000, order_slot=2) == "accepted"
    pass_minutes(world, minutes)
    assert world.order(OTHER_MAKER, SELL, INDEX + 20, 50_000, order_slot=3) == "accepted"
    drawn = take_out_what_the_mark_says(world, INDEX + 20)
    if side_left is not None:
        pass_minutes(world, 3)
    world.cancel_all(MAKER)
    world.cancel_all(OTHER_MAKER)
    quote(world, INDEX - 20, INDEX + 20)
    pass_minutes(world, 30)
    assert abs(world.market().mark - INDEX) <= 2
    assert world.equity(ATTACKER) >= 0  # it leaves no debt
    assert drawn + world.equity(ATTACKER) <= brought


@pytest.mark.parametrize("far", [BUY, SELL])
def test_quotes_far_from_the_index_move_no_mark(far: int) -> None:
    """Nobody else quotes on that side: bids a tenth below the index give nobody a price, and cost nothing."""
    world = market_of()
    honest, attacker = (INDEX + 20, INDEX - 9_900) if far == BUY else (INDEX - 20, INDEX + 9_900)
    assert world.order(MAKER, 1 - far, honest, 500_000, order_slot=1) == "accepted"
    assert world.order(ATTACKER, far, attacker, 500, order_slot=1) == "accepted"
    pass_minutes(world, 30)
    assert (world.market().mark, world.market().funding) == (INDEX, 0)


@pytest.mark.parametrize("seconds", [60, 120, 600])
def test_nobody_keeps_a_premium_up_by_keeping_the_book_thin(seconds: int) -> None:
    world = premium_market(2_500)
    world.cancel(MAKER, 1)
    world.cancel(OTHER_MAKER, 1)
    for _ in range(0, 1_800, seconds):
        world.wait(seconds)
        tell(world)
        assert world.crank() == "accepted"
    assert world.market().mark <= INDEX + 250
    assert world.market().excess == 0


@pytest.mark.parametrize("noise", [15, 45, 90])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_cranks_at_chosen_moments_earn_no_funding(side: int, noise: int) -> None:
    """Two hours in which the index strays from the book by some basis points, and somebody with a position cranks when
    that is worth most to it; a keeper cranks two minutes after the last sample."""
    rng = random.Random(noise)
    world = market_of()
    quote(world, INDEX - 5, INDEX + 5)
    other = SELL if side == BUY else BUY
    assert world.order(VICTIM, other, INDEX, 40_000) == "accepted"
    assert world.order(ATTACKER, side, INDEX, 40_000) == "accepted"
    owner = 1 if side == SELL else -1  # whom a positive excess pays
    was, stray = 0, 0.0
    for _ in range(720):
        world.wait(10)
        stray = 0.7 * stray + rng.gauss(0, 0.7 * noise)
        tell(world, price=INDEX + round(stray))
        index, late = world.market().index, world.traffic.time - world.market().sampled
        shown = owner * (max(0, INDEX - 5 - index) - max(0, index - INDEX - 5))
        if late >= 120 or (late >= 60 and shown > noise // 2):
            assert world.crank() == "accepted"
            was += shown * 100 * min(late, 120) * 40_000 // (8 * phases.HOUR)
    worth = 40_000 * INDEX * 100
    assert was > 5 * worth // PPM  # what a sample paid by itself
    earned = world.market().funding * 40_000 * owner // phases.FUNDING_ONE
    # Dust beside the 500 ppm that it takes to come in; where the noise is twice the taker's fee, less than half.
    assert earned <= (worth // PPM if noise < 50 else was // 2)


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
    quote(world, INDEX + 4_100, INDEX + 4_140, size=100_000)
    pass_minutes(world, 30)
    world.wait(10 * phases.HOUR)
    tell(world)
    money, funding = world.equity(ATTACKER), world.market().funding
    assert world.order(ATTACKER, SELL, INDEX + 4_100, 40_000, flags=IOC) == "accepted"
    assert world.crank() == "accepted"
    earned = (world.market().funding - funding) * 40_000 // phases.FUNDING_ONE
    fee = 40_000 * (INDEX + 4_100) * 100 * TERMS["taker_fee"] // PPM
    # At the cap of 4 % an eighth an hour for two minutes: 167 ppm of the index, where the fee is 500.
    assert earned == 40_000 * INDEX * 100 * TERMS["funding_cap"] // (8 * 30) // PPM < fee
    assert world.order(ATTACKER, BUY, INDEX + 4_140, 40_000, flags=IOC) == "accepted"
    assert world.position(ATTACKER).size == 0
    assert world.equity(ATTACKER) < money
