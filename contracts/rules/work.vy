# pragma version 0.4.3
"""
@title The machine's own work: after a change of price its holders are visited, then the armed orders are looked at, and at
       last requests of the backstop are settled
@license MIT
@notice Work goes on until it is done; what an input has no steps left for waits, and until it is done no record is taken:
        each only lets the work go on. So nobody can skip, delay, pick or invent a liquidation. An order that finds more
        makers than one input can visit, and the legs behind it, wait in the same way. Twin: `shared/rules/work.py`.
"""

from codec import records
from rules import phases
from state import leaves
from state import registers
from state import store


@internal
@pure
def is_out_of_steps(regs: registers.Registers) -> bool:
    """
    @return Whether the input has done as much as one may before it leaves the rest to the next.
    @dev `steps` has only grown since `started` was taken from it, in the same batch.
    """
    return regs.steps - regs.started >= phases.WORK_LIMIT


@internal
@pure
def pause(pre: registers.Registers, phase: uint256) -> registers.Registers:
    """
    @return The registers with the rest left to the next record, which goes on in `phase`.
    """
    regs: registers.Registers = pre
    regs.has_work = 1
    regs.next_phase = phase
    regs.phase = phases.IDLE
    return regs


@internal
@pure
def step_work(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Choose the next piece of work, or end. Leaves: none.
    """
    regs: registers.Registers = pre
    store.check_count(w, 0)
    regs.return_phase = phases.WORK
    is_left: bool = regs.deleveraging | regs.sweeping | regs.trigger_market | regs.unwind | regs.settling != 0
    if not is_left:
        regs.return_phase = phases.IDLE
        regs.phase = phases.IDLE
    elif self.is_out_of_steps(regs):
        regs = self.pause(regs, phases.WORK)
    elif regs.ranking != 0:
        regs.phase = phases.RANK if regs.rank_word != 0 else phases.GATHER
    elif regs.deleveraging != 0:
        regs.phase = phases.DELEVERAGE
    elif regs.sweeping != 0:
        regs.phase = phases.SWEEP if regs.sweep_word != 0 else phases.GATHER
    elif regs.trigger_market != 0:
        regs.phase = phases.TRIGGER
    elif regs.unwind != 0:
        regs.phase = phases.UNWIND
    else:
        regs.phase = phases.SHARES
    return regs, w.values


@internal
@pure
def begin_order(
    pre: registers.Registers,
    account: uint256,
    market: uint256,
    side: uint256,
    price: uint256,
    size: uint256,
    return_phase: uint256,
) -> registers.Registers:
    """
    @return The registers with an immediate-or-cancel order of the machine itself, already reserved.
    """
    regs: registers.Registers = registers.clear(pre)
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
    return regs
