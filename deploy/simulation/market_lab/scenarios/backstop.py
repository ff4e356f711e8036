"""Attacks on the vault behind liquidations: sell it what will lose, fill its places, share its profits in time, or at
an old price."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import BACKSTOP_DELAY, PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.rules.phases import HOUR, LIQUIDATION_PAUSE
from setoff.shared.state.keys import BACKSTOP

THIN = 2**31
"""An impact that no book has: the mark is the index."""


@scenario(paths=tuple(product((25, -25), repeat=3)))
def two_accounts_against_the_backstop(attack: bool, seed: int, path: Sequence[int]) -> Play:
    """One of two accounts fails gently into the backstop; the other gains what that loses, or loses what that gains."""
    return play_two_accounts(attack, seed, path, 1_900_000)


@scenario(paths=tuple(product((25, -25), repeat=3)))
def two_accounts_of_the_cap_s_size(attack: bool, seed: int, path: Sequence[int]) -> Play:
    """The same with so little that the backstop may take over all that fails, and the other half keeps its position."""
    return play_two_accounts(attack, seed, path, 25_000)


@scenario(paths=((77,), (-77,)))
def two_accounts_and_a_jump(attack: bool, seed: int, path: Sequence[int]) -> Play:
    """The same, and then a move beyond all margins at once: what half owes then, the other half has gained."""
    return play_two_accounts(attack, seed, path, 25_000)


def play_two_accounts(attack: bool, seed: int, path: Sequence[int], lots: int) -> Play:
    """One of the attacker's accounts is short `lots` and fails at 102,200; then the price goes on by thousandths."""
    money = {"stakers": [2 * 10**6 * USD], "attacker": [10**7 * USD, 10**7 * USD]}
    play = Play.open(money, impact=THIN, seed=seed)
    (staker,), (short, long) = play.accounts("stakers"), play.accounts("attacker")
    play.exchange.stake(staker, 10**6 * USD)
    if attack:
        play.trade(long, short, PRICE, lots)
        play.withdraw_but(short, lot_value(lots) * 50_100 // PPM + USD)
    play.pass_time(70)
    thousandths = 1_022
    for move in (0, 0, *path):
        thousandths += move
        play.prices[1] = PRICE * thousandths // 1_000
        held = abs(play.size(BACKSTOP))
        play.pass_time(30)
        play.check(abs(play.size(BACKSTOP)) <= max(held, count_cap(play)), "the backstop took over more than its cap")
    return play


def count_cap(play: Play) -> int:
    """Lots that the backstop may hold in the market, at its equity and the mark of now."""
    market = play.market()
    return play.equity(BACKSTOP) * market.backstop_cap // (PPM * market.mark * market.unit)


@scenario()
def dust_in_the_backstop_s_places(attack: bool, seed: int) -> Play:
    """Positions of a lot in eight markets fail into the backstop; then a real one needs it in a ninth."""
    lots = 2_000
    money = {
        "stakers": [2 * 10**6 * USD],
        "traders": [10**6 * USD] * 2,
        "attacker": [1_000 * USD] * 16,
    }
    play = Play.open(money, markets=9, reports=30, cranks=False, impact=THIN, seed=seed)
    (staker,), (long, short) = play.accounts("stakers"), play.accounts("traders")
    play.exchange.stake(staker, 10**6 * USD)
    play.trade(long, short, PRICE, lots, market=9)
    play.withdraw_but(long, lot_value(lots) * 50_100 // PPM)
    owned = play.accounts("attacker")
    for market in range(1, 9):
        if attack:
            failing, other = owned[market - 1], owned[market + 7]
            play.trade(failing, other, PRICE, 1, market=market)
            play.withdraw_but(failing, lot_value(1) * 50_100 // PPM + USD)
    play.exchange.wait(70)
    play.prices = dict.fromkeys(range(1, 9), PRICE * 93 // 100) | {9: PRICE * 97 // 100}
    for _ in range(2):
        for market in play.prices:
            play.report(market=market)
        play.exchange.wait(LIQUIDATION_PAUSE)
    play.check(play.size(BACKSTOP, 9) > 0, "the backstop could not take over a real position")
    return play


@scenario()
def just_in_time_stake(attack: bool, seed: int) -> Play:
    """Stake in the record before a takeover that everybody can see coming, leave in the record after it."""
    lots = 40_000
    money = {"stakers": [10**6 * USD], "traders": [10**6 * USD] * 2, "attacker": [10**6 * USD]}
    play = Play.open(money, impact=THIN, seed=seed)
    (staker,), (long, short), (purse,) = (play.accounts(role) for role in ("stakers", "traders", "attacker"))
    play.exchange.stake(staker, 10**5 * USD)
    play.trade(long, short, PRICE, lots)
    play.withdraw_but(long, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    play.prices[1] = PRICE * 97 // 100
    play.exchange.wait(1)
    play.report()
    play.exchange.wait(LIQUIDATION_PAUSE)
    if attack:
        play.exchange.take(play.pen.backstop_deposit(purse, 900_000 * USD))
    play.report()
    if attack:
        play.exchange.take(play.pen.backstop_withdraw(purse, play.exchange.account(purse).shares))
    play.pass_time(60)
    return play


@scenario()
def leave_before_a_loss(attack: bool, seed: int) -> Play:
    """Half of the backstop asks for its money when the price begins to fall under a position that was taken over."""
    lots = 1_900_000
    money = {"stakers": [10**6 * USD], "traders": [10**7 * USD] * 2, "attacker": [10**6 * USD]}
    play = Play.open(money, impact=THIN, seed=seed)
    (staker,), (long, short), (purse,) = (play.accounts(role) for role in ("stakers", "traders", "attacker"))
    for account in (staker, purse):
        play.exchange.stake(account, 500_000 * USD)
    play.trade(long, short, PRICE, lots)
    play.withdraw_but(long, lot_value(lots) * 50_100 // PPM)
    play.pass_time(70)
    for thousandths in (959, 940, 920, 901):
        play.prices[1] = PRICE * thousandths // 1_000
        play.pass_time(30)
        if attack and thousandths == 959:
            shares = play.exchange.account(purse).shares
            play.check(play.exchange.take(play.pen.backstop_withdraw(purse, shares)) == "accepted", "could not ask")
    return play


@scenario()
def shares_at_a_price_of_noon(attack: bool, seed: int) -> Play:
    """Half of the backstop asks for its money; the operator leaves reports out until what it holds has fallen, and then
    lets noon's in, which were forced, so as to be paid by them.
    """
    money = {"stakers": [10**6 * USD], "traders": [10**7 * USD] * 2, "attacker": [10**6 * USD]}
    play = Play.open(money, reports=HOUR, cranks=False, impact=THIN, seed=seed)
    (staker,), (long, short), (purse,) = (play.accounts(role) for role in ("stakers", "traders", "attacker"))
    for account in (staker, purse):
        play.exchange.stake(account, 500_000 * USD)
    play.trade(long, short, PRICE, 25_000)
    play.withdraw_but(long, lot_value(25_000) * 50_100 // PPM)
    signers = list(play.agents)
    noon = play.exchange.time + BACKSTOP_DELAY - HOUR
    for percent, wait in ((96, 70), (104, noon - play.exchange.time - 70), (97, 2 * HOUR)):
        play.exchange.wait(wait)
        play.prices[1] = PRICE * percent // 100
        if percent == 96 or not attack:
            for signer in signers:
                play.act(signer)
        if attack and percent == 96:
            play.check(play.size(BACKSTOP) > 0, "the backstop holds nothing: the attack is none")
            play.exchange.take(play.pen.backstop_withdraw(purse, play.exchange.account(purse).shares))
    if attack:
        for number in range(len(signers)):
            report = play.pen.report(number, PRICE * 104 // 100, time=noon)
            play.exchange.take(report, is_message=True, queued_at=noon)
        play.check(play.market().index > PRICE, "noon's reports were not taken: the attack is none")
        play.exchange.take(play.pen.crank(0))
        play.check(play.exchange.account(purse).collateral < 600_000 * USD, "shares were paid by a price of noon")
    play.pass_time(HOUR + 60)
    return play


@scenario()
def worthless_shares(attack: bool, seed: int) -> Play:
    """Bring an almost empty backstop to nothing, with shares outstanding, so that nobody can stake any more."""
    money = {"stakers": [10**6 * USD], "attacker": [1_000 * USD] * 3}
    play = Play.open(money, impact=THIN, seed=seed)
    (staker,), (long, short, purse) = play.accounts("stakers"), play.accounts("attacker")
    if attack:
        play.exchange.stake(purse, USD // 2)
        play.trade(long, short, PRICE, 1)
        play.withdraw_but(long, lot_value(1) * 50_100 // PPM + USD)
    for percent in (95, 93, 91, 89, 87, 86):
        play.prices[1] = PRICE * percent // 100
        play.pass_time(70)
    play.exchange.stake(staker, 10**6 * USD - 1)
    play.check(play.exchange.account(staker).shares > 0, "a stake of a million dollars came to nothing")
    return play
