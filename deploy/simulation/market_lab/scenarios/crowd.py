"""A whole market: recorded orders, makers, gamblers, hedgers and a staker; and an attacker among them."""

from __future__ import annotations

from functools import partial

from setoff.deploy.simulation.market_lab.agents.flow import RecordedFlow, RecordedPrice
from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.agents.traders import Gambler, Hedger
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.state.keys import MAX_TICK

FALSE = 3
LOTS = 20_000
SECONDS = 1_800


def open_crowd(seed: int) -> Play:
    """Everybody, with a hedged pair of the attacker's."""
    money = {
        "flow": [500_000 * USD] * 8,
        "makers": [10**6 * USD] * 2,
        "gamblers": [5_000 * USD] * 6,
        "hedgers": [10**5 * USD] * 2,
        "staker": [10**5 * USD],
        "attacker": [10**5 * USD] * 3,
    }
    play = Play.open(money, noise=50, seed=seed)
    play.join(*(Maker(account, 15) for account in play.accounts("makers")))
    play.join(RecordedFlow(play.accounts("flow"), PRICE, seed=seed))
    play.join(*(Gambler(account, seed=str(seed)) for account in play.accounts("gamblers")))
    play.join(*(Hedger(account, lots=500, seed=str(seed)) for account in play.accounts("hedgers")))
    for account in play.accounts("staker"):
        play.exchange.stake(account, 50_000 * USD)
    long, short, _ = play.accounts("attacker")
    play.trade(long, short, PRICE, LOTS)
    return play


def _get_later(price: RecordedPrice, began: int, seconds: int) -> int:
    return price.get(began + seconds)


@scenario()
def false_signer_in_a_crowd(attack: bool, seed: int) -> Play:
    """One signer lies up and down among recorded orders and leveraged traders with stops; a lot flicks the book."""
    play = open_crowd(seed)
    price = RecordedPrice(PRICE)
    hand = play.accounts("attacker")[2]
    for turn in range(SECONDS // 60):
        began = turn * 60
        play.pass_time(30, partial(_get_later, price, began))
        if attack:
            play.exchange.take(play.pen.report(FALSE, (1, MAX_TICK)[turn % 2]))
            play.order(hand, BUY, play.market().best_bid + 1, 1, order_slot=1)
            play.order(hand, SELL, play.market().best_ask - 1, 1, order_slot=2)
        play.pass_time(30, partial(_get_later, price, began + 30))
        play.cancel_all(hand)
    return play
