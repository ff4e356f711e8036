# pragma version 0.4.3
"""
@title Listing of markets and changes of their parameters, only by message from L1
@license MIT
@notice Twin: `shared/rules/listing.py`.
"""

import errors
from codec import integers
from codec import records
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def apply_listing(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice List the next market. Leaves: market.
    @return The registers, the new values and the outcome.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    listing: records.ListMarketBody = records.decode_list_market(body)
    if listing.market != regs.markets + 1 or not self.are_parameters_sound(listing):
        store.check_count(w, 0)
        return regs, values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, listing.market)
    market.unit = listing.unit
    market.expiry = listing.expiry
    values[0] = leaves.encode_market(self.set_parameters(market, listing))
    regs.markets = listing.market
    return regs, values, errors.ACCEPTED


@internal
@pure
def apply_change(
    regs: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Change a market's parameters; unit and expiry stay what they were. Leaves: market.
    @return The new values and the outcome.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    listing: records.ListMarketBody = records.decode_list_market(body)
    if listing.market < 1 or listing.market > regs.markets or not self.are_parameters_sound(listing):
        store.check_count(w, 0)
        return values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, listing.market)
    values[0] = leaves.encode_market(self.set_parameters(market, listing))
    return values, errors.ACCEPTED


@internal
@pure
def set_parameters(market: leaves.Market, listing: records.ListMarketBody) -> leaves.Market:
    """
    @notice Take over every parameter that may change.
    """
    changed: leaves.Market = market
    changed.initial_margin = listing.initial_margin
    changed.maintenance_margin = listing.maintenance_margin
    changed.taker_fee = listing.taker_fee
    changed.maker_fee = listing.maker_fee
    changed.band = listing.band
    changed.max_age = listing.max_age
    changed.step_band = listing.step_band
    changed.funding_cap = listing.funding_cap
    changed.close_out = listing.close_out
    changed.max_open_interest = listing.max_open_interest
    changed.max_position = listing.max_position
    changed.impact = listing.impact
    changed.tier1_size = listing.tier1_size
    changed.tier1_initial = listing.tier1_initial
    changed.tier1_maintenance = listing.tier1_maintenance
    changed.tier2_size = listing.tier2_size
    changed.tier2_initial = listing.tier2_initial
    changed.tier2_maintenance = listing.tier2_maintenance
    return changed


@internal
@pure
def are_parameters_sound(listing: records.ListMarketBody) -> bool:
    """
    @return Whether the parameters lie in bounds within which no later step can overflow, and the rebate never exceeds
            the fee that pays for it.
    """
    return (
        listing.market <= keys.MAX_MARKET
        and 1 <= listing.unit
        and listing.unit < phases.MAX_UNIT
        and self.are_margins_sound(listing.initial_margin, listing.maintenance_margin)
        and listing.taker_fee <= phases.MAX_FEE
        and -convert(listing.taker_fee, int256) <= listing.maker_fee
        and listing.maker_fee <= convert(phases.MAX_FEE, int256)
        and 1 <= listing.band
        and listing.band <= integers.PPM
        and listing.max_age >= 1
        and 1 <= listing.step_band
        and listing.step_band <= integers.PPM
        and listing.funding_cap <= phases.MAX_FEE
        and listing.close_out <= listing.maintenance_margin
        and 1 <= listing.max_position
        and listing.max_position <= phases.MAX_POSITION
        and self.are_tiers_sound(listing)
    )


@internal
@pure
def are_tiers_sound(listing: records.ListMarketBody) -> bool:
    """
    @return Whether the margins of the tiers rise with size.
    """
    if listing.tier1_size == 0:
        return listing.tier2_size == 0
    if (
        listing.tier1_initial < listing.initial_margin
        or listing.tier1_maintenance < listing.maintenance_margin
        or not self.are_margins_sound(listing.tier1_initial, listing.tier1_maintenance)
    ):
        return False
    if listing.tier2_size == 0:
        return True
    return (
        listing.tier2_size > listing.tier1_size
        and listing.tier2_initial >= listing.tier1_initial
        and listing.tier2_maintenance >= listing.tier1_maintenance
        and self.are_margins_sound(listing.tier2_initial, listing.tier2_maintenance)
    )


@internal
@pure
def are_margins_sound(initial: uint256, maintenance: uint256) -> bool:
    """
    @return Whether a pair of margin fractions, ppm, makes sense.
    """
    return 1 <= maintenance and maintenance <= initial and initial <= integers.PPM
