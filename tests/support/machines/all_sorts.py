"""A machine with accounts of all sorts in the middle of a sweep or a ranking: at, beside and far from every bound."""

from __future__ import annotations

from random import Random

from tests.support.machines.holders import enter_holders

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.machine import Machine
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
    places = draw.sample(range(MAX_POSITIONS), draw.choice([0, 1, 1, 2, 8]))
    markets = draw.sample(range(1, 9), len(places))
    if places and 1 not in markets and draw.random() < 0.8:
        markets[0] = 1  # the one under the sweep
    for place, market in zip(places, markets, strict=True):
        size = draw_size(draw)
        leaf = state.market(market)
        funding = leaf.funding - draw.choice([0] * 12 + [1, -1, 2**33, 2**64])
        account.positions[place] = Position(market, size, draw.randint(0, 1), 1, size * leaf.mark * leaf.unit, funding)
        leaf.open_interest += max(size, 0)
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
        for number in range(1, (draw.choice([0] * 9 + [1, 3, 15]) if master else 0) + 1):
            if draw.random() < 0.7:
                fill_account(state, state.account(keys.sub_account(master, number)), draw)
    backstop = state.account(keys.BACKSTOP)
    backstop.deadline = 0  # nobody can sign one for it
    backstop.collateral += draw.choice([0, 10**9, 2**120])
    enter_holders(state)
    for _ in range(draw.choice([0, 5, 20])):
        leave_position(state, draw)
    regs.has_work = regs.sweeping = 1
    regs.next_phase = phases.WORK
    regs.sweep_end = draw.choice([0, 0, 256, 2**20, 2**24 - 256, 2**24])
    regs.skip_account = int(draw.random() < 0.5)
    regs.trigger_market = 1
    if regs.sweep_end == 256:  # in the middle of a word
        word = state.bitmap(keys.holder_tree(1), 2, 0).word
        regs.sweep_word = word & -(1 << draw.choice([0, 100, 150]))
    if draw.random() < 0.3:
        begin_ranking(machine, draw)
    if draw.random() < 0.25:
        regs.winding_since = TIME
    state.commit()
    return machine


def leave_position(state: State, draw: Random) -> None:
    """An account that has closed its position in the market under the sweep and is still among its holders."""
    number = draw.randint(1, ACCOUNTS)
    for position in state.account(number).positions:
        if position.market == 1:
            state.market(1).open_interest -= max(position.size, 0)
            position.size, position.cost = 0, 0
            position.clear_if_empty()


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
    regs.deleveraging = regs.ranking = 1
    regs.kind, regs.account, regs.market = records.LIQUIDATION, account, position.market
    regs.side = records.SELL if position.size > 0 else records.BUY
    regs.size = abs(position.size)
    regs.price = machine.state.market(position.market).mark
    regs.rank_market, regs.rank_side = regs.market, regs.side


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
