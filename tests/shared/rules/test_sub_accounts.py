"""Sub-accounts: margin of their own under the owner's key, fed by transfers, never the door out."""

import pytest
from tests.support.machines.world import BUY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records


def test_a_transfer_opens_a_sub_account_without_owner_or_nonces() -> None:
    world = World.trading()
    assert world.transfer(1, sub(1, 3), 400) == "accepted"
    account = world.account(sub(1, 3))
    assert (account.collateral, account.owner, account.nonce_top) == (400, bytes(20), 0)


def test_money_comes_back_to_the_owner_s_accounts_or_to_another_master() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 400)
    assert world.transfer(sub(1), 1, 100) == "accepted"
    assert world.transfer(sub(1), sub(1, 2), 100) == "accepted"
    assert world.transfer(sub(1), 2, 100) == "accepted"
    assert world.account(sub(1)).collateral == 100
    assert world.account(2).collateral == 1_000_100


def test_rejects_transfer_into_somebody_else_s_sub_account() -> None:
    world = World.trading()
    assert world.transfer(1, sub(2), 100) == "sub_account"
    assert world.transfer(1, sub(1, 15), 100) == "accepted"
    assert world.transfer(1, sub(1, 16), 100) == "unknown_account"
    assert world.transfer(1, sub(4), 100) == "unknown_account"
    assert world.transfer(sub(1), sub(1), 100) == "same_account"


def test_rejects_withdrawal_from_a_sub_account() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 400)
    assert world.withdraw(sub(1), 100) == "sub_account"


def test_the_margin_is_its_own() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 1_005)
    assert world.order(sub(1), BUY, 100, 11) == "insufficient_margin"  # whatever its master has
    assert world.order(sub(1), BUY, 100, 10) == "accepted"
    assert world.transfer(sub(1), 1, 6) == "insufficient_margin"
    assert world.transfer(sub(1), 1, 5) == "accepted"
    assert world.position(1).bids == 0


def test_a_loss_in_a_sub_account_ends_there() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.transfer(1, sub(1), 1_100)
    world.order(sub(1), BUY, 100, 10)
    world.order(2, SELL, 100, 10)
    before = world.account(1).collateral
    world.order(3, BUY, 94, 100)
    world.set_mark(94)  # equity 500 of 470 maintenance: held
    assert world.position(sub(1)).size == 10
    world.set_mark(93)  # equity 400 of 465: liquidated into the bid at 94
    assert world.position(sub(1)).size < 10
    assert world.account(1).collateral == before


def test_orders_are_the_sub_account_s_own_and_signed_by_the_owner() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 10_000)
    assert world.order(1, BUY, 99, 1, order_slot=0) == "accepted"
    assert world.order(sub(1), BUY, 99, 2, order_slot=0) == "accepted"
    assert world.queue(BUY, 99) == [(1, 0, 1), (sub(1), 0, 2)]
    body = records.encode(records.CancelBody(sub(1), 90, 0))
    assert world.take(world.traffic.sign(body, trader_key(2))) == "bad_signature"
    assert world.take(world.traffic.sign(body, trader_key(1))) == "accepted"
    assert world.account(1).nonce_top == 90


@pytest.mark.parametrize("account", [sub(0, 1), sub(1, 16), 2**24, 2**32 - 1])
def test_rejects_accounts_that_cannot_be(account: int) -> None:
    world = World.trading()
    body = records.encode(records.CancelBody(account, 90, 0))
    assert world.take(world.traffic.sign(body, trader_key(1))) == "unknown_account"
