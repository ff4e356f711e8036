"""What an exchange looks like at a moment, from the plain figures that any rules can give of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from setoff.deploy.simulation.market_lab.pictures.flow import STAKED, TICKS, Flow
from setoff.deploy.simulation.market_lab.terms import BITCOIN, USD
from setoff.shared.codec.integers import div_ceil
from setoff.shared.rules.phases import FUNDING_ONE
from setoff.shared.state import keys

UNIT: Final = int(BITCOIN["unit"])
LOTS: Final = 1_000
"""Lots of a bitcoin."""


@dataclass(frozen=True)
class Sight:
    """What a look at a machine gives. index, mark: ticks; money in token units; funding: what a lot has paid since
    listing, times FUNDING_ONE; closed: lots to the book, to the backstop, by deleveraging; withdrawn: amount by
    account; accounts: (collateral, lots held, the funding up to which that position has paid), the backstop first, then
    account 1 and so on.
    """

    index: int
    mark: int
    open_interest: int
    insurance: int
    pool: int
    funding: int
    closed: tuple[int, int, int]
    withdrawn: Mapping[int, int]
    accounts: Sequence[tuple[int, int, int]]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Sight:
        """Of another process."""
        withdrawn = {int(account): amount for account, amount in body["withdrawn"].items()}
        return cls(**(dict(body) | {"closed": tuple(body["closed"]), "withdrawn": withdrawn}))

    def compute_equities(self, price: int) -> list[int]:
        """Of every account at a price, less the funding that is due; token units."""
        return [
            cash + size * price * UNIT - div_ceil(size * (self.funding - funding), FUNDING_ONE)
            for cash, size, funding in self.accounts
        ]


@dataclass(frozen=True)
class Moment:
    """Dollars, bitcoins, and hours of the record, as exact as a picture shows them.

    price: outside; liquidated, taken, deleveraged: closed up to now through the book, by the backstop, against the
    other side; backstop: its equity at the price outside; exposure: its position at the mark; funding: what a long of
    one bitcoin has paid since the beginning; owed: what accounts owe at the mark beyond what they have.
    """

    hours: float
    price: float
    index: float
    mark: float
    open_interest: float
    liquidated: float
    taken: float
    deleveraged: float
    insurance: float
    backstop: float
    exposure: float
    funding: float
    owed: float


def make_moment(hours: float, price: int, sight: Sight) -> Moment:
    """`price`: ticks, outside. Prices are kept to ten dollars: the record that they are from is not ours to pass on."""
    at_mark = sight.compute_equities(sight.mark)
    outside, index, mark = (round(ticks / TICKS, -1) for ticks in (price, sight.index, sight.mark))
    liquidated, taken, deleveraged = (round(lots / LOTS, 2) for lots in sight.closed)
    return Moment(
        hours,
        outside,
        index,
        mark,
        round(sight.open_interest / LOTS, 2),
        liquidated,
        taken,
        deleveraged,
        insurance=round(sight.insurance / USD, 1),
        backstop=round(sight.compute_equities(price)[keys.BACKSTOP] / USD),
        exposure=round(abs(sight.accounts[keys.BACKSTOP][1]) * sight.mark * UNIT / USD),
        funding=round(sight.funding * LOTS / FUNDING_ONE / USD, 1),
        owed=math.ceil(-sum(equity for equity in at_mark if equity < 0) / USD),
    )


def count_gains(flow: Flow, price: int, sight: Sight) -> dict[str, int]:
    """Whole dollars that every role has more than it brought, at the price outside (ticks); together nothing but dust.

    The stakers' are the backstop's; what belongs to nobody is the insurance fund's, with the funding on its way.
    """
    equities = sight.compute_equities(price)
    gains = {
        role: sum(equities[each] + sight.withdrawn.get(each, 0) - flow.paid_in[each] for each in accounts)
        for role, accounts in flow.roles.items()
    }
    gains["backstop"] = gains.pop("staker") + equities[keys.BACKSTOP] - STAKED
    gains["insurance"] = sight.insurance + sight.pool
    if abs(sum(gains.values())) > len(sight.accounts):
        raise AssertionError(f"{sum(gains.values())} token units were made of nothing")
    return {role: round(gain / USD) for role, gain in gains.items()}
