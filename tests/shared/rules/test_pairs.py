"""Pairs of armed orders: the one that fires takes the other out, and nothing else does."""

import pytest
from tests.support.machines.world import ABOVE, BELOW, BUY, IOC, REDUCE_ONLY, SELL, WIDE, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.wire.scopes import Scope

ABOVE_SLOT, BELOW_SLOT = 0, 1
TOMORROW = START_TIME + 86_400


def arm_pair(world: World, account: int = 1, **fields: int) -> None:
    """A take-profit at 110, and a stop-loss at 90 that names it, of five lots each."""
    flags = REDUCE_ONLY | IOC
    assert world.order(account, SELL, 105, 5, flags=flags | ABOVE, trigger=110, order_slot=ABOVE_SLOT) == "accepted"
    named = {"partner": ABOVE_SLOT + 1, **fields}
    assert (
        world.order(account, SELL, 80, 5, flags=flags | BELOW, trigger=90, order_slot=BELOW_SLOT, **named) == "accepted"
    )


def holding() -> World:
    """Account 1 has bought five lots at 100 from account 2, and somebody bids for more on either side of it."""
    world = World.trading(step_band=10**6, **WIDE)
    world.order(1, BUY, 100, 5, order_slot=7)
    world.order(2, SELL, 100, 5, order_slot=7)
    assert world.position(1).size == 5
    return world


def get_partners(world: World, account: int = 1) -> tuple[int, int]:
    return world.resting(account, ABOVE_SLOT).partner, world.resting(account, BELOW_SLOT).partner


def test_each_is_the_others_partner() -> None:
    world = holding()
    arm_pair(world)
    assert get_partners(world) == (BELOW_SLOT + 1, ABOVE_SLOT + 1)
    assert world.position(1).orders == 2


@pytest.mark.parametrize(("price", "bid"), [(112, 110), (88, 87)], ids=["take-profit", "stop-loss"])
def test_whichever_fires_takes_the_other_out(price: int, bid: int) -> None:
    world = holding()
    arm_pair(world)
    world.order(3, BUY, bid, 50, order_slot=0)
    world.set_mark(price)
    assert world.fills() == [(3, bid, 5)]
    assert world.account(1).orders == 0 and world.account(1).positions[0].market == 0
    market = world.market()
    assert (market.stop_above, market.stop_below) == (0, 0)


def test_the_partner_is_gone_even_if_the_one_that_fires_finds_nobody() -> None:
    world = holding()
    arm_pair(world)
    world.set_mark(112)
    assert world.fills() == []
    assert world.account(1).orders == 0 and world.position(1).size == 5


@pytest.mark.parametrize("slot", [ABOVE_SLOT, BELOW_SLOT])
def test_a_cancel_leaves_the_other_alone_where_it_is(slot: int) -> None:
    world = holding()
    arm_pair(world)
    assert world.cancel(1, slot) == "accepted"
    assert get_partners(world) == (0, 0)
    assert world.account(1).orders == 1 << (1 - slot)


def test_who_comes_into_the_slot_later_is_nobodys_partner() -> None:
    world = holding()
    arm_pair(world)
    world.cancel(1, ABOVE_SLOT)
    world.order(1, SELL, 105, 5, flags=REDUCE_ONLY | IOC | ABOVE, trigger=120, order_slot=ABOVE_SLOT)
    assert get_partners(world) == (0, 0)
    world.set_mark(88)
    assert world.account(1).orders == 1 << ABOVE_SLOT


def test_one_that_has_expired_leaves_the_other_alone() -> None:
    world = holding()
    arm_pair(world, expiry=START_TIME + 1)
    world.set_mark(88)
    assert world.account(1).orders == 1 << ABOVE_SLOT and world.fills() == []
    assert get_partners(world) == (0, 0)


def test_an_expired_partner_goes_with_the_one_that_fires() -> None:
    world = holding()
    arm_pair(world, expiry=START_TIME + 1)
    world.order(3, BUY, 109, 50, order_slot=0)
    world.set_mark(112)
    assert world.fills() == [(3, 109, 5)] and world.account(1).orders == 0


def test_a_third_finds_neither_free() -> None:
    world = holding()
    arm_pair(world)
    for partner in (ABOVE_SLOT + 1, BELOW_SLOT + 1):
        for flags, trigger in ((ABOVE, 110), (BELOW, 90)):
            assert world.order(1, SELL, 80, 5, flags=flags, trigger=trigger, order_slot=3, partner=partner) == (
                "unknown_order"
            )
    assert get_partners(world) == (BELOW_SLOT + 1, ABOVE_SLOT + 1)


def test_nobody_names_an_order_of_another_account() -> None:
    world = holding()
    world.transfer(1, sub(1), 10_000)
    world.order(1, SELL, 105, 5, flags=ABOVE, trigger=110, order_slot=ABOVE_SLOT)
    for account in (2, sub(1)):
        assert world.order(account, SELL, 80, 5, flags=BELOW, trigger=90, order_slot=BELOW_SLOT, partner=1) == (
            "unknown_order"
        )
    world.set_mark(88)
    assert world.account(1).orders == 1 << ABOVE_SLOT


