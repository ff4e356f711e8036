"""The machine's own work: after a change of price its holders are visited, then the armed orders are looked at.

Twin: ``contracts/rules/work.vy``. Work goes on until it is done; what an input has no steps left for waits, and until
it is done no record is taken: each only lets the work go on. So nobody can skip, delay, pick or invent a liquidation.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_work(regs: Registers, state: State) -> None:
    """Choose the next piece of work, or end. Leaves: none."""
    regs.return_phase = phases.WORK
    if regs.deleveraging == 0 and regs.sweeping == 0 and regs.trigger_market == 0 and regs.unwind == 0:
        regs.has_work = 0
        regs.return_phase = phases.IDLE
        regs.phase = phases.IDLE
    elif regs.steps - regs.started >= phases.WORK_LIMIT:
        regs.has_work = 1
        regs.phase = phases.IDLE
    elif regs.ranking:
        regs.phase = phases.RANK if regs.rank_word else phases.GATHER
    elif regs.deleveraging:
        regs.phase = phases.DELEVERAGE
    elif regs.sweeping:
        regs.phase = phases.SWEEP if regs.sweep_word else phases.GATHER
    elif regs.trigger_market:
        regs.phase = phases.TRIGGER
    else:
        regs.phase = phases.UNWIND


def begin_order(
    regs: Registers, account: int, market: int, side: int, price: int, size: int, return_phase: int
) -> None:
    """Load the registers with an immediate-or-cancel order of the machine itself, already reserved."""
    regs.clear()
    regs.kind = records.LIQUIDATION
    regs.account = account
    regs.market = market
    regs.side = side
    regs.flags = records.IOC
    regs.price = price
    regs.size = size
    regs.amount = size
    regs.return_phase = return_phase
    regs.phase = phases.MATCH
