"""Index, mark and funding of a market, and the crank that lets its time pass. Twin: ``contracts/rules/marks.vy``.

Mark = median of the index, the index plus the smoothed premium, and the middle of the book: no one of the oracle, the
past and the book can move it alone. Funding: each hour longs pay shorts the smoothed premium, clamped, one part in
FUNDING_HOURS; kept as what a lot has paid since listing, so that an account settles when it is next touched.
"""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_ceil, div_trunc
from setoff.shared.rules import phases
from setoff.shared.rules.wind_down import is_over
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def is_fresh(market: Market, time: int) -> bool:
    """Whether the market's price is settled, or young enough to open positions and to liquidate on."""
    return market.settled != 0 or (market.index != 0 and market.index_time + market.max_age >= time)


def is_expired(market: Market, time: int) -> bool:
    """Whether a dated future has come to its end."""
    return market.expiry != 0 and market.expiry <= time


def apply_index(market: Market, price: int, price_time: int, time: int) -> None:
    """Take `price` as the index; what lies beyond the step band around the anchor is cut there and halts the market.

    The anchor is the index at the beginning of an interval, which begins with the first new index after the one before:
    so however many reports come in an interval, together they move the index by no more than the band.
    """
    weigh_index(market, time)
    if market.index == 0 or market.anchor_time + phases.INDEX_INTERVAL <= time:
        market.anchor = market.index if market.index else price
        market.anchor_time = time
    limit = max(1, market.anchor * market.step_band // PPM)
    if abs(price - market.anchor) > limit:
        price = market.anchor + limit if price > market.anchor else market.anchor - limit
        market.halted_until = time + phases.HALT_TIME
    market.index = min(price, keys.MAX_TICK)
    market.index_time = max(market.index_time, price_time)


def weigh_index(market: Market, time: int) -> None:
    """Weigh the index with the seconds it has held until `time`, as far as they lie in the last TWAP_TIME before the
    expiry: how many reports came in them does not count."""
    if market.expiry and market.index:
        first = max(market.held_since + phases.TWAP_TIME, market.expiry) - phases.TWAP_TIME
        held = max(min(time, market.expiry), first) - first
        market.twap_sum += market.index * held
        market.twap_time += held
    market.held_since = time


def compute_mid(market_id: int, market: Market, state: State) -> int:
    """Middle of the book, ticks; the index where a best level offers less than the impact size.

    Leaves: the best bid's and the best ask's level, where both sides have one.
    """
    if market.best_bid == 0 or market.best_ask == 0:
        return market.index
    bid = state.level(market_id, records.BUY, market.best_bid)
    ask = state.level(market_id, records.SELL, market.best_ask)
    if bid.size < market.impact or ask.size < market.impact:
        return market.index
    return (market.best_bid + market.best_ask) // 2


def update_mark(market: Market, mid: int) -> None:
    """Set the mark from index, smoothed premium and `mid`."""
    smooth = market.index + div_trunc(market.premium, phases.PREMIUM_ONE)
    low = min(market.index, smooth)
    high = max(market.index, smooth)
    market.mark = min(max(1, low, min(high, mid)), keys.MAX_TICK)


def sample_premium(market: Market, mid: int, time: int) -> None:
    """Take a sample of the premium, and pay the funding of every hour that has passed since the one before."""
    limit = market.index * market.band // PPM
    sample = max(-limit, min(limit, mid - market.index)) * phases.PREMIUM_ONE
    market.premium += div_trunc(sample - market.premium, phases.PREMIUM_SAMPLES)
    if market.sampled:
        hours = min(time // phases.HOUR - market.sampled // phases.HOUR, phases.MAX_FUNDING_HOURS)
        market.funding += hours * compute_funding(market)
    market.sampled = time


def compute_funding(market: Market) -> int:
    """What a long lot pays a short one in an hour, token units times FUNDING_ONE."""
    cap = market.index * market.funding_cap * phases.PREMIUM_ONE // PPM
    rate = max(-cap, min(cap, market.premium))
    return div_trunc(rate * market.unit * (phases.FUNDING_ONE // phases.PREMIUM_ONE), phases.FUNDING_HOURS)


def settle_funding(account: Account, position: Position, market: Market) -> None:
    """Pay or receive the funding since the position was last touched: payments round up, receipts down."""
    charge = div_ceil(position.size * (market.funding - position.funding), phases.FUNDING_ONE)
    position.funding = market.funding
    account.collateral -= charge
    market.pool += charge


def step_crank(regs: Registers, state: State) -> None:
    """Let time pass on a market: a sample of the premium, funding and a new mark; settlement if it has expired.

    A market that is over, because the exchange winds down or its oracle is dead, expires now.
    Leaves: market; the best levels as `compute_mid`. What changed lets the machine visit all holders.
    """
    market = state.market(regs.market)
    if market.settled or market.sampled + phases.SAMPLE_INTERVAL > regs.time or market.index == 0:
        regs.reject(errors.NOT_DUE)
        return
    mark_before = market.mark
    if is_over(regs, market) and not is_expired(market, regs.time):
        market.expiry = regs.time
    if is_expired(market, regs.time):
        settle_market(market, regs.time)
    elif not is_fresh(market, regs.time):
        regs.reject(errors.STALE_PRICE)
        return
    else:
        mid = compute_mid(regs.market, market, state)
        sample_premium(market, mid, regs.time)
        update_mark(market, mid)
        regs.unwind = regs.market
    begin_work(regs, mark_before)


def settle_market(market: Market, time: int) -> None:
    """Bring an expired market to its settlement price, and settle it once its mark is there.

    So whoever cannot pay the way to that price is first liquidated like at any change of a price.
    """
    weigh_index(market, time)
    price = market.twap_sum // market.twap_time if market.twap_time else market.index
    if market.mark == price:
        market.settled = 1
    market.index = price
    market.index_time = time
    market.mark = price
    market.sampled = time


def begin_work(regs: Registers, mark_before: int) -> None:
    """Have the machine visit the holders of the market in the registers, whose mark was `mark_before` until now.

    And then its armed orders.
    """
    regs.sweeping = 1
    regs.sweep_end = 0
    regs.sweep_word = 0
    regs.trigger_market = regs.market
    regs.mark_before = mark_before
    regs.rank_market = 0
    regs.sweep_time = regs.time
    regs.return_phase = phases.WORK
    regs.phase = phases.WORK
