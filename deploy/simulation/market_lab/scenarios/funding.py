"""Attacks on funding: to be paid without risk, to pay nothing, to be there just in time."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.scenarios.premium import (
    get_fair,
    open_premium,
    pass_minutes,
    show_for_a_crank,
)
from setoff.deploy.simulation.market_lab.terms import PRICE, USD
from setoff.shared.codec.records import BUY, IOC, SELL
from setoff.shared.state.keys import MAX_TICK

LOTS = 40_000
PREMIUM = 20_000
HOURS = 1
SMALL = 100
"""Orders of a lot on either side."""


def _hold_long(seed: int) -> tuple[Play, int, int]:
    """A long of 400,000 dollars that owes funding, and a hand with little."""
    play = open_premium(PREMIUM, {"attacker": [10**6 * USD, 10_000 * USD]}, seed=seed)
    long, hand = play.accounts("attacker")
    play.order(long, BUY, MAX_TICK, LOTS, flags=IOC, order_slot=0)
    return play, long, hand


@scenario()
def thin_bid_saves_funding(attack: bool, seed: int) -> Play:
    """A bid of one lot in front of the book before each crank, by a long that owes funding."""
    play, _, hand = _hold_long(seed)
    for _ in range(60 * HOURS):
        play.pass_time(60)
        if attack:
            play.order(hand, BUY, play.market().best_bid + 1, 1, order_slot=1)
        play.crank()
        play.cancel_all(hand)
    play.prices[1] = get_fair(play, PREMIUM)
    return play


@scenario()
def small_orders_in_the_spread(attack: bool, seed: int) -> Play:
    """A hundred orders of a lot on either side inside the spread before each crank, by a long that owes funding."""
    play, _, hand = _hold_long(seed)
    for _ in range(60 * HOURS):
        play.pass_time(60)
        if attack:
            bid, ask = play.market().best_bid, play.market().best_ask
            for number in range(SMALL):
                play.order(hand, BUY, bid + 1, 1, order_slot=number)
                play.order(hand, SELL, ask - 1, 1, order_slot=SMALL + number)
        play.crank()
        play.cancel_all(hand)
    play.prices[1] = get_fair(play, PREMIUM)
    return play


@scenario()
def dead_bids_at_the_end_of_the_hour(attack: bool, seed: int) -> Play:
    """Bids that die with the crank's own second, just inside an honest spread, in the last minutes of each hour."""
    money = {"makers": [10**7 * USD] * 2, "victim": [10**6 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, cranks=False, seed=seed)
    bidder, asker = play.accounts("makers")
    (victim,), (short,) = play.accounts("victim"), play.accounts("attacker")
    play.order(bidder, BUY, PRICE - 1_000, 500_000, order_slot=0)
    play.order(asker, SELL, PRICE + 1_000, 500_000, order_slot=0)
    play.trade(victim, short, PRICE, LOTS)
    for minute in range(60 * HOURS):
        play.pass_time(59)
        if attack and minute % 60 > 45:
            play.order(short, BUY, PRICE + 998, 500, order_slot=50, expiry=play.exchange.time + 1)
        play.pass_time(1)
        play.crank()
    return play


@scenario(limit_usd=30, stated="section 25, Mark and funding: to be paid funding by quotes that nobody can hit")
def flicked_bids(attack: bool, seed: int) -> Play:
    """A bid above the index that stands for one record: order, crank, cancel, in a row, by whoever orders records."""
    money = {"makers": [10**7 * USD], "victim": [10**6 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, seed=seed)
    (maker,), (victim,), (short,) = play.accounts("makers"), play.accounts("victim"), play.accounts("attacker")
    play.trade(victim, short, PRICE, LOTS)
    play.join(Maker(maker, 600, lots=50_000, levels=1, spread=1_000))
    for _ in range(60 * HOURS):
        play.pass_time(59)
        if attack:
            show_for_a_crank(play, short, PRICE + 99, 50)
        else:
            play.pass_time(1)
    return play


@scenario()
def just_before_a_late_crank(attack: bool, seed: int) -> Play:
    """After ten hours without a crank: open a record before it, and close a record after it."""
    premium = 20_000
    play = open_premium(premium, {"attacker": [10**6 * USD]}, seed=seed)
    (short,) = play.accounts("attacker")
    play.exchange.wait(10 * 3600)
    play.report()
    if attack:
        play.order(short, SELL, 1, LOTS, flags=IOC, order_slot=0)
        play.crank()
        play.order(short, BUY, MAX_TICK, LOTS, flags=IOC, order_slot=0)
    else:
        play.crank()
    play.prices[1] = get_fair(play, premium)
    return play


@scenario()
def own_quotes_beyond_the_index(attack: bool, seed: int) -> Play:
    """Bid above the index, by less than a taker's fee and below the best ask, to be paid funding as a short."""
    money = {"makers": [10**7 * USD], "victim": [10**6 * USD], "attacker": [10**6 * USD, 10**6 * USD]}
    play = Play.open(money, cranks=False, seed=seed)
    (maker,), (victim,), (short, bidder) = (play.accounts(role) for role in ("makers", "victim", "attacker"))
    play.trade(victim, short, PRICE, LOTS)
    play.join(Maker(maker, 600, lots=50_000, levels=1, spread=500))
    for _ in range(60):
        if attack:
            play.order(bidder, BUY, PRICE + 49, 500, order_slot=1)
        pass_minutes(play, 1)
        play.cancel_all(bidder)
    return play
