"""Price-time matching: the best level, its oldest order, one fill a step. Twin: ``contracts/rules/matching.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_fee, compute_value
from setoff.shared.rules.positions import apply_fill, get_position, release
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def get_best(market: Market, side: int) -> int:
    """Best price of a side of the book in ticks, 0 if it is empty."""
    return market.best_bid if side == records.BUY else market.best_ask


def is_crossing(side: int, limit: int, best: int) -> bool:
    """Whether an order of `side` with this limit trades against the other side's `best` (0 for none)."""
    return best != 0 and (best <= limit if side == records.BUY else best >= limit)


def step_match(regs: Registers, state: State) -> None:
    """Find the next maker, or decide what becomes of the rest of the order.

    Leaves: market; where an order crosses, the other side's best level.
    """
    market = state.market(regs.market)
    other = 1 - regs.side
    best = get_best(market, other)
    if not is_crossing(regs.side, regs.price, best):
        regs.phase = phases.DROP if regs.flags == records.IOC else phases.REST
    elif regs.flags == records.POST_ONLY:
        regs.outcome = errors.WOULD_CROSS
        regs.phase = phases.DROP
    elif regs.matches == phases.MAX_MATCHES:
        regs.phase = phases.DROP
    else:
        level = state.level(regs.market, other, best)
        regs.cursor = level.head
        regs.tick = best
        regs.level_side = other
        regs.matches += 1
        regs.phase = phases.PROBE


def step_fill(regs: Registers, state: State) -> None:
    """Trade with the maker at the cursor, at the maker's price.

    Leaves: market, level, maker's order, maker's account, taker's account.
    """
    market = state.market(regs.market)
    level = state.level(regs.market, regs.level_side, regs.tick)
    order = state.order(regs.cursor)
    maker = state.account(keys.handle_account(regs.cursor))
    taker = state.account(regs.account)
    size = min(regs.size, order.size)
    delta = size if regs.side == records.BUY else -size
    apply_trade(market, taker, regs.market, regs.side, delta, regs.tick, market.taker_fee)
    apply_trade(market, maker, regs.market, regs.level_side, -delta, regs.tick, market.maker_fee)
    order.size -= size
    level.size -= size
    regs.size -= size
    regs.resume = phases.MATCH if regs.size else phases.IDLE
    regs.phase = regs.resume if order.size else phases.UNLINK


def apply_trade(market: Market, account: Account, market_id: int, side: int, delta: int, price: int, rate: int) -> None:
    """One side of a fill: cash, fee, position, reservation, open interest (counted on the long side)."""
    position = get_position(account, market_id)
    value = compute_value(delta, price, market)
    fee = compute_fee(abs(value), rate)
    account.collateral -= value + fee
    market.fees += fee
    market.open_interest -= max(position.size, 0)
    apply_fill(position, delta, price, market.unit)
    market.open_interest += max(position.size, 0)
    release(position, side, abs(delta))
