"""Attacks on the book: walls of dead orders, fill-or-kill in part, a liquidation that nobody else bids for."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BUY, FOK, IOC, REDUCE_ONLY, SELL, SELL_LEG, Leg

THIN = 2**31


@scenario()
def dead_orders_as_a_wall(attack: bool, seed: int) -> Play:
    """A level of orders that died in front of an honest ask, so that a taker never reaches it."""
    money = {"taker": [10**6 * USD], "maker": [10**6 * USD], "attacker": [1_000 * USD] * 5}
    play = Play.open(money, maker_fee=0, seed=seed)
    (taker,), (maker,) = play.accounts("taker"), play.accounts("maker")
    play.order(maker, SELL, PRICE + 10, 100_000, order_slot=0)
    if attack:
        for account in play.accounts("attacker"):
            for start in range(0, 256, 64):
                legs = [Leg(SELL_LEG, 1, start + number, PRICE + 1, 1) for number in range(64)]
                play.send(play.pen.bulk(account, legs))
            play.exchange.take(play.pen.schedule_cancel(account, play.exchange.time + 1))
        play.pass_time(2)
    play.order(taker, BUY, PRICE + 50, 1_000, order_slot=0)
    play.pass_time(60)
    play.check(play.size(taker) == 1_000, f"the taker got {play.size(taker)} of 1,000 lots")
    return play


@scenario()
def fill_or_kill_in_part(attack: bool, seed: int) -> Play:
    """Makers whose reduce-only orders have shrunk: a fill-or-kill order counts them for more than they can fill."""
    money = {
        "taker": [10**6 * USD],
        "maker": [10**6 * USD],
        "attacker": [10**6 * USD, *([1_000 * USD] * 40)],
    }
    play = Play.open(money, maker_fee=0, impact=THIN, seed=seed)
    (taker,), (maker,), (hub, *owned) = (play.accounts(role) for role in ("taker", "maker", "attacker"))
    if attack:
        for account in owned:
            play.order(hub, SELL, PRICE, 2, order_slot=0)
            play.order(account, BUY, PRICE, 2, order_slot=0)
            play.order(account, SELL, PRICE + 1, 2, order_slot=1, flags=REDUCE_ONLY)
            play.order(hub, BUY, PRICE - 1, 1, order_slot=1)
            play.order(account, SELL, PRICE - 1, 1, order_slot=2, flags=IOC)
    play.order(maker, SELL, PRICE + 2, 50, order_slot=0)
    for lots in (60, 80, 100):
        before = play.size(taker)
        outcome = play.order(taker, BUY, PRICE + 10, lots, flags=FOK, order_slot=5)
        filled = play.size(taker) - before
        play.check(filled in (0, lots), f"{filled} of {lots} lots were filled: {outcome}")
    return play


def _open_near_maintenance(lots: int, seed: int) -> tuple[Play, int]:
    """An account holds `lots` a hair above its maintenance margin, and nobody quotes; and the attacker's account."""
    money = {"victim": [10**6 * USD], "others": [10**6 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, impact=THIN, seed=seed)
    (victim,), (other,), (bidder,) = (play.accounts(role) for role in ("victim", "others", "attacker"))
    play.trade(victim, other, PRICE, lots)
    play.withdraw_but(victim, lot_value(lots) * 50_100 // PPM)
    return play, bidder


@scenario(limit_usd=500, stated="section 25, Liquidation: a quarter at a sixth of the margin from the mark")
def bid_for_a_liquidation(attack: bool, seed: int) -> Play:
    """An account is a hair below maintenance; the only bids are the attacker's, just above its least price."""
    lots = 40_000
    play, bidder = _open_near_maintenance(lots, seed)
    if attack:
        play.order(bidder, BUY, 97_436, lots, order_slot=0)
    play.pass_time(70)
    play.prices[1] = 97_925
    play.pass_time(70)
    return play


@scenario(limit_usd=3_500, stated="section 25, Liquidation: what a lone bid earns is what the backstop would have")
def bid_in_a_gap(attack: bool, seed: int) -> Play:
    """A jump leaves an account little more than its close-out margin; the only bids are the attacker's, far below where
    the index was.
    """
    lots = 40_000
    play, bidder = _open_near_maintenance(lots, seed)
    play.pass_time(70)
    if attack:
        for slot, price in enumerate(range(94_900, 95_500, 5)):
            play.order(bidder, BUY, price, lots // 100, order_slot=slot)
    play.prices[1] = 96_200
    play.pass_time(70)
    return play


@scenario()
def pause_as_an_option(attack: bool, seed: int) -> Play:
    """A hedged pair of one owner: the half that is below its margin waits, and the owner brings money only where the
    price comes back.
    """
    lots = 40_000
    money = {"others": [10**6 * USD] * 2, "attacker": [10**6 * USD] * 3}
    play = Play.open(money, impact=THIN, seed=seed)
    (long, short, purse), (buyer, seller) = play.accounts("attacker"), play.accounts("others")
    play.trade(buyer, seller, PRICE, lots)
    if attack:
        play.trade(long, short, PRICE, lots)
        play.withdraw_but(long, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    for price in (97_900, 97_600, 97_000, 96_400, 96_900, 97_800):
        play.prices[1] = price
        play.exchange.wait(10)
        play.report()
        if attack and price > 96_500:
            play.exchange.take(play.pen.transfer(purse, long, 500 * USD))
    play.pass_time(60)
    return play
