"""Positions of an account: where they are kept, and how a fill nets into them.

Twin: ``contracts/rules/positions.vy``.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.codec.integers import div_trunc
from setoff.shared.rules.levels import is_armed
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Order, Position


def find_position(account: Account, market: int) -> Position | None:
    """The account's position in `market`, else the first free place, else None."""
    free: Position | None = None
    for position in account.positions:
        if position.market == market:
            return position
        if position.market == 0 and free is None:
            free = position
    return free


def get_position(account: Account, market: int) -> Position:
    """The account's position in `market`, which it has (an order of its own is there)."""
    for position in account.positions:
        if position.market == market:
            return position
    raise AssertionError("an account with an order has a position place")


def is_past_deadline(account: Account, time: int) -> bool:
    """The dead-man's switch: whether its deadline has come, so that every order of the account is dead."""
    return account.deadline != 0 and account.deadline <= time


def is_live(order: Order, account: Account, time: int) -> bool:
    """Whether an order of the account can still trade."""
    return (order.expiry == 0 or order.expiry > time) and not is_past_deadline(account, time)


def get_partner(order: Order, account: int) -> int:
    """Handle of the order that leaves when this one, of account number `account`, fires; 0 for none."""
    return keys.order_handle(account, order.partner - 1) if order.partner else 0


def count_order(account: Account, market: int, order_slot: int) -> None:
    """Note that the slot holds an order in `market` from now on."""
    account.orders |= 1 << order_slot
    get_position(account, market).orders += 1


def discount_order(account: Account, order: Order, order_slot: int) -> None:
    """Note that the slot is free again, and release what its order still reserved. An armed one reserves nothing."""
    account.orders &= ~(1 << order_slot)
    position = get_position(account, order.market)
    position.orders -= 1
    release(position, order.side, 0 if is_armed(order) else order.size)


def get_first_order_slot(account: Account) -> int:
    """The lowest order slot in use, of an account that has orders."""
    return (account.orders & -account.orders).bit_length() - 1


def get_closable(position: Position, side: int) -> int:
    """Lots of the position that an order of `side` can close."""
    return max(0, -position.size) if side == records.BUY else max(0, position.size)


def reserve(position: Position, side: int, size: int) -> None:
    """Count `size` lots of a new order as open on `side`."""
    if side == records.BUY:
        position.bids += size
    else:
        position.asks += size


def release(position: Position, side: int, size: int) -> None:
    """Take `size` lots off the open orders of `side`; a position that holds nothing any more frees its place."""
    if side == records.BUY:
        position.bids -= size
    else:
        position.asks -= size
    position.clear_if_empty()


def apply_fill(position: Position, delta: int, price: int, market: Market) -> None:
    """Net `delta` lots (signed) bought at `price` ticks into the position; `cost` stays that of the open lots."""
    size = position.size
    unit = market.unit
    if size == 0:
        position.funding = market.funding
    if size == 0 or (size > 0) == (delta > 0):
        position.cost += delta * price * unit
    elif abs(delta) <= abs(size):
        position.cost -= div_trunc(position.cost * abs(delta), abs(size))
    else:
        position.cost = (size + delta) * price * unit
    position.size = size + delta
