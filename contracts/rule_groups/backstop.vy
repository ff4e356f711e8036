# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: backstop vault
@license MIT
@notice Phases TAKEOVER and UNWIND.
"""

from rules import backstop
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
    if regs.phase == phases.TAKEOVER:
        return backstop.step_takeover(regs, w)
    if regs.phase == phases.UNWIND:
        return backstop.step_unwind(regs, w)
    raise "wrong_phase"
