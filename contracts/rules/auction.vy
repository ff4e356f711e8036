# pragma version 0.4.3
"""
@title The call auction: one price for a book that crosses, and all who meet at it
@license MIT
@notice First both sides are gone through from their best orders on, one order a step, until they no longer cross: what is dead
        or cannot be paid for is pruned, and what an account could not trade together counts nothing. Then the two first
        orders trade at the clearing price, again and again, each judged as it comes. Price: most lots, then least surplus,
        then the side of the surplus, then the reference price (Xetra, "Market Model", price determination in auctions;
        alike Nasdaq rule 4752 and the opening of CME Globex and HKEX). Twin: `shared/rules/auction.py`.
@dev Lots of an order are below 2**32, a surplus is at most one order's. A level's size is the sum of its orders', so taking off
     what is taken off one of them never underflows.
"""

from codec import records
from rules import bitmaps
from rules import calls
from rules import holders
from rules import levels
from rules import margin
from rules import marks
from rules import matching
from rules import phases
from rules import positions
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_approach(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Go on to the next level of a side, at first to its best.
            Leaves: bitmap words, from the top to the best level, or from the leaf up to the first with a level behind and
            down again to that; the level.
    """
    regs: registers.Registers = pre
    side: uint256 = regs.level_side
    tree: uint256 = keys.level_tree(regs.market, side)
    is_highest: bool = levels.is_highest_first(side)
    before: uint256 = regs.bid_tick if side == records.BUY else regs.ask_tick
    tick: uint256 = 0
    touched: uint256 = 0
    if before != 0:
        tick, touched = bitmaps.find_next(w, 0, tree, before, is_highest)
    else:
        tick, touched = bitmaps.find_best(w, 0, tree, is_highest)
    if side == records.BUY:
        regs.bid_tick = tick
    else:
        regs.ask_tick = tick if tick != 0 else keys.MAX_TICK + 1
    if tick != 0:
        level: leaves.Level = store.level(w, touched, regs.market, side, tick)
        touched += 1
        if side == records.BUY:
            regs.bid = level.head
        else:
            regs.ask = level.head
        regs.phase = phases.TALLY
    elif side == records.BUY and regs.surplus == 0:
        # No bid is left. The next ask, which ends it, still bounds the price.
        regs.level_side = records.SELL
        regs.phase = self.choose_phase(regs)
    else:
        regs.phase = phases.PAIR
    store.check_count(w, touched)
    return regs, w.values


@internal
@pure
def choose_phase(regs: registers.Registers) -> uint256:
    """
    @return Phase to go on with on the side that is looked at: its next order, or its next level.
    """
    next: uint256 = regs.bid if regs.level_side == records.BUY else regs.ask
    return phases.TALLY if next != 0 else phases.APPROACH


@internal
@pure
def step_tally(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Count what the next order of a side offers against the surplus of the other, or prune it as a taker would.
            Leaves: none where the input is out of steps; else the order, its account and the market of each of its
            positions.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    if work.is_out_of_steps(regs):
        store.check_count(w, 0)
        return self.pause_auction(regs, phases.TALLY), values
    side: uint256 = regs.level_side
    regs.cursor = regs.bid if side == records.BUY else regs.ask
    order: leaves.Order = store.order(w, 0, regs.cursor)
    account: leaves.Account = store.account(w, 1, keys.handle_account(regs.cursor))
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 2, account, regs.time)
    market: leaves.Market = markets[positions.get_position(account, regs.market)]
    if side == records.BUY:
        regs.bid = order.next
    else:
        regs.ask = order.next
    lots: uint256 = self.get_offered(regs, account, order)
    if lots == 0 or not self.is_legal(regs, account, markets, order, lots, order.price):
        regs.next_phase = self.choose_phase(regs)
        regs.phase = phases.UNLINK
    elif not matching.is_maker_sure(regs, account, markets, order, market.best_bid):
        regs.phase = self.choose_phase(regs)
    else:
        regs = self.tally(regs, side, lots)
    values[1] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 2, markets)


@internal
@pure
def pause_auction(pre: registers.Registers, phase: uint256) -> registers.Registers:
    """
    @notice The input ends in the middle of the auction: it goes on with the next record. What waits for it has no outcome any
            more: it returns to LEG, where no leg is left.
    """
    regs: registers.Registers = pre
    if regs.return_phase == phases.IDLE:
        regs.return_phase = phases.LEG
    return work.pause(regs, phase)


@internal
@pure
def get_offered(regs: registers.Registers, account: leaves.Account, order: leaves.Order) -> uint256:
    """
    @return Lots that an order offers now: none if it is dead, and if it only closes no more than it can close.
    """
    if not positions.is_live(order, account, regs.time):
        return 0
    if order.flags & records.REDUCE_ONLY != 0:
        place: uint256 = positions.get_position(account, regs.market)
        return min(order.size, positions.get_closable(account.positions[place], order.side))
    return order.size


@internal
@pure
def is_legal(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    order: leaves.Order,
    lots: uint256,
    price: uint256,
) -> bool:
    """
    @return Whether the order's account may trade so many lots at a price.
    """
    place: uint256 = positions.get_position(account, regs.market)
    size: int256 = convert(lots, int256)
    delta: int256 = size if order.side == records.BUY else -size
    return margin.is_fill_legal(account, markets, regs.market, delta, price, matching.get_maker_rate(markets[place]))


@internal
@pure
def tally(pre: registers.Registers, side: uint256, lots: uint256) -> registers.Registers:
    """
    @notice Set the lots of an order of `side` off against the surplus, and choose the side to look at next. A bid begins where
            there is no surplus. It ends with the first pair that does not cross.
    @dev A side is 0 or 1.
    """
    regs: registers.Registers = pre
    if regs.surplus != 0 or side == records.SELL:
        if regs.bid_tick < regs.ask_tick:
            regs.phase = phases.PAIR
            return regs
        regs.clearing = regs.ask_tick
        regs.ceiling = regs.bid_tick
    if lots > regs.surplus:
        regs.surplus = lots - regs.surplus
        regs.level_side = 1 - side
    else:
        regs.surplus -= lots
        regs.level_side = side if regs.surplus != 0 else records.BUY
    regs.phase = self.choose_phase(regs)
    return regs


@internal
@pure
def step_pair(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Turn to the first orders of both sides as long as the book crosses; the younger of the two is judged first.
            At first the clearing price is set. Where the two do not meet at it, because somebody in between could not
            trade, the price is from there on the one between theirs that is next to the index. An auction that was paused
            does not go on past an end, nor on an index that is no longer fresh.
            Leaves: none while the second of two orders that are used up leaves, or where the input is out of steps; else
            the market; where it goes on, the best levels of bids and asks and their first orders.
    """
    regs: registers.Registers = pre
    if regs.peer != 0:
        store.check_count(w, 0)
        regs.cursor = regs.peer
        regs.peer = 0
        regs.next_phase = phases.PAIR
        regs.phase = phases.UNLINK
        return regs, w.values
    if work.is_out_of_steps(regs):
        store.check_count(w, 0)
        return self.pause_auction(regs, phases.PAIR), w.values
    market: leaves.Market = store.market(w, 0, regs.market)
    if regs.ceiling != 0:
        regs.clearing = calls.compute_clearing(
            regs.clearing, regs.ceiling, regs.bid_tick, regs.ask_tick, market.index
        )
        regs.ceiling = 0
        regs.surplus = 0
    if not calls.is_auction_due(market, regs.time, regs.winding_since):
        store.check_count(w, 1)
        return calls.end_auction(regs), w.values
    store.check_count(w, 5)
    if regs.clearing < market.best_ask or market.best_bid < regs.clearing:
        index: int256 = convert(market.index, int256)
        ask_tick: int256 = convert(market.best_ask, int256)
        bid_tick: int256 = convert(market.best_bid, int256)
        regs.clearing = convert(marks.get_middle(index, ask_tick, bid_tick), uint256)
    regs.bid_tick = market.best_bid
    regs.ask_tick = market.best_ask
    bids: leaves.Level = store.level(w, 1, regs.market, records.BUY, regs.bid_tick)
    asks: leaves.Level = store.level(w, 2, regs.market, records.SELL, regs.ask_tick)
    regs.bid = bids.head
    regs.ask = asks.head
    bid: leaves.Order = store.order(w, 3, regs.bid)
    ask: leaves.Order = store.order(w, 4, regs.ask)
    regs.lots = min(bid.size, ask.size)
    regs.matches = 0
    regs.level_side = records.BUY if bid.sequence > ask.sequence else records.SELL
    regs.phase = phases.VOUCH
    return regs, w.values


@internal
@pure
def step_vouch(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Judge one of the two orders; both have to be able to trade the same lots at the clearing price, or it is pruned.
            Leaves: the order, its account and the market of each of its positions.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    regs.cursor = regs.bid if regs.level_side == records.BUY else regs.ask
    order: leaves.Order = store.order(w, 0, regs.cursor)
    account: leaves.Account = store.account(w, 1, keys.handle_account(regs.cursor))
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 2, account, regs.time)
    lots: uint256 = min(regs.lots, self.get_offered(regs, account, order))
    if (
        lots == 0
        or not self.is_legal(regs, account, markets, order, lots, regs.clearing)
        or (regs.matches == 0 and self.is_over_cap(regs, account, markets, order, lots))
    ):
        regs.next_phase = phases.PAIR
        regs.phase = phases.UNLINK
    else:
        if lots < regs.lots:
            # The other side is asked about these, again if it has been.
            regs.lots = lots
            regs.matches = 0
        regs.matches += 1
        regs.level_side = 1 - regs.level_side
        regs.phase = phases.CROSS if regs.matches == 2 else phases.VOUCH
    values[1] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 2, markets)


