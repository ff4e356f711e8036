"""A record on offer: taken with all that follows from it, or as if it had never been there."""

import pytest
from tests.support.machines.world import BUY, SELL, World

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.machine import machine
from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TRADE, UNWIND, Fill
from setoff.shared.rules import phases


def offer(world: World, record: bytes) -> str:
    return errors.OUTCOMES[world.machine.offer(record).outcome]


def gamble(world: World) -> None:
    """Account 1 holds 900 lots for 92,000, bought from account 2; 3 bids for 500 below."""
    world.machine.state.account(1).collateral = 92_000
    assert world.order(2, SELL, 100, 900) == world.order(1, BUY, 100, 900) == "accepted"
    assert world.order(3, BUY, 94, 500) == "accepted"


def test_a_refusal_leaves_no_trace() -> None:
    world = World.trading()
    traffic = world.traffic
    assert world.order(2, SELL, 101, 1) == world.order(1, SELL, 102, 1) == "accepted"
    before = world.machine.hash()
    for record, reason in (
        (traffic.order(1, BUY, 100, 2**30), "insufficient_margin"),
        (traffic.order(3, BUY, 102, 3, flags=records.FOK), "unfillable"),
        (traffic.order(3, BUY, 102, 3, flags=records.POST_ONLY), "would_cross"),
        (traffic.amend(1, 0, 250, 1), "price_band"),
        (traffic.withdraw(1, 10**9), "insufficient_margin"),
        (traffic.report(0, 5, time=traffic.time), "stale_report"),
        (traffic.crank(1), "accepted"),
        (traffic.crank(1), "not_due"),
    ):
        assert offer(world, record) == reason
        if reason == "accepted":
            before = world.machine.hash()
        assert world.machine.hash() == before and (reason == "accepted" or world.machine.fills == [])


def test_an_order_that_traded_before_its_reject_is_kept() -> None:
    world = World.trading()
    assert world.order(2, SELL, 100, 3) == world.order(1, SELL, 101, 5) == "accepted"
    twin = world.machine.copy()
    record = world.traffic.order(1, BUY, 102, 9, flags=records.CANCEL_TAKER)
    assert offer(world, record) == "self_trade" and len(world.machine.fills) == 1
    twin._next_input = world.machine._next_input - 1
    assert twin.take(record, is_message=False) == errors.SELF_TRADE
    assert twin.hash() == world.machine.hash()


def test_what_took_long_to_refuse_is_kept_as_a_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    """So its nonce is used, and nobody makes the machine count the same orders again and again for nothing."""
    world = World.trading(funds=10**9)
    for order_slot in range(40):
        assert world.order(2, SELL, 100, 1, order_slot=order_slot) == "accepted"
    record = world.traffic.order(1, BUY, 100, 100, flags=records.FOK)
    before = world.machine.hash()
    assert world.machine.offer(record)[:3] == (errors.UNFILLABLE, False, [])
    assert world.machine.hash() == before
    monkeypatch.setattr(machine, "COSTLY_STEPS", 32)
    assert world.machine.offer(record)[:3] == (errors.UNFILLABLE, True, [])
    assert world.machine.offer(record) == (errors.NONCE_USED, False, [], 1)


def test_work_that_a_report_begins_is_part_of_it() -> None:
    world = World.trading(funds=10**9)
    gamble(world)
    twin = world.machine.copy()
    record = world.traffic.report(0, 94, time=world.traffic.time + 1)
    assert offer(world, record) == "accepted"
    assert world.machine.fills == [Fill(1, 1, 0, 3, 0, SELL, 94, 225, LIQUIDATION)]
    twin.take(record, is_message=False)
    assert twin.hash() == world.machine.hash()


def test_a_record_that_comes_into_the_machines_work_is_undone_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work itself is left for a crank, even where it would have traded."""
    world = World.trading(funds=10**9)
    gamble(world)
    monkeypatch.setattr(phases, "WORK_LIMIT", 5)
    assert offer(world, world.traffic.report(0, 94, time=world.traffic.time + 1)) == "accepted"
    kinds = []
    while world.machine.regs.has_work:
        before = world.machine.hash()
        assert offer(world, world.traffic.order(3, BUY, 50, 1)) == "busy"
        assert world.machine.hash() == before and world.machine.fills == []
        assert offer(world, world.traffic.crank(0)) == "accepted"
        kinds += [fill.kind for fill in world.machine.fills]
    assert kinds == [LIQUIDATION]
    assert offer(world, world.traffic.order(3, BUY, 50, 1)) == "accepted"


def test_fills_beside_the_book_name_both_accounts() -> None:
    world = World.trading(funds=10**9)
    world.machine.state.account(1).collateral = 92_000
    assert world.order(2, SELL, 100, 900) == world.order(1, BUY, 100, 900) == "accepted"
    assert [fill.kind for fill in world.machine.fills] == [TRADE]
    world.press(94)
    assert {(f.kind, f.taker, f.maker, f.side) for f in world.machine.fills} == {(DELEVERAGE, 1, 2, SELL)}
    taken = sum(fill.size for fill in world.machine.fills)
    assert world.position(1).size == 900 - taken == -world.position(2).size


def test_the_backstop_unwinds_what_it_took_over() -> None:
    world = World.trading(funds=10**9)
    world.machine.state.account(1).collateral = 92_000
    assert world.take(world.traffic.backstop_deposit(3, 10**7)) == "accepted"
    assert world.order(2, SELL, 100, 900) == world.order(1, BUY, 100, 900) == "accepted"
    world.press(94)
    held = world.position(0).size
    assert held == sum(fill.size for fill in world.machine.fills) > 0
    assert world.order(3, BUY, 95, 500) == "accepted"
    world.wait(phases.SAMPLE_INTERVAL)
    assert world.report(0, 94) == "accepted" and world.take(world.traffic.crank(1)) == "accepted"
    [fill] = world.machine.fills
    assert (fill.kind, fill.taker, fill.maker, fill.price) == (UNWIND, 0, 3, 95)
    assert world.position(0).size == held - fill.size
