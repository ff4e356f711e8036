# pragma version 0.4.3
"""
@title The order book: FIFO lists at price levels, and bitmaps that find the best level
@license MIT
@notice A side's 2**24 ticks are indexed by a tree of bitmap words (`bitmaps.vy`); the best price is found in three words,
        with no sorted list and no hint. Twin: `shared/rules/book.py`.
"""

import errors
from codec import records
from rules import agents
from rules import bitmaps
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
    @notice Put the order (what is left of it) at the end of the level in the registers, and make it its partner's partner.
            Leaves: account, level, new order, the level's last order, its partner if it has one.
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
    if regs.peer != 0:
        order.partner = keys.handle_order_slot(regs.peer) + 1
        partner: leaves.Order = store.order(w, touched, regs.peer)
        partner.partner = regs.order_slot + 1
        values[touched] = leaves.encode_order(partner)
        touched += 1
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
    @notice Take the order at the cursor out of the book and release what it still reserved. Its partner is nobody's then.
            Leaves: order; where there is one: its account, its level, the order before it, the order after it, its
            partner.
    @dev An order in the book is counted, with its lots, in its level, so neither count nor size underflows.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    order: leaves.Order = store.order(w, 0, regs.cursor)
    is_other: bool = regs.kind == records.CANCEL and regs.client != 0 and regs.client != order.client
    if order.market == 0 or is_other:
        store.check_count(w, 1)
        return registers.reject(regs, errors.UNKNOWN_ORDER), values
    if regs.kind == records.CANCEL and not agents.may_trade(regs.scope, order.market):
        store.check_count(w, 1)
        return registers.reject(regs, errors.OUT_OF_SCOPE), values
    regs.level_market = order.market
    regs.level_side = levels.get_level_side(order)
    regs.tick = levels.get_level_tick(order)
    number: uint256 = keys.handle_account(regs.cursor)
    account: leaves.Account = store.account(w, 1, number)
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
    if order.partner != 0:
        partner: leaves.Order = store.order(w, touched, positions.get_partner(order, number))
        partner.partner = 0
        values[touched] = leaves.encode_order(partner)
        touched += 1
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
    store.check_count(w, 4)
    market: leaves.Market = store.market(w, 0, regs.level_market)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = bitmaps.mark(w, 1, self.get_tree(regs), regs.tick)
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
    @notice Unmark an empty level. Leaves: market, bitmap words from the leaf to the top.
    """
    regs: registers.Registers = pre
    store.check_count(w, 4)
    market: leaves.Market = store.market(w, 0, regs.level_market)
    regs.phase = phases.SEEK if levels.get_best(market, regs.level_side) == regs.tick else regs.next_phase
    return regs, bitmaps.unmark(w, 1, self.get_tree(regs), regs.tick)


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
    touched: uint256 = 0
    tick, touched = bitmaps.find_best(w, 1, self.get_tree(regs), levels.is_highest_first(regs.level_side))
    store.check_count(w, 1 + touched)
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
    is_highest_first: bool = levels.is_highest_first(regs.level_side)
    tick, touched = bitmaps.find_next(w, 0, self.get_tree(regs), regs.tick, is_highest_first)
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
def get_tree(regs: registers.Registers) -> uint256:
    """
    @return The bitmap words over the levels of the side in the registers.
    """
    return keys.level_tree(regs.level_market, regs.level_side)
