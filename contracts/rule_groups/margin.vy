# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: margin
@license MIT
@notice Phases MARGIN, PROBE and DEPTH.
"""

from rules import crank
from rules import margin
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
    if regs.phase == phases.MARGIN:
        return margin.step_margin(regs, w)
    if regs.phase == phases.PROBE:
        return matching.step_probe(regs, w)
    if regs.phase == phases.DEPTH:
        return crank.step_depth(regs, w)
    raise "wrong_phase"
