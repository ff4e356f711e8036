"""A call auction: orders are collected, and then trade at one price, by rule, whoever sends what first."""

from collections import defaultdict
from random import Random

import pytest
from tests.support.machines.invariants import check_invariants
from tests.support.machines.world import BELOW, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL, WIDE, World, sub

from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import AUCTION
from setoff.shared.rules import phases
from setoff.shared.rules.calls import compute_clearing
from setoff.shared.state import keys

INDEX = 1_000
CALL = 60

Book = list[tuple[int, int, int]]
"""Orders (side, price, size), one an account."""


def calling(accounts: int = 6, funds: int = 10**9, **market: int) -> World:
    """A market in the call that its first index begins."""
    given = {"call_minutes": 1, "taker_fee": 0, "maker_fee": 0, "max_age": 10**6, "impact": 1, **market}
    return World.trading(accounts=accounts, funds=funds, mark=INDEX, **given)


def rest(world: World, book: Book) -> None:
    for number, (side, price, size) in enumerate(book):
        assert world.order(1 + number, side, price, size, order_slot=number % 256) == "accepted"


def hold(world: World) -> None:
    """A crank after the end of the call."""
    world.wait(CALL)
    assert world.crank() == "accepted"


def find_price(book: Book, index: int) -> tuple[int, int]:
    """(price, lots) by trying every tick: most lots, least surplus, the surplus's side, next to the index."""
    best: list[tuple[int, int, int, int]] = []
    for price in range(1, 2 * INDEX):
        bids = sum(size for side, limit, size in book if side == BUY and limit >= price)
        asks = sum(size for side, limit, size in book if side == SELL and limit <= price)
        best.append((-min(bids, asks), abs(bids - asks), price, bids - asks))
    lots, surplus, *_ = min(best)
    tied = [each for each in best if each[:2] == (lots, surplus)]
    signs = {(each[3] > 0) - (each[3] < 0) for each in tied}
    if signs == {1}:
        return tied[-1][2], -lots
    if signs == {-1}:
        return tied[0][2], -lots
    low, high = tied[0][2], tied[-1][2]
    if 1 in signs and -1 in signs:  # the last with bids to spare, the first with asks to spare
        low = max(each[2] for each in tied if each[3] > 0)
        high = min(each[2] for each in tied if each[3] < 0)
    return min(max(index, low), high), -lots


@pytest.mark.parametrize("seed", range(60))
def test_the_price_is_that_of_the_rule_and_as_much_trades_as_can(seed: int) -> None:
    rng = Random(seed)
    prices = range(INDEX - rng.choice((2, 5, 30)), INDEX + rng.choice((2, 5, 30)) + 1)
    book = [(rng.randint(0, 1), rng.choice(prices), rng.randint(1, 4)) for _ in range(rng.randint(2, 14))]
    world = calling(accounts=len(book))
    rest(world, book)
    hold(world)
    price, lots = find_price(book, INDEX)
    fills = world.machine.fills
    assert sum(fill.size for fill in fills) == lots
    made = {fill.price for fill in fills}
    if lots:
        assert len(made) == 1
        found = made.pop()
        if found != price:  # of two neighbouring ticks with a surplus on either side the nearer: surpluses not compared
            bids = [sum(s for side, p, s in book if side == BUY and p >= tick) for tick in (price, found)]
            asks = [sum(s for side, p, s in book if side == SELL and p <= tick) for tick in (price, found)]
            assert abs(found - price) == 1 and min(bids[1], asks[1]) == lots
            assert (bids[0] - asks[0]) * (bids[1] - asks[1]) < 0
    market = world.market()
    assert market.best_bid == 0 or market.best_ask == 0 or market.best_bid < market.best_ask
    check_invariants(world.machine, len(book) * 10**9, was_called_off=False)


