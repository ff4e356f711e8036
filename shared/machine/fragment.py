"""The part of a machine that some consecutive steps use: enough to take them again, and to prove them, on its own.

Registers, the leaves that the steps read or write, and the hashes beside their paths. It proves itself: its root and
registers have to hash to the machine hash before the steps. Of one that others made that is not enough: a leaf that it
keeps back would read as an absent one. So it has to be of the one form (`check`), and whoever takes its steps looks
that they use no leaf but its own (`witnesses.py`).
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from struct import error as StructError
from typing import Final, Self

from setoff.shared.errors import WitnessError
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.state.registers import FIELDS, Registers
from setoff.shared.state.store import State
from setoff.shared.state.tree import DEPTH, EMPTY, LEAVES, Tree

_COUNTS: Final = Struct(">II")
_LEAF: Final = Struct(">QH")
_NODE: Final = Struct(">Q32s")
_REGISTERS_BYTES: Final = 32 * len(FIELDS)
_PIECE: Final = 1 << 12
"""Leaves or nodes that are packed at a stretch."""
_NODE_SHARE: Final = 32
"""Bytes of the limit of a fragment's size for each node above its leaves: those take memory, too, and are not sent."""


def _pass() -> None:
    """Nobody else wants anything meanwhile."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """As it was before the steps."""

    registers: bytes
    values: dict[int, bytes]
    """Leaves by key; b"" is an absent one."""
    beside: dict[int, bytes]
    """See `Tree.cut`."""

    @classmethod
    def cut(cls, registers: bytes, machine: Machine, look: Callable[[], None] = _pass) -> Self:
        """Of the steps that `machine` took since its `state.seen` was set to an empty dictionary; `registers` were
        encoded then. `look` is called all the time, and may raise."""
        machine.state.commit()
        values = dict(machine.state.seen or {})
        return cls(registers, values, machine.state.tree.cut(values, look))

    def restore(self) -> Machine:
        """A machine that can take those steps, every one of them, and says what the whole one would say."""
        machine = Machine(Registers.decode(self.registers), State(Tree.of_cut(self.values, self.beside)))
        machine.many_accounts = EVERY_STEP
        return machine

    def encode(self, look: Callable[[], None] = _pass) -> bytes:
        """Compressed, leaves and hashes in ascending order. `look` as for `cut`."""
        packing = zlib.compressobj(level=1)
        packed = []
        for piece in self._pieces():
            look()
            packed.append(packing.compress(piece))
        return b"".join((*packed, packing.flush()))

    def _pieces(self) -> Iterator[bytes]:
        yield self.registers + _COUNTS.pack(len(self.values), len(self.beside))
        leaves, nodes = sorted(self.values.items()), sorted(self.beside.items())
        for at in range(0, len(leaves), _PIECE):
            yield b"".join([_LEAF.pack(key, len(value)) + value for key, value in leaves[at : at + _PIECE]])
        for at in range(0, len(nodes), _PIECE):
            yield b"".join([_NODE.pack(*node) for node in nodes[at : at + _PIECE]])

    @classmethod
    def decode(cls, data: bytes, most: int = 0) -> Self:
        """The inverse of `encode`; `most`: bytes that it may have unpacked, 0 for one of our own. Raises
        WitnessError("bad_witness")."""
        try:
            unpacking = zlib.decompressobj()
            data = unpacking.decompress(data, most)
            if not unpacking.eof or unpacking.unused_data:
                raise ValueError(f"more than {most} bytes" if most and len(data) >= most else "cut short")
            registers, at = data[:_REGISTERS_BYTES], _REGISTERS_BYTES
            leaves, nodes = _COUNTS.unpack_from(data, at)
            at += _COUNTS.size
            if most and leaves > most // _NODE_SHARE:
                raise ValueError(f"more leaves than are due to {most} bytes")
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
        found = cls(registers, values, dict(_NODE.iter_unpack(data[at:])))
        if (len(found.values), len(found.beside)) != (leaves, nodes):
            raise WitnessError("bad_witness", "a fragment is damaged: a leaf or a hash twice")
        return found

    def check(self, most: int) -> None:
        """Whether it is of the one form that a fragment has: leaves in ascending order, beside them just the hashes of
        the subtrees that are not empty next to their paths, ascending. Raises WitnessError("bad_witness") if not, or if
        it would take more memory than is due to one of `most` bytes."""
        leaves, numbers = list(self.values), list(self.beside)
        is_in_order = leaves == sorted(leaves) and numbers == sorted(numbers)
        if not is_in_order or (leaves and leaves[-1] >= LEAVES):
            raise WitnessError("bad_witness", "the leaves or hashes of a fragment are not in their order")
        if _count_nodes(leaves) > most // _NODE_SHARE:
            raise WitnessError("bad_witness", f"the leaves of a fragment are too far from each other for {most} bytes")
        for number, digest in self.beside.items():
            is_next = _is_next_to_paths(leaves, number) if leaves else number == 1
            if not is_next or (leaves and digest == EMPTY[_find_height(number)]):
                raise WitnessError("bad_witness", "a hash of a fragment is not next to the paths of its leaves")


def _find_height(number: int) -> int:
    """Of a node with this heap number, above the leaves."""
    return DEPTH + 1 - number.bit_length()


def _is_next_to_paths(leaves: Sequence[int], number: int) -> bool:
    """Whether the node of that heap number is the sibling of one on the paths of these keys, and on none itself."""
    is_node = 1 < number < 2 * LEAVES
    return is_node and _is_on_path(leaves, number ^ 1) and not _is_on_path(leaves, number)


def _is_on_path(leaves: Sequence[int], number: int) -> bool:
    """Whether one of these keys, ascending, is below the node of that heap number."""
    height = _find_height(number)
    first = (number << height) - LEAVES
    place = bisect_left(leaves, first)
    return place < len(leaves) and leaves[place] < first + (1 << height)


def _count_nodes(leaves: Sequence[int]) -> int:
    """Nodes on the paths of these keys, ascending."""
    apart = (one ^ other for one, other in pairwise(leaves))
    return (DEPTH + 1 if leaves else 0) + sum(each.bit_length() for each in apart)
