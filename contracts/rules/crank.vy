# pragma version 0.4.3
"""
@title The crank, which lets a market's time pass: it measures the depth of the book, samples what it shows, or settles
@license MIT
@notice The book is measured as a taker would find it, maker by maker from the best level of each side: what counts is an
        order that is live and whose account can carry it, until `impact` lots are reached; who would be pruned by a taker
        is pruned. So lots that cannot trade, and prices behind which there are too few, say nothing. However many makers
        there are, it meets them all: where the input has no steps left, the next record goes on. So no number of small
        orders hides the lots behind them. Twin: `shared/rules/crank.py`.
@dev Lots counted are below 2**64 and prices below 2**24, so an amount stays below 2**88. Lots of a maker are at most those
     left to count, so no sum of them exceeds what has to be there.
"""

import errors
from codec import integers
from codec import records
from rules import bitmaps
from rules import calls
from rules import levels
from rules import margin
from rules import marks
from rules import matching
from rules import phases
from rules import positions
from rules import scale
from rules import wind_down
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_crank(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Settle a market that has expired; of any other begin to measure the book. A market that is over, because the
            exchange winds down or its oracle is dead, expires now. Where an auction is due it holds that instead,
            whenever that is; and a book in which nothing meets anything offers no depth. Of no market: settle requests of
            the backstop, for which no change of a price has to be there. Leaves: market; none of no market.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    if regs.market == 0:
        store.check_count(w, 0)
        regs.settling = 1
        regs.phase = phases.SHARES
        return regs, values
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, regs.market)
    if calls.is_auction_due(market, regs.time, regs.winding_since):
        return calls.begin_auction(regs, market), values
    if market.settled != 0 or market.sampled + phases.SAMPLE_INTERVAL > regs.time or market.index == 0:
        return registers.reject(regs, errors.NOT_DUE), values
    if wind_down.is_over(regs, market) and not marks.is_expired(market, regs.time):
        market.expiry = regs.time
    if marks.is_expired(market, regs.time):
        values[0] = leaves.encode_market(self.settle_market(market, regs.time))
        return marks.begin_work(regs, market.mark), values
    if not marks.is_fresh(market, regs.time):
        return registers.reject(regs, errors.STALE_PRICE), values
    if calls.is_calling(market, regs.time):
        regs.phase = phases.SAMPLE
        return regs, values
    regs.size = max(1, market.impact)
    return self.begin_side(regs, records.BUY), values


@internal
@pure
def settle_market(pre: leaves.Market, time: uint256) -> leaves.Market:
    """
    @notice Bring an expired market to its settlement price, and settle it once its mark is there. So whoever cannot pay
            the way to that price is first liquidated like at any change of a price.
    """
    market: leaves.Market = marks.weigh_index(pre, time)
    price: uint256 = market.index
    if market.twap_time != 0:
        price = market.twap_sum // market.twap_time
    if market.mark == price:
        market.settled = 1
    market.index = price
    market.index_time = time
    market.index_flags = phases.INDEX_RETURNING
    market.mark = price
    market.sampled = time
    return market


@internal
@pure
def begin_side(pre: registers.Registers, side: uint256) -> registers.Registers:
    """
    @return The registers of a machine that begins to measure a side of the book, that of makers on `side`, before its
            best level. `size`: the lots that have to be there; `fok_lots` counts them, `amount` adds up lots times ticks.
    """
    regs: registers.Registers = pre
    regs.side = 1 - side
    regs.level_market = regs.market
    regs.level_side = side
    regs.tick = 0
    regs.fok_lots = 0
    regs.amount = 0
    regs.phase = phases.DESCEND
    return regs


@internal
@pure
def end_side(pre: registers.Registers) -> registers.Registers:
    """
    @notice Note the impact price of the side that was measured, 0 if it is thin, and go on with the asks or the sample.
            Each is rounded away from the middle: so rounding alone never puts the index outside of them.
    """
    regs: registers.Registers = pre
    is_deep: bool = regs.fok_lots == regs.size
    if regs.level_side == records.BUY:
        regs.trigger = regs.amount // regs.size if is_deep else 0
        return self.begin_side(regs, records.SELL)
    regs.price = integers.div_up(regs.amount, regs.size) if is_deep else 0
    regs.phase = phases.SAMPLE
    return regs


@internal
@pure
def step_descend(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Go on to the next level of the side that is measured, at first to its best; a side without one more is thin.
            Leaves: bitmap words, from the top to the best level, or from the leaf up to the first with a level behind and
            down again to that; the level.
    """
    regs: registers.Registers = pre
    tree: uint256 = keys.level_tree(regs.level_market, regs.level_side)
    is_highest: bool = levels.is_highest_first(regs.level_side)
    tick: uint256 = 0
    touched: uint256 = 0
    if regs.tick != 0:
        tick, touched = bitmaps.find_next(w, 0, tree, regs.tick, is_highest)
    else:
        tick, touched = bitmaps.find_best(w, 0, tree, is_highest)
    if tick == 0:
        store.check_count(w, touched)
        return self.end_side(regs), w.values
    level: leaves.Level = store.level(w, touched, regs.level_market, regs.level_side, tick)
    store.check_count(w, touched + 1)
    regs.tick = tick
    regs.peer = level.head
    regs.phase = phases.DEPTH
    return regs, w.values


@internal
@pure
def step_depth(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Count what the next maker offers, or prune it as a taker would; go on until `impact` lots are counted.
            Leaves: maker's order; maker's account and the market of each of its positions. None if the input is out of
            steps.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    if work.is_out_of_steps(regs):
        store.check_count(w, 0)
        return work.pause(regs, phases.DEPTH), values
    regs.cursor = regs.peer
    order: leaves.Order = store.order(w, 0, regs.cursor)
    account: leaves.Account = store.account(w, 1, keys.handle_account(regs.cursor))
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 2, account, regs.time)
    regs.peer = order.next
    regs.price = order.price
    can_fill: bool = False
    regs, can_fill = matching.can_maker_fill(regs, account, markets, order)
    if not can_fill:
        regs.next_phase = self.choose_phase(regs)
        regs.phase = phases.UNLINK
    else:
        if matching.is_maker_sure(regs, account, markets, order, regs.price):
            regs.fok_lots += regs.lots
            regs.amount += regs.lots * order.price
        if regs.fok_lots == regs.size:
            regs = self.end_side(regs)
        else:
            regs.phase = self.choose_phase(regs)
    values[1] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 2, markets)


@internal
@pure
def choose_phase(regs: registers.Registers) -> uint256:
    """
    @return Phase to go on with: the level's next maker, or the next level.
    """
    return phases.DEPTH if regs.peer != 0 else phases.DESCEND


@internal
@pure
def step_sample(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take a sample of what was measured, and set the mark; margins follow open interest. Leaves: market, terms.
            What changed lets the machine visit all holders.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 2)
    market: leaves.Market = store.market(w, 0, regs.market)
    market = scale.follow_scale(market, store.terms(w, 1))
    market = marks.take_sample(market, regs.trigger, regs.price, regs.time)
    market.sampled = regs.time
    market = marks.begin_interval(market, regs.time)
    values[0] = leaves.encode_market(marks.update_mark(market))
    regs.unwind = regs.market
    return marks.begin_work(regs, market.mark), values
