"""Four bad days on real prices: a flash crash, a squeeze of a thin market, an oracle that is gone, an empty book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from setoff.deploy.simulation.market_lab.pictures.flow import Flow, Weather, make_flow
from setoff.deploy.simulation.market_lab.pictures.prices import (
    Hour,
    find_crash,
    find_long_fall,
    find_rise,
    make_up_crash,
    make_up_long_fall,
    make_up_rise,
    tell,
)

TRADERS: Final = 60
"""Pairs of a long and a short."""
OUTAGE: Final = 3 * 24 * 4
"""Prices without a report: three days."""
OUTAGE_BEGINS: Final = 88
"""The first of them."""


@dataclass(frozen=True)
class Story:
    """choose: the hours of the record that it is told on; make_up: hours that need no download."""

    title: str
    choose: Callable[[Sequence[Hour]], Sequence[Hour]]
    make_up: Callable[[], Sequence[Hour]]
    weather: Weather


STORIES: Final = {
    "flash-crash": Story(
        "Flash crash: a day's fall within the hour, and makers offer less the more the price moves",
        find_crash,
        make_up_crash,
        Weather(),
    ),
    "squeeze": Story(
        "A squeeze: a short that is too large fails, and who let it fail holds the longs",
        find_rise,
        make_up_rise,
        Weather(depth=0.25, rises=True, is_squeezed=True),
    ),
    "oracle-outage": Story(
        "No report for three days, while the price falls",
        find_long_fall,
        make_up_long_fall,
        Weather(every=60, points=15, looks=2, silence=(OUTAGE_BEGINS, OUTAGE_BEGINS + OUTAGE)),
    ),
    "empty-book": Story("The same crash as the first, and nobody quotes", find_crash, make_up_crash, Weather(depth=0)),
}


def make_story_flow(
    name: str, hours: Sequence[Hour], traders: int = TRADERS, *, is_coarse: bool = False, is_disturbed: bool = True
) -> Flow:
    """What everybody does in it.

    is_coarse: one report a price of the record, however long that takes; is_disturbed: with who squeezes, if anybody
    does.
    """
    weather = STORIES[name].weather
    if is_coarse:
        weather = replace(weather, every=weather.every * weather.points, points=1)
    if not is_disturbed:
        weather = replace(weather, is_squeezed=False)
    return make_flow(list(tell(hours)), weather, traders)
