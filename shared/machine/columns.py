"""The accounts of a state that hold something as columns of numbers, so that one look tells which of them a sweep would
change.

A copy beside the leaves, never their source: it is read off the encoded leaves, and brought up to date with those used
since. Markets are small and read anew every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from setoff.shared.machine.rows import Floats, Ints, MarketTable, Rows, Words
from setoff.shared.state import keys
from setoff.shared.state.leaves import ACCOUNT, ACCOUNT_BYTES, MAX_POSITIONS, POSITION
from setoff.shared.state.store import State

BLOCK: Final = 8_192
"""Rows that are looked at in one go."""
_NO_ACCOUNT: Final = bytes(ACCOUNT_BYTES)
_BODY: Final = 2**keys.BODY_BITS - 1
# In words of 8 bytes: a leaf's collateral, where its positions begin, and in each of those market, size, funding index.
_COLLATERAL: Final = ACCOUNT.offsets["collateral"] // 8
_POSITIONS: Final = ACCOUNT.size // 8
_POSITION_WORDS: Final = POSITION.size // 8
_MARKET, _SIZE, _FUNDING = (POSITION.offsets[name] // 8 for name in ("market", "size", "funding"))


class Columns:
    """One row an account with a position or an order in some market, now or since the columns were made.

    Of each kind that positions have there are MAX_POSITIONS columns, in place order. `stale`: accounts whose row may
    differ from their leaf.
    """

    def __init__(self, state: State) -> None:
        """Of all accounts of `state`, which from now on notes those it hands out."""
        self.rows: dict[int, int] = {}
        self._settled: dict[int, bytes] = {}
        self._settled_at: Words = np.zeros((1, 2), dtype=np.uint64)
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
            self._write_settled()
            self._settled = {}
        if self.stale:
            stale = list(self.stale)
            leaves = state.values([keys.account_key(account) for account in stale])
            values = dict(zip(stale, leaves, strict=True))
            self._write(
                {account: value for account, value in values.items() if account in self.rows or _has_positions(value)}
            )
        self.stale = set()

    def blocks(self) -> Iterator[Rows]:
        """All rows, some thousands at a time."""
        used = len(self.rows)  # a free row stands for nobody, not for account 0, which its zeros look like
        for first in range(0, used, BLOCK):
            some = slice(first, min(first + BLOCK, used))
            yield Rows(
                self.ids[some],
                self.collateral[some],
                self.market[:, some],
                self.size[:, some],
                self.funding_high[:, some],
                self.funding_low[:, some],
            )

    def settle(self, values: dict[int, bytes], markets: MarketTable) -> None:
        """Take note of accounts that have settled their funding, all at the same markets until all rows are up to date
        again; their leaves as they are now, by key."""
        self._settled.update(values)
        self._settled_at = markets.funding

    def _allocate(self, count: int) -> None:
        self.ids: Ints = np.zeros(count, dtype=np.int64)
        self.collateral: Floats = np.zeros(count)
        self.market: Ints = np.zeros((MAX_POSITIONS, count), dtype=np.int64)
        self.size: Ints = np.zeros((MAX_POSITIONS, count), dtype=np.int64)
        self.funding_high: Words = np.zeros((MAX_POSITIONS, count), dtype=np.uint64)
        self.funding_low: Words = np.zeros((MAX_POSITIONS, count), dtype=np.uint64)

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
        self.collateral[at] = to_floats(words[:, _COLLATERAL : _COLLATERAL + 4].astype(np.uint64))
        for place in range(MAX_POSITIONS):
            first = _POSITIONS + _POSITION_WORDS * place
            self.market[place, at] = words[:, first + _MARKET] >> 48  # the first two bytes of it
            self.size[place, at] = words[:, first + _SIZE].astype(np.uint64).view(np.int64)
            self.funding_high[place, at] = words[:, first + _FUNDING]
            self.funding_low[place, at] = words[:, first + _FUNDING + 1]

    def _write_settled(self) -> None:
        """What settling changes: the money of the accounts, and up to where their positions have paid."""
        at = np.array([self.rows[key & _BODY] for key in self._settled], dtype=np.int64)
        first = 8 * _COLLATERAL
        raw = b"".join([value[first : first + 32] for value in self._settled.values()])
        self.collateral[at] = to_floats(np.frombuffer(raw, ">u8").reshape(-1, 4).astype(np.uint64))
        for place in range(MAX_POSITIONS):
            paid = self._settled_at[self.market[place, at]]
            self.funding_high[place, at] = paid[:, 0]
            self.funding_low[place, at] = paid[:, 1]

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


def to_floats(words: Words) -> Floats:
    """Signed integers of up to 256 bits, four words each or fewer, from the highest, to within 6 u of themselves.

    By magnitude, since the words of a small negative number are large.
    """
    is_negative = words[:, 0] >> np.uint64(63) != 0
    magnitude = np.where(is_negative[:, None], ~words, words).astype(np.float64)
    value = magnitude[:, 0]
    for word in range(1, words.shape[1]):
        value = value * 2.0**64 + magnitude[:, word]
    return np.where(is_negative, -value - 1.0, value)
