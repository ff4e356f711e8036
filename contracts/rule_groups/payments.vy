# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Rules: payments
@license MIT
@notice Phases TRANSFER, WITHDRAW, REQUEST, SHARES and CREDIT.
"""

from rules import transfers
from rules import phases
from rules import shares
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
    if regs.phase == phases.TRANSFER:
        return transfers.step_transfer(regs, w)
    if regs.phase == phases.WITHDRAW:
        return transfers.step_withdraw(regs, w)
    if regs.phase == phases.REQUEST:
        return shares.step_request(regs, w)
    if regs.phase == phases.SHARES:
        return shares.step_shares(regs, w)
    if regs.phase == phases.CREDIT:
        return shares.step_credit(regs, w)
    raise "wrong_phase"
