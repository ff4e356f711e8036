"""Which branches of the rule contracts ran: a probe before every conditional jump that stands for one in the source.

A probe is a log of its number and of which way the jump goes. Rule contracts are called by the judge with STATICCALL,
where nothing may be logged, so here they are called directly, with the same registers and leaves; their answer is
compared with the machine's like the judge's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vyper
from tests.support.engines.choice import new_engine
from tests.support.engines.engine import Failed, Transaction
from tests.support.evm import CHAIN_ID, DEPLOYER, address, read_reason
from tests.support.judge.bench import GROUPS, PHASES, Case, Mismatch, _bytes, _dynamic, word
from tests.support.own_contracts import LEAVES_AGAIN

from setoff.contracts.compiler import EVM_VERSION, ROOT, _cache_folder, source_files
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.data import RECORDS_PER_PAGE
from setoff.shared.rules import phases
from setoff.shared.rules.step import begin_batch
from setoff.shared.state.registers import FIELDS, Registers

CHOICES = ("If", "IfExp", "BoolOp", "Call")
"""Nodes of the source that choose a way (of calls: the least and the greatest of two). Loops always end, and whoever
takes the wrong way of an assertion, or of the last `if` of a group, leaves no log: `test_rules_refuse` has those."""

GROUP_OF = {phase: name for name, judged in PHASES.items() for phase in judged}


@dataclass(frozen=True, order=True, slots=True)
class Branch:
    """One way of one choice: where it is in the source, which of the choices of that node, and whether it jumps."""

    file: str
    line: int
    column: int
    number: int
    jumps: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} #{self.number} {'jumps' if self.jumps else 'goes on'}"


@dataclass(frozen=True, slots=True)
class Probed:
    """A contract with probes: its code, the selector of its one function, and the place of each probe."""

    code: bytes
    selector: bytes
    places: tuple[tuple[str, int, int, int], ...]


def probe_contract(path: Path) -> Probed:
    """A contract with one function, with its probes; kept beside the compiled contracts."""
    sources = b"".join(source.read_bytes() for source in source_files(path.resolve()))
    key = keccak(f"{vyper.__long_version__} {EVM_VERSION} {path.name}".encode() + Path(__file__).read_bytes() + sources)
    stored = _cache_folder() / f"{key.hex()}.json"
    with suppress(OSError, ValueError, KeyError):
        data = json.loads(stored.read_text())
        return Probed(
            bytes.fromhex(data["code"]), bytes.fromhex(data["selector"]), tuple(tuple(p) for p in data["places"])
        )
    probed = _probe(path)
    text = json.dumps({"code": probed.code.hex(), "selector": probed.selector.hex(), "places": probed.places})
    with suppress(OSError):
        stored.write_text(text)
    return probed


def _probe(path: Path) -> Probed:
    from vyper.ast import nodes
    from vyper.compiler.input_bundle import FilesystemInputBundle
    from vyper.compiler.phases import CompilerData
    from vyper.compiler.settings import OptimizationLevel, Settings
    from vyper.ir import compile_ir

    bundle = FilesystemInputBundle([ROOT])
    settings = Settings(evm_version=EVM_VERSION, optimize=OptimizationLevel.GAS)
    data = CompilerData(bundle.load_file(path.resolve()), bundle, settings=settings)
    (function,) = (f for f in data.global_ctx.exposed_functions if not f.is_constructor)
    (selector,) = function.method_ids.values()
    places: list[tuple[str, int, int, int]] = []
    assembly: list[Any] = []
    for item in data.assembly_runtime:
        source = getattr(item, "ast_source", None)
        target = str(assembly[-1]) if assembly else ""
        is_choice = item == "JUMPI" and type(source).__name__ in CHOICES and "revert" not in target
        if is_choice and source.get_ancestor(nodes.Assert) is None and not _ends_in_raise(source):
            place = (_relative(Path(source.module_node.path)), source.lineno, source.col_offset)
            assembly[-1:-1] = _log(len(places))
            places.append((*place, sum(known[:3] == place for known in places)))
        assembly.append(item)
    code, _ = compile_ir.assembly_to_evm(assembly, compiler_metadata=None)
    return Probed(code, selector.to_bytes(4, "big"), tuple(places))


def _ends_in_raise(choice: Any) -> bool:
    """Whether an `if` is the last before a `raise`: the last phase that a group knows."""
    following = choice.get_ancestor().body if type(choice).__name__ == "If" else []
    return len(following) > 1 and following[-2] is choice and type(following[-1]).__name__ == "Raise"


def _relative(file: Path) -> str:
    """Path under the folder of the contracts, however the compiler was led there; else the name alone."""
    folders = file.parts[:-1]
    if ROOT.name not in folders:
        return file.name
    return "/".join(file.parts[len(folders) - folders[::-1].index(ROOT.name) :])


def _log(number: int) -> list[Any]:
    """Assembly that logs a probe's number and whether the word on top of the stack is zero, and leaves the stack."""
    return ["DUP1", "ISZERO", "PUSH2", number >> 8, number & 0xFF, "PUSH0", "PUSH0", "LOG2"]


