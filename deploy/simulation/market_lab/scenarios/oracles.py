"""Attacks on the index: false signers, and reports that do not arrive."""

from __future__ import annotations

from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import BUY, IOC
from setoff.shared.rules.phases import ORACLE_DEATH
from setoff.shared.state.keys import MAX_TICK

LOTS = 40_000
FALSE = 3
"""Number of the false signer."""


@scenario()
def one_false_signer(attack: bool, seed: int) -> Play:
    """One of four signers says anything, the operator leaves an honest one out; a victim is near its limit, and who
    is on the other side is the attacker.
    """
    money = {"victim": [10**6 * USD], "makers": [10**7 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, honest=2 if attack else 3, noise=100, seed=seed)
    (victim,), (maker,), (long,) = (play.accounts(role) for role in ("victim", "makers", "attacker"))
    play.join(Maker(maker, 20, lots=5_000))
    play.trade(long, victim, PRICE, LOTS)
    for account in (victim, long):
        play.withdraw_but(account, lot_value(LOTS) * 51_000 // PPM)
    for lie in (1, MAX_TICK, PRICE * 9 // 10, PRICE * 11 // 10, PRICE - 5, PRICE + 5) * 2:
        play.pass_time(20)
        if attack:
            play.exchange.take(play.pen.report(FALSE, lie))
    play.pass_time(60)
    return play


@scenario(
    limit_usd=13_000, stated="section 8, REPORT: with a quorum of 2f, f reports that agree outvote nobody but choose"
)
def half_a_quorum(attack: bool, seed: int) -> Play:
    """Two of a quorum of four hold the index where it was, and trade with who quotes around it."""
    money = {"makers": [10**7 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, quorum=4, honest=2, seed=seed)
    (maker,), (trader,) = play.accounts("makers"), play.accounts("attacker")
    play.join(Maker(maker, 10, lots=LOTS, levels=1))
    for step in range(12):
        for number in (2, FALSE):
            play.exchange.take(play.pen.report(number, PRICE if attack and step > 5 else play.prices[1]))
        play.pass_time(20)
        if step == 6:
            play.prices[1] = PRICE * 103 // 100
    if attack:
        play.order(trader, BUY, PRICE * 1_001 // 1_000, LOTS, flags=IOC, order_slot=0)
    play.pass_time(60)
    return play


@scenario()
def silenced_reports(attack: bool, seed: int) -> Play:
    """The operator leaves all reports of a market out for a week, so that it is settled at an old index; signers force
    theirs, a day late.
    """
    money = {"holder": [10**6 * USD], "attacker": [10**6 * USD]}
    play = Play.open(money, reports=3600, cranks=False, max_age=60, seed=seed)
    (holder,), (short,) = play.accounts("holder"), play.accounts("attacker")
    play.trade(holder, short, PRICE, LOTS)
    signers = list(play.agents)
    for hour in range(ORACLE_DEATH // 3600 + 3):
        play.prices[1] = PRICE + PRICE * min(hour, 100) // 500
        if attack:
            play.exchange.wait(3600)
            if hour >= 24 and hour % 6 == 0:
                _force_day_old_reports(play, PRICE + PRICE * min(hour - 24, 100) // 500)
        else:
            play.exchange.wait(3600)
            for signer in signers:
                play.act(signer)
        play.crank()
    return play


def _force_day_old_reports(play: Play, price: int) -> None:
    """What the signers sent to the queue a day ago."""
    then = play.exchange.time - 86_400
    for number in range(3):
        play.exchange.take(play.pen.report(number, price, time=then), is_message=True, queued_at=then)
