"""Attacks with a price that everybody knows to be wrong: an index on its way back, or one of hours ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BELOW, BUY, IOC, REDUCE_ONLY, SELL

LOTS = 100_000
"""A million dollars."""
MARGIN = 50_100
"""Parts per million of what is left behind: little more than the initial margin."""
HOURS = 18


@scenario()
def a_day_without_reports(attack: bool, seed: int) -> Play:
    """The operator leaves a day's reports out, in which the price falls by 9 %, and then lets one of each signer in: of
    a pair of its own one half owes more than it has, which the other has gained. It is the most leveraged of those who
    have, and is deleveraged first.
    """
    return _leave_reports_out(attack, seed, winner=10**6 * USD)


@scenario(
    limit_usd=40_000, stated="section 25, Index: who is more leveraged than the pair's other half gives for its jump"
)
def a_day_without_reports_beside_leverage(attack: bool, seed: int) -> Play:
    """The same, where the pair's other half has much money: a short at five times its margin comes first."""
    return _leave_reports_out(attack, seed, winner=2 * 10**7 * USD, leverage=5)


@scenario(limit_usd=56_000, stated="section 25, Index: insurance pays for the last step of a return")
def the_last_step_of_a_return(attack: bool, seed: int) -> Play:
    """A day's reports are left out, and the price falls by 27 %: the index comes back in steps. Half of a pair gets,
    once that is known, what it needs up to the last step, which is not cut and which the insurance pays.
    """
    play = _open({"attacker": [2 * 10**6 * USD] * 3}, seed)
    loser, winner, purse = play.accounts("attacker")
    if attack:
        _pair(play, loser, winner, LOTS)
    _fall(play, 27, is_silent=attack)
    if attack:
        index = PRICE
        while index - play.prices[1] > index // 10:
            index -= index // 10
        needed = lot_value(LOTS) - lot_value(LOTS, index) + lot_value(LOTS, index) * 30_100 // PPM
        play.exchange.take(play.pen.transfer(purse, loser, needed - play.equity(loser)))
    _return(play, steps=5)
    return play