class Coverage:
    """The rule contracts with probes, and the branches they took so far."""

    def __init__(self) -> None:
        self._engine = new_engine(CHAIN_ID)
        self._contracts = {name: probe_contract(ROOT / "rule_groups" / f"{name}.vy") for name in GROUPS}
        self._contracts["leaves"] = probe_contract(LEAVES_AGAIN)
        self._addresses = {name: address(name) for name in self._contracts}
        for name, probed in self._contracts.items():
            self._engine.set_code(self._addresses[name], probed.code)
        self.taken: set[Branch] = set()

    @property
    def places(self) -> list[tuple[str, int, int, int]]:
        """File, line, column and number of every choice that has a probe."""
        return [place for probed in self._contracts.values() for place in probed.places]

    @property
    def missed(self) -> list[Branch]:
        """Branches that no call took, by their place in the source."""
        every = {Branch(*place, jumps) for place in self.places for jumps in (True, False)}
        return sorted(every - self.taken)

    def check(self, case: Case) -> None:
        """Ask the rules for a step; raises Mismatch. Steps that no rule is asked about are passed by."""
        regs = Registers.decode(case.proof.registers)
        number, timestamp, message_count, record_count = (case.proof.step_input.header[at] for at in (1, 2, 4, 6))
        input_index, is_first = case.position >> 20 & 1023, case.position & 2**20 - 1 == 0
        extra: list[bytes | None] = []
        tails: list[bytes] = []
        if case.position >> 30 or (is_first and input_index >= message_count + record_count):
            return
        if is_first:
            if input_index == 0:
                begin_batch(regs, number, timestamp)
            regs.input_index, regs.started = input_index, regs.steps
            is_message = input_index < message_count
            message, regs.stamp = case.proof.step_input.message, 0
            if is_message:
                message, regs.stamp = records.split_message(message)
            place = (input_index - message_count) % RECORDS_PER_PAGE * records.RECORD_BYTES
            body = message if is_message else case.proof.step_input.record_page[place:][: records.RECORD_BYTES]
            name = "messages" if body[0] >= records.FIRST_MESSAGE and body[0] != records.FORCED else "fetch"
            extra, tails = [None, word(is_message)], [_bytes(body)]
        elif regs.phase == phases.IDLE:
            return
        else:
            name = GROUP_OF[regs.phase]
        regs.steps += 1
        values = [_bytes(leaf.value) for leaf in case.proof.witness]
        tails += [
            word(len(values)) + b"".join(word(leaf.key) for leaf in case.proof.witness),
            word(len(values)) + _dynamic([None] * len(values), values),
        ]
        self._compare(case, self._ask(name, _dynamic([regs.encode(), *extra, None, None], tails)))

    def refuse(self, name: str, regs: Registers, keys: int, values: int) -> str:
        """The reason with which a contract refuses registers with so many keys and values."""
        tails = [word(keys) + keys * word(0), word(values) + _dynamic([None] * values, [_bytes(b"")] * values)]
        try:
            self._ask(name, _dynamic([regs.encode(), None, None], tails))
        except Failed as error:
            return read_reason(error)
        return ""

    def encode_again(self, kind: int, value: bytes) -> bytes:
        """A leaf's value, decoded and encoded by the contracts."""
        answer = self._ask("leaves", _dynamic([word(kind), None], [_bytes(value)]))
        return answer[64 : 64 + int.from_bytes(answer[32:64], "big")]

    def _ask(self, name: str, arguments: bytes) -> bytes:
        """What a contract returns; notes the branches it took."""
        probed = self._contracts[name]
        outcome = self._engine.send(Transaction(DEPLOYER, self._addresses[name], probed.selector + arguments))
        for log in outcome.logs:
            number, is_zero = (int.from_bytes(topic, "big") for topic in log.topics)
            self.taken.add(Branch(*probed.places[number], is_zero == 0))
        return outcome.output

    @staticmethod
    def _compare(case: Case, answer: bytes) -> None:
        size = 32 * len(FIELDS)
        if answer[:size] != case.regs:
            raise Mismatch(f"{case.kind}: registers differ")
        if tuple(_read_values(answer[size:], size)) != case.values:
            raise Mismatch(f"{case.kind}: leaves differ")


def _read_values(data: bytes, size: int) -> Sequence[bytes]:
    base = int.from_bytes(data[:32], "big") - size
    count = int.from_bytes(data[base : base + 32], "big")
    found = []
    for number in range(count):
        start = base + 32 + int.from_bytes(data[base + 32 + 32 * number :][:32], "big")
        length = int.from_bytes(data[start : start + 32], "big")
        found.append(data[start + 32 : start + 32 + length])
    return found
