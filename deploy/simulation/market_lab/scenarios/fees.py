"""Attacks on fees that fall with activity: trades with oneself, for a lower fee later or for a rebate now."""

from __future__ import annotations

from typing import Final

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD
from setoff.shared.rules.fees import ACTIVITY_DAYS, DAY

TERMS: Final = {
    "low": 0,
    "high": 2_000 * USD,
    "taker_saving": 210_000,
    "maker_saving": 150_000,
    "most_rebate": 200_000,
}
"""As steep as they may be, for who trades four million dollars in four weeks; the rebate is that of the market."""


def _open(seed: int) -> tuple[Play, int, int, int]:
    """(play, who trades for his own ends, another account of his, somebody else who quotes)."""
    money = {"attacker": [10**6 * USD] * 2, "others": [10**7 * USD]}
    play = Play.open(money, cranks=False, reports=DAY, max_age=2 * DAY, freshness=2 * DAY, seed=seed)
    play.exchange.expect(play.pen.set_terms(**TERMS), is_message=True)
    (main, second), (other,) = play.accounts("attacker"), play.accounts("others")
    return play, main, second, other


def _turn_over(play: Play, buyer: int, seller: int, dollars: int) -> None:
    """Trade so much, there and back in two halves, so that nobody holds anything after it; the seller quotes first."""
    lots = dollars * USD // (2 * PRICE * play.market().unit)
    play.trade(buyer, seller, PRICE, lots)
    play.trade(seller, buyer, PRICE, lots)


@scenario()
def trade_with_oneself_for_a_lower_fee(attack: bool, seed: int) -> Play:
    """A trader who goes up to the end of the slope, and stays there for two months, first buys a part of it."""
    play, main, second, other = _open(seed)
    if attack:
        for _ in range(4):
            _turn_over(play, main, second, 100_000)
    for _ in range(40):
        _turn_over(play, main, other, 100_000)
    for _ in range(2 * ACTIVITY_DAYS):
        play.exchange.wait(DAY)
        play.report()
        _turn_over(play, main, other, 150_000)
    return play


@scenario()
def trade_with_oneself_for_a_rebate(attack: bool, seed: int) -> Play:
    """At the lowest fees there are an owner is maker and taker of the same trades, for their rebate."""
    play, main, second, other = _open(seed)
    for account in (main, second):
        for _ in range(30):
            _turn_over(play, account, other, 100_000)
    activity = play.exchange.machine.state.activity(main).amount
    play.check(activity >= TERMS["high"] // 2, f"only {activity // USD} dollars of activity")
    if attack:
        for _ in range(20):
            _turn_over(play, main, second, 100_000)
            _turn_over(play, second, main, 100_000)
    return play
