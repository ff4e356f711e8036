"""Attacks with debts: let an account fail, and have somebody else pay for it."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM

LOTS = 2_000


@scenario()
def debt_on_an_innocent(attack: bool, seed: int) -> Play:
    """An account fails in market 2, whose report is old; the next report of market 1 meets it there, with one lot."""
    money = {"innocent": [10_000 * USD], "attacker": [10_000 * USD, 100_000 * USD]}
    play = Play.open(money, markets=2, reports=30, max_age=120, impact=2**31, seed=seed)
    (innocent,), (loser, winner) = play.accounts("innocent"), play.accounts("attacker")
    play.trade(loser, innocent, PRICE, 1)
    play.withdraw_but(innocent, 2 * USD)
    if attack:
        play.trade(loser, winner, PRICE, LOTS, market=2)
        play.withdraw_but(loser, lot_value(LOTS) * 50_200 // PPM)
    play.exchange.wait(100)
    old = play.exchange.time - 90
    fallen = PRICE * 905 // 1_000
    for number in range(3):
        play.exchange.take(play.pen.report(number, fallen, market=2, time=old))
    play.report(PRICE, PRICE, PRICE)
    play.prices[2] = fallen
    play.pass_time(60)
    return play


@scenario()
def debt_on_the_same_market(attack: bool, seed: int) -> Play:
    """An account fails by more than it has, against one of the same owner and a bystander on the same side."""
    money = {"bystanders": [10**6 * USD, 10**6 * USD], "attacker": [10**6 * USD, 10**6 * USD]}
    play = Play.open(money, taker_fee=0, maker_fee=0, impact=2**31, seed=seed)
    (long, short), (loser, winner) = play.accounts("bystanders"), play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    if attack:
        play.trade(loser, winner, PRICE, 20 * LOTS)
        play.withdraw_but(loser, lot_value(20 * LOTS) * 50_100 // PPM)
    play.pass_time(70)
    for percent in (92, 85):
        play.prices[1] = PRICE * percent // 100
        play.pass_time(70)
    return play


@scenario(limit_usd=10_000, stated="section 25, Liquidation: a hedged pair gains a jump less its margin")
def debt_on_the_insurance(attack: bool, seed: int) -> Play:
    """A hedged pair of one owner, at twenty times the margin of one half: a jump makes that half a debt, which the
    insurance pays, and the other half keeps what it has won.
    """
    lots = 50_000
    money = {"traders": [10**7 * USD] * 2, "attacker": [10**6 * USD, 10**6 * USD]}
    play = Play.open(money, impact=2**31, seed=seed)
    (one, other), (loser, winner) = play.accounts("traders"), play.accounts("attacker")
    for _ in range(20):
        play.trade(one, other, PRICE, 10**6)
        play.trade(other, one, PRICE, 10**6)
    if attack:
        play.trade(loser, winner, PRICE, lots)
        play.withdraw_but(loser, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    play.prices[1] = PRICE * 93 // 100
    play.pass_time(70)
    return play
