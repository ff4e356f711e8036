"""The call auction: one price for a book that crosses, and all who meet at it. Twin: ``contracts/rules/auction.vy``.

First both sides are gone through from their best orders on, one order a step, until they no longer cross: what is dead
or cannot be paid for is pruned, and what an account could not trade together counts nothing. Then the two first orders
trade at the clearing price, again and again, each judged as it comes. Price: most lots, then least surplus, then the
side of the surplus, then the reference price (Xetra, "Market Model", price determination in auctions; alike Nasdaq rule
4752 and the opening of CME Globex and HKEX).
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import find_best, find_next
from setoff.shared.rules.calls import compute_clearing, end_auction, is_auction_due
from setoff.shared.rules.holders import enrol
from setoff.shared.rules.levels import is_highest_first
from setoff.shared.rules.margin import compute_fee, compute_value, is_fill_legal, settle_account
from setoff.shared.rules.marks import get_middle
from setoff.shared.rules.matching import apply_trade, get_maker_rate, is_maker_sure
from setoff.shared.rules.positions import get_closable, get_position, is_live, release
from setoff.shared.rules.work import is_out_of_steps, pause
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Order
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_approach(regs: Registers, state: State) -> None:
    """Go on to the next level of a side, at first to its best.

    Leaves: bitmap words, from the top to the best level, or from the leaf up to the first with a level behind and down
    again to that; the level.
    """
    side = regs.level_side
    tree = keys.level_tree(regs.market, side)
    is_highest = is_highest_first(side)
    before = regs.bid_tick if side == records.BUY else regs.ask_tick
    tick = find_next(state, tree, before, is_highest) if before else find_best(state, tree, is_highest)
    if side == records.BUY:
        regs.bid_tick = tick
    else:
        regs.ask_tick = tick or keys.MAX_TICK + 1
    if tick:
        head = state.level(regs.market, side, tick).head
        if side == records.BUY:
            regs.bid = head
        else:
            regs.ask = head
        regs.phase = phases.TALLY
    elif side == records.BUY and regs.surplus == 0:
        # No bid is left. The next ask, which ends it, still bounds the price.
        regs.level_side = records.SELL
        regs.phase = choose_phase(regs)
    else:
        regs.phase = phases.PAIR


def choose_phase(regs: Registers) -> int:
    """Phase to go on with on the side that is looked at: its next order, or its next level."""
    return phases.TALLY if (regs.bid if regs.level_side == records.BUY else regs.ask) else phases.APPROACH


def step_tally(regs: Registers, state: State) -> None:
    """Count what the next order of a side offers against the surplus of the other, or prune it as a taker would.

    Leaves: none where the input is out of steps; else the order, its account and the market of each of its positions.
    """
    if is_out_of_steps(regs):
        pause_auction(regs, phases.TALLY)
        return
    side = regs.level_side
    regs.cursor = regs.bid if side == records.BUY else regs.ask
    order = state.order(regs.cursor)
    account = state.account(keys.handle_account(regs.cursor))
    settle_account(state, account, regs.time)
    market = state.market(regs.market)
    if side == records.BUY:
        regs.bid = order.next
    else:
        regs.ask = order.next
    lots = get_offered(regs, account, order)
    if lots == 0 or not is_legal(regs, state, account, order, lots, order.price):
        regs.next_phase = choose_phase(regs)
        regs.phase = phases.UNLINK
    elif not is_maker_sure(regs, state, account, order, market.best_bid):
        regs.phase = choose_phase(regs)
    else:
        tally(regs, side, lots)


def pause_auction(regs: Registers, phase: int) -> None:
    """The input ends in the middle of the auction: it goes on with the next record.

    What waits for it has no outcome any more: it returns to LEG, where no leg is left.
    """
    if regs.return_phase == phases.IDLE:
        regs.return_phase = phases.LEG
    pause(regs, phase)


def get_offered(regs: Registers, account: Account, order: Order) -> int:
    """Lots that an order offers now: none if it is dead, and if it only closes no more than it can close."""
    if not is_live(order, account, regs.time):
        return 0
    if order.flags & records.REDUCE_ONLY:
        return min(order.size, get_closable(get_position(account, regs.market), order.side))
    return order.size


def is_legal(regs: Registers, state: State, account: Account, order: Order, lots: int, price: int) -> bool:
    """Whether the order's account may trade so many lots at a price. Leaves: as `settle_account`."""
    delta = lots if order.side == records.BUY else -lots
    return is_fill_legal(state, account, regs.market, delta, price, get_maker_rate(state.market(regs.market)))


def tally(regs: Registers, side: int, lots: int) -> None:
    """Set the lots of an order of `side` off against the surplus, and choose the side to look at next.

    A bid begins where there is no surplus. It ends with the first pair that does not cross.
    """
    if regs.surplus or side == records.SELL:
        if regs.bid_tick < regs.ask_tick:
            regs.phase = phases.PAIR
            return
        regs.clearing = regs.ask_tick
        regs.ceiling = regs.bid_tick
    if lots > regs.surplus:
        regs.surplus = lots - regs.surplus
        regs.level_side = 1 - side
    else:
        regs.surplus -= lots
        regs.level_side = side if regs.surplus else records.BUY
    regs.phase = choose_phase(regs)


