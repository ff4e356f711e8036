"""A sweep over 100,000 holders with eight positions each: every visit run, and only those that change something.

And one over a few holders among as many accounts that hold nothing.
"""

import time
from random import Random

from tests.support.machines.holders import enter_holders

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.deploy.tools.bench import Held
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.columns import Columns
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state.leaves import MAX_POSITIONS, Position

HELD = {
    "funding_due_to_every_visit": Held(compiled=0.22, plain=0.4),
    "without_idle_visits_to_every_visit": Held(compiled=0.015, plain=0.015),
}
ACCOUNTS = 100_000
MARKETS = 8
FEW = 100


def make_machine(accounts: int, holders: int) -> Machine:
    """A machine whose first `holders` accounts hold all markets, with a sweep to come."""
    draw = Random(1)
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    regs, state = machine.regs, machine.state
    machine.begin(0, traffic.time)
    regs.accounts, regs.markets = accounts, MARKETS
    marks = [draw.randint(1_000, 60_000) for _ in range(MARKETS)]
    for number, mark in enumerate(marks, 1):
        market = state.market(number)
        market.unit, market.mark, market.index = 100, mark, mark
        market.max_age, market.index_time = 60, traffic.time
        market.initial_margin, market.maintenance_margin = 50_000, 25_000
        market.tier1_size, market.tier1_initial, market.tier1_maintenance = 700, 100_000, 50_000
        market.funding = draw.randint(-(2**60), 2**60)
    for number in range(1, accounts + 1):
        account = state.account(number)
        account.owner = number.to_bytes(20, "big")
        account.collateral = 10**6
        if number > holders:
            continue
        account.positions = [
            Position(market, draw.randint(-1_000, 1_000), 0, 0, 0, state.market(market).funding)
            for market in range(1, MARKETS + 1)
        ]
        worth = [p.size * marks[p.market - 1] * 100 for p in account.positions]
        account.collateral = sum(map(abs, worth)) // 10 - sum(worth)
        assert len(worth) == MAX_POSITIONS
    enter_holders(state)
    return machine


def begin(machine: Machine, *, is_quick: bool) -> Machine:
    """A copy at the beginning of a sweep."""
    twin = machine.copy()
    twin.many_accounts = 0 if is_quick else 2**62
    begin_again(twin)
    return twin


def begin_again(machine: Machine) -> None:
    """A change of the first market's price."""
    regs = machine.regs
    machine.state.market(1).mark += 1
    regs.has_work = regs.sweeping = regs.trigger_market = 1
    regs.next_phase = phases.WORK
    regs.sweep_end = regs.sweep_word = 0


def run_inputs(machine: Machine) -> tuple[float, float]:
    """Seconds of processor time until the work is done, and then until the state has its root: four inputs for 100,000
    holders."""
    traffic = SampleTraffic()
    batch = Batch.seal(ZERO, 1, traffic.time, 0, 0, ZERO, [], [traffic.crank(1)])
    start = time.process_time()
    while machine.regs.has_work:
        machine.run_input(batch, 0)
    done = time.process_time()
    machine.hash()
    return done - start, time.process_time() - done


def let_funding_fall_due(machine: Machine) -> None:
    """An hour's funding on every market: every visit has something to do."""
    for number in range(1, MARKETS + 1):
        machine.state.market(number).funding += 2**40


def run() -> dict[str, float]:
    """Seconds of a sweep with every visit and without the idle ones, of the first one, and where all are due."""
    machine = make_machine(ACCOUNTS, ACCOUNTS)
    start = time.perf_counter()
    Columns(machine.state)
    columns_ms = (time.perf_counter() - start) * 1e3

    plain = begin(machine, is_quick=False)
    plain_s = sum(run_inputs(plain))
    quick = begin(machine, is_quick=True)
    first_s = sum(run_inputs(quick))
    if quick.hash() != plain.hash() or quick.regs.encode() != plain.regs.encode():
        raise AssertionError("the two sweeps differ")
    begin_again(quick)
    quick_s = sum(run_inputs(quick))

    begin_again(quick)
    let_funding_fall_due(quick)
    due_s, due_hash_s = run_inputs(quick)

    lonely = begin(make_machine(ACCOUNTS, FEW), is_quick=True)
    run_inputs(lonely)
    begin_again(lonely)
    few_s = sum(run_inputs(lonely))
    return {
        "accounts": ACCOUNTS,
        "markets": MARKETS,
        "every_visit_ms": plain_s * 1e3,
        "without_idle_visits_ms": quick_s * 1e3,
        "times_as_fast": plain_s / quick_s,
        "first_sweep_of_a_machine_ms": first_s * 1e3,
        "reading_the_columns_ms": columns_ms,
        "funding_due_everywhere_ms": due_s * 1e3,
        "and_hashing_its_leaves_ms": due_hash_s * 1e3,
        "funding_due_to_every_visit": (due_s + due_hash_s) / plain_s,
        "without_idle_visits_to_every_visit": quick_s / plain_s,
        f"{FEW}_holders_among_as_many_accounts_ms": few_s * 1e3,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:32} {value:12.1f}")
