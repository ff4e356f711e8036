"""The judge in an EVM, and the machine beside it: every step is taken by both, and the whole states after it compared.

A `Bench` is one exchange: Python's machine, the real inbox and judge, and a queue that takes any message. Batches are
posted as on L1; then each step is proven as for a dispute, judged, and compared: registers, new leaves, state root.
"""

from __future__ import annotations

from collections import Counter, namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.evm import DEPLOYER, GAS_LIMIT, Chain, Contract, address
from tests.support.own_contracts import OPEN_QUEUE

from setoff.contracts.compiler import Compiled
from setoff.deploy.simulation.sample_traffic import SampleTraffic, stamp_all
from setoff.deploy.tools.vectors import NAMES
from setoff.shared import errors
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import CALLDATA, DataModule
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import StepProof, prove_step
from setoff.shared.rules import phases
from setoff.shared.state.registers import FIELDS, Registers, machine_hash

GROUPS = (
    "fetch",
    "messages",
    "orders",
    "margin",
    "matching",
    "book",
    "payments",
    "oracle",
    "liquidation",
    "backstop",
    "work",
    "auction",
)
PHASES = {
    "orders": (phases.ADMIT, phases.AMEND, phases.CLEAR, phases.DROP),
    "margin": (phases.MARGIN, phases.PROBE, phases.DEPTH),
    "matching": (phases.MATCH, phases.FILL, phases.PAIR, phases.CROSS),
    "book": (
        phases.UNLINK,
        phases.UNLIST,
        phases.SEEK,
        phases.REST,
        phases.LIST,
        phases.NEXT,
        phases.DESCEND,
        phases.APPROACH,
    ),
    "payments": (phases.TRANSFER, phases.WITHDRAW, phases.REQUEST, phases.SHARES, phases.CREDIT),
    "oracle": (phases.REPORT, phases.CRANK, phases.SAMPLE),
    "liquidation": (phases.SWEEP, phases.LIQUIDATED, phases.RANK, phases.DELEVERAGE),
    "backstop": (phases.TAKEOVER, phases.UNWIND),
    "work": (
        phases.WORK,
        phases.GATHER,
        phases.STRIKE,
        phases.ENROL,
        phases.TRIGGER,
        phases.FIRE,
        phases.LEG,
    ),
    "auction": (phases.TALLY, phases.VOUCH),
}
"""Phases each group judges."""
OPERATOR = address("operator")
FOREVER = 2**40
DOMAIN = SampleTraffic().domain

EXECUTE = keccak(b"execute(uint256,uint256,uint256,bytes)")[:4]
STEP = keccak(b"step(uint256,uint256,uint256,bytes32,bytes)")[:4]

KINDS = frozenset(
    {f"fetch {name}" for name in (*NAMES.values(), "malformed")}
    | {f"refuse {name}" for name in NAMES.values()}
    | set(phases.NAMES)
    | {"unused input", "unused batch"}
)
"""Every kind of step there is."""


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _bytes(data: bytes) -> bytes:
    return word(len(data)) + data + bytes(-len(data) % 32)


def _hashes(items: Sequence[bytes]) -> bytes:
    return word(len(items)) + b"".join(items)


def _dynamic(head: Sequence[bytes | None], tails: Sequence[bytes]) -> bytes:
    """ABI tuple: `head` with None where an offset goes, in the order of `tails`."""
    offset = sum(32 if part is None else len(part) for part in head)
    out: list[bytes] = []
    rest = iter(tails)
    for part in head:
        if part is None:
            out.append(word(offset))
            offset += len(next(rest))
        else:
            out.append(part)
    return b"".join([*out, *tails])


