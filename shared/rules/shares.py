"""Shares of the backstop: asked for in time, and settled later at a price that nobody could know.

Twin: ``contracts/rules/shares.vy``. What takes a position over at its zero price gains at that moment, and what holds
one loses when the price goes on; both can be seen coming. So money does not come in, or go out, when it is asked to: a
request waits for the delay that the deployment fixed, and is settled by the machine itself in the first work after it
that finds the backstop's prices fresh. Until then the money of a deposit is neither at risk nor the account's equity,
and the shares of a withdrawal are at risk. Nobody can take a request back. (ERC-7540, "Asynchronous ERC-4626 Tokenized
Vaults", has the request and what follows it apart in the same way.)

Requests are a list, the oldest first, one of an account at a time.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_health, compute_value, settle_account
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def get_shares(account: Account, backstop: Account) -> int:
    """The account's shares of the backstop; those of an earlier generation are void."""
    return account.shares if account.generation == backstop.generation else 0


def step_request(regs: Registers, state: State) -> None:
    """Take money, or shares, from the account, and note what it asks for; then settle what is due.

    Leaves: account, backstop, the account's request; the last request, if the new one comes after it.
    """
    account = state.account(regs.account)
    backstop = state.account(keys.BACKSTOP)
    request = state.request(regs.account)
    if request.amount:
        regs.reject(errors.REQUEST_PENDING)
        return
    if regs.kind == records.BACKSTOP_DEPOSIT:
        account.collateral -= regs.amount
    elif regs.amount > get_shares(account, backstop):
        regs.reject(errors.INSUFFICIENT_MARGIN)
        return
    else:
        account.shares -= regs.amount
    request.amount = regs.amount
    request.due = regs.time + regs.backstop_delay
    request.generation = backstop.generation
    request.kind = regs.kind
    if regs.last_request:
        state.request(regs.last_request).next = regs.account
    else:
        regs.first_request = regs.account
    regs.last_request = regs.account
    regs.settling = 1
    regs.phase = phases.WORK


def step_shares(regs: Registers, state: State) -> None:
    """Settle the first request, if it is due and the backstop's prices are fresh; else leave all of them for later.

    In a wind-down all are due. Leaves: none without a request; else the first; if it is due, the backstop, the market
    of each of its positions, in place order.
    """
    if regs.first_request == 0:
        leave_requests(regs, errors.NOT_DUE)
        return
    request = state.request(regs.first_request)
    if request.due > regs.time and regs.winding_since == 0:
        leave_requests(regs, errors.NOT_DUE)
        return
    backstop = state.account(keys.BACKSTOP)
    fresh = settle_account(state, backstop, regs.time)
    if not fresh:
        leave_requests(regs, errors.STALE_PRICE)
        return
    equity, requirement = compute_health(regs, state, backstop, 0)
    gain = compute_gain_at_index(state, backstop)
    regs.clear()
    regs.account = regs.first_request
    regs.return_phase = phases.WORK
    regs.phase = phases.CREDIT
    if request.kind == records.BACKSTOP_DEPOSIT:
        settle_deposit(regs, backstop, request.amount, equity + max(0, gain))
    elif request.generation == backstop.generation:
        least = equity + min(0, gain)
        settle_withdrawal(regs, backstop, request.amount, least - requirement, least)
    regs.first_request = request.next
    if request.next == 0:
        regs.last_request = 0
    request.clear()


def compute_gain_at_index(state: State, backstop: Account) -> int:
    """What the backstop would be worth more if its positions were valued at the index, token units.

    Whoever comes pays the higher of the two prices, and whoever goes gets the lower one: so nobody gains by shares for
    which a mark was moved. Leaves: as `settle_account`.
    """
    gain = 0
    for position in backstop.positions:
        if position.market:
            market = state.market(position.market)
            gain += compute_value(position.size, market.index - market.mark, market)
    return gain


def leave_requests(regs: Registers, outcome: int) -> None:
    """Nothing more is settled now; `outcome` says why, of a crank that was sent for it."""
    regs.settling = 0
    regs.reject(outcome)


def settle_deposit(regs: Registers, backstop: Account, amount: int, equity: int) -> None:
    """Shares for `amount` token units at the backstop's equity, rounded down, into the register; or the money back.

    It goes back in a wind-down, where it does not pay what the backstop owes, or makes no share, or too many. Where all
    is lost, or next to nothing left beside what comes, the shares there were are void: a new generation begins.
    """
    worth = max(0, equity)
    is_lost = backstop.shares > worth * phases.VOID_PRICE and worth * phases.VOID_PART <= amount
    issued = 0 if is_lost else backstop.shares
    shares = amount * (issued + phases.VIRTUAL_SHARES) // (worth + 1)
    is_sound = equity + amount > 0 and shares != 0 and issued + shares < phases.MAX_SHARES
    if regs.winding_since or not is_sound:
        regs.amount = amount
        return
    if is_lost:
        backstop.generation += 1
    backstop.collateral += amount
    backstop.shares = issued + shares
    regs.shares = shares


def settle_withdrawal(regs: Registers, backstop: Account, shares: int, free: int, equity: int) -> None:
    """Money for `shares`, rounded down, into the register.

    As far as the backstop's margin leaves it `free`: what of the shares that does not pay goes back to the account.
    """
    worth = max(0, equity)
    issued = backstop.shares + phases.VIRTUAL_SHARES
    paid = shares
    if worth * shares // issued > free:
        paid = max(0, free) * issued // max(1, worth)
    regs.amount = worth * paid // issued
    regs.shares = shares - paid
    backstop.collateral -= regs.amount
    backstop.shares -= paid


def step_credit(regs: Registers, state: State) -> None:
    """Give the account what its request came to: money, shares. Leaves: account, backstop."""
    account = state.account(regs.account)
    backstop = state.account(keys.BACKSTOP)
    account.collateral += regs.amount
    if regs.shares:
        account.shares = get_shares(account, backstop) + regs.shares
        account.generation = backstop.generation
    regs.finish()
