"""The accounts of a state that hold something as columns of numbers, so that one look tells which of them a sweep would
change.

A copy beside the leaves, never their source: it is read off the encoded leaves, and brought up to date with those used
since. Markets are small and read anew every time.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.margin import get_tiers
from setoff.shared.state import keys
from setoff.shared.state.leaves import ACCOUNT, ACCOUNT_BYTES, MAX_POSITIONS, POSITION, decode_market
from setoff.shared.state.store import State

Ints = npt.NDArray[np.int64]
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
_NO_ACCOUNT: Final = bytes(ACCOUNT_BYTES)
_NEVER: Final = 2**63 - 1
_LARGEST: Final = 2.0**119
"""Token units of collateral, above which an account is left to the rule (`settling.settle`)."""
_BODY: Final = 2**keys.BODY_BITS - 1
# In words of 8 bytes: a leaf's collateral, where its positions begin, and in each of those market, size, funding index.
_COLLATERAL: Final = ACCOUNT.offsets["collateral"] // 8
_POSITIONS: Final = ACCOUNT.size // 8
_POSITION_WORDS: Final = POSITION.size // 8
_MARKET, _SIZE, _FUNDING = (POSITION.offsets[name] // 8 for name in ("market", "size", "funding"))


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
        self.funding: npt.NDArray[np.uint64] = funding.astype(np.uint64).reshape(-1, 2)


class Columns:
    """One row an account with a position or an order in some market, now or since the columns were made.

    Of each kind that positions have there are MAX_POSITIONS columns, in place order. `stale`: accounts whose row may
    differ from their leaf.
    """

    def __init__(self, state: State) -> None:
        """Of all accounts of `state`, which from now on notes those it hands out."""
        self.rows: dict[int, int] = {}
        self._settled: dict[int, bytes] = {}
        state.used = set()
        self.stale = {key & _BODY for key in state.touched if key >> keys.BODY_BITS == keys.ACCOUNT}
        present = {
            key & _BODY: value
            for key, value in state.tree.items()
            if key >> keys.BODY_BITS == keys.ACCOUNT and _has_positions(value)
        }
        self._allocate(len(present))
        self._write(present)

    def follow(self, state: State) -> set[int]:
        """Take note of what the state handed out since; returns those accounts."""
        used, state.used = state.used or set(), set()
        self.stale |= used
        return used

    def refresh(self, state: State) -> None:
        """Bring every row up to date."""
        self.follow(state)
        if self._settled:
            self._write(self._settled)
            self._settled = {}
        if self.stale:
            values = {account: state.value(keys.account_key(account)) for account in self.stale}
            self._write(
                {account: value for account, value in values.items() if account in self.rows or _has_positions(value)}
            )
        self.stale = set()

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
            lots = np.abs(size)
            weight = lots * markets.fraction[market]
            for sizes, rise in markets.tiers:
                weight += np.maximum(lots - sizes[market], 0) * rise[market]
            maintenance += weight * markets.worth[market]
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

    def settle(self, values: dict[int, bytes]) -> None:
        """Take note of accounts that have settled their funding; their leaves as they are now."""
        self._settled.update(values)

    def _allocate(self, count: int) -> None:
        self.ids: Ints = np.zeros(count, dtype=np.int64)
        self.collateral: Floats = np.zeros(count)
        self.market: Ints = np.zeros((MAX_POSITIONS, count), dtype=np.int64)
        self.size: Ints = np.zeros((MAX_POSITIONS, count), dtype=np.int64)
        self.funding_high: npt.NDArray[np.uint64] = np.zeros((MAX_POSITIONS, count), dtype=np.uint64)
        self.funding_low: npt.NDArray[np.uint64] = np.zeros((MAX_POSITIONS, count), dtype=np.uint64)

    def _write(self, values: dict[int, bytes]) -> None:
        """Fill the rows of the accounts of these leaves; new ones get one."""
        accounts = list(values)
        new = [account for account in accounts if account not in self.rows]
        if len(self.rows) + len(new) > len(self.ids):
            self._grow(len(self.rows) + len(new))
        for account in new:
            self.rows[account] = len(self.rows)
        at = np.array([self.rows[account] for account in accounts], dtype=np.int64)
        raw = b"".join(value or _NO_ACCOUNT for value in values.values())
        words = np.frombuffer(raw, ">u8").reshape(-1, ACCOUNT_BYTES // 8)
        self.ids[at] = accounts
        self.collateral[at] = _to_float(words[:, _COLLATERAL : _COLLATERAL + 4].astype(np.uint64))
        for place in range(MAX_POSITIONS):
            first = _POSITIONS + _POSITION_WORDS * place
            self.market[place, at] = words[:, first + _MARKET] >> 48  # the first two bytes of it
            self.size[place, at] = words[:, first + _SIZE].astype(np.uint64).view(np.int64)
            self.funding_high[place, at] = words[:, first + _FUNDING]
            self.funding_low[place, at] = words[:, first + _FUNDING + 1]

    def _grow(self, count: int) -> None:
        """Make room for `count` rows, and as many again, so that growing stays rare."""
        for name in ("ids", "collateral", "market", "size", "funding_high", "funding_low"):
            old = getattr(self, name)
            new = np.zeros((*old.shape[:-1], 2 * count), dtype=old.dtype)
            new[..., : old.shape[-1]] = old
            setattr(self, name, new)


def _has_positions(value: bytes) -> bool:
    """Whether an account's leaf has any place in use."""
    return any(value[ACCOUNT.size :])


def _to_float(words: npt.NDArray[np.uint64]) -> Floats:
    """Signed 256-bit integers, four words each from the highest, to within 6 u of themselves.

    By magnitude, since the words of a small negative number are large.
    """
    is_negative = words[:, 0] >> np.uint64(63) != 0
    magnitude = np.where(is_negative[:, None], ~words, words).astype(np.float64)
    value = ((magnitude[:, 0] * 2.0**64 + magnitude[:, 1]) * 2.0**64 + magnitude[:, 2]) * 2.0**64 + magnitude[:, 3]
    return np.where(is_negative, -value - 1.0, value)
