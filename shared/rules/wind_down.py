"""The end: of the exchange once its operator is gone, of a market once its oracle is.

Twin: ``contracts/rules/wind_down.vy``. While the exchange winds down nothing is opened any more: a crank on each market
settles it at its last index like a dated future at its expiry, orders need no margin any more, and everybody takes out
what is theirs.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers

_REFUSED: Final = (records.ORDER, records.AMEND, records.BACKSTOP_DEPOSIT, records.REPORT)
"""Records that would open something, or move a price."""


def apply_wind_down(regs: Registers) -> int:
    """Begin the wind-down, for good, by message from L1. Leaves: none. Returns the outcome.

    The machine may be in the middle of work of its own, which goes on.
    """
    if regs.winding_since:
        return errors.WINDING_DOWN
    regs.winding_since = regs.time
    return errors.ACCEPTED


def is_refused(regs: Registers, kind: int) -> bool:
    """Whether a record of this type is no longer taken."""
    return regs.winding_since != 0 and kind in _REFUSED


def is_over(regs: Registers, market: Market) -> bool:
    """Whether the market is to be settled whatever its expiry: no index has come for long, or none will any more."""
    if regs.winding_since:
        return True
    # Where no batch came for long no report could: whoever posts again has a while to bring one.
    return market.index_time + phases.ORACLE_DEATH < regs.time and regs.last_gap_end + phases.RETURN_TIME < regs.time
