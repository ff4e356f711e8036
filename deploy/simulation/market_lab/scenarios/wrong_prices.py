"""Attacks with a price that everybody knows to be wrong: an index on its way back, or one of hours ago."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.scenarios.falls import (
    LOTS,
    MARGIN,
    STOP_LOTS,
    fall,
    open_insured,
    open_pair,
    open_with_stop,
    report_by_minutes,
    report_through_queue,
    trade_beside,
)
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BUY


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


@scenario()
def the_last_step_of_a_return(attack: bool, seed: int) -> Play:
    """A day's reports are left out, and the price falls by 27 %: the index comes back in steps. Half of a pair gets,
    once that is known, what it needs up to the last step, which is not cut and which the insurance pays.
    """
    play = open_insured({"attacker": [2 * 10**6 * USD] * 3}, seed)
    loser, winner, purse = play.accounts("attacker")
    if attack:
        open_pair(play, loser, winner, LOTS)
    fall(play, 27, is_silent=attack)
    if attack:
        index = PRICE
        while index - play.prices[1] > index // 10:
            index -= index // 10
        needed = lot_value(LOTS) - lot_value(LOTS, index) + lot_value(LOTS, index) * 30_100 // PPM
        play.exchange.take(play.pen.transfer(purse, loser, needed - play.equity(loser)))
    report_by_minutes(play, 5)
    return play


@scenario()
def out_at_a_cut_mark(attack: bool, seed: int) -> Play:
    """The price falls by 18 % within a minute. Between the step of 10 % and the next a long takes out what is free at
    that mark; the debt of the next step is the insurance's.
    """
    play = open_insured({"honest": [10**7 * USD], "attacker": [10**6 * USD]}, seed)
    (short,), (long,) = play.accounts("honest"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    play.withdraw_but(long, lot_value(LOTS) // 5)
    fall(play, 18, seconds=3, is_silent=True)
    play.report()
    if attack:
        play.withdraw_but(long, lot_value(LOTS, play.market().mark) * MARGIN // PPM)
    report_by_minutes(play, 3)
    return play


@scenario()
def taken_over_at_a_cut_mark(attack: bool, seed: int) -> Play:
    """As before, of a day: half of a pair gets a hair less than its close-out at the cut mark, so that the backstop
    takes its position there, and has the next step as a loss.
    """
    lots = 27_500
    play = open_insured({"stakers": [2 * 10**6 * USD], "attacker": [10**6 * USD] * 3}, seed, is_insured=False)
    (staker,), (loser, winner, purse) = play.accounts("stakers"), play.accounts("attacker")
    play.exchange.stake(staker, 10**6 * USD)
    if attack:
        open_pair(play, loser, winner, lots)
    fall(play, 18, is_silent=attack)
    if attack:
        needed = lot_value(lots, PRICE // 10) + lot_value(lots, PRICE * 9 // 10) * 5_000 // PPM
        play.exchange.take(play.pen.transfer(purse, loser, needed - play.equity(loser)))
    report_by_minutes(play, 5)
    return play


@scenario()
def a_dip_that_is_over(attack: bool, seed: int) -> Play:
    """Reports of a dip were forced at noon, and the operator lets no other in. At night, when the price is back, it
    takes them from the queue: a stop fires into the operator's own bid.
    """
    low = PRICE * 968 // 1_000
    play = open_with_stop(1, seed)
    (maker,), (bidder,) = play.accounts("makers"), play.accounts("attacker")
    if attack:
        play.order(bidder, BUY, low * 97 // 100 + 1, STOP_LOTS, order_slot=0)
    else:
        for level in range(40):
            play.order(maker, BUY, PRICE - 100 - 100 * level, 50_000, order_slot=level)
    play.exchange.wait(6 * 3600)
    noon, play.prices[1] = play.exchange.time, low
    if not attack:
        play.report()
    play.exchange.wait(12 * 3600)
    if attack:
        report_through_queue(play, noon)
        play.cancel_all(bidder)
    play.prices[1] = PRICE
    play.report()
    play.cancel_all(maker)
    report_by_minutes(play, 1)
    return play


def _leave_reports_out(attack: bool, seed: int, winner: int, leverage: int = 0) -> Play:
    """The pair's other half has `winner` token units; the honest short all it needs, or one in `leverage`."""
    play = open_insured({"attacker": [10**6 * USD, winner]}, seed)
    loser, holder = play.accounts("attacker")
    trade_beside(play, leverage)
    if attack:
        open_pair(play, loser, holder, LOTS)
    fall(play, 9, is_silent=attack)
    report_by_minutes(play, 2)
    return play
