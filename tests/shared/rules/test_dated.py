"""Dated futures: the average index before expiry settles them, in cash, account by account."""

from tests.support.machines.world import ABOVE, BUY, IOC, SELL, World

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.machine.machine import DELEVERAGE
from setoff.shared.rules.phases import TWAP_TIME

EXPIRY = START_TIME + 2 * TWAP_TIME


def dated(**market: int) -> World:
    """Accounts 1 (long) and 2 (short) hold 10 lots at 100; no fees."""
    world = World.trading(taker_fee=0, maker_fee=0, expiry=EXPIRY, max_age=2**31, **market)
    world.order(1, BUY, 100, 10)
    world.order(2, SELL, 100, 10)
    return world


def expire(world: World, *prices: int) -> None:
    """Reports in the last half hour, each of which holds as long as the others, then the expiry."""
    world.wait(EXPIRY - TWAP_TIME - world.traffic.time)
    for price in prices:
        assert world.report(0, price) == "accepted"
        world.wait(TWAP_TIME // len(prices))


def settle(world: World) -> None:
    """A crank that brings the mark to the settlement price, and the one that settles."""
    assert world.crank() == "accepted"
    if not world.market().settled:
        world.wait(60)
        assert world.crank() == "accepted"
    assert world.market().settled == 1


def test_only_the_last_half_hour_is_averaged_each_index_by_the_time_it_held() -> None:
    world = dated()
    world.wait(TWAP_TIME - 1)
    world.report(0, 105)
    assert (world.market().twap_sum, world.market().twap_time) == (0, 0)
    world.set_mark(110, seconds=11)  # ten seconds into the half hour
    assert (world.market().twap_sum, world.market().twap_time) == (1_050, 10)
    world.set_mark(121, seconds=90)
    assert (world.market().twap_sum, world.market().twap_time) == (1_050 + 9_900, 100)
    world.wait(EXPIRY - world.traffic.time + 500)  # what comes after the expiry does not count
    world.crank()
    assert world.market().twap_time == TWAP_TIME
    assert world.market().mark == (1_050 + 9_900 + 121 * (TWAP_TIME - 100)) // TWAP_TIME == 120


def test_many_reports_weigh_no_more_than_one() -> None:
    plain, crowded = dated(), dated()
    for world, times in ((plain, 1), (crowded, 59)):
        world.wait(EXPIRY - TWAP_TIME - world.traffic.time)
        for _ in range(30):
            for report in range(times):
                assert world.report(0, 190, time=world.traffic.time - times + report) == "accepted"
            assert world.report(0, 110) == "accepted"
            world.wait(TWAP_TIME // 30)
        world.crank()
    assert plain.market().mark == crowded.market().mark == 110


def test_two_cranks_settle_at_the_average_rounded_down() -> None:
    world = dated()
    expire(world, 110, 120, 122)
    assert world.crank() == "accepted"
    market = world.market()
    assert (market.settled, market.mark, market.index) == (0, 117, 117)
    assert world.position(1).size == 10
    world.wait(59)
    assert world.crank() == "not_due"
    world.wait(1)
    assert world.crank() == "accepted"
    market = world.market()
    assert (market.settled, market.mark, market.index) == (1, 117, 117)
    # 10 lots from 100 to 117 at 10 units: 1,700
    assert world.account(1).collateral == 1_001_700
    assert world.account(2).collateral == 998_300
    assert world.account(1).positions[0].market == world.account(2).positions[0].market == 0
    assert world.market().open_interest == 0


def test_without_a_report_in_time_the_last_index_settles() -> None:
    world = dated()
    world.set_mark(105)
    world.wait(EXPIRY - world.traffic.time)
    settle(world)
    assert world.market().mark == 105
    assert world.account(1).collateral == 1_000_500


def test_an_expired_market_takes_no_orders_reports_or_samples() -> None:
    world = dated()
    world.order(3, BUY, 90, 1, order_slot=0)
    expire(world, 110)
    assert world.order(3, BUY, 100, 1) == "market_expired"
    assert world.order(1, SELL, 100, 1, flags=4) == "market_expired"
    assert world.order(3, BUY, 100, 1, flags=ABOVE, trigger=2_000) == "market_expired"
    assert world.report(0, 110) == "market_expired"
    assert world.crank() == "accepted"
    assert world.crank() == "not_due"
    assert world.amend(3, 0, 91, 1) == "market_expired"
    assert world.level(BUY, 90).count == 0


def test_orders_left_in_an_expired_market_can_be_cancelled_and_cost_no_margin() -> None:
    world = dated()
    world.order(3, BUY, 90, 1_000, order_slot=0)
    expire(world, 110)
    settle(world)
    assert world.position(3).bids == 1_000
    assert world.withdraw(3, 1_000_000) == "accepted"
    assert world.cancel(3, 0) == "accepted"
    assert world.account(3).positions[0].market == 0


def test_settled_money_can_leave() -> None:
    world = dated()
    expire(world, 110)
    settle(world)
    assert world.withdraw(1, 1_001_000) == "accepted"
    assert world.withdraw(2, 999_000) == "accepted"


def test_settlement_waits_for_the_sampling_interval_and_for_an_index() -> None:
    world = World()
    world.list_market(1, expiry=START_TIME + 5)
    world.wait(60)
    assert world.crank() == "not_due"  # never had a price, so never a position
    world = dated()
    world.wait(EXPIRY - world.traffic.time - 30)
    assert world.crank() == "accepted"
    world.wait(30)
    assert world.crank() == "not_due"
    world.wait(30)
    assert world.crank() == "accepted"
    assert world.market().settled == 1


def test_who_cannot_pay_the_way_to_the_settlement_price_is_liquidated_first() -> None:
    world = World.trading(accounts=2, funds=11_000, taker_fee=0, maker_fee=0, expiry=EXPIRY, max_age=2**31)
    world.wait(TWAP_TIME)
    world.set_mark(140, seconds=0)
    world.set_mark(100, seconds=TWAP_TIME * 3 // 4)
    world.order(1, BUY, 100, 100)
    world.order(2, SELL, 100, 100)
    world.wait(EXPIRY - world.traffic.time)
    assert world.crank() == "accepted"  # the average is 130; the short has 11,000 for 100 lots: 111 is all it can pay
    assert world.trades(DELEVERAGE) == [(2, 1, 111, 100)]
    world.wait(60)
    assert world.crank() == "accepted"
    assert world.market().settled == 1
    assert (world.account(1).collateral, world.account(2).collateral) == (22_000, 0)


def test_a_loss_at_settlement_can_liquidate_elsewhere() -> None:
    world = World.trading(funds=6_000, taker_fee=0, maker_fee=0, expiry=EXPIRY, max_age=2**31)
    world.list_market(2, taker_fee=0, maker_fee=0, max_age=2**31)
    world.report(0, 100, market=2)
    world.deposit(2, 10**6)
    world.deposit(3, 10**6)
    world.wait(TWAP_TIME)
    world.set_mark(62, seconds=0)
    world.set_mark(101, seconds=TWAP_TIME * 2 // 3)
    for market, size in ((1, 20), (2, 30)):
        world.order(1, BUY, 101, size, market=market)
        world.order(2, SELL, 101, size, market=market)
    world.order(3, BUY, 100, 100, market=2)
    world.wait(EXPIRY - world.traffic.time)
    assert world.crank() == "accepted"
    # at 75: 6,000 - 5,200 - 300 of 750 + 1,500; the larger position goes first, into the bid at 100
    first = world.machine.fills[0]
    assert (first.taker, first.market, first.price, first.size) == (1, 2, 100, 8)


def test_an_open_order_keeps_the_place_of_a_settled_position() -> None:
    world = dated()
    world.order(1, BUY, 90, 3, order_slot=5)
    expire(world, 110)
    settle(world)
    position = world.position(1)
    assert (position.size, position.cost, position.bids) == (0, 0, 3)
    world.cancel(1, 5)
    assert world.account(1).positions[0].market == 0


def test_armed_orders_of_a_settled_market_never_enter() -> None:
    world = dated()
    world.wait(TWAP_TIME)
    world.set_mark(140, seconds=0)
    world.set_mark(100, seconds=TWAP_TIME // 2)
    world.order(3, BUY, 120, 1, flags=ABOVE | IOC, trigger=115, order_slot=0)
    world.order(3, BUY, 120, 1, flags=ABOVE | IOC, trigger=130, order_slot=1)
    world.order(2, SELL, 120, 5, order_slot=9)
    world.wait(EXPIRY - world.traffic.time)
    settle(world)  # at 120
    assert world.market().mark == 120
    assert world.fills() == []
    assert world.resting(3, 0).market == 0
    assert world.cancel(3, 1) == "accepted"
