"""What everybody does on a bad day, made of its prices alone: the same records, whatever the rules that they meet.

Nobody in here looks at the exchange. So one flow can be played on two sets of rules, and what differs afterwards is the
rules' doing. Actions are words and numbers, which each set of rules encodes in its own format of records.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from setoff.deploy.simulation.market_lab.terms import BITCOIN, USD
from setoff.shared.codec.integers import PPM

TICKS: Final = 10
"""Ticks a dollar: a lot is a thousandth of a bitcoin then."""
SIGNERS: Final = 4
QUORUM: Final = 3
STAKED: Final = 50_000 * USD
"""Token units in the backstop at the beginning."""
SQUEEZED: Final = 16
"""How many times what is in the backstop the squeezer's position is worth."""
LEVELS: Final = 4
"""Of a maker, a side."""
SPREAD: Final = 400
"""Ppm of the price between the middle and a maker's first level, and from each level to the next."""
LOTS: Final = 400
"""At each level of a maker in quiet times."""
MEMORY: Final = 24
"""Quotes that a maker looks back to see how the price moves."""
LEAN: Final = 5
"""One part in so many of that move is how far a maker quotes beyond the price, in its direction: in a fall a perpetual
trades below what it is on."""
MAX_LEAN: Final = 10_000
"""Ppm of the price: at most so far."""


class Quote(NamedTuple):
    """A maker's: side "BUY" or "SELL", price in ticks, lots."""

    side: str
    price: int
    size: int


class Action(NamedTuple):
    """A method of `Rules` and its arguments."""

    name: str
    arguments: tuple[Any, ...]


class Rules(Protocol):
    """A machine with some rules, as a flow meets it. Money in token units, prices in ticks, sizes in lots, seconds.

    Inputs that are refused are counted and passed over, but for those of the set-up.
    """

    def deposit(self, account: int, amount: int) -> None:
        """Money from L1."""

    def list_market(self, terms: Mapping[str, int]) -> None:
        """Market 1; terms that the rules do not know are left out."""

    def set_signer(self, number: int, quorum: int, max_age: int) -> None:
        """An oracle signer."""

    def stake(self, account: int, amount: int) -> None:
        """Money that is in the backstop already when the story begins."""

    def order(self, account: int, side: str, price: int, size: int, slot: int, flags: Sequence[str]) -> None:
        """An order; `flags` are names of flags."""

    def stop(self, account: int, price: int, limit: int, size: int) -> None:
        """Sell when the mark is at `price` or below, down to `limit`: closes only, and never rests."""

    def quote(self, account: int, quotes: Sequence[Quote]) -> None:
        """Cancel all orders, and offer these, none of which takes."""

    def withdraw(self, account: int, amount: int) -> None:
        """To L1."""

    def report(self, signer: int, price: int) -> None:
        """A signer's price, of now."""

    def crank(self) -> None:
        """Let time pass on the market."""

    def wait(self, seconds: int) -> None:
        """A new batch, later."""

    def look(self) -> None:
        """A moment that is drawn."""


@dataclass
class Flow:
    """roles: account numbers by who they are; looks: hours of the record and price (ticks) at each look; paid_in: token
    units by account, deposits less what is staked."""

    roles: dict[str, list[int]] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    looks: list[tuple[float, int]] = field(default_factory=list)
    paid_in: dict[int, int] = field(default_factory=dict)

    def add(self, name: str, *arguments: Any) -> None:
        """One more action."""
        self.actions.append(Action(name, arguments))

    def enter(self, role: str, amounts: Sequence[int]) -> list[int]:
        """Accounts of a role, with a deposit each; their numbers."""
        first = len(self.paid_in) + 1
        self.roles[role] = list(range(first, first + len(amounts)))
        for account, amount in zip(self.roles[role], amounts, strict=True):
            self.paid_in[account] = amount
            self.add("deposit", account, amount)
        return self.roles[role]

    def lines(self) -> Iterator[str]:
        """An action a line, as JSON."""
        for action in self.actions:
            yield json.dumps(action, separators=(",", ":"))

    def digest(self) -> str:
        """SHA-256 of the lines: two flows with the same are the same."""
        whole = hashlib.sha256()
        for line in self.lines():
            whole.update(line.encode() + b"\n")
        return whole.hexdigest()


@dataclass(frozen=True)
class Weather:
    """What kind of a day it is.

    every: seconds between two reports; points: reports from one price of the record to the next, a quarter of an hour
    later there; looks: prices from one look to the next; silence: the first price without reports, and the first one
    with them again; depth: part of the usual lots that makers offer, 0 for no makers; rises: those who sold have the
    high leverage, not those who bought; is_squeezed: somebody holds both sides of a position that is too large.
    """

    every: int = 15
    points: int = 1
    looks: int = 1
    silence: tuple[int, int] = (0, 0)
    depth: float = 1.0
    rises: bool = False
    is_squeezed: bool = False