def step_pair(regs: Registers, state: State) -> None:
    """Turn to the first orders of both sides as long as the book crosses; the younger of the two is judged first.

    An auction that was paused does not go on past an end, nor on an index that is no longer fresh.

    At first the clearing price is set. Where the two do not meet at it, because somebody in between could not trade,
    the price is from there on the one between theirs that is next to the index.
    Leaves: none while the second of two orders that are used up leaves, or where the input is out of steps; else the
    market; where it goes on, the best levels of bids and asks and their first orders.
    """
    if regs.peer:
        regs.cursor = regs.peer
        regs.peer = 0
        regs.next_phase = phases.PAIR
        regs.phase = phases.UNLINK
        return
    if is_out_of_steps(regs):
        pause_auction(regs, phases.PAIR)
        return
    market = state.market(regs.market)
    if regs.ceiling:
        regs.clearing = compute_clearing(regs.clearing, regs.ceiling, regs.bid_tick, regs.ask_tick, market.index)
        regs.ceiling = 0
        regs.surplus = 0
    if not is_auction_due(market, regs.time, regs.winding_since):
        end_auction(regs)
        return
    if not market.best_ask <= regs.clearing <= market.best_bid:
        regs.clearing = get_middle(market.index, market.best_ask, market.best_bid)
    regs.bid_tick = market.best_bid
    regs.ask_tick = market.best_ask
    regs.bid = state.level(regs.market, records.BUY, regs.bid_tick).head
    regs.ask = state.level(regs.market, records.SELL, regs.ask_tick).head
    bid = state.order(regs.bid)
    ask = state.order(regs.ask)
    regs.lots = min(bid.size, ask.size)
    regs.matches = 0
    regs.level_side = records.BUY if bid.sequence > ask.sequence else records.SELL
    regs.phase = phases.VOUCH


def step_vouch(regs: Registers, state: State) -> None:
    """Judge one of the two orders; both have to be able to trade the same lots at the clearing price, or it is pruned.

    Leaves: the order, its account and the market of each of its positions.
    """
    regs.cursor = regs.bid if regs.level_side == records.BUY else regs.ask
    order = state.order(regs.cursor)
    account = state.account(keys.handle_account(regs.cursor))
    settle_account(state, account, regs.time)
    lots = min(regs.lots, get_offered(regs, account, order))
    if (
        lots == 0
        or not is_legal(regs, state, account, order, lots, regs.clearing)
        or (regs.matches == 0 and is_over_cap(regs, state, account, order, lots))
    ):
        regs.next_phase = phases.PAIR
        regs.phase = phases.UNLINK
        return
    if lots < regs.lots:
        # The other side is asked about these, again if it has been.
        regs.lots = lots
        regs.matches = 0
    regs.matches += 1
    regs.level_side = 1 - regs.level_side
    regs.phase = phases.CROSS if regs.matches == 2 else phases.VOUCH


def is_over_cap(regs: Registers, state: State, account: Account, order: Order, lots: int) -> bool:
    """Whether the younger order, like a taker, opens a position beyond the cap of open interest. Leaves: the market."""
    market = state.market(regs.market)
    size = get_position(account, regs.market).size
    reach = size + lots if order.side == records.BUY else lots - size
    return reach > 0 and market.open_interest + lots > market.max_open_interest


def step_cross(regs: Registers, state: State) -> None:
    """Trade the two orders at the clearing price; whose position that opens is entered as a holder.

    Orders of one owner do not trade: both lose the lots that they have in common, as they were counted.
    Leaves: market, the levels of bid and ask, bid, ask, the bid's account; the ask's, if it is another.
    """
    market = state.market(regs.market)
    bid_level = state.level(regs.market, records.BUY, regs.bid_tick)
    ask_level = state.level(regs.market, records.SELL, regs.ask_tick)
    bid = state.order(regs.bid)
    ask = state.order(regs.ask)
    buyer_id = keys.handle_account(regs.bid)
    seller_id = keys.handle_account(regs.ask)
    buyer = state.account(buyer_id)
    seller = state.account(seller_id)
    is_buyer_opening = is_seller_opening = False
    if keys.get_master(buyer_id) == keys.get_master(seller_id):
        size = min(bid.size, ask.size)
        release(get_position(buyer, regs.market), records.BUY, size)
        release(get_position(seller, regs.market), records.SELL, size)
    else:
        size = regs.lots
        is_buyer_opening = get_position(buyer, regs.market).size == 0
        is_seller_opening = get_position(seller, regs.market).size == 0
        fee = compute_fee(compute_value(size, regs.clearing, market), get_maker_rate(market))
        apply_trade(market, buyer, regs.market, records.BUY, size, regs.clearing, fee)
        apply_trade(market, seller, regs.market, records.SELL, -size, regs.clearing, fee)
    bid.size -= size
    ask.size -= size
    bid_level.size -= size
    ask_level.size -= size
    leave_used_up(regs, bid, ask)
    if is_buyer_opening:
        enrol(regs, buyer_id)
    if is_seller_opening:
        enrol(regs, seller_id)


def leave_used_up(regs: Registers, bid: Order, ask: Order) -> None:
    """Take out of the book what is used up, one after the other, and go on with those that are first then."""
    regs.next_phase = phases.PAIR
    regs.phase = phases.PAIR if bid.size and ask.size else phases.UNLINK
    regs.cursor = regs.ask if bid.size else regs.bid
    regs.peer = 0 if bid.size or ask.size else regs.ask
