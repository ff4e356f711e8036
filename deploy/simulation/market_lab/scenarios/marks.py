"""Attacks on the mark: one lot in front of the book, a premium that has gone, a trade before the mark is there."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.scenarios.premium import (
    get_fair,
    open_premium,
    pass_minutes,
    show_for_a_crank,
)
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BELOW, BUY, IOC, REDUCE_ONLY, SELL
from setoff.shared.state.keys import MAX_TICK

LOTS = 40_000
DUST_SLOT = 150


def _flick(play: Play, account: int, minutes: int) -> None:
    """A bid of one lot in front of the book at each report and crank."""
    for _ in range(minutes):
        play.order(account, BUY, play.market().best_bid + 1, 1, order_slot=DUST_SLOT)
        play.exchange.wait(2)
        play.report()
        play.pass_time(58)
        play.crank()
        play.cancel_all(account)


@scenario()
def flicked_bids_close_out(attack: bool, seed: int) -> Play:
    """Nobody quotes: a bid above the index stands for one record at each crank; who fails by the mark that it makes
    is short against the attacker."""
    money = {"victim": [10**6 * USD], "attacker": [10**6 * USD, 10**5 * USD]}
    play = Play.open(money, seed=seed)
    (victim,), (long, hand) = play.accounts("victim"), play.accounts("attacker")
    play.trade(long, victim, PRICE, LOTS)
    play.withdraw_but(victim, lot_value(LOTS) * 51_000 // PPM)
    for _ in range(20):
        play.pass_time(59)
        if attack:
            show_for_a_crank(play, hand, min(PRICE, play.market().mark) * 1_029 // 1_000, DUST_SLOT)
        else:
            play.pass_time(1)
    play.pass_time(900)
    return play


@scenario()
def thin_bid_closes_out(attack: bool, seed: int) -> Play:
    """A bid of one lot flicks the mark to the index, where a healthy account fails; who staked just now gains."""
    premium = 43_000
    money = {"victim": [10**6 * USD], "stakers": [20_000 * USD], "attacker": [10**5 * USD, 10**6 * USD]}
    play = open_premium(premium, money, seed=seed)
    (victim,), (staker,), (hand, purse) = play.accounts("victim"), play.accounts("stakers"), play.accounts("attacker")
    play.exchange.stake(staker, 10_000 * USD)
    play.order(victim, BUY, MAX_TICK, LOTS, flags=IOC, order_slot=0)
    play.withdraw_but(victim, lot_value(LOTS, play.market().mark) * 52_000 // PPM)
    if attack:
        play.exchange.take(play.pen.backstop_deposit(purse, 900_000 * USD))
        _flick(play, hand, 5)
        play.exchange.take(play.pen.backstop_withdraw(purse, play.exchange.account(purse).shares))
    else:
        pass_minutes(play, 5)
    play.prices[1] = get_fair(play, premium)
    return play


@scenario()
def thin_bid_draws_money(attack: bool, seed: int) -> Play:
    """At 100 times the margin: flick the mark, open at the price of the book, take out what the mark says."""
    premium = 20_000
    money = {"stakers": [2 * 10**6 * USD], "attacker": [10**6 * USD, 10**5 * USD]}
    terms = {"initial_margin": 10_000, "maintenance_margin": 5_000, "close_out": 2_000}
    play = open_premium(premium, money, lots=500_000, seed=seed, **terms)
    (staker,), (trader, hand) = play.accounts("stakers"), play.accounts("attacker")
    play.exchange.stake(staker, 10**6 * USD)
    play.withdraw_but(trader, lot_value(500_000) * 10_700 // PPM)
    if attack:
        _flick(play, hand, 2)
        play.order(hand, BUY, play.market().best_bid + 1, 1, order_slot=DUST_SLOT)
        play.exchange.wait(2)
        play.report()
        lots = play.equity(trader) * PPM // (lot_value(1, play.market().mark) * 10_700)
        play.order(trader, SELL, 1, lots, flags=IOC, order_slot=0)
        play.withdraw_but(trader, lot_value(lots, play.market().mark) * 10_010 // PPM)
        play.cancel_all(hand)
    pass_minutes(play, 5)
    play.prices[1] = get_fair(play, premium)
    return play


@scenario()
def thin_bid_fires_stops(attack: bool, seed: int) -> Play:
    """Stops between index and mark: flick the mark down, and be the bid below it that they meet."""
    premium = 20_000
    money = {"victims": [10**5 * USD] * 4, "attacker": [10**6 * USD, 10**5 * USD]}
    play = open_premium(premium, money, lots=5_000, seed=seed)
    buyer, hand = play.accounts("attacker")
    stop = get_fair(play, premium // 2)
    for victim in play.accounts("victims"):
        play.order(victim, BUY, MAX_TICK, 2_000, flags=IOC, order_slot=0)
        flags = BELOW | REDUCE_ONLY | IOC
        play.order(victim, SELL, 1, 2_000, flags=flags, trigger=stop, order_slot=1)
    if attack:
        play.order(buyer, BUY, get_fair(play, premium * 3 // 4), 20_000, order_slot=1)
        _flick(play, hand, 5)
        play.cancel_all(buyer)
    else:
        pass_minutes(play, 5)
    play.prices[1] = get_fair(play, premium)
    return play


@scenario()
def gone_premium(attack: bool, seed: int) -> Play:
    """The premium has gone while the book was thin: buy at the true price, take out what the old mark says, be gone."""
    premium = 80_000
    lots = 50_000
    money = {"seller": [10**6 * USD], "attacker": [50_000 * USD]}
    play = open_premium(premium, money, minutes=60, seed=seed)
    (seller,), (buyer,) = play.accounts("seller"), play.accounts("attacker")
    play.leave(*play.agents[-2:])
    play.cancel_all(*play.accounts("makers"))
    pass_minutes(play, 5)
    play.order(seller, SELL, max(PRICE, _get_lowest(play)), lots, order_slot=0)
    if attack:
        play.order(buyer, BUY, MAX_TICK, lots, flags=IOC, order_slot=0)
        play.withdraw_but(buyer, lot_value(lots, play.market().mark) * 50_100 // PPM)
    _quote_at_index(play)
    pass_minutes(play, 5)
    return play


def _get_lowest(play: Play) -> int:
    """The lowest price at which a seller's order is taken, while the mark is what it is."""
    market = play.market()
    return market.mark - market.mark * market.maintenance_margin // PPM


