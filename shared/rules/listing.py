"""Listing of markets, only by message from L1. Twin: ``contracts/rules/listing.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import ListMarketBody
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def apply_listing(regs: Registers, state: State, body: bytes) -> int:
    """List the next market. Leaves: market. Returns the outcome."""
    listing = records.decode_list_market(body)
    regs.market = listing.market
    if listing.market != regs.markets + 1 or not are_parameters_sound(listing):
        return errors.BAD_PARAMETERS
    market = state.market(listing.market)
    market.unit = listing.unit
    market.initial_margin = listing.initial_margin
    market.maintenance_margin = listing.maintenance_margin
    market.taker_fee = listing.taker_fee
    market.maker_fee = listing.maker_fee
    market.band = listing.band
    regs.markets = listing.market
    return errors.ACCEPTED


def are_parameters_sound(listing: ListMarketBody) -> bool:
    """Bounds within which no later step can overflow, and a rebate never exceeds the fee that pays for it."""
    return (
        listing.market <= keys.MAX_MARKET
        and 1 <= listing.unit < phases.MAX_UNIT
        and 1 <= listing.maintenance_margin <= listing.initial_margin <= PPM
        and listing.taker_fee <= phases.MAX_FEE
        and -listing.taker_fee <= listing.maker_fee <= phases.MAX_FEE
        and 1 <= listing.band <= PPM
    )
