# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: matching
@license MIT
@notice Phases MATCH, FILL, PAIR and CROSS.
"""

from rules import auction
from rules import matching
from rules import phases
from state import leaves
from state import registers
from state import store


@external
@pure
def apply(
    regs: registers.Registers,
    keys: DynArray[uint256, phases.MAX_LEAVES],
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Run the phase in the registers.
    @param keys The leaves that the step touches, in the order of first use; `values` as they are before it.
    @return The registers and the values after the step.
    """
    w: store.Witness = store.Witness(keys=keys, values=values)
    if regs.phase == phases.MATCH:
        return matching.step_match(regs, w)
    if regs.phase == phases.FILL:
        return matching.step_fill(regs, w)
    if regs.phase == phases.PAIR:
        return auction.step_pair(regs, w)
    if regs.phase == phases.CROSS:
        return auction.step_cross(regs, w)
    raise "wrong_phase"
