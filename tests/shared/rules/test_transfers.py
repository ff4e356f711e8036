"""Deposits, transfers and withdrawals, to the unit."""

from tests.support.machines.world import BUY, SELL, World

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.rules.phases import MAX_AMOUNT


def test_the_first_deposit_gives_an_account_its_owner() -> None:
    world = World()
    assert world.deposit(1, 500) == "accepted"
    assert world.account(1).owner == address_of(trader_key(1))
    assert world.account(1).collateral == 500
    assert world.machine.regs.accounts == 1


def test_a_later_deposit_adds_up_and_keeps_the_owner() -> None:
    world = World()
    world.deposit(1, 500)
    other = records.encode(records.DepositBody(1, b"\x77" * 20, 25))
    assert world.take(other, is_message=True) == "accepted"
    assert world.account(1).owner == address_of(trader_key(1))
    assert world.account(1).collateral == 525


def test_rejects_deposit_to_account_zero_or_beyond_the_last() -> None:
    world = World()
    assert world.deposit(0, 1) == "unknown_account"
    assert world.deposit(2**20, 1) == "unknown_account"
    assert world.deposit(2**20 - 1, 1) == "accepted"


def test_rejects_deposit_of_nothing_or_of_too_much() -> None:
    world = World()
    assert world.deposit(1, 0) == "amount_out_of_range"
    assert world.deposit(1, MAX_AMOUNT) == "amount_out_of_range"
    assert world.value(1 << 36 | 1) == b""
    assert world.deposit(1, MAX_AMOUNT - 1) == "accepted"


def test_a_transfer_moves_collateral() -> None:
    world = World.trading()
    assert world.transfer(1, 2, 1_000_000) == "accepted"
    assert world.account(1).collateral == 0
    assert world.account(2).collateral == 2_000_000


def test_rejects_transfer_to_oneself_to_nobody_and_of_nothing() -> None:
    world = World.trading()
    assert world.transfer(1, 1, 5) == "same_account"
    assert world.transfer(1, 4, 5) == "unknown_account"
    assert world.transfer(1, 0, 5) == "unknown_account"
    assert world.transfer(1, 2, 0) == "amount_out_of_range"
    assert world.transfer(1, 2, MAX_AMOUNT) == "amount_out_of_range"


def test_rejects_transfer_of_one_unit_too_much_and_uses_its_nonce() -> None:
    world = World.trading()
    assert world.transfer(1, 2, 1_000_001) == "insufficient_margin"
    assert world.account(1).collateral == world.account(2).collateral == 1_000_000
    assert world.account(1).nonce_top == 1


def test_a_withdrawal_leaves_a_leaf_for_l1() -> None:
    world = World.trading()
    assert world.withdraw(2, 300) == "accepted"
    assert world.withdraw(1, 40) == "accepted"
    assert world.account(2).collateral == 999_700
    first, second = world.withdrawal(0), world.withdrawal(1)
    assert (first.account, first.owner, first.amount) == (2, address_of(trader_key(2)), 300)
    assert (second.account, second.owner, second.amount) == (1, address_of(trader_key(1)), 40)
    assert world.machine.regs.withdrawals == 2


def test_a_withdrawal_leaves_margin_for_position_and_open_orders() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 100)
    world.order(2, BUY, 100, 100)  # 100 lots at 1,000 units: 10,000 of margin, 50 of fee
    world.order(2, BUY, 90, 50)  # reserves 5,000 more
    assert world.account(2).collateral == 1_000_000 - 100_000 - 50
    assert world.withdraw(2, 984_951) == "insufficient_margin"
    assert world.withdraw(2, 984_950) == "accepted"
    assert world.machine.regs.withdrawals == 1
    assert world.transfer(2, 1, 1) == "insufficient_margin"


def test_profit_at_the_mark_can_be_withdrawn() -> None:
    world = World.trading(mark=100)
    world.order(1, SELL, 100, 100)
    world.order(2, BUY, 100, 100)
    world.wait(1)
    world.report(0, 110)
    # equity 1,000,000 - 50 + 100 * 10 * 10, requirement 100 * 1,100 / 10
    assert world.withdraw(2, 1_009_950 - 11_000 + 1) == "insufficient_margin"
    assert world.withdraw(2, 1_009_950 - 11_000) == "accepted"
