"""A side of a book, level by level: a walk over the state's bitmap words, levels and orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.rules.positions import is_live
from setoff.shared.state import keys, leaves
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

MAX_ORDERS: Final = 20_000
"""Orders that one view of a book looks at; levels behind them are not shown."""


class Level(NamedTuple):
    """The living orders at a price (ticks): their lots, and how many they are."""

    price: int
    size: int
    orders: int


class BookReader:
    """Walks levels and the orders on them, and leaves out those that are dead (cancelled together, or expired)."""

    def __init__(self, tree: Tree, time: int) -> None:
        self._tree = tree
        self._time = time
        self._state = State(tree)
        self._left = MAX_ORDERS

    def read(self, market: int, side: int, depth: int) -> Iterator[Level]:
        """Levels with something to trade with, best first."""
        for tick in _ticks(self._tree, market, side):
            if depth <= 0 or self._left <= 0:
                return
            size, count = self._read_level(market, side, tick)
            if count:
                yield Level(tick, size, count)
                depth -= 1

    def _read_level(self, market: int, side: int, tick: int) -> tuple[int, int]:
        """Lots and number of the level's living orders."""
        handle = leaves.decode_level(self._tree.get(keys.level_key(market, side, tick))).head
        size = count = 0
        while handle and self._left > 0:
            self._left -= 1
            order = leaves.decode_order(self._tree.get(keys.order_key(handle)))
            account = self._state.account(keys.handle_account(handle))
            if is_live(order, account, self._time):
                size += order.size
                count += 1
            handle = order.next
        return size, count


def _ticks(tree: Tree, market: int, side: int, depth: int = 0, prefix: int = 0) -> Iterator[int]:
    """Ticks with orders, best first: a walk over the bitmap words."""
    shift = 16 - 8 * depth
    word = leaves.decode_bitmap(tree.get(keys.bitmap_key(keys.level_tree(market, side), depth, prefix))).word
    while word:
        bit = word.bit_length() - 1 if side == records.BUY else (word & -word).bit_length() - 1
        word ^= 1 << bit
        tick = prefix | bit << shift
        if depth == 2:
            yield tick
        else:
            yield from _ticks(tree, market, side, depth + 1, tick)
