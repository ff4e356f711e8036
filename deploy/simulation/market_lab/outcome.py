"""Two plays side by side, with the attack and without it: what the attackers gained by it, and who lost it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from setoff.deploy.simulation.market_lab.play import ATTACKER, Play
from setoff.deploy.simulation.market_lab.terms import FORCE_COST
from setoff.deploy.simulation.market_lab.wealth import Prices, compute_wealth, count_shared


@dataclass(frozen=True)
class Outcome:
    """Token units. `profit`: the attackers', after fees, funding and gas; `takings`: what each role has more (less than
    nothing: lost) than without the attack; `breaches`: harm that is no money; `parts`: the outcomes that it is the mean
    of, none if it is one itself.
    """

    profit: int
    gas: int
    takings: dict[str, int]
    breaches: list[str] = field(default_factory=list)
    parts: tuple[Outcome, ...] = ()

    def find_losers(self) -> dict[str, int]:
        """Who lost how much, the most first."""
        lost = {role: -change for role, change in self.takings.items() if change < 0}
        return dict(sorted(lost.items(), key=lambda item: -item[1]))


def compare(attacked: Play, quiet: Play) -> Outcome:
    """What the attack changed, everything at the true prices at the end of the attacked play."""
    prices = attacked.prices
    after, before = count_wealth(attacked, prices), count_wealth(quiet, prices)
    takings = {role: after[role] - before[role] for role in after if role != ATTACKER}
    gas = count_gas(attacked) - count_gas(quiet)
    return Outcome(after[ATTACKER] - before[ATTACKER] - gas, gas, takings, attacked.breaches)


def average(outcomes: Sequence[Outcome]) -> Outcome:
    """What an attack is worth that may come to each of these, all equally likely."""
    first, count = outcomes[0], len(outcomes)
    return Outcome(
        sum(each.profit for each in outcomes) // count,
        sum(each.gas for each in outcomes) // count,
        {role: sum(each.takings[role] for each in outcomes) // count for role in first.takings},
        [breach for each in outcomes for breach in each.breaches],
        tuple(outcomes),
    )


def count_wealth(play: Play, prices: Prices) -> dict[str, int]:
    """What every role has gained since its deposits; together nothing, to the unit.

    Attackers leave accounts behind that owe more than they hold: what these owe stands under "debts".
    """
    accounts = [account for role in play.roles.values() for account in role]
    gains: dict[str, int] = {}
    debts = 0
    for role, owned in play.roles.items():
        worths = [compute_wealth(play.exchange, account, prices) for account in owned]
        if role == ATTACKER:
            owed = [min(0, left_inside(play, account, prices)) for account in owned]
            debts = sum(owed)
            worths = [worth - debt for worth, debt in zip(worths, owed, strict=True)]
        gains[role] = sum(worths)
    gains["debts"] = debts
    gains |= count_shared(play.exchange, accounts, prices)
    total = sum(gains.values())
    if total:
        raise AssertionError(f"{total} token units were made of nothing")
    return gains


def left_inside(play: Play, account: int, prices: Prices) -> int:
    """What an account has in the exchange; below zero, what it owes."""
    exchange = play.exchange
    return compute_wealth(exchange, account, prices) - exchange.withdrawn[account] + exchange.deposited[account]


def count_gas(play: Play) -> int:
    """What the attackers' forced records cost, token units."""
    return sum(play.exchange.forced[account] for account in play.roles[ATTACKER]) * FORCE_COST