def test_what_cannot_be_a_partner() -> None:
    world = holding()
    assert world.list_market(2) == "accepted"
    assert world.report(0, 100, market=2) == "accepted"
    world.order(1, SELL, 105, 5, flags=ABOVE, trigger=110, order_slot=ABOVE_SLOT)
    world.order(1, SELL, 105, 5, flags=ABOVE, trigger=110, order_slot=4, market=2)
    world.order(1, BUY, 90, 5, order_slot=5)

    def name(partner: int, flags: int = BELOW, trigger: int = 90) -> str:
        return world.order(1, SELL, 80, 5, flags=flags, trigger=trigger, order_slot=BELOW_SLOT, partner=partner)

    assert name(BELOW_SLOT + 1) == "malformed_record"  # itself
    assert name(ABOVE_SLOT + 1, flags=0, trigger=0) == "malformed_record"  # not armed
    assert name(257) == "order_slot_out_of_range"
    assert name(256) == name(9) == "unknown_order"  # nobody is there
    assert name(5) == "unknown_order"  # another market's
    assert name(6) == "unknown_order"  # one of the book
    assert name(ABOVE_SLOT + 1, ABOVE, 111) == "unknown_order"  # on the same side of the mark
    assert world.account(1).orders == 0b110001
    assert name(ABOVE_SLOT + 1) == "accepted"


def test_an_amend_keeps_the_partner() -> None:
    world = holding()
    arm_pair(world)
    assert world.amend(1, ABOVE_SLOT, 105, 4) == "accepted"
    assert get_partners(world) == (BELOW_SLOT + 1, ABOVE_SLOT + 1)
    assert world.amend(1, ABOVE_SLOT, 104, 5) == "accepted"
    assert world.amend(1, BELOW_SLOT, 81, 9) == "accepted"
    assert get_partners(world) == (BELOW_SLOT + 1, ABOVE_SLOT + 1)


def test_pairs_wait_behind_each_other_on_the_same_levels() -> None:
    world = World.trading(accounts=5, step_band=10**6)
    for account in (1, 2, 3):
        arm_pair(world, account)
    assert world.cancel(2, ABOVE_SLOT) == "accepted"
    assert [account for account, *_ in world.queue(2, 110)] == [1, 3]
    assert [account for account, *_ in world.queue(3, 90)] == [1, 2, 3]
    world.set_mark(111)
    assert [account for account, *_ in world.queue(3, 90)] == [2]
    assert [world.account(account).orders for account in (1, 2, 3)] == [0, 1 << BELOW_SLOT, 0]


def test_only_one_fires_where_a_call_has_come_past_both() -> None:
    world = World.trading(call_minutes=1, step_band=100_000, max_age=10**6)
    world.wait(60)
    assert world.order(1, BUY, 111, 5, flags=ABOVE, trigger=105, order_slot=0) == "accepted"
    world.set_mark(150)
    assert world.market().mark == 110 and world.market().halted_until > world.traffic.time
    assert world.order(1, SELL, 99, 5, flags=BELOW, trigger=108, order_slot=1, partner=1) == "accepted"
    world.wait(120)
    world.set_mark(107)
    assert world.market().mark == 107
    assert world.account(1).orders == 0b01 and world.resting(1, 0).flags & ABOVE == 0
    assert world.position(1).bids == 5 and world.position(1).asks == 0


def test_an_agent_names_a_partner_only_if_it_may_cancel() -> None:
    for kinds, outcome in ((("Order",), "out_of_scope"), (("Order", "Cancel"), "accepted"), ((), "accepted")):
        world = holding()
        assert world.set_agent(1, 1, TOMORROW, scope=Scope(kinds=kinds)) == "accepted"
        world.order(1, SELL, 85, 5, flags=BELOW, trigger=90, order_slot=BELOW_SLOT)
        fields = {"flags": ABOVE, "trigger": 101, "order_slot": ABOVE_SLOT, "agent": 1}
        assert world.order(1, SELL, 105, 1, partner=BELOW_SLOT + 1, **fields) == outcome
        assert world.order(1, SELL, 105, 1, **fields | {"order_slot": 9}) == "accepted"


def test_what_takes_all_orders_takes_both() -> None:
    world = holding()
    arm_pair(world)
    assert world.cancel_all(1) == "accepted"
    assert world.account(1).orders == 0 and world.position(1).orders == 0
    arm_pair(world)
    world.schedule_cancel(1, world.traffic.time + 5)
    world.wait(10)
    assert world.order(1, SELL, 80, 5, flags=BELOW, trigger=90, order_slot=BELOW_SLOT, partner=1) == "unknown_order"
    assert world.account(1).orders == 0
