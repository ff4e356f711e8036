# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: fetch of records
@license MIT
@notice The fetch of an input whose type is a record's, or that is a record its sender vouches for.
"""

from codec import records
from rules import fetch
from rules import phases
from state import leaves
from state import registers
from state import store


@external
@pure
def take(
    regs: registers.Registers,
    body: Bytes[records.RECORD_BYTES],
    is_message: bool,
    keys: DynArray[uint256, phases.MAX_LEAVES],
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take a record, or a message that holds one.
    @param body Its 124 bytes.
    @param is_message Whether it is the L1 queue's: nowhere else is there a message.
    @param keys The leaves that the step touches, in the order of first use; `values` as they are before it.
    @return The registers and the values after the step.
    """
    return fetch.take_input(regs, store.Witness(keys=keys, values=values), body, is_message)
