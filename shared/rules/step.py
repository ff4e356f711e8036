"""The one step function: one micro-step of the machine. Twin: the dispatch in ``contracts/judge.vy``.

Pure and total: whatever the input, a step ends, in a state from which the next can be taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from setoff.shared.rules import phases
from setoff.shared.rules.auction import step_approach, step_cross, step_pair, step_tally, step_vouch
from setoff.shared.rules.backstop import step_takeover, step_unwind
from setoff.shared.rules.book import step_list, step_next, step_rest, step_seek, step_unlink, step_unlist
from setoff.shared.rules.bulk import step_leg
from setoff.shared.rules.crank import step_crank, step_depth, step_descend, step_sample
from setoff.shared.rules.deleveraging import step_deleverage, step_rank
from setoff.shared.rules.holders import step_enrol, step_gather, step_strike
from setoff.shared.rules.liquidation import step_liquidated, step_sweep
from setoff.shared.rules.margin import step_margin
from setoff.shared.rules.matching import step_fill, step_match, step_probe
from setoff.shared.rules.oracle import step_report
from setoff.shared.rules.orders import step_admit, step_amend, step_clear, step_drop
from setoff.shared.rules.shares import step_credit, step_request, step_shares
from setoff.shared.rules.transfers import step_transfer, step_withdraw
from setoff.shared.rules.triggers import step_fire, step_trigger
from setoff.shared.rules.work import step_work
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_STEPS: Final[tuple[Callable[[Registers, State], None] | None, ...]] = (
    None,
    step_admit,
    step_margin,
    step_match,
    step_probe,
    step_fill,
    step_unlink,
    step_unlist,
    step_seek,
    step_rest,
    step_list,
    step_drop,
    step_transfer,
    step_withdraw,
    step_report,
    step_clear,
    step_amend,
    step_next,
    step_crank,
    step_leg,
    step_shares,
    step_work,
    step_sweep,
    step_liquidated,
    step_takeover,
    step_rank,
    step_deleverage,
    step_unwind,
    step_trigger,
    step_fire,
    step_enrol,
    step_strike,
    step_gather,
    step_descend,
    step_depth,
    step_sample,
    step_approach,
    step_tally,
    step_pair,
    step_vouch,
    step_cross,
    step_request,
    step_credit,
)


def begin_batch(regs: Registers, number: int, timestamp: int) -> None:
    """Set the registers of a new batch (part of the first step at input index 0)."""
    regs.batch = number
    if timestamp > regs.time + phases.LONG_GAP:
        regs.last_gap_end = timestamp
    regs.time = timestamp
    regs.steps = 0


def apply_step(regs: Registers, state: State) -> None:
    """Run the phase the machine is in; an idle machine stays as it is, registers included."""
    step = _STEPS[regs.phase]
    if step is not None:
        regs.steps += 1
        step(regs, state)
