"""All positions of a state as columns of numbers, each with how wrong it may be: which of a hundred thousand accounts
come first by a figure is found here, in what order they come by the rules themselves (`picture.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from setoff.shared.machine.columns import to_floats
from setoff.shared.machine.rows import ABSOLUTE_ERROR, RELATIVE_ERROR, Flags, Floats, Ints, MarketTable
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import WORD_BITS
from setoff.shared.state import keys
from setoff.shared.state.leaves import ACCOUNT, ACCOUNT_BYTES, MAX_POSITIONS, POSITION, decode_market
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

_COLLATERAL: Final = ACCOUNT.offsets["collateral"] // 8
_POSITIONS: Final = ACCOUNT.size // 8
_POSITION_WORDS: Final = POSITION.size // 8
_MARKET, _SIZE, _COST, _FUNDING = (POSITION.offsets[name] // 8 for name in ("market", "size", "cost", "funding"))

_SLACK: Final = 2.0**-40
"""Part of a figure that the last few operations on it may be wrong by, and much more."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Of each position its market, lots, cost, and its account with what that is worth: equity and maintenance margin
    in token units, together wrong by no more than `error`."""

    market: Ints
    size: Ints
    cost: Floats
    account: Ints
    equity: Floats
    maintenance: Floats
    error: Floats

    def choose(self, chosen: Flags) -> Holdings:
        """Some of them."""
        return Holdings(*(getattr(self, name)[chosen] for name in self.__slots__))

    @classmethod
    def join(cls, parts: Sequence[Holdings]) -> Holdings:
        """All of them."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


def list_holders(tree: Tree, markets: int) -> Iterator[int]:
    """Whoever may have a position in any of markets 1 to `markets`, by the index that the rules keep; ascending."""
    top = _read_any(tree, markets, 0, 0)
    for middle in _list_bits(top, 0, 16):
        for low in _list_bits(_read_any(tree, markets, 1, middle), middle, 8):
            yield from _list_bits(_read_any(tree, markets, 2, low), low, 0)


def _read_any(tree: Tree, markets: int, depth: int, number: int) -> int:
    word = 0
    for market in range(1, markets + 1):
        word |= int.from_bytes(tree.get(keys.bitmap_key(keys.holder_tree(market), depth, number)), "big")
    return word


def _list_bits(word: int, base: int, shift: int) -> list[int]:
    """The numbers from `base` on that the bits of a word stand for, 2^shift each."""
    raw = np.frombuffer(word.to_bytes(WORD_BITS // 8, "little"), np.uint8)
    found: list[int] = ((np.flatnonzero(np.unpackbits(raw, bitorder="little")) << shift) + base).tolist()
    return found


class Valuation:
    """What positions are worth at the marks of a state, and what they need."""

    def __init__(self, state: State, markets: int) -> None:
        self._table = MarketTable(state, markets)
        # A market that is settled needs no margin any more, and its positions wait for their end.
        self._table.fraction[self._table.settled] = 0
        for _, rise in self._table.tiers:
            rise[self._table.settled] = 0
        self._worth: Final = self._table.worth
        self._funding: Final = to_floats(self._table.funding)
        leaves = [decode_market(b""), *(state.market(market) for market in range(1, markets + 1))]
        self._marks: Final = np.array([leaf.mark for leaf in leaves], dtype=np.int64)
        self._units: Final = np.array([float(leaf.unit) for leaf in leaves])

    def read(self, tree: Tree, accounts: Sequence[int]) -> Holdings:
        """The positions of these accounts."""
        found = [(account, tree.get(keys.account_key(account))) for account in accounts]
        found = [(account, leaf) for account, leaf in found if leaf]
        ids = np.array([account for account, _ in found], dtype=np.int64)
        words = np.frombuffer(b"".join(leaf for _, leaf in found), ">u8").reshape(-1, ACCOUNT_BYTES // 8)
        words = words.astype(np.uint64)
        equity = to_floats(words[:, _COLLATERAL : _COLLATERAL + 4])
        magnitude, maintenance = np.abs(equity), np.zeros(len(ids))
        places = []
        for place in range(MAX_POSITIONS):
            own = words[:, _POSITIONS + _POSITION_WORDS * place :]
            market = (own[:, _MARKET] >> np.uint64(48)).astype(np.int64)
            size = own[:, _SIZE].astype(np.int64)
            worth = size * self._worth[market]
            paid = to_floats(own[:, _FUNDING : _FUNDING + 2])
            rate = size / float(phases.FUNDING_ONE)
            equity += worth - rate * (self._funding[market] - paid)
            magnitude += 2 * np.abs(worth) + 2 * np.abs(rate) * (np.abs(self._funding[market]) + np.abs(paid))
            maintenance += self._table.weigh(market, np.abs(size)) * self._worth[market]
            places.append((market, size, to_floats(own[:, _COST : _COST + 2])))
        error = RELATIVE_ERROR * magnitude + ABSOLUTE_ERROR
        return Holdings.join(
            [
                Holdings(market, size, cost, ids, equity, maintenance, error).choose((market != 0) & (size != 0))
                for market, size, cost in places
            ]
        )

    def bound_room(self, of: Holdings) -> tuple[Floats, Floats, Floats]:
        """(at least, at most, room) ticks that the mark of each position may move against it before its account is
        below maintenance, without end where no move does it; and how many it can move at all."""
        lots = np.abs(of.size)
        weight = self._table.weigh(of.market, lots)
        change, slack = np.where(of.size > 0, lots - weight, lots + weight), lots * _SLACK
        least, most = self._units[of.market] * (change - slack), self._units[of.market] * (change + slack)
        buffer = of.equity - of.maintenance
        low = np.maximum(buffer - of.error, 0) / most
        high = np.where(least > 0, np.maximum(buffer + of.error, 0) / np.where(least > 0, least, 1) + 1, np.inf)
        never, marks = self._table.settled[of.market], self._marks[of.market]
        reach = np.where(of.size > 0, marks - 1, keys.MAX_TICK - marks)
        return np.where(never, np.inf, low), np.where(never, np.inf, high), reach

    def bound_score(self, of: Holdings) -> tuple[Floats, Floats]:
        """(at least, at most) the score of each position for deleveraging (`rules/deleveraging.py`)."""
        worth = of.size * self._worth[of.market]
        profit, notional, cost = worth - of.cost, np.abs(worth), np.maximum(np.abs(of.cost), 1)
        error = RELATIVE_ERROR * (notional + cost) + 1
        return (
            _score(profit - error, cost, notional, of.equity + of.error, -1),
            _score(profit + error, cost, notional, of.equity - of.error, 1),
        )


def _score(profit: Floats, cost: Floats, notional: Floats, equity: Floats, direction: int) -> Floats:
    """As the rule has it, a little more or less."""
    one, slack = float(phases.SCORE_ONE), 1 + direction * _SLACK
    ratio = np.minimum(np.floor(profit * one / cost * slack), phases.MAX_SCORE)
    leverage = np.minimum(np.floor(notional * one / np.maximum(equity, 1) * slack), phases.MAX_SCORE)
    loss = np.minimum(-profit * one / cost, one - 1)
    return np.where(profit > 0, one + ratio * leverage * slack, one - loss + 2 * direction)
