"""The scope of an agent: sub-accounts, markets and kinds of records; beyond it nothing of the owner's is touched."""

import pytest
from tests.support.machines.world import ABOVE, BUY, FOK, GTC, IOC, REDUCE_ONLY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec import records
from setoff.shared.codec.records import CANCEL_BOTH, CANCEL_LEG, CANCEL_MAKER, CANCEL_TAKER, SELL_LEG, Leg
from setoff.shared.rules.agents import get_max_size
from setoff.shared.wire.scopes import KINDS, Scope

TOMORROW = START_TIME + 86_400


def with_scope(
    *,
    subs: tuple[int, ...] = (),
    kinds: tuple[str, ...] = (),
    markets: tuple[int, ...] = (),
    closes_only: bool = False,
    max_size: int = 0,
) -> World:
    """A world of three markets, an owner with two sub-accounts, and an agent of theirs."""
    world = World.trading()
    for market in (2, 3):
        assert world.list_market(market) == "accepted"
        assert world.report(0, 100, market=market) == "accepted"
    for number in (1, 2):
        assert world.transfer(1, sub(1, number), 100_000) == "accepted"
    assert world.set_agent(1, 1, TOMORROW, scope=Scope(subs, kinds, markets, closes_only, max_size)) == "accepted"
    return world


def test_types_of_records_that_agents_sign_are_those_with_a_field_for_them() -> None:
    signed = {number for number, kind in records.SIGNED.items() if kind.fields[-1].name == "agent"}
    assert {number for number in range(16) if records.AGENT_KINDS >> number & 1} == signed


@pytest.mark.parametrize("kind", KINDS)
def test_only_kinds_that_are_named_are_taken(kind: str) -> None:
    for allowed in ((kind,), tuple(set(KINDS) - {kind})):
        world = with_scope(kinds=allowed)
        world.order(1, BUY, 90, 5, order_slot=0)
        taken = {
            "Order": world.order(1, BUY, 90, 5, order_slot=1, agent=1),
            "Amend": world.amend(1, 0, 90, 4, agent=1),
            "Cancel": world.cancel(1, 0, agent=1),
            "CancelAll": world.cancel_all(1, agent=1),
            "ScheduleCancel": world.schedule_cancel(1, TOMORROW, agent=1),
            "Bulk": world.bulk(1, [Leg(0, 1, 9, 90, 1)], agent=1)[0],
        }
        assert taken == {name: "accepted" if name in allowed else "out_of_scope" for name in KINDS}


@pytest.mark.parametrize("kinds", [1, 1 << records.TRANSFER, 1 << records.SET_AGENT, 2**16 - 1])
def test_no_agent_is_named_for_what_only_an_owner_signs(kinds: int) -> None:
    world = World.trading()
    body = records.SetAgentBody(1, 50, 1, b"\1" * 20, TOMORROW, 1, 0, kinds)
    assert world.take(world.traffic.sign_for(1, 0, records.encode(body))) == "malformed_record"


def test_only_sub_accounts_that_are_named_are_touched() -> None:
    world = with_scope(subs=(0, 2))
    for number, outcome in ((0, "accepted"), (1, "out_of_scope"), (2, "accepted"), (15, "out_of_scope")):
        account = sub(1, number)
        assert world.schedule_cancel(account, 0, agent=1) == outcome
        assert world.cancel_all(account, agent=1) == outcome
        assert world.bulk(account, [], agent=1)[0] == outcome
    assert world.order(sub(1, 2), BUY, 90, 1, flags=CANCEL_TAKER, agent=1) == "accepted"
    assert world.order(sub(1, 1), BUY, 90, 1, flags=CANCEL_TAKER, agent=1) == "out_of_scope"


def test_only_markets_that_are_named_are_traded() -> None:
    world = with_scope(markets=(2, 255, 1))
    for market, outcome in ((1, "accepted"), (2, "accepted"), (3, "out_of_scope")):
        assert world.order(1, BUY, 90, 1, market=market, order_slot=market, agent=1) == outcome
        assert world.order(1, BUY, 130, 1, market=market, order_slot=9 + market, flags=ABOVE, trigger=120, agent=1) == (
            outcome
        )


