# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: order book
@license MIT
@notice Phases UNLINK, UNLIST, SEEK, REST, LIST, NEXT, DESCEND and APPROACH.
"""

from rules import auction
from rules import book
from rules import crank
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
    if regs.phase == phases.UNLINK:
        return book.step_unlink(regs, w)
    if regs.phase == phases.UNLIST:
        return book.step_unlist(regs, w)
    if regs.phase == phases.SEEK:
        return book.step_seek(regs, w)
    if regs.phase == phases.REST:
        return book.step_rest(regs, w)
    if regs.phase == phases.LIST:
        return book.step_list(regs, w)
    if regs.phase == phases.NEXT:
        return book.step_next(regs, w)
    if regs.phase == phases.DESCEND:
        return crank.step_descend(regs, w)
    if regs.phase == phases.APPROACH:
        return auction.step_approach(regs, w)
    raise "wrong_phase"
