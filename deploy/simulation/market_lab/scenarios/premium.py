"""Where several attacks happen: makers who have quoted away from the index until the mark is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.terms import USD
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BUY

MAKERS = (10_000_000 * USD, 10_000_000 * USD)
STEP_MINUTES = 20
"""After which the mark has followed a step of the makers."""


def open_premium(
    premium: int, money: Mapping[str, Sequence[int]], *, minutes: int = 40, lots: int = 50_000, **options: Any
) -> Play:
    """Two makers around a price `premium` ppm above the index, and a mark that has come there; the script cranks.

    They come there in steps: no bid is taken farther above the mark than the maintenance margin.
    """
    play = Play.open({"makers": MAKERS} | dict(money), cranks=False, **options)
    makers = [Maker(account, 60, lots=lots, levels=2) for account in play.accounts("makers")]
    play.join(*makers)
    step = play.market().maintenance_margin * 3 // 5
    for reached in (*range(step, premium, step), premium):
        for maker in makers:
            maker.premium = reached
        pass_minutes(play, minutes if reached == premium else STEP_MINUTES)
    return play


def pass_minutes(play: Play, minutes: int) -> None:
    """With a crank at the end of each."""
    for _ in range(minutes):
        play.pass_time(60)
        play.crank()


def show_for_a_crank(play: Play, account: int, price: int, order_slot: int) -> None:
    """A bid that stands for one record, a second from now: order, crank and cancel in a row."""
    play.exchange.wait(1)
    play.order(account, BUY, price, 500, order_slot=order_slot)
    play.crank()
    play.cancel_all(account)


def get_fair(play: Play, premium: int) -> int:
    """The price that the makers think of."""
    index = play.market().index
    return index + index * premium // PPM
