"""Bulk records: one signature, pages of eight legs, each leg an order or a cancel of its own."""

import pytest
from tests.support.machines.world import BUY, FOK, IOC, POST_ONLY, SELL, World

from setoff.deploy.simulation.sample_traffic import agent_key
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import CANCEL_LEG, SELL_LEG, Leg


def ladder(count: int, first: int = 0) -> list[Leg]:
    """Bids one tick below the other, in order slots of their own."""
    return [Leg(POST_ONLY, 1, first + n, 99 - n % 90, 1 + n) for n in range(count)]


def test_sixty_four_legs_on_eight_pages_under_one_signature() -> None:
    world = World.trading(funds=10**9)
    legs = ladder(64)
    assert world.bulk(1, legs) == ["accepted"] * 9
    assert sum(leg.size for leg in legs) == world.position(1).bids
    assert {order_slot: world.resting(1, order_slot).size for order_slot in range(64)} == {n: 1 + n for n in range(64)}
    assert world.account(1).nonce_top == 1
    assert world.machine.regs.bulk == bytes(32)


def test_a_ninth_page_is_refused() -> None:
    world = World.trading(funds=10**9)
    assert world.bulk(1, ladder(75)) == ["accepted"] * 9 + ["wrong_leg_page"] * 2
    assert world.resting(1, 63).size == 64
    assert world.resting(1, 64).market == 0
    assert world.machine.regs.bulk == bytes(32)
    assert world.bulk(1, ladder(64)[:3]) == ["accepted"] * 2


def test_legs_cancel_and_quote_on_both_sides() -> None:
    world = World.trading()
    world.order(1, BUY, 98, 5, order_slot=0)
    world.order(1, SELL, 104, 5, order_slot=1)
    legs = [
        Leg(CANCEL_LEG, 1, 0),
        Leg(CANCEL_LEG, 1, 1),
        Leg(POST_ONLY, 1, 0, 97, 6),
        Leg(POST_ONLY | SELL_LEG, 1, 1, 103, 7),
    ]
    assert world.bulk(1, legs) == ["accepted", "accepted"]
    assert world.queue(BUY, 97) == [(1, 0, 6)]
    assert world.queue(SELL, 103) == [(1, 1, 7)]


def test_a_leg_that_cannot_be_taken_is_passed_over() -> None:
    world = World.trading()
    legs = [
        Leg(0, 9, 0, 99, 1),  # no such market
        Leg(0, 1, 0, 0, 1),  # no price
        Leg(0, 1, 0, 99, 0),  # no size
        Leg(0, 1, 0, 99, 2**31 + 1),  # too large
        Leg(records.SELF_TRADE, 1, 0, 99, 1),  # two self-trade rules
        Leg(FOK, 1, 0, 99, 1),  # a record of its own
        Leg(128, 1, 0, 99, 1),  # an unknown flag
        Leg(CANCEL_LEG, 1, 9),  # nothing to cancel
        Leg(0, 1, 3, 99, 2**31),  # no margin
        Leg(0, 1, 4, 99, 2),
    ]
    assert world.bulk(1, legs) == ["accepted"] * 3
    assert world.queue(BUY, 99) == [(1, 4, 2)]
    assert world.position(1).bids == 2


def test_legs_trade_like_any_order() -> None:
    world = World.trading()
    world.order(2, SELL, 100, 5)
    world.order(2, SELL, 101, 5)
    legs = [Leg(IOC, 1, 0, 100, 3), Leg(FOK, 1, 1, 101, 7), Leg(IOC, 1, 2, 101, 7)]
    assert world.bulk(1, legs) == ["accepted"] * 2
    assert world.fills() == [(2, 100, 3), (2, 100, 2), (2, 101, 5)]


