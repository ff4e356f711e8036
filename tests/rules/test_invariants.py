"""Random traffic, checked after every step; hostile bytes; refusals that leave no trace."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.invariants import check_invariants
from tests.world import World

from setoff.deploy.scene import START_TIME, oracle_key, trader_key
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.intake import step_fetch
from setoff.shared.rules.step import apply_step

ACCOUNTS = 5
FUNDS = 40_000

accounts = st.integers(1, ACCOUNTS)
places = st.integers(0, 5)
# Few prices, on both sides of a bitmap word; small sizes, so that orders meet and queue.
prices = st.integers(252, 259)
orders = st.tuples(
    st.just("order"),
    accounts,
    st.integers(0, 1),
    prices,
    st.one_of(st.integers(1, 9), st.just(100)),
    st.integers(1, 2),
    st.sampled_from([0, 0, 0, 1, 2]),
    places,
)
cancels = st.tuples(st.just("cancel"), accounts, places)
payments = st.tuples(st.sampled_from(["transfer", "withdraw"]), accounts, accounts, st.integers(1, FUNDS))
reports = st.tuples(st.just("report"), st.integers(1, 2), st.integers(235, 275))
deposits = st.tuples(st.just("deposit"), accounts, st.integers(1, 5_000))
inputs = st.lists(
    st.one_of(orders, orders, orders, orders, cancels, payments, reports, deposits), min_size=10, max_size=60
)


def encode(world: World, action: tuple[Any, ...]) -> bytes:
    """The input of an action; a report begins a new batch a second later."""
    name, *fields = action
    scene = world.scene
    if name == "order":
        account, side, price, size, market, flags, place = fields
        return scene.order(account, side, price, size, market=market, flags=flags, place=place)
    if name == "cancel":
        return scene.cancel(*fields)
    if name == "transfer":
        return scene.transfer(*fields)
    if name == "withdraw":
        return scene.withdraw(fields[0], fields[2])
    if name == "report":
        world.scene.time += 1
        world.machine.begin(world.machine.regs.batch + 1, world.scene.time)
        return scene.report(0, fields[1], market=fields[0])
    return scene.deposit(*fields)


def run_checked(machine: Machine, body: bytes, deposited: int) -> int:
    """Run one input step by step, with every invariant after each; returns what has been deposited then."""
    regs = machine.regs
    first = regs.steps
    step_fetch(regs, machine.state, body, body[0] >= records.FIRST_MESSAGE)
    if body[0] == records.DEPOSIT and regs.outcome == errors.ACCEPTED:
        deposited += records.decode_deposit(body).amount
    check_invariants(machine, deposited)
    while regs.phase != phases.IDLE:
        apply_step(regs, machine.state)
        assert len(machine.state.touched) <= phases.MAX_LEAVES
        check_invariants(machine, deposited)
    assert regs.steps - first <= phases.RECORD_STEP_BOUND
    return deposited


def open_world() -> World:
    world = World.trading(accounts=ACCOUNTS, funds=FUNDS, mark=255)
    world.list_market(2, unit=3, taker_fee=700, maker_fee=-700, initial_margin=33_333, maintenance_margin=20_000)
    world.report(0, 255, market=2)
    return world


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(inputs)
def test_every_invariant_holds_after_every_step(actions: list[tuple[Any, ...]]) -> None:
    world = open_world()
    deposited = ACCOUNTS * FUNDS
    for action in actions:
        deposited = run_checked(world.machine, encode(world, action), deposited)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(inputs)
def test_a_refused_offer_changes_nothing_at_all(actions: list[tuple[Any, ...]]) -> None:
    world = open_world()
    for action in actions:
        body = encode(world, action)
        if body[0] >= records.FIRST_MESSAGE:
            world.machine.take(body, is_message=True)
            continue
        before, snapshot = world.machine.hash(), world.machine.snapshot()
        outcome = world.machine.offer(body)
        if outcome == errors.ACCEPTED:
            assert world.machine.hash() != before
        else:
            assert world.machine.hash() == before
            assert world.machine.snapshot() == snapshot
            assert world.machine.fills == []
    taken = Machine.restore(world.machine.snapshot())
    assert taken.hash() == world.machine.hash()


def records_with(kind: int) -> st.SearchStrategy[bytes]:
    """Bodies of a known type with arbitrary fields, mostly canonical, and an arbitrary signature."""
    tails = st.sampled_from([2, 6, 14, 17, 18, 20, 28, 30, 32, 38, 40]).flatmap(
        lambda n: st.binary(min_size=n, max_size=n)
    )
    return tails.map(lambda tail: (bytes([kind]) + tail).ljust(60, b"\0") + bytes(64))


hostile = st.one_of(
    st.binary(min_size=124, max_size=124),
    st.sampled_from([1, 2, 3, 4, 5, 0x81, 0x82, 0x83, 0x84]).flatmap(records_with),
)


@settings(deadline=None, max_examples=300)
@given(hostile, st.booleans())
def test_no_bytes_are_too_hostile(body: bytes, is_message: bool) -> None:
    world = open_world()
    outcome = world.machine.take(body, is_message)
    assert 0 <= outcome < len(errors.OUTCOMES)
    assert world.machine.regs.phase == phases.IDLE
    assert len(world.machine.regs.encode()) == 28 * 32
    world.machine.hash()


bodies = st.one_of(
    st.builds(
        records.OrderBody,
        st.integers(0, ACCOUNTS + 1),
        st.integers(0, 2**64 - 1),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 4),
        st.integers(0, 300),
        st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1)),
        st.one_of(st.integers(0, 50), st.integers(0, 2**64 - 1)),
    ).map(records.encode_order),
    st.builds(
        records.TransferBody,
        st.integers(0, ACCOUNTS + 1),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**128 - 1),
    ).map(records.encode_transfer),
    st.builds(
        records.WithdrawBody, st.integers(0, ACCOUNTS + 1), st.integers(0, 2**64 - 1), st.integers(0, 2**128 - 1)
    ).map(records.encode_withdraw),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(bodies, max_size=5))
def test_fields_at_any_value_keep_the_invariants_when_signed(signed: list[bytes]) -> None:
    world = open_world()
    for body in signed:
        account = records.get_head(body)[1]
        run_checked(world.machine, world.scene.sign(body, trader_key(account)), ACCOUNTS * FUNDS)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_reports_of_any_time_and_price_end(time: int, price: int, number: int) -> None:
    world = open_world()
    body = records.encode_report(records.ReportBody(number, time, 1, price))
    world.take(world.scene.sign(body, oracle_key(0)))
    assert world.market().index_time <= START_TIME + 60
    assert world.machine.regs.phase == phases.IDLE
