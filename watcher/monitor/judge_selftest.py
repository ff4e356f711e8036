"""One real step of every kind, tried on the deployed judge.

A step inside an input needs nothing of the chain: the judge runs it from the proof alone. A step that fetches an input
is tried on a posted batch where there is one with such an input; for the others the node is asked to pretend, for the
length of a call, that our sample batch was posted; and where it cannot do that, the rule contract is called by itself.
Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode

from setoff.contracts.compiler import compile_contract
from setoff.contracts.verification import RULES
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError, SetoffError
from setoff.shared.l1.abi import Function, Interface
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.contracts import INTERFACE
from setoff.shared.machine.batch import Batch, extend_queue_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import used_inputs
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import StepProof, prove_step
from setoff.shared.rules import phases
from setoff.shared.rules.step import begin_batch
from setoff.shared.state.store import encode_leaf

JUDGE, PRETENDED, RULE, FORCED = (
    "the judge",
    "the judge, the batch pretended",
    "the rule contract alone",
    "the judge, from a made-up state",
)
"""How a step was tried."""

NEWEST: Final = 32
"""Posted batches that are searched for inputs."""
PROBED_SLOTS: Final = 16
"""Storage slots among which a contract's mapping is looked for."""
MACHINES: Final = 24
"""States kept to make up steps from, of phases that the samples do not reach."""

_FAR: Final = 2**200
"""A key that no mapping has."""
_MARK: Final = 2**100
_KINDS: Final = {number: kind.title.lower().replace("_", " ") for number, kind in records.TYPES.items()}