def test_an_order_in_another_market_is_neither_cancelled_nor_amended() -> None:
    world = with_scope(markets=(2,))
    for market in (2, 3):
        assert world.order(1, BUY, 90, 5, market=market, order_slot=market) == "accepted"
    for size in (4, 6):  # less, and enters anew
        assert world.amend(1, 3, 90, size, agent=1) == "out_of_scope"
        assert world.amend(1, 2, 90, size, agent=1) == "accepted"
    assert world.cancel(1, 3, agent=1) == "out_of_scope"
    assert world.cancel(1, 9, agent=1) == "unknown_order"
    assert world.cancel(1, 2, agent=1) == "accepted"
    assert world.queue(BUY, 90, market=3) == [(1, 3, 5)]


def test_who_has_not_all_markets_cannot_cancel_all() -> None:
    world = with_scope(markets=(1, 2))
    world.order(1, BUY, 90, 5, market=3)
    assert world.cancel_all(1, agent=1) == "out_of_scope"
    assert world.schedule_cancel(1, world.traffic.time, agent=1) == "out_of_scope"
    assert world.account(1).deadline == 0


def test_legs_keep_to_the_scope_of_who_signed_them() -> None:
    world = with_scope(markets=(2,))
    for market in (2, 3):
        assert world.order(1, BUY, 90, 5, market=market, order_slot=market) == "accepted"
    legs = [
        Leg(CANCEL_LEG, 2, 3),  # says its market, and the order is in another
        Leg(CANCEL_LEG, 2, 2),
        Leg(0, 3, 20, 80, 1),
        Leg(0, 2, 21, 80, 1),
        *(Leg(0, 3, 30 + n, 80, 1) for n in range(6)),
        Leg(0, 2, 40, 80, 1),
    ]
    assert world.bulk(1, legs, agent=1) == ["accepted"] * 3
    assert world.queue(BUY, 90, market=3) == [(1, 3, 5)]
    assert world.queue(BUY, 80, market=3) == world.queue(BUY, 90, market=2) == []
    assert world.queue(BUY, 80, market=2) == [(1, 21, 1), (1, 40, 1)]
    # The owner's next is nobody's scope.
    assert world.bulk(1, [Leg(CANCEL_LEG, 3, 3)]) == ["accepted"] * 2
    assert world.queue(BUY, 90, market=3) == []


def test_the_pages_of_an_agent_that_has_expired_are_refused() -> None:
    world = with_scope()
    assert world.set_agent(1, 2, world.traffic.time + 10) == "accepted"
    for agent, outcome in ((2, "agent_expired"), (1, "accepted"), (0, "accepted")):
        bulk, page = world.traffic.bulk(1, [Leg(0, 1, 7 + agent, 90, 1)], agent=agent)
        assert world.take(bulk) == "accepted"
        world.wait(10)
        assert world.take(page) == outcome
        assert world.take(page) == "wrong_leg_page"
        world.traffic.time -= 10
        world.wait(0)


@pytest.mark.parametrize("rule", [CANCEL_MAKER, CANCEL_BOTH])
def test_an_agent_of_one_sub_account_takes_no_order_of_another_out(rule: int) -> None:
    """All of an owner's orders meet in one book, and would cancel each other there."""
    world = with_scope(subs=(1,))
    one, two = sub(1, 1), sub(1, 2)
    assert world.order(two, SELL, 101, 5, order_slot=0) == "accepted"
    for flags in (GTC, IOC, FOK):
        assert world.order(one, BUY, 101, 5, flags=flags | rule, order_slot=0, agent=1) == "out_of_scope"
    assert world.order(one, BUY, 101, 5, flags=ABOVE | rule, trigger=120, order_slot=0, agent=1) == "out_of_scope"
    assert world.bulk(one, [Leg(rule, 1, 0, 101, 5)], agent=1) == ["accepted"] * 2
    # Nor by an order of the owner's that would, if it came to it.
    assert world.order(one, BUY, 90, 5, flags=rule, order_slot=0) == "accepted"
    assert world.amend(one, 0, 101, 5, agent=1) == "out_of_scope"
    assert world.queue(SELL, 101) == [(two, 0, 5)]
    # It may trade all the same, and gives way.
    assert world.order(one, BUY, 90, 5, flags=CANCEL_TAKER, order_slot=1, agent=1) == "accepted"
    assert world.amend(one, 1, 101, 5, agent=1) == "self_trade"
    assert world.bulk(one, [Leg(CANCEL_TAKER | SELL_LEG, 1, 2, 102, 5)], agent=1) == ["accepted"] * 2
    assert world.queue(SELL, 101) == [(two, 0, 5)] and world.queue(SELL, 102) == [(one, 2, 5)]


