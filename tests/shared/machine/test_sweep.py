"""Sweeps without the visits that change nothing end, step by step, where all visits end."""

from random import Random

import pytest
from tests.support.machines.generator import Generator

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.columns import Columns
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.sweep import Sweep
from setoff.shared.rules import phases
from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.state import keys
from setoff.shared.state.leaves import MAX_POSITIONS, Account, Market, Position
from setoff.shared.state.store import State

ALWAYS, NEVER = 0, 2**62
ACCOUNTS = 150
TIME = SampleTraffic().time


def fill_market(market: Market, draw: Random, number: int) -> None:
    """A market like any, near the bounds of every number, with tiers, settled, or stale."""
    is_large = number in (2, 5)
    market.unit = 2**32 - 1 if is_large else draw.choice([1, 10, 1_000])
    market.mark = market.index = 2**24 - 1 if is_large else draw.randint(1, 60_000)
    market.index_time = TIME - (10**6 if number == 3 else 1)
    market.max_age = 60
    market.maintenance_margin = draw.choice([1, 5_000, 30_000, 10**6])
    market.initial_margin = 10**6
    market.close_out = market.maintenance_margin // 2
    market.band = 10**6
    market.max_position = 2**38
    market.max_open_interest = 2**62
    market.funding = draw.choice([0, 1, -1, 2**64, -(2**64), 2**100 + 7, -(2**126)])
    market.settled = int(number == 4)
    if number % 2:
        market.tier1_size, market.tier1_maintenance = draw.randint(1, 50), 10**6
        market.tier2_size, market.tier2_maintenance = market.tier1_size + draw.randint(1, 50), 10**6


def draw_size(draw: Random) -> int:
    largest = draw.choice([0, 1, 5, 60, 10**6, 2**38])
    return draw.randint(-largest, largest)


def fill_account(state: State, account: Account, draw: Random) -> None:
    """An account of some positions whose equity is at, beside or far from its maintenance margin."""
    places = draw.sample(range(MAX_POSITIONS), draw.choice([0, 0, 1, 2, 8]))
    for place, market in zip(places, draw.sample(range(1, 9), len(places)), strict=True):
        size = draw_size(draw)
        leaf = state.market(market)
        funding = leaf.funding - draw.choice([0] * 12 + [1, -1, 2**33, 2**64])
        account.positions[place] = Position(market, size, draw.randint(0, 1), 1, size * leaf.mark * leaf.unit, funding)
        leaf.open_interest += max(size, 0)
    account.epoch = 1
    account.deadline = draw.choice([0, 0, 0, 0, 0, TIME + 1, TIME, TIME - 1])
    equity, maintenance, _ = compute_maintenance(state, account)
    account.collateral = maintenance - equity + draw.choice([0, 1, -1, 17, -17, 10**6, 10**6, -(10**4), 2**60, 2**126])


def make_machine(seed: int) -> Machine:
    """A machine with accounts of all sorts in the middle of work that an earlier input has left."""
    draw = Random(seed)
    machine = Machine.genesis(SampleTraffic().domain)
    regs, state = machine.regs, machine.state
    machine.begin(0, TIME)
    regs.accounts, regs.markets = ACCOUNTS, 8
    for number in range(1, 9):
        fill_market(state.market(number), draw, number)
    for master in range(ACCOUNTS + 1):
        if draw.random() < 0.05:
            continue  # an account that was never written
        leaf = state.account(master)
        fill_account(state, leaf, draw)
        leaf.subs = draw.choice([0] * 9 + [1, 3, 15]) if master else 0
        for number in range(1, leaf.subs + 1):
            if draw.random() < 0.7:
                fill_account(state, state.account(keys.sub_account(master, number)), draw)
    backstop = state.account(keys.BACKSTOP)
    backstop.deadline = 0  # nobody can sign one for it
    backstop.collateral += draw.choice([0, 10**9, 2**120])
    regs.has_work = regs.sweeping = 1
    regs.sweep = draw.choice([0, 0, 1, ACCOUNTS - 5, ACCOUNTS])
    regs.skip_account = int(draw.random() < 0.3)
    regs.trigger_market = 1
    if draw.random() < 0.3:
        begin_ranking(machine, draw)
    state.commit()
    return machine


