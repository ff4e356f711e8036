"""A listing's fields at and just over their bounds."""

from __future__ import annotations

from dataclasses import replace

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import fields_of, ranges_of


def _find_field_edges() -> list[tuple[str, int]]:
    """At and over both ends of what each field may be, and of what fits into it."""
    ranges, edges = ranges_of(records.MarketParameters), []
    for field in fields_of(records.MarketParameters):
        bounds = ranges.get(field.name, field.limits)
        around = {
            bounds.start - 1,
            bounds.start,
            bounds.stop - 1,
            bounds.stop,
            field.limits.start,
            field.limits.stop - 1,
        }
        edges += [(field.name, edge) for edge in sorted(around) if edge in field.limits]
    return edges


_OF_FIELDS = _find_field_edges()


def listing_edges(listing: records.ListMarketBody) -> list[tuple[str, int]]:
    """(field, value) at and just over every bound of a sound listing, one at a time.

    Those of a parameter by itself follow from its width and range; here are the ones that depend on another.
    """
    m = listing.parameters
    edges = [
        *(("market", edge) for edge in (0, listing.market - 1, listing.market + 1, 2**16 - 1)),
        *(("initial_margin", edge) for edge in (m.maintenance_margin - 1, m.maintenance_margin)),
        *(("maintenance_margin", edge) for edge in (m.initial_margin, m.initial_margin + 1)),
        ("taker_fee", abs(m.maker_fee)),
        *(("maker_fee", edge) for edge in (-m.taker_fee, -m.taker_fee - 1)),
        *(("close_out", edge) for edge in (m.maintenance_margin, m.maintenance_margin + 1)),
        *(("tier1_size", edge) for edge in (m.tier2_size - 1, m.tier2_size)),
        *(("tier1_initial", edge) for edge in (m.initial_margin - 1, m.initial_margin, PPM, PPM + 1)),
        *(("tier1_maintenance", edge) for edge in (m.maintenance_margin - 1, m.tier1_initial, m.tier1_initial + 1)),
        *(("tier2_size", edge) for edge in (m.tier1_size, m.tier1_size + 1)),
        *(("tier2_initial", edge) for edge in (m.tier1_initial - 1, m.tier1_initial, PPM, PPM + 1)),
        *(("tier2_maintenance", edge) for edge in (m.tier1_maintenance - 1, m.tier2_initial, m.tier2_initial + 1)),
    ]
    return edges + _OF_FIELDS


def at_edge(listing: records.ListMarketBody, field: str, edge: int) -> records.ListMarketBody:
    """The listing with one field changed, to a value that fits into it."""
    if field == "market":
        return listing._replace(market=max(edge, 0))
    least = -(2**31) if field == "maker_fee" else 0
    return listing._replace(parameters=replace(listing.parameters, **{field: max(edge, least)}))


def tiered(m: records.MarketParameters) -> records.MarketParameters:
    """The parameters with both tiers, whose margins leave room on either side."""
    return replace(
        m,
        tier1_size=1_000,
        tier1_initial=m.initial_margin + 10,
        tier1_maintenance=m.maintenance_margin + 5,
        tier2_size=5_000,
        tier2_initial=m.initial_margin + 20,
        tier2_maintenance=m.maintenance_margin + 10,
    )


def with_tiers(listing: records.ListMarketBody) -> records.ListMarketBody:
    """The listing with tiers, where it has none."""
    m = listing.parameters
    return listing if m.tier1_size else listing._replace(parameters=tiered(m))
