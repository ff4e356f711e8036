"""Attacks on margins that rise with open interest: raise them against others, who then lose orders or positions."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.rules.scale import FULL

CAP = 40_000
"""Lots that may be open."""
OPEN = 16_000
"""Those that traders hold against each other."""


@scenario()
def margins_raised_against_others(attack: bool, seed: int) -> Play:
    """Trades with oneself fill a market to its cap, until margins are at their highest and the quotes of whoever
    has just the usual margin are pruned; then the attacker takes what else is in the book, in a small fall.
    """
    money = {"attacker": [10**6 * USD] * 3, "traders": [12_000 * USD] * 2, "thin": [2_000 * USD], "deep": [10**5 * USD]}
    play = Play.open(money, reports=30, seed=seed, max_open_interest=CAP)
    play.exchange.expect(play.pen.set_terms(scale_from=5_000, scale_most=10_000), is_message=True)
    (long, short, hand), traders = play.accounts("attacker"), play.accounts("traders")
    (thin,), (deep,) = play.accounts("thin"), play.accounts("deep")
    play.trade(traders[0], traders[1], PRICE, OPEN)
    held = lot_value(OPEN)
    play.check(held > 10 * play.equity(traders[0]), "the traders have no leverage")
    for slot, (side, price) in enumerate(((BUY, PRICE - 10), (SELL, PRICE + 10))):
        play.order(thin, side, price, 1_000, order_slot=slot)
        play.order(deep, side, price + (price - PRICE) * 20, 1_000, order_slot=slot)
    if attack:
        play.trade(long, short, PRICE, CAP - OPEN)
    play.pass_time(600)
    if attack:
        play.check(play.market().scale == FULL, "margins did not rise: the attack is none")
        play.order(hand, SELL, PRICE - 500, 500, order_slot=1)
    play.pass_time(120, lambda _: PRICE * 999 // 1_000)
    if attack:
        play.trade(short, long, PRICE, CAP - OPEN)
        play.order(hand, BUY, PRICE + 500, 500, order_slot=1)
    play.pass_time(600, lambda _: PRICE)
    for account in traders:
        play.check(play.exchange.machine.state.account(account).positions[0].size != 0, f"{account} was liquidated")
    return play
