# pragma version 0.4.3
"""
@title The end: of the exchange once its operator is gone, of a market once its oracle is
@license MIT
@notice While the exchange winds down nothing is opened any more: a crank on each market settles it at its last index like a
        dated future at its expiry, orders need no margin any more, and everybody takes out what is
        theirs. Twin: `shared/rules/wind_down.py`.
"""

import errors
from codec import records
from rules import phases
from state import leaves
from state import registers


@internal
@pure
def apply_wind_down(pre: registers.Registers) -> (registers.Registers, uint256):
    """
    @notice Begin the wind-down, for good, by message from L1. Leaves: none. The machine may be in the middle of work of its
            own, which goes on.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    if regs.winding_since != 0:
        return regs, errors.WINDING_DOWN
    regs.winding_since = regs.time
    return regs, errors.ACCEPTED


@internal
@pure
def is_refused(regs: registers.Registers, kind: uint256) -> bool:
    """
    @return Whether a record of this type is no longer taken: it would open something, or move a price.
    """
    return regs.winding_since != 0 and kind in [records.ORDER, records.AMEND, records.BACKSTOP_DEPOSIT, records.REPORT]


@internal
@pure
def is_over(regs: registers.Registers, market: leaves.Market) -> bool:
    """
    @return Whether the market is to be settled whatever its expiry: no index has come for long, or none will any more.
    """
    if regs.winding_since != 0:
        return True
    # Where no batch came for long no report could: whoever posts again has a while to bring one.
    return market.index_time + phases.ORACLE_DEATH < regs.time and regs.last_gap_end + phases.RETURN_TIME < regs.time