def encode_proof(proof: StepProof) -> bytes:
    """What `StepProof.encode` gives, ten times as fast."""
    given = proof.step_input
    header = b"".join(part if isinstance(part, bytes) else word(part) for part in given.header)
    step_input = _dynamic(
        [header, None, None, None, given.queue_hash],
        [_bytes(given.message), _bytes(given.record_page), _hashes(given.siblings)],
    )
    leaves = [
        _dynamic(
            [word(leaf.key), None, word(leaf.path.bitmap), None], [_bytes(leaf.value), _hashes(leaf.path.siblings)]
        )
        for leaf in proof.witness
    ]
    witness = word(len(leaves)) + _dynamic([None] * len(leaves), leaves)
    return _dynamic([proof.state_root, proof.registers, None, None], [step_input, witness])


def decode_execution(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """(registers, new values, state root) as `execute` returns them."""
    size = 32 * len(FIELDS)
    at = int.from_bytes(data[size : size + 32], "big")
    root = data[size + 32 : size + 64]
    count = int.from_bytes(data[at : at + 32], "big")
    base = at + 32
    values = []
    for i in range(count):
        start = base + int.from_bytes(data[base + 32 * i : base + 32 * i + 32], "big")
        length = int.from_bytes(data[start : start + 32], "big")
        values.append(data[start + 32 : start + 32 + length])
    return data[:size], values, root


if TYPE_CHECKING:
    Seen = Registers
else:
    Seen = namedtuple("Seen", FIELDS)
"""Registers at one time. Most steps are only looked at, and a copy that can change takes five times as long to make."""
_read_fields = attrgetter(*FIELDS)


def see(machine: Machine) -> Seen:
    """The machine's registers now."""
    return Seen(*_read_fields(machine.regs))


def copy_registers(seen: Seen) -> Registers:
    """The registers as they were seen, for what takes no others."""
    return Registers(**{name: getattr(seen, name) for name in FIELDS})


@dataclass(frozen=True, slots=True)
class Step:
    """A step both sides took: its kind, the registers before and after, the old and new values of its leaves by key."""

    kind: str
    before: Seen
    after: Seen
    old: dict[int, bytes]
    new: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """A step as the judge is asked about it, and the machine's answer; `pre` and `post` are machine hashes."""

    kind: str
    first: int
    position: int
    proof: StepProof
    pre: bytes
    regs: bytes
    values: tuple[bytes, ...]
    root: bytes

    @property
    def post(self) -> bytes:
        return machine_hash(self.root, keccak(self.regs))


class Mismatch(AssertionError):
    """The judge and the machine differ."""


class Judge:
    """The judge, its rules, an inbox and a queue in one EVM."""

    def __init__(self, *modules: str | Path) -> None:
        """`modules`: the inbox's data availability modules, by name or as a test's own file."""
        self.chain = Chain(timestamp=FOREVER)
        self.queue: Contract = self.chain.deploy(OPEN_QUEUE)
        deployed = [self.chain.deploy(module).address for module in modules]
        self.inbox: Contract = self.chain.deploy(
            "inbox", self.queue.address, OPERATOR, FOREVER, FOREVER, FOREVER + 1, 1, 0, deployed
        )
        self.groups = {name: self.chain.deploy(f"rule_groups/{name}").address for name in GROUPS}
        self.contract = self.deploy_judge("judge", self.groups)

    def deploy_judge(self, judge: str | Compiled, groups: dict[str, str]) -> Contract:
        """A judge over the same inbox and queue."""
        return self.chain.deploy(judge, self.inbox.address, self.queue.address, *(groups[name] for name in GROUPS))

    def post(self, batch: Batch) -> None:
        """Queue the batch's messages and post it."""
        for body in batch.messages:
            self.queue.append(body)
        header = batch.header
        counts = (header.number, header.timestamp, header.message_count)
        self.inbox.post(*counts, header.hash(), b"".join(batch.records), sender=OPERATOR)

    def check(self, case: Case, contract: Contract | None = None) -> None:
        """Ask the judge for the whole state after a step; raises Mismatch, or Reverted."""
        to = (contract or self.contract).address
        data = EXECUTE + word(case.first) + word(1) + word(case.position) + word(128) + _bytes(encode_proof(case.proof))
        regs, values, root = decode_execution(self.chain.ask(to, data))
        if regs != case.regs:
            differ = [
                f"{name}: machine {case.regs[at : at + 32].hex()}, judge {regs[at : at + 32].hex()}"
                for at, name in zip(range(0, len(regs), 32), FIELDS, strict=True)
                if regs[at : at + 32] != case.regs[at : at + 32]
            ]
            raise Mismatch(f"{case.kind}: registers differ: {differ}")
        if tuple(values) != case.values:
            raise Mismatch(f"{case.kind}: leaves differ")
        if root != case.root:
            raise Mismatch(f"{case.kind}: state roots differ")

    def check_hash(self, case: Case) -> None:
        """Ask the judge for the machine hash, with the proof in the project's own encoding; raises Mismatch."""
        if self.step(case.first, case.position, case.pre, case.proof.encode()) != case.post:
            raise Mismatch(f"{case.kind}: machine hashes differ")

    def step(
        self, first: int, position: int, pre: bytes, proof: bytes, *, count: int = 1, gas: int = GAS_LIMIT
    ) -> bytes:
        """The machine hash after a step of an epoch of `count` batches; raises Reverted."""
        data = step_data(first, position, pre, proof, count)
        return self.chain.ask(self.contract.address, data, gas=gas)

    def step_cost(self, first: int, position: int, pre: bytes, proof: bytes) -> int:
        """Gas that such a step uses as a transaction; raises Reverted."""
        before = self.chain.snapshot()
        self.chain.call(self.contract.address, step_data(first, position, pre, proof), sender=DEPLOYER)
        self.chain.restore(before)
        return self.chain.last.gas_used


def step_data(first: int, position: int, pre: bytes, proof: bytes, count: int = 1) -> bytes:
    """Calldata of `step`."""
    return STEP + word(first) + word(count) + word(position) + pre + word(160) + _bytes(proof)


def leave_alone(machine: Machine, input_index: int, micro: int) -> None:
    """What meddles with nothing."""


@dataclass
class Bench:
    """A machine and a judge side by side. `choose(kind)` says whether a step of this kind is to be judged.

    `judge` is None to run the machine alone. `compare(case)` asks the judge, unless a test does something else with the
    case. `meddle(machine, input_index, micro)` may change the registers before a step, to start from states that
    take too long to reach.
    """

    judge: Judge | None
    machine: Machine = field(default_factory=lambda: Machine.genesis(DOMAIN))
    parent: bytes = bytes(32)
    queue_hash: bytes = bytes(32)
    number: int = 0
    messages: int = 0
    records: int = 0
    module: DataModule = CALLDATA
    judged: Counter[str] = field(default_factory=Counter)
    choose: Callable[[str], bool] = lambda kind: True
    meddle: Callable[[Machine, int, int], None] = leave_alone
    compare: Callable[[Case], None] = field(init=False)
    variants: list[dict[str, Any]] = field(default_factory=list)
    """What a scene names as variants of its inputs (`variants.py`), if it is asked to."""
    known_edges: Iterator[dict[str, list[int]]] = field(default_factory=lambda: iter(()))
    """What each search of a scene for edges (`scenes/edges.py`) has found before, in their order; else it searches."""
    edges: list[dict[str, list[int]]] = field(default_factory=list)
    """What the searches found."""
    is_recorder: bool = False

    def __post_init__(self) -> None:
        self.compare = self.ask

    def run(self, timestamp: int, messages: Sequence[bytes], inputs: Sequence[bytes]) -> list[Step]:
        """Post a batch of these messages and records, and take every step of it on both sides."""
        counts = (self.messages, self.records)
        messages = stamp_all(messages, timestamp)
        batch = Batch.seal(self.parent, self.number, timestamp, *counts, self.queue_hash, messages, inputs, self.module)
        if self.judge:
            self.judge.post(batch)
        steps: list[Step] = []
        for input_index in range(batch.header.inputs):
            micro = 0
            while micro == 0 or self.machine.regs.phase != phases.IDLE:
                steps.append(self.take(batch, input_index, micro))
                micro += 1
            assert micro <= phases.INPUT_STEP_BOUND
            if self.choose("idle"):
                steps.append(self.take(batch, input_index, micro))
            if self.choose("unused input"):
                steps.append(self.take(batch, 1023 - input_index, 0))
            if self.choose("unused batch"):
                steps.append(self.take(None, input_index, 0))
        if not batch.header.inputs:
            steps.append(self.take(batch, 0, 0))
        self.parent, self.queue_hash = batch.header.hash(), batch.header.queue_hash
        self.number += 1
        self.messages += len(messages)
        self.records += len(inputs)
        return steps

    def take(self, batch: Batch | None, input_index: int, micro: int) -> Step:
        """Take one step on the machine and, if it is chosen, on the judge; raises Mismatch."""
        machine = self.machine
        self.meddle(machine, input_index, micro)
        before = see(machine)
        if batch and not any(map(self.choose, list_kinds(batch, input_index, micro, before))):
            return self.pass_by(batch, input_index, micro, before)
        proof = prove_step(machine, batch, input_index, micro, self.queue_hash)
        tree = machine.state.tree
        after = see(machine)
        kind = kind_of(batch, input_index, micro, before, after)
        new = {leaf.key: tree.get(leaf.key) for leaf in proof.witness}
        if micro or self.choose(kind):
            self.judged[kind] += 1
            position = (0 if batch else 1) << 30 | input_index << 20 | micro
            pre = machine_hash(proof.state_root, keccak(proof.registers))
            regs = machine.regs.encode()
            self.compare(Case(kind, self.number, position, proof, pre, regs, tuple(new.values()), tree.root))
        return Step(kind, before, after, {leaf.key: leaf.value for leaf in proof.witness}, new)

    def pass_by(self, batch: Batch, input_index: int, micro: int, before: Seen) -> Step:
        """Take one step on the machine alone."""
        machine, tree = self.machine, self.machine.state.tree
        if micro == 0:
            machine.state.commit()  # what a test has looked at is no leaf of the step
        machine.step(batch, input_index, micro)
        touched = list(machine.state.touched)
        old = {key: tree.get(key) for key in touched}
        machine.state.commit()
        new = {key: tree.get(key) for key in touched}
        after = see(machine)
        return Step(kind_of(batch, input_index, micro, before, after), before, after, old, new)

    def ask(self, case: Case) -> None:
        """Ask the judge for the state after a step, and now and then for its hash too."""
        assert self.judge is not None, "a bench without a judge judges nothing: `choose` or `compare` has to know"
        self.judge.check(case)
        if self.judged[case.kind] % 8 == 1:
            self.judge.check_hash(case)


def list_kinds(batch: Batch, input_index: int, micro: int, before: Seen) -> tuple[str, ...]:
    """What `kind_of` may say of a step that is yet to be taken."""
    if micro:
        return (phases.NAMES[before.phase],)
    if input_index >= batch.header.inputs:
        return ("unused input",)
    name = NAMES.get(batch.body(input_index)[0], "")
    return (f"fetch {name}", f"refuse {name}", "fetch malformed")


def kind_of(batch: Batch | None, input_index: int, micro: int, before: Seen, after: Seen) -> str:
    """Kind of a step: the phase it runs, or what it fetches."""
    if batch is None:
        return "unused batch"
    if micro:
        return phases.NAMES[before.phase]
    if input_index >= batch.header.inputs:
        return "unused input"
    if after.outcome == errors.MALFORMED_RECORD:
        return "fetch malformed"
    name = NAMES[batch.body(input_index)[0]]
    return f"fetch {name}" if after.outcome == errors.ACCEPTED else f"refuse {name}"
