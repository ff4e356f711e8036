# pragma version 0.4.3
"""
@title The order book: FIFO lists at price levels, and bitmaps that find the best level
@license MIT
@notice A side's 2**24 ticks are indexed by a tree of 256-bit words, three deep; the best price is found in three words,
        with no sorted list and no hint. Twin: `shared/rules/book.py`.
"""

import errors
from codec import records
from rules import phases
from rules import positions
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_rest(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Put what is left of the order at the end of its level.
            Leaves: level, new order, the level's last order if any.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    handle: uint256 = keys.order_handle(regs.account, regs.place)
    level: leaves.Level = store.level(w, 0, regs.market, regs.side, regs.price)
    order: leaves.Order = store.order(w, 1, handle)
    touched: uint256 = 2
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
    if level.count != 0:
        last: leaves.Order = store.order(w, 2, level.tail)
        touched = 3
        last.next = handle
        values[2] = leaves.encode_order(last)
        regs.phase = phases.IDLE
    else:
        level.head = handle
        regs.phase = phases.LIST
    level.tail = handle
    level.size += regs.size
    level.count += 1
    store.check_count(w, touched)
    values[0] = leaves.encode_level(level)
    values[1] = leaves.encode_order(order)
    return regs, values


@internal
@pure
def step_unlink(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take the order at the cursor out of the book and release what it still reserved.
            Leaves: order; where there is one: its account if lots are left, its level, the order before it, the order
            after it.
    @dev An order in the book is counted, with its lots, in its level, so neither count nor size underflows.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    order: leaves.Order = store.order(w, 0, regs.cursor)
    touched: uint256 = 1
    if order.market == 0:
        store.check_count(w, touched)
        regs.outcome = errors.UNKNOWN_ORDER
        regs.phase = phases.IDLE
        return regs, values
    regs.market = order.market
    regs.level_side = order.side
    regs.tick = order.price
    if order.size != 0:
        account: leaves.Account = store.account(w, touched, keys.handle_account(regs.cursor))
        place: uint256 = positions.get_position(account, order.market)
        account.positions[place] = positions.release(account.positions[place], order.side, order.size)
        values[touched] = leaves.encode_account(account)
        touched += 1
    level: leaves.Level = store.level(w, touched, order.market, order.side, order.price)
    level_place: uint256 = touched
    touched += 1
    level.size -= order.size
    level.count -= 1
    if order.prev != 0:
        before: leaves.Order = store.order(w, touched, order.prev)
        before.next = order.next
        values[touched] = leaves.encode_order(before)
        touched += 1
    else:
        level.head = order.next
    if order.next != 0:
        behind: leaves.Order = store.order(w, touched, order.next)
        behind.prev = order.prev
        values[touched] = leaves.encode_order(behind)
        touched += 1
    else:
        level.tail = order.prev
    store.check_count(w, touched)
    values[0] = b""
    values[level_place] = leaves.encode_level(level)
    regs.phase = regs.resume if level.count != 0 else phases.UNLIST
    return regs, values


@internal
@pure
def step_list(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Mark a new level in the bitmaps. Leaves: market, bitmap words from the leaf to the top.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 4)
    market: leaves.Market = store.market(w, 0, regs.market)
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, 1 + i, regs.market, regs.level_side, depth, regs.tick)
        bitmap.word |= 1 << keys.bitmap_bit(depth, regs.tick)
        values[1 + i] = leaves.encode_bitmap(bitmap)
    if regs.level_side == records.BUY:
        market.best_bid = max(market.best_bid, regs.tick)
    elif market.best_ask == 0 or regs.tick < market.best_ask:
        market.best_ask = regs.tick
    regs.phase = phases.IDLE
    values[0] = leaves.encode_market(market)
    return regs, values


@internal
@pure
def step_unlist(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Unmark an empty level; a word that becomes empty is unmarked in the one above.
            Leaves: market, bitmap words from the leaf to the top.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    store.check_count(w, 4)
    market: leaves.Market = store.market(w, 0, regs.market)
    is_empty: bool = True
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, 1 + i, regs.market, regs.level_side, depth, regs.tick)
        if is_empty:
            bitmap.word &= ~(1 << keys.bitmap_bit(depth, regs.tick))
            is_empty = bitmap.word == 0
            values[1 + i] = leaves.encode_bitmap(bitmap)
    best: uint256 = market.best_bid if regs.level_side == records.BUY else market.best_ask
    regs.phase = phases.SEEK if best == regs.tick else regs.resume
    return regs, values


@internal
@pure
def step_seek(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Find the best level again. Leaves: market, bitmap words from the top to the leaf (the top alone if it is
            empty).
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    market: leaves.Market = store.market(w, 0, regs.market)
    tick: uint256 = 0
    touched: uint256 = 1
    for depth: uint256 in range(3):
        bitmap: leaves.Bitmap = store.bitmap(w, touched, regs.market, regs.level_side, depth, tick)
        touched += 1
        if bitmap.word == 0:
            break
        tick |= self.get_best_bit(bitmap.word, regs.level_side) << (16 - 8 * depth)
    store.check_count(w, touched)
    if regs.level_side == records.BUY:
        market.best_bid = tick
    else:
        market.best_ask = tick
    regs.phase = regs.resume
    values[0] = leaves.encode_market(market)
    return regs, values


@internal
@pure
def _highest_bit(word: uint256) -> uint256:
    """
    @return Number of the highest bit set; word != 0.
    """
    number: uint256 = 0
    rest: uint256 = word
    for i: uint256 in range(8):
        half: uint256 = 128 >> i
        if rest >> half != 0:
            rest >>= half
            number += half
    return number


@internal
@pure
def get_best_bit(word: uint256, side: uint256) -> uint256:
    """
    @return Number of the bit that stands for the best price: the highest for bids, the lowest for asks; word != 0.
    """
    if side == records.BUY:
        return self._highest_bit(word)
    # A word and its two's complement share the lowest bit set; 0 - word wraps on purpose.
    return self._highest_bit(word & unsafe_sub(0, word))
