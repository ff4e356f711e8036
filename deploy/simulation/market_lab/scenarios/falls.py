"""Where several attacks happen: an insurance that fees have filled, a pair of one's own, and a fall that few report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from setoff.deploy.simulation.market_lab.play import ATTACKER, Play
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BELOW, IOC, REDUCE_ONLY, SELL

LOTS = 100_000
"""A million dollars."""
MARGIN = 50_100
"""Parts per million of what is left behind: little more than the initial margin."""
STEPS = 18
"""In which a price falls."""
STOP_LOTS = 40_000
STOP = PRICE * 975 // 1_000


def open_insured(
    money: Mapping[str, Sequence[int]], seed: int, *, markets: int = 1, is_insured: bool = True, **terms: Any
) -> Play:
    """These, and traders whose fees have filled the insurance."""
    play = Play.open(
        {"traders": [10**7 * USD] * 2, **money},
        markets=markets,
        reports=3600,
        cranks=False,
        impact=2**31,
        seed=seed,
        **terms,
    )
    one, other = play.accounts("traders")
    for market in range(1, markets + 1) if is_insured else ():
        for _ in range(40):
            play.trade(one, other, PRICE, 10**6, market=market)
            play.trade(other, one, PRICE, 10**6, market=market)
    return play


def open_with_stop(attackers: int, seed: int) -> Play:
    """No insurance; makers who have not quoted yet; a victim is long, with a stop without a limit at STOP."""
    money = {
        "victim": [10**6 * USD],
        "others": [10**6 * USD],
        "makers": [10**7 * USD],
        ATTACKER: [10**6 * USD] * attackers,
    }
    play = Play.open(money, reports=3600, cranks=False, impact=2**31, seed=seed)
    (victim,), (other,) = play.accounts("victim"), play.accounts("others")
    play.trade(victim, other, PRICE, STOP_LOTS)
    play.order(victim, SELL, 1, STOP_LOTS, flags=BELOW | REDUCE_ONLY | IOC, trigger=STOP, order_slot=1)
    return play


def open_pair(play: Play, loser: int, winner: int, lots: int, *, kept: int = MARGIN) -> None:
    """The halves of a pair; that which is to fail keeps `kept` ppm, unless told little more than its initial margin."""
    play.trade(loser, winner, PRICE, lots)
    play.withdraw_but(loser, lot_value(lots) * kept // PPM)


def trade_beside(play: Play, leverage: int = 0) -> None:
    """The honest traders have a position of LOTS; its short all its money, or one part in `leverage` of its value."""
    long, short = play.accounts("traders")
    play.trade(long, short, PRICE, LOTS)
    if leverage:
        play.withdraw_but(short, lot_value(LOTS) // leverage)


def fall(play: Play, percent: int, *, seconds: int = 4_800, is_silent: bool) -> None:
    """The price falls evenly in as many steps as a day has reports, none of which comes in if it `is_silent`."""
    for step in range(1, STEPS + 1):
        play.exchange.wait(seconds)
        play.prices[1] = PRICE - PRICE * percent * step // (100 * STEPS)
        if not is_silent:
            play.report()


def report_by_minutes(play: Play, count: int) -> None:
    """The signers report now, and from minute to minute."""
    for number in range(count):
        if number:
            play.exchange.wait(61)
        play.report()


def report_through_queue(play: Play, stamp: int) -> None:
    """The operator takes reports of the present price now, which were forced at `stamp` (their gas is not counted)."""
    for number in range(3):
        body = play.pen.report(number, play.prices[1], time=stamp)
        play.exchange.take(body, is_message=True, queued_at=stamp)
