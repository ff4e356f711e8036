"""What is kept for an account costs it margin: each of its orders, and each position once."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, IOC, REDUCE_ONLY, SELL

from setoff.shared.codec import records

ABOVE, BELOW = records.ABOVE, records.BELOW
REFUSED = "insufficient_margin"


def play_resting(world: JudgedWorld) -> None:
    """An order needs its lots' margin, one order margin for its market's position, and one for its leaf if it rests."""
    world.begin(money=1_000, order_margin=100)
    book = [world.order(1, BUY, 90, 1, order_slot=slot) for slot in (255, 1, 2, 3, 4, 5, 6, 7, 0)]
    assert world.run(*book) == [OK] * 8 + [REFUSED]  # 8 · (10 + 100) + 100, and a token unit for the fee
    assert world.account(1).orders == 2**255 + 2**8 - 2 and world.position(1).orders == 8
    assert world.run(world.order(1, BUY, 90, 1, order_slot=0, flags=IOC)) == [OK]
    assert world.run(world.withdraw(1, 21), world.withdraw(1, 20)) == [REFUSED, OK]
    assert world.run(world.withdraw(2, 789), world.withdraw(3, 790)) == [OK, OK]
    assert world.run(world.order(2, BUY, 90, 1), world.order(3, BUY, 90, 1)) == [OK, REFUSED]
    assert all(not place.market for place in world.account(3).positions)
    assert world.run(world.cancel(1, 3), world.amend(1, 4, 90, 1), world.amend(1, 4, 91, 1)) == [OK] * 3
    assert world.run(world.cancel_all(1), world.cancel_all(1), world.withdraw(1, 980)) == [OK] * 3
    assert world.account(1).orders == 0 and not world.account(1).positions[0].market


def play_armed(world: JudgedWorld) -> None:
    """An armed order needs an order margin, and a place; its position needs none."""
    world.begin(money=300, markets=9, order_margin=100)
    armed = [
        world.order(4, BUY, 120, 1, order_slot=slot, flags=ABOVE, trigger=110, market=slot + 1) for slot in range(4)
    ]
    assert world.run(*armed) == [OK, OK, OK, REFUSED]
    assert [place.orders for place in world.account(4).positions] == [1, 1, 1, 0, 0, 0, 0, 0]
    assert world.run(world.withdraw(4, 1), world.cancel_all(4), world.withdraw(4, 300)) == [REFUSED, OK, OK]
    assert world.batch([world.deposit(1, 1_000)]) == [OK]
    armed = [
        world.order(1, BUY, 120, 1, order_slot=slot, flags=ABOVE, trigger=110, market=slot + 1) for slot in range(9)
    ]
    assert world.run(*armed) == [OK] * 8 + ["too_many_positions"]


def play_closing(world: JudgedWorld) -> None:
    """Who is short of margin may still close: at once in any case, by resting or armed orders as far as it can pay."""
    world.begin(money=10_000, order_margin=1_000, maintenance_margin=1)
    world.trade(1, 2, 100, 700)
    assert world.run(world.price(90)) == [OK]  # equity of account 2: 10,000 - 35 - 7,000
    closing = [world.order(2, SELL, 90, 10, order_slot=slot) for slot in (1, 2, 3)]
    at_once = world.order(2, SELL, 90, 10, order_slot=3, flags=IOC)
    stop = world.order(2, SELL, 75, 10, order_slot=4, flags=BELOW | REDUCE_ONLY, trigger=80)
    assert world.run(*closing, at_once, stop) == [OK, OK, REFUSED, OK, REFUSED]
    stop = world.order(2, SELL, 75, 10, order_slot=4, flags=BELOW | REDUCE_ONLY, trigger=80)
    opening = world.order(2, SELL, 75, 10, order_slot=4, flags=BELOW, trigger=80)
    assert world.run(world.cancel(2, 1), opening, stop) == [OK, REFUSED, OK]
    assert world.run(world.order(1, BUY, 90, 700)) == [OK]  # meets the one that rests
    assert world.position(2).size == 690


def play_old_prices(world: JudgedWorld) -> None:
    """An armed order is not taken on an equity that hangs on an old price, unless it can only close."""
    world.begin(money=10_000, markets=2, order_margin=10, max_age=60)
    world.trade(1, 2, 100, 10, market=2)
    assert world.run(world.order(3, BUY, 90, 1, market=2)) == [OK]
    world.wait(61)
    armed = [
        world.order(account, BUY, 120, 1, order_slot=5, flags=flags | ABOVE, trigger=110)
        for account, flags in ((1, 0), (1, REDUCE_ONLY), (3, 0), (4, 0))
    ]
    assert world.run(world.price(100), *armed) == [OK, "stale_price", OK, OK, OK]


def play_deadlines(world: JudgedWorld) -> None:
    """Orders that died at their account's deadline go before the next of it enters, or before the deadline moves."""
    world.begin(money=10_000, order_margin=10)
    for slot in (200, 3):
        assert (
            world.run(world.order(1, SELL, 105, 5, order_slot=slot), world.order(2, BUY, 90, 5, order_slot=slot))
            == [OK] * 2
        )
    stop = world.order(2, BUY, 130, 5, order_slot=0, flags=ABOVE, trigger=120)
    end = world.time + 10
    assert world.run(stop, world.schedule_cancel(1, end), world.schedule_cancel(2, end)) == [OK] * 3
    world.wait(9)
    assert world.time == end - 1
    assert world.run(world.order(3, BUY, 105, 1, flags=IOC)) == [OK] and world.position(3).size == 1
    world.wait(1)
    assert world.run(world.order(3, BUY, 105, 1, flags=IOC)) == [OK] and world.position(3).size == 1
    assert world.account(1).orders == 0  # that taker has met, and taken out, both
    late = [world.amend(2, 3, 90, 1), world.schedule_cancel(2, world.time + 50), world.schedule_cancel(1, 0)]
    assert world.run(*late) == ["unknown_order", OK, OK]
    assert (world.account(2).orders, world.account(2).deadline, world.account(1).deadline) == (0, world.time + 50, 0)
    book = [world.order(2, BUY, 90, 5, order_slot=slot) for slot in (1, 2)]
    assert world.run(*book, world.order(2, BUY, 130, 5, order_slot=0, flags=ABOVE, trigger=120)) == [OK] * 3
    world.wait(50)
    assert world.run(world.price(125)) == [OK]
    assert world.account(2).orders == 6 and world.market().stop_above == 0  # the dead stop has left
    assert world.run(world.order(2, BUY, 120, 5, order_slot=7)) == [OK]
    assert (world.account(2).orders, world.account(2).deadline) == (2**7, 0)


