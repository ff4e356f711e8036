"""Index, mark and funding of a market. Twin: ``contracts/rules/marks.vy``.

Mark = the middle one of the index, the index plus the smoothed premium, and the index plus the basis, which is the
middle one of the last three that were measured: no report, no sample and no book of one moment moves it alone, and
within an interval none of them moves it out of the step band. What the book says moves it by a sixth of the maintenance
margin at most: whoever orders the records can show a book that is there for a crank alone. (dYdX v4 values positions at
the index itself.) Funding: longs pay shorts an hour one part in FUNDING_HOURS of what the index lies outside the impact
prices by more than the taker's fee, as far as a sample and the one before it both show it, for the time between them;
kept as what a lot has paid since listing, so that an account settles when it is next touched.
"""

from __future__ import annotations

from setoff.shared.codec.integers import PPM, div_ceil, div_trunc
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers


def is_fresh(market: Market, time: int) -> bool:
    """Whether the market's price is settled, or young enough to open positions and to liquidate on.

    An index that was cut is no price: everybody knows one beyond it.
    """
    return market.settled != 0 or (market.index_flags & phases.INDEX_CUT == 0 and is_young(market, time))


def is_young(market: Market, time: int) -> bool:
    """Whether the last report is not too old, wherever the index is."""
    return market.index != 0 and market.index_time + market.max_age >= time


def is_expired(market: Market, time: int) -> bool:
    """Whether a dated future has come to its end."""
    return market.expiry != 0 and market.expiry <= time


def begin_interval(market: Market, time: int) -> None:
    """Begin the next interval if the last one is over: index and mark are its anchors, which both stay close to.

    It begins with the first report or sample after the one before: so however many come in an interval, together they
    move either by no more than the step band.
    """
    if market.anchor_time + phases.INDEX_INTERVAL <= time:
        market.anchor = market.index
        market.mark_anchor = market.mark
        market.anchor_time = time


