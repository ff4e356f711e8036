"""The order book: FIFO lists at price levels, and bitmaps that find the best level. Twin: ``contracts/rules/book.vy``.

A side's 2**24 ticks are indexed by a tree of 256-bit words, three deep; the best price is found in three words, with no
sorted list and no hint.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.positions import get_position, release
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_rest(regs: Registers, state: State) -> None:
    """Put what is left of the order at the end of its level. Leaves: level, new order, the level's last order."""
    handle = keys.order_handle(regs.account, regs.place)
    level = state.level(regs.market, regs.side, regs.price)
    order = state.order(handle)
    order.market = regs.market
    order.side = regs.side
    order.flags = regs.flags
    order.price = regs.price
    order.size = regs.size
    order.prev = level.tail
    order.sequence = regs.sequence
    order.nonce = regs.nonce
    regs.tick = regs.price
    regs.level_side = regs.side
    if level.count:
        state.order(level.tail).next = handle
        regs.phase = phases.IDLE
    else:
        level.head = handle
        regs.phase = phases.LIST
    level.tail = handle
    level.size += regs.size
    level.count += 1


def step_unlink(regs: Registers, state: State) -> None:
    """Take the order at the cursor out of the book and release what it still reserved.

    Leaves: order; where there is one: its account if lots are left, its level, the order before it, the order after it.
    """
    order = state.order(regs.cursor)
    if order.market == 0:
        regs.outcome = errors.UNKNOWN_ORDER
        regs.phase = phases.IDLE
        return
    regs.market = order.market
    regs.level_side = order.side
    regs.tick = order.price
    if order.size:
        account = state.account(keys.handle_account(regs.cursor))
        release(get_position(account, order.market), order.side, order.size)
    level = state.level(order.market, order.side, order.price)
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
    order.clear()
    regs.phase = regs.resume if level.count else phases.UNLIST


def step_list(regs: Registers, state: State) -> None:
    """Mark a new level in the bitmaps. Leaves: market, bitmap words from the leaf to the top."""
    market = state.market(regs.market)
    for depth in (2, 1, 0):
        bitmap = state.bitmap(regs.market, regs.level_side, depth, regs.tick)
        bitmap.word |= 1 << keys.bitmap_bit(depth, regs.tick)
    if regs.level_side == records.BUY:
        market.best_bid = max(market.best_bid, regs.tick)
    elif market.best_ask == 0 or regs.tick < market.best_ask:
        market.best_ask = regs.tick
    regs.phase = phases.IDLE


def step_unlist(regs: Registers, state: State) -> None:
    """Unmark an empty level; a word that becomes empty is unmarked in the one above.

    Leaves: market, bitmap words from the leaf to the top.
    """
    market = state.market(regs.market)
    is_empty = True
    for depth in (2, 1, 0):
        bitmap = state.bitmap(regs.market, regs.level_side, depth, regs.tick)
        if is_empty:
            bitmap.word &= ~(1 << keys.bitmap_bit(depth, regs.tick))
            is_empty = bitmap.word == 0
    best = market.best_bid if regs.level_side == records.BUY else market.best_ask
    regs.phase = phases.SEEK if best == regs.tick else regs.resume


def step_seek(regs: Registers, state: State) -> None:
    """Find the best level again. Leaves: market, bitmap words from the top to the leaf (only the top if empty)."""
    market = state.market(regs.market)
    tick = 0
    for depth in (0, 1, 2):
        word = state.bitmap(regs.market, regs.level_side, depth, tick).word
        if word == 0:
            break
        tick |= get_best_bit(word, regs.level_side) << (16 - 8 * depth)
    if regs.level_side == records.BUY:
        market.best_bid = tick
    else:
        market.best_ask = tick
    regs.phase = regs.resume


def get_best_bit(word: int, side: int) -> int:
    """Number of the bit that stands for the best price: the highest for bids, the lowest for asks; word != 0."""
    return word.bit_length() - 1 if side == records.BUY else (word & -word).bit_length() - 1
