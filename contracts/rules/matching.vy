# pragma version 0.4.3
"""
@title Price-time matching: the best level, its oldest order, one fill a step
@license MIT
@notice Twin: `shared/rules/matching.py`. Where Python changes the market and the account in place, `apply_trade`
        returns them.
"""

import errors
from codec import integers
from codec import records
from rules import calls
from rules import fees
from rules import holders
from rules import levels
from rules import margin
from rules import phases
from rules import positions
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


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
    @notice Find the next maker, or decide what becomes of the rest of the order. However many makers there are, it meets them
            all: if the input has no steps left, the next record goes on. An order of the machine's own is left instead,
            for the account will be visited again; a fill-or-kill order has counted how few makers it needs, and is never
            cut in two. While a call lasts nobody is met. Leaves: market; where an order goes on, the other side's best level.
    @dev A side is 0 or 1 from the decoding on, so the other one cannot underflow.
    """
    regs: registers.Registers = pre
    market: leaves.Market = store.market(w, 0, regs.market)
    other: uint256 = 1 - regs.side
    best: uint256 = levels.get_best(market, other)
    touched: uint256 = 1
    if calls.is_calling(market, regs.time) or not self.is_crossing(regs.side, regs.price, best):
        regs = self.leave_book(regs)
    elif work.is_out_of_steps(regs) and regs.flags & records.TIME_IN_FORCE != records.FOK:
        regs = self.pause_order(regs)
    else:
        level: leaves.Level = store.level(w, 1, regs.market, other, best)
        touched = 2
        regs.cursor = level.head
        regs.level_market = regs.market
        regs.level_side = other
        regs.tick = best
        regs.phase = phases.PROBE
    store.check_count(w, touched)
    return regs, w.values


@internal
@pure
def pause_order(pre: registers.Registers) -> registers.Registers:
    """
    @notice The input ends in the middle of the order: it goes on with the next record, and has no outcome any more.
    """
    regs: registers.Registers = pre
    if regs.kind == records.LIQUIDATION:
        return self.drop(regs, errors.ACCEPTED)
    if regs.return_phase == phases.IDLE:
        regs.return_phase = phases.WORK
    return work.pause(regs, phases.MARGIN)


@internal
@pure
def leave_book(pre: registers.Registers) -> registers.Registers:
    """
    @notice Nothing in the book meets the order (any more): what is left of it rests or is given up.
    """
    regs: registers.Registers = pre
    if levels.can_rest(regs.flags):
        regs.level_market = regs.market
        regs.level_side = regs.side
        regs.tick = regs.price
        regs.phase = phases.REST
        return regs
    return self.drop(regs, errors.UNFILLABLE if regs.scanning != 0 else errors.ACCEPTED)


@internal
@pure
def drop(pre: registers.Registers, outcome: uint256) -> registers.Registers:
    """
    @notice Give up what is left of the order, for this reason (none if it is accepted).
    """
    regs: registers.Registers = pre
    if outcome != errors.ACCEPTED and regs.return_phase == phases.IDLE:
        regs.outcome = outcome
    regs.phase = phases.DROP
    return regs


@internal
@pure
def step_probe(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Decide what happens to the maker at the cursor: filled, or pruned if dead, unfunded or the taker's own.
            Leaves: maker's order; maker's account and the market of each of its positions, unless maker and taker have
            one owner.
    @dev What a scan has found is at most the order's size, where it ends.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    order: leaves.Order = store.order(w, 0, regs.cursor)
    maker: uint256 = keys.handle_account(regs.cursor)
    if keys.get_master(maker) == keys.get_master(regs.account):
        store.check_count(w, 1)
        return self.meet_own_order(regs, order), values
    account: leaves.Account = store.account(w, 1, maker)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 2, account, regs.time)
    legal: bool = False
    regs, legal = self.can_maker_fill(regs, account, markets, order)
    if regs.scanning != 0:
        is_sure: bool = self.is_maker_sure(regs, account, markets, order, regs.price)
        regs = self.count_maker(regs, order, legal and is_sure)
    elif not legal:
        regs.next_phase = phases.MATCH
        regs.phase = phases.UNLINK
    elif regs.flags & records.TIME_IN_FORCE == records.POST_ONLY:
        regs = self.drop(regs, errors.WOULD_CROSS)
    else:
        regs.phase = phases.FILL
    values[1] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 2, markets)


@internal
@pure
def can_maker_fill(
    pre: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    order: leaves.Order,
) -> (registers.Registers, bool):
    """
    @notice How much of what is left to trade the maker can trade goes to `lots`.
    @return The registers, and whether the maker can trade anything, now and by itself.
    """
    regs: registers.Registers = pre
    regs.lots = 0
    if not positions.is_live(order, account, regs.time):
        return regs, False
    place: uint256 = positions.get_position(account, regs.market)
    regs.lots = min(regs.size - regs.fok_lots, order.size)
    if order.flags & records.REDUCE_ONLY != 0:
        regs.lots = min(regs.lots, positions.get_closable(account.positions[place], order.side))
    delta: int256 = convert(regs.lots, int256)
    if regs.side == records.BUY:
        delta = -delta
    return regs, regs.lots > 0 and margin.is_fill_legal(
        account, markets, regs.market, delta, order.price, self.get_maker_rate(markets[place])
    )


@internal
@pure
def meet_own_order(pre: registers.Registers, order: leaves.Order) -> registers.Registers:
    """
    @notice Self-trade prevention: orders of one owner (sub-accounts included) never trade with each other.
    """
    regs: registers.Registers = pre
    rule: uint256 = regs.flags & records.SELF_TRADE
    if regs.scanning != 0:
        if rule == records.CANCEL_MAKER:
            return self.count_maker(regs, order, False)
        return self.drop(regs, errors.SELF_TRADE)
    if rule == records.CANCEL_TAKER:
        return self.drop(regs, errors.SELF_TRADE)
    regs.next_phase = phases.DROP if rule == records.CANCEL_BOTH else phases.MATCH
    regs.phase = phases.UNLINK
    return regs


@internal
@pure
def is_maker_sure(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    order: leaves.Order,
    highest: uint256,
) -> bool:
    """
    @return Where makers are only counted: whether this one can fill all its open orders of that side, however they come.
            For each is judged again when it trades, and those before it count then. `highest`: ticks, at which it may
            trade.
    """
    place: uint256 = positions.get_position(account, regs.market)
    position: leaves.Position = account.positions[place]
    market: leaves.Market = markets[place]
    lots: uint256 = position.bids if order.side == records.BUY else position.asks
    if order.flags & records.REDUCE_ONLY != 0 and lots > positions.get_closable(position, order.side):
        return False
    best: uint256 = levels.get_best(market, order.side)
    size: int256 = convert(lots, int256)
    delta: int256 = size if order.side == records.BUY else -size
    loss: int256 = max(
        0, margin.compute_value(delta, convert(best, int256) - convert(market.mark, int256), market)
    )
    rate: int256 = self.get_maker_rate(market)
    # Each fill rounds its fee up, and there is at most one for each of the account's order slots.
    price: int256 = convert(max(best, highest), int256)
    charged: int256 = margin.compute_fee(margin.compute_value(size, price, market), rate)
    charged += convert(keys.MAX_ORDER_SLOT, int256)
    equity: int256 = 0
    requirement: int256 = 0
    equity, requirement = margin.compute_health(regs, account, markets, regs.market)
    return equity - loss - charged >= requirement


@internal
@pure
def count_maker(pre: registers.Registers, order: leaves.Order, legal: bool) -> registers.Registers:
    """
    @notice Fill-or-kill, first pass: count what the maker at the cursor would trade, and go on to the one after it.
    """
    regs: registers.Registers = pre
    if legal:
        regs.fok_lots += regs.lots
    regs.cursor = order.next
    regs.matches += 1
    if regs.fok_lots == regs.size:
        regs.scanning = 0
        regs.fok_lots = 0
        regs.matches = 0
        regs.phase = phases.MATCH
    elif regs.matches == phases.MAX_MATCHES:
        regs = self.drop(regs, errors.UNFILLABLE)
    else:
        regs.phase = phases.PROBE if regs.cursor != 0 else phases.NEXT
    return regs


@internal
@pure
def step_fill(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Trade with the maker at the cursor, at the maker's price; whose position that opens is entered as a holder.
            An account in liquidation pays its fee. Leaves: market, level, maker's order, maker's account, taker's account; in
            a liquidation the backstop; as `charge_fees`.
    @dev The lots were taken by PROBE as at most the taker's and the maker's; a level's size is the sum of its orders'
         (at most 2**32 of at most 2**31 lots: no overflow of 2**64).
    """
    regs: registers.Registers = pre
    market: leaves.Market = store.market(w, 0, regs.market)
    level: leaves.Level = store.level(w, 1, regs.market, regs.level_side, regs.tick)
    order: leaves.Order = store.order(w, 2, regs.cursor)
    maker: leaves.Account = store.account(w, 3, keys.handle_account(regs.cursor))
    taker: leaves.Account = store.account(w, 4, regs.account)
    is_taker_opening: bool = taker.positions[positions.get_position(taker, regs.market)].size == 0
    is_maker_opening: bool = maker.positions[positions.get_position(maker, regs.market)].size == 0
    size: uint256 = regs.lots
    delta: int256 = convert(size, int256)
    if regs.side == records.SELL:
        delta = -delta
    place: uint256 = 5
    backstop: leaves.Account = empty(leaves.Account)
    if self.is_liquidation(regs):
        backstop = store.account(w, place, keys.BACKSTOP)
        place += 1
        market, taker, backstop = self.charge_liquidation(
            market, taker, backstop, self.compute_liquidation_fee(regs, market)
        )
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = []
    taker_fee: int256 = 0
    maker_fee: int256 = 0
    notional: int256 = margin.compute_value(convert(size, int256), convert(regs.tick, int256), market)
    taker_fee, maker_fee, values = fees.charge_fees(
        regs, w, place, market, keys.handle_account(regs.cursor), convert(notional, uint256)
    )
    market, taker = self.apply_trade(market, taker, regs.market, regs.side, delta, regs.tick, taker_fee)
    market, maker = self.apply_trade(market, maker, regs.market, regs.level_side, -delta, regs.tick, maker_fee)
    order.size -= size
    level.size -= size
    regs.size -= size
    regs.next_phase = phases.MATCH if regs.size != 0 else regs.return_phase
    regs.phase = regs.next_phase if order.size != 0 else phases.UNLINK
    if is_taker_opening:
        regs = holders.enrol(regs, regs.account)
    if is_maker_opening:
        regs = holders.enrol(regs, keys.handle_account(regs.cursor))
    values[0] = leaves.encode_market(market)
    values[1] = leaves.encode_level(level)
    values[2] = leaves.encode_order(order)
    values[3] = leaves.encode_account(maker)
    values[4] = leaves.encode_account(taker)
    if place > 5:
        values[5] = leaves.encode_account(backstop)
    return regs, values


