"""Attacks on deleveraging: were to be closed first a prize."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM


@scenario()
def first_to_be_deleveraged(attack: bool, seed: int) -> Play:
    """An account that fails has something left: be first of those who close against it, with the highest leverage."""
    lots = 40_000
    money = {"victim": [10**6 * USD], "others": [10**6 * USD, 10**6 * USD], "attacker": [10**5 * USD, 10**6 * USD]}
    play = Play.open(money, impact=2**31, seed=seed)
    (victim,), (winner, helper), (first, partner) = (play.accounts(role) for role in ("victim", "others", "attacker"))
    play.trade(victim, winner, PRICE, lots)
    play.trade(helper, partner, PRICE, lots)
    play.withdraw_but(victim, lot_value(lots) * 50_100 // PPM)
    if attack:
        # The partner's short goes to an account with so little that its leverage is the highest.
        play.trade(partner, first, PRICE, lots)
        play.withdraw_but(first, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    play.prices[1] = PRICE * 968 // 1_000
    play.pass_time(70)
    return play
