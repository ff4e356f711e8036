"""Sweeps without the visits that change nothing end, step by step, where all visits end."""

from random import Random

import pytest
from tests.support.generator.generator import Generator
from tests.support.machines.all_sorts import ACCOUNTS, ALWAYS, NEVER, crank_batch, make_machine, of, trace_plainly
from tests.support.machines.holders import enter_holders

from setoff.deploy.simulation.sample_traffic import SampleTraffic, stamp_all
from setoff.shared.codec import records
from setoff.shared.machine.batch import ZERO
from setoff.shared.machine.columns import Columns
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.sweep import Sweep
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.leaves import Position
from setoff.shared.state.store import State


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
    assert inputs > 1 or start.regs.sweep_end > 256


@pytest.mark.parametrize("seed", range(3))
def test_traffic_ends_the_same_with_and_without_all_visits(seed: int) -> None:
    plain = Machine.genesis(SampleTraffic().domain)
    plain.many_accounts = NEVER
    quick = of(plain, ALWAYS)
    for number, (time, messages, inputs) in enumerate(Generator(100 + seed, plain).batches(8, 40)):
        plain.begin(number, time)
        quick.begin(number, time)
        steps = [(*records.split_message(message), True) for message in stamp_all(messages, time)]
        for body, queued_at, is_message in [*steps, *((record, time, False) for record in inputs)]:
            assert quick.take(body, is_message, queued_at) == plain.take(body, is_message, queued_at)
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
    """A machine whose masters all hold the market under the sweep, and need no visit; before the first of them."""
    machine = make_machine(seed)
    regs, state = machine.regs, machine.state
    market = state.market(1)
    gone = [key for key, _ in state.tree.items() if key >> keys.BODY_BITS in (keys.ACCOUNT, keys.HOLDERS)]
    state.tree.update(dict.fromkeys(gone, b""))
    state = machine.state = State(state.tree)
    for master in range(ACCOUNTS + 1):
        leaf = state.account(master)
        leaf.collateral = 2**127
        leaf.positions[3] = Position(1, 1 if master % 2 else -1, 0, 0, 0, market.funding)
    enter_holders(state)
    regs.sweep_end = regs.sweep_word = regs.ranking = regs.deleveraging = regs.skip_account = regs.winding_since = 0
    regs.phase = phases.WORK
    return machine


def test_an_account_used_since_the_sweep_began_is_visited() -> None:
    machine = make_calm(1)
    regs, state = machine.regs, machine.state
    sweep = Sweep(Columns(state), regs, state)
    assert sweep.count(regs) == 0  # the rule reads the word first
    regs.sweep_word, regs.sweep_end = state.bitmap(keys.holder_tree(1), 2, 0).word, 256
    assert sweep.count(regs) == ACCOUNTS + 1
    state.account(90).collateral -= 1
    assert sweep.count(regs) == 90
    regs.sweep_word = regs.sweep_word >> 91 << 91
    assert sweep.count(regs) == ACCOUNTS - 90


def test_what_was_found_holds_until_prices_or_funding_change() -> None:
    machine = make_calm(1)
    regs, state = machine.regs, machine.state
    sweep = Sweep(Columns(state), regs, state)
    assert sweep.holds(regs)
    for name in ("mark", "unit", "funding", "settled", "maintenance_margin", "tier1_size"):
        before = getattr(state.market(2), name)
        setattr(state.market(2), name, before + 1)
        assert not sweep.holds(regs), name
        setattr(state.market(2), name, before)
        assert sweep.holds(regs)
    regs.trigger_market = 2
    assert not sweep.holds(regs)


def test_funding_is_settled_together_and_by_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    start = make_calm(1)
    for number in range(ACCOUNTS + 1):
        start.state.account(number).collateral = 2**100
    start.state.account(71).positions[3].funding -= 2**70  # too much for the fast path
    start.state.market(1).funding += 2**34
    start.state.commit()
    plain, quick = of(start, NEVER), of(start, ALWAYS)
    visited: list[int] = []
    account = State.account
    while plain.regs.sweeping:
        plain.run_input(crank_batch(), 0)
    monkeypatch.setattr(State, "account", lambda self, number: visited.append(number) or account(self, number))
    while quick.regs.sweeping:
        quick.run_input(crank_batch(), 0)
    assert 71 in visited and len(set(visited)) < 10
    assert quick.state.account(1).collateral != start.state.account(1).collateral
    assert quick.hash() == plain.hash() and quick.regs.encode() == plain.regs.encode()


