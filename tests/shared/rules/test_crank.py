"""A crank measures the book as a taker would find it: orders that live, accounts that can carry them, enough lots."""

from collections import Counter

import pytest
from tests.support.machines.world import BUY, REDUCE_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.step import apply_step

INDEX = 1_000


def market_of(impact: int = 100, **market: int) -> World:
    """The book may move the mark by a sixth."""
    margins = {"initial_margin": PPM, "maintenance_margin": PPM}
    terms = {"impact": impact, "taker_fee": 0, "maker_fee": 0, "max_age": 10**6, **margins, **market}
    return World.trading(accounts=6, funds=10**8, mark=INDEX, **terms)


def offer(world: World, account: int, bid: int, ask: int, size: int = 100, order_slot: int = 0, **fields: int) -> None:
    assert world.order(account, BUY, bid, size, order_slot=order_slot, **fields) == "accepted"
    assert world.order(account, SELL, ask, size, order_slot=order_slot + 1, **fields) == "accepted"


def crank(world: World, seconds: int = 60) -> Counter[int]:
    """A crank some seconds later; returns how often each phase ran before the work began."""
    world.wait(seconds)
    regs, seen = world.machine.regs, Counter[int]()
    step_fetch(regs, world.machine.state, world.traffic.crank(), False)
    while regs.phase != phases.IDLE:
        seen[regs.phase] += 1
        apply_step(regs, world.machine.state)
        world.machine.state.commit()
    return seen


@pytest.mark.parametrize(
    ("bids", "asks", "bid", "ask"),
    [
        ([(990, 100)], [(1_030, 100)], 990, 1_030),
        ([(990, 60), (980, 60)], [(1_030, 100)], 986, 1_030),  # 60 at 990, 40 at 980
        ([(990, 60), (980, 60)], [(1_010, 1), (1_030, 10), (1_031, 500)], 986, 1_031),  # 1,030.69
        ([(990, 33), (989, 67)], [(1_000, 100)], 989, 1_000),  # 989.33
        ([(990, 60), (980, 39)], [(1_030, 100)], 0, 1_030),  # one lot is missing
        ([(990, 100)], [(1_030, 99)], 990, 0),
        ([(990, 100)], [], 990, 0),
        ([], [(1_030, 100)], 0, 1_030),
        ([], [], 0, 0),
        ([(999, 1), (900, 99)], [(1_001, 1), (1_100, 99)], 900, 1_100),  # what is behind the best price counts
        ([(1_020, 100)], [(1_030, 100)], 1_020, 1_030),
        ([(1_020, 100)], [(1_030, 99)], 1_020, 0),
        ([(970, 100)], [(980, 100)], 970, 980),
        ([], [(960, 100)], 0, 960),
    ],
)
def test_the_impact_prices_are_means_over_the_depth(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], bid: int, ask: int
) -> None:
    world = market_of()
    for side, orders in ((BUY, bids), (SELL, asks)):
        for slot, (price, size) in enumerate(orders):
            assert world.order(1 + side, side, price, size, order_slot=slot) == "accepted"
    crank(world)
    assert get_impact_prices(world) == (bid, ask)
    market = world.market()
    assert market.basis0 == (bid - INDEX if bid > INDEX else ask - INDEX if 0 < ask < INDEX else 0)
    assert (market.premium != 0) == (market.basis0 != 0)
    assert market.sampled == START_TIME + 60


def get_impact_prices(world: World) -> tuple[int, int]:
    """Of bids and asks as the crank before found them."""
    return world.machine.regs.trigger, world.machine.regs.price


def test_a_side_that_has_the_depth_speaks_for_itself() -> None:
    world = market_of()
    offer(world, 1, 1_036, 1_044)
    crank(world)
    crank(world)
    crank(world)
    assert (world.market().basis0, world.market().excess) == (36, 36)
    world.cancel(1, 1)
    offer(world, 2, 1_010, 1_043, size=99, order_slot=4)
    funding = world.market().funding
    crank(world)  # bids alone: the basis would fall with time, but not below them
    assert (world.market().basis0, world.market().excess) == (36, 36)
    assert world.market().funding > funding
    world.cancel(1, 0)
    world.cancel(2, 4)
    offer(world, 3, 800, 1_010, order_slot=8)
    world.cancel(3, 8)
    crank(world)  # asks alone, at 10
    assert (world.market().basis0, world.market().excess) == (10, 0)


