"""Attacks on the settlement of a dated future: reports left out before its expiry, and positions that know the mean."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.scenarios.falls import (
    LOTS,
    MARGIN,
    STEPS,
    fall,
    open_insured,
)
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.rules.phases import TWAP_TIME

DAY = Pen().time + 100_000
"""An expiry a day after the play's begin, seconds; and one sooner."""
HOURS = Pen().time + 10_000


@scenario(limit_usd=44_000, stated="section 25, Index: two pairs close at the true price and settle at the mean")
def settled_at_yesterdays_index(attack: bool, seed: int) -> Play:
    """Of a day's reports before an expiry only the last come in, in its last second. Of two pairs either half takes out
    what it has by then; and the settlement price is the mean of the index that stood.
    """
    money = {"honest": [10**7 * USD] * 2, "attacker": [2 * 10**6 * USD] * 4}
    play = open_insured(money, seed, expiry=DAY, honest=4)
    (long, short), (one, other, third, fourth) = play.accounts("honest"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    for account in (long, short):
        play.withdraw_but(account, lot_value(LOTS) // 5)
    if attack:
        play.trade(one, other, PRICE, LOTS)
        play.trade(fourth, third, PRICE, LOTS)
        for account in (one, other, third, fourth):
            play.withdraw_but(account, lot_value(LOTS) * 125_000 // PPM)
    fall(play, 9, seconds=(DAY - 1 - play.exchange.time) // STEPS - 1, is_silent=attack)
    play.exchange.wait(DAY - 1 - play.exchange.time)
    play.report()
    if attack:
        for account in (one, other, third, fourth):
            play.withdraw_but(account, lot_value(LOTS, play.market().mark) * MARGIN // PPM)
    _settle(play)
    return play


@scenario()
def a_pair_at_the_end(attack: bool, seed: int) -> Play:
    """Every report comes in. In the last two minutes the price falls by 9 %; a pair opens at the mark in the last
    seconds, and what its short owes at the mean of half an hour is the insurance's.
    """
    play = open_insured({"attacker": [10**6 * USD] * 2}, seed, expiry=HOURS)
    short, long = play.accounts("attacker")
    _report_until(play, HOURS - 120)
    play.prices[1] = PRICE * 91 // 100
    play.report()
    play.exchange.wait(118)
    play.report()
    if attack:
        mark = play.market().mark
        play.trade(long, short, mark, LOTS)
        play.withdraw_but(short, lot_value(LOTS, mark) * MARGIN // PPM)
    _settle(play)
    return play


@scenario(limit_usd=28_700, stated="section 25, Index: a mean of few moments")
def settled_at_one_moment(attack: bool, seed: int) -> Play:
    """In the half hour before an expiry the price is up by 3 % for its first minute. The operator, who is long in any
    case, lets in that minute's report and no other.
    """
    play = _open_long(seed, HOURS)
    _report_until(play, HOURS - TWAP_TIME - 460)
    while play.exchange.time + 60 < HOURS:
        play.exchange.wait(60)
        is_peak = (play.exchange.time - (HOURS - TWAP_TIME)) // 60 == 0
        play.prices[1] = PRICE * 103 // 100 if is_peak else PRICE
        if is_peak or not attack:
            play.report()
    _settle(play)
    return play


@scenario(limit_usd=90_100, stated="section 25, Index: a dated future settled a day behind")
def settled_a_day_ago(attack: bool, seed: int) -> Play:
    """The price falls by 9 % in the day before an expiry, and no report comes in any more: the settlement price is the
    last index. The operator is long in any case; had the price risen, it would have left nothing out.
    """
    play = _open_long(seed, DAY)
    fall(play, 9, seconds=(DAY - TWAP_TIME - play.exchange.time) // STEPS, is_silent=attack)
    if not attack:
        _report_until(play, DAY)
    play.exchange.wait(DAY - play.exchange.time)
    _settle(play)
    return play


def _open_long(seed: int, expiry: int) -> Play:
    """The attacker is long, somebody honest short."""
    play = open_insured({"honest": [10**7 * USD], "attacker": [10**6 * USD]}, seed, expiry=expiry)
    (short,), (long,) = play.accounts("honest"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    return play


def _report_until(play: Play, end: int) -> None:
    """The signers report every minute, until then."""
    while play.exchange.time < end:
        play.exchange.wait(min(60, end - play.exchange.time))
        play.report()


def _settle(play: Play) -> None:
    """Time for all that an expiry brings."""
    for _ in range(3):
        play.exchange.wait(61)
        play.crank()
