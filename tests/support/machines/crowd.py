"""Eight accounts that a fall of the price liquidates, so that the machine has work of its own for many steps."""

from tests.support.machines.world import BUY, SELL, World


def crash(world: World, mark: int = 90) -> bytes:
    """A report that drops the mark, in a batch of its own."""
    world.wait(1)
    return world.traffic.report(0, mark)


def crowd(accounts: int = 8) -> World:
    """Accounts 1 … are long of 10 lots with 1,449 each; account 9 is short of all, and account 10 bids 90. No fees."""
    world = World.trading(accounts=accounts, funds=1_449, taker_fee=0, maker_fee=0, max_age=2**31)
    world.deposit(9, 10**7)
    world.deposit(10, 10**7)
    for account in range(1, accounts + 1):
        assert world.order(account, BUY, 100, 10) == world.order(9, SELL, 100, 10) == "accepted"
    world.order(10, BUY, 90, 10_000, order_slot=0)
    return world
