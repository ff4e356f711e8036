# pragma version 0.4.3
"""
@title Index, mark and funding of a market
@license MIT
@notice Mark = the middle one of the index, the index plus the smoothed premium, and the index plus the basis, which is the
        middle one of the last three that were measured: no report, no sample and no book of one moment moves it alone,
        and within an interval none of them moves it out of the step band. What the book says moves it by a sixth of the
        maintenance margin at most: whoever orders the records can show a book that is there for a crank alone. Funding:
        longs pay shorts an hour one part in FUNDING_HOURS of what the index lies outside the impact prices by more than the
        taker's fee, as far as a sample and the one before it both show it, for the time between them; kept as what a lot
        has paid since listing, so that an account settles when it is next touched. Twin: `shared/rules/marks.py`. Where
        Python changes a market or an account in place, these functions return it.
@dev Bounds: prices are at most 2**24 ticks, fractions at most PPM, times below 2**63 and ages below 2**32. A premium stays
     below 2**41 in magnitude (a sample is at most the index times 2**16), what one sample pays below 2**85, and a funding
     index below 2**127 for 2**42 samples; times a position of 2**39 lots that is 2**166. So nothing here overflows, and a
     batch's time never falls behind the one before, so no difference of times underflows.
"""

from codec import integers
from rules import phases
from state import keys
from state import leaves
from state import registers


