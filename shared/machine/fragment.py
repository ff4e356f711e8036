"""The part of a machine that some consecutive steps use: enough to take them again, and to prove them, on its own.

Registers, the leaves that the steps read or write, and the hashes beside their paths. It proves itself: its root and
registers have to hash to the machine hash before the steps.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError
from typing import Final, Self

from setoff.shared.errors import WitnessError
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.state.registers import FIELDS, Registers
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

_COUNTS: Final = Struct(">II")
_LEAF: Final = Struct(">QH")
_NODE: Final = Struct(">Q32s")
_REGISTERS_BYTES: Final = 32 * len(FIELDS)


@dataclass(frozen=True, slots=True)
class Fragment:
    """As it was before the steps."""

    registers: bytes
    values: dict[int, bytes]
    """Leaves by key; b"" is an absent one."""
    beside: dict[int, bytes]
    """See `Tree.cut`."""

    @classmethod
    def cut(cls, registers: bytes, machine: Machine) -> Self:
        """Of the steps that `machine` took since its `state.seen` was set to an empty dictionary; `registers` were
        encoded then."""
        machine.state.commit()
        values = dict(machine.state.seen or {})
        return cls(registers, values, machine.state.tree.cut(values))

    def restore(self) -> Machine:
        """A machine that can take those steps, every one of them, and says what the whole one would say."""
        machine = Machine(Registers.decode(self.registers), State(Tree.of_cut(self.values, self.beside)))
        machine.many_accounts = EVERY_STEP
        return machine

    def encode(self) -> bytes:
        """Compressed."""
        leaves = [_LEAF.pack(key, len(value)) + value for key, value in self.values.items()]
        nodes = [_NODE.pack(*node) for node in self.beside.items()]
        joined = self.registers + _COUNTS.pack(len(leaves), len(nodes)) + b"".join(leaves) + b"".join(nodes)
        return zlib.compress(joined, level=1)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`. Raises WitnessError("bad_witness")."""
        try:
            data = zlib.decompress(data)
            registers, at = data[:_REGISTERS_BYTES], _REGISTERS_BYTES
            leaves, nodes = _COUNTS.unpack_from(data, at)
            at += _COUNTS.size
            values = {}
            for _ in range(leaves):
                key, length = _LEAF.unpack_from(data, at)
                at += _LEAF.size
                values[key] = data[at : at + length]
                at += length
            if len(data) != at + nodes * _NODE.size:
                raise ValueError("cut short")
        except (zlib.error, ValueError, StructError) as error:
            raise WitnessError("bad_witness", f"a fragment is damaged: {error}") from None
        return cls(registers, values, dict(_NODE.iter_unpack(data[at:])))