def play_liquidated(world: JudgedWorld) -> None:
    """Below maintenance the orders go first, one a visit; whoever is healthy keeps them."""
    world.begin(money=10_000, order_margin=100, maintenance_margin=50_000)
    world.trade(1, 2, 100, 700)
    book = [
        world.order(2, SELL, 130, 1, order_slot=9),
        world.order(2, BUY, 130, 1, order_slot=4, flags=ABOVE | REDUCE_ONLY, trigger=125),
        world.order(2, SELL, 131, 1, order_slot=255),
        world.order(3, BUY, 87, 800, order_slot=9),
        world.order(3, BUY, 84, 1, order_slot=10),
    ]
    assert world.run(*book) == [OK] * 5
    assert world.run(world.price(87)) == [OK]
    assert world.account(2).orders == 0 and world.account(3).orders == 3 * 2**9
    assert world.position(2).size < 700 and world.took("liquidated") > 0


def play_the_end(world: JudgedWorld) -> None:
    """Orders go on to need margin in a market that is settled, and none in a wind-down."""
    world.begin(money=1_000, order_margin=100, expiry=10**10)
    assert world.run(world.order(1, BUY, 90, 3), world.order(2, BUY, 90, 3), world.withdraw(1, 771)) == [
        OK,
        OK,
        REFUSED,
    ]
    world.machine.state.market(1).settled = 1
    world.machine.state.commit()
    assert world.run(world.withdraw(1, 901), world.withdraw(1, 900)) == [REFUSED, OK]
    world.machine.state.market(1).settled = 0
    world.machine.state.commit()
    assert (
        world.batch([records.encode(records.WindDownBody())], [world.withdraw(2, 1_000), world.withdraw(1, 100)])
        == [OK] * 3
    )
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.account(2).orders == 1  # a visit takes nothing out
    assert world.run(world.cancel_all(2)) == [OK] and not world.account(2).positions[0].market


def play_holders_at_the_end(world: JudgedWorld) -> None:
    """In a wind-down only what is held needs margin, long or short: the worth of a position is not paid out with it."""
    world.begin(money=1_000, order_margin=100)
    world.trade(1, 2, 100, 1)
    assert world.batch([records.encode(records.WindDownBody())]) == [OK]
    taken = [world.withdraw(account, amount) for account in (1, 2) for amount in (900, 500)]
    assert world.run(*taken) == [REFUSED, OK, REFUSED, OK]


SCENES = (
    play_resting,
    play_armed,
    play_closing,
    play_old_prices,
    play_deadlines,
    play_liquidated,
    play_the_end,
    play_holders_at_the_end,
)
