"""The one-step proof: all that L1 needs to run one micro-step by itself. Read by ``contracts/judge.vy``.

The proof holds the registers and the state root before the step, the input if the step fetches one, and the old value
of every leaf the step touches with its Merkle path. Path j is valid against the root after leaves 0..j-1 have got their
new values, so one list of siblings a leaf serves both to check the old value and to fold in the new one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from eth_abi.abi import encode

from setoff.shared.machine.batch import Batch, HeaderWords, extend_queue_hash
from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import FIELDS
from setoff.shared.state.store import encode_leaf
from setoff.shared.state.tree import Path

_HEADER: Final = f"(bytes32,{'uint256,' * 7}bytes32,bytes32)"
_INPUT: Final = f"({_HEADER},bytes,bytes,bytes32[],bytes32)"
_WITNESS: Final = "(uint256,bytes,uint256,bytes32[])[]"

PROOF_TYPES: Final = ("bytes32", f"uint256[{len(FIELDS)}]", _INPUT, _WITNESS)
"""ABI types of an encoded proof: state root, registers, input, witness."""

_NO_HEADER: Final[HeaderWords] = (bytes(32), 0, 0, 0, 0, 0, 0, 0, bytes(32), bytes(32))


class WitnessLeaf(NamedTuple):
    """A leaf as it was before the step (b"" if absent), and its path in the running tree."""

    key: int
    value: bytes
    path: Path


class StepInput(NamedTuple):
    """What a fetch reads of its batch.

    header: the batch's 10 words; message: with its time, and the queue hash before it; or page and siblings of
    the record. All empty for a step that fetches nothing.
    """

    header: HeaderWords = _NO_HEADER
    message: bytes = b""
    record_page: bytes = b""
    siblings: tuple[bytes, ...] = ()
    queue_hash: bytes = bytes(32)


class StepProof(NamedTuple):
    """A one-step proof; `encode` gives the bytes that the court hands to the judge."""

    state_root: bytes
    registers: bytes
    step_input: StepInput
    witness: tuple[WitnessLeaf, ...]

    def encode(self) -> bytes:
        """ABI encoding of `PROOF_TYPES`."""
        words = [int.from_bytes(self.registers[i : i + 32], "big") for i in range(0, len(self.registers), 32)]
        leaves = [(leaf.key, leaf.value, leaf.path.bitmap, list(leaf.path.siblings)) for leaf in self.witness]
        return encode(PROOF_TYPES, (self.state_root, words, self.step_input, leaves))


def get_step_input(batch: Batch | None, input_index: int, micro: int, queue_hash: bytes) -> StepInput:
    """The input part of the proof of a step; `queue_hash` is the queue's before the batch's first message."""
    if batch is None or micro:
        return StepInput()
    h = batch.header
    if input_index >= h.inputs:
        return StepInput(h.words)
    if input_index < h.message_count:
        for message in batch.messages[:input_index]:
            queue_hash = extend_queue_hash(queue_hash, message)
        return StepInput(h.words, message=batch.messages[input_index], queue_hash=queue_hash)
    record_page, siblings = batch.prove(input_index)
    return StepInput(h.words, record_page=record_page, siblings=tuple(siblings))


def prove_step(machine: Machine, batch: Batch | None, input_index: int, micro: int, queue_hash: bytes) -> StepProof:
    """Prove the step at (input index, micro) of `batch` (None for an unused batch of the epoch), and take it.

    `machine` is in the state before the step and ends in the state after it; `queue_hash` as in `get_step_input`.
    """
    machine.state.commit()
    tree = machine.state.tree
    state_root = tree.root
    registers = machine.regs.encode()
    if batch is not None:
        machine.step(batch, input_index, micro)
    witness: list[WitnessLeaf] = []
    for key, leaf in machine.state.touched.items():
        witness.append(WitnessLeaf(key, tree.get(key), tree.prove(key)))
        tree.update({key: encode_leaf(key, leaf)})
    machine.state.commit()
    return StepProof(state_root, registers, get_step_input(batch, input_index, micro, queue_hash), tuple(witness))
