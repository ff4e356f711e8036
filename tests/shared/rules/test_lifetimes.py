"""Orders that end by themselves: expiry, cancel-all, the dead-man's switch.

Those that died by time stay where they are, and reserved, until somebody meets them.
"""

from tests.support.machines.world import ABOVE, BUY, IOC, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME


def test_rejects_order_that_has_expired_already() -> None:
    world = World.trading()
    assert world.order(1, BUY, 100, 1, expiry=START_TIME) == "order_expired"
    assert world.account(1).nonce_top == 0
    assert world.order(1, BUY, 100, 1, expiry=START_TIME + 1) == "accepted"


def test_an_expired_order_is_pruned_where_it_is_met() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, expiry=START_TIME + 10, order_slot=0)
    world.order(3, SELL, 100, 5, order_slot=0)
    world.wait(9)
    world.order(2, BUY, 100, 1)
    assert world.fills() == [(1, 100, 1)]
    world.wait(1)
    assert world.order(2, BUY, 100, 2) == "accepted"
    assert world.fills() == [(3, 100, 2)]
    assert world.resting(1, 0).market == 0
    assert world.position(1).asks == 0  # the four lots left are released


def test_an_expired_order_is_reserved_until_it_is_met() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, expiry=START_TIME + 10, order_slot=0)
    world.wait(10)
    assert world.position(1).asks == 5
    assert world.cancel(1, 0) == "accepted"
    assert world.position(1).asks == 0


def test_an_expired_order_makes_room_in_its_slot() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 5, expiry=START_TIME + 10, order_slot=0)
    assert world.order(1, BUY, 98, 3, order_slot=0) == "order_slot_taken"
    world.wait(10)
    assert world.order(1, BUY, 98, 3, order_slot=0) == "accepted"
    assert world.queue(BUY, 98) == [(1, 0, 3)]
    assert world.level(BUY, 99).count == 0
    assert (world.position(1).bids, world.market().best_bid) == (3, 98)


def test_an_expired_order_cannot_be_amended() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 5, expiry=START_TIME + 10, order_slot=0)
    world.wait(10)
    assert world.amend(1, 0, 99, 4) == "unknown_order"


def test_cancel_all_takes_every_order_out_of_the_book() -> None:
    world = World.trading()
    for order_slot in range(256):
        world.order(1, BUY, 97 + order_slot % 3, 1, order_slot=order_slot)
    world.order(3, BUY, 99, 1)
    assert (world.account(1).orders, world.position(1).orders) == (2**256 - 1, 256)
    before = world.machine.regs.steps
    assert world.cancel_all(1) == "accepted"
    assert 2 * 256 < world.machine.regs.steps - before <= 4 * 256 + 8
    assert world.account(1).orders == 0
    assert world.account(1).positions[0].market == 0
    assert [world.level(BUY, price).count for price in (97, 98, 99)] == [0, 0, 1]
    assert not any(world.resting(1, order_slot).market for order_slot in range(256))


def test_cancel_all_of_no_order_is_one_step() -> None:
    world = World.trading()
    before = world.machine.regs.steps
    assert world.cancel_all(1) == "accepted"
    assert world.machine.regs.steps - before == 2


def test_cancelled_orders_never_trade_and_cost_their_reservation_only_once() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.order(1, SELL, 100, 5, order_slot=1)
    world.cancel_all(1)
    world.order(1, SELL, 100, 7, order_slot=2)
    world.order(2, BUY, 100, 3, flags=IOC)
    assert world.fills() == [(1, 100, 3)]
    assert world.queue(SELL, 100) == [(1, 2, 4)]
    assert (world.position(1).size, world.position(1).asks) == (-3, 4)


def test_a_cancelled_order_makes_room_in_its_slot() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 5, order_slot=0)
    world.cancel_all(1)
    assert world.order(1, BUY, 97, 2, order_slot=0) == "accepted"
    assert world.level(BUY, 99).count == 0
    assert (world.position(1).bids, world.market().best_bid) == (2, 97)


