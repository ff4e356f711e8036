"""Initial margins that rise with a market's open interest.

Twin: ``contracts/rules/scale.vy``. What is hard to close out in a book is a market's whole open interest, whoever holds
it. From a part of the largest that the market may have on, each initial margin fraction f rises to f + (1 - f) * scale,
and the scale evenly with the open interest, to the exchange's `scale_most` at the largest: dYdX v4's scaled initial
margin ("Open interest caps", there from a liquidity tier's lower cap to its upper one, where it is 1). Maintenance
margins stay: nobody is liquidated for what others open.

The scale follows from sample to sample, by no more than `STEP`: who wants it elsewhere for a while has to hold the open
interest for as many minutes.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.codec.records import TEN_THOUSAND
from setoff.shared.state.leaves import Market, Terms

FULL: Final = 255
"""Scale at which an initial margin is all that the position is worth."""
STEP: Final = 32
"""What the scale changes by from one sample to the next at most: eight minutes from none to full."""


def follow_scale(market: Market, terms: Terms) -> None:
    """Bring the scale of its initial margins nearer to what its open interest asks for."""
    wanted = compute_scale(market, terms)
    market.scale = max(min(wanted, market.scale + STEP), max(market.scale, STEP) - STEP)


def compute_scale(market: Market, terms: Terms) -> int:
    """What the market's open interest asks for, of `FULL`, rounded down."""
    start = market.max_open_interest * terms.scale_from // TEN_THOUSAND
    beyond = max(start, min(market.open_interest, market.max_open_interest)) - start
    width = max(1, market.max_open_interest - start)
    return FULL * terms.scale_most * beyond // (TEN_THOUSAND * width)


def scale_weight(weight: int, most: int, scale: int) -> int:
    """A weight that has come nearer to `most`, which is no less, by `scale` parts of `FULL`, rounded down."""
    return weight + (most - weight) * scale // FULL
