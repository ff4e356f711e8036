"""Attacks while an index is behind: it was cut, it waited in the queue, or none came in for some minutes."""

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
from setoff.shared.codec.records import BUY, REDUCE_ONLY
from setoff.shared.params import MAX_SKEW


@scenario()
def a_loser_kept_by_the_cut(attack: bool, seed: int) -> Play:
    """The price falls by 18 % within a minute, and the step of 10 % leaves half of a pair five dollars: nobody is
    closed at a cut mark. It gets its close-out margin then, so that the debt of the next step is the insurance's.
    """
    return _keep_a_loser(attack, seed)


@scenario(limit_usd=70_700, stated="section 25, Index: who is more leveraged pays what insurance does not")
def a_loser_kept_beside_leverage(attack: bool, seed: int) -> Play:
    """The same beside a short at four times its margin: it comes before the pair's other half, and gives what the next
    step brought it.
    """
    return _keep_a_loser(attack, seed, leverage=4)


@scenario()
def moved_by_old_reports(attack: bool, seed: int) -> Play:
    """The operator takes each report through the queue, a minute old: the index moves, is never overdue, and nobody is
    liquidated at it. Half of a pair loses all but its close-out margin in this way; the insurance pays what a fresh
    report then brings.
    """
    steps = 8
    play = open_insured({"attacker": [10**6 * USD] * 2}, seed)
    loser, winner = play.accounts("attacker")
    if attack:
        open_pair(play, loser, winner, LOTS)
    for step in range(1, steps + 1):
        play.exchange.wait(200)
        play.prices[1] = PRICE - PRICE * 4 * step // (100 * steps)
        if not attack:
            play.report()
        stamp = play.exchange.time
        play.exchange.wait(61)
        if attack:
            report_through_queue(play, stamp)
    play.exchange.wait(200)
    play.prices[1] = PRICE * 93 // 100
    report_by_minutes(play, 3)
    return play


@scenario()
def always_has_gained(attack: bool, seed: int) -> Play:
    """The same, but after each old report comes a fresh one, a tick higher: who should be liquidated has gained by it,
    and so waits for the next.
    """
    play = open_insured({"attacker": [10**6 * USD] * 2}, seed)
    loser, winner = play.accounts("attacker")
    if attack:
        open_pair(play, loser, winner, LOTS)
    for price in range(PRICE - 200, PRICE * 96 // 100 - 1, -200):
        play.exchange.wait(120)
        stamp = play.exchange.time
        if not attack:
            play.prices[1] = price
            play.report()
        play.exchange.wait(61)
        if attack:
            play.prices[1] = price - 1
            report_through_queue(play, stamp)
        play.exchange.wait(10)
        play.prices[1] = price
        if attack:
            play.report()
    play.exchange.wait(61)
    play.prices[1] = PRICE * 93 // 100
    report_by_minutes(play, 3)
    return play


@scenario()
def known_within_one_batch(attack: bool, seed: int) -> Play:
    """A batch is dated MAX_SKEW back: first come the reports of its time, then all that half of a pair need not leave
    is taken out, by who knows the price of now, then the reports of now from the queue.
    """
    play = open_insured({"attacker": [10**6 * USD] * 2}, seed)
    loser, winner = play.accounts("attacker")
    if attack:
        open_pair(play, loser, winner, LOTS, kept=200_000)
    play.exchange.wait(50)
    play.report()
    play.prices[1] = PRICE * 93 // 100
    if attack:
        play.withdraw_but(loser, lot_value(LOTS) * MARGIN // PPM)
        report_through_queue(play, play.exchange.time + MAX_SKEW)
    play.exchange.wait(MAX_SKEW)
    report_by_minutes(play, 2)
    return play


@scenario(limit_usd=11_500, stated="section 25, Index: stops fire before makers may quote")
def stops_into_a_book_nobody_may_quote_in(attack: bool, seed: int) -> Play:
    """No report comes in for five minutes, in which the price falls by 4 %: makers take their bids away, and may set
    none anew. The report that comes then fires a stop, which meets the operator's closing bid, 3 % below the mark.
    """
    steps = 11
    play = open_with_stop(2, seed)
    (maker,), (bidder, hedge) = play.accounts("makers"), play.accounts("attacker")
    if attack:
        play.trade(hedge, bidder, PRICE, STOP_LOTS)
    _quote(play, maker)
    for step in range(1, steps + 1):
        play.exchange.wait(30)
        play.prices[1] = PRICE - PRICE * 4 * step // (100 * steps)
        if not attack:
            play.report()
        _quote(play, maker)
    if attack:
        play.order(bidder, BUY, play.prices[1] * 97 // 100 + 1, STOP_LOTS, flags=REDUCE_ONLY, order_slot=0)
        play.report()
    return play


def _keep_a_loser(attack: bool, seed: int, leverage: int = 0) -> Play:
    """`leverage`: of a short beside the pair; 0: there is none."""
    play = open_insured({"attacker": [10**6 * USD] * 3}, seed)
    loser, winner, purse = play.accounts("attacker")
    if leverage:
        trade_beside(play, leverage)
    if attack:
        play.trade(loser, winner, PRICE, LOTS)
        play.withdraw_but(loser, lot_value(LOTS) // 10 + 5 * USD)
    fall(play, 18, seconds=3, is_silent=True)
    play.report()
    if attack:
        needed = lot_value(LOTS, play.market().mark) // 100 + USD
        play.exchange.take(play.pen.transfer(purse, loser, needed - play.equity(loser)))
    report_by_minutes(play, 3)
    return play


def _quote(play: Play, maker: int) -> None:
    """Bids below the price, in place of all that were there."""
    play.cancel_all(maker)
    for level in range(10):
        play.order(maker, BUY, play.prices[1] - 50 - 50 * level, 50_000, order_slot=level)