@pytest.mark.parametrize("seed", range(20))
def test_price_and_time_decide_who_trades(seed: int) -> None:
    rng = Random(seed)
    book = [(rng.randint(0, 1), INDEX + rng.randint(-3, 3), rng.randint(1, 4)) for _ in range(12)]
    world = calling(accounts=12)
    rest(world, book)
    hold(world)
    traded: defaultdict[int, int] = defaultdict(int)
    for fill in world.machine.fills:
        assert fill.kind == AUCTION and fill.side == BUY
        assert book[fill.taker - 1][1] >= fill.price >= book[fill.maker - 1][1]
        traded[fill.taker] += fill.size
        traded[fill.maker] += fill.size
    for side in (BUY, SELL):
        numbers = [number for number, order in enumerate(book) if order[0] == side]
        numbers.sort(key=lambda number: ((1 if side == SELL else -1) * book[number][1], number))
        left = [book[number][2] - traded[number + 1] for number in numbers]
        first = next((place for place, lots in enumerate(left) if lots), len(left))
        assert not any(traded[number + 1] for number in numbers[first + 1 :])


@pytest.mark.parametrize(
    ("low", "high", "bid", "ask", "index", "price"),
    [
        (980, 1_020, 0, 2**24, 1_000, 1_000),
        (980, 1_020, 0, 2**24, 900, 980),
        (980, 1_020, 0, 2**24, 1_100, 1_020),
        (980, 1_020, 1_020, 2**24, 1_000, 1_020),  # bids are left at the last bid that traded
        (980, 1_020, 0, 980, 1_000, 980),  # and asks
        (980, 1_020, 1_005, 1_015, 1_000, 1_006),
        (980, 1_020, 985, 990, 1_000, 989),
        (980, 1_020, 999, 1_000, 1_000, 1_000),  # neighbours
        (980, 1_020, 999, 1_000, 999, 999),
        (980, 980, 979, 981, 1_000, 980),
        (1, 1, 0, 2**24, 1, 1),
        (keys.MAX_TICK, keys.MAX_TICK, 0, keys.MAX_TICK + 1, 5, keys.MAX_TICK),
    ],
)
def test_clearing_price(low: int, high: int, bid: int, ask: int, index: int, price: int) -> None:
    assert compute_clearing(low, high, bid, ask, index) == price


def test_nothing_trades_before_the_end_whoever_cranks() -> None:
    world = calling()
    rest(world, [(BUY, 1_010, 5), (SELL, 990, 5)])
    world.wait(CALL - 1)
    assert world.crank() == "accepted" and world.fills() == []
    assert world.order(3, BUY, 1_020, 5) == "accepted" and world.fills() == []
    world.wait(1)
    assert world.crank() == "accepted"
    assert world.fills() == [(2, 1_011, 5)]
    assert world.queue(BUY, 1_010) == [(1, 0, 5)]


def test_an_order_after_the_end_waits_for_the_auction() -> None:
    world = calling()
    rest(world, [(BUY, 1_010, 5), (SELL, 990, 3)])
    world.wait(CALL)
    assert world.order(3, SELL, 980, 2, flags=IOC) == "accepted"
    assert world.fills() == [(2, 1_010, 3), (1, 1_010, 2)]


def test_the_legs_of_a_bulk_wait_for_it_too() -> None:
    world = calling()
    rest(world, [(BUY, 1_010, 5), (SELL, 990, 3)])
    world.wait(CALL)
    assert world.bulk(3, [Leg(records.SELL_LEG, 1, 0, 1_010, 2)]) == ["accepted", "accepted"]
    assert world.position(1).size == 5 and world.position(3).size == -2


@pytest.mark.parametrize("flags", [IOC, FOK])
def test_orders_that_cannot_rest_are_refused_in_a_call(flags: int) -> None:
    world = calling()
    assert world.order(1, BUY, 1_010, 5, flags=flags) == "halted"
    assert world.order(1, BUY, 1_010, 5, flags=POST_ONLY) == "accepted"
    assert world.order(2, SELL, 1_010, 5, flags=POST_ONLY) == "accepted"


def test_without_call_minutes_all_is_as_ever() -> None:
    world = calling(call_minutes=0, step_band=10_000)
    assert world.order(1, BUY, 1_010, 5) == "accepted" and world.order(2, SELL, 990, 3) == "accepted"
    assert world.fills() == [(1, 1_010, 3)]
    world.set_mark(1_100)
    assert world.order(3, BUY, 1_010, 5) == "halted"
    assert world.market().halted_until == world.traffic.time + phases.HALT_TIME


