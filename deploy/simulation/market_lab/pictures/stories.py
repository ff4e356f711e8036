"""Four bad days on real prices: a flash crash, a squeeze of a thin market, an oracle that is gone, an empty book."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.agents.services import OracleSigner
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.pictures.prices import (
    Hour,
    find_crash,
    find_long_crash,
    find_rise,
    make_up_crash,
    make_up_rise,
    tell,
)
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.terms import USD
from setoff.deploy.simulation.market_lab.view import View
from setoff.deploy.simulation.market_lab.wealth import compute_equity
from setoff.shared.codec.integers import PPM
from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TAKEOVER
from setoff.shared.state import keys

SECONDS: Final = 15
"""Between two prices, four of which are an hour: an hour of the record takes a minute."""
SLOW: Final = 900
"""The same where the story is about time itself: an hour takes an hour."""
OUTAGE: Final = 3 * 86_400
"""Seconds without a report."""
LARGE: Final = 20
"""How many times an ordinary trader's lots the one has who squeezes the market."""


@dataclass(frozen=True)
class Moment:
    """What the exchange looks like at a moment; dollars and lots, those of closings up to then.

    `price`: outside; `backstop`: its equity at that price.
    """

    hours: float
    price: int
    index: int
    mark: int
    open_interest: int
    liquidated: int
    taken: int
    deleveraged: int
    insurance: float
    backstop: float


@dataclass(frozen=True)
class Story:
    """`choose`: the hours of the record that it is told on; `make_up`: hours that need no download."""

    title: str
    choose: Callable[[Sequence[Hour]], Sequence[Hour]]
    make_up: Callable[[], Sequence[Hour]]
    has_makers: bool = True
    is_silent: bool = False
    is_squeezed: bool = False


STORIES: Final = {
    "flash-crash": Story("Flash crash: makers that offer less the more the price moves", find_crash, make_up_crash),
    "squeeze": Story(
        "A squeeze: a large short of who also holds the longs fails into the backstop",
        find_rise,
        make_up_rise,
        is_squeezed=True,
    ),
    "oracle-outage": Story(
        "No report for three days, while the price falls", find_long_crash, make_up_crash, is_silent=True
    ),
    "empty-book": Story("The same crash, and nobody quotes", find_crash, make_up_crash, has_makers=False),
}


class ShyMaker(Maker):
    """A maker that offers less the more the price has moved of late."""

    def __init__(self, account: int, every: int, lots: int) -> None:
        super().__init__(every=every, account=account, lots=lots, levels=4, spread=400, limit=50 * lots)
        self._usual = lots
        self._seen: list[int] = []

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """Quotes around what the price is outside."""
        self._seen = [*self._seen[-24:], view.price]
        moved = (max(self._seen) - min(self._seen)) / max(self._seen)
        self.lots = max(1, round(self._usual * max(0.02, 1 - 6 * moved)))
        yield from super().act(view, pen)


def open_story(story: Story, price: int, traders: int, seed: int) -> Play:
    """Pairs of a long and a short of different leverage, makers if there are any, a staker, and who squeezes."""
    draw = Random(seed)
    money = {
        "traders": [round(500 * draw.lognormvariate(0, 0.8) + 100) * USD for _ in range(2 * traders)],
        "makers": [10**6 * USD] * (4 if story.has_makers else 0),
        "staker": [10**5 * USD],
        "squeezer": [10**6 * USD] * 2,
    }
    every = SLOW if story.is_silent else SECONDS
    play = Play.open(money, price=price, reports=every, max_age=2 * every, freshness=max(60, 2 * every), seed=seed)
    (staker,) = play.accounts("staker")
    play.exchange.stake(staker, 50_000 * USD)
    owned = play.accounts("traders")
    worth = price * play.market().unit
    for long, short in zip(owned[0::2], owned[1::2], strict=True):
        equity = min(play.equity(long) * draw.uniform(3, 16), play.equity(short) * 9)
        lots = int(equity / worth)
        if lots:
            first, second = (long, short) if not story.is_squeezed else (short, long)
            play.trade(first, second, price, lots)
    if story.is_squeezed:
        long, short = play.accounts("squeezer")
        lots = LARGE * play.market().open_interest // traders
        play.trade(long, short, price, lots)
        play.withdraw_but(short, lots * worth * 50_200 // PPM)
    play.join(*(ShyMaker(account, every, 400) for account in play.accounts("makers")))
    return play


def tell_story(name: str, hours: Sequence[Hour], traders: int = 60, seed: int = 1) -> list[Moment]:
    """Play it on these hours; a moment for each of their prices."""
    story = STORIES[name]
    prices = list(tell(hours))
    play = open_story(story, prices[0] * 10, traders, seed)
    every = SLOW if story.is_silent else SECONDS
    silence = range(len(prices) // 4, len(prices) // 4 + OUTAGE // SLOW)
    moments = []
    for number, price in enumerate(prices):
        play.prices[1] = price * 10
        for agent in play.agents:
            if isinstance(agent, OracleSigner):
                agent.is_silent = story.is_silent and number in silence
        play.pass_time(every)
        moments.append(take_moment(play, number / 4))
    return moments


def take_moment(play: Play, hours: float) -> Moment:
    """What the exchange looks like now."""
    market, closed = play.market(), play.exchange.closed
    backstop = compute_equity(play.exchange.machine, keys.BACKSTOP, play.prices)
    return Moment(
        hours,
        play.prices[1],
        market.index,
        market.mark,
        market.open_interest,
        closed[LIQUIDATION],
        closed[TAKEOVER],
        closed[DELEVERAGE],
        market.insurance / USD,
        backstop / USD,
    )