@pytest.mark.parametrize("gaps", [(0,), (0, 1), (1,), (0, 1, 2, 3, 4, 5), (2, 3), (7,), (1, 3, 5, 7)])
def test_empty_legs_in_between_change_nothing(gaps: tuple[int, ...]) -> None:
    world = World.trading()
    legs = [Leg(0, 0, 0) if n in gaps else Leg(0, 1, n, 99, 1 + n) for n in range(8)]
    assert world.bulk(1, legs) == ["accepted"] * 2
    assert {order_slot for _, order_slot, _ in world.queue(BUY, 99)} == set(range(8)) - set(gaps)


def test_an_empty_page_is_a_page() -> None:
    world = World.trading()
    assert world.bulk(1, [Leg(0, 0, 0)] * 8 + ladder(1)) == ["accepted"] * 3
    assert world.level(BUY, 99).count == 1


def test_rejects_page_that_was_not_signed() -> None:
    world = World.trading()
    assert world.take(records.encode_leg_page(ladder(1))) == "wrong_leg_page"
    bulk, first, second = world.traffic.bulk(1, ladder(9))
    assert world.take(bulk) == "accepted"
    assert world.take(second) == "wrong_leg_page"
    assert world.take(first) == "wrong_leg_page"  # the wrong one ended the bulk
    assert world.position(1).bids == 0


def test_rejects_page_with_any_byte_changed() -> None:
    world = World.trading()
    for at in (1, 50, 89, 120, 121, 123):
        bulk, leg_page = world.traffic.bulk(1, ladder(1))
        assert world.take(bulk) == "accepted"
        assert world.take(leg_page[:at] + bytes([leg_page[at] ^ 1]) + leg_page[at + 1 :]) == "wrong_leg_page"


def test_another_record_in_between_ends_the_bulk() -> None:
    world = World.trading()
    bulk, first, second = world.traffic.bulk(1, ladder(9))
    assert world.take(bulk) == "accepted"
    assert world.take(first) == "accepted"
    assert world.cancel(2, 0) == "unknown_order"
    assert world.take(second) == "wrong_leg_page"
    assert world.level(BUY, 99).count == 1  # the legs of the first page stay


def test_messages_and_what_is_malformed_do_not_end_it() -> None:
    world = World.trading()
    bulk, first, second = world.traffic.bulk(1, ladder(9))
    assert world.take(bulk) == "accepted"
    assert world.deposit(2, 5) == "accepted"
    assert world.take(first) == "accepted"
    assert world.take(bytes(124)) == "malformed_record"
    world.wait(1)
    assert world.take(second) == "accepted"


def test_a_bulk_is_used_once() -> None:
    world = World.trading()
    bulk, leg_page = world.traffic.bulk(1, ladder(1))
    assert [world.take(body) for body in (bulk, leg_page, leg_page)] == ["accepted", "accepted", "wrong_leg_page"]
    assert world.take(bulk) == "nonce_used"
    assert world.take(leg_page) == "wrong_leg_page"


def test_rejects_bulk_of_somebody_else_or_of_no_agent() -> None:
    world = World.trading()
    body = records.encode(records.BulkBody(1, 7, keccak(b""), agent=1))
    assert world.take(world.traffic.sign(body, agent_key(1, 1))) == "bad_signature"
    body = records.encode(records.BulkBody(1, 7, keccak(b""), agent=9))
    assert world.take(world.traffic.sign(body, agent_key(1, 1))) == "malformed_record"


def test_a_bulk_without_pages_is_nothing() -> None:
    world = World.trading()
    body = world.traffic.sign_for(1, 0, records.encode(records.BulkBody(1, 7, bytes(32))))
    assert world.take(body) == "accepted"
    assert world.take(records.encode_leg_page([])) == "wrong_leg_page"


def test_a_leg_is_eleven_bytes() -> None:
    leg = Leg(SELL_LEG | POST_ONLY, 200, 255, 2**24 - 1, 2**31)
    leg_page = records.encode_leg_page([leg])
    assert records.decode_leg(int.from_bytes(leg_page[1:12], "big")) == leg
    assert len(leg_page) == records.RECORD_BYTES