def test_a_jump_of_the_index_begins_a_call_and_another_prolongs_it() -> None:
    world = calling(step_band=10_000, call_minutes=3)
    world.wait(180)
    assert world.order(1, BUY, 1_010, 5) == "accepted" and world.order(2, SELL, 990, 3) == "accepted"
    assert world.fills() == [(1, 1_010, 3)]
    world.set_mark(1_100)
    assert world.market().halted_until == world.traffic.time + 180
    assert world.order(3, SELL, 1_000, 5) == "accepted" and world.fills() == []
    world.set_mark(1_100, seconds=100)
    assert world.market().halted_until == world.traffic.time + 180
    world.wait(179)
    assert world.crank() == "stale_price" and world.position(3).size == 0
    world.wait(1)
    assert world.crank() == "stale_price" and world.position(3).size == 0  # the index has been cut
    world.set_mark(1_020)
    assert world.crank() == "accepted" and world.position(3).size == -2


@pytest.mark.parametrize(("silence", "is_call"), [(phases.HALT_TIME + 600, False), (phases.HALT_TIME + 601, True)])
def test_an_oracle_that_comes_back_after_long_begins_a_call(silence: int, is_call: bool) -> None:
    world = calling(max_age=600)
    world.set_mark(INDEX, seconds=silence)
    assert (world.market().halted_until > world.traffic.time) == is_call


def test_on_a_stale_index_the_auction_waits() -> None:
    world = calling(max_age=100)
    rest(world, [(BUY, 1_010, 5), (SELL, 990, 5)])
    world.wait(101)
    assert world.crank() == "stale_price"
    assert world.order(3, BUY, 1_000, 1) == "stale_price"
    world.set_mark(INDEX)
    assert world.crank() == "accepted" and world.position(1).size == 5


def test_both_sides_pay_the_makers_fee_and_get_no_rebate() -> None:
    for maker_fee, fee in ((100, 1), (-100, 0)):
        world = calling(taker_fee=500, maker_fee=maker_fee)
        rest(world, [(BUY, 1_000, 1), (SELL, 1_000, 1)])
        hold(world)
        assert world.market().insurance == 2 * fee
        assert world.account(1).collateral == 10**9 - 10_000 - fee


def test_outbidding_with_orders_that_meet_their_own_is_at_risk() -> None:
    """The adversary bids much for show, with an ask of its own in front: each loses one lot, and the rest trades."""
    world = calling()
    assert world.order(1, SELL, 950, 1, order_slot=1) == "accepted"
    assert world.order(1, BUY, 1_050, 100, order_slot=2, flags=records.CANCEL_TAKER) == "accepted"
    assert world.order(2, BUY, 1_050, 5) == "accepted"
    assert world.order(3, SELL, 960, 50) == "accepted"
    hold(world)
    assert world.position(1).size == 50 and world.position(2).size == 0
    assert world.account(1).orders == 0b100 and world.resting(1, 2).size == 49


def test_orders_of_two_sub_accounts_of_one_owner_do_not_trade() -> None:
    world = calling()
    assert world.transfer(1, sub(1), 10**8) == "accepted"
    assert world.order(1, BUY, 1_010, 5) == "accepted"
    assert world.order(sub(1), SELL, 990, 3) == "accepted"
    hold(world)
    assert world.fills() == [] and world.position(1).bids == 2
    assert world.resting(1, 0).size == 2 and world.resting(sub(1), 0).market == 0


def test_dead_and_unfunded_orders_move_no_price() -> None:
    world = calling(accounts=6, initial_margin=100_000, maintenance_margin=100_000)
    assert world.order(4, BUY, 1_100, 10_000, expiry=world.traffic.time + CALL) == "accepted"
    rest(world, [(BUY, 1_010, 5), (SELL, 990, 5)])
    poor = 10 * 1_000 * 10 // 10 * 60 + 40_000
    account = world.machine.state.account(5)
    account.collateral, spare = poor, account.collateral - poor
    world.machine.state.account(6).collateral += spare
    world.machine.state.commit()
    for slot in range(6):
        assert world.order(5, BUY, 1_000, 10, order_slot=slot) == "accepted"
    account = world.machine.state.account(5)
    account.collateral -= poor - 15_000
    world.machine.state.account(6).collateral += poor - 15_000
    world.machine.state.commit()
    hold(world)
    assert [(fill.taker, fill.price) for fill in world.machine.fills] == [(1, 1_000)]


