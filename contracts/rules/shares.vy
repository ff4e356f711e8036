# pragma version 0.4.3
"""
@title Shares of the backstop: asked for in time, and settled later at a price that nobody could know
@license MIT
@notice What takes a position over at its zero price gains at that moment, and what holds one loses when the price goes on;
        both can be seen coming. So money does not come in, or go out, when it is asked to: a request waits for the delay
        that the deployment fixed, and is settled by the machine itself in the first work after it that finds the backstop's
        prices fresh. Until then the money of a deposit is neither at risk nor the account's equity, and the shares of a
        withdrawal are at risk. Nobody can take a request back. Requests are a list, the oldest first, one of an account at
        a time. Twin: `shared/rules/shares.py`.
@dev Bounds: amounts are below 2**96, shares below 2**120 and an equity within 128 bits, so a product of two of them is far
     inside 256 bits. Shares of an account, and of a request of the backstop's generation, are a part of the backstop's, so
     taking them off underflows neither. With `worth` 0 no money exceeds what is free unless that is negative.
"""

import errors
from codec import records
from rules import margin
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def get_shares(account: leaves.Account, backstop: leaves.Account) -> uint256:
    """
    @return The account's shares of the backstop; those of an earlier generation are void.
    """
    return account.shares if account.generation == backstop.generation else 0