def _quote_at_index(play: Play) -> None:
    """The makers are back, around the index."""
    bidder, asker = play.accounts("makers")
    play.cancel_all(bidder, asker)
    play.order(bidder, BUY, PRICE - 20, 5_000, order_slot=0)
    play.order(asker, SELL, PRICE + 20, 5_000, order_slot=0)


@scenario()
def behind_a_late_mark(attack: bool, seed: int) -> Play:
    """A fall before its report: close the winning half of a hedged pair with others as near to the true price as orders
    are taken, let the other half fail.
    """
    lots = 50_000
    money = {"others": [10**6 * USD], "attacker": [10**6 * USD, 10**6 * USD]}
    play = Play.open(money, seed=seed, impact=2**31)
    (other,), (long, short) = play.accounts("others"), play.accounts("attacker")
    play.trade(long, short, PRICE, lots)
    play.withdraw_but(long, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    play.prices[1] = PRICE * 92 // 100
    play.order(other, SELL, max(play.prices[1], _get_lowest(play)), lots, order_slot=0)
    if attack:
        play.order(short, BUY, MAX_TICK, lots, flags=IOC, order_slot=0)
    play.pass_time(120)
    return play


@scenario()
def wide_quotes_in_an_empty_book(attack: bool, seed: int) -> Play:
    """Nobody quotes: a bid far below the index and an ask just above it, neither worth taking; does the mark go
    to their middle, where one victim is closed out and another's stop fires into the bid?
    """
    lots = 20_000
    money = {"victims": [10**6 * USD] * 2, "others": [10**6 * USD], "attacker": [10**5 * USD] * 2}
    play = Play.open(money, cranks=False, seed=seed)
    (near, stopped), (other,), (bidder, asker) = (play.accounts(role) for role in ("victims", "others", "attacker"))
    for victim in (near, stopped):
        play.trade(victim, other, PRICE, lots)
    play.withdraw_but(near, lot_value(lots) * 52_000 // PPM)
    flags = BELOW | REDUCE_ONLY | IOC
    play.order(stopped, SELL, 1, lots // 2, flags=flags, trigger=PRICE * 97 // 100, order_slot=0)
    if attack:
        play.order(bidder, BUY, PRICE * 901 // 1_000, lots // 2, order_slot=0)
        play.order(asker, SELL, PRICE * 1_005 // 1_000, 500, order_slot=0)
    pass_minutes(play, 25)
    return play
