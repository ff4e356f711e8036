"""A listing's parameters at their bounds, and just over them."""

from setoff.shared.codec import records
from setoff.shared.codec.integers import MAX_UINT64, PPM
from setoff.shared.rules import phases


def listing_edges(m: records.ListMarketBody) -> list[tuple[str, int]]:
    """(field, value) at and just over every bound of a sound listing, one at a time."""
    return [
        *(("market", edge) for edge in (0, m.market - 1, m.market + 1, 2**16 - 1)),
        *(("unit", edge) for edge in (0, 2**32 - 1, 2**32, MAX_UINT64)),
        *(("initial_margin", edge) for edge in (m.maintenance_margin - 1, PPM, PPM + 1, 2**32 - 1)),
        *(("maintenance_margin", edge) for edge in (0, 1, m.initial_margin, m.initial_margin + 1)),
        *(("taker_fee", edge) for edge in (abs(m.maker_fee), phases.MAX_FEE, phases.MAX_FEE + 1, 2**32 - 1)),
        *(("maker_fee", edge) for edge in (-m.taker_fee, -m.taker_fee - 1, phases.MAX_FEE, phases.MAX_FEE + 1)),
        *(("maker_fee", edge) for edge in (-(2**31), 2**31 - 1)),
        *(("band", edge) for edge in (0, 1, PPM, PPM + 1)),
        *(("max_age", edge) for edge in (0, 1, 2**32 - 1)),
        *(("step_band", edge) for edge in (0, 1, PPM, PPM + 1)),
        *(("funding_cap", edge) for edge in (0, phases.MAX_FEE, phases.MAX_FEE + 1)),
        *(("close_out", edge) for edge in (0, m.maintenance_margin, m.maintenance_margin + 1)),
        *(("max_open_interest", edge) for edge in (0, MAX_UINT64)),
        *(("max_position", edge) for edge in (0, 1, phases.MAX_POSITION, phases.MAX_POSITION + 1)),
        *(("impact", edge) for edge in (0, MAX_UINT64)),
        *(("expiry", edge) for edge in (1, MAX_UINT64)),
        *(("tier1_size", edge) for edge in (0, 1, m.tier2_size - 1, m.tier2_size, MAX_UINT64)),
        *(("tier1_initial", edge) for edge in (m.initial_margin - 1, m.initial_margin, PPM, PPM + 1)),
        *(("tier1_maintenance", edge) for edge in (m.maintenance_margin - 1, m.tier1_initial, m.tier1_initial + 1)),
        *(("tier2_size", edge) for edge in (0, m.tier1_size, m.tier1_size + 1, MAX_UINT64)),
        *(("tier2_initial", edge) for edge in (m.tier1_initial - 1, m.tier1_initial, PPM, PPM + 1)),
        *(("tier2_maintenance", edge) for edge in (m.tier1_maintenance - 1, m.tier2_initial, m.tier2_initial + 1)),
    ]


def tiered(m: records.ListMarketBody) -> records.ListMarketBody:
    """A listing with both tiers, whose margins leave room on either side."""
    return m._replace(
        tier1_size=1_000,
        tier1_initial=m.initial_margin + 10,
        tier1_maintenance=m.maintenance_margin + 5,
        tier2_size=5_000,
        tier2_initial=m.initial_margin + 20,
        tier2_maintenance=m.maintenance_margin + 10,
    )