@internal
@pure
def is_over_cap(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    order: leaves.Order,
    lots: uint256,
) -> bool:
    """
    @return Whether the younger order, like a taker, opens a position beyond the cap of open interest.
    """
    place: uint256 = positions.get_position(account, regs.market)
    market: leaves.Market = markets[place]
    size: int256 = account.positions[place].size
    more: int256 = convert(lots, int256)
    reach: int256 = size + more if order.side == records.BUY else more - size
    return reach > 0 and market.open_interest + lots > market.max_open_interest


@internal
@pure
def step_cross(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Trade the two orders at the clearing price; whose position that opens is entered as a holder. Orders of one owner
            do not trade: both lose the lots that they have in common, as they were counted.
            Leaves: market, the levels of bid and ask, bid, ask, the bid's account; the ask's, if it is another.
    @dev Two accounts of one owner may be one and the same: then there is one leaf of it.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    market: leaves.Market = store.market(w, 0, regs.market)
    bid_level: leaves.Level = store.level(w, 1, regs.market, records.BUY, regs.bid_tick)
    ask_level: leaves.Level = store.level(w, 2, regs.market, records.SELL, regs.ask_tick)
    bid: leaves.Order = store.order(w, 3, regs.bid)
    ask: leaves.Order = store.order(w, 4, regs.ask)
    buyer_id: uint256 = keys.handle_account(regs.bid)
    seller_id: uint256 = keys.handle_account(regs.ask)
    buyer: leaves.Account = store.account(w, 5, buyer_id)
    place: uint256 = positions.get_position(buyer, regs.market)
    is_buyer_opening: bool = False
    is_seller_opening: bool = False
    size: uint256 = regs.lots
    if keys.get_master(buyer_id) == keys.get_master(seller_id):
        size = min(bid.size, ask.size)
        buyer.positions[place] = positions.release(buyer.positions[place], records.BUY, size)
        if buyer_id == seller_id:
            store.check_count(w, 6)
            buyer.positions[place] = positions.release(buyer.positions[place], records.SELL, size)
        else:
            store.check_count(w, 7)
            seller: leaves.Account = store.account(w, 6, seller_id)
            place = positions.get_position(seller, regs.market)
            seller.positions[place] = positions.release(seller.positions[place], records.SELL, size)
            values[6] = leaves.encode_account(seller)
    else:
        store.check_count(w, 7)
        seller: leaves.Account = store.account(w, 6, seller_id)
        is_buyer_opening = buyer.positions[place].size == 0
        is_seller_opening = seller.positions[positions.get_position(seller, regs.market)].size == 0
        delta: int256 = convert(size, int256)
        worth: int256 = margin.compute_value(delta, convert(regs.clearing, int256), market)
        fee: int256 = margin.compute_fee(worth, matching.get_maker_rate(market))
        market, buyer = matching.apply_trade(
            market, buyer, regs.market, records.BUY, delta, regs.clearing, fee
        )
        market, seller = matching.apply_trade(
            market, seller, regs.market, records.SELL, -delta, regs.clearing, fee
        )
        values[0] = leaves.encode_market(market)
        values[6] = leaves.encode_account(seller)
    bid.size -= size
    ask.size -= size
    bid_level.size -= size
    ask_level.size -= size
    regs = self.leave_used_up(regs, bid, ask)
    if is_buyer_opening:
        regs = holders.enrol(regs, buyer_id)
    if is_seller_opening:
        regs = holders.enrol(regs, seller_id)
    values[1] = leaves.encode_level(bid_level)
    values[2] = leaves.encode_level(ask_level)
    values[3] = leaves.encode_order(bid)
    values[4] = leaves.encode_order(ask)
    values[5] = leaves.encode_account(buyer)
    return regs, values


@internal
@pure
def leave_used_up(pre: registers.Registers, bid: leaves.Order, ask: leaves.Order) -> registers.Registers:
    """
    @notice Take out of the book what is used up, one after the other, and go on with those that are first then.
    """
    regs: registers.Registers = pre
    regs.next_phase = phases.PAIR
    regs.phase = phases.PAIR if bid.size != 0 and ask.size != 0 else phases.UNLINK
    regs.cursor = regs.ask if bid.size != 0 else regs.bid
    regs.peer = 0 if bid.size != 0 or ask.size != 0 else regs.ask
    return regs