@internal
@pure
def is_fresh(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether the market's price is settled, or young enough to open positions and to liquidate on. An index that
            was cut is no price: everybody knows one beyond it.
    """
    is_cut: bool = market.index_flags & phases.INDEX_CUT != 0
    return market.settled != 0 or (not is_cut and self.is_young(market, time))


@internal
@pure
def is_young(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether the last report is not too old, wherever the index is.
    """
    return market.index != 0 and market.index_time + market.max_age >= time


@internal
@pure
def is_expired(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether a dated future has come to its end.
    """
    return market.expiry != 0 and market.expiry <= time


@internal
@pure
def begin_interval(market: leaves.Market, time: uint256) -> leaves.Market:
    """
    @notice Begin the next interval if the last one is over: index and mark are its anchors, which both stay close to. It
            begins with the first report or sample after the one before: so however many come in an interval, together
            they move either by no more than the step band.
    """
    begun: leaves.Market = market
    if market.anchor_time + phases.INDEX_INTERVAL <= time:
        begun.anchor = market.index
        begun.mark_anchor = market.mark
        begun.anchor_time = time
    return begun


@internal
@pure
def compute_limit(market: leaves.Market, anchor: uint256) -> uint256:
    """
    @return How far, ticks, index or mark may be from its anchor.
    """
    return max(1, anchor * market.step_band // integers.PPM)


@internal
@pure
def get_halt_time(market: leaves.Market) -> uint256:
    """
    @return Seconds for which a halt lasts; that of a market with calls is one.
    """
    return 60 * market.call_minutes if market.call_minutes != 0 else phases.HALT_TIME


@internal
@pure
def apply_index(market: leaves.Market, price: uint256, price_time: uint256, time: uint256) -> leaves.Market:
    """
    @notice Take `price` as the index; what lies beyond the step band around the anchor is cut there and halts the
            market. A market with calls holds one from its first index on, and when one comes again after long. The
            insurance pays for no change by an index that comes after one that was cut, or too old already when it was
            taken, or after long, by batch time or by the report's own.
    @dev The limit is at most the anchor, or 1 below which no price is: so the anchor less the limit, above the price,
         is above 0.
    """
    moved: leaves.Market = self.begin_interval(self.weigh_index(market, time), time)
    index: uint256 = price
    if moved.anchor == 0:
        moved.anchor = price
    is_late: bool = market.index_time + market.max_age + phases.HALT_TIME < max(time, price_time)
    was_old: bool = market.index_time + market.max_age < market.held_since
    is_back: bool = is_late or was_old or market.index_flags & phases.INDEX_CUT != 0
    moved.index_flags = phases.INDEX_RETURNING if market.index != 0 and is_back else 0
    if market.call_minutes != 0 and (market.index == 0 or is_late):
        moved.halted_until = time + self.get_halt_time(market)
    limit: uint256 = self.compute_limit(market, moved.anchor)
    if index > moved.anchor + limit:
        index = moved.anchor + limit
    elif index + limit < moved.anchor:
        index = moved.anchor - limit
    if index != price:
        moved.index_flags |= phases.INDEX_CUT
        moved.halted_until = time + self.get_halt_time(market)
    moved.index = min(index, keys.MAX_TICK)
    moved.index_time = max(market.index_time, price_time)
    return moved


@internal
@pure
def weigh_index(market: leaves.Market, time: uint256) -> leaves.Market:
    """
    @notice Weigh the index with the seconds it has held until `time`, as far as they lie in the last TWAP_TIME before
            the expiry: how many reports came in them does not count.
    """
    weighed: leaves.Market = market
    if market.expiry != 0 and market.index != 0:
        first: uint256 = max(market.held_since + phases.TWAP_TIME, market.expiry) - phases.TWAP_TIME
        held: uint256 = max(min(time, market.expiry), first) - first
        weighed.twap_sum += market.index * held
        weighed.twap_time += held
    weighed.held_since = time
    return weighed


@internal
@pure
def update_mark(market: leaves.Market) -> leaves.Market:
    """
    @notice Set the mark from index, smoothed premium and basis, within the step band around its anchor.
    """
    marked: leaves.Market = market
    index: int256 = convert(market.index, int256)
    smooth: int256 = index + integers.div_trunc(market.premium, convert(phases.PREMIUM_ONE, int256))
    near: int256 = index + self.get_middle(market.basis0, market.basis1, market.basis2)
    middle: int256 = max(1, self.get_middle(index, smooth, near))
    mark: uint256 = min(convert(middle, uint256), keys.MAX_TICK)
    if market.mark_anchor == 0:
        marked.mark_anchor = mark
    limit: uint256 = self.compute_limit(market, marked.mark_anchor)
    mark = min(marked.mark_anchor + limit, mark)
    if mark + limit < marked.mark_anchor:
        mark = marked.mark_anchor - limit
    marked.mark = min(mark, keys.MAX_TICK)
    return marked


@internal
@pure
def get_middle(a: int256, b: int256, c: int256) -> int256:
    """
    @return The middle one of three numbers.
    """
    return max(min(a, b), min(max(a, b), c))


@internal
@pure
def take_sample(market: leaves.Market, bid: uint256, ask: uint256, time: uint256) -> leaves.Market:
    """
    @notice Take a sample of the premium, and pay the funding for the time since the sample before.
    @param bid The mean price, ticks, at which `impact` lots can be sold, 0 where there are too few; `ask` that at which
           they can be bought.
    """
    sampled: leaves.Market = market
    seconds: uint256 = time - market.sampled
    most: uint256 = min(market.band, market.maintenance_margin // phases.MARK_PART)
    limit: int256 = convert(market.index * most // integers.PPM, int256)
    basis: int256 = max(-limit, min(limit, self.find_basis(market, bid, ask, seconds)))
    sampled.basis2 = market.basis1
    sampled.basis1 = market.basis0
    sampled.basis0 = basis
    sampled.premium += integers.div_trunc(
        basis * convert(phases.PREMIUM_ONE, int256) - market.premium, convert(phases.PREMIUM_SAMPLES, int256)
    )
    excess: int256 = max(-limit, min(limit, self.compute_excess(market, bid, ask)))
    if market.sampled != 0:
        paid: int256 = self.get_lesser(market.excess, excess)
        sampled.funding += self.compute_funding(market, paid, min(seconds, phases.MAX_FUNDING_TIME))
    sampled.excess = excess
    return sampled


@internal
@pure
def find_basis(market: leaves.Market, bid: uint256, ask: uint256, seconds: uint256) -> int256:
    """
    @notice That is what the sample before said, less as time goes by, but not below the impact price of the bids nor
            above that of the asks: at these anybody gets `impact` lots. So a side that is thin, or far from the index,
            says nothing.
    @return Ticks from the index to where the book says that the price is, `seconds` after the sample before.
    """
    index: int256 = convert(market.index, int256)
    left: uint256 = phases.BASIS_TIME - min(seconds, phases.BASIS_TIME)
    basis: int256 = integers.div_trunc(
        market.basis0 * convert(left, int256), convert(phases.BASIS_TIME, int256)
    )
    if bid != 0:
        basis = max(basis, convert(bid, int256) - index)
    return min(basis, convert(ask, int256) - index) if ask != 0 else basis


@internal
@pure
def compute_excess(market: leaves.Market, bid: uint256, ask: uint256) -> int256:
    """
    @notice Sides and spread: dYdX v4, "Funding", and Hyperliquid, "Funding": max(0, bid - index) - max(0, index - ask).
            That a small premium, which nobody could earn by trading, is none: Binance, "Funding rates" (there 0.05 %).
    @return Ticks by which the index lies outside the impact prices, beyond a taker's fee; a thin side says nothing.
    """
    index: int256 = convert(market.index, int256)
    slack: int256 = convert(market.index * market.taker_fee // integers.PPM, int256)
    below: int256 = index - slack - convert(ask, int256) if ask != 0 else 0
    return max(0, convert(bid, int256) - index - slack) - max(0, below)


@internal
@pure
def get_lesser(a: int256, b: int256) -> int256:
    """
    @return The one of two numbers that is nearer to zero; 0 where they differ in sign.
    """
    return max(0, min(a, b)) + min(0, max(a, b))


@internal
@pure
def compute_funding(market: leaves.Market, excess: int256, seconds: uint256) -> int256:
    """
    @return What a long lot pays a short one for `seconds` at this excess, ticks; token units times FUNDING_ONE.
    """
    cap: int256 = convert(market.index * market.funding_cap * phases.PREMIUM_ONE // integers.PPM, int256)
    rate: int256 = max(-cap, min(cap, excess * convert(phases.PREMIUM_ONE, int256)))
    scale: int256 = convert(market.unit * (phases.FUNDING_ONE // phases.PREMIUM_ONE) * seconds, int256)
    return integers.div_trunc(rate * scale, convert(phases.FUNDING_HOURS * phases.HOUR, int256))


@internal
@pure
def settle_funding(
    account: leaves.Account, place: uint256, market: leaves.Market
) -> (leaves.Account, leaves.Market):
    """
    @notice Pay or receive the funding since the position at `place` was last touched: payments round up, receipts down.
    @return The account and the market.
    """
    payer: leaves.Account = account
    paid: leaves.Market = market
    position: leaves.Position = account.positions[place]
    charge: int256 = integers.div_ceil(
        position.size * (market.funding - position.funding), convert(phases.FUNDING_ONE, int256)
    )
    payer.positions[place].funding = market.funding
    payer.collateral -= charge
    paid.pool += charge
    return payer, paid


@internal
@pure
def begin_work(pre: registers.Registers, mark_before: uint256) -> registers.Registers:
    """
    @return The registers of a machine that visits the holders of the market in them, whose mark was `mark_before` until
            now, then its armed orders, and settles requests of the backstop; until all that is done a price is fresh if it
            is now.
    """
    regs: registers.Registers = pre
    regs.sweeping = 1
    regs.sweep_end = 0
    regs.sweep_word = 0
    regs.trigger_market = regs.market
    regs.mark_before = mark_before
    regs.rank_market = 0
    regs.sweep_time = regs.time
    regs.settling = 1 if regs.first_request != 0 else 0
    regs.return_phase = phases.WORK
    regs.phase = phases.WORK
    return regs
