"""The order book: FIFO lists at price levels, and bitmaps that find the best level. Twin: ``contracts/rules/book.vy``.

A side's 2**24 ticks are indexed by a tree of bitmap words (`bitmaps.py`); the best price is found in three words, with
no sorted list and no hint.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.agents import may_trade
from setoff.shared.rules.bitmaps import find_best, find_next, mark, unmark
from setoff.shared.rules.levels import get_best, get_level_side, get_level_tick, is_highest_first, set_best
from setoff.shared.rules.matching import drop
from setoff.shared.rules.positions import count_order, discount_order, get_partner
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_rest(regs: Registers, state: State) -> None:
    """Put the order (what is left of it) at the end of the level in the registers, and make it its partner's partner.

    Leaves: account, level, new order, the level's last order, its partner if it has one.
    """
    handle = keys.order_handle(regs.account, regs.order_slot)
    account = state.account(regs.account)
    level = state.level(regs.level_market, regs.level_side, regs.tick)
    order = state.order(handle)
    order.market = regs.market
    order.side = regs.side
    order.flags = regs.flags
    order.price = regs.price
    order.size = regs.size
    order.prev = level.tail
    order.expiry = regs.expiry
    order.client = regs.client
    order.sequence = regs.sequence
    order.trigger = regs.trigger
    if level.count:
        state.order(level.tail).next = handle
        regs.finish()
    else:
        level.head = handle
        regs.phase = phases.LIST
    level.tail = handle
    level.size += regs.size
    level.count += 1
    if regs.peer:
        order.partner = keys.handle_order_slot(regs.peer) + 1
        state.order(regs.peer).partner = regs.order_slot + 1
    count_order(account, regs.market, regs.order_slot)


def step_unlink(regs: Registers, state: State) -> None:
    """Take the order at the cursor out of the book and release what it still reserved. Its partner is nobody's then.

    Leaves: order; where there is one: its account, its level, the order before it, the order after it, its partner.
    """
    order = state.order(regs.cursor)
    if order.market == 0 or (regs.kind == records.CANCEL and regs.client not in (0, order.client)):
        regs.reject(errors.UNKNOWN_ORDER)
        return
    if regs.kind == records.CANCEL and not may_trade(regs.scope, order.market):
        regs.reject(errors.OUT_OF_SCOPE)
        return
    regs.level_market = order.market
    regs.level_side = get_level_side(order)
    regs.tick = get_level_tick(order)
    number = keys.handle_account(regs.cursor)
    account = state.account(number)
    discount_order(account, order, keys.handle_order_slot(regs.cursor))
    level = state.level(regs.level_market, regs.level_side, regs.tick)
    level.size -= order.size
    level.count -= 1
    if order.prev:
        state.order(order.prev).next = order.next
    else:
        level.head = order.next
    if order.next:
        state.order(order.next).prev = order.prev
    else:
        level.tail = order.prev
    if order.partner:
        state.order(get_partner(order, number)).partner = 0
    order.clear()
    regs.phase = regs.next_phase if level.count else phases.UNLIST


def step_list(regs: Registers, state: State) -> None:
    """Mark a new level in the bitmaps. Leaves: market, bitmap words from the leaf to the top."""
    market = state.market(regs.level_market)
    mark(state, get_tree(regs), regs.tick)
    best = get_best(market, regs.level_side)
    if best == 0 or (regs.tick > best if is_highest_first(regs.level_side) else regs.tick < best):
        set_best(market, regs.level_side, regs.tick)
    regs.finish()


def step_unlist(regs: Registers, state: State) -> None:
    """Unmark an empty level. Leaves: market, bitmap words from the leaf to the top."""
    market = state.market(regs.level_market)
    unmark(state, get_tree(regs), regs.tick)
    regs.phase = phases.SEEK if get_best(market, regs.level_side) == regs.tick else regs.next_phase


def step_seek(regs: Registers, state: State) -> None:
    """Find the best level again. Leaves: market, bitmap words from the top to the leaf (only the top if empty)."""
    market = state.market(regs.level_market)
    tick = find_best(state, get_tree(regs), is_highest_first(regs.level_side))
    set_best(market, regs.level_side, tick)
    regs.phase = regs.next_phase


def step_next(regs: Registers, state: State) -> None:
    """Fill-or-kill, first pass: go on to the level behind the one just counted.

    Leaves: bitmap words from the leaf up to the first with a level behind, and down again to that level; the level.
    """
    tick = find_next(state, get_tree(regs), regs.tick, is_highest_first(regs.level_side))
    if tick == 0 or (tick > regs.price if regs.side == records.BUY else tick < regs.price):
        drop(regs, errors.UNFILLABLE)
        return
    regs.tick = tick
    regs.cursor = state.level(regs.level_market, regs.level_side, tick).head
    regs.phase = phases.PROBE


def get_tree(regs: Registers) -> int:
    """The bitmap words over the levels of the side in the registers."""
    return keys.level_tree(regs.level_market, regs.level_side)
