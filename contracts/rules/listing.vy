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
    if (
        listing.market != regs.markets + 1
        or listing.market > keys.MAX_MARKET
        or not self.are_parameters_sound(listing.parameters)
    ):
        store.check_count(w, 0)
        return regs, values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, listing.market)
    market.unit = listing.parameters.unit
    market.expiry = listing.parameters.expiry
    values[0] = leaves.encode_market(self.set_parameters(market, listing.parameters))
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
    if listing.market < 1 or listing.market > regs.markets or not self.are_parameters_sound(listing.parameters):
        store.check_count(w, 0)
        return values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, listing.market)
    values[0] = leaves.encode_market(self.set_parameters(market, listing.parameters))
    return values, errors.ACCEPTED


@internal
@pure
def set_parameters(market: leaves.Market, parameters: records.MarketParameters) -> leaves.Market:
    """
    @notice Take over every parameter that may change.
    """
    changed: leaves.Market = market
    changed.initial_margin = parameters.initial_margin
    changed.maintenance_margin = parameters.maintenance_margin
    changed.taker_fee = parameters.taker_fee
    changed.maker_fee = parameters.maker_fee
    changed.band = parameters.band
    changed.max_age = parameters.max_age
    changed.step_band = parameters.step_band
    changed.funding_cap = parameters.funding_cap
    changed.close_out = parameters.close_out
    changed.max_open_interest = parameters.max_open_interest
    changed.max_position = parameters.max_position
    changed.impact = parameters.impact
    changed.tier1_size = parameters.tier1_size
    changed.tier1_initial = parameters.tier1_initial
    changed.tier1_maintenance = parameters.tier1_maintenance
    changed.tier2_size = parameters.tier2_size
    changed.tier2_initial = parameters.tier2_initial
    changed.tier2_maintenance = parameters.tier2_maintenance
    changed.order_margin = parameters.order_margin
    changed.backstop_cap = parameters.backstop_cap
    changed.call_minutes = parameters.call_minutes
    return changed


@internal
@pure
def are_parameters_sound(parameters: records.MarketParameters) -> bool:
    """
    @return Whether the parameters lie in bounds within which no later step can overflow, and the rebate never exceeds
            the fee that pays for it.
    """
    return (
        self.are_in_range(parameters)
        and parameters.maintenance_margin <= parameters.initial_margin
        and -convert(parameters.taker_fee, int256) <= parameters.maker_fee
        and parameters.close_out <= parameters.maintenance_margin
        and self.are_tiers_sound(parameters)
    )


@internal
@pure
def are_in_range(parameters: records.MarketParameters) -> bool:
    """
    @return Whether each parameter by itself is one that a market can have.
    """
    return (
        1 <= parameters.unit
        and parameters.unit <= records.MAX_UNIT - 1
        and parameters.initial_margin <= integers.PPM
        and 1 <= parameters.maintenance_margin
        and parameters.taker_fee <= records.MAX_FEE
        and parameters.maker_fee <= convert(records.MAX_FEE, int256)
        and 1 <= parameters.band
        and parameters.band <= integers.PPM
        and 1 <= parameters.max_age
        and 1 <= parameters.step_band
        and parameters.step_band <= integers.PPM
        and parameters.funding_cap <= records.MAX_FEE
        and 1 <= parameters.max_position
        and parameters.max_position <= records.MAX_POSITION
    )


@internal
@pure
def are_tiers_sound(parameters: records.MarketParameters) -> bool:
    """
    @return Whether the margins of the tiers rise with size.
    """
    if parameters.tier1_size == 0:
        return parameters.tier2_size == 0
    if (
        parameters.tier1_initial < parameters.initial_margin
        or parameters.tier1_maintenance < parameters.maintenance_margin
        or not self.are_margins_sound(parameters.tier1_initial, parameters.tier1_maintenance)
    ):
        return False
    if parameters.tier2_size == 0:
        return True
    return (
        parameters.tier2_size > parameters.tier1_size
        and parameters.tier2_initial >= parameters.tier1_initial
        and parameters.tier2_maintenance >= parameters.tier1_maintenance
        and self.are_margins_sound(parameters.tier2_initial, parameters.tier2_maintenance)
    )


@internal
@pure
def are_margins_sound(initial: uint256, maintenance: uint256) -> bool:
    """
    @return Whether a tier's margin fractions, ppm, make sense. The market's own, which are not higher, are above zero.
    """
    return maintenance <= initial and initial <= integers.PPM
