"""Exits: how much money may leave an account, while withdrawals are limited too.

Twin: ``contracts/rules/exits.vy``. What the last resorts do (a takeover by the backstop, a debt paid by insurance,
deleveraging) is a draw. Draws that are more than a small part of all money limit withdrawals: from then on each owner
may take a sixteenth of its free money for each hour that has begun, and all of it in the last, whoever else leaves. A
later draw makes no limit longer; once all of its hours are over, the next one begins a new limit.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers


def note_draw(regs: Registers, value: int) -> None:
    """Count a draw of `value` token units among those of this hour; a limit begins if they are many and none lasts."""
    hour = regs.time // phases.HOUR
    if hour != regs.draw_hour:
        regs.draw_hour = hour
        regs.drawn = 0
    regs.drawn += value
    is_over = regs.time >= regs.limited_since + phases.EXIT_HOURS * phases.HOUR
    if is_over and regs.drawn * phases.DRAW_SHARE > regs.owed:
        regs.limited_since = regs.time


def is_exit(regs: Registers) -> bool:
    """Whether the payment in the registers leaves its owner: a withdrawal, or a transfer to somebody else."""
    if regs.kind == records.WITHDRAW:
        return True
    return regs.kind == records.TRANSFER and keys.get_master(regs.peer) != keys.get_master(regs.account)


def check_exit(regs: Registers, account: Account, free: int) -> int:
    """Count what is to leave an account with `free` token units, which the amount is no more than; returns the outcome.

    No withdrawal takes more than is owed in all, which equities exceed where an account owes more than it has. While
    exits are limited they are counted on the master account, and so its sub-accounts pay nobody else.
    """
    if regs.kind == records.WITHDRAW and regs.amount > regs.owed:
        return errors.WITHDRAWALS_LIMITED
    hours = compute_hours(regs.limited_since, regs.stamp, regs.time)
    if hours == phases.EXIT_HOURS:
        return errors.ACCEPTED
    taken = get_taken(account, regs.limited_since)
    if regs.account > keys.MAX_ACCOUNT or regs.amount > compute_room(free, taken, hours):
        return errors.WITHDRAWALS_LIMITED
    account.exit_since = regs.limited_since
    account.taken = taken + regs.amount
    return errors.ACCEPTED


def compute_hours(since: int, stamp: int, time: int) -> int:
    """Hours that have begun of a limit since `since`, at most EXIT_HOURS: then nothing is limited.

    It does not limit what was in the queue before it began (`stamp`, 0 for what comes from no queue): nobody loses by
    a delay, which is another's choice. It began on L1 when its batch was posted, so up to EXIT_GRACE after its time.
    """
    if 0 < stamp < since + phases.EXIT_GRACE:
        return phases.EXIT_HOURS
    return min(phases.EXIT_HOURS, 1 + (max(stamp, time) - since) // phases.HOUR)


def get_taken(account: Account, since: int) -> int:
    """What the account has taken out under the limit since `since`, token units."""
    return account.taken if account.exit_since == since else 0


def compute_room(free: int, taken: int, hours: int) -> int:
    """What more may leave an account with `free` token units that has `taken` some, in the given hour of a limit."""
    return max((free + taken) * hours // phases.EXIT_HOURS, taken) - taken
