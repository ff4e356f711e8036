"""Orders of one owner never trade with each other, whichever of its sub-accounts they are from."""

import pytest
from tests.support.machines.world import BUY, POST_ONLY, SELL, World, sub

from setoff.shared.codec import records

MAKERS = [2, sub(2), sub(2, 15)]


def facing_itself(maker: int) -> World:
    """Asks at 100: the owner's own, then account 1's."""
    world = World.trading()
    if maker != 2:
        world.transfer(2, maker, 100_000)
    world.order(maker, SELL, 100, 5, order_slot=0)
    world.order(1, SELL, 100, 5, order_slot=0)
    return world


@pytest.mark.parametrize("maker", MAKERS)
def test_cancel_maker_is_the_default(maker: int) -> None:
    world = facing_itself(maker)
    assert world.order(2, BUY, 100, 3, order_slot=9) == "accepted"
    assert world.fills() == [(1, 100, 3)]
    assert world.resting(maker, 0).market == 0
    assert world.position(maker).asks == 0


@pytest.mark.parametrize("maker", MAKERS)
def test_cancel_taker_leaves_the_book_alone(maker: int) -> None:
    world = facing_itself(maker)
    assert world.order(2, BUY, 100, 3, flags=records.CANCEL_TAKER, order_slot=9) == "self_trade"
    assert world.fills() == []
    assert world.level(SELL, 100).count == 2
    assert world.position(2).bids == 0


@pytest.mark.parametrize("maker", MAKERS)
def test_cancel_both(maker: int) -> None:
    world = facing_itself(maker)
    assert world.order(2, BUY, 100, 3, flags=records.CANCEL_BOTH, order_slot=9) == "accepted"
    assert world.fills() == []
    assert world.queue(SELL, 100) == [(1, 0, 5)]
    assert world.position(2).bids == world.position(maker).asks == 0


def test_cancel_taker_comes_after_what_it_traded_before() -> None:
    world = World.trading()
    world.order(1, SELL, 99, 2)
    world.order(2, SELL, 100, 5, order_slot=0)
    body = world.traffic.order(2, BUY, 100, 5, flags=records.CANCEL_TAKER, order_slot=1)
    assert world.take(body) == "self_trade"
    assert world.fills() == [(1, 99, 2)]
    assert (world.position(2).size, world.position(2).bids) == (2, 0)


def test_a_post_only_order_prunes_its_own_and_rests() -> None:
    world = World.trading()
    world.order(2, SELL, 100, 5, order_slot=0)
    assert world.order(2, BUY, 100, 3, flags=POST_ONLY, order_slot=1) == "accepted"
    assert world.queue(BUY, 100) == [(2, 1, 3)]
    assert world.level(SELL, 100).count == 0


def test_accounts_of_different_owners_trade() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 100_000)
    world.transfer(2, sub(2), 100_000)
    world.order(sub(1), SELL, 100, 5)
    assert world.order(sub(2), BUY, 100, 5) == "accepted"
    assert world.fills() == [(sub(1), 100, 5)]
