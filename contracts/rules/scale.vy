# pragma version 0.4.3
"""
@title Initial margins that rise with a market's open interest
@license MIT
@notice What is hard to close out in a book is a market's whole open interest, whoever holds it. From a part of the largest
        that the market may have on, each initial margin fraction f rises to f + (1 - f) * scale, and the scale evenly with
        the open interest, to the exchange's `scale_most` at the largest. Maintenance margins stay: nobody is liquidated for
        what others open. The scale follows from sample to sample, by no more than `STEP`: who wants it elsewhere for a while
        has to hold the open interest for as many minutes. Twin: `shared/rules/scale.py`.
"""

from codec import records
from state import leaves

# Scale at which an initial margin is all that the position is worth.
FULL: constant(uint256) = 255
# What the scale changes by from one sample to the next at most: eight minutes from none to full.
STEP: constant(uint256) = 32


@internal
@pure
def follow_scale(market: leaves.Market, terms: leaves.Terms) -> leaves.Market:
    """
    @notice Bring the scale of its initial margins nearer to what its open interest asks for.
    """
    changed: leaves.Market = market
    wanted: uint256 = self.compute_scale(market, terms)
    changed.scale = max(min(wanted, market.scale + STEP), max(market.scale, STEP) - STEP)
    return changed


@internal
@pure
def compute_scale(market: leaves.Market, terms: leaves.Terms) -> uint256:
    """
    @return What the market's open interest asks for, of `FULL`, rounded down.
    """
    start: uint256 = market.max_open_interest * terms.scale_from // records.TEN_THOUSAND
    beyond: uint256 = max(start, min(market.open_interest, market.max_open_interest)) - start
    width: uint256 = max(1, market.max_open_interest - start)
    return FULL * terms.scale_most * beyond // (records.TEN_THOUSAND * width)


@internal
@pure
def scale_weight(weight: uint256, most: uint256, scale: uint256) -> uint256:
    """
    @return A weight that has come nearer to `most`, which is no less, by `scale` parts of `FULL`, rounded down.
    """
    return weight + (most - weight) * scale // FULL
