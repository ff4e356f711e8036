"""All scenes: rare cases by hand, what random traces meet seldom or never."""

from tests.support.judge.scenes import (
    accounts,
    auction,
    backstop,
    crank,
    cuts,
    edges,
    exits,
    fees,
    holders,
    liquidation,
    listing,
    margin,
    matching,
    noise,
    oracle,
    order_margin,
    orders,
    pausing,
    readings,
    revenue,
    scale,
    settlement,
    waiting,
    work,
)

SCENES = (
    *matching.SCENES,
    *fees.SCENES,
    *margin.SCENES,
    *orders.SCENES,
    *order_margin.SCENES,
    *oracle.SCENES,
    *crank.SCENES,
    *cuts.SCENES,
    *auction.SCENES,
    *work.SCENES,
    *pausing.SCENES,
    *settlement.SCENES,
    *waiting.SCENES,
    *liquidation.SCENES,
    *backstop.SCENES,
    *exits.SCENES,
    *scale.SCENES,
    *holders.SCENES,
    *accounts.SCENES,
    *listing.SCENES,
)

EDGES = (*edges.SCENES, *revenue.SCENES, *noise.SCENES, *readings.SCENES)
"""Boundaries to the unit: longer, and with variants of their inputs."""