def test_an_owner_who_cannot_pay_for_all_trades_what_he_can_in_his_turn() -> None:
    world = calling(initial_margin=100_000)
    for slot in range(2):
        assert world.order(1, BUY, 1_010, 10, order_slot=slot) == "accepted"
    assert world.order(2, SELL, 1_000, 20) == "accepted"
    account = world.machine.state.account(1)
    account.collateral, spare = 12_000, account.collateral - 12_000
    world.machine.state.account(3).collateral += spare
    world.machine.state.commit()
    hold(world)
    # Nothing was counted, so the price is the one next to the index between best bid and best ask.
    assert world.fills() == [(2, 1_000, 10)]
    assert world.account(1).orders == 0 and world.resting(2, 0).size == 10


def test_positions_below_maintenance_wait_and_at_close_out_do_not() -> None:
    world = calling(accounts=4, step_band=50_000, maintenance_margin=60_000, close_out=30_000, initial_margin=100_000)
    world.wait(CALL)
    assert world.backstop_deposit(4, 10**8) == "accepted"
    assert world.order(1, BUY, 1_000, 10) == "accepted" and world.order(3, SELL, 1_000, 10) == "accepted"
    assert world.order(2, BUY, 1_000, 10) == "accepted" and world.order(3, SELL, 1_000, 10) == "accepted"
    for account, ppm in ((1, 50_000), (2, 25_000)):
        leaf = world.machine.state.account(account)
        want = -950 * 10 * 10 + 950 * 10 * 10 * ppm // 10**6
        world.machine.state.account(4).collateral += leaf.collateral - want
        leaf.collateral = want
    world.machine.state.commit()
    world.set_mark(900)
    assert world.market().mark == 950
    assert (world.position(1).size, world.position(2).size) == (10, 10)  # the index has been cut
    world.set_mark(950)
    assert (world.position(1).size, world.position(2).size) == (10, 0)
    world.wait(CALL)
    assert world.order(3, BUY, 945, 100) == "accepted"
    assert world.crank() == "accepted"
    assert world.position(1).size < 10


def test_stops_do_not_fire_into_a_call() -> None:
    world = calling(step_band=50_000)
    world.wait(CALL)
    assert world.order(1, BUY, 1_000, 10) == "accepted" and world.order(3, SELL, 1_000, 10) == "accepted"
    stop = {"flags": REDUCE_ONLY | IOC | BELOW, "trigger": 980}
    assert world.order(1, SELL, 1, 10, order_slot=5, **stop) == "accepted"
    world.set_mark(900)
    assert world.account(1).orders == 1 << 5
    assert world.order(2, BUY, 940, 10) == "accepted"
    world.wait(CALL)
    world.set_mark(950, seconds=0)
    assert world.crank() == "accepted"
    assert world.account(1).orders == 0 and world.position(2).size == 10


def test_quotes_in_a_call_are_no_depth() -> None:
    world = calling(**WIDE)
    rest(world, [(BUY, 1_300, 5), (SELL, 1_350, 5)])
    world.wait(30)
    assert world.crank() == "accepted"
    market = world.market()
    assert (market.basis0, market.premium, market.excess, market.mark) == (0, 0, 0, INDEX)
    assert market.sampled == world.traffic.time


def test_the_cap_of_open_interest_holds() -> None:
    world = calling(max_open_interest=8)
    rest(world, [(BUY, 1_010, 8), (SELL, 990, 8), (BUY, 1_005, 8), (SELL, 995, 8)])
    hold(world)
    assert world.market().open_interest == 8
    # One of the two that would have gone beyond it, the younger, has left.
    assert world.account(4).orders == 0 and world.resting(3, 2).size == 8
