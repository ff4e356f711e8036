"""The exchange at one moment, and of a market in it: who is nearest to liquidation, who is first in the ranking for
deleveraging. In the order of the rules, by their own figures, over all accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from setoff.operator.api.risk.holdings import Holdings, Valuation, list_holders
from setoff.shared.codec import records
from setoff.shared.machine.rows import Flags, Floats
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import compute_score
from setoff.shared.rules.liquidation import compute_liquidation_price, compute_maintenance
from setoff.shared.rules.margin import compute_value, settle_account
from setoff.shared.rules.positions import find_position
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Market
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

SHOWN: Final = 50
"""Positions of each list."""
CANDIDATES: Final = 8 * SHOWN
"""Accounts that the rules are asked about for a list, at most. There are more only where so many are the same but for
what floating point cannot tell; of these the lowest numbers are taken."""
SLICE: Final = 1024
"""Accounts that are read in one go: some ms."""


class Standing(NamedTuple):
    """An account with a position in a market. Lots; token units, after the funding that is due; ticks."""

    account: int
    size: int
    profit: int
    equity: int
    maintenance: int
    liquidation_price: int | None
    score: int
    """For deleveraging."""


@dataclass(frozen=True)
class MarketRisk:
    """Of a market."""

    market: Market
    longs: int
    """Positions; so the next."""
    shorts: int
    nearest: Sequence[Standing]
    """To liquidation."""
    ranked_longs: Sequence[Standing]
    """The first of the ranking, if a short position cannot pay."""
    ranked_shorts: Sequence[Standing]


class Picture:
    """`read` first, to its end."""

    def __init__(self, tree: Tree, regs: Registers) -> None:
        """Of a state that does not change any more."""
        self.regs: Final = regs
        self._tree = tree
        markets = range(1, regs.markets + 1)
        self._markets = {keys.market_key(market): tree.get(keys.market_key(market)) for market in markets}
        self._valuation = Valuation(self._make_state(), regs.markets)
        self._by_market: dict[int, Holdings] = {}

    def read(self) -> Generator[None, None, None]:
        """Read everybody's positions; yields between two pieces of the work."""
        holders = list_holders(self._tree, self.regs.markets)
        parts: defaultdict[int, list[Holdings]] = defaultdict(list)
        while some := list(islice(holders, SLICE)):
            held = self._valuation.read(self._tree, some)
            for market in np.unique(held.market).tolist():
                parts[market].append(held.choose(held.market == market))
            yield
        for market, some_held in parts.items():
            self._by_market[market] = Holdings.join(some_held)
            yield

    def show(self, market: int) -> Generator[None, None, MarketRisk]:
        """The first of a market; yields between two pieces of the work."""
        leaf = leaves.decode_market(self._markets[keys.market_key(market)])
        held = self._by_market.get(market)
        if held is None:
            return MarketRisk(leaf, 0, 0, (), (), ())
        low, high, room = self._valuation.bound_room(held)
        nearest = yield from self._rank(held, market, low <= room, high <= room, low, high, _by_distance(leaf))
        yield
        low, high = self._valuation.bound_score(held)
        is_long = held.size > 0
        longs = yield from self._rank(held, market, is_long, is_long, -high, -low, _by_rank)
        yield
        shorts = yield from self._rank(held, market, ~is_long, ~is_long, -high, -low, _by_rank)
        count = int(np.count_nonzero(is_long))
        return MarketRisk(leaf, count, len(is_long) - count, nearest, longs, shorts)

    def _rank(
        self,
        held: Holdings,
        market: int,
        may: Flags,
        must: Flags,
        low: Floats,
        high: Floats,
        key: Callable[[Standing], tuple[int, ...] | None],
    ) -> Generator[None, None, list[Standing]]:
        """The first by `key`, which is known to lie between `low` and `high`; of those that `may` have one, and those
        that `must`."""
        sure = high[must]
        bound = np.partition(sure, SHOWN - 1)[SHOWN - 1] if len(sure) > SHOWN else np.inf
        chosen = np.flatnonzero(may & (low <= bound))
        if len(chosen) > CANDIDATES:
            order = np.lexsort((held.account[chosen], low[chosen]))
            chosen = chosen[order[:CANDIDATES]]
        found = []
        state, regs = self._make_state(), self.regs.copy()
        regs.market = market
        for number, account in enumerate(held.account[chosen].tolist(), 1):
            standing = self._judge(state, regs, account)
            found.append((key(standing), standing))
            if number % SHOWN == 0:
                yield
        return [standing for at, standing in sorted((at, one) for at, one in found if at is not None)][:SHOWN]

    def _judge(self, state: State, regs: Registers, number: int) -> Standing:
        """An account by the rules. `state` has the markets, and only what funding it pays is changed in it."""
        account = leaves.decode_account(self._tree.get(keys.account_key(number)))
        settle_account(state, account, regs.time)
        equity, maintenance, _ = compute_maintenance(state, account)
        position = find_position(account, regs.market)
        assert position is not None
        market = state.market(regs.market)
        regs.side = records.SELL if position.size < 0 else records.BUY  # of who would be closed against it
        return Standing(
            number,
            position.size,
            compute_value(position.size, market.mark, market) - position.cost,
            equity,
            maintenance,
            compute_liquidation_price(position, market, equity - maintenance),
            compute_score(regs, state, account),
        )

    def _make_state(self) -> State:
        return State(Tree(self._markets.items()))


def _by_distance(market: Market) -> Callable[[Standing], tuple[int, ...] | None]:
    """The nearest first; of equal ones the lower account."""

    def key(one: Standing) -> tuple[int, ...] | None:
        price = one.liquidation_price
        return None if price is None else (abs(market.mark - price), one.account)

    return key


def _by_rank(one: Standing) -> tuple[int, ...]:
    """As `deleveraging.step_rank`."""
    return (-(one.score * phases.RANK_ACCOUNTS + phases.RANK_ACCOUNTS - 1 - one.account),)
