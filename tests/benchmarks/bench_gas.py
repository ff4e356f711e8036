"""Gas of the judge by kind of step, at its worst: cold storage, accounts in eight markets, and a state so full that
every sibling of every path has to be given.

Gas is that of a transaction which calls `judge.step` and nothing else: intrinsic gas, calldata at 16/4 a byte and the
execution, or the floor of 40/10 a byte (EIP-7623), whichever is more.
"""

from __future__ import annotations

from tests.differential.generator import Generator
from tests.differential.harness import GROUPS, KINDS, Bench, Case, Judge, Step, kind_of, step_data
from tests.differential.scenes import Play
from tests.evm import DEPLOYER

from setoff.contracts import compile_contract
from setoff.shared.codec import records
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import prove_step
from setoff.shared.rules import phases
from setoff.shared.state.tree import DEPTH

GAS_BUDGET = 1_500_000
CONTRACTS = ("judge", *(f"groups/{name}" for name in GROUPS))
TRANSACTION_GAS = 21_000
DUMMY = b"\1" * 32


class Worst:
    """The dearest step of each kind so far: chosen with everything warm, then measured with everything cold."""

    def __init__(self) -> None:
        self.warm: dict[str, int] = {}
        self.gas: dict[str, int] = {}
        self.calldata: dict[str, int] = {}

    def note(self, judge: Judge, case: Case) -> None:
        """Judge the step of `case`, and keep what it costs if no step of its kind has cost more."""
        data = step_data(case.first, case.position, case.pre, case.proof.encode())
        chain, address = judge.chain, judge.contract.address
        chain.call(address, data, sender=DEPLOYER)
        if chain.last.gas_used <= self.warm.get(case.kind, 0):
            return
        self.warm[case.kind] = chain.last.gas_used
        chain.cool()
        chain.call(address, data, sender=DEPLOYER)
        zeros = data.count(0)
        floor = TRANSACTION_GAS + 10 * zeros + 40 * (len(data) - zeros)
        self.gas[case.kind] = max(chain.last.gas_used, floor)
        self.calldata[case.kind] = len(data)


class FullBench(Bench):
    """A bench that from batch `first_noted` on takes each step again in a state where no sibling is empty."""

    def __init__(self, worst: Worst, first_noted: int) -> None:
        super().__init__(Judge())
        self.worst = worst
        self.first_noted = first_noted
        self.choose = lambda kind: kind in ("idle", "unused slot", "unused batch")
        self.compare = lambda case: None

    def take(self, batch: Batch | None, slot: int, micro: int) -> Step:
        """Take one step, and note what it costs."""
        before = self.machine.copy()
        step = super().take(batch, slot, micro)
        if self.number >= self.first_noted:
            self.note(before, step, batch, slot, micro)
        return step

    def note(self, full: Machine, step: Step, batch: Batch | None, slot: int, micro: int) -> None:
        """The same step from the machine `full`, after its state has got a leaf beside every node of every path."""
        assert self.judge is not None
        tree = full.state.tree
        siblings = {key ^ 1 << height for key in step.old for height in range(DEPTH)}
        tree.update({key: DUMMY for key in siblings - step.old.keys() if not tree.get(key)})
        pre = full.hash()
        proof = prove_step(full, batch, slot, micro, self.chain)
        kind = kind_of(batch, slot, micro, step.before, full.regs)
        position = (0 if batch else 1) << 30 | slot << 20 | micro
        self.worst.note(self.judge, Case(kind, self.number, position, proof, pre, b"", (), b""))


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
    play_wide(Play(FullBench(worst, first_noted=1)))
    bench = FullBench(worst, first_noted=3)
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
