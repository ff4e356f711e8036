"""Attacks with two markets: what is not fresh in one is used in the other."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.scenarios.falls import (
    LOTS,
    MARGIN,
    STEPS,
    fall,
    open_insured,
    open_pair,
    report_by_minutes,
)
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BUY, IOC, SELL

HIGH = PRICE * 103 // 100
"""As far above the mark as orders are taken, and about as far below."""
LOW = PRICE * 97 // 100 + 1


@scenario()
def no_margin_in_another_market(attack: bool, seed: int) -> Play:
    """The return of market 1 leaves an account a dollar. Its position in market 2, whose index is five minutes old, is
    not closed; what market 2 does next is the insurance's, and the other half's.
    """
    return _let_market_1_return(attack, seed, is_topped_up=False)


@scenario()
def topped_up_in_another_market(attack: bool, seed: int) -> Play:
    """The same; but before market 2's report comes, who has lost all gets its close-out margin again."""
    return _let_market_1_return(attack, seed, is_topped_up=True)


@scenario()
def out_by_another_market(attack: bool, seed: int) -> Play:
    """Market 1 falls by 18 % within a minute, and its index is cut: of a long there nothing may be withdrawn. So it
    loses what it has to another account, by trades off the mark in market 2, which is fresh.
    """
    play = _fall_in_market_1(attack, seed)
    long, _, other = play.accounts("attacker")
    for market in (1, 2):
        play.report(market=market)
    if attack:
        _lose(play, long, other, lot_value(LOTS, play.market().mark) * MARGIN // PPM)
        play.withdraw_but(other, 0)
    report_by_minutes(play, 4)
    return play


@scenario()
def out_by_orders_that_rest(attack: bool, seed: int) -> Play:
    """The same, with a bid of the long that rests in market 2 since before the report that is cut: who rests is not
    asked for a fresh price.
    """
    lots = 60_000
    play = _fall_in_market_1(attack, seed)
    long, _, other = play.accounts("attacker")
    if attack:
        play.order(long, BUY, HIGH, lots, market=2, order_slot=0)
    for market in (1, 2):
        play.report(market=market)
    if attack:
        play.order(other, SELL, HIGH, lots, market=2, order_slot=0, flags=IOC)
        play.trade(other, long, LOW, play.size(long, 2), market=2)
        play.withdraw_but(other, 0)
    report_by_minutes(play, 4)
    return play


def _let_market_1_return(attack: bool, seed: int, *, is_topped_up: bool) -> Play:
    """Six hours of market 1 are left out, in which it falls by 9 %; two pairs have positions in both markets, one of
    them on the same side of both. When it returns market 2 is as old as it may be, and falls by 2 % then.
    """
    other_lots = LOTS * 3 // 4
    play = open_insured({"attacker": [10**6 * USD] * 5}, seed, markets=2)
    one, one_winner, two, two_winner, purse = play.accounts("attacker")
    if attack:
        for loser, winner in ((one, one_winner), (two, two_winner)):
            play.trade(loser, winner, PRICE, LOTS)
        play.trade(one, one_winner, PRICE, other_lots, market=2)
        play.trade(two_winner, two, PRICE, other_lots, market=2)
        for loser in (one, two):
            play.withdraw_but(loser, lot_value(LOTS) * 9 // 100 + USD)
    for step in range(1, STEPS + 1):
        play.exchange.wait(1200)
        play.report(market=2)
        play.prices[1] = PRICE - PRICE * 9 * step // (100 * STEPS)
        if not attack:
            play.report(market=1)
    play.exchange.wait(350)
    play.prices[2] = PRICE * 98 // 100
    play.report(market=1)
    if attack and is_topped_up:
        needed = lot_value(abs(play.size(one, 2))) // 100 + USD
        play.exchange.take(play.pen.transfer(purse, one, needed - play.equity(one)))
    play.report(market=2)
    play.exchange.wait(20)
    for market in (1, 2):
        play.report(market=market)
    return play


def _fall_in_market_1(attack: bool, seed: int) -> Play:
    """A pair there, whose long has 20 %; the price has fallen, and no report has said so yet."""
    play = open_insured({"attacker": [10**6 * USD] * 3}, seed, markets=2)
    if attack:
        long, short, _ = play.accounts("attacker")
        open_pair(play, long, short, LOTS, kept=200_000)
    fall(play, 18, seconds=3, is_silent=True)
    return play


def _lose(play: Play, payer: int, payee: int, kept: int) -> None:
    """All but `kept` token units of equity goes to another account, in rounds of a purchase and a sale in market 2."""
    for _ in range(6):
        # A round costs a lot what HIGH is above the mark, twice; to be entered it needs that once, and initial margin.
        lots = (play.equity(payer) - kept) * PPM // (lot_value(1) * 82_000)
        if lots > 0:
            play.trade(payer, payee, HIGH, lots, market=2)
            play.trade(payee, payer, LOW, lots, market=2)
