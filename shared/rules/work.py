"""The machine's own work: after a change of price its holders are visited, then the armed orders are looked at, and at
last requests of the backstop are settled.

Twin: ``contracts/rules/work.vy``. Work goes on until it is done; what an input has no steps left for waits, and until
it is done no record is taken: each only lets the work go on. So nobody can skip, delay, pick or invent a liquidation.
An order that finds more makers than one input can visit, and the legs behind it, wait in the same way.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def is_out_of_steps(regs: Registers) -> bool:
    """Whether the input has done as much as one may before it leaves the rest to the next."""
    return regs.steps - regs.started >= phases.WORK_LIMIT


def pause(regs: Registers, phase: int) -> None:
    """Leave the rest to the next record, which goes on in `phase`."""
    regs.has_work = 1
    regs.next_phase = phase
    regs.phase = phases.IDLE


def step_work(regs: Registers, state: State) -> None:
    """Choose the next piece of work, or end. Leaves: none."""
    regs.return_phase = phases.WORK
    is_left = regs.deleveraging | regs.sweeping | regs.trigger_market | regs.unwind | regs.settling != 0
    if not is_left:
        regs.return_phase = phases.IDLE
        regs.phase = phases.IDLE
    elif is_out_of_steps(regs):
        pause(regs, phases.WORK)
    elif regs.ranking:
        regs.phase = phases.RANK if regs.rank_word else phases.GATHER
    elif regs.deleveraging:
        regs.phase = phases.DELEVERAGE
    elif regs.sweeping:
        regs.phase = phases.SWEEP if regs.sweep_word else phases.GATHER
    elif regs.trigger_market:
        regs.phase = phases.TRIGGER
    elif regs.unwind:
        regs.phase = phases.UNWIND
    else:
        regs.phase = phases.SHARES


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