@scenario(limit_usd=36_000, stated="section 25, Index: a margin is taken out at a cut mark")
def out_at_a_cut_mark(attack: bool, seed: int) -> Play:
    """The price falls by 18 % within a minute. Between the step of 10 % and the next a long takes out what is free at
    that mark; the debt of the next step is the insurance's.
    """
    play = _open({"honest": [10**7 * USD], "attacker": [10**6 * USD]}, seed)
    (short,), (long,) = play.accounts("honest"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    play.withdraw_but(long, lot_value(LOTS) // 5)
    _fall(play, 18, seconds=3, is_silent=True)
    play.report()
    if attack:
        play.withdraw_but(long, lot_value(LOTS, play.market().mark) * MARGIN // PPM)
    _return(play, steps=3)
    return play


@scenario(limit_usd=21_000, stated="section 25, Index: the backstop takes over at a cut mark")
def taken_over_at_a_cut_mark(attack: bool, seed: int) -> Play:
    """As before, of a day: half of a pair gets a hair less than its close-out at the cut mark, so that the backstop
    takes its position there, and has the next step as a loss.
    """
    lots = 27_500
    play = _open({"stakers": [2 * 10**6 * USD], "attacker": [10**6 * USD] * 3}, seed, is_insured=False)
    (staker,), (loser, winner, purse) = play.accounts("stakers"), play.accounts("attacker")
    play.exchange.stake(staker, 10**6 * USD)
    if attack:
        _pair(play, loser, winner, lots)
    _fall(play, 18, is_silent=attack)
    if attack:
        needed = lot_value(lots, PRICE // 10) + lot_value(lots, PRICE * 9 // 10) * 5_000 // PPM
        play.exchange.take(play.pen.transfer(purse, loser, needed - play.equity(loser)))
    _return(play, steps=5)
    return play


@scenario(limit_usd=14_000, stated="section 25, Index: a position without margin, in a market whose price is old")
def no_margin_in_another_market(attack: bool, seed: int) -> Play:
    """The return of market 1 leaves an account a dollar. Its position in market 2, whose index is five minutes old, is
    not closed; what market 2 does next is the insurance's, and the other half's.
    """
    other_lots = LOTS * 3 // 4
    play = _open({"attacker": [10**6 * USD] * 4}, seed, markets=2)
    one, one_winner, two, two_winner = play.accounts("attacker")
    if attack:
        for loser, winner in ((one, one_winner), (two, two_winner)):
            play.trade(loser, winner, PRICE, LOTS)
        play.trade(one, one_winner, PRICE, other_lots, market=2)
        play.trade(two_winner, two, PRICE, other_lots, market=2)
        for loser in (one, two):
            play.withdraw_but(loser, lot_value(LOTS) * 9 // 100 + USD)
    for hour in range(1, HOURS + 1):
        play.exchange.wait(1200)
        play.report(PRICE, PRICE, PRICE, market=2)
        play.prices[1] = PRICE - PRICE * 9 * hour // (100 * HOURS)
        if not attack:
            play.report(market=1)
    play.exchange.wait(350)
    play.prices[2] = PRICE * 98 // 100
    for market in (1, 2):
        play.report(market=market)
    play.exchange.wait(20)
    for market in (1, 2):
        play.report(market=market)
    return play


@scenario(
    limit_usd=24_500, stated="section 25, Index: the operator chooses whether what was forced at noon still counts"
)
def a_dip_that_is_over(attack: bool, seed: int) -> Play:
    """Reports of a dip were forced at noon, and the operator lets no other in. At night, when the price is back, it
    takes them from the queue: a stop fires into the operator's own bid.
    """
    lots, low = 40_000, PRICE * 968 // 1_000
    money = {"victim": [10**6 * USD], "others": [10**6 * USD], "makers": [10**7 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, reports=3600, cranks=False, impact=2**31, seed=seed)
    (victim,), (other,), (maker,), (bidder,) = (play.accounts(role) for role in money)
    play.trade(victim, other, PRICE, lots)
    stop = PRICE * 975 // 1_000
    play.order(victim, SELL, 1, lots, flags=BELOW | REDUCE_ONLY | IOC, trigger=stop, order_slot=1)
    if attack:
        play.order(bidder, BUY, low * 97 // 100 + 1, lots, order_slot=0)
    else:
        for level in range(40):
            play.order(maker, BUY, PRICE - 100 - 100 * level, 50_000, order_slot=level)
    play.exchange.wait(6 * 3600)
    noon, play.prices[1] = play.exchange.time, low
    if not attack:
        play.report()
    play.exchange.wait(12 * 3600)
    play.prices[1] = PRICE
    if attack:
        for number in range(3):
            play.exchange.take(play.pen.report(number, low, time=noon), is_message=True, queued_at=noon)
        play.cancel_all(bidder)
    play.report()
    play.cancel_all(maker)
    _return(play, steps=1)
    return play


@scenario(limit_usd=88_000, stated="section 25, Index: two pairs close at the true price and settle at the mean")
def settled_at_yesterdays_index(attack: bool, seed: int) -> Play:
    """Of a day's reports before an expiry only the last come in, in its last second. Of two pairs either half takes out
    what it has by then; and the settlement price is the mean of the index that stood.
    """
    money = {"honest": [10**7 * USD] * 2, "attacker": [2 * 10**6 * USD] * 4}
    expiry = Pen().time + 100_000
    play = _open(money, seed, expiry=expiry, honest=4)
    (long, short), (one, other, third, fourth) = play.accounts("honest"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    for account in (long, short):
        play.withdraw_but(account, lot_value(LOTS) // 5)
    if attack:
        play.trade(one, other, PRICE, LOTS)
        play.trade(fourth, third, PRICE, LOTS)
        for account in (one, other, third, fourth):
            play.withdraw_but(account, lot_value(LOTS) * 125_000 // PPM)
    _fall(play, 9, seconds=(expiry - 1 - play.exchange.time) // HOURS - 1, is_silent=attack)
    play.exchange.wait(expiry - 1 - play.exchange.time)
    play.report()
    if attack:
        for account in (one, other, third, fourth):
            play.withdraw_but(account, lot_value(LOTS, play.market().mark) * MARGIN // PPM)
    for _ in range(3):
        play.exchange.wait(61)
        play.crank()
    return play


def _leave_reports_out(attack: bool, seed: int, winner: int, leverage: int = 0) -> Play:
    """The pair's other half has `winner` token units; the honest short all it needs, or one in `leverage`."""
    play = _open({"attacker": [10**6 * USD, winner]}, seed)
    (one, other), (loser, holder) = play.accounts("traders"), play.accounts("attacker")
    play.trade(one, other, PRICE, LOTS)
    if leverage:
        play.withdraw_but(other, lot_value(LOTS) // leverage)
    if attack:
        _pair(play, loser, holder, LOTS)
    _fall(play, 9, is_silent=attack)
    _return(play, steps=2)
    return play


def _open(
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


def _pair(play: Play, loser: int, winner: int, lots: int) -> None:
    """The halves of a pair; that which is to fail keeps little more than its initial margin."""
    play.trade(loser, winner, PRICE, lots)
    play.withdraw_but(loser, lot_value(lots) * MARGIN // PPM)


def _fall(play: Play, percent: int, *, seconds: int = 4_800, is_silent: bool) -> None:
    """The price falls evenly in as many steps as a day has reports, none of which comes in if it `is_silent`."""
    for step in range(1, HOURS + 1):
        play.exchange.wait(seconds)
        play.prices[1] = PRICE - PRICE * percent * step // (100 * HOURS)
        if not is_silent:
            play.report()


def _return(play: Play, steps: int) -> None:
    """The signers report now, and from minute to minute."""
    for step in range(steps):
        if step:
            play.exchange.wait(61)
        play.report()