def test_an_agent_of_all_sub_accounts_chooses_its_rule() -> None:
    world = with_scope(markets=(1,))
    assert world.order(sub(1, 2), SELL, 101, 5) == "accepted"
    assert world.order(sub(1, 1), BUY, 101, 5, flags=CANCEL_MAKER, agent=1) == "accepted"
    assert world.queue(SELL, 101) == []


def test_an_agent_that_may_only_close_opens_nothing() -> None:
    world = with_scope(closes_only=True)
    assert world.order(2, SELL, 100, 9) == world.order(1, BUY, 100, 9) == "accepted"
    assert world.order(1, BUY, 90, 1, order_slot=1) == "accepted"
    for flags in (GTC, IOC, FOK, ABOVE):
        trigger = 120 if flags == ABOVE else 0
        for side in (BUY, SELL):
            assert world.order(1, side, 100, 1, flags=flags, trigger=trigger, agent=1) == "out_of_scope"
    assert world.amend(1, 1, 90, 2, agent=1) == world.amend(1, 1, 91, 1, agent=1) == "out_of_scope"
    assert world.bulk(1, [Leg(0, 1, 2, 90, 1), Leg(SELL_LEG | REDUCE_ONLY, 1, 3, 104, 2)], agent=1)[0] == "accepted"
    assert world.queue(BUY, 90) == [(1, 1, 1)] and world.queue(SELL, 104) == [(1, 3, 2)]
    assert world.order(1, SELL, 101, 4, flags=REDUCE_ONLY, order_slot=4, agent=1) == "accepted"
    assert world.amend(1, 4, 102, 5, agent=1) == "accepted"
    assert world.order(1, BUY, 90, 4, flags=REDUCE_ONLY, order_slot=5, agent=1) == "not_reducing"
    assert world.cancel(1, 1, agent=1) == world.cancel_all(1, agent=1) == "accepted"


def test_an_agents_orders_are_no_larger_than_its_scope_says() -> None:
    world = with_scope(max_size=5)
    assert world.order(1, BUY, 90, 20) == "accepted"
    assert world.order(1, BUY, 90, 6, order_slot=1, agent=1) == "out_of_scope"
    assert world.order(1, BUY, 130, 6, order_slot=1, flags=ABOVE, trigger=120, agent=1) == "out_of_scope"
    assert world.order(1, BUY, 90, 5, order_slot=1, agent=1) == "accepted"
    for order_slot in (0, 1):  # less, and enters anew
        assert (
            world.amend(1, order_slot, 90, 6, agent=1) == world.amend(1, order_slot, 89, 6, agent=1) == "out_of_scope"
        )
    assert world.bulk(1, [Leg(0, 1, 2, 90, 6), Leg(0, 1, 3, 90, 5)], agent=1)[0] == "accepted"
    assert world.queue(BUY, 90) == [(1, 0, 20), (1, 1, 5), (1, 3, 5)]
    assert world.amend(1, 0, 90, 5, agent=1) == "accepted"
    assert world.order(1, BUY, 90, 6, order_slot=2) == "accepted"  # its owner's are of any size


@pytest.mark.parametrize("limits", [0, 1, 1023, 1 << 10 | 1, 1 << 10, 31 << 10 | 1023, 2**15 | 7])
def test_the_size_of_a_limit_is_a_number_that_is_doubled(limits: int) -> None:
    assert get_max_size(limits) == (limits % 1024) * 2 ** (limits % 2**15 // 1024)


def test_a_refusal_for_the_scope_uses_no_nonce() -> None:
    world = with_scope(markets=(2,))
    before = world.agent(1, 1).nonce_top
    assert world.order(1, BUY, 90, 1, agent=1) == "out_of_scope"
    assert world.agent(1, 1).nonce_top == before
