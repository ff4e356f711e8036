"""Accounts that hold something, one a row, so that one look tells which of them a sweep would change.

Each method looks at some thousands of rows at a time (`Columns.blocks`): what one operation makes of them, the next
finds in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.margin import get_tiers
from setoff.shared.state.leaves import decode_market
from setoff.shared.state.store import State

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RELATIVE_ERROR: Final = 2.0**-46
"""Error allowed to equity and maintenance in floating point, as a part of them. With u = 2**-53: collateral is off by
at most 6 u of itself, the worth of a position by 3 u, its margin by 8 u and 1 unit of rounding up, the funding it has
to pay by 4 u and 1 unit; adding 17 terms costs another 16 u of the sum of their magnitudes, to which eight margins add
no more than the worths again (no fraction exceeds 1). So both together are off by less than 40 u of |collateral| +
2 * sum |worth| + 2 * sum |funding|, and by 16 units: a third and a half of what is allowed."""
ABSOLUTE_ERROR: Final = 32.0
"""Error allowed beside that, in token units."""

_SIGN: Final = np.uint64(2**63)
_NEVER: Final = 2**63 - 1
_LARGEST: Final = 2.0**119
"""Token units of collateral, above which an account is left to the rule (`settling.settle`)."""


class MarketTable:
    """What a sweep needs of every market, by its id; place 0 is that of no market."""

    def __init__(self, state: State, markets: int) -> None:
        """Of markets 1 to `markets`."""
        found = [decode_market(b""), *(state.market(market) for market in range(1, markets + 1))]
        self.worth: Floats = np.array([float(m.mark * m.unit) for m in found])
        tiers = list(zip_longest(*(get_tiers(m) for m in found), fillvalue=(_NEVER, 0, 0)))
        margins = np.array([[maintenance for _, _, maintenance in tier] for tier in tiers])
        self.fraction: Floats = margins[0] / PPM
        self.tiers: list[tuple[Ints, Floats]] = [
            (np.array([min(size, _NEVER) for size, _, _ in tier], dtype=np.int64), rise / PPM)
            for tier, rise in zip(tiers[1:], np.diff(margins, axis=0), strict=True)
        ]
        """Of each tier beyond which size it holds, lots, and by how much its margin is above that of the one before."""
        self.settled: Flags = np.array([m.settled != 0 for m in found])
        self.numbers = tuple((m.mark, m.unit, m.settled, m.funding, *get_tiers(m)) for m in found)
        """All that the rest is made of."""
        funding = np.frombuffer(b"".join(m.funding.to_bytes(16, "big", signed=True) for m in found), ">u8")
        self.funding: Words = funding.astype(np.uint64).reshape(-1, 2)

    def weigh(self, market: Ints, lots: Ints) -> Floats:
        """`lots` (>= 0) of these markets, each times the maintenance margin fraction of the tier it lies in."""
        weight: Floats = lots * self.fraction[market]
        for sizes, rise in self.tiers:
            weight += np.maximum(lots - sizes[market], 0) * rise[market]
        return weight


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of the rows: of each kind that positions have there are MAX_POSITIONS columns, in place order."""

    ids: Ints
    collateral: Floats
    market: Ints
    size: Ints
    funding_high: Words
    funding_low: Words

    def unsettled(self, markets: MarketTable) -> Flags:
        """Rows that a visit brings up to date: funding due, a settled future."""
        found = np.zeros(len(self.ids), dtype=np.bool_)
        for market, high, low in zip(self.market, self.funding_high, self.funding_low, strict=True):
            found |= markets.settled[market]
            found |= (markets.funding[market, 0] != high) | (markets.funding[market, 1] != low)
        return found

    def compute_due(self, markets: MarketTable) -> tuple[Floats, Flags]:
        """Funding to be paid, token units by place, and rows of which `settling.settle` can settle it."""
        found = np.abs(self.collateral) < _LARGEST
        charges = np.zeros(self.size.shape)
        columns = zip(self.market, self.size, self.funding_high, self.funding_low, charges, strict=True)
        for market, size, high, low, charge in columns:
            there = markets.funding[market, 0]
            due_low = markets.funding[market, 1] - low
            due_high = there - high - (due_low > markets.funding[market, 1])
            due = due_low.view(np.int64)
            found &= (there ^ high) & (there ^ due_high) < _SIGN  # the difference has its sign
            found &= due_high.view(np.int64) == due >> 63
            found &= ~markets.settled[market]
            np.multiply(size / float(phases.FUNDING_ONE), due, out=charge)
        return charges, found

    def doubtful(self, markets: MarketTable, charges: Floats | None = None) -> Flags:
        """Rows that may be below maintenance: all that are, and those too close to it for floating point to tell.

        `charges`: what they have to pay before, token units by place.
        """
        equity = self.collateral.copy()
        magnitude = np.abs(self.collateral)
        for charge in () if charges is None else charges:
            equity -= charge
            magnitude += 2 * np.abs(charge)
        maintenance = np.zeros(len(equity))
        is_holding = np.zeros(len(equity), dtype=np.bool_)
        for market, size in zip(self.market, self.size, strict=True):
            worth = size * markets.worth[market]
            equity += worth
            magnitude += 2 * np.abs(worth)
            maintenance += markets.weigh(market, np.abs(size)) * markets.worth[market]
            is_holding |= size != 0
        return is_holding & ~(equity - maintenance > RELATIVE_ERROR * magnitude + ABSOLUTE_ERROR)

    def holding(self, market: int) -> Flags:
        """Rows with a position in `market`."""
        return self.opposite(market, 1) | self.opposite(market, -1)

    def opposite(self, market: int, sign: int) -> Flags:
        """Rows with a position in `market` whose size has `sign` (1 or -1)."""
        found = np.zeros(len(self.ids), dtype=np.bool_)
        for there, size in zip(self.market, self.size, strict=True):
            found |= (there == market) & (size * sign > 0)
        return found