class Trial(NamedTuple):
    """How one kind of step went."""

    kind: str
    manner: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A step to be tried: before it, after it, and its proof."""

    kind: str
    batch: Batch | None
    number: int
    position: int
    proof: StepProof
    pre: bytes
    post: bytes
    before: Machine
    queue_hash: bytes
    """The queue hash before the batch."""

    @property
    def is_fetch(self) -> bool:
        """Whether it reads an input, or begins a batch."""
        return self.batch is not None and self.position & (1 << 20) - 1 == 0


class Samples:
    """A sample of every kind of step in these batches, the widest of each, and states from on the way."""

    def __init__(self, batches: Sequence[Batch], domain: bytes) -> None:
        self.widest: dict[str, Sample] = {}
        self.machines: list[Machine] = []
        machine, queue_hash = Machine.genesis(domain), ZERO
        count = 0
        for batch in batches:
            for input_index in range(used_inputs(batch)):
                micro = 0
                while micro == 0 or machine.regs.phase != phases.IDLE:
                    if micro and count % 16 == 0:
                        self.machines.append(machine.copy())
                    self._take(
                        _kind(machine, batch, input_index, micro), machine, batch, input_index, micro, queue_hash
                    )
                    micro, count = micro + 1, count + 1
            self._take("idle", machine, batch, input_index, 1 << 19, queue_hash)
            self._take("unused input", machine, batch, 1023, 0, queue_hash)
            queue_hash = batch.header.queue_hash
        self._take("unused batch", machine, None, 0, 0, queue_hash)
        self.machines = self.machines[:: max(1, len(self.machines) // MACHINES)]
        self.machine = machine

    def _take(
        self, kind: str, machine: Machine, batch: Batch | None, input_index: int, micro: int, queue_hash: bytes
    ) -> None:
        sample = take_sample(kind, machine, batch, input_index, micro, queue_hash)
        known = self.widest.get(kind)
        if known is None or len(sample.proof.witness) > len(known.proof.witness):
            self.widest[kind] = sample


def take_sample(
    kind: str, machine: Machine, batch: Batch | None, input_index: int, micro: int, queue_hash: bytes
) -> Sample:
    """Take the step on `machine`, and prove it."""
    before = machine.copy()
    proof = prove_step(machine, batch, input_index, micro, queue_hash)
    position = input_index << 20 | micro if batch is not None else 31 << 30
    number = batch.header.number if batch is not None else 0
    return Sample(kind, batch, number, position, proof, before.hash(), machine.hash(), before, queue_hash)


def _kind(machine: Machine, batch: Batch, input_index: int, micro: int) -> str:
    if micro:
        return phases.NAMES[machine.regs.phase]
    return _input_kind(batch, input_index)


def _input_kind(batch: Batch, input_index: int) -> str:
    if input_index >= batch.header.inputs:
        return "beginning of an empty batch"
    kind = batch.body(input_index)[0]
    name = _KINDS.get(kind, f"{kind:#04x}" if kind in range(1, 16) or kind in range(0x81, 0x90) else "malformed")
    return f"fetch of a {'message' if input_index < batch.header.message_count else 'record'}: {name}"


class JudgeSelftest:
    """The deployed judge, and what it is asked."""

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader
        self._l1 = reader.l1
        self._deployment = reader.deployment
        self._slots: dict[str, int | None] = {}

    def try_all(self, samples: Samples, machine_at: Callable[[int], Machine] | None = None) -> Iterator[Trial]:
        """Try a step of every kind; `machine_at` gives the true machine before a posted batch, where it is known.

        Raises ChainError if the node does not answer.
        """
        posted = {trial.kind: trial for trial in self._try_posted(samples, machine_at)}
        yield from posted.values()
        for kind, sample in samples.widest.items():
            # What was refused of a posted input says less than a sample that is accepted: that one is tried, too.
            if not sample.is_fetch:
                yield self._try(sample, JUDGE)
            elif kind != "unused input" or kind not in posted:
                yield self._try_fetch(sample)
        for phase, name in enumerate(phases.NAMES):
            if name not in samples.widest:
                yield self._try_phase(phase, name, samples)

    # --- manners -----------------------------------------------------------------------------------------------------

    def _try_posted(self, samples: Samples, machine_at: Callable[[int], Machine] | None) -> Iterator[Trial]:
        """Inputs of the newest batches on the chain."""
        tried: set[str] = set()
        count = self._reader.batch_count()
        for number in reversed(range(max(0, count - NEWEST), count)):
            batch = self._reader.batch(number)
            machine: Machine | None = None
            for input_index in range(used_inputs(batch)):
                kind = _input_kind(batch, input_index)
                if kind in tried:
                    continue
                tried.add(kind)
                if machine is None:
                    machine = _known(machine_at, number) or samples.machine.copy()
                queue_hash = self._reader.queue_hash_at(batch.header.first_message)
                sample = take_sample(f"{kind} (batch {number})", machine.copy(), batch, input_index, 0, queue_hash)
                yield self._try(sample, JUDGE)

    def _try(self, sample: Sample, manner: str, overrides: dict[str, Any] | None = None) -> Trial:
        """On the judge: the machine hash after the step has to be ours."""
        data = INTERFACE["judge"].encode("step", sample.number, 1, sample.position, sample.pre, sample.proof.encode())
        try:
            result = self._call(self._deployment.judge, data, overrides)
        except ChainError as error:
            if error.reason == "rpc_unreachable":
                raise
            return Trial(sample.kind, manner, False, f"it reverts: {error}")
        passed = result == sample.post
        return Trial(
            sample.kind, manner, passed, "" if passed else f"0x{result.hex()} instead of 0x{sample.post.hex()}"
        )

    def _try_fetch(self, sample: Sample) -> Trial:
        """Of a batch that is not on the chain."""
        batch = sample.batch
        assert batch is not None
        inbox, queue = self._slot("inbox", "batch_hash"), self._slot("queue", "queue_hash")
        posted = self._slot("inbox", "count")
        if inbox is None or queue is None or posted is None:
            return self._try_rule(sample)
        input_index = sample.position >> 20
        written = {
            _place(inbox, sample.number): _hex(batch.header.hash()),
            _hex(posted.to_bytes(32, "big")): _hex((sample.number + 1).to_bytes(32, "big")),
        }
        overrides: dict[str, Any] = {self._deployment.inbox: {"stateDiff": written}}
        if input_index < batch.header.message_count:
            after = sample.queue_hash
            for message in batch.messages[: input_index + 1]:
                after = extend_queue_hash(after, message)
            index = batch.header.first_message + input_index + 1
            overrides[self._deployment.queue] = {"stateDiff": {_place(queue, index): _hex(after)}}
        return self._try(sample, PRETENDED, overrides)

    def _try_rule(self, sample: Sample) -> Trial:
        """The contract of the fetch alone, with what the judge would hand it."""
        batch = sample.batch
        assert batch is not None
        input_index = sample.position >> 20
        if input_index >= batch.header.inputs:
            return Trial(sample.kind, RULE, True, "no rule is asked; the node cannot pretend a batch")
        regs = sample.before.regs.copy()
        if input_index == 0:
            begin_batch(regs, batch.header.number, batch.header.timestamp)
        regs.input_index = input_index
        regs.started = regs.steps
        regs.steps += 1
        body, is_message = batch.body(input_index), input_index < batch.header.message_count
        regs.stamp = records.split_message(batch.messages[input_index])[1] if is_message else 0
        is_of_messages = body[0] >= records.FIRST_MESSAGE and body[0] != records.FORCED
        group = "MESSAGES" if is_of_messages else "FETCH"
        fetch = Interface(compile_contract(RULES[group]).abi).functions["take"]
        keys, values = [leaf.key for leaf in sample.proof.witness], [leaf.value for leaf in sample.proof.witness]
        data = fetch.encode((_typed(regs.encode(), fetch.inputs[0]), body, is_message, keys, values))
        after = sample.before.copy()
        after.step(batch, input_index, 0)
        expected = [encode_leaf(key, after.state.touched[key]) for key in keys]
        try:
            words, found = fetch.decode(self._call(self._rule(group), data))
        except ChainError as error:
            if error.reason == "rpc_unreachable":
                raise
            return Trial(sample.kind, RULE, False, f"it reverts: {error}")
        passed = tuple(words) == _typed(after.regs.encode(), fetch.inputs[0]) and list(found) == expected
        return Trial(sample.kind, RULE, passed, "" if passed else "another result than ours")

    def _try_phase(self, phase: int, name: str, samples: Samples) -> Trial:
        """A phase that the samples do not reach: from any state in which it runs here, put into that phase."""
        detail = "no sample has such a step"
        for machine in samples.machines:
            twin = machine.copy()
            twin.regs.phase = phase
            try:
                sample = take_sample(name, twin, _EMPTY, 0, 1, ZERO)
            except Exception:
                continue  # states that no trace comes to may be anything to the rules
            trial = self._try(sample, FORCED)
            if trial.passed:
                return trial
            detail = trial.detail
        return Trial(name, FORCED, False, detail)

    # --- the node ----------------------------------------------------------------------------------------------------

    @property
    def can_pretend(self) -> bool:
        """Whether the node takes state overrides, so that batches can be pretended."""
        return self._slot("inbox", "batch_hash") is not None

    def _slot(self, contract: str, getter: str) -> int | None:
        """Storage slot of what a getter shows, a word or a mapping from numbers; None if the node cannot pretend."""
        name = f"{contract}.{getter}"
        if name not in self._slots:
            self._slots[name] = self._find_slot(
                getattr(self._deployment, contract), INTERFACE[contract].functions[getter]
            )
        return self._slots[name]

    def _find_slot(self, address: str, getter: Function) -> int | None:
        """Write another mark to every slot that it may be, and see which one the getter shows."""
        is_mapping = bool(getter.inputs)
        data = getter.encode([_FAR] if is_mapping else [])
        marks = {
            _place(slot, _FAR) if is_mapping else _hex(slot.to_bytes(32, "big")): _hex(
                (_MARK + slot).to_bytes(32, "big")
            )
            for slot in range(PROBED_SLOTS)
        }
        try:
            found = int.from_bytes(self._call(address, data, {address: {"stateDiff": marks}}), "big")
        except ChainError as error:
            if error.reason == "rpc_unreachable":
                raise
            return None
        return found - _MARK if 0 <= found - _MARK < PROBED_SLOTS else None

    def _rule(self, getter: str) -> str:
        returned = self._call(self._deployment.judge, INTERFACE["judge"].encode(getter))
        return str(decode(["address"], returned)[0])

    def _call(self, to: str, data: bytes, overrides: dict[str, Any] | None = None) -> bytes:
        request = {"to": to, "data": _hex(data), "gas": hex(1 << 24)}
        parameters: list[Any] = [request, "latest", *([overrides] if overrides else [])]
        return bytes.fromhex(self._l1.request("eth_call", *parameters)[2:])


_EMPTY: Final = Batch.seal(ZERO, 0, 0, 0, 0, ZERO, (), ())


def _known(machine_at: Callable[[int], Machine] | None, number: int) -> Machine | None:
    try:
        return machine_at(number) if machine_at else None
    except SetoffError:
        return None


def _place(slot: int, key: int) -> str:
    """Where Vyper keeps a mapping's value."""
    return _hex(keccak(slot.to_bytes(32, "big") + key.to_bytes(32, "big")))


def _typed(registers: bytes, struct: str) -> tuple[Any, ...]:
    """Registers as the ABI has them: `struct` lists the types of the words."""
    words = [registers[at : at + 32] for at in range(0, len(registers), 32)]
    kinds = struct.strip("()").split(",")
    return tuple(
        word if kind == "bytes32" else _hex(word[12:]) if kind == "address" else int.from_bytes(word, "big")
        for kind, word in zip(kinds, words, strict=True)
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
