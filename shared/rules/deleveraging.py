"""Deleveraging: what neither book nor backstop takes is closed against the other side, in the order of a score.

Twin: ``contracts/rules/deleveraging.vy``. A ranking visits all holders of the market and keeps the first RANKED of
them. They are used one after the other, each until its position is gone, also for the accounts after this one that are
closed on the same side in the same sweep; only then is there another ranking. So its steps are shared by as many as it
serves, however small their positions are.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.exits import note_draw
from setoff.shared.rules.holders import get_visited, pass_visited
from setoff.shared.rules.margin import compute_equity, compute_value, settle_account
from setoff.shared.rules.matching import apply_trade
from setoff.shared.rules.positions import get_position, reserve
from setoff.shared.state.leaves import Account, Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_RANKING: Final = tuple(f"ranked{place}" for place in range(phases.RANKED))
"""The registers of the ranking, the first first."""


def begin_deleveraging(regs: Registers) -> None:
    """Have the lots in the registers closed against the other side, by a ranking of it that is left, else a new one."""
    regs.deleveraging = 1
    if regs.rank_market != regs.market or regs.rank_side != regs.side or regs.ranked0 == 0:
        begin_ranking(regs)
    regs.phase = phases.WORK


def begin_ranking(regs: Registers) -> None:
    """Have all holders ranked against the position in the registers."""
    regs.ranking = 1
    regs.rank_end = 0
    regs.rank_word = 0
    regs.rank_market = regs.market
    regs.rank_side = regs.side
    set_ranked(regs, [0] * phases.RANKED)


def get_ranked(regs: Registers) -> list[int]:
    """The ranking in the registers, the first first."""
    return [getattr(regs, name) for name in _RANKING]


def set_ranked(regs: Registers, ranked: list[int]) -> None:
    """Put a ranking into the registers."""
    for name, entry in zip(_RANKING, ranked, strict=True):
        setattr(regs, name, entry)


def get_first_ranked(regs: Registers) -> int:
    """The account that is first in the ranking."""
    return phases.RANK_ACCOUNTS - 1 - regs.ranked0 % phases.RANK_ACCOUNTS


def drop_first_ranked(regs: Registers) -> None:
    """Go on with the next of the ranking."""
    set_ranked(regs, [*get_ranked(regs)[1:], 0])


def step_rank(regs: Registers, state: State) -> None:
    """Score one holder for deleveraging against the position in the registers, and rank it among the first.

    Leaves: account, the market of each of its positions, in place order.
    """
    number = get_visited(regs.rank_end, regs.rank_word)
    account = state.account(number)
    settle_account(state, account, regs.time)
    score = compute_score(regs, state, account)
    if score:
        entry = score * phases.RANK_ACCOUNTS + phases.RANK_ACCOUNTS - 1 - number
        set_ranked(regs, sorted([*get_ranked(regs), entry], reverse=True)[: phases.RANKED])
    regs.rank_word = pass_visited(regs.rank_word)
    regs.phase = phases.WORK


def compute_score(regs: Registers, state: State, account: Account) -> int:
    """Profit ratio times leverage of the account's position opposite to the one in liquidation; 0 if it has none.

    A position in profit scores SCORE_ONE**2 * (profit / cost) * (notional / equity), and more than any in loss; one in
    loss the less, the larger its loss to its cost. Leaves: as `settle_account`.
    """
    equity = account.collateral
    size = 0
    profit = 0
    notional = 0
    cost = 1
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            value = compute_value(position.size, market.mark, market)
            equity += value
            if position.market == regs.market:
                size = position.size
                profit = value - position.cost
                notional = abs(value)
                cost = max(1, abs(position.cost))
    if size == 0 or (size > 0) == (regs.side == records.SELL):
        return 0
    if profit <= 0:
        return phases.SCORE_ONE - min(-profit * phases.SCORE_ONE // cost, phases.SCORE_ONE - 1)
    ratio = min(profit * phases.SCORE_ONE // cost, phases.MAX_SCORE)
    leverage = min(notional * phases.SCORE_ONE // max(1, equity), phases.MAX_SCORE)
    return phases.SCORE_ONE + ratio * leverage


def step_deleverage(regs: Registers, state: State) -> None:
    """Close against the first of the ranking, without fees; go on with the next once its position is gone.

    What the account in liquidation gives beyond the mark is no prize of whoever is first, but the insurance fund's.

    It may have traded since it was ranked, and be on the same side by now, or the account in liquidation itself.
    Leaves: account in liquidation, the other account, the market of each of the other's positions, in place order; none
    where both are one.
    """
    number = get_first_ranked(regs)
    size = 0
    left = 0
    if number != regs.account:
        account = state.account(regs.account)
        other = state.account(number)
        settle_account(state, other, regs.time)
        lots = get_opposite(regs, other)
        size = min(regs.size, lots)
        left = lots - size
        if size:
            market = state.market(regs.market)
            price = compute_bearable_price(regs, state, other, market, size)
            trade_across(regs, market, account, other, size, price)
            charge_levy(regs, market, account, size, price)
            note_draw(regs, compute_value(size, market.mark, market))
    if left == 0:
        drop_first_ranked(regs)
    regs.size -= size
    if regs.size == 0:
        regs.deleveraging = 0
    elif regs.ranked0 == 0:
        begin_ranking(regs)
    regs.phase = phases.WORK


def get_opposite(regs: Registers, other: Account) -> int:
    """Lots of the account's position opposite to the one in the registers."""
    for position in other.positions:
        if position.market == regs.market:
            return max(0, -position.size) if regs.side == records.SELL else max(0, position.size)
    return 0


def compute_bearable_price(regs: Registers, state: State, other: Account, market: Market, size: int) -> int:
    """The mark, ticks; for a debt the price in the registers, or that at which `other` keeps nothing.

    Who is below zero already gives back what it gained by the change of price. Leaves: as `settle_account`.
    """
    equity = compute_equity(state, other)
    is_sale = regs.side == records.SELL
    price = max(regs.price, market.mark) if is_sale else min(regs.price, market.mark)
    if equity < 0:
        return price
    room = equity // (size * market.unit)
    return min(price, market.mark + room) if is_sale else max(price, market.mark - room)


def charge_levy(regs: Registers, market: Market, account: Account, size: int, price: int) -> None:
    """Let the account in liquidation have the price in the registers, where it is worse than `price`, at which it has
    traded `size` lots, and the insurance fund the difference."""
    worse = price - regs.price if regs.side == records.SELL else regs.price - price
    levy = max(0, compute_value(size, worse, market))
    account.collateral -= levy
    market.insurance += levy


def trade_across(regs: Registers, market: Market, account: Account, other: Account, size: int, price: int) -> None:
    """Trade `size` lots at `price` between an account in liquidation and another, without fees."""
    delta = size if regs.side == records.BUY else -size
    reserve(get_position(account, regs.market), regs.side, size)
    reserve(get_position(other, regs.market), 1 - regs.side, size)
    apply_trade(market, account, regs.market, regs.side, delta, price, 0)
    apply_trade(market, other, regs.market, 1 - regs.side, -delta, price, 0)
