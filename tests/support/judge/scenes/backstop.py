"""The backstop: what it takes over, what it offers, and what its shares are worth."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state import keys


def play_takeover(world: JudgedWorld) -> None:
    """The backstop takes a position over, withdrawals are limited, and it offers its own position crank by crank."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000), world.price(93)) == [OK, OK]
    assert world.took("takeover") > 0 and world.took("deleverage") == 0
    assert world.position(keys.BACKSTOP).size > 0
    limited = [
        world.withdraw(4, 20_000),
        world.withdraw(4, 20_000),
        world.backstop_withdraw(3, 50_000),
        world.backstop_withdraw(3, 50_001),
    ]
    assert world.run(*limited) == [OK, "withdrawals_limited", "insufficient_margin", "insufficient_margin"]
    world.wait(3600)
    assert world.run(world.withdraw(4, 20_000)) == [OK]
    held = world.position(keys.BACKSTOP).size
    world.wait(60)
    bids = world.order(4, BUY, 93, 2_000, order_slot=5)
    assert world.run(world.backstop_withdraw(3, 1_000), bids, records.encode_crank(1)) == [OK] * 3
    assert world.position(keys.BACKSTOP).size < held
    # Its price broken, the backstop is liquidated as anybody.
    assert world.run(world.price(30)) == [OK]
    assert world.position(keys.BACKSTOP).size == 0


def play_worthless_shares(world: JudgedWorld) -> None:
    """Where the shares are worth nothing, nobody buys any. (What they were worth is taken by hand.)"""
    world.begin()
    assert world.run(world.backstop_deposit(1, 1_000)) == [OK]
    world.machine.state.account(keys.BACKSTOP).collateral = 0
    world.machine.state.commit()
    assert world.run(world.backstop_deposit(2, 1_000), world.backstop_withdraw(1, 1_000)) == ["insufficient_margin", OK]
    assert world.run(world.backstop_deposit(1, 1_000)) == [OK]
    world.machine.state.account(keys.BACKSTOP).collateral = 10**6
    world.machine.state.commit()
    assert world.run(world.backstop_deposit(2, 10)) == ["amount_out_of_range"]


def play_poor_backstop(world: JudgedWorld) -> None:
    """A backstop too poor to take over: the winner with the highest score closes, in part, then the next one."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=2)
    world.trade(1, 2, 100, 4_000)
    world.trade(3, 2, 100, 4_000, order_slot=1)
    assert world.run(world.backstop_deposit(4, 10), world.price(91)) == [OK, OK]
    assert world.took("deleverage") > 1 and world.position(keys.BACKSTOP).size == 0


def play_full_backstop(world: JudgedWorld) -> None:
    """A backstop with positions in eight markets has no place for a ninth. (Its places are taken by hand.)"""
    world.begin(money=1_100, markets=9)
    world.trade(1, 2, 100, 100, market=9)
    for number, position in enumerate(world.machine.state.account(keys.BACKSTOP).positions):
        position.market = number + 1
        position.bids = 1
    world.machine.state.commit()
    assert world.run(world.price(80, 9)) == [OK]
    assert world.took("takeover") == world.took("deleverage") == 1
    world.wait(60)
    assert world.run(records.encode_crank(9)) == [OK]


def play_stale_backstop(world: JudgedWorld) -> None:
    """With an old price nobody knows what the backstop is worth."""
    world.begin(money=10**5, maintenance_margin=50_000, max_age=60)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000), world.price(93)) == [OK, OK]
    world.wait(100)
    assert world.run(world.backstop_deposit(3, 1), world.backstop_withdraw(3, 1)) == ["stale_price"] * 2


def play_shares(world: JudgedWorld) -> None:
    """Shares too few to be one, too many to be counted, and all of them at once."""
    world.begin(money=2**95)
    assert (
        world.run(world.backstop_deposit(1, 1000), world.backstop_withdraw(1, 1000), world.backstop_deposit(2, 2**94))
        == [OK] * 3
    )
    for account in (keys.BACKSTOP, 2):
        world.machine.state.account(account).shares = phases.MAX_SHARES - 1
    world.machine.state.commit()
    assert world.run(world.backstop_deposit(3, 1)) == ["amount_out_of_range"]


SCENES = (
    play_takeover,
    play_worthless_shares,
    play_poor_backstop,
    play_full_backstop,
    play_stale_backstop,
    play_shares,
)
