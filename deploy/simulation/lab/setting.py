"""Periods, amounts and blocks of a game."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from math import gcd
from typing import Final

from setoff.shared.dispute.terms import Terms
from setoff.shared.params import DEVNET, GWEI, Params, preset

TURNS: Final = 4
"""Times that the honest side is on turn in one match at most: the later history moves at levels 0, 2, 4, 6."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A court's parameters, and the chain it runs on."""

    params: Params
    block: int
    """Seconds from one block to the next. All periods of the parameters are whole blocks."""
    capacity: int
    """Calls of the honest player that fit into one block."""
    gas_price: int = GWEI

    @property
    def terms(self) -> Terms:
        """What the court is deployed with."""
        return Terms(*self.params.terms())

    @property
    def period(self) -> int:
        """T, seconds."""
        return self.params.challenge_period

    @property
    def delay_bound(self) -> int:
        """See `Params.delay_bound`."""
        return self.params.delay_bound

    @classmethod
    def of(cls, name: str, liars: int, gas_price: int | None = None) -> Setting:
        """A preset, in blocks as long as its inclusion delay allows, each with as much room as its Q promises."""
        params = preset(name)
        block = gcd(params.challenge_period, params.censorship, params.computation, params.inclusion, params.queueing)
        waits = params.queueing // block
        return cls(
            params,
            block,
            capacity=max(-(-liars // (waits // TURNS + 1)), 1),  # so that `queueing_of` is at most Q
            gas_price=params.gas_price_cap if gas_price is None else gas_price,
        )

    @classmethod
    def draw(cls, draw: random.Random, liars: int) -> Setting:
        """A random setting whose T is the least that is safe, with `liars` histories to reply to at once."""
        inclusion = draw.choice([1, 1, 2, 3])
        capacity = draw.choice([1, 2, 5, 100])
        params = replace(
            DEVNET,
            computation=draw.randrange(6),
            censorship=draw.choice([0, 0, 3, 10]),
            inclusion=inclusion,
            queueing=queueing_of(liars, capacity, 1),
            claim_interval=0,
            epoch_batches=2,
            stake_claims=draw.choice([1, 2, 50]),
        )
        params = replace(params, challenge_period=params.needed_period)
        return cls(params.check(), 1, capacity, gas_price=draw.choice([0, GWEI, params.gas_price_cap]))


def queueing_of(liars: int, capacity: int, block: int) -> int:
    """Q that so many simultaneous matches need, seconds: in each turn of a match the reply may have to let the replies
    in all other matches pass."""
    return TURNS * (-(-liars // capacity) - 1) * block if liars else 0
