# pragma version 0.4.3
"""
@title Listing of markets, only by message from L1
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
    regs.market = listing.market
    if listing.market != regs.markets + 1 or not self.are_parameters_sound(listing):
        store.check_count(w, 0)
        return regs, values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    market: leaves.Market = store.market(w, 0, listing.market)
    market.unit = listing.unit
    market.initial_margin = listing.initial_margin
    market.maintenance_margin = listing.maintenance_margin
    market.taker_fee = listing.taker_fee
    market.maker_fee = listing.maker_fee
    market.band = listing.band
    regs.markets = listing.market
    values[0] = leaves.encode_market(market)
    return regs, values, errors.ACCEPTED


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
        and 1 <= listing.maintenance_margin
        and listing.maintenance_margin <= listing.initial_margin
        and listing.initial_margin <= integers.PPM
        and listing.taker_fee <= phases.MAX_FEE
        and -convert(listing.taker_fee, int256) <= listing.maker_fee
        and listing.maker_fee <= convert(phases.MAX_FEE, int256)
        and 1 <= listing.band
        and listing.band <= integers.PPM
    )