@internal
@pure
def get_maker_rate(market: leaves.Market) -> int256:
    """
    @return Maker's fee, ppm, at most: what a rebate will be is the taker's fee's matter.
    """
    return max(0, market.maker_fee)


@internal
@pure
def is_liquidation(regs: registers.Registers) -> bool:
    """
    @return Whether the order in the registers closes for an account in liquidation; an offer of the backstop does not.
    """
    return regs.kind == records.LIQUIDATION and regs.account != keys.BACKSTOP


@internal
@pure
def compute_liquidation_fee(regs: registers.Registers, market: leaves.Market) -> int256:
    """
    @return Fee, token units, of a fill of the lots in the registers at the tick of the level: a part of the maintenance
            margin. Taken from what the maker pays beyond the least price: so the account gets that at least, and nobody's
            debt grows.
    @dev The order crosses, so the tick is not worse than the price.
    """
    better: uint256 = regs.tick - regs.price if regs.side == records.SELL else regs.price - regs.tick
    rate: uint256 = market.maintenance_margin // phases.LIQUIDATION_PART
    lots: int256 = convert(regs.lots, int256)
    worth: int256 = margin.compute_value(lots, convert(regs.tick, int256), market)
    fee: int256 = margin.compute_fee(worth, convert(rate, int256))
    return min(fee, margin.compute_value(lots, convert(better, int256), market))


