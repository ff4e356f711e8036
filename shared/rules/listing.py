"""Listing of markets and changes of their parameters, only by message from L1.

Twin: ``contracts/rules/listing.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import ListMarketBody
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def apply_listing(regs: Registers, state: State, body: bytes) -> int:
    """List the next market. Leaves: market. Returns the outcome."""
    listing = records.decode_list_market(body)
    if listing.market != regs.markets + 1 or not are_parameters_sound(listing):
        return errors.BAD_PARAMETERS
    market = state.market(listing.market)
    market.unit = listing.unit
    market.expiry = listing.expiry
    set_parameters(market, listing)
    regs.markets = listing.market
    return errors.ACCEPTED


def apply_change(regs: Registers, state: State, body: bytes) -> int:
    """Change a market's parameters; unit and expiry stay what they were. Leaves: market. Returns the outcome."""
    listing = records.decode_list_market(body)
    if not 1 <= listing.market <= regs.markets or not are_parameters_sound(listing):
        return errors.BAD_PARAMETERS
    set_parameters(state.market(listing.market), listing)
    return errors.ACCEPTED


def set_parameters(market: Market, listing: ListMarketBody) -> None:
    """Take over every parameter that may change."""
    market.initial_margin = listing.initial_margin
    market.maintenance_margin = listing.maintenance_margin
    market.taker_fee = listing.taker_fee
    market.maker_fee = listing.maker_fee
    market.band = listing.band
    market.max_age = listing.max_age
    market.step_band = listing.step_band
    market.funding_cap = listing.funding_cap
    market.close_out = listing.close_out
    market.max_open_interest = listing.max_open_interest
    market.max_position = listing.max_position
    market.impact = listing.impact
    market.tier1_size = listing.tier1_size
    market.tier1_initial = listing.tier1_initial
    market.tier1_maintenance = listing.tier1_maintenance
    market.tier2_size = listing.tier2_size
    market.tier2_initial = listing.tier2_initial
    market.tier2_maintenance = listing.tier2_maintenance


def are_parameters_sound(listing: ListMarketBody) -> bool:
    """Bounds within which no later step can overflow, and a rebate never exceeds the fee that pays for it."""
    return (
        listing.market <= keys.MAX_MARKET
        and 1 <= listing.unit < phases.MAX_UNIT
        and are_margins_sound(listing.initial_margin, listing.maintenance_margin)
        and listing.taker_fee <= phases.MAX_FEE
        and -listing.taker_fee <= listing.maker_fee <= phases.MAX_FEE
        and 1 <= listing.band <= PPM
        and listing.max_age >= 1
        and 1 <= listing.step_band <= PPM
        and listing.funding_cap <= phases.MAX_FEE
        and listing.close_out <= listing.maintenance_margin
        and 1 <= listing.max_position <= phases.MAX_POSITION
        and are_tiers_sound(listing)
    )


def are_tiers_sound(listing: ListMarketBody) -> bool:
    """Whether the margins of the tiers rise with size."""
    if listing.tier1_size == 0:
        return listing.tier2_size == 0
    if listing.tier1_initial < listing.initial_margin or listing.tier1_maintenance < listing.maintenance_margin:
        return False
    if not are_margins_sound(listing.tier1_initial, listing.tier1_maintenance):
        return False
    if listing.tier2_size == 0:
        return True
    return (
        listing.tier2_size > listing.tier1_size
        and listing.tier2_initial >= listing.tier1_initial
        and listing.tier2_maintenance >= listing.tier1_maintenance
        and are_margins_sound(listing.tier2_initial, listing.tier2_maintenance)
    )


def are_margins_sound(initial: int, maintenance: int) -> bool:
    """Whether a pair of margin fractions, ppm, makes sense."""
    return 1 <= maintenance <= initial <= PPM