def test_a_dead_order_can_still_be_taken_off_but_not_amended() -> None:
    world = World.trading()
    world.order(1, BUY, 99, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME)
    assert world.amend(1, 0, 99, 4) == "unknown_order"
    assert world.position(1).bids == 5  # what is kept for it is reserved, until somebody takes it out
    assert world.cancel(1, 0) == "accepted"
    assert world.level(BUY, 99).count == 0
    assert world.account(1).positions[0].market == 0


def test_cancel_all_is_of_one_account_only() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 100_000)
    world.order(1, BUY, 99, 5)
    world.order(sub(1), BUY, 98, 5)
    world.cancel_all(sub(1))
    assert world.position(1).bids == 5
    assert world.position(sub(1)).bids == 0


def test_cancel_all_of_armed_orders_too() -> None:
    world = World.trading()
    world.order(1, BUY, 120, 5, flags=ABOVE, trigger=110, order_slot=0)
    world.cancel_all(1)
    assert world.resting(1, 0).market == 0
    assert (world.market().stop_above, world.account(1).positions[0].market) == (0, 0)


def test_the_switch_kills_every_order_at_its_deadline() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    assert world.schedule_cancel(1, START_TIME + 30) == "accepted"
    world.wait(29)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert world.fills() == [(1, 100, 1)]
    world.wait(1)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert world.fills() == []
    assert world.level(SELL, 100).count == 0  # the taker that met it has taken it out
    account = world.account(1)
    assert (account.orders, account.deadline) == (0, START_TIME + 30)
    assert account.positions[0].asks == 0


def test_a_switch_that_is_renewed_does_not_fall() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME + 30)
    world.wait(29)
    world.schedule_cancel(1, START_TIME + 59)
    world.wait(29)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert world.fills() == [(1, 100, 1)]
    world.schedule_cancel(1, 0)
    world.wait(2)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert world.fills() == [(1, 100, 1)]
    assert world.account(1).deadline == 0


def test_a_switch_that_has_fallen_is_not_undone_by_renewing_it() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME + 30)
    world.wait(30)
    assert world.schedule_cancel(1, START_TIME + 90) == "accepted"
    account = world.account(1)
    assert (account.orders, account.deadline) == (0, START_TIME + 90)
    assert account.positions[0].market == 0


def test_the_switch_falls_before_the_account_s_next_order_enters() -> None:
    world = World.trading()
    for order_slot in (0, 9, 255):
        world.order(1, SELL, 105, 5, order_slot=order_slot)
    world.schedule_cancel(1, START_TIME + 30)
    world.wait(31)
    assert world.order(1, SELL, 106, 2, order_slot=1) == "accepted"
    assert world.queue(SELL, 106) == [(1, 1, 2)]
    assert world.level(SELL, 105).count == 0
    account = world.account(1)
    assert (account.orders, account.deadline, world.position(1).asks, world.position(1).orders) == (2, 0, 2, 1)


def test_an_order_that_is_refused_after_the_switch_fell_leaves_no_order_behind() -> None:
    world = World.trading()
    world.order(1, SELL, 105, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME + 30)
    world.wait(31)
    assert world.order(1, SELL, 10**6, 2, order_slot=1) == "price_band"
    account = world.account(1)
    assert (account.orders, account.deadline, account.positions[0].market) == (0, 0, 0)


def test_looking_at_an_account_whose_switch_fell_changes_nothing() -> None:
    world = World.trading()
    world.order(1, SELL, 105, 5, order_slot=0)
    world.schedule_cancel(1, START_TIME + 30)
    world.set_mark(101, seconds=31)  # everybody is visited
    account = world.account(1)
    assert (account.orders, account.deadline, world.position(1).asks) == (1, START_TIME + 30, 5)
    assert world.withdraw(1, 1_000_000) == "insufficient_margin"
    assert world.cancel_all(1) == "accepted"
    assert world.withdraw(1, 1_000_000) == "accepted"