def begin_ranking(machine: Machine, draw: Random) -> None:
    """As after a takeover that the backstop refused."""
    regs = machine.regs
    account, position = draw.choice(
        [
            (master, position)
            for master in range(1, ACCOUNTS + 1)
            for position in machine.state.account(master).positions
            if position.size and not machine.state.market(position.market).settled
        ]
    )
    regs.ranking = 1
    regs.kind, regs.account, regs.market = records.LIQUIDATION, account, position.market
    regs.side = records.SELL if position.size > 0 else records.BUY
    regs.size = abs(position.size)
    regs.price = machine.state.market(position.market).mark


def of(machine: Machine, many_accounts: int) -> Machine:
    twin = machine.copy()
    twin.many_accounts = many_accounts
    return twin


def crank_batch(number: int = 0) -> Batch:
    """A batch whose one record lets the work go on."""
    return Batch.seal(ZERO, number, TIME, 0, 0, ZERO, [], [SampleTraffic().crank(1)])


def trace_plainly(machine: Machine, batch: Batch) -> list[bytes]:
    """The machine hash after every step, each of them run."""
    hashes: list[bytes] = []
    while not hashes or machine.regs.phase != phases.IDLE:
        machine.step(batch, 0, len(hashes))
        hashes.append(machine.hash())
    return hashes


@pytest.mark.parametrize("seed", range(16))
def test_a_sweep_over_accounts_of_all_sorts_has_the_same_end_and_trace(seed: int, monkeypatch) -> None:
    # A small limit, so that the work is cut off at every kind of place and goes on in another input.
    monkeypatch.setattr(phases, "WORK_LIMIT", 101 + seed)
    start = make_machine(seed)
    batch = crank_batch()
    plain, quick, traced = of(start, NEVER), of(start, ALWAYS), of(start, ALWAYS)
    inputs = 0
    while plain.regs.has_work and inputs < 8:
        inputs += 1
        leaves = trace_plainly(plain, batch)
        assert quick.run_input(batch, 0) == plain.regs.outcome
        assert quick.regs.encode() == plain.regs.encode()
        assert quick.hash() == leaves[-1]
        assert [traced.hash() for _ in traced.walk_input(batch, 0)] == leaves
    assert inputs > 1 or start.regs.sweep > ACCOUNTS - 10


@pytest.mark.parametrize("seed", range(3))
def test_traffic_ends_the_same_with_and_without_all_visits(seed: int) -> None:
    plain = Machine.genesis(SampleTraffic().domain)
    plain.many_accounts = NEVER
    quick = of(plain, ALWAYS)
    for number, (time, messages, inputs) in enumerate(Generator(100 + seed, plain).batches(8, 40)):
        plain.begin(number, time)
        quick.begin(number, time)
        for body in (*messages, *inputs):
            is_message = body[0] >= records.FIRST_MESSAGE
            assert quick.take(body, is_message) == plain.take(body, is_message)
            assert quick.fills == plain.fills
            assert quick.hash() == plain.hash()


def test_an_offer_that_is_taken_back_leaves_the_columns_as_the_accounts_are() -> None:
    start = make_machine(3)
    start.regs.has_work = 0
    start.regs.phase = phases.IDLE
    plain, quick = of(start, NEVER), of(start, ALWAYS)
    for machine in (plain, quick):
        machine.regs.has_work = 1
        # A record that comes while the machine is at work is refused, and with it the work it did.
        machine.offer(SampleTraffic().report(0, 100, market=1))
        machine.take(SampleTraffic().crank(1), is_message=False)
    assert quick.hash() == plain.hash()
    assert quick.regs.encode() == plain.regs.encode()


