"""Fill or kill on random books: all of it or nothing, and what was counted as sure is filled when it trades."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.builds import SourcePatch
from tests.support.machines.world import BUY, FOK, REDUCE_ONLY, SELL, World, sub

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.step import apply_step
from setoff.shared.state import keys

TAKER = 6
RULES = (records.CANCEL_MAKER, records.CANCEL_MAKER, records.CANCEL_TAKER, records.CANCEL_BOTH)


def make_book(rng: Random) -> World:
    """Makers of all sorts on both sides: rich and poor, with positions and without, several orders each, reduce-only
    orders larger than what is left to close, dead ones, and the taker's own.
    """
    world = World.trading(
        accounts=TAKER,
        funds=rng.choice((900, 1_500, 4_000, 10**6)),
        taker_fee=rng.choice((0, 500, 5_000)),
        maker_fee=0,
        order_margin=rng.choice((0, 3)),
        step_band=900_000,
        max_age=2**31,
    )
    world.set_market(
        1,
        taker_fee=5_000,
        maker_fee=rng.choice((-5_000, -77, 0, 301, 5_000)),
        order_margin=rng.choice((0, 3)),
        step_band=900_000,
        max_age=2**31,
    )
    world.list_market(2, max_age=2**31)
    world.report(0, 50, market=2)
    for account in (TAKER, *rng.sample(range(1, TAKER), 2)):
        world.deposit(account, 10**6)
    world.transfer(TAKER, sub(TAKER), 10_000)
    accounts = [*range(1, TAKER), sub(TAKER)]
    for _ in range(rng.randrange(12)):  # positions, some of them in another market too
        buyer, seller = rng.sample(accounts, 2)
        market, price, size = (2, 50, 9) if rng.random() < 0.3 else (1, 100, rng.randint(1, 8))
        world.order(seller, SELL, price, size, market=market)
        world.order(buyer, BUY, price, size, market=market, flags=records.IOC)
    for account in accounts:
        world.cancel_all(account)
    for _ in range(rng.randint(5, 60)):
        side = rng.choice((BUY, SELL, SELL))
        price = rng.randint(100, 106) if side == SELL else rng.randint(92, 99)
        flags = rng.choice((0, 0, records.POST_ONLY, REDUCE_ONLY, REDUCE_ONLY))
        expiry = world.traffic.time + rng.choice((0, 0, 0, 5)) if rng.random() < 0.3 else 0
        world.order(rng.choice(accounts), side, price, rng.randint(1, 6), flags=flags, expiry=expiry)
    for _ in range(rng.randrange(6)):  # reduce-only orders larger than what is left to close
        world.order(rng.choice(accounts), rng.choice((BUY, SELL)), rng.choice((99, 100)), 2, flags=records.IOC)
    if rng.random() < 0.3:
        world.schedule_cancel(rng.randint(1, TAKER - 1), world.traffic.time + 3)
    world.set_mark(rng.choice((94, 98, 100, 103, 109)), seconds=5)
    while world.machine.regs.has_work:
        world.crank(0)
    return world


def run_counting(world: World, body: bytes) -> tuple[list[tuple[int, int]], list[tuple[int, int]], int]:
    """Run a record step by step: (handle, lots) of each maker that was counted as sure, and of each fill; its steps."""
    regs, state = world.machine.regs, world.machine.state
    counted, filled = [], []
    first = regs.steps
    regs.steps += 1
    step_fetch(regs, state, body, False)
    while regs.phase != phases.IDLE:
        phase, cursor, before = regs.phase, regs.cursor, regs.fok_lots
        is_counting = regs.scanning == 1
        apply_step(regs, state)
        if phase == phases.PROBE and is_counting:
            lots = regs.lots if regs.scanning == 0 else regs.fok_lots - before
            if lots:
                counted.append((cursor, lots))
        elif phase == phases.FILL:
            filled.append((cursor, regs.lots))
    return counted, filled, regs.steps - first


@given(seed=st.integers(0, 2**32), limit=st.sampled_from((3, 9, 1024)))
@settings(max_examples=150, deadline=None)
def test_all_or_nothing(seed: int, limit: int) -> None:
    with SourcePatch.context() as patch:
        patch.setattr(phases, "MAX_MATCHES", limit)
        patch.setattr(phases, "WORK_LIMIT", 4)
        check_all_or_nothing(Random(seed), limit)


def check_all_or_nothing(rng: Random, limit: int) -> None:
    with SourcePatch.context() as patch:
        patch.setattr(phases, "WORK_LIMIT", 2**16)
        world = make_book(rng)
    side = rng.choice((BUY, BUY, SELL))
    price = rng.randint(100, 107) if side == BUY else rng.randint(91, 99)
    size = rng.randint(1, 40)
    before = world.position(TAKER)
    book = [world.value(key) for key in sorted(list_orders(world))]
    body = world.traffic.order(TAKER, side, price, size, flags=FOK | rng.choice(RULES), order_slot=200)
    counted, filled, steps = run_counting(world, body)
    after = world.position(TAKER)
    outcome = world.machine.regs.outcome
    assert world.machine.regs.has_work == 0
    assert (after.bids, after.asks) == (before.bids, before.asks)
    assert steps <= 10 * limit + 4 * 256 + 64
    if outcome:
        assert filled == [] and after.size == before.size
        assert [world.value(key) for key in sorted(list_orders(world))] == book
        return
    assert abs(after.size - before.size) == sum(lots for _, lots in filled) == size
    assert sum(lots for _, lots in counted) == size
    # Others may have filled beside those counted, so that it was filled before the last of these; and in order.
    met = dict(filled)
    last = list(met)[-1]
    reached = [handle for handle, _ in counted if handle in met]
    assert reached == [handle for handle, _ in counted][: len(reached)]
    assert all(met[handle] == lots for handle, lots in counted if handle in met and handle != last)


def list_orders(world: World) -> list[int]:
    world.machine.state.commit()
    return [key for key, _ in world.machine.state.tree.items() if key >> keys.BODY_BITS == keys.ORDER]


def make_shrunk(makers: int) -> World:
    """So many makers whose reduce-only orders have shrunk under what is left to close: each is met twice."""
    world = World.trading(accounts=3, funds=10**9, taker_fee=0, maker_fee=0)
    for account in range(4, 4 + makers):
        world.deposit(account, 10**5)
        world.order(1, SELL, 100, 2, order_slot=0)
        world.order(account, BUY, 100, 2, order_slot=0)
        world.order(account, SELL, 101, 2, flags=REDUCE_ONLY, order_slot=1)
        world.order(1, BUY, 99, 1, order_slot=1)
        world.order(account, SELL, 99, 1, flags=records.IOC, order_slot=2)
    return world


@pytest.mark.parametrize(("makers", "outcome", "filled"), [(9, "accepted", 500), (10, "unfillable", 0)])
def test_makers_that_are_met_twice_are_counted_once(
    makers: int, outcome: str, filled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "MAX_MATCHES", 10)
    world = make_shrunk(makers)
    world.order(3, SELL, 102, 500)
    first = world.machine.regs.steps
    assert world.order(2, BUY, 105, 500, flags=FOK) == outcome
    assert world.position(2).size == filled
    assert world.machine.regs.steps - first <= 10 * 10 + 64
    if filled:
        assert len(world.fills()) == makers + 1  # one lot of each, which were not counted