def compute_limit(market: Market, anchor: int) -> int:
    """How far, ticks, index or mark may be from its anchor."""
    return max(1, anchor * market.step_band // PPM)


def get_halt_time(market: Market) -> int:
    """Seconds for which a halt lasts; that of a market with calls is one."""
    return 60 * market.call_minutes or phases.HALT_TIME


def apply_index(market: Market, price: int, price_time: int, time: int) -> None:
    """Take `price` as the index; what lies beyond the step band around the anchor is cut there and halts the market.

    A market with calls holds one from its first index on, and when one comes again after long. The insurance pays for
    no change by an index that comes after one that was cut, or too old already when it was taken, or after long, by
    batch time or by the report's own.
    """
    is_late = market.index_time + market.max_age + phases.HALT_TIME < max(time, price_time)
    was_old = market.index_time + market.max_age < market.held_since
    is_back = market.index != 0 and (is_late or was_old or market.index_flags & phases.INDEX_CUT != 0)
    market.index_flags = phases.INDEX_RETURNING if is_back else 0
    if market.call_minutes and (market.index == 0 or is_late):
        market.halted_until = time + get_halt_time(market)
    weigh_index(market, time)
    begin_interval(market, time)
    if market.anchor == 0:
        market.anchor = price
    limit = compute_limit(market, market.anchor)
    if abs(price - market.anchor) > limit:
        market.index_flags |= phases.INDEX_CUT
        price = market.anchor + limit if price > market.anchor else market.anchor - limit
        market.halted_until = time + get_halt_time(market)
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


def update_mark(market: Market) -> None:
    """Set the mark from index, smoothed premium and basis, within the step band around its anchor."""
    smooth = market.index + div_trunc(market.premium, phases.PREMIUM_ONE)
    near = market.index + get_middle(market.basis0, market.basis1, market.basis2)
    mark = min(max(1, get_middle(market.index, smooth, near)), keys.MAX_TICK)
    if market.mark_anchor == 0:
        market.mark_anchor = mark
    limit = compute_limit(market, market.mark_anchor)
    mark = max(1, market.mark_anchor - limit, min(market.mark_anchor + limit, mark))
    market.mark = min(mark, keys.MAX_TICK)


def get_middle(a: int, b: int, c: int) -> int:
    """The middle one of three numbers."""
    return max(min(a, b), min(max(a, b), c))


def take_sample(market: Market, bid: int, ask: int, time: int) -> None:
    """Take a sample of the premium, and pay the funding for the time since the sample before.

    `bid`, `ask`: the mean prices, ticks, at which `impact` lots can be sold and bought, 0 where there are too few.
    """
    seconds = time - market.sampled
    most = min(market.band, market.maintenance_margin // phases.MARK_PART)
    limit = market.index * most // PPM
    basis = max(-limit, min(limit, find_basis(market, bid, ask, seconds)))
    market.basis2 = market.basis1
    market.basis1 = market.basis0
    market.basis0 = basis
    market.premium += div_trunc(basis * phases.PREMIUM_ONE - market.premium, phases.PREMIUM_SAMPLES)
    excess = max(-limit, min(limit, compute_excess(market, bid, ask)))
    if market.sampled:
        paid = get_lesser(market.excess, excess)
        market.funding += compute_funding(market, paid, min(seconds, phases.MAX_FUNDING_TIME))
    market.excess = excess


def find_basis(market: Market, bid: int, ask: int, seconds: int) -> int:
    """Ticks from the index to where the book says that the price is, `seconds` after the sample before.

    That is what the sample before said, less as time goes by, but not below the impact price of the bids nor above that
    of the asks: at these anybody gets `impact` lots. So a side that is thin, or far from the index, says nothing.
    """
    left = max(0, phases.BASIS_TIME - seconds)
    basis = div_trunc(market.basis0 * left, phases.BASIS_TIME)
    if bid:
        basis = max(basis, bid - market.index)
    return min(basis, ask - market.index) if ask else basis


def compute_excess(market: Market, bid: int, ask: int) -> int:
    """Ticks, signed, by which the index lies outside the impact prices, beyond a taker's fee; a thin side says nothing.

    Sides and spread: dYdX v4, "Funding", and Hyperliquid, "Funding": max(0, bid - index) - max(0, index - ask). That a
    small premium, which nobody could earn by trading, is none: Binance, "Funding rates" (there 0.05 %).
    """
    slack = market.index * market.taker_fee // PPM
    below = market.index - slack - ask if ask else 0
    return max(0, bid - market.index - slack) - max(0, below)


def get_lesser(a: int, b: int) -> int:
    """The one of two numbers that is nearer to zero; 0 where they differ in sign."""
    return max(0, min(a, b)) + min(0, max(a, b))


def compute_funding(market: Market, excess: int, seconds: int) -> int:
    """What a long lot pays a short one for `seconds` at this excess, ticks; token units times FUNDING_ONE."""
    cap = market.index * market.funding_cap * phases.PREMIUM_ONE // PPM
    rate = max(-cap, min(cap, excess * phases.PREMIUM_ONE))
    scale = market.unit * (phases.FUNDING_ONE // phases.PREMIUM_ONE)
    return div_trunc(rate * scale * seconds, phases.FUNDING_HOURS * phases.HOUR)


def settle_funding(account: Account, position: Position, market: Market) -> None:
    """Pay or receive the funding since the position was last touched: payments round up, receipts down."""
    charge = div_ceil(position.size * (market.funding - position.funding), phases.FUNDING_ONE)
    position.funding = market.funding
    account.collateral -= charge
    market.pool += charge


def begin_work(regs: Registers, mark_before: int) -> None:
    """Have the machine visit the holders of the market in the registers, whose mark was `mark_before` until now.

    And then its armed orders, and settle requests of the backstop. Till all that is done a price is fresh if it is now.
    """
    regs.sweeping = 1
    regs.sweep_end = 0
    regs.sweep_word = 0
    regs.trigger_market = regs.market
    regs.mark_before = mark_before
    regs.rank_market = 0
    regs.sweep_time = regs.time
    regs.settling = 1 if regs.first_request else 0
    regs.return_phase = phases.WORK
    regs.phase = phases.WORK
