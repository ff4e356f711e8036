"""Listing of markets and changes of their parameters, only by message from L1.

Twin: ``contracts/rules/listing.vy``."""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import fields_of, ranges_of
from setoff.shared.codec.records import MarketParameters
from setoff.shared.state import keys
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_FIXED: Final = ("unit", "expiry")
"""Parameters that a market keeps from its listing on; all others may change."""
CHANGEABLE: Final = tuple(field.name for field in fields_of(MarketParameters) if field.name not in _FIXED)
_RANGES: Final = tuple(ranges_of(MarketParameters).items())


def apply_listing(regs: Registers, state: State, body: bytes) -> int:
    """List the next market. Leaves: market. Returns the outcome."""
    listing = records.decode_list_market(body)
    if listing.market != regs.markets + 1 or listing.market > keys.MAX_MARKET:
        return errors.BAD_PARAMETERS
    if not are_parameters_sound(listing.parameters):
        return errors.BAD_PARAMETERS
    market = state.market(listing.market)
    market.unit = listing.parameters.unit
    market.expiry = listing.parameters.expiry
    set_parameters(market, listing.parameters)
    regs.markets = listing.market
    return errors.ACCEPTED


def apply_change(regs: Registers, state: State, body: bytes) -> int:
    """Change a market's parameters; unit and expiry stay what they were. Leaves: market. Returns the outcome."""
    listing = records.decode_list_market(body)
    if not 1 <= listing.market <= regs.markets or not are_parameters_sound(listing.parameters):
        return errors.BAD_PARAMETERS
    set_parameters(state.market(listing.market), listing.parameters)
    return errors.ACCEPTED


def set_parameters(market: Market, parameters: MarketParameters) -> None:
    """Take over every parameter that may change."""
    for name in CHANGEABLE:
        setattr(market, name, getattr(parameters, name))


def are_parameters_sound(parameters: MarketParameters) -> bool:
    """Bounds within which no later step can overflow, and a rebate never exceeds the fee that pays for it."""
    return (
        are_in_range(parameters)
        and parameters.maintenance_margin <= parameters.initial_margin
        and -parameters.taker_fee <= parameters.maker_fee
        and parameters.close_out <= parameters.maintenance_margin
        and are_tiers_sound(parameters)
    )


def are_in_range(parameters: MarketParameters) -> bool:
    """Whether each parameter by itself is one that a market can have: the ranges in ``codec/records.py``."""
    return all(getattr(parameters, name) in bounds for name, bounds in _RANGES)


def are_tiers_sound(parameters: MarketParameters) -> bool:
    """Whether the margins of the tiers rise with size."""
    if parameters.tier1_size == 0:
        return parameters.tier2_size == 0
    if (
        parameters.tier1_initial < parameters.initial_margin
        or parameters.tier1_maintenance < parameters.maintenance_margin
    ):
        return False
    if not are_margins_sound(parameters.tier1_initial, parameters.tier1_maintenance):
        return False
    if parameters.tier2_size == 0:
        return True
    return (
        parameters.tier2_size > parameters.tier1_size
        and parameters.tier2_initial >= parameters.tier1_initial
        and parameters.tier2_maintenance >= parameters.tier1_maintenance
        and are_margins_sound(parameters.tier2_initial, parameters.tier2_maintenance)
    )


def are_margins_sound(initial: int, maintenance: int) -> bool:
    """Whether a tier's margin fractions, ppm, make sense. The market's own, which are not higher, are above zero."""
    return maintenance <= initial <= PPM