@internal
@pure
def step_request(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take money, or shares, from the account, and note what it asks for; then settle what is due.
            Leaves: account, backstop, the account's request; the last request, if the new one comes after it.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
    request: leaves.Request = store.request(w, 2, regs.account)
    if request.amount != 0:
        store.check_count(w, 3)
        return registers.reject(regs, errors.REQUEST_PENDING), values
    if regs.kind == records.BACKSTOP_DEPOSIT:
        account.collateral -= convert(regs.amount, int256)
    elif regs.amount > self.get_shares(account, backstop):
        store.check_count(w, 3)
        return registers.reject(regs, errors.INSUFFICIENT_MARGIN), values
    else:
        account.shares -= regs.amount
    values[0] = leaves.encode_account(account)
    request.amount = regs.amount
    request.due = regs.time + regs.backstop_delay
    request.generation = backstop.generation
    request.kind = regs.kind
    values[2] = leaves.encode_request(request)
    if regs.last_request != 0:
        store.check_count(w, 4)
        last: leaves.Request = store.request(w, 3, regs.last_request)
        last.next = regs.account
        values[3] = leaves.encode_request(last)
    else:
        store.check_count(w, 3)
        regs.first_request = regs.account
    regs.last_request = regs.account
    regs.settling = 1
    regs.phase = phases.WORK
    return regs, values


@internal
@pure
def step_shares(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Settle the first request, if it is due and the backstop's prices are fresh; else leave all of them for later.
            In a wind-down all are due. Leaves: none without a request; else the first; if it is due, the backstop, the
            market of each of its positions, in place order.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    if regs.first_request == 0:
        store.check_count(w, 0)
        return self.leave_requests(regs, errors.NOT_DUE), values
    request: leaves.Request = store.request(w, 0, regs.first_request)
    if request.due > regs.time and regs.winding_since == 0:
        store.check_count(w, 1)
        return self.leave_requests(regs, errors.NOT_DUE), values
    backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    backstop, markets, fresh = margin.settle_account(w, 2, backstop, regs.time)
    values = margin._set_markets(values, 2, markets)
    if not fresh:
        values[1] = leaves.encode_account(backstop)
        return self.leave_requests(regs, errors.STALE_PRICE), values
    equity: int256 = 0
    requirement: int256 = 0
    equity, requirement = margin.compute_health(regs, backstop, markets, 0)
    gain: int256 = self.compute_gain_at_index(backstop, markets)
    regs = registers.clear(regs)
    regs.account = regs.first_request
    regs.return_phase = phases.WORK
    regs.phase = phases.CREDIT
    if request.kind == records.BACKSTOP_DEPOSIT:
        regs, backstop = self.settle_deposit(regs, backstop, request.amount, equity + max(0, gain))
    elif request.generation == backstop.generation:
        least: int256 = equity + min(0, gain)
        regs, backstop = self.settle_withdrawal(regs, backstop, request.amount, least - requirement, least)
    regs.first_request = request.next
    if request.next == 0:
        regs.last_request = 0
    values[0] = leaves.encode_request(empty(leaves.Request))
    values[1] = leaves.encode_account(backstop)
    return regs, values


@internal
@pure
def compute_gain_at_index(backstop: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]) -> int256:
    """
    @return What the backstop would be worth more if its positions were valued at the index, token units. Whoever comes pays
            the higher of the two prices, and whoever goes gets the lower one: so nobody gains by shares for which a mark
            was moved.
    """
    gain: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = backstop.positions[i]
        if position.market != 0:
            market: leaves.Market = markets[i]
            gain += margin.compute_value(position.size, convert(market.index, int256) - convert(market.mark, int256), market)
    return gain


@internal
@pure
def leave_requests(pre: registers.Registers, outcome: uint256) -> registers.Registers:
    """
    @return The registers where nothing more is settled now; `outcome` says why, of a crank that was sent for it.
    """
    regs: registers.Registers = pre
    regs.settling = 0
    return registers.reject(regs, outcome)


@internal
@pure
def settle_deposit(
    pre: registers.Registers, before: leaves.Account, amount: uint256, equity: int256
) -> (registers.Registers, leaves.Account):
    """
    @notice Shares for `amount` token units at the backstop's equity, rounded down, into the register; or the money back. It
            goes back in a wind-down, where it does not pay what the backstop owes, or makes no share, or too many. Where all
            is lost, or next to nothing left beside what comes, the shares there were are void: a new generation begins.
    @return The registers and the backstop.
    """
    regs: registers.Registers = pre
    backstop: leaves.Account = before
    worth: uint256 = convert(max(0, equity), uint256)
    is_lost: bool = backstop.shares > worth * phases.VOID_PRICE and worth * phases.VOID_PART <= amount
    issued: uint256 = 0 if is_lost else backstop.shares
    shares: uint256 = amount * (issued + phases.VIRTUAL_SHARES) // (worth + 1)
    is_sound: bool = equity + convert(amount, int256) > 0 and shares != 0 and issued + shares < phases.MAX_SHARES
    if regs.winding_since != 0 or not is_sound:
        regs.amount = amount
        return regs, backstop
    if is_lost:
        backstop.generation += 1
    backstop.collateral += convert(amount, int256)
    backstop.shares = issued + shares
    regs.shares = shares
    return regs, backstop


@internal
@pure
def settle_withdrawal(
    pre: registers.Registers, before: leaves.Account, shares: uint256, free: int256, equity: int256
) -> (registers.Registers, leaves.Account):
    """
    @notice Money for `shares`, rounded down, into the register. As far as the backstop's margin leaves it `free`: what of the
            shares that does not pay goes back to the account.
    @return The registers and the backstop.
    """
    regs: registers.Registers = pre
    backstop: leaves.Account = before
    worth: uint256 = convert(max(0, equity), uint256)
    issued: uint256 = backstop.shares + phases.VIRTUAL_SHARES
    paid: uint256 = shares
    if convert(worth * shares // issued, int256) > free:
        paid = convert(max(0, free), uint256) * issued // max(1, worth)
    regs.amount = worth * paid // issued
    regs.shares = shares - paid
    backstop.collateral -= convert(regs.amount, int256)
    backstop.shares -= paid
    return regs, backstop


@internal
@pure
def step_credit(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Give the account what its request came to: money, shares. Leaves: account, backstop.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 2)
    account: leaves.Account = store.account(w, 0, regs.account)
    backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
    account.collateral += convert(regs.amount, int256)
    if regs.shares != 0:
        account.shares = self.get_shares(account, backstop) + regs.shares
        account.generation = backstop.generation
    values[0] = leaves.encode_account(account)
    return registers.finish(regs), values
