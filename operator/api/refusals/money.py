"""Why money was missing: for an order, a payment, the backstop."""

from __future__ import annotations

from setoff.operator.api.refusals.question import Explanation, Question
from setoff.shared.codec import records
from setoff.shared.machine.exits import compute_exit
from setoff.shared.rules import phases
from setoff.shared.rules.levels import can_rest, is_armed
from setoff.shared.rules.margin import EVERY, PAYMENTS, compute_fee, compute_health, compute_value, settle_account
from setoff.shared.rules.positions import find_position, get_closable, release, reserve
from setoff.shared.rules.shares import get_shares
from setoff.shared.state import keys
from setoff.shared.state.leaves import Position


def explain_margin(q: Question) -> Explanation:
    """What it takes against what is there."""
    if q.kind == records.BACKSTOP_WITHDRAW:
        shares = get_shares(q.account, q.state.account(keys.BACKSTOP))
        text = f"the account has {shares} shares of the backstop, and not {q.regs.amount}"
        return Explanation(text, {"shares": str(shares)})
    settle_account(q.state, q.account, q.time)
    if q.kind in PAYMENTS:
        return _explain_payment(q)
    return _explain_order(q)


def explain_limited(q: Question) -> Explanation:
    """Exits are limited after a large draw of the last resorts."""
    settle_account(q.state, q.account, q.time)
    equity, requirement = compute_health(q.regs, q.state, q.account, EVERY)
    room = compute_exit(q.regs, q.regs.account, q.account, equity - requirement, q.time)
    text = (
        f"after large losses money leaves in parts: {q.money(room.now)} may leave now, more at {room.more_at} "
        f"(in {max(0, room.more_at - q.time)} s), all at {room.all_at}; a sub-account pays its own master meanwhile"
    )
    return Explanation(text, q.amounts(now=room.now) | {"more_at": room.more_at, "all_at": room.all_at})


def explain_amount(q: Question) -> Explanation:
    """A number that is no amount."""
    text = f"the amount is {q.regs.amount} token units, and has to be 1 to {phases.MAX_AMOUNT - 1}"
    return Explanation(text, {"amount_units": str(q.regs.amount), "most_units": str(phases.MAX_AMOUNT - 1)})


def explain_pending(q: Question) -> Explanation:
    """One request of the backstop at a time."""
    request = q.state.request(q.regs.account)
    text = f"the account's last request of the backstop is due at {request.due}: send this one when it is settled"
    return Explanation(text, {"due_at": request.due, "wait_seconds": max(0, request.due - q.time)})


def _explain_payment(q: Question) -> Explanation:
    equity, requirement = compute_health(q.regs, q.state, q.account, EVERY)
    free = equity - requirement
    missing = max(0, q.regs.amount - free)
    text = (
        f"{q.money(free)} of the account are free, and {q.money(q.regs.amount)} are asked for: {q.money(missing)} too "
        "much; ask for less, cancel orders, or close positions"
    )
    return Explanation(text, q.amounts(free=free, needed=q.regs.amount, missing=missing))


def _explain_order(q: Question) -> Explanation:
    """As the rules judge it: all that the order could come to, with its fee and the loss of filling at its limit."""
    if not q.market_id:
        return Explanation("the account cannot bear it: deposit, cancel orders, or close positions", {})
    if q.kind == records.AMEND:
        _take_out(q)
    position = find_position(q.account, q.market_id)
    if position is None:
        return Explanation("the account has no room for another market", {})
    position.market = q.market_id
    size = q.regs.size
    if q.regs.flags & records.REDUCE_ONLY:
        size = min(size, get_closable(position, q.regs.side))
    needed, equity = _weigh(q, position, size)
    missing = max(0, needed - equity)
    most = _find_most(q, position, size) if missing else size
    text = (
        f"the account is worth {q.money(equity)}, and would have to be worth {q.money(needed)}, by margin, fee and the "
        f"loss at the limit: {q.money(missing)} too little; deposit them, cancel orders, close positions, or order "
        f"{q.size(most)} at most"
    )
    return Explanation(text, q.amounts(equity=equity, needed=needed, missing=missing) | q.sizes(most=most))


def _take_out(q: Question) -> None:
    """An order that is amended makes room for itself first."""
    order = q.in_slot
    q.regs.market, q.regs.side, q.regs.flags = order.market, order.side, order.flags
    position = find_position(q.account, order.market)
    if position is not None and position.market == order.market:
        position.orders -= 1
        release(position, order.side, 0 if is_armed(order) else order.size)


def _weigh(q: Question, position: Position, size: int) -> tuple[int, int]:
    """(what the account would have to be worth with so many lots more, what it is worth), token units."""
    market, is_buy = q.market, q.regs.side == records.BUY
    if q.regs.flags & records.ARMED:
        equity, requirement = compute_health(q.regs, q.state, q.account, q.market_id)
        return requirement + market.order_margin, equity
    reserve(position, q.regs.side, size)
    equity, requirement = compute_health(q.regs, q.state, q.account, q.market_id)
    reserve(position, q.regs.side, -size)
    delta = size if is_buy else -size
    loss = max(0, compute_value(delta, q.regs.price - market.mark, market))
    fee = compute_fee(compute_value(size, q.regs.price, market), market.taker_fee)
    leaf = market.order_margin if can_rest(q.regs.flags) else 0
    return requirement + leaf + loss + fee, equity


def _find_most(q: Question, position: Position, size: int) -> int:
    """The most lots that the account could bear, fewer than `size`."""
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        needed, equity = _weigh(q, position, middle)
        low, high = (middle, high) if equity >= needed else (low, middle)
    return low
