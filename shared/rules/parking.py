"""Records of the L1 queue for which the machine has no time now. Twin: ``contracts/rules/parking.vy``.

Nobody can send such a record again for nothing, and whoever chooses the order of inputs could see to it that it always
finds the machine busy. So it is kept, and taken in its turn: before any later record.
"""

from __future__ import annotations

from setoff.shared.codec.records import split_message, stamp_message
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def is_anything_parked(regs: Registers) -> bool:
    """Whether a parked record waits for its turn."""
    return regs.parked_first != regs.parked_end


def park(regs: Registers, state: State, body: bytes) -> None:
    """Keep the 124-byte message `body`, with its stamp, behind the ones that wait. Leaves: the parked record."""
    state.parked(regs.parked_end).message = stamp_message(body, regs.stamp)
    regs.parked_end += 1


def unpark(regs: Registers, state: State) -> bytes:
    """Take the message that has waited longest out, stamp and all; returns its 124 bytes. Leaves: the parked record."""
    leaf = state.parked(regs.parked_first)
    body, regs.stamp = split_message(leaf.message)
    leaf.message = b""
    regs.parked_first += 1
    return body
