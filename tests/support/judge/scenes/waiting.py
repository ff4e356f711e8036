"""Reports, withdrawals and transfers that waited in the queue, and are judged as of when they were queued."""

from tests.support.judge.judged_world import OK, JudgedWorld

from setoff.shared.codec.records import stamp_message

DAY = 86_400


def play_late_reports(world: JudgedWorld) -> None:
    """A report that waited for a day, at the edges of its age; the market takes it unless it has a later index."""
    world.begin(money=10**6, max_age=60)
    queued = world.time
    world.wait(DAY)

    def late(age: int, price: int, seconds: int = 0) -> bytes:
        return stamp_message(world.report(0, price, time=queued + seconds - age), queued + seconds)

    ages = [late(61, 90, 100), late(60, 91, 100), late(60, 92, 100), late(-61, 93, 100), late(-60, 94, 100)]
    assert world.batch(ages) == ["stale_report", OK, "stale_report", "future_report", OK]
    assert (world.market().index, world.market().index_time) == (94, queued + 160)
    # One from before the index, one of the same second, one after it.
    assert world.batch([late(0, 95, 159), late(0, 96, 160), late(0, 97, 161)]) == ["stale_report", "stale_report", OK]
    # One that is queued after the batch's own time is of that time.
    world.wait(1)
    ahead = world.time + 500
    soon = [stamp_message(world.report(0, price, time=ahead + more), ahead) for price, more in ((98, 61), (99, 60))]
    assert world.batch(soon) == ["future_report", OK]
    assert world.market().index == 99
    assert world.batch([stamp_message(world.report(0, 99, time=ahead + 60), ahead)]) == ["stale_report"]


def play_scattered_reports(world: JudgedWorld) -> None:
    """Single later reports, never a quorum, do not keep out the price that was forced: they count with it."""
    world.begin(max_age=60)
    assert world.batch([world.set_signer(number, 3, 60) for number in range(3)]) == [OK] * 3
    queued = world.time
    world.wait(DAY)
    for number, price in enumerate((110, 112, 114)):
        world.wait(100)
        assert world.run(world.report(number, price)) == [OK]
    assert world.market().index == 100
    forced = [stamp_message(world.report(number, 111, time=queued + 5), queued + 9) for number in range(3)]
    assert world.batch(forced) == [OK, "stale_report", "stale_report"]
    assert (world.market().index, world.market().index_time) == (112, queued + 5)


def play_late_payments(world: JudgedWorld) -> None:
    """Money that was asked for while the price was fresh goes out; at the edge of the age, and not a second later."""
    world.begin(money=10**6, max_age=60)
    world.trade(1, 2, 100, 10)
    priced = world.market().index_time
    world.wait(DAY)

    def late(record: bytes, age: int) -> bytes:
        return stamp_message(record, priced + age)

    messages = [
        late(world.withdraw(1, 1), 60),
        late(world.withdraw(1, 1), 61),
        late(world.transfer(1, 3, 1), 60),
        late(world.transfer(1, 3, 1), 61),
        late(world.force(1, world.withdraw(1, 1)), 60),
        late(world.backstop_withdraw(1, 1), 60),
        late(world.order(3, 0, 90, 1, order_slot=7), 60),
    ]
    outcomes = [OK, "stale_price", OK, "stale_price", OK, "insufficient_margin", "stale_price"]
    assert world.batch(messages) == outcomes
    assert world.run(world.price(100)) == [OK]
    fresh = world.time + 60
    assert world.batch([stamp_message(world.withdraw(1, 1), fresh + 1)]) == [OK]


def play_late_crash(world: JudgedWorld) -> None:
    """Of those who fail at a price that waited, and is old, only a debt is closed: the rest needs a fresh one."""
    world.begin(money=1_200, markets=2, max_age=60, maintenance_margin=50_000)
    world.trade(1, 2, 100, 100)
    world.trade(3, 2, 100, 5, market=2, order_slot=1)
    queued = world.time + 10
    world.wait(DAY)
    assert world.batch([stamp_message(world.report(0, 90, time=queued), queued)]) == [OK]
    assert world.position(2).size == 100 and world.position(2, 2).size == 5
    assert world.batch([stamp_message(world.report(0, 87, time=queued + 1), queued + 1)]) == [OK]
    assert world.position(2).size == 0


SCENES = (play_late_reports, play_scattered_reports, play_late_payments, play_late_crash)