@internal
@pure
def charge_liquidation(
    market: leaves.Market, account: leaves.Account, backstop: leaves.Account, fee: int256
) -> (leaves.Market, leaves.Account, leaves.Account):
    """
    @notice The fee of an account in liquidation, token units: half to the backstop, the other half to the insurance.
    @return The market, the account and the backstop.
    """
    paid: leaves.Market = market
    payer: leaves.Account = account
    payee: leaves.Account = backstop
    half: int256 = integers.div_floor(fee, 2)
    payer.collateral -= fee
    payee.collateral += half
    paid.insurance += fee - half
    return paid, payer, payee


@internal
@pure
def apply_trade(
    market: leaves.Market,
    account: leaves.Account,
    market_id: uint256,
    side: uint256,
    delta: int256,
    price: uint256,
    fee: int256,
) -> (leaves.Market, leaves.Account):
    """
    @notice One side of a fill: cash, fee, position, reservation, open interest (counted on the long side).
    @dev Open interest is the sum of all long positions, so taking one of them off never underflows.
    """
    traded_market: leaves.Market = market
    trader: leaves.Account = account
    place: uint256 = positions.get_position(account, market_id)
    position: leaves.Position = account.positions[place]
    trader.collateral -= margin.compute_value(delta, convert(price, int256), market) + fee
    traded_market.insurance += fee
    traded_market.revenue += fee
    traded_market.open_interest -= convert(max(position.size, 0), uint256)
    position = positions.apply_fill(position, delta, price, market)
    traded_market.open_interest += convert(max(position.size, 0), uint256)
    trader.positions[place] = positions.release(position, side, convert(abs(delta), uint256))
    return traded_market, trader
