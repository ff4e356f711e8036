# pragma version 0.4.3
"""
@title The order book: FIFO lists at price levels, and bitmaps that find the best level
@license MIT
@notice A side's 2**24 ticks are indexed by a tree of 256-bit words, three deep; the best price is found in three words,
        with no sorted list and no hint. Twin: `shared/rules/book.py`.
"""

import errors
from codec import records
from rules import levels
from rules import matching
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
    @notice Put the order (what is left of it) at the end of the level in the registers.
            Leaves: account, level, new order, the level's last order.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    handle: uint256 = keys.order_handle(regs.account, regs.order_slot)
    account: leaves.Account = store.account(w, 0, regs.account)
    level: leaves.Level = store.level(w, 1, regs.level_market, regs.level_side, regs.tick)
    order: leaves.Order = store.order(w, 2, handle)
    touched: uint256 = 3
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
    if level.count != 0:
        last: leaves.Order = store.order(w, 3, level.tail)
        touched = 4
        last.next = handle
        values[3] = leaves.encode_order(last)
        regs = registers.finish(regs)
    else:
        level.head = handle
        regs.phase = phases.LIST
    level.tail = handle
    level.size += regs.size
    level.count += 1
    store.check_count(w, touched)
    values[0] = leaves.encode_account(positions.count_order(account, regs.market, regs.order_slot))
    values[1] = leaves.encode_level(level)
    values[2] = leaves.encode_order(order)
    return regs, values


@internal
@pure
def step_unlink(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take the order at the cursor out of the book and release what it still reserved.
            Leaves: order; where there is one: its account, its level, the order before it, the order after it.
    @dev An order in the book is counted, with its lots, in its level, so neither count nor size underflows.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    order: leaves.Order = store.order(w, 0, regs.cursor)
    is_other: bool = regs.kind == records.CANCEL and regs.client != 0 and regs.client != order.client
    if order.market == 0 or is_other:
        store.check_count(w, 1)
        return registers.reject(regs, errors.UNKNOWN_ORDER), values
    regs.level_market = order.market
    regs.level_side = levels.get_level_side(order)
    regs.tick = levels.get_level_tick(order)
    account: leaves.Account = store.account(w, 1, keys.handle_account(regs.cursor))
    account = positions.discount_order(account, order, keys.handle_order_slot(regs.cursor))
    level: leaves.Level = store.level(w, 2, regs.level_market, regs.level_side, regs.tick)
    touched: uint256 = 3
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
    values[1] = leaves.encode_account(account)
    values[2] = leaves.encode_level(level)
    regs.phase = regs.next_phase if level.count != 0 else phases.UNLIST
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
    market: leaves.Market = store.market(w, 0, regs.level_market)
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, 1 + i, regs.level_market, regs.level_side, depth, regs.tick)
        bitmap.word |= 1 << keys.bitmap_bit(depth, regs.tick)
        values[1 + i] = leaves.encode_bitmap(bitmap)
    best: uint256 = levels.get_best(market, regs.level_side)
    is_better: bool = regs.tick < best
    if levels.is_highest_first(regs.level_side):
        is_better = regs.tick > best
    if best == 0 or is_better:
        market = levels.set_best(market, regs.level_side, regs.tick)
    values[0] = leaves.encode_market(market)
    return registers.finish(regs), values


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
    market: leaves.Market = store.market(w, 0, regs.level_market)
    is_empty: bool = True
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, 1 + i, regs.level_market, regs.level_side, depth, regs.tick)
        if is_empty:
            bitmap.word &= ~(1 << keys.bitmap_bit(depth, regs.tick))
            is_empty = bitmap.word == 0
            values[1 + i] = leaves.encode_bitmap(bitmap)
    regs.phase = phases.SEEK if levels.get_best(market, regs.level_side) == regs.tick else regs.next_phase
    return regs, values


@internal
@pure
def step_seek(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Find the best level again. Leaves: market, bitmap words from the top to the leaf (only the top if empty).
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    market: leaves.Market = store.market(w, 0, regs.level_market)
    tick: uint256 = 0
    touched: uint256 = 1
    for depth: uint256 in range(3):
        bitmap: leaves.Bitmap = store.bitmap(w, touched, regs.level_market, regs.level_side, depth, tick)
        touched += 1
        if bitmap.word == 0:
            break
        tick |= self.get_best_bit(bitmap.word, regs.level_side) << (16 - 8 * depth)
    store.check_count(w, touched)
    regs.phase = regs.next_phase
    values[0] = leaves.encode_market(levels.set_best(market, regs.level_side, tick))
    return regs, values


@internal
@pure
def step_next(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Fill-or-kill, first pass: go on to the level behind the one just counted.
            Leaves: bitmap words from the leaf up to the first with a level behind, and down again to that level; the
            level.
    """
    regs: registers.Registers = pre
    tick: uint256 = 0
    touched: uint256 = 0
    tick, touched = self.find_next(regs, w)
    is_beyond: bool = tick < regs.price
    if regs.side == records.BUY:
        is_beyond = tick > regs.price
    if tick == 0 or is_beyond:
        store.check_count(w, touched)
        return matching.drop(regs, errors.UNFILLABLE), w.values
    level: leaves.Level = store.level(w, touched, regs.level_market, regs.level_side, tick)
    store.check_count(w, touched + 1)
    regs.tick = tick
    regs.cursor = level.head
    regs.phase = phases.PROBE
    return regs, w.values


@internal
@pure
def find_next(regs: registers.Registers, w: store.Witness) -> (uint256, uint256):
    """
    @return The next level behind `regs.tick` on its side, 0 if there is none; and how many leaves that took, from the
            witness's first on.
    """
    market: uint256 = regs.level_market
    side: uint256 = regs.level_side
    tick: uint256 = regs.tick
    touched: uint256 = 0
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        word: uint256 = store.bitmap(w, touched, market, side, depth, tick).word
        word = self.mask_behind(word, keys.bitmap_bit(depth, tick), side)
        touched += 1
        if word != 0:
            tick = (tick >> (24 - 8 * depth) << 8 | self.get_best_bit(word, side)) << (16 - 8 * depth)
            for below: uint256 in range(depth + 1, 3, bound=2):
                word = store.bitmap(w, touched, market, side, below, tick).word
                touched += 1
                tick |= self.get_best_bit(word, side) << (16 - 8 * below)
            return tick, touched
    return 0, touched


@internal
@pure
def mask_behind(word: uint256, bit: uint256, side: uint256) -> uint256:
    """
    @return The bits of `word` for worse prices than `bit`: lower ones where the highest is best, else higher ones.
    """
    if levels.is_highest_first(side):
        return word & ((1 << bit) - 1)
    # A shift by 256, behind the highest bit, leaves nothing.
    return word >> (bit + 1) << (bit + 1)


@internal
@pure
def get_best_bit(word: uint256, side: uint256) -> uint256:
    """
    @return Number of the bit that stands for the best price: the highest or the lowest; word != 0.
    """
    if levels.is_highest_first(side):
        return levels._highest_bit(word)
    return levels._lowest_bit(word)
