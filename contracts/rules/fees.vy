# pragma version 0.4.3
"""
@title Fees of a fill, how they fall with an owner's activity, and who gets them
@license MIT
@notice A market's taker and maker fee are the most that a fill costs; whoever weighs an order weighs it with them. What a
        fill is worth is its taker's fee at that rate, and both sides' owners get as much activity for it, which fades by a
        28th each day. Between two activities that the exchange's terms name each fee falls evenly: a tier would be an
        edge, worth a trade with oneself. Activity is counted in fees and not in volume since volume costs in each market
        something else, in some nothing at all. Twin: `shared/rules/fees.py`.
"""

import errors
from codec import integers
from codec import records
from rules import margin
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store

DAY: constant(uint256) = 86_400
# Each day takes one part in so many of an activity: who pays a fee a day for long has so many of them.
ACTIVITY_DAYS: constant(uint256) = 28
# Days after which nothing is left: a ten-thousandth would be.
FADED_DAYS: constant(uint256) = 256
# What activity is worth at most, in what buying it would cost: `are_terms_sound`, section 25 of the rationale.
WASH_FACTOR: constant(uint256) = 3


@internal
@pure
def apply_terms(
    w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Set the exchange's terms, by message from L1. Leaves: terms.
    @return The new values and the outcome.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    given: records.ExchangeTerms = records.decode_set_terms(body).terms
    if not self.are_terms_sound(given):
        store.check_count(w, 0)
        return values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    values[0] = leaves.encode_terms(self.set_terms(store.terms(w, 0), given))
    return values, errors.ACCEPTED


@internal
@pure
def set_terms(terms: leaves.Terms, given: records.ExchangeTerms) -> leaves.Terms:
    """
    @notice Take over each of them.
    """
    changed: leaves.Terms = terms
    changed.low = given.low
    changed.high = given.high
    changed.taker_saving = given.taker_saving
    changed.maker_saving = given.maker_saving
    changed.most_rebate = given.most_rebate
    changed.backstop_share = given.backstop_share
    changed.treasury_share = given.treasury_share
    changed.insurance_floor = given.insurance_floor
    changed.treasury = given.treasury
    changed.scale_from = given.scale_from
    changed.scale_most = given.scale_most
    return changed


@internal
@pure
def are_terms_sound(terms: records.ExchangeTerms) -> bool:
    """
    @notice What a fill worth a unit leaves to the exchange is at least (1 - taker_saving) * (1 - most_rebate) of it; what of
            this goes to the backstop may come back to who has its shares.
    @return Whether nobody saves more by activity that he buys in trades with himself than these trades cost.
    @dev Below 2**60 * 2**99 on either side.
    """
    if not self.are_in_range(terms) or terms.backstop_share + terms.treasury_share > integers.PPM:
        return False
    if terms.high == 0:
        return terms.low == 0
    if terms.low >= terms.high:
        return False
    kept: uint256 = (integers.PPM - terms.taker_saving) * (integers.PPM - terms.most_rebate)
    kept *= integers.PPM - terms.backstop_share
    saving: uint256 = max(terms.taker_saving, terms.maker_saving)
    return kept * (terms.high - terms.low) >= WASH_FACTOR * saving * integers.PPM * integers.PPM * terms.high


@internal
@pure
def are_in_range(terms: records.ExchangeTerms) -> bool:
    """
    @return Whether each of the terms by itself can be.
    """
    return (
        terms.high <= records.MAX_ACTIVITY
        and terms.taker_saving <= integers.PPM
        and terms.maker_saving <= integers.PPM
        and terms.most_rebate <= integers.PPM
        and terms.backstop_share <= integers.PPM
        and terms.treasury_share <= integers.PPM
        and terms.scale_from <= records.TEN_THOUSAND
        and terms.scale_most <= records.TEN_THOUSAND
    )


@internal
@pure
def charge_fees(
    regs: registers.Registers, w: store.Witness, place: uint256, market: leaves.Market, maker: uint256, notional: uint256
) -> (int256, int256, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice A fill of `notional` token units counts for both owners. An order of the machine's own pays another fee, or none,
            so it counts for nobody, and its maker gets no rebate. Together the fees are never below zero: the rebate is a
            part of what this taker pays.
            Leaves, from `place` on: terms; if fees fall by them the activity of the maker's owner, and of the taker's if that
            pays.
    @return The taker's fee, the maker's, which may be a rebate, and the values after it.
    @dev A saving is at most a part of the fee, which is rounded up: no fee of a taker is below zero.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    is_charged: bool = regs.kind != records.LIQUIDATION
    taker_fee: int256 = 0
    if is_charged:
        taker_fee = margin.compute_fee(convert(notional, int256), convert(market.taker_fee, int256))
    maker_fee: int256 = margin.compute_fee(convert(notional, int256), market.maker_fee)
    rebate: int256 = taker_fee
    terms: leaves.Terms = store.terms(w, place)
    touched: uint256 = place + 1
    if terms.high != 0:
        worth: uint256 = notional * market.taker_fee
        activity: leaves.Activity = store.activity(w, place + 1, keys.get_master(maker))
        touched += 1
        maker_fee -= self.compute_saving(worth, terms.maker_saving, self.get_activity(activity, regs.time), terms)
        if is_charged:
            values[place + 1] = leaves.encode_activity(self.add_activity(activity, worth, regs.time))
            activity = store.activity(w, place + 2, keys.get_master(regs.account))
            touched += 1
            taker_fee -= self.compute_saving(worth, terms.taker_saving, self.get_activity(activity, regs.time), terms)
            values[place + 2] = leaves.encode_activity(self.add_activity(activity, worth, regs.time))
        rebate = taker_fee * convert(terms.most_rebate, int256) // convert(integers.PPM, int256)
    store.check_count(w, touched)
    return taker_fee, max(maker_fee, -rebate), values


@internal
@pure
def compute_saving(worth: uint256, saving: uint256, activity: uint256, terms: leaves.Terms) -> int256:
    """
    @param worth Ppm of token units, the taker's fee at the market's rate. No more of it than `high` counts: a fill that is
           larger would be worth more than what it takes to be at the end of the slope.
    @param saving Ppm, at most.
    @return What an owner with this activity saves of a fill, token units, rounded down.
    @dev Below 2**104 * 2**20 * 2**97. `high` is above `low`.
    """
    beyond: uint256 = max(min(activity, terms.high), terms.low) - terms.low
    saved: uint256 = min(worth, terms.high * integers.PPM) * saving * beyond
    return convert(saved // (integers.PPM * integers.PPM * (terms.high - terms.low)), int256)


@internal
@pure
def get_activity(activity: leaves.Activity, time: uint256) -> uint256:
    """
    @return What is left of it at `time`, token units.
    @dev Time does not go back.
    """
    amount: uint256 = activity.amount
    days: uint256 = time // DAY - activity.day
    if days >= FADED_DAYS:
        return 0
    for _: uint256 in range(days, bound=FADED_DAYS):
        amount = amount * (ACTIVITY_DAYS - 1) // ACTIVITY_DAYS
    return amount


@internal
@pure
def add_activity(activity: leaves.Activity, worth: uint256, time: uint256) -> leaves.Activity:
    """
    @notice Count a fill.
    @param worth Ppm of token units.
    """
    return leaves.Activity(
        amount=min(self.get_activity(activity, time) + worth // integers.PPM, records.MAX_ACTIVITY),
        day=time // DAY,
    )


@internal
@pure
def share_revenue(
    regs: registers.Registers, w: store.Witness, place: uint256, backstop: leaves.Account, market: leaves.Market
) -> (leaves.Account, leaves.Market, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Pass on parts of the fees that came in since the last time, as far as the insurance stays above its floor. What is
            not passed on, because a share is nobody's or the insurance needs it, is the insurance's for good.
            Leaves, from `place` on: terms; the treasury, if it gets anything.
    @return The backstop, the market and the values after it.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    vault: leaves.Account = backstop
    shared_market: leaves.Market = market
    terms: leaves.Terms = store.terms(w, place)
    taken: int256 = market.revenue
    shared_market.revenue = 0
    spare: int256 = min(taken, market.insurance - self.compute_floor(market, terms))
    if spare <= 0:
        store.check_count(w, place + 1)
        return vault, shared_market, values
    one: int256 = convert(integers.PPM, int256)
    part: int256 = integers.div_floor(spare * convert(terms.backstop_share, int256), one)
    shared_market.insurance -= part
    vault.collateral += part
    part = integers.div_floor(spare * convert(terms.treasury_share, int256), one)
    if part != 0 and 1 <= terms.treasury and terms.treasury <= regs.accounts:
        store.check_count(w, place + 2)
        treasury: leaves.Account = store.account(w, place + 1, terms.treasury)
        shared_market.insurance -= part
        treasury.collateral += part
        values[place + 1] = leaves.encode_account(treasury)
    else:
        store.check_count(w, place + 1)
    return vault, shared_market, values


@internal
@pure
def compute_floor(market: leaves.Market, terms: leaves.Terms) -> int256:
    """
    @return What the insurance keeps in any case, token units: a part of what the open interest is worth, rounded up.
    @dev Below 2**119 * 2**32.
    """
    worth: int256 = margin.compute_value(
        convert(market.open_interest, int256), convert(market.mark, int256), market
    )
    return integers.div_ceil(worth * convert(terms.insurance_floor, int256), convert(integers.PPM, int256))