@pytest.mark.parametrize("seconds", [60, 120, 240])
def test_with_neither_side_the_mark_goes_back_to_the_index_by_time(seconds: int) -> None:
    world = market_of()
    offer(world, 1, 1_040, 1_060)
    for _ in range(60):
        crank(world)
    assert world.market().mark == 1_039
    world.cancel_all(1)
    marks = []
    for _ in range(0, 960, seconds):
        crank(world, seconds)
        marks.append(world.market().mark)
    assert marks == sorted(marks, reverse=True)
    assert 1_000 <= marks[-1] < 1_010 and marks[480 // seconds - 1] < 1_025
    assert world.market().excess == 0
    for _ in range(10):
        crank(world, 600)
    assert world.market().mark == 1_000


def test_a_dead_order_is_pruned_and_not_counted() -> None:
    world = market_of()
    offer(world, 1, 990, 1_010)
    offer(world, 2, 995, 1_005, order_slot=2, expiry=world.traffic.time + 30)
    seen = crank(world)
    assert world.market().basis0 == 0
    assert (world.level(BUY, 995).count, world.level(SELL, 1_005).count) == (0, 0)
    assert world.account(2).orders == 0
    assert (world.market().best_bid, world.market().best_ask) == (990, 1_010)
    assert seen[phases.UNLINK] == 2 and seen[phases.DEPTH] == 4


def test_a_maker_that_can_no_longer_pay_is_pruned() -> None:
    world = market_of()
    offer(world, 1, 900, 1_100)
    offer(world, 2, 999, 1_001, order_slot=2)
    world.machine.state.account(2).collateral = 1_000
    crank(world)
    assert world.market().basis0 == 0 and world.account(2).orders == 0
    assert world.market().best_bid == 900


def test_lots_that_one_account_could_not_trade_together_do_not_count() -> None:
    """Ten orders, with the money for one of them: each could trade, and so none is pruned, but they are no depth."""
    world = market_of(impact=50)
    offer(world, 1, 900, 1_100)
    for slot in range(5):
        offer(world, 2, 1_010, 1_020, size=10, order_slot=2 * slot)
    world.machine.state.account(2).collateral = 120_000  # 10 lots at 1,000 ticks of 10: 100,000 of margin
    seen = crank(world)
    assert world.market().basis0 == 0
    assert world.account(2).orders != 0 and seen[phases.UNLINK] == 0


def test_reduce_only_orders_count_as_far_as_they_close() -> None:
    world = market_of()
    world.order(3, BUY, 1_000, 60)
    world.order(4, SELL, 1_000, 60)
    offer(world, 1, 900, 1_100)
    assert world.order(3, SELL, 1_010, 60, order_slot=3, flags=REDUCE_ONLY) == "accepted"
    crank(world)
    # Sixty at 1,010 and forty at 1,100
    assert get_impact_prices(world) == (900, 1_046)


def test_however_many_small_orders_there_are_the_lots_behind_them_count() -> None:
    world = market_of(impact=200, order_margin=0)
    for slot in range(150):
        assert world.order(1, BUY, 1_030 - slot, 1, order_slot=slot) == "accepted"
    offer(world, 2, 860, 1_050, order_slot=200)
    offer(world, 3, 840, 1_070, order_slot=200)
    seen = crank(world)
    assert get_impact_prices(world) == ((sum(range(881, 1_031)) + 50 * 860) // 200, 1_060)
    assert seen[phases.DEPTH] == 151 + 2


@pytest.mark.parametrize("limit", [5, 17, 40])
def test_a_crank_without_steps_goes_on_with_the_next_record(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    worlds = market_of(impact=15, order_margin=0), market_of(impact=15, order_margin=0)
    for world in worlds:
        for slot in range(20):
            world.order(1, BUY, 1_020 - slot, 1, order_slot=slot)
            world.order(2, SELL, 1_030 + slot, 1, order_slot=slot, expiry=world.traffic.time + 30)
        offer(world, 3, 900, 1_100)
        world.wait(60)
    assert worlds[0].crank() == "accepted"
    monkeypatch.setattr(phases, "WORK_LIMIT", limit)
    world, inputs = worlds[1], 1
    assert world.crank() == "accepted"
    while world.machine.regs.has_work:
        assert world.machine.regs.next_phase in (phases.DEPTH, phases.WORK)
        # The terms may change meanwhile: what is measured stays what it was.
        terms = {"order_margin": 0, "max_age": 10**6, "taker_fee": 0, "maker_fee": 0}
        margins = {"initial_margin": PPM, "maintenance_margin": PPM}
        assert world.set_market(impact=7, **terms, **margins) == "accepted"
        assert (world.crank() if inputs % 2 else world.order(4, BUY, 1_000, 1)) in ("accepted", "busy")
        inputs += 1
    assert inputs > 2
    assert world.account(4).orders == 0 and world.account(2).orders == 0
    one, other = worlds[0].market(), world.market()
    assert (one.basis0, one.excess, one.mark) == (other.basis0, other.excess, other.mark) != (0, 0, 1_000)


def test_a_wall_of_dead_orders_is_taken_down() -> None:
    world = market_of()
    offer(world, 1, 900, 1_120)
    for slot in range(100):
        world.order(2, BUY, 995 - slot % 3, 1, order_slot=slot, expiry=world.traffic.time + 30)
    seen = crank(world)
    assert world.account(2).orders == 0
    assert get_impact_prices(world) == (900, 1_120)
    assert world.market().sampled == world.traffic.time
    measuring = phases.DESCEND, phases.DEPTH, phases.UNLINK, phases.UNLIST, phases.SEEK, phases.SAMPLE, phases.CRANK
    assert sum(seen[phase] for phase in measuring) <= 5 * 102 + 4


def test_an_impact_of_nothing_is_one_lot() -> None:
    world = market_of(impact=0)
    offer(world, 1, 1_010, 1_030, size=1)
    crank(world)
    assert world.market().basis0 == 10


def test_measuring_changes_no_account_but_for_funding_that_is_due() -> None:
    world = market_of()
    world.order(1, BUY, 1_000, 10)
    world.order(2, SELL, 1_000, 10)
    offer(world, 1, 1_020, 1_030, order_slot=5)
    before = {number: world.account(number).collateral for number in (1, 2, 3)}
    crank(world)
    assert {number: world.account(number).collateral for number in (1, 2, 3)} == before
    crank(world)
    paid = -(-world.market().funding * 10 // 2**32)
    assert paid > 0 and world.account(1).collateral == before[1] - paid
