"""Gas of the judge by kind of step, at its worst: cold storage, accounts in eight markets, and a state so full that
every sibling of every path has to be given.

Gas is that of a transaction which calls `judge.step` and nothing else: intrinsic gas, calldata at 16/4 a byte and the
execution, or the floor of 40/10 a byte (EIP-7623), whichever is more.
"""

from __future__ import annotations

from tests.differential.generator import Generator
from tests.differential.harness import GROUPS, KINDS, Bench, Case, Judge, kind_of, step_data
from tests.differential.scenes import Play
from tests.evm import DEPLOYER

from setoff.contracts import compile_contract
from setoff.shared.codec import records
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import prove_step
from setoff.shared.rules import phases
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.tree import DEPTH

GAS_BUDGET = 1_500_000
CONTRACTS = ("judge", *(f"groups/{name}" for name in GROUPS))
DUMMY = b"\1" * 32


class Worst:
    """The dearest step of each kind so far: by warm gas, then again in a full state and with everything cold."""

    def __init__(self) -> None:
        self.gas: dict[str, int] = {}
        self.execution: dict[str, int] = {}
        self.calldata: dict[str, int] = {}

    def note(self, bench: FullBench, case: Case, full: bytes, pre: bytes) -> None:
        assert bench.judge is not None
        chain = bench.judge.chain
        data = step_data(case.first, case.position, pre, full)
        chain.call(bench.judge.contract.address, data, sender=DEPLOYER)
        if chain.last.gas_used <= self.execution.get(case.kind, 0):
            return
        self.execution[case.kind] = chain.last.gas_used
        chain.cool()
        chain.call(bench.judge.contract.address, data, sender=DEPLOYER)
        zeros = data.count(0)
        floor = 21_000 + 10 * zeros + 40 * (len(data) - zeros)
        self.gas[case.kind] = max(chain.last.gas_used, floor)
        self.calldata[case.kind] = len(data)


class FullBench(Bench):
    """A bench that takes each step a second time in a state where no sibling is empty, and notes what that costs."""

    worst: Worst

    def take(self, batch: Batch | None, slot: int, micro: int):  # type: ignore[no-untyped-def]
        self.machine.state.commit()
        before = self.machine.copy()
        step = super().take(batch, slot, micro)
        if self.number < self.first_noted:
            return step
        full = Machine(before.regs, before.state)
        full.state.tree.update(
            {
                key ^ 1 << height: DUMMY
                for key in step.old
                for height in range(DEPTH)
                if key ^ 1 << height not in step.old and not full.state.tree.get(key ^ 1 << height)
            }
        )
        pre = machine_hash(full.state.tree.root, full.regs.hash())
        proof = prove_step(full, batch, slot, micro, self.chain)
        kind = kind_of(batch, slot, micro, step.before, full.regs)
        position = (0 if batch else 1) << 30 | slot << 20 | micro
        case = Case(kind, self.number, position, proof, pre, b"", (), b"")
        self.worst.note(self, case, proof.encode(), pre)
        return step

    first_noted = 0


def play_wide(play: Play) -> None:
    """Two accounts in eight markets trade with each other in all of them, rest, cancel, pay and withdraw."""
    markets = range(1, phases.MAX_LEAVES - 1)
    play.begin(markets=len(markets), money=10**6)
    play.batch([], [play.order(1, records.SELL, 100, 9, place=m, market=m) for m in markets])
    play.batch([], [play.order(2, records.BUY, 100, 8, place=m, market=m) for m in markets])
    play.batch([], [play.order(2, records.BUY, 100, 9, place=m, market=m) for m in markets])
    rest = [play.order(1, records.BUY, 90, 3, place=20 + n) for n in range(3)]
    play.batch([], [*rest, play.cancel(1, 21), play.cancel(1, 20), play.cancel(1, 22)])


def run() -> dict[str, float]:
    """Gas of `judge.step` at its worst and bytes of its calldata by kind of step, and bytes of the contracts' code."""
    worst = Worst()

    def full_bench(first_noted: int) -> FullBench:
        bench = FullBench(Judge())
        bench.choose = lambda kind: kind in ("idle", "unused slot", "unused batch")
        bench.compare = lambda case: None
        bench.worst, bench.first_noted = worst, first_noted
        return bench

    play_wide(Play(full_bench(1)))
    bench = full_bench(3)
    generator = Generator(2, bench.machine)
    bench.run(*generator.opening())
    for _ in range(40):
        time, messages, inputs = generator.batch()
        # The batch is full, so that a record's proof is as long as it gets.
        unused = MAX_INPUTS - len(messages) - len(inputs)
        bench.run(time, messages, inputs + [bytes(records.RECORD_BYTES)] * unused, len(messages) + len(inputs))
        if worst.gas.keys() == KINDS:
            break
    assert worst.gas.keys() == KINDS, f"not measured: {sorted(KINDS - worst.gas.keys())}"
    figures: dict[str, float] = {f"gas {kind}": gas for kind, gas in sorted(worst.gas.items())}
    figures |= {f"calldata {kind}": size for kind, size in sorted(worst.calldata.items())}
    return figures | {f"size {name}": compile_contract(name).size for name in CONTRACTS}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.0f}")
