"""What a step costs to judge at worst: as many leaves as it can touch, no sibling of their paths empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.evm import DEPLOYER
from tests.support.generator.generator import Generator
from tests.support.judge.bench import Bench, Judge, Step, encode_proof, leave_alone, see, step_data
from tests.support.judge.judged_world import JudgedWorld
from tests.support.judge.scenes.every import SCENES
from tests.support.machines.world import BUY, FOK, SELL

from setoff.shared.codec import records
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import prove_step
from setoff.shared.state import keys
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

FLOOR = (10, 40)
"""EIP-7623: gas of a byte of calldata at least, zero and other."""


FILLER = b"\1" * 32


@dataclass
class Worst:
    """By kind of step: most gas of a transaction that only judges it, most bytes of its calldata, most leaves."""

    is_cold: bool = False
    """Whether nothing that the judge reads is warm, as on a real chain; that takes longer."""
    gas: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    leaves: Counter[str] = field(default_factory=Counter)

    def note(self, judge: Judge, kind: str, data: bytes, post: bytes) -> None:
        """Judge a step by calldata `data`, which has to lead to the machine hash `post`."""
        if self.is_cold:
            judge.chain.cool()
        assert judge.chain.call(judge.contract.address, data, sender=DEPLOYER) == post
        floor = 21_000 + sum(FLOOR[byte != 0] for byte in data)
        self.gas[kind] = max(self.gas[kind], judge.chain.last.gas_used, floor)
        self.sizes[kind] = max(self.sizes[kind], len(data))


class GasBench(Bench):
    """Judges each kind of step where it has most leaves, over a tree with no empty sibling on their paths."""

    def __init__(self, worst: Worst, *, is_full: bool = False) -> None:
        """`is_full`: batches are filled up, so that the proof of a record is as long as it gets."""
        super().__init__(Judge())
        self.worst = worst
        self.choose = lambda kind: False
        self._is_full = is_full
        self._used = MAX_INPUTS

    def run(self, timestamp: int, messages: Sequence[bytes], inputs: Sequence[bytes]) -> list[Step]:
        self._used = len(messages) + len(inputs)
        unused = MAX_INPUTS - self._used if self._is_full else 0
        return super().run(timestamp, messages, [*inputs, *[bytes(RECORD_BYTES)] * unused])

    def take(self, batch: Batch | None, input_index: int, micro: int) -> Step:
        if batch and input_index > self._used:
            return self.pass_by(batch, input_index, micro, see(self.machine))
        self.meddle(self.machine, input_index, micro)
        before = self.machine.regs.copy()
        meddle, self.meddle = self.meddle, leave_alone
        step = super().take(batch, input_index, micro)
        self.meddle = meddle
        if len(step.old) + 1 > self.worst.leaves[step.kind] and self.judge is not None:
            self.worst.leaves[step.kind] = len(step.old) + 1
            items = {key ^ 1 << height: FILLER for key in step.old for height in range(keys.KEY_BITS)}
            items |= {key: value for key, value in step.old.items() if value}
            for key in (key for key, value in step.old.items() if not value):
                items.pop(key, None)
            machine = Machine(before, State(Tree(items.items())))
            pre_regs = before.hash()
            proof = prove_step(machine, batch, input_index, micro, self.queue_hash)
            position = (0 if batch else 1) << 30 | input_index << 20 | micro
            data = step_data(self.number, position, machine_hash(proof.state_root, pre_regs), encode_proof(proof))
            self.worst.note(self.judge, step.kind, data, machine.hash())
        return step


def play_many_leaves(world: JudgedWorld) -> None:
    """Accounts with positions in eight markets, the backstop among them, in every step that visits one."""
    world.begin(money=10**6, markets=8, maintenance_margin=50_000)
    sub = keys.sub_account(3, 1)
    moved = [
        world.backstop_deposit(3, 500_000),
        world.transfer(keys.sub_account(3, 1), 3, 1),
        world.transfer(3, sub, 2),
    ]
    assert world.run(*moved) == ["accepted", "insufficient_margin", "accepted"]
    for market in range(1, 9):
        world.trade(1, 2, 100, 9_000 if market == 8 else 100, order_slot=market, market=market)
    for number, position in enumerate(world.machine.state.account(keys.BACKSTOP).positions[:7]):
        position.market = number + 1
        position.bids = 1
    world.machine.state.commit()
    resting = [world.order(1, SELL, 101, 1, order_slot=9), world.order(1, SELL, 101, 2, order_slot=10)]
    deposit = world.deposit(4, 10**6)
    taken = [world.order(4, BUY, 101, 1, flags=FOK), world.order(4, BUY, 101, 1)]
    world.batch([deposit], [*resting, *taken, world.withdraw(1, 1), world.cancel(1, 10), world.withdraw(2, 890_000)])
    assert world.press(92, 8) == ["accepted"] * 2
    assert world.took("takeover") and world.position(keys.BACKSTOP, 8).size
    world.run(world.backstop_deposit(4, 1), world.backstop_withdraw(3, 1), records.encode_crank(8))
    leaf = world.machine.state.market(8)
    leaf.call_minutes, leaf.halted_until = 1, world.time + 60
    world.machine.state.commit()
    crossing = [
        world.order(1, BUY, 93, 2, market=8, order_slot=20),
        world.order(4, SELL, 91, 1, market=8, order_slot=20),
    ]
    assert world.run(*crossing) == ["accepted", "accepted"]
    world.wait(60)
    assert world.run(records.encode_crank(8)) == ["accepted"]
    assert world.took("cross")


def measure(*, is_cold: bool = False) -> Worst:
    """The worst of each kind of step in what is played here."""
    worst = Worst(is_cold)
    bench = GasBench(worst, is_full=is_cold)
    generator = Generator(3, bench.machine)
    plan = generator.opening()
    for number in range(16):
        bench.run(*plan)
        plan = generator.crisis() if number % 2 else generator.batch()
    for scene in (play_many_leaves, *SCENES):
        scene(JudgedWorld(GasBench(worst)))
    worst.leaves = Counter({kind: count - 1 for kind, count in worst.leaves.items()})
    return worst
