"""Positions of an account: where they are kept, and how a fill nets into them.

Twin: ``contracts/rules/positions.vy``.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.codec.integers import div_trunc
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
    """The account's position in `market`, which it has (an order of its own there is open)."""
    for position in account.positions:
        if position.market == market:
            return position
    raise AssertionError("an account with an open order has a position place")


def cancel_all(account: Account) -> None:
    """Let every order of the account die: they keep their place in the book until somebody meets them there."""
    account.epoch = (account.epoch + 1) % 2**32
    for position in account.positions:
        position.bids = 0
        position.asks = 0
        position.clear_if_empty()


def expire_orders(account: Account, time: int) -> None:
    """The dead-man's switch: once its deadline has come, every order of the account is dead."""
    if account.deadline and account.deadline <= time:
        account.deadline = 0
        cancel_all(account)


def is_live(order: Order, account: Account, time: int) -> bool:
    """Whether a resting order of the account (whose `expire_orders` has run) can still trade."""
    return order.epoch == account.epoch and (order.expiry == 0 or order.expiry > time)


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
