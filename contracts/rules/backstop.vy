# pragma version 0.4.3
"""
@title The backstop vault: anyone may put money in, and it takes over what the book does not
@license MIT
@notice It is an account of its own (keys.BACKSTOP) under the same margin rules as any, so it can lose no more than was put
        into it; its shares are worth its equity. At every crank it offers a part of its position.
        Twin: `shared/rules/backstop.py`. Where Python changes accounts in place, these functions return them.
@dev Bounds: amounts are below 2**96, shares below 2**120 and an equity within 128 bits, so a product of two of them is far
     inside 256 bits. An account's shares are a part of the backstop's, so taking them off underflows neither.
"""

import errors
from codec import integers
from codec import records
from rules import deleveraging
from rules import holders
from rules import margin
from rules import marks
from rules import phases
from rules import positions
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_takeover(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Move the position in liquidation to the backstop at the zero price, if its margin allows; else deleverage.
            Leaves: account, backstop (unless it is the account), the market of each of the backstop's positions in place
            order (the market in liquidation counts as one, where a place for it is free).
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    touched: uint256 = 1
    if regs.account != keys.BACKSTOP:
        backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
        touched = 2
        place: uint256 = positions.find_position(backstop, regs.market)
        if place < leaves.MAX_POSITIONS:
            is_opening: bool = backstop.positions[place].size == 0
            backstop.positions[place].market = regs.market
            markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
            fresh: bool = False
            backstop, markets, fresh = margin.settle_account(w, 2, backstop, regs.time)
            touched = len(w.keys)  # which settle_account has checked
            delta: int256 = convert(regs.size, int256)
            if regs.side == records.BUY:
                delta = -delta
            is_legal: bool = margin.is_fill_legal(backstop, markets, regs.market, delta, regs.price, 0)
            if is_legal:
                market: leaves.Market = markets[place]
                market, account, backstop = deleveraging.trade_across(
                    regs, market, account, backstop, regs.size, regs.price
                )
                markets[place] = market
                values[0] = leaves.encode_account(account)
            else:
                backstop.positions[place] = leaves.clear_if_empty(backstop.positions[place])
            values[1] = leaves.encode_account(backstop)
            values = margin._set_markets(values, 2, markets)
            if is_legal:
                regs.drawn_until = regs.time + phases.DRAWN_TIME
                regs.phase = phases.WORK
                if is_opening:
                    regs = holders.enrol(regs, keys.BACKSTOP)
                return regs, values
    store.check_count(w, touched)
    return deleveraging.begin_deleveraging(regs), values


@internal
@pure
def step_unwind(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Offer a part of the backstop's position to the book, at the mark or better; not in a wind-down.
            Leaves: backstop, market.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 2)
    market_id: uint256 = regs.unwind
    backstop: leaves.Account = store.account(w, 0, keys.BACKSTOP)
    market: leaves.Market = store.market(w, 1, market_id)
    place: uint256 = positions.find_position(backstop, market_id)
    regs.unwind = 0
    if (
        place == leaves.MAX_POSITIONS
        or backstop.positions[place].size == 0
        or regs.winding_since != 0
        or not marks.is_fresh(market, regs.time)
    ):
        regs.phase = phases.WORK
        return regs, values
    backstop, market = marks.settle_funding(backstop, place, market)
    position: leaves.Position = backstop.positions[place]
    side: uint256 = records.SELL if position.size > 0 else records.BUY
    size: uint256 = integers.div_up(convert(abs(position.size), uint256), phases.UNWIND_SLICES)
    backstop.positions[place] = positions.reserve(position, side, size)
    values[0] = leaves.encode_account(backstop)
    values[1] = leaves.encode_market(market)
    return work.begin_order(regs, keys.BACKSTOP, market_id, side, market.mark, size, phases.WORK), values


@internal
@pure
def step_shares(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Put money into the backstop for shares, or take money out for them.
            Leaves: account, backstop, the market of each of the backstop's positions, in place order.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    backstop, markets, fresh = margin.settle_account(w, 2, backstop, regs.time)
    equity: int256 = 0
    requirement: int256 = 0
    equity, requirement = margin.compute_health(regs, backstop, markets)
    if not fresh:
        regs = registers.reject(regs, errors.STALE_PRICE)
    elif regs.kind == records.BACKSTOP_DEPOSIT:
        regs, account, backstop = self.apply_backstop_deposit(regs, account, backstop, equity)
    else:
        regs, account, backstop = self.apply_backstop_withdraw(regs, account, backstop, equity - requirement, equity)
    values[0] = leaves.encode_account(account)
    values[1] = leaves.encode_account(backstop)
    return regs, margin._set_markets(values, 2, markets)


@internal
@pure
def apply_backstop_deposit(
    regs: registers.Registers, account: leaves.Account, backstop: leaves.Account, equity: int256
) -> (registers.Registers, leaves.Account, leaves.Account):
    """
    @notice Shares for the amount in the registers, at the backstop's equity; rounded down.
    @return The registers, the account and the backstop.
    """
    shares: uint256 = regs.amount
    if backstop.shares != 0:
        if equity <= 0:
            return registers.reject(regs, errors.INSUFFICIENT_MARGIN), account, backstop
        shares = regs.amount * backstop.shares // convert(equity, uint256)
    if shares == 0 or backstop.shares + shares >= phases.MAX_SHARES:
        return registers.reject(regs, errors.AMOUNT_OUT_OF_RANGE), account, backstop
    payer: leaves.Account = account
    payee: leaves.Account = backstop
    payer.collateral -= convert(regs.amount, int256)
    payee.collateral += convert(regs.amount, int256)
    payer.shares += shares
    payee.shares += shares
    return registers.finish(regs), payer, payee


@internal
@pure
def apply_backstop_withdraw(
    regs: registers.Registers, account: leaves.Account, backstop: leaves.Account, free: int256, equity: int256
) -> (registers.Registers, leaves.Account, leaves.Account):
    """
    @notice Money for the shares in the registers, rounded down, as far as the backstop's margin leaves it `free`.
    @return The registers, the account and the backstop.
    """
    if regs.amount > account.shares:
        return registers.reject(regs, errors.INSUFFICIENT_MARGIN), account, backstop
    amount: int256 = convert(convert(max(0, equity), uint256) * regs.amount // backstop.shares, int256)
    if amount > free:
        return registers.reject(regs, errors.INSUFFICIENT_MARGIN), account, backstop
    payee: leaves.Account = account
    payer: leaves.Account = backstop
    payee.shares -= regs.amount
    payer.shares -= regs.amount
    payee.collateral += amount
    payer.collateral -= amount
    return registers.finish(regs), payee, payer
