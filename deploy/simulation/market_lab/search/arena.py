"""Where the search plays: passive accounts with quotes, positions and a stake, in one state that every try copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from setoff.deploy.simulation.market_lab.agents.makers import Maker
from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.play import ATTACKER, Play
from setoff.deploy.simulation.market_lab.scenarios.premium import pass_minutes
from setoff.deploy.simulation.market_lab.terms import PRICE, USD, lot_value
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.errors import ConfigError
from setoff.shared.state import keys

DELAY: Final = 120
"""Seconds that requests of the backstop wait: short, so that a try sees some settled."""
MONEY: Final = 100_000 * USD
"""Of each attacker."""
HONEST: Final = 3
FALSE: Final = 3
"""Number of the false signer."""
LOTS: Final = 20_000
"""Of each passive position: 200,000 dollars."""
SETTLING: Final = 3
"""Minutes after the last move in which the honest go on, so that what is owed shows."""

Weather = Callable[[int], int]
"""How far the true price has moved, parts per million, by seconds since the start."""


def _flat(seconds: int) -> int:
    return 0


def _jump(seconds: int) -> int:
    """2.5 % at once, after the first minute: leveraged accounts fail, and have something left."""
    return 0 if seconds < 60 else 25_000


def _gap(seconds: int) -> int:
    """7 %: they owe then."""
    return 0 if seconds < 60 else 70_000


WEATHERS: Final[dict[str, Weather]] = {"flat": _flat, "jump": _jump, "gap": _gap, "empty": _flat, "wide": _flat}
"""By name; in the empty one nobody but attackers quotes, in the wide one makers do so beyond a taker's fee. A price
that moves goes up or down, one as likely as the other, and at once: neither a bet on it nor going with it gains
anything.
"""
SPREAD: Final = 300
"""Parts per million that the makers' levels lie apart; less than a taker's fee."""
WIDE: Final = 1_500


@dataclass(frozen=True)
class Arena:
    """The state before any move, and who is in it; token units, ticks."""

    weather: str
    exchange: Exchange
    attackers: tuple[int, ...]
    passive: Mapping[str, int]
    makers: tuple[int, ...]
    arbitrageur: int
    terms: Mapping[str, Any] = field(default_factory=dict)
    quorum: int = HONEST
    spread: int = SPREAD
    quiet: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """What each passive account is worth at the end if no attacker does anything, by the direction."""

    @property
    def directions(self) -> tuple[int, ...]:
        """Those in which the price may move."""
        return (1, -1) if WEATHERS[self.weather](3600) else (1,)

    def get_price(self, seconds: int, direction: int) -> int:
        """The true price, so many seconds after the start."""
        return PRICE + direction * PRICE * WEATHERS[self.weather](seconds) // PPM


def open_arena(weather: str = "flat", *, quorum: int = HONEST, **terms: Any) -> Arena:
    """Two makers, a long and a short near their limits, another pair that is safe and has a stop, a staker, an
    arbitrageur; and the attackers, who have money and nothing else.
    """
    if weather not in WEATHERS:
        raise ConfigError("bad_config", f"there is no weather {weather}")
    money = {
        "makers": [10**7 * USD] * 2,
        "long": [10**6 * USD],
        "short": [10**6 * USD],
        "safe long": [10**6 * USD],
        "safe short": [10**6 * USD],
        "staker": [10**6 * USD],
        "arbitrageur": [10**7 * USD],
        ATTACKER: [MONEY] * 3,
    }
    play = Play.open(money, quorum=quorum, honest=HONEST, cranks=False, backstop_delay=DELAY, **terms)
    names = ("long", "short", "safe long", "safe short", "staker", "arbitrageur")
    single = {name: play.accounts(name)[0] for name in names}
    long, short, safe_long, safe_short, staker, arbitrageur = single.values()
    play.exchange.stake(staker, 200_000 * USD)
    play.trade(long, short, PRICE, LOTS)
    play.trade(safe_long, safe_short, PRICE, LOTS)
    for account in (long, short):
        play.withdraw_but(account, lot_value(LOTS) * 52_000 // PPM)
    stop = PRICE * 97 // 100
    flags = records.BELOW | records.REDUCE_ONLY | records.IOC
    play.order(safe_long, records.SELL, 1, LOTS // 2, flags=flags, trigger=stop, order_slot=0)
    spread = WIDE if weather == "wide" else SPREAD
    for account in play.accounts("makers"):
        play.join(make_maker(account, spread))
    pass_minutes(play, 5)
    play.report()
    owned = play.accounts(ATTACKER)
    makers = play.accounts("makers")
    if weather == "empty":
        play.cancel_all(*makers)
    play.exchange.machine.hash()
    return Arena(
        weather,
        play.exchange,
        (*owned, keys.sub_account(owned[0], 1)),
        single | {f"maker {number + 1}": account for number, account in enumerate(makers)},
        () if weather == "empty" else tuple(makers),
        arbitrageur,
        terms,
        quorum,
        spread,
    )


def make_maker(account: int, spread: int) -> Maker:
    """One of those who quote."""
    return Maker(account, 60, lots=5_000, levels=2, spread=spread)
