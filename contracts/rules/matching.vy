# pragma version 0.4.3
"""
@title Price-time matching: the best level, its oldest order, one fill a step
@license MIT
@notice Twin: `shared/rules/matching.py`. Where Python changes the market and the account in place, `apply_trade`
        returns them.
"""

import errors
from codec import records
from rules import margin
from rules import phases
from rules import positions
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def get_best(market: leaves.Market, side: uint256) -> uint256:
    """
    @return Best price of a side of the book in ticks, 0 if it is empty.
    """
    return market.best_bid if side == records.BUY else market.best_ask


@internal
@pure
def is_crossing(side: uint256, limit: uint256, best: uint256) -> bool:
    """
    @return Whether an order of `side` with this limit trades against the other side's `best` (0 for none).
    """
    if best == 0:
        return False
    return best <= limit if side == records.BUY else best >= limit


@internal
@pure
def step_match(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Find the next maker, or decide what becomes of the rest of the order.
            Leaves: market; where an order crosses, the other side's best level.
    @dev A side is 0 or 1 from the decoding on, so the other one cannot underflow.
    """
    regs: registers.Registers = pre
    market: leaves.Market = store.market(w, 0, regs.market)
    other: uint256 = 1 - regs.side
    best: uint256 = self.get_best(market, other)
    touched: uint256 = 1
    if not self.is_crossing(regs.side, regs.price, best):
        regs.phase = phases.DROP if regs.flags == records.IOC else phases.REST
    elif regs.flags == records.POST_ONLY:
        regs.outcome = errors.WOULD_CROSS
        regs.phase = phases.DROP
    elif regs.matches == phases.MAX_MATCHES:
        regs.phase = phases.DROP
    else:
        level: leaves.Level = store.level(w, 1, regs.market, other, best)
        touched = 2
        regs.cursor = level.head
        regs.tick = best
        regs.level_side = other
        regs.matches += 1
        regs.phase = phases.PROBE
    store.check_count(w, touched)
    return regs, w.values


@internal
@pure
def step_fill(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Trade with the maker at the cursor, at the maker's price.
            Leaves: market, level, maker's order, maker's account, taker's account.
    @dev A level's size is the sum of its orders' (fewer than 2**28 of at most 2**40 lots: no overflow of 2**64).
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 5)
    market: leaves.Market = store.market(w, 0, regs.market)
    level: leaves.Level = store.level(w, 1, regs.market, regs.level_side, regs.tick)
    order: leaves.Order = store.order(w, 2, regs.cursor)
    maker: leaves.Account = store.account(w, 3, keys.handle_account(regs.cursor))
    taker: leaves.Account = store.account(w, 4, regs.account)
    size: uint256 = min(regs.size, order.size)
    delta: int256 = convert(size, int256)
    if regs.side == records.SELL:
        delta = -delta
    rate: int256 = convert(market.taker_fee, int256)
    market, taker = self.apply_trade(market, taker, regs.market, regs.side, delta, regs.tick, rate)
    rate = market.maker_fee
    market, maker = self.apply_trade(market, maker, regs.market, regs.level_side, -delta, regs.tick, rate)
    order.size -= size
    level.size -= size
    regs.size -= size
    regs.resume = phases.MATCH if regs.size != 0 else phases.IDLE
    regs.phase = regs.resume if order.size != 0 else phases.UNLINK
    values[0] = leaves.encode_market(market)
    values[1] = leaves.encode_level(level)
    values[2] = leaves.encode_order(order)
    values[3] = leaves.encode_account(maker)
    values[4] = leaves.encode_account(taker)
    return regs, values


@internal
@pure
def apply_trade(
    market: leaves.Market,
    account: leaves.Account,
    market_id: uint256,
    side: uint256,
    delta: int256,
    price: uint256,
    rate: int256,
) -> (leaves.Market, leaves.Account):
    """
    @notice One side of a fill: cash, fee, position, reservation, open interest (counted on the long side).
    @dev Open interest is the sum of all long positions, so taking one of them off never underflows.
    """
    traded_market: leaves.Market = market
    trader: leaves.Account = account
    place: uint256 = positions.get_position(account, market_id)
    position: leaves.Position = account.positions[place]
    worth: int256 = margin.compute_value(delta, convert(price, int256), market)
    fee: int256 = margin.compute_fee(abs(worth), rate)
    trader.collateral -= worth + fee
    traded_market.fees += fee
    traded_market.open_interest -= convert(max(position.size, 0), uint256)
    position = positions.apply_fill(position, delta, price, market.unit)
    traded_market.open_interest += convert(max(position.size, 0), uint256)
    trader.positions[place] = positions.release(position, side, convert(abs(delta), uint256))
    return traded_market, trader