@pytest.mark.parametrize("seed", range(12))
def test_funding_of_accounts_of_all_sorts_is_settled_by_both_alike(seed: int) -> None:
    draw = Random(seed)
    start = make_machine(seed)
    for number in range(1, 9):
        start.state.market(number).funding += draw.choice([0, 1, -1, 2**33, -(2**33), 2**40 + 7, 2**64])
    for master in range(ACCOUNTS + 1 if seed % 3 == 0 else 0):
        start.state.account(master).collateral += 2**90
    start.state.commit()
    plain, quick = of(start, NEVER), of(start, ALWAYS)
    for number in range(5):
        assert quick.run_input(crank_batch(), 0) == plain.run_input(crank_batch(), 0)
        assert quick.hash() == plain.hash() and quick.regs.encode() == plain.regs.encode()
        for machine in (plain, quick) if number == 2 else ():
            machine.state.market(1).funding += 2**35
            machine.state.market(1).mark += 1
            begin_sweep(machine)
    assert read_rows(quick._columns, quick.state) == read_rows(Columns(plain.state), plain.state)


def read_rows(columns: Columns | None, state: State) -> dict[int, list[object]]:
    """What the rows say once they are up to date, by account."""
    assert columns is not None
    columns.refresh(state)
    kinds = (columns.market, columns.size, columns.funding_high, columns.funding_low)
    return {
        account: [columns.collateral[row], *(kind[:, row].tolist() for kind in kinds)]
        for account, row in columns.rows.items()
        if kinds[0][:, row].any()
    }


def begin_sweep(machine: Machine) -> None:
    """Work of a change of the first market's price."""
    regs = machine.regs
    regs.has_work = regs.sweeping = regs.trigger_market = 1
    regs.next_phase = phases.WORK
    regs.sweep_end = regs.sweep_word = 0


def test_an_account_that_holds_nothing_there_is_visited() -> None:
    machine = make_calm(1)
    regs, state = machine.regs, machine.state
    state.account(40).positions[3] = Position()  # it closed, and is still entered
    state.account(50).positions[3].market = 2
    state.commit()
    sweep = Sweep(Columns(state), regs, state)
    regs.sweep_word, regs.sweep_end = state.bitmap(keys.holder_tree(1), 2, 0).word, 256
    assert sweep.count(regs) == 40
    regs.sweep_word = regs.sweep_word >> 41 << 41
    assert sweep.count(regs) == 9


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


def test_slots_of_a_sweep_over_2_16_holders_stay_far_below_their_micro_steps() -> None:
    machine = make_calm(1)
    machine.regs.phase = phases.IDLE
    # Bits without accounts: to be visited and taken out. No state has so many; what counts is how many steps they are.
    tree = keys.holder_tree(1)
    words = {keys.bitmap_key(tree, 2, base): 2**256 - 1 for base in range(0, 2**16, 256)}
    words |= {keys.bitmap_key(tree, 1, 0): 2**256 - 1, keys.bitmap_key(tree, 0, 0): 1}
    machine.state.tree.update({key: word.to_bytes(32, "big") for key, word in words.items()})
    machine.state = State(machine.state.tree)
    inputs = steps = 0
    while machine.regs.has_work:
        machine.run_input(crank_batch(), 0)
        inputs += 1
        steps += machine.regs.steps - machine.regs.started
        assert machine.regs.steps <= phases.WORK_LIMIT + phases.RECORD_STEP_BOUND < phases.INPUT_STEP_BOUND < 2**20
        machine.regs.steps = 0
    # Two steps a visit and two a word; a third to take an account out that holds nothing.
    strikes = 2**16 - ACCOUNTS - 1
    assert 0 < steps - (2 * 2**16 + 2 * 2**8 + strikes) < 16
    assert inputs == -(-steps // phases.WORK_LIMIT) == 4


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
    for number, collateral in ((ACCOUNTS + 1, -5), (keys.sub_account(7, 2), 2**200)):
        account = machine.state.account(number)
        account.collateral = collateral
        account.positions[0] = Position(1, 1)
    machine.state.account(ACCOUNTS + 2).collateral = 1  # holds nothing
    columns.refresh(machine.state)
    assert ACCOUNTS + 2 not in columns.rows
    assert columns.collateral[columns.rows[ACCOUNTS + 1]] == -5.0
    assert columns.collateral[columns.rows[keys.sub_account(7, 2)]] == 2.0**200
    assert len(columns.rows) > count
    assert not columns.stale
