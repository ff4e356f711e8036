"""The crank, which lets a market's time pass: it measures the depth of the book, samples what it shows, or settles.

Twin: ``contracts/rules/crank.vy``. The book is measured as a taker would find it, maker by maker from the best level of
each side: what counts is an order that is live and whose account can carry it, until `impact` lots are reached; who
would be pruned by a taker is pruned. So lots that cannot trade, and prices behind which there are too few, say nothing.
However many makers there are, it meets them all: where the input has no steps left, the next record goes on. So no
number of small orders hides the lots behind them.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import div_up
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import find_best, find_next
from setoff.shared.rules.calls import begin_auction, is_auction_due, is_calling
from setoff.shared.rules.levels import is_highest_first
from setoff.shared.rules.margin import settle_account
from setoff.shared.rules.marks import (
    begin_interval,
    begin_work,
    is_expired,
    is_fresh,
    take_sample,
    update_mark,
    weigh_index,
)
from setoff.shared.rules.matching import can_maker_fill, is_maker_sure
from setoff.shared.rules.scale import follow_scale
from setoff.shared.rules.wind_down import is_over
from setoff.shared.rules.work import is_out_of_steps, pause
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_crank(regs: Registers, state: State) -> None:
    """Settle a market that has expired; of any other begin to measure the book.

    A market that is over, because the exchange winds down or its oracle is dead, expires now. Where an auction is
    due it holds that instead, whenever that is; and a book in which nothing meets anything offers no depth.
    Of no market: settle requests of the backstop, for which no change of a price has to be there.
    Leaves: market; none of no market.
    """
    if regs.market == 0:
        regs.settling = 1
        regs.phase = phases.SHARES
        return
    market = state.market(regs.market)
    if is_auction_due(market, regs.time, regs.winding_since):
        begin_auction(regs, market)
        return
    if market.settled or market.sampled + phases.SAMPLE_INTERVAL > regs.time or market.index == 0:
        regs.reject(errors.NOT_DUE)
        return
    if is_over(regs, market) and not is_expired(market, regs.time):
        market.expiry = regs.time
    if is_expired(market, regs.time):
        mark_before = market.mark
        settle_market(market, regs.time)
        begin_work(regs, mark_before)
    elif not is_fresh(market, regs.time):
        regs.reject(errors.STALE_PRICE)
    elif is_calling(market, regs.time):
        regs.phase = phases.SAMPLE
    else:
        regs.size = max(1, market.impact)
        begin_side(regs, records.BUY)


def settle_market(market: Market, time: int) -> None:
    """Bring an expired market to its settlement price, and settle it once its mark is there.

    So whoever cannot pay the way to that price is first liquidated like at any change of a price.
    """
    weigh_index(market, time)
    price = market.twap_sum // market.twap_time if market.twap_time else market.index
    if market.mark == price:
        market.settled = 1
    market.index = price
    market.index_time = time
    market.index_flags = phases.INDEX_RETURNING
    market.mark = price
    market.sampled = time


def begin_side(regs: Registers, side: int) -> None:
    """Begin to measure a side of the book, that of makers on `side`, before its best level.

    `size`: the lots that have to be there; `fok_lots` counts them, `amount` adds up lots times ticks.
    """
    regs.side = 1 - side
    regs.level_market = regs.market
    regs.level_side = side
    regs.tick = 0
    regs.fok_lots = 0
    regs.amount = 0
    regs.phase = phases.DESCEND


def end_side(regs: Registers) -> None:
    """Note the impact price of the side that was measured, 0 if it is thin, and go on with the asks or the sample.

    Each is rounded away from the middle: so rounding alone never puts the index outside of them.
    """
    is_deep = regs.fok_lots == regs.size
    if regs.level_side == records.BUY:
        regs.trigger = regs.amount // regs.size if is_deep else 0
        begin_side(regs, records.SELL)
    else:
        regs.price = div_up(regs.amount, regs.size) if is_deep else 0
        regs.phase = phases.SAMPLE


def step_descend(regs: Registers, state: State) -> None:
    """Go on to the next level of the side that is measured, at first to its best; a side without one more is thin.

    Leaves: bitmap words, from the top to the best level, or from the leaf up to the first with a level behind and down
    again to that; the level.
    """
    tree = keys.level_tree(regs.level_market, regs.level_side)
    is_highest = is_highest_first(regs.level_side)
    tick = find_next(state, tree, regs.tick, is_highest) if regs.tick else find_best(state, tree, is_highest)
    if tick == 0:
        end_side(regs)
        return
    regs.tick = tick
    regs.peer = state.level(regs.level_market, regs.level_side, tick).head
    regs.phase = phases.DEPTH


def step_depth(regs: Registers, state: State) -> None:
    """Count what the next maker offers, or prune it as a taker would; go on until `impact` lots are counted.

    Leaves: maker's order; maker's account and the market of each of its positions. None if the input is out of steps.
    """
    if is_out_of_steps(regs):
        pause(regs, phases.DEPTH)
        return
    regs.cursor = regs.peer
    order = state.order(regs.cursor)
    account = state.account(keys.handle_account(regs.cursor))
    settle_account(state, account, regs.time)
    regs.peer = order.next
    regs.price = order.price
    if not can_maker_fill(regs, state, account, order):
        regs.next_phase = choose_phase(regs)
        regs.phase = phases.UNLINK
        return
    if is_maker_sure(regs, state, account, order, regs.price):
        regs.fok_lots += regs.lots
        regs.amount += regs.lots * order.price
    if regs.fok_lots == regs.size:
        end_side(regs)
    else:
        regs.phase = choose_phase(regs)


def choose_phase(regs: Registers) -> int:
    """Phase to go on with: the level's next maker, or the next level."""
    return phases.DEPTH if regs.peer else phases.DESCEND


def step_sample(regs: Registers, state: State) -> None:
    """Take a sample of what was measured, and set the mark; margins follow open interest. Leaves: market, terms.

    What changed lets the machine visit all holders.
    """
    market = state.market(regs.market)
    follow_scale(market, state.terms())
    take_sample(market, regs.trigger, regs.price, regs.time)
    market.sampled = regs.time
    begin_interval(market, regs.time)
    mark_before = market.mark
    update_mark(market)
    regs.unwind = regs.market
    begin_work(regs, mark_before)
