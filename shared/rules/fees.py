"""Fees of a fill, how they fall with an owner's activity, and who gets them. Twin: ``contracts/rules/fees.vy``.

A market's taker and maker fee are the most that a fill costs; whoever weighs an order weighs it with them. What a fill
is worth is its taker's fee at that rate, and both sides' owners get as much activity for it, which fades by a 28th each
day. Between two activities that the exchange's terms name each fee falls evenly: a tier would be an edge, worth a trade
with oneself. Activity is counted in fees and not in volume since volume costs in each market something else, in some
nothing at all. Venues rank by the volume of the last 14 (Hyperliquid) or 30 days (Binance, dYdX v4), in tiers.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_ceil, div_floor
from setoff.shared.codec.layout import fields_of, ranges_of
from setoff.shared.codec.records import ExchangeTerms
from setoff.shared.rules.margin import compute_fee, compute_value
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Activity, Market, Terms
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

DAY: Final = 86_400
ACTIVITY_DAYS: Final = 28
"""Each day takes one part in so many of an activity: who pays a fee a day for long has so many of them."""
FADED_DAYS: Final = 256
"""Days after which nothing is left: a ten-thousandth would be."""
WASH_FACTOR: Final = 3
"""What activity is worth at most, in what buying it would cost: `are_terms_sound`, section 25 of the rationale."""
NAMES: Final = tuple(field.name for field in fields_of(ExchangeTerms))
"""What a message about the terms sets: all of them."""
_RANGES: Final = tuple(ranges_of(ExchangeTerms).items())


def apply_terms(state: State, body: bytes) -> int:
    """Set the exchange's terms, by message from L1. Leaves: terms. Returns the outcome."""
    given = records.decode_set_terms(body).terms
    if not are_terms_sound(given):
        return errors.BAD_PARAMETERS
    set_terms(state.terms(), given)
    return errors.ACCEPTED


def set_terms(terms: Terms, given: ExchangeTerms) -> None:
    """Take over each of them."""
    for name in NAMES:
        setattr(terms, name, getattr(given, name))


def are_terms_sound(terms: ExchangeTerms) -> bool:
    """Whether nobody saves more by activity that he buys in trades with himself than these trades cost.

    What a fill worth a unit leaves to the exchange is at least (1 - taker_saving) * (1 - most_rebate) of it; what of
    this goes to the backstop may come back to who has its shares.
    """
    if not are_in_range(terms) or terms.backstop_share + terms.treasury_share > PPM:
        return False
    if terms.high == 0:
        return terms.low == 0
    if terms.low >= terms.high:
        return False
    kept = (PPM - terms.taker_saving) * (PPM - terms.most_rebate) * (PPM - terms.backstop_share)
    saving = max(terms.taker_saving, terms.maker_saving)
    return kept * (terms.high - terms.low) >= WASH_FACTOR * saving * PPM * PPM * terms.high


def are_in_range(terms: ExchangeTerms) -> bool:
    """Whether each of the terms by itself can be: the ranges in ``codec/records.py``."""
    return all(getattr(terms, name) in bounds for name, bounds in _RANGES)


def charge_fees(regs: Registers, state: State, market: Market, maker: int, notional: int) -> tuple[int, int]:
    """(taker's fee, maker's, which may be a rebate) of a fill of `notional` token units, which counts for both owners.

    An order of the machine's own pays another fee, or none, so it counts for nobody, and its maker gets no rebate.
    Together they are never below zero: the rebate is a part of what this taker pays.
    Leaves: terms; if fees fall by them the activity of the maker's owner, and of the taker's if that pays.
    """
    is_charged = regs.kind != records.LIQUIDATION
    taker_fee = compute_fee(notional, market.taker_fee) if is_charged else 0
    maker_fee = compute_fee(notional, market.maker_fee)
    rebate = taker_fee
    terms = state.terms()
    if terms.high:
        worth = notional * market.taker_fee
        activity = state.activity(keys.get_master(maker))
        maker_fee -= compute_saving(worth, terms.maker_saving, get_activity(activity, regs.time), terms)
        if is_charged:
            add_activity(activity, worth, regs.time)
            activity = state.activity(keys.get_master(regs.account))
            taker_fee -= compute_saving(worth, terms.taker_saving, get_activity(activity, regs.time), terms)
            add_activity(activity, worth, regs.time)
        rebate = taker_fee * terms.most_rebate // PPM
    return taker_fee, max(maker_fee, -rebate)


def compute_saving(worth: int, saving: int, activity: int, terms: Terms) -> int:
    """What an owner with this activity saves of a fill, token units, rounded down; `saving`: ppm, at most.

    `worth`: ppm of token units, the taker's fee at the market's rate. No more of it than `high` counts: a fill that
    is larger would be worth more than what it takes to be at the end of the slope.
    """
    beyond = max(min(activity, terms.high), terms.low) - terms.low
    return min(worth, terms.high * PPM) * saving * beyond // (PPM * PPM * (terms.high - terms.low))


def compute_rate(saving: int, activity: int, terms: Terms) -> int:
    """What an owner with this activity saves of a fill that is not very large, ppm of its worth; `saving`: the most."""
    beyond = max(min(activity, terms.high), terms.low) - terms.low
    return saving * beyond // max(1, terms.high - terms.low)


def get_activity(activity: Activity, time: int) -> int:
    """What is left of it at `time`, token units."""
    amount = activity.amount
    days = time // DAY - activity.day
    if days >= FADED_DAYS:
        return 0
    for _ in range(days):
        amount = amount * (ACTIVITY_DAYS - 1) // ACTIVITY_DAYS
    return amount


def add_activity(activity: Activity, worth: int, time: int) -> None:
    """Count a fill; `worth`: ppm of token units."""
    activity.amount = min(get_activity(activity, time) + worth // PPM, records.MAX_ACTIVITY)
    activity.day = time // DAY


def share_revenue(regs: Registers, state: State, backstop: Account, market: Market) -> None:
    """Pass on parts of the fees that came in since the last time, as far as the insurance stays above its floor.

    What is not passed on, because a share is nobody's or the insurance needs it, is the insurance's for good.
    Leaves: terms; the treasury, if it gets anything.
    """
    terms = state.terms()
    taken = market.revenue
    market.revenue = 0
    spare = min(taken, market.insurance - compute_floor(market, terms))
    if spare <= 0:
        return
    part = div_floor(spare * terms.backstop_share, PPM)
    market.insurance -= part
    backstop.collateral += part
    part = div_floor(spare * terms.treasury_share, PPM)
    if part and 1 <= terms.treasury <= regs.accounts:
        market.insurance -= part
        state.account(terms.treasury).collateral += part


def compute_floor(market: Market, terms: Terms) -> int:
    """What the insurance keeps in any case, token units: a part of what the open interest is worth, rounded up."""
    return div_ceil(compute_value(market.open_interest, market.mark, market) * terms.insurance_floor, PPM)
