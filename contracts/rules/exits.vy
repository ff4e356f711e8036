# pragma version 0.4.3
"""
@title Exits: how much money may leave an account, while withdrawals are limited too
@license MIT
@notice What the last resorts do (a takeover by the backstop, a debt paid by insurance, deleveraging) is a draw. Draws that
        are more than a small part of all money limit withdrawals: from then on each owner may take a sixteenth of its free
        money for each hour that has begun, and all of it in the last, whoever else leaves. A later draw makes no limit
        longer; once all of its hours are over, the next one begins a new limit. Twin: `shared/rules/exits.py`.
@dev Bounds: what is free is below 2**128, and what was taken under a limit, with the amount, is at most 15 parts in 16 of it
     and itself, so below 2**132; a draw is below 2**119 and those of an hour fewer than 2**32.
"""

import errors
from codec import records
from rules import phases
from state import keys
from state import leaves
from state import registers


@internal
@pure
def note_draw(pre: registers.Registers, drawn: uint256) -> registers.Registers:
    """
    @return The registers: a draw of so many token units counts among those of this hour; a limit begins if they are many
            and none lasts.
    """
    regs: registers.Registers = pre
    hour: uint256 = regs.time // phases.HOUR
    if hour != regs.draw_hour:
        regs.draw_hour = hour
        regs.drawn = 0
    regs.drawn += drawn
    is_over: bool = regs.time >= regs.limited_since + phases.EXIT_HOURS * phases.HOUR
    if is_over and regs.drawn * phases.DRAW_SHARE > regs.owed:
        regs.limited_since = regs.time
    return regs


@internal
@pure
def is_exit(regs: registers.Registers) -> bool:
    """
    @return Whether the payment in the registers leaves its owner: a withdrawal, or a transfer to somebody else.
    """
    if regs.kind == records.WITHDRAW:
        return True
    return regs.kind == records.TRANSFER and keys.get_master(regs.peer) != keys.get_master(regs.account)


@internal
@pure
def check_exit(regs: registers.Registers, pre: leaves.Account, free: uint256) -> (leaves.Account, uint256):
    """
    @notice Count what is to leave an account with `free` token units, which the amount is no more than. No withdrawal takes
            more than is owed in all, which equities exceed where an account owes more than it has. While exits are limited
            they are counted on the master account, and so its sub-accounts pay nobody else.
    @return The account and the outcome.
    """
    account: leaves.Account = pre
    if regs.kind == records.WITHDRAW and regs.amount > regs.owed:
        return account, errors.WITHDRAWALS_LIMITED
    hours: uint256 = self.compute_hours(regs.limited_since, regs.stamp, regs.time)
    if hours == phases.EXIT_HOURS:
        return account, errors.ACCEPTED
    taken: uint256 = self.get_taken(account, regs.limited_since)
    if regs.account > keys.MAX_ACCOUNT or regs.amount > self.compute_room(free, taken, hours):
        return account, errors.WITHDRAWALS_LIMITED
    account.exit_since = regs.limited_since
    account.taken = taken + regs.amount
    return account, errors.ACCEPTED


@internal
@pure
def compute_hours(since: uint256, stamp: uint256, time: uint256) -> uint256:
    """
    @return Hours that have begun of a limit since `since`, at most EXIT_HOURS: then nothing is limited. It does not limit
            what was in the queue before it began (`stamp`, 0 for what comes from no queue): nobody loses by a delay, which
            is another's choice. It began on L1 when its batch was posted, so up to EXIT_GRACE after its time.
    """
    if 0 < stamp and stamp < since + phases.EXIT_GRACE:
        return phases.EXIT_HOURS
    return min(phases.EXIT_HOURS, 1 + (max(stamp, time) - since) // phases.HOUR)


@internal
@pure
def get_taken(account: leaves.Account, since: uint256) -> uint256:
    """
    @return What the account has taken out under the limit since `since`, token units.
    """
    return account.taken if account.exit_since == since else 0


@internal
@pure
def compute_room(free: uint256, taken: uint256, hours: uint256) -> uint256:
    """
    @return What more may leave an account with `free` token units that has taken some, in the given hour of a limit.
    """
    return max((free + taken) * hours // phases.EXIT_HOURS, taken) - taken
