"""What may leave an account now, and when the rest may: for whoever asks (`rules/exits.py` is what decides)."""

from __future__ import annotations

from dataclasses import dataclass

from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.exits import compute_hours, compute_room, get_taken
from setoff.shared.rules.margin import EVERY, compute_health, settle_account
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


@dataclass(frozen=True, slots=True)
class Exit:
    """`now`: token units that may be withdrawn at once, or transferred to somebody else; `more_at` and `all_at`:
    seconds, from when on more, and all that is free, may; 0 where nothing is limited."""

    now: int
    more_at: int
    all_at: int


def find_exit(machine: Machine, account: int, time: int) -> Exit:
    """What may leave an account at `time` (seconds). Changes nothing."""
    machine.state.commit()
    state = State(machine.state.tree)
    leaf = state.account(account)
    settle_account(state, leaf, time)
    equity, requirement = compute_health(machine.regs, state, leaf, EVERY)
    return compute_exit(machine.regs, account, leaf, equity - requirement, time)


def compute_exit(regs: Registers, account: int, leaf: Account, free: int, time: int) -> Exit:
    """As `find_exit`, of an account with `free` token units, or less than nothing."""
    since, free = regs.limited_since, max(0, free)
    hours = compute_hours(since, 0, time)
    if hours == phases.EXIT_HOURS:
        return Exit(min(free, regs.owed), 0, 0)
    room = compute_room(free, get_taken(leaf, since), hours) if account <= keys.MAX_ACCOUNT else 0
    all_at = since + (phases.EXIT_HOURS - 1) * phases.HOUR
    return Exit(min(room, regs.owed), since + hours * phases.HOUR, all_at)
