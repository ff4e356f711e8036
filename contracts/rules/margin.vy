# pragma version 0.4.3
"""
@title Margin: what an account is worth, what it must hold, and which changes are legal
@license MIT
@notice Cross margin over all positions at their mark prices, in token units: equity = collateral + sum of size * mark *
        unit; requirement = sum of |exposure| * mark * unit * initial_margin, rounded up. Twin:
        `shared/rules/margin.py`. Where Python asks the state for markets, these functions take them: one a used place
        of the account, same index.
@dev Bounds: an exposure is at most 2**44 lots, a price below 2**24 ticks, a unit below 2**32, so a value is below
     2**100, the sum of eight below 2**103, a value times a rate or margin (at most 2**20 ppm) below 2**120. A
     collateral: all there is on L1 is below 2**112, and no account falls deeper than its positions are worth, below
     2**103 for each of 2**20 accounts; so no account holds more than 2**124, and the products of is_fill_legal stay
     below 2**230.
"""

import errors
from codec import integers
from codec import records
from rules import phases
from rules import positions
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def _get_markets(w: store.Witness, first: uint256, account: leaves.Account) -> leaves.Market[leaves.MAX_POSITIONS]:
    """
    @return The market of each position by the position's place; they are the witness from leaf `first` to its end.
    """
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    next: uint256 = first
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market != 0:
            markets[i] = store.market(w, next, account.positions[i].market)
            next += 1
    store.check_count(w, next)
    return markets


@internal
@pure
def compute_value(size: int256, price: int256, market: leaves.Market) -> int256:
    """
    @return Signed worth of `size` lots at `price` ticks, token units, exact.
    """
    return size * price * convert(market.unit, int256)


@internal
@pure
def compute_fee(amount: int256, rate: int256) -> int256:
    """
    @return Fee on a fill worth `amount` >= 0 at `rate` ppm: charges round up, rebates (negative) round toward zero.
    """
    return integers.div_ceil(amount * rate, convert(integers.PPM, int256))


@internal
@pure
def compute_requirement(exposure: int256, market: leaves.Market) -> int256:
    """
    @return Initial margin of `exposure` lots (>= 0), token units, rounded up.
    """
    worth: int256 = self.compute_value(exposure, convert(market.mark, int256), market)
    return convert(integers.div_up(convert(worth, uint256) * market.initial_margin, integers.PPM), int256)


@internal
@pure
def get_worst_exposure(position: leaves.Position) -> int256:
    """
    @return Largest |size| the position can reach if the open orders of either side fill, lots.
    """
    return max(
        abs(position.size + convert(position.bids, int256)), abs(position.size - convert(position.asks, int256))
    )


@internal
@pure
def compute_health(
    account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> (int256, int256):
    """
    @return (equity, requirement with open orders) in token units.
    """
    equity: int256 = account.collateral
    requirement: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0:
            market: leaves.Market = markets[i]
            equity += self.compute_value(position.size, convert(market.mark, int256), market)
            requirement += self.compute_requirement(self.get_worst_exposure(position), market)
    return equity, requirement


@internal
@pure
def is_fill_legal(
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    market_id: uint256,
    delta: int256,
    price: uint256,
    is_taker: bool,
) -> bool:
    """
    @return Whether the account may take a fill of `delta` lots (signed) at `price` ticks, as taker or as maker: if the
            positions after it (open orders aside) are funded, or if it strictly lowers the requirement and does not
            worsen the ratio of equity to requirement (compared by cross-multiplication).
    """
    equity: int256 = account.collateral
    change: int256 = 0
    before: int256 = 0
    after: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0:
            market: leaves.Market = markets[i]
            mark: int256 = convert(market.mark, int256)
            size: int256 = position.size
            equity += self.compute_value(size, mark, market)
            before += self.compute_requirement(abs(size), market)
            if position.market == market_id:
                size += delta
                change = self.compute_value(delta, mark - convert(price, int256), market)
                rate: int256 = market.maker_fee
                if is_taker:
                    rate = convert(market.taker_fee, int256)
                worth: int256 = self.compute_value(abs(delta), convert(price, int256), market)
                change -= self.compute_fee(worth, rate)
            after += self.compute_requirement(abs(size), market)
    if equity + change >= after:
        return True
    return after < before and (equity + change) * before >= equity * after


@internal
@pure
def is_order_legal(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> bool:
    """
    @return Whether the order in the registers, already reserved, may enter: if equity covers the requirement with every
            open order, after the fee and the loss of filling at the limit; an order that can only close is judged as
            the fill it would be.
    """
    equity: int256 = 0
    requirement: int256 = 0
    equity, requirement = self.compute_health(account, markets)
    place: uint256 = positions.get_position(account, regs.market)
    market: leaves.Market = markets[place]
    size: int256 = convert(regs.size, int256)
    price: int256 = convert(regs.price, int256)
    delta: int256 = size if regs.side == records.BUY else -size
    loss: int256 = max(0, self.compute_value(delta, price - convert(market.mark, int256), market))
    fee: int256 = self.compute_fee(self.compute_value(size, price, market), convert(market.taker_fee, int256))
    if equity - loss - fee >= requirement:
        return True
    position: leaves.Position = account.positions[place]
    closing: bool = False
    if regs.side == records.BUY:
        closing = position.size + convert(position.bids, int256) <= 0
    else:
        closing = position.size - convert(position.asks, int256) >= 0
    return closing and self.is_fill_legal(account, markets, regs.market, delta, regs.price, True)


@internal
@pure
def step_margin(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Check the account in flight before its order, transfer or withdrawal goes on.
            Leaves: account, the market of each of its positions. A refused order gives its reservation back.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    markets: leaves.Market[leaves.MAX_POSITIONS] = self._get_markets(w, 1, account)
    if regs.kind == records.ORDER:
        if self.is_order_legal(regs, account, markets):
            regs.sequence += 1
            regs.phase = phases.MATCH
        else:
            place: uint256 = positions.get_position(account, regs.market)
            account.positions[place] = positions.release(account.positions[place], regs.side, regs.size)
            values[0] = leaves.encode_account(account)
            regs.outcome = errors.INSUFFICIENT_MARGIN
            regs.phase = phases.IDLE
    else:
        equity: int256 = 0
        requirement: int256 = 0
        equity, requirement = self.compute_health(account, markets)
        if equity - convert(regs.amount, int256) < requirement:
            regs.outcome = errors.INSUFFICIENT_MARGIN
            regs.phase = phases.IDLE
        else:
            regs.phase = phases.TRANSFER if regs.kind == records.TRANSFER else phases.WITHDRAW
    return regs, values


@internal
@pure
def step_probe(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Decide what happens to the maker at the cursor: filled, or pruned if unfunded or the taker's own.
            Leaves: maker's order, maker's account, the market of each of its positions; none if the maker is the taker.
    """
    regs: registers.Registers = pre
    maker: uint256 = keys.handle_account(regs.cursor)
    regs.phase = phases.UNLINK
    regs.resume = phases.MATCH
    if maker == regs.account:
        store.check_count(w, 0)
        return regs, w.values
    order: leaves.Order = store.order(w, 0, regs.cursor)
    account: leaves.Account = store.account(w, 1, maker)
    markets: leaves.Market[leaves.MAX_POSITIONS] = self._get_markets(w, 2, account)
    delta: int256 = convert(min(regs.size, order.size), int256)
    if regs.side == records.BUY:
        delta = -delta
    if self.is_fill_legal(account, markets, regs.market, delta, order.price, False):
        regs.phase = phases.FILL
    return regs, w.values
