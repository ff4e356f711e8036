# pragma version 0.4.3
"""
@title Index, mark and funding of a market, and the crank that lets its time pass
@license MIT
@notice Mark = median of the index, the index plus the smoothed premium, and the middle of the book: no one of the oracle,
        the past and the book can move it alone. Funding: each hour longs pay shorts the smoothed premium, clamped, one
        part in FUNDING_HOURS; kept as what a lot has paid since listing, so that an account settles when it is next
        touched. Twin: `shared/rules/marks.py`. Where Python changes a market or an account in place, these functions
        return it.
@dev Bounds: prices are at most 2**24 ticks, fractions at most PPM, times below 2**63 and ages below 2**32. A premium stays
     below 2**41 in magnitude (a sample is at most the index times 2**16), an hour's funding below 2**85, and a funding
     index below 2**127 for 2**42 hours; times a position of 2**39 lots that is 2**166. So nothing here overflows, and a
     batch's time never falls behind the one before, so no difference of times underflows.
"""

import errors
from codec import integers
from codec import records
from rules import phases
from rules import wind_down
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def is_fresh(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether the market's price is settled, or young enough to open positions and to liquidate on.
    """
    return market.settled != 0 or (market.index != 0 and market.index_time + market.max_age >= time)


@internal
@pure
def is_expired(market: leaves.Market, time: uint256) -> bool:
    """
    @return Whether a dated future has come to its end.
    """
    return market.expiry != 0 and market.expiry <= time


@internal
@pure
def apply_index(market: leaves.Market, price: uint256, price_time: uint256, time: uint256) -> leaves.Market:
    """
    @notice Take `price` as the index; what lies beyond the step band around the anchor is cut there and halts the
            market. The anchor is the index at the beginning of an interval, which begins with the first new index after
            the one before: so however many reports come in an interval, together they move the index by no more than
            the band.
    @dev The limit is at most the anchor, or 1 below which no price is: so the anchor less the limit, above the price,
         is above 0.
    """
    moved: leaves.Market = self.weigh_index(market, time)
    index: uint256 = price
    if market.index == 0 or market.anchor_time + phases.INDEX_INTERVAL <= time:
        moved.anchor = market.index if market.index != 0 else price
        moved.anchor_time = time
    limit: uint256 = max(1, moved.anchor * market.step_band // integers.PPM)
    if index > moved.anchor + limit:
        index = moved.anchor + limit
        moved.halted_until = time + phases.HALT_TIME
    elif index + limit < moved.anchor:
        index = moved.anchor - limit
        moved.halted_until = time + phases.HALT_TIME
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
def compute_mid(market_id: uint256, market: leaves.Market, w: store.Witness, first: uint256) -> uint256:
    """
    @notice Leaves, from `first` to the witness's end: the best bid's and the best ask's level, where both sides have one.
    @return Middle of the book, ticks; the index where a best level offers less than the impact size.
    """
    if market.best_bid == 0 or market.best_ask == 0:
        store.check_count(w, first)
        return market.index
    store.check_count(w, first + 2)
    bid: leaves.Level = store.level(w, first, market_id, records.BUY, market.best_bid)
    ask: leaves.Level = store.level(w, first + 1, market_id, records.SELL, market.best_ask)
    if bid.size < market.impact or ask.size < market.impact:
        return market.index
    return (market.best_bid + market.best_ask) // 2


@internal
@pure
def update_mark(market: leaves.Market, mid: uint256) -> leaves.Market:
    """
    @notice Set the mark from index, smoothed premium and `mid`.
    """
    marked: leaves.Market = market
    index: int256 = convert(market.index, int256)
    smooth: int256 = index + integers.div_trunc(market.premium, convert(phases.PREMIUM_ONE, int256))
    low: int256 = min(index, smooth)
    high: int256 = max(index, smooth)
    mark: int256 = max(max(1, low), min(high, convert(mid, int256)))
    marked.mark = min(convert(mark, uint256), keys.MAX_TICK)
    return marked


@internal
@pure
def sample_premium(market: leaves.Market, mid: uint256, time: uint256) -> leaves.Market:
    """
    @notice Take a sample of the premium, and pay the funding of every hour that has passed since the one before.
    """
    sampled: leaves.Market = market
    limit: int256 = convert(market.index * market.band // integers.PPM, int256)
    premium: int256 = max(-limit, min(limit, convert(mid, int256) - convert(market.index, int256)))
    premium *= convert(phases.PREMIUM_ONE, int256)
    sampled.premium += integers.div_trunc(premium - market.premium, convert(phases.PREMIUM_SAMPLES, int256))
    if market.sampled != 0:
        hours: uint256 = min(time // phases.HOUR - market.sampled // phases.HOUR, phases.MAX_FUNDING_HOURS)
        sampled.funding += convert(hours, int256) * self.compute_funding(sampled)
    sampled.sampled = time
    return sampled


@internal
@pure
def compute_funding(market: leaves.Market) -> int256:
    """
    @return What a long lot pays a short one in an hour, token units times FUNDING_ONE.
    """
    cap: int256 = convert(market.index * market.funding_cap * phases.PREMIUM_ONE // integers.PPM, int256)
    rate: int256 = max(-cap, min(cap, market.premium))
    scale: int256 = convert(market.unit * (phases.FUNDING_ONE // phases.PREMIUM_ONE), int256)
    return integers.div_trunc(rate * scale, convert(phases.FUNDING_HOURS, int256))


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
def step_crank(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Let time pass on a market: a sample of the premium, funding and a new mark; settlement if it has expired.
            A market that is over, because the exchange winds down or its oracle is dead, expires now.
            Leaves: market; the best levels as `compute_mid`. What changed lets the machine visit all holders.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    market: leaves.Market = store.market(w, 0, regs.market)
    if market.settled != 0 or market.sampled + phases.SAMPLE_INTERVAL > regs.time or market.index == 0:
        store.check_count(w, 1)
        return registers.reject(regs, errors.NOT_DUE), values
    mark_before: uint256 = market.mark
    if wind_down.is_over(regs, market) and not self.is_expired(market, regs.time):
        market.expiry = regs.time
    if self.is_expired(market, regs.time):
        store.check_count(w, 1)
        market = self.settle_market(market, regs.time)
    elif not self.is_fresh(market, regs.time):
        store.check_count(w, 1)
        return registers.reject(regs, errors.STALE_PRICE), values
    else:
        mid: uint256 = self.compute_mid(regs.market, market, w, 1)
        market = self.sample_premium(market, mid, regs.time)
        market = self.update_mark(market, mid)
        regs.unwind = regs.market
    values[0] = leaves.encode_market(market)
    return self.begin_work(regs, mark_before), values


@internal
@pure
def settle_market(pre: leaves.Market, time: uint256) -> leaves.Market:
    """
    @notice Bring an expired market to its settlement price, and settle it once its mark is there. So whoever cannot pay
            the way to that price is first liquidated like at any change of a price.
    """
    market: leaves.Market = self.weigh_index(pre, time)
    price: uint256 = market.index
    if market.twap_time != 0:
        price = market.twap_sum // market.twap_time
    if market.mark == price:
        market.settled = 1
    market.index = price
    market.index_time = time
    market.mark = price
    market.sampled = time
    return market


@internal
@pure
def begin_work(pre: registers.Registers, mark_before: uint256) -> registers.Registers:
    """
    @return The registers of a machine that visits the holders of the market in them, whose mark was `mark_before` until
            now, and then its armed orders.
    """
    regs: registers.Registers = pre
    regs.sweeping = 1
    regs.sweep_end = 0
    regs.sweep_word = 0
    regs.trigger_market = regs.market
    regs.mark_before = mark_before
    regs.rank_market = 0
    regs.sweep_time = regs.time
    regs.return_phase = phases.WORK
    regs.phase = phases.WORK
    return regs
