"""What a poster gains by skewing timestamps as far as the inbox lets it: a delay of the clock, and nothing else."""

from random import Random

import pytest
from tests.support.courts.arena import PARAMS, Arena
from tests.support.evm import reverts
from tests.support.machines.world import BUY, IOC, SELL, World

from setoff.shared.rules.phases import HOUR, ORACLE_DEATH, SAMPLE_INTERVAL

SKEW = PARAMS.max_skew
DAY = 24 * HOUR


class Clock:
    """L1's time over a world, whose batches carry the timestamps of a poster."""

    def __init__(self, world: World, max_skew: int) -> None:
        self.world = world
        self.max_skew = max_skew
        self.now = world.traffic.time

    def post(self, now: int, skew: int) -> int:
        """A batch at L1's time `now`, `skew` seconds behind as far as the inbox takes it; returns its timestamp."""
        self.now = now
        timestamp = max(self.world.traffic.time, now - min(skew, self.max_skew))
        self.world.wait(timestamp - self.world.traffic.time)
        return timestamp


# --- what the contract lets through ----------------------------------------------------------------------------------


def test_timestamps_are_monotone_and_bound_to_the_block() -> None:
    arena = Arena(epochs=0)
    arena.warp(1000)

    def post(timestamp: int) -> None:
        arena.post(timestamp=timestamp)

    # One past either end of what is allowed (the next block is a second later), then both ends.
    for timestamp in (arena.now + 100, arena.now - SKEW - 100, 0, 2**64, 2**256 - 1):
        with reverts("batch_timestamp"):
            post(timestamp)
    oldest = arena.now - SKEW + 5
    post(oldest)
    assert arena.inbox.timestamp() == oldest
    post(oldest)
    with reverts("batch_timestamp"):
        post(oldest - 1)
    latest = arena.now
    post(latest)
    # A clock that has been let go cannot be taken back, though it would be within the skew.
    with reverts("batch_timestamp"):
        post(latest - 1)


def test_the_clock_of_the_machine_is_the_header_and_nothing_else() -> None:
    world = World()
    world.traffic.time += 77
    batch = world.traffic.seal()
    world.machine.run_batch(batch)
    assert world.machine.regs.time == batch.header.timestamp == world.traffic.time


# --- what that delays ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [0, 1, SKEW // 2, SKEW])
def test_an_order_is_filled_after_its_expiry_by_no_more_than_the_skew(skew: int) -> None:
    world = World.trading(max_age=2**31)
    clock = Clock(world, SKEW)
    expiry = clock.now + 1000
    assert world.order(1, SELL, 100, 5, expiry=expiry, order_slot=0) == "accepted"
    filled = []
    for now in range(expiry + skew - 3, expiry + skew + 3):
        clock.post(now, skew)
        assert world.order(2, BUY, 100, 1, flags=IOC) == "accepted"
        if world.machine.fills:
            filled.append(now)
    assert filled == list(range(expiry + skew - 3, expiry + skew))
    assert filled[-1] < expiry + SKEW


@pytest.mark.parametrize("skew", [0, SKEW])
def test_a_dead_mans_switch_is_late_by_the_skew_at_most(skew: int) -> None:
    world = World.trading(max_age=2**31)
    clock = Clock(world, SKEW)
    deadline = clock.now + 1000
    assert world.order(1, SELL, 100, 5) == "accepted"
    assert world.schedule_cancel(1, deadline) == "accepted"
    clock.post(deadline - 1 + skew, skew)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert len(world.machine.fills) == 1
    clock.post(deadline + skew, skew)
    world.order(2, BUY, 100, 1, flags=IOC)
    assert not world.machine.fills


@pytest.mark.parametrize("skew", [0, 7, SKEW])
def test_a_report_is_used_at_its_age_and_the_skew_at_most(skew: int) -> None:
    """A price of `now` may be kept back and used later, but not longer than its age allows on the skewed clock."""
    world = World.trading()
    clock = Clock(world, SKEW)
    taken = clock.now + 10
    for now in (taken + 60 + skew, taken + 61 + skew):
        clock.post(now, skew)
        fits = now - skew <= taken + 60
        assert world.report(0, 100, time=taken) == ("accepted" if fits else "stale_report")


def test_a_skewed_clock_makes_nothing_due_early() -> None:
    """Whatever is due at t on L1's clock is not due before t on any clock that the inbox takes."""
    world = World.trading(max_age=2**31, expiry=World().traffic.time + 5000)
    clock = Clock(world, SKEW)
    expiry = world.market().expiry
    for skew in (SKEW, 0):
        clock.post(expiry - 1, skew)
        world.crank()
        assert world.market().settled == 0
    world = World.trading(max_age=60)
    clock = Clock(world, SKEW)
    clock.post(clock.now + ORACLE_DEATH, 0)
    assert world.crank() == "stale_price"


# --- what it cannot change -------------------------------------------------------------------------------------------


def steady_market() -> World:
    """Positions of 1 and 2, and a book whose middle is 1 % above the index, for so long that the premium stands."""
    world = World.trading(mark=10_000, funds=10**12, impact=1, max_age=2**31, funding_cap=50_000)
    assert world.order(1, BUY, 10_000, 10) == "accepted"
    assert world.order(2, SELL, 10_000, 10) == "accepted"
    assert world.order(3, BUY, 10_090, 10, order_slot=0) == "accepted"
    assert world.order(3, SELL, 10_110, 10, order_slot=1) == "accepted"
    world.wait(HOUR - world.traffic.time % HOUR)
    before = -1
    while world.market().premium != before:
        before = world.market().premium
        world.wait(SAMPLE_INTERVAL)
        assert world.crank() == "accepted"
    world.wait(HOUR - world.traffic.time % HOUR)
    assert world.crank() == "accepted"
    return world


def fund_an_hour(skews: list[int]) -> tuple[int, int]:
    """(what a lot pays, seconds by the machine's clock) in an hour of a crank a minute at these skews."""
    world = steady_market()
    clock = Clock(world, 2 * HOUR)
    start, before, paid = clock.now, world.traffic.time, world.market().funding
    for minute, skew in enumerate(skews, 1):
        clock.post(start + minute * SAMPLE_INTERVAL, skew)
        world.crank()
    return world.market().funding - paid, world.traffic.time - before


def test_funding_is_paid_for_no_second_that_has_not_passed_whichever_the_skew() -> None:
    """Who lets the clock stand, or jump, can keep funding from being paid, and makes nobody pay more."""
    paid, seconds = fund_an_hour([0] * 60)
    assert seconds == HOUR and paid > 0
    rng = Random(5)
    schedules = [[2 * HOUR] * 60, [0, 600] * 30, [rng.randrange(600) for _ in range(60)], [90] * 59 + [0]]
    for skews in schedules:
        other, passed = fund_an_hour(skews)
        assert passed <= seconds
        # each of the sixty payments was rounded down by less than a unit, which fewer and longer ones are not
        assert other <= (paid + 60) * passed // seconds


def test_skewing_adds_no_samples_of_the_premium() -> None:
    """However a poster jumps between the ends of the skew, a minute of L1 has one sample at most."""
    world = steady_market()
    clock = Clock(world, 600)
    start, taken = clock.now, 0
    rng = Random(6)
    for second in range(0, 3600, 20):
        clock.post(start + second, rng.choice((0, 30, 60, 600)))
        taken += world.crank() == "accepted"
    assert taken <= 3600 // SAMPLE_INTERVAL
