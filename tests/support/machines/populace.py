"""An exchange of many accounts in every mode there is, and the comparison of its fast paths with plain steps.

The traffic is the generator's, of a few accounts; the many around them are written straight into the state, near their
maintenance margins, so that sweeps and rankings have some to visit and most to leave out.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.support.generator.generator import Generator
from tests.support.generator.players import LONER
from tests.support.machines.holders import enter_holders

from setoff.deploy.simulation.sample_traffic import stamp_all
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import used_inputs
from setoff.shared.rules import phases
from setoff.shared.rules.holders import get_visited
from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Position, decode_account
from setoff.shared.state.store import State

NEVER = 2**62
ACCOUNTS = 144
"""More than MANY_ACCOUNTS, from where on the fast paths are taken."""
ALL_STEPS = NEVER
"""`many_accounts` of a machine that leaves no visit out."""
MARKETS = (1, 2, 3)
POOR = (0, 1, -1, 40, -40, 300, 5_000, 5_000, 10**6, 10**6)
RICH = (0, 1, 40, *(10**5,) * 9, *(10**7,) * 9)
"""Token units above the maintenance margin that an account is drawn to have."""

FAVOURS: tuple[dict[str, int], ...] = (
    {},
    {"crash": 4, "crank": 8},
    {"report": 8, "crank": 8},
    {"armed": 90, "report": 20},
    {"armed": 90, "report": 30, "crank": 10},
    {"armed": 60, "crank": 20, "report": 20},
    {"forced": 20},
)

MODES = (
    "wind-down",
    "liquidation",
    "takeover",
    "ranking",
    "deleveraging",
    "trigger",
    "expiry",
    "halt",
    "parked",
    "unwinding",
    "funding due",
    "deadline",
    "work left over",
    "stale price",
    "sub-account",
    "holders entered",
    "holders taken out",
)
"""What the batches that are compared have to meet together."""


class Populace:
    """One exchange, run three ways side by side: by fast paths, by plain steps, and as a trace."""

    def __init__(self, seed: int, met: Counter[str]) -> None:
        """`met` counts batches by the modes they were in."""
        self.rng = Random(seed)
        self.met = met
        self.wealth = self.rng.choice((POOR, RICH, RICH))
        self.plain = Machine.genesis(keccak(b"populace"))
        self.plain.many_accounts = ALL_STEPS
        self.traffic = Generator(seed, self.plain)
        time, messages, inputs = self.traffic.opening()
        self.plain.begin(0, time)
        for body in (*messages, *inputs):
            self.plain.take(body, body[0] >= records.FIRST_MESSAGE)
        self._people()
        self.plain.state.commit()
        self.fast = self.plain.copy()
        self.fast.many_accounts = 0
        self.queue_hash = bytes(32)
        self.number = 1
        self.end = self.rng.choice((8, 11, 15, 15, 15, NEVER))
        """Number of the batch from which on it may be wound down."""

    # --- accounts ----------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        rng, regs, state = self.rng, self.plain.regs, self.plain.state
        regs.accounts = ACCOUNTS
        for master in range(LONER + 1, ACCOUNTS + 1):
            if rng.random() < 0.1:
                continue  # never written
            account = state.account(master)
            self._settle_in(state, account)
            if rng.random() < 0.1:
                for sub in range(1, rng.choice((1, 3, 15)) + 1):
                    if rng.random() < 0.6:
                        self._settle_in(state, state.account(keys.sub_account(master, sub)))
        enter_holders(state)

    def _settle_in(self, state: State, account: Account) -> None:
        rng = self.rng
        markets = rng.sample(MARKETS, rng.choice((0, 1, 1, 2, 3, 3)))
        for place, market in zip(rng.sample(range(8), len(markets)), markets, strict=True):
            leaf = state.market(market)
            size = rng.randint(-50, 50)
            account.positions[place] = Position(
                market, size, rng.randint(0, 1), 1, size * leaf.mark * leaf.unit, leaf.funding
            )
            leaf.open_interest += max(size, 0)
        account.deadline = rng.choice((0,) * 8 + (self.traffic.time + rng.randint(1, 5_000),))
        equity, maintenance, _ = compute_maintenance(state, account)
        account.collateral = maintenance - equity + rng.choice(self.wealth)

    # --- batches -----------------------------------------------------------------------------------------------------

    def make_batch(self, inputs: int) -> Batch:
        """The next batch, after what the plain machine has become."""
        rng, traffic = self.rng, self.traffic
        traffic.time += rng.choices((0, 61, 3_601, 90_000, 700_000), (60, 30, 15, 1, 1))[0]
        for machine in (self.plain, self.fast):
            self._jolt(machine, Random(self.number))
        favour = dict(rng.choice(FAVOURS))
        if self.number >= self.end:
            favour["wind_down"] = 60
        if self.plain.regs.winding_since:
            favour["crank"] = 60
        time, messages, bodies = traffic.crisis() if rng.random() < 0.2 else traffic.batch(inputs, favour)
        if self.plain.regs.has_work and rng.random() < 0.8:
            bodies = [traffic.crank() for _ in range(4)] + bodies
        batch = Batch.seal(bytes(32), self.number, time, 0, 0, self.queue_hash, stamp_all(messages, time), bodies)
        self.number += 1
        return batch

    def _jolt(self, machine: Machine, rng: Random) -> None:
        """What trading brings about too seldom: funding to pay, deadlines, an expiry, a narrow step band."""
        state = machine.state
        market = state.market(rng.choice(MARKETS))
        market.funding += rng.choice((0, 0, 1, -1, 2**33, -(2**64)))
        market.step_band = rng.choice((market.step_band, market.step_band, 1_000))
        for number in MARKETS:
            leaf = state.market(number)
            leaf.index = leaf.mark = leaf.stop_above or leaf.stop_below or leaf.mark
        market.halted_until = rng.choice((market.halted_until, market.halted_until, self.traffic.time + 300))
        if self.number == self.end // 2 and self.end % 2:
            state.market(3).expiry = self.traffic.time
        account = state.account(rng.randint(1, ACCOUNTS))
        account.deadline = rng.choice((account.deadline, self.traffic.time, self.traffic.time + 3_600))

    def run(self, batch: Batch, *, trace: bool) -> str:
        """Run `batch` every way; returns where they differ first, or nothing."""
        before = self.plain.copy()
        leaves: list[list[bytes]] = []
        for index in range(used_inputs(batch)):
            leaves.append(self._step_plainly(batch, index, trace=trace))
            if batch.header.inputs:
                self.fast.run_input(batch, index)
            else:
                self.fast.run_batch(batch)
            if self.fast.regs.encode() != self.plain.regs.encode():
                return f"registers after input {index} of batch {batch.header.number}"
        if self.fast.hash() != self.plain.hash():
            return f"leaves after batch {batch.header.number}"
        if trace:
            return self._compare_traces(before, batch, leaves)
        return ""

    def _compare_traces(self, before: Machine, batch: Batch, leaves: list[list[bytes]]) -> str:
        before.many_accounts = 0
        walker = before.copy()
        for index, expected in enumerate(leaves):
            if [walker.hash() for _ in walker.walk_input(batch, index)] != expected:
                return f"walk of input {index} of batch {batch.header.number}"
        history = EpochRun(before, [batch], self.queue_hash)
        index = self.rng.randrange(len(leaves))
        micro = self.rng.randrange(len(leaves[index]))
        if history.end != leaves[-1][-1] or history.leaf(index << 20 | micro) != leaves[index][micro]:
            return f"history of batch {batch.header.number}"
        return ""

    def _step_plainly(self, batch: Batch, index: int, *, trace: bool) -> list[bytes]:
        """Every step of an input by `Machine.step`; with `trace` the machine hash after each."""
        machine, hashes, micro = self.plain, [], 0
        seen: set[int] = set()
        while micro == 0 or machine.regs.phase != phases.IDLE:
            seen.add(machine.regs.phase)
            self._note_visit()
            machine.step(batch, index, micro)
            micro += 1
            if trace:
                hashes.append(machine.hash())
        self._note(seen)
        return hashes

    # --- what was met ------------------------------------------------------------------------------------------------

    def _note_visit(self) -> None:
        regs = self.plain.regs
        if regs.phase != phases.SWEEP:
            return
        number = get_visited(regs.sweep_end, regs.sweep_word)
        account = decode_account(self.plain.state.values([keys.account_key(number)])[0])
        self.met["wind-down"] += regs.winding_since != 0
        self.met["deadline"] += 0 < account.deadline <= regs.time
        self.met["sub-account"] += keys.get_sub(number) != 0
        for position in account.positions:
            if position.market:
                market = self.plain.state.market(position.market)
                self.met["funding due"] += position.size != 0 and position.funding != market.funding
                self.met["expiry"] += market.settled != 0
                self.met["halt"] += market.halted_until > regs.time
                self.met["stale price"] += market.index_time + market.max_age < regs.time

    def _note(self, seen: set[int]) -> None:
        regs = self.plain.regs
        for mode, phase in (
            ("liquidation", phases.LIQUIDATED),
            ("takeover", phases.TAKEOVER),
            ("ranking", phases.RANK),
            ("deleveraging", phases.DELEVERAGE),
            ("trigger", phases.FIRE),
            ("unwinding", phases.UNWIND),
            ("holders entered", phases.ENROL),
            ("holders taken out", phases.STRIKE),
        ):
            self.met[mode] += phase in seen
        self.met["parked"] += regs.outcome == errors.PARKED
        self.met["work left over"] += regs.has_work != 0
