# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: the machine's own work, holders, armed orders, bulk records
@license MIT
@notice Phases WORK, GATHER, STRIKE, ENROL, TRIGGER, FIRE and LEG.
"""

from rules import bulk
from rules import holders
from rules import phases
from rules import triggers
from rules import work
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
    if regs.phase == phases.WORK:
        return work.step_work(regs, w)
    if regs.phase == phases.GATHER:
        return holders.step_gather(regs, w)
    if regs.phase == phases.STRIKE:
        return holders.step_strike(regs, w)
    if regs.phase == phases.ENROL:
        return holders.step_enrol(regs, w)
    if regs.phase == phases.TRIGGER:
        return triggers.step_trigger(regs, w)
    if regs.phase == phases.FIRE:
        return triggers.step_fire(regs, w)
    if regs.phase == phases.LEG:
        return bulk.step_leg(regs, w)
    raise "wrong_phase"
