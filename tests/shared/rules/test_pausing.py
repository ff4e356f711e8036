"""Orders that find more makers than an input can visit: the next records go on with them, and nothing comes between."""

from collections.abc import Callable

import pytest
from tests.support.machines.world import (
    ABOVE,
    BUY,
    FOK,
    IOC,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    WIDE,
    World,
    sub,
)

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import LIQUIDATION, UNWIND
from setoff.shared.rules import phases

LIMIT = 40


@pytest.fixture(autouse=True)
def short_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that leave the rest to the next after a few makers."""
    monkeypatch.setattr(phases, "WORK_LIMIT", LIMIT)


def walled(levels: int = 20, **market: int) -> World:
    """Account 1 asks for a lot at 100, 101, …, each alone on its level, and account 3 for 50 behind all of them."""
    wide = {"initial_margin": 200_000, "maintenance_margin": 200_000}
    world = World.trading(mark=110, step_band=900_000, max_age=60, **(wide | market))
    for order_slot in range(levels):
        assert world.order(1, SELL, 100 + order_slot, 1, order_slot=order_slot) == "accepted"
    assert world.order(3, SELL, 100 + levels, 50, order_slot=0) == "accepted"
    return world


def go_on(world: World) -> int:
    """Crank until nothing is left to do; returns how many cranks that took."""
    cranks = 0
    while world.machine.regs.has_work:
        assert world.crank(0) == "accepted"
        cranks += 1
    return cranks


def is_paused(world: World) -> bool:
    regs = world.machine.regs
    return (regs.has_work, regs.phase, regs.next_phase) == (1, phases.IDLE, phases.MARGIN)


def test_an_order_meets_every_maker_however_many_inputs_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = walled()
    assert world.order(2, BUY, 125, 80, order_slot=7) == "accepted"
    assert is_paused(world)
    assert 0 < world.position(2).size < 20
    assert world.position(2).size + world.position(2).bids == 80
    assert go_on(world) > 2
    assert world.queue(BUY, 125) == [(2, 7, 10)]
    monkeypatch.setattr(phases, "WORK_LIMIT", 2**16)
    at_once = walled()
    at_once.order(2, BUY, 125, 80, order_slot=7)
    assert not is_paused(at_once)
    for account in (1, 2, 3):
        assert world.value(1 << 36 | account) == at_once.value(1 << 36 | account)
    assert world.machine.regs.return_phase == phases.IDLE


def test_dead_orders_shield_nobody() -> None:
    world = walled()
    world.schedule_cancel(1, START_TIME)
    assert world.order(2, BUY, 125, 30, flags=IOC) == "accepted"
    assert world.fills() == []
    fills = []
    while world.machine.regs.has_work:
        world.crank(0)
        fills += world.fills()
    assert fills == [(3, 120, 30)]
    assert world.market().best_ask == 120


def test_until_it_is_done_no_record_is_taken_and_what_is_forced_waits() -> None:
    world = walled()
    world.order(2, BUY, 125, 80)
    late = world.traffic.order(3, BUY, 125, 5)
    cancel = world.traffic.cancel_all(1)
    assert world.take(cancel, is_message=True) == "parked"
    assert world.take(late) == "busy"
    assert world.deposit(1, 5) == "accepted"
    assert is_paused(world)
    go_on(world)
    assert world.position(1).size == -20
    world.crank(0)
    assert world.machine.regs.parked_first == world.machine.regs.parked_end


def test_it_waits_for_the_next_batch_where_this_one_has_no_steps_left() -> None:
    world = walled()
    world.order(2, BUY, 125, 30)
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    assert world.crank(0) == "step_cap"
    assert is_paused(world)
    world.wait(1)
    go_on(world)
    assert world.position(2).size == 30


def test_its_own_outcome_stays_what_it_was() -> None:
    world = walled()
    world.order(2, SELL, 119, 5, order_slot=9)
    assert world.order(2, BUY, 125, 80, flags=records.CANCEL_TAKER) == "accepted"
    while world.machine.regs.has_work:
        assert world.crank(0) == "accepted"  # it meets its owner's, and the rest of it is given up
    assert (world.position(2).size, world.position(2).bids) == (20, 0)


def test_a_post_only_order_that_had_dead_ones_to_clear_away_still_never_takes() -> None:
    world = walled()
    world.schedule_cancel(1, START_TIME)
    assert world.order(2, BUY, 125, 5, flags=POST_ONLY) == "accepted"
    go_on(world)
    assert (world.position(2).size, world.position(2).bids) == (0, 0)
    assert world.level(SELL, 120).size == 50


def later(world: World) -> None:
    """A second passes."""
    world.wait(1)


def end(world: World) -> None:
    """The exchange begins to wind down."""
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"


def grow_old(world: World) -> None:
    """The index is no longer fresh."""
    world.wait(61)


def grow_dear(world: World) -> None:
    """The fee rises so far that the account cannot pay for the rest."""
    assert world.set_market(1, taker_fee=100_000, initial_margin=1_000_000) == "accepted"


@pytest.mark.parametrize("is_reducing", [False, True])
@pytest.mark.parametrize(
    ("expiry", "deadline", "meanwhile", "goes_on"),
    [
        (START_TIME + 2, START_TIME + 2, later, True),
        (START_TIME + 1, 0, later, False),
        (0, START_TIME + 1, later, False),
        (0, 0, end, False),
        (0, 0, grow_dear, False),
    ],
    ids=["in time", "expired", "past its account's deadline", "winding down", "short of margin"],
)
def test_it_goes_on_only_if_it_still_may(
    expiry: int, deadline: int, meanwhile: Callable[[World], None], goes_on: bool, is_reducing: bool
) -> None:
    world = walled()
    if is_reducing:
        world.order(2, SELL, 90, 60)
        world.order(3, BUY, 90, 60, order_slot=1)
    else:
        world.machine.state.account(2).collateral = 40_000
    if deadline:
        world.schedule_cancel(2, deadline)
    before = world.position(2).size
    flags = REDUCE_ONLY if is_reducing else 0
    assert world.order(2, BUY, 125, 60, expiry=expiry, flags=flags, order_slot=5) == "accepted"
    met = world.position(2).size - before
    assert 0 < met < 20
    meanwhile(world)
    go_on(world)
    position = world.position(2)
    is_closing_dear = meanwhile is grow_dear and is_reducing
    assert position.size - before == (60 if goes_on or is_closing_dear else met)
    assert position.bids == 0
    assert world.machine.regs.return_phase == phases.IDLE


@pytest.mark.parametrize(("flags", "goes_on"), [(0, False), (REDUCE_ONLY, True)])
def test_what_opens_a_position_does_not_go_on_at_an_old_price(flags: int, goes_on: bool) -> None:
    world = walled()
    world.order(3, BUY, 95, 60, order_slot=1)
    world.order(2, SELL, 95, 60)
    before = world.position(2).size
    size = 60 if flags else 61
    world.order(2, BUY, 125, size, flags=flags)
    met = world.position(2).size - before
    grow_old(world)
    go_on(world)
    assert world.position(2).size - before == (60 if goes_on else met)


def test_a_dated_future_that_expires_meanwhile_ends_it() -> None:
    world = walled(expiry=START_TIME + 30)
    world.order(2, BUY, 125, 60)
    met = world.position(2).size
    world.wait(30)
    go_on(world)
    assert (world.position(2).size, world.position(2).bids) == (met, 0)


def test_an_order_that_enters_anew_pauses_like_a_new_one() -> None:
    world = walled()
    world.order(2, BUY, 90, 5, order_slot=3)
    assert world.amend(2, 3, 125, 60) == "accepted"
    assert is_paused(world)
    go_on(world)
    assert world.position(2).size == 60


def test_a_stop_that_fires_into_a_wall_goes_through_it() -> None:
    world = walled()
    world.schedule_cancel(1, START_TIME)
    world.order(2, BUY, 125, 30, flags=ABOVE, trigger=111, order_slot=4)
    world.set_mark(112)
    assert is_paused(world)
    assert world.machine.regs.trigger_market == 1
    go_on(world)
    assert world.position(2).size == 30
    assert world.machine.regs.trigger_market == 0


def test_the_legs_behind_it_wait_too() -> None:
    world = walled()
    legs = [Leg(0, 1, 0, 125, 60), Leg(0, 1, 1, 99, 3), Leg(records.CANCEL_LEG, 1, 1, 0, 0), Leg(0, 1, 2, 98, 4)]
    first, page = world.traffic.bulk(2, legs)
    assert [world.take(first), world.take(page)] == ["accepted", "accepted"]
    assert is_paused(world)
    assert world.machine.regs.return_phase == phases.LEG
    assert world.position(2).orders == 0
    go_on(world)
    assert world.position(2).size == 60
    assert world.queue(BUY, 98) == [(2, 2, 4)]
    assert world.level(BUY, 99).count == 0
    assert world.machine.regs.return_phase == phases.IDLE


def test_a_page_pauses_between_two_legs_and_its_bulk_goes_on_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "WORK_LIMIT", 9)
    world = World.trading()
    first, *pages = world.traffic.bulk(2, [Leg(0, 1, slot, 90 - slot, 1) for slot in range(10)])
    assert [world.take(first), world.take(pages[0])] == ["accepted", "accepted"]
    assert world.machine.regs.next_phase == phases.LEG
    assert 0 < world.position(2).orders < 8
    assert world.take(pages[1]) == "busy"  # it only lets the first page go on
    go_on(world)
    assert world.position(2).orders == 8
    assert world.take(pages[1]) == "accepted"
    go_on(world)
    assert world.position(2).orders == 10


def test_legs_of_an_agent_that_expires_meanwhile_are_passed_over() -> None:
    world = walled()
    world.order(2, BUY, 80, 1, order_slot=9)
    world.set_agent(2, 1, START_TIME + 5)
    legs = [Leg(0, 1, 0, 125, 60), Leg(0, 1, 1, 99, 3), Leg(records.CANCEL_LEG, 1, 9, 0, 0)]
    first, page = world.traffic.bulk(2, legs, agent=1)
    assert [world.take(first), world.take(page)] == ["accepted", "accepted"]
    world.wait(5)
    go_on(world)
    assert world.position(2).size == 60  # what was accepted in time goes on
    assert world.level(BUY, 99).count == 0
    assert world.queue(BUY, 80) == [(2, 9, 1)]


def test_a_liquidation_goes_on_through_the_book_before_it_asks_the_backstop() -> None:
    world = World.trading(funds=1_000_000, taker_fee=0, maker_fee=0, max_age=2**31, step_band=900_000)
    world.deposit(4, 1_150)
    world.order(4, BUY, 100, 10)
    world.order(1, SELL, 100, 10)
    for order_slot in range(20):
        world.order(2, BUY, 90 + order_slot // 4, 1, order_slot=order_slot)
    world.schedule_cancel(2, START_TIME)
    world.order(3, BUY, 89, 50)
    world.set_mark(90)  # 150 of 450: a tick a lot
    liquidated = world.trades(LIQUIDATION)
    while world.machine.regs.has_work:
        world.crank(0)
        liquidated += world.trades(LIQUIDATION)
    assert {(taker, maker, price) for taker, maker, price, _ in liquidated} == {(4, 3, 89)}


def test_what_the_backstop_cannot_offer_in_an_input_waits_for_its_next_crank(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.trading(taker_fee=0, maker_fee=0, max_age=2**31)
    world.backstop_deposit(1, 100_000)
    backstop = world.machine.state.account(0)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 80, 8_000
    backstop.positions[0].bids = 0
    for order_slot in range(20):
        world.order(2, BUY, 100 + order_slot // 10, 1, order_slot=order_slot)
    world.schedule_cancel(2, START_TIME)
    world.order(3, BUY, 100, 50)
    sold = 0
    for _ in range(4):
        world.wait(60)
        assert world.crank(1) == "accepted"
        sold += sum(size for *_, size in world.trades(UNWIND))
        go_on(world)
    assert sold > 0
    assert world.position(0).asks == 0


def test_a_fill_or_kill_order_is_never_cut_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "WORK_LIMIT", 8)
    world = walled()
    world.order(2, BUY, 125, 40, flags=FOK)
    assert not world.machine.regs.has_work
    assert len(world.fills()) == 21


def test_orders_of_one_owner_are_no_wall_for_it() -> None:
    world = World.trading(mark=110, max_age=60, **WIDE)
    world.transfer(2, sub(2), 100_000)
    for order_slot in range(20):
        world.order(sub(2), SELL, 100 + order_slot, 1, order_slot=order_slot)
    world.order(1, SELL, 120, 5)
    world.order(2, BUY, 125, 9)
    go_on(world)
    assert (world.position(2).size, world.position(2).bids) == (5, 4)
    assert world.account(sub(2)).orders == 0
