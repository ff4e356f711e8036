"""Every phase from states at the bounds that the rules keep: nothing overflows there, and both sides agree.

The states are made, not reached: those of a random life, with numbers put to the ends of their ranges (PROTOCOL,
Bounds). What a step starts from is free to choose, because a proof states it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from tests.support.generator.generator import Generator
from tests.support.judge.bench import Bench, Case, Judge, Step
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import SCENES

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import prove_step
from setoff.shared.rules import phases
from setoff.shared.rules.fees import FADED_DAYS
from setoff.shared.rules.scale import FULL
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Activity, Level, Market, Order, Terms
from setoff.shared.state.registers import Registers, machine_hash
from setoff.shared.state.store import State, encode_leaf
from setoff.shared.state.tree import Tree

# On one worker, so that the lives and scenes are played once.
pytestmark = pytest.mark.xdist_group("bounds")

SAMPLES = 12
"""Starting points a phase."""
TRIES = 6
"""Changed states for each."""

LOTS = 2**39
MONEY = 2**124
FUNDING = 2**124
VAULT = 2**112


DECODERS: dict[int, Callable[[bytes], Any]] = {
    keys.ACCOUNT: leaves.decode_account,
    keys.ORDER: leaves.decode_order,
    keys.LEVEL: leaves.decode_level,
    keys.MARKET: leaves.decode_market,
    keys.TERMS: leaves.decode_terms,
    keys.ACTIVITY: leaves.decode_activity,
}


@dataclass(frozen=True, slots=True)
class Start:
    """A step as a life came to it: its place, the registers and all leaves before it that it touched."""

    batch: Batch | None
    input_index: int
    micro: int
    number: int
    queue_hash: bytes
    regs: Registers
    leaves: dict[int, bytes]


class Collector(Bench):
    """A life without a judge that keeps some starts of each phase."""

    def __init__(self, starts: dict[str, list[Start]], rng: Random) -> None:
        super().__init__(None)
        self.choose = lambda kind: False
        self.starts = starts
        self._rng = rng

    def take(self, batch: Batch | None, input_index: int, micro: int) -> Step:
        before = self.machine.regs.copy()
        step = super().take(batch, input_index, micro)
        if micro and step.kind != "idle":
            kept = self.starts.setdefault(step.kind, [])
            start = Start(batch, input_index, micro, self.number, self.queue_hash, before, dict(step.old))
            if len(kept) < SAMPLES:
                kept.append(start)
            elif self._rng.random() < 0.02:
                kept[self._rng.randrange(SAMPLES)] = start
        return step


def collect() -> dict[str, list[Start]]:
    """Starts of every phase, from a random life and the scenes."""
    starts: dict[str, list[Start]] = {}
    rng = Random(4)
    bench = Collector(starts, rng)
    generator = Generator(5, bench.machine)
    plan = generator.opening()
    for number in range(30):
        bench.run(*plan)
        plan = generator.crisis() if number % 2 else generator.batch()
    for scene in SCENES:
        scene(JudgedWorld(Collector(starts, rng)))
    return starts


class Extremes:
    """Puts numbers of a state to the ends of their ranges, some at a time."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.funding = 0
        self.limited_since = 0

    def edge(self, low: int, high: int) -> int:
        """A number of the range, mostly at one of its ends."""
        return self.rng.choice((low, high, min(low + 1, high), max(high - 1, low), self.rng.randint(low, high)))

    def signed(self, bound: int) -> int:
        return self.edge(0, bound) * self.rng.choice((1, -1))

    def is_changed(self) -> bool:
        return self.rng.random() < 0.5

    def change(self, key: int, leaf: Any) -> None:
        """Change the leaf under `key` in place."""
        if isinstance(leaf, Account):
            self.change_account(leaf, keys.account_key(keys.BACKSTOP) == key)
        elif isinstance(leaf, Market) and leaf.unit:
            self.change_market(leaf)
        elif isinstance(leaf, Order) and leaf.size and self.is_changed():
            # Not less: what is to be filled of it stands in the registers.
            leaf.size = self.edge(leaf.size, phases.MAX_ORDER_SIZE)
        elif isinstance(leaf, Terms) and (leaf.high or leaf.backstop_share):
            self.change_terms(leaf)
        elif isinstance(leaf, Activity) and self.is_changed():
            leaf.amount = self.edge(0, records.MAX_ACTIVITY)
            leaf.day = self.edge(max(0, leaf.day - FADED_DAYS), leaf.day)
        elif isinstance(leaf, Level) and leaf.count:
            # Room for the largest order to be taken out.
            leaf.size = self.edge(phases.MAX_ORDER_SIZE, 2**63 - phases.MAX_ORDER_SIZE)
            leaf.count = self.edge(leaf.count, 2**28)

    def change_registers(self, regs: Registers) -> None:
        if self.is_changed():
            regs.limited_since = self.edge(regs.time - 2 * phases.EXIT_HOURS * phases.HOUR, regs.time)
            regs.draw_hour, regs.drawn = regs.time // phases.HOUR, self.edge(0, 2**127)
        self.limited_since = regs.limited_since

    def change_terms(self, leaf: Terms) -> None:
        leaf.high = self.edge(1, records.MAX_ACTIVITY)
        leaf.low = self.edge(0, leaf.high - 1)
        leaf.taker_saving, leaf.maker_saving, leaf.most_rebate = (self.edge(0, PPM) for _ in range(3))
        leaf.backstop_share = self.edge(0, PPM)
        leaf.treasury_share = self.edge(0, PPM - leaf.backstop_share)
        leaf.insurance_floor = self.edge(0, 2**32 - 1)
        leaf.scale_from, leaf.scale_most = self.edge(0, records.TEN_THOUSAND), self.edge(0, records.TEN_THOUSAND)

    def change_account(self, leaf: Account, is_backstop: bool) -> None:
        if self.is_changed():
            leaf.collateral = self.signed(MONEY)
            leaf.exit_since, leaf.taken = self.limited_since, self.edge(0, 2**132)
        lots = 2**62 if is_backstop else LOTS
        for position in leaf.positions:
            if not position.market:
                continue
            # Room for the largest order to be released.
            position.bids = self.edge(phases.MAX_ORDER_SIZE, LOTS)
            position.asks = self.edge(phases.MAX_ORDER_SIZE, LOTS)
            # What is due moves no more money than there can be, whatever the index.
            position.funding = self.funding + self.signed(MONEY * 2**32 // 2**62)
            if not self.is_changed():
                continue
            position.size = self.signed(lots)
            position.cost = self.signed(2**118 if is_backstop else 2**95)

    def change_market(self, leaf: Market) -> None:
        leaf.funding = self.funding
        if self.is_changed():
            leaf.mark, leaf.index = self.edge(1, keys.MAX_TICK), self.edge(1, keys.MAX_TICK)
        if self.is_changed():
            leaf.unit = self.edge(1, records.MAX_UNIT - 1)
        if self.is_changed():
            leaf.premium = self.signed(2**40)
        if self.is_changed():
            leaf.insurance, leaf.pool, leaf.revenue = self.edge(0, VAULT), self.signed(VAULT), self.edge(0, VAULT)
        if self.is_changed():
            leaf.initial_margin = self.edge(2, PPM)
            leaf.maintenance_margin = self.edge(1, leaf.initial_margin)
            leaf.tier1_initial = max(leaf.tier1_initial, leaf.initial_margin)
            leaf.tier2_initial = max(leaf.tier2_initial, leaf.tier1_initial)
            leaf.tier1_maintenance = max(leaf.tier1_maintenance, leaf.maintenance_margin)
            leaf.tier2_maintenance = max(leaf.tier2_maintenance, leaf.tier1_maintenance)
            leaf.taker_fee = self.edge(0, records.MAX_FEE)
            leaf.maker_fee = self.edge(-leaf.taker_fee, records.MAX_FEE)
            leaf.scale, leaf.max_open_interest = self.edge(0, FULL), self.edge(0, 2**64 - 1)
        # No less than what the two accounts of a fill hold, and room for what they trade.
        leaf.open_interest = self.edge(2**62 + 2**41, 2**63 - 2**41)


def machine_of(start: Start, extremes: Extremes) -> Machine:
    """The machine before the step, changed."""
    extremes.funding = extremes.signed(FUNDING)
    regs = start.regs.copy()
    extremes.change_registers(regs)
    items = {key: value for key, value in start.leaves.items() if value}
    # A larger order might be one to shrink in place, and then its level has to be there.
    leaves_book = start.regs.phase == phases.AMEND and all(key >> keys.BODY_BITS != keys.LEVEL for key in items)
    for key, value in items.items():
        decode = DECODERS.get(key >> keys.BODY_BITS)
        if decode is not None and not (leaves_book and key >> keys.BODY_BITS == keys.ORDER):
            leaf = decode(value)
            extremes.change(key, leaf)
            items[key] = encode_leaf(key, leaf)
    return Machine(regs, State(Tree(items.items())))


@pytest.fixture(scope="module")
def starts() -> dict[str, list[Start]]:
    return collect()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.mark.parametrize("phase", phases.NAMES[1:])
def test_bounds(judge: Judge, starts: dict[str, list[Start]], phase: str) -> None:
    extremes = Extremes(phases.NAMES.index(phase))
    outcomes = set()
    for start in starts[phase] * TRIES:
        machine = machine_of(start, extremes)
        pre = machine.hash()
        proof = prove_step(machine, start.batch, start.input_index, start.micro, start.queue_hash)
        tree = machine.state.tree
        values = tuple(tree.get(leaf.key) for leaf in proof.witness)
        position = start.input_index << 20 | start.micro
        case = Case(phase, start.number, position, proof, pre, machine.regs.encode(), values, tree.root)
        assert machine_hash(tree.root, machine.regs.hash()) == case.post
        judge.check(case)
        outcomes.add((machine.regs.phase, machine.regs.outcome))
    if phase in ("margin", "admit", "match", "probe", "sweep", "fill"):
        assert len(outcomes) > 1, "the states are too much alike"
