"""Attacks on who may leave: come first, make way through other accounts, keep the others in."""

from __future__ import annotations

from itertools import pairwise

from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenario import scenario
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec.integers import PPM
from setoff.shared.machine.exits import find_exit
from setoff.shared.params import MAX_SKEW
from setoff.shared.rules.phases import EXIT_HOURS, HOUR, LIQUIDATION_PAUSE

THIN = 2**31
"""An impact that no book has: the mark is the index."""
LEAVERS = 4


def open_exits(seed: int, lots: int, **money: list[int]) -> Play:
    """A trader just above its margin on so many lots, a backstop, traders who only want out, and the attackers."""
    given = {"stakers": [2 * 10**6 * USD], "traders": [10**6 * USD] * 2, **money}
    play = Play.open(given, reports=30, cranks=False, impact=THIN, seed=seed)
    (staker,), (long, short) = play.accounts("stakers"), play.accounts("traders")
    play.exchange.stake(staker, 10**6 * USD)
    if lots:
        fail(play, long, short, lots)
    return play


def fail(play: Play, long: int, short: int, lots: int) -> None:
    """One buys from the other, keeps just its margin, and is closed out in a fall that is gone after it."""
    play.report()
    play.trade(long, short, PRICE, lots)
    play.withdraw_but(long, lot_value(lots) * 50_100 // PPM + USD)
    play.exchange.wait(70)
    play.prices[1] = PRICE * 97 // 100
    for _ in range(3):
        play.report()
        play.exchange.wait(LIQUIDATION_PAUSE)
    play.prices[1] = PRICE


def leave(play: Play, account: int, part: int, *, is_forced: bool = False) -> bool:
    """Whether so many token units leave now."""
    record = play.pen.withdraw(account, part)
    taken = play.exchange.force(account, record) if is_forced else play.exchange.take(record)
    return taken == "accepted"


def check_leaves(play: Play, account: int, queued_at: int) -> None:
    """Whoever has forced a million out, at that time, gets it when its turn comes: now."""
    body = play.pen.force(account, play.pen.withdraw(account, 10**6 * USD))
    outcome = play.exchange.take(body, is_message=True, queued_at=queued_at)
    play.check(outcome == "accepted", f"{account} was kept in: {outcome}")


@scenario()
def first_in_every_hour(attack: bool, seed: int) -> Play:
    """Who has 40 % of the money takes all it may first in every hour of a limit; the others force theirs after it."""
    play = open_exits(seed, 40_000, leavers=[10**6 * USD] * LEAVERS, attacker=[5 * 10**6 * USD])
    (purse,), leavers = play.accounts("attacker"), play.accounts("leavers")
    machine = play.exchange.machine
    play.check(machine.regs.limited_since > 0, "a takeover of 400,000 dollars limits nothing")
    for hour in range(1, EXIT_HOURS + 1):
        if attack:
            leave(play, purse, find_exit(machine, purse, play.exchange.time).now)
        for account in leavers:
            part = 10**6 * USD * hour // EXIT_HOURS - 10**6 * USD * (hour - 1) // EXIT_HOURS
            play.check(leave(play, account, part, is_forced=True), f"{account} was kept in, in hour {hour}")
        play.exchange.wait(HOUR)
    return play


@scenario()
def dust_against_all_exits(attack: bool, seed: int) -> Play:
    """A lot fails into the backstop, so that nobody may take more than a part out."""
    play = open_exits(seed, 0, leavers=[10**6 * USD] * LEAVERS, attacker=[10**5 * USD] * 2)
    long, short = play.accounts("attacker")
    if attack:
        fail(play, long, short, 20)
    for account in play.accounts("leavers"):
        play.check(leave(play, account, 10**6 * USD), f"{account} was kept in by dust")
    return play


@scenario()
def a_row_of_owners(attack: bool, seed: int) -> Play:
    """What may not leave one account yet is transferred to the next, which takes its own part out, and so on."""
    money = 10**6 * USD
    play = open_exits(seed, 40_000, attacker=[money, *[10 * USD] * 30])
    owners, machine = play.accounts("attacker"), play.exchange.machine
    if attack:
        for payer, payee in pairwise(owners):
            leave(play, payer, find_exit(machine, payer, play.exchange.time).now // 2)
            free = play.equity(payer)
            for part in (free, free // 2, find_exit(machine, payer, play.exchange.time).now):
                if part and play.exchange.take(play.pen.transfer(payer, payee, part)) == "accepted":
                    break
        gone = sum(play.exchange.withdrawn[account] for account in owners)
        play.check(gone <= (money + 30 * 10 * USD) // EXIT_HOURS, f"{gone} left in the first hour")
    return play


@scenario()
def limits_for_ever(attack: bool, seed: int) -> Play:
    """Again and again just as much fails as begins a limit, before each forced withdrawal that stood in the queue."""
    play = open_exits(seed, 0, leavers=[10**6 * USD] * LEAVERS, attacker=[1_000 * USD] * 2 * LEAVERS)
    exchange, owned = play.exchange, iter(play.accounts("attacker"))
    for account in play.accounts("leavers"):
        queued_at = exchange.time
        exchange.wait(HOUR)
        if attack:
            before = exchange.machine.regs.limited_since
            fail(play, next(owned), next(owned), 200)
            play.check(exchange.machine.regs.limited_since > before, "no limit began: the attack is none")
        check_leaves(play, account, queued_at)
        exchange.wait(EXIT_HOURS * HOUR)
    return play


@scenario()
def a_draw_dated_before(attack: bool, seed: int) -> Play:
    """An operator sees a forced withdrawal in the queue, and has an account fail in a batch dated before it."""
    play = open_exits(seed, 0, leavers=[10**6 * USD] * LEAVERS, attacker=[1_000 * USD] * 2 * LEAVERS)
    exchange, owned = play.exchange, iter(play.accounts("attacker"))
    for account in play.accounts("leavers"):
        queued_at = exchange.time + MAX_SKEW - 1
        if attack:
            fail(play, next(owned), next(owned), 200)
            began_at = exchange.machine.regs.limited_since
            play.check(began_at < queued_at, "no limit began before it was queued: the attack is none")
            queued_at = began_at + MAX_SKEW - 1
        exchange.wait(MAX_SKEW)
        check_leaves(play, account, queued_at)
        exchange.wait(EXIT_HOURS * HOUR)
    return play