def make_flow(prices: Sequence[int], weather: Weather, traders: int, seed: int = 1) -> Flow:
    """The whole day: `prices` in dollars, four an hour of the record; `traders` pairs of a long and a short.

    Numbers of accounts, draws and orders are the same with a squeezer and without, but for what the squeezer does.
    """
    flow, draw = Flow(), Random(seed)
    _open(flow, prices[0] * TICKS, weather, traders, draw)
    makers, takers = flow.roles.get("makers", []), flow.roles["takers"]
    seen: list[int] = []
    number = 0
    for position, (now, later) in enumerate(zip(prices, [*prices[1:], prices[-1]], strict=True)):
        is_silent = weather.silence[0] <= position < weather.silence[1]
        for point in range(weather.points):
            price = TICKS * now + TICKS * (later - now) * point // weather.points
            flow.add("wait", weather.every)
            if not is_silent:
                for signer in range(QUORUM):
                    flow.add("report", signer, price)
            if number * weather.every % 60 == 0:
                flow.add("crank")
            if point % 5 == 0:
                seen = [*seen[-MEMORY:], price]
                _quote(flow, makers, seen, weather.depth)
                _take(flow, takers, seen, draw)
            number += 1
        if position % weather.looks == weather.looks - 1:
            flow.looks.append((position / 4, price))
            flow.add("look")
    return flow


def _open(flow: Flow, price: int, weather: Weather, traders: int, draw: Random) -> None:
    """Listing and first price; pairs of different leverage, some longs with a stop; who stakes, and who squeezes."""
    money = [round(500 * draw.lognormvariate(0, 0.8) + 100) * USD for _ in range(2 * traders)]
    longs, shorts = flow.enter("longs", money[0::2]), flow.enter("shorts", money[1::2])
    (staker,) = flow.enter("staker", [STAKED])
    if weather.depth:
        flow.enter("makers", [10**6 * USD] * 4)
    flow.enter("takers", [50_000 * USD] * 6)
    squeezer = flow.enter("squeezer", [10**6 * USD] * 2) if weather.is_squeezed else []
    max_age = max(60, 2 * weather.every)
    flow.add("list_market", BITCOIN | {"max_age": max_age})
    for signer in range(SIGNERS):
        flow.add("set_signer", signer, QUORUM, max_age)
    for signer in range(QUORUM):
        flow.add("report", signer, price)
    flow.add("stake", staker, STAKED)
    flow.paid_in[staker] -= STAKED
    worth = price * int(BITCOIN["unit"])
    for long, short in zip(longs, shorts, strict=True):
        risky, calm = (short, long) if weather.rises else (long, short)
        lots = int(min(flow.paid_in[risky] * draw.uniform(3, 16), flow.paid_in[calm] * 9) / worth)
        stop = round(price * draw.uniform(0.9, 0.97)) if draw.random() < 0.1 else 0
        if lots:
            _trade(flow, long, short, price, lots)
            if stop and not weather.rises:
                flow.add("stop", long, stop, stop * 9 // 10, lots)
    if squeezer:
        lots = SQUEEZED * STAKED // worth
        _trade(flow, squeezer[0], squeezer[1], price, lots)
        for halvings in range(1, 15):  # all that its margin lets go, to less than a hundred dollars
            flow.add("withdraw", squeezer[1], flow.paid_in[squeezer[1]] >> halvings)


def _trade(flow: Flow, buyer: int, seller: int, price: int, lots: int) -> None:
    flow.add("order", seller, "SELL", price, lots, 200, [])
    flow.add("order", buyer, "BUY", price, lots, 200, ["IOC"])


def _quote(flow: Flow, makers: Sequence[int], seen: Sequence[int], depth: float) -> None:
    """Every maker quotes around the price outside; the less, the more it has moved of late."""
    price, moved = seen[-1], (max(seen) - min(seen)) / max(seen)
    most = price * MAX_LEAN // PPM
    middle = price + max(-most, min(most, (price - seen[0]) // LEAN))
    lots = max(1, round(LOTS * depth * max(0.02, 1 - 6 * moved)))
    for maker in makers:
        quotes = []
        for level in range(1, LEVELS + 1):
            away = max(1, price * SPREAD * level // PPM)
            quotes += [Quote("BUY", middle - away, lots), Quote("SELL", middle + away, lots)]
        flow.add("quote", maker, quotes)


def _take(flow: Flow, takers: Sequence[int], seen: Sequence[int], draw: Random) -> None:
    """One of the takers follows the price, or goes against it."""
    rises = seen[-1] >= seen[0] if draw.random() < 0.7 else draw.random() < 0.5
    taker, lots = draw.choice(takers), draw.randint(10, 120)
    limit = seen[-1] * (1_005 if rises else 995) // 1_000
    flow.add("order", taker, "BUY" if rises else "SELL", limit, lots, 0, ["IOC"])
