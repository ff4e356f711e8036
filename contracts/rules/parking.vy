# pragma version 0.4.3
"""
@title Records of the L1 queue for which the machine has no time now
@license MIT
@notice Nobody can send such a record again for nothing, and whoever chooses the order of inputs could see to it that it
        always finds the machine busy. So it is kept, and taken in its turn: before any later record.
        Twin: `shared/rules/parking.py`.
"""

from codec import records
from rules import phases
from state import leaves
from state import registers
from state import store


@internal
@pure
def is_anything_parked(regs: registers.Registers) -> bool:
    """
    @return Whether a parked record waits for its turn.
    """
    return regs.parked_first != regs.parked_end


@internal
@pure
def park(
    pre: registers.Registers,
    w: store.Witness,
    before: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    place: uint256,
    body: Bytes[records.RECORD_BYTES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Keep the message `body`, with its stamp, behind the ones that wait. Leaves: the parked record, at `place`.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = before
    leaf: leaves.Parked = store.parked(w, place, regs.parked_end)
    leaf.message = records.stamp_message(body, regs.stamp)
    values[place] = leaves.encode_parked(leaf)
    regs.parked_end += 1
    return regs, values


@internal
@pure
def unpark(
    pre: registers.Registers,
    w: store.Witness,
    before: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    place: uint256,
) -> (
    registers.Registers,
    DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    Bytes[records.RECORD_BYTES],
):
    """
    @notice Take the message that has waited longest out, stamp and all. Leaves: the parked record, at `place`.
    @return The registers, the values and the message.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = before
    leaf: leaves.Parked = store.parked(w, place, regs.parked_first)
    body: Bytes[records.RECORD_BYTES] = b""
    body, regs.stamp = records.split_message(leaf.message)
    values[place] = leaves.encode_parked(empty(leaves.Parked))
    regs.parked_first += 1
    return regs, values, body