def make_calm(seed: int) -> Machine:
    """A machine none of whose accounts needs a visit, before the first of them."""
    machine = make_machine(seed)
    for master in range(ACCOUNTS + 1):
        leaf = machine.state.account(master)
        leaf.subs, leaf.deadline = 0, 0
        leaf.collateral = 2**127
        for position in leaf.positions:
            if position.market == 4:  # the settled one
                position.size = position.bids = position.asks = 0
                position.clear_if_empty()
            elif position.market:
                position.funding = machine.state.market(position.market).funding
    machine.regs.sweep = machine.regs.ranking = machine.regs.skip_account = 0
    machine.regs.phase = phases.WORK
    return machine


def test_an_account_used_since_the_sweep_began_is_visited() -> None:
    machine = make_calm(1)
    sweep = Sweep(Columns(machine.state), machine.regs, machine.state)
    assert sweep.count(machine.regs) == ACCOUNTS + 1
    machine.state.account(90).collateral -= 1
    assert sweep.count(machine.regs) == 90
    machine.regs.sweep = 91
    assert sweep.count(machine.regs) == ACCOUNTS - 90


def test_nothing_is_visited_in_a_calm_market(monkeypatch) -> None:
    start = make_calm(1)
    start.regs.phase = phases.IDLE
    quick = of(start, ALWAYS)
    visited: list[int] = []
    account = State.account
    monkeypatch.setattr(State, "account", lambda self, number: visited.append(number) or account(self, number))
    quick.run_input(crank_batch(), 0)
    assert quick.regs.sweeping == 0
    assert quick.regs.steps >= 2 * (ACCOUNTS + 1)
    assert not visited


def test_a_walk_goes_on_from_the_middle_of_a_slot() -> None:
    start = make_machine(7)
    batch = crank_batch()
    leaves = trace_plainly(of(start, NEVER), batch)
    for micro in (1, 2, 7, 100, len(leaves) - 1):
        machine = of(start, ALWAYS)
        for earlier in range(micro):
            machine.step(batch, 0, earlier)
        assert [machine.hash() for _ in machine.walk_input(batch, 0, micro)] == leaves[micro:]


def test_slots_of_a_sweep_over_2_18_accounts_stay_far_below_their_micro_steps() -> None:
    machine = make_calm(1)
    machine.regs.phase = phases.IDLE
    machine.regs.accounts = 2**18
    inputs = 0
    while machine.regs.has_work:
        machine.run_input(crank_batch(), 0)
        inputs += 1
        assert machine.regs.steps <= phases.WORK_LIMIT + phases.RECORD_STEP_BOUND < phases.INPUT_STEP_BOUND < 2**20
    # Two steps a visit, the backstop's among them; what ends the work, and one step an input to take its record.
    assert inputs == -(-2 * (2**18 + 1) // phases.WORK_LIMIT) == 5


def test_an_honest_party_has_the_same_history_either_way(monkeypatch) -> None:
    monkeypatch.setattr(phases, "WORK_LIMIT", 300)
    start = make_machine(5)
    start.many_accounts = ALWAYS
    batch = crank_batch()
    honest = EpochRun(start, [batch], ZERO)
    plain = EpochRun(of(start, NEVER), [batch], ZERO, lambda machine, *place: machine.step(*place))
    assert honest.root == plain.root
    assert honest.end == plain.end
    assert honest.leaf(7) == plain.leaf(7)


def test_columns_follow_accounts_that_are_new() -> None:
    machine = make_machine(2)
    columns = Columns(machine.state)
    count = len(columns.rows)
    machine.state.account(ACCOUNTS + 1).collateral = -5
    machine.state.account(keys.sub_account(7, 2)).collateral = 2**200
    columns.refresh(machine.state)
    assert columns.collateral[columns.rows[ACCOUNTS + 1]] == -5.0
    assert columns.collateral[columns.rows[keys.sub_account(7, 2)]] == 2.0**200
    assert len(columns.rows) > count
    assert not columns.stale
