"""A play: agents take their turns while time passes, and a script puts in between what an attacker does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.agents.services import Cranker, OracleSigner
from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.terms import PRICE
from setoff.deploy.simulation.market_lab.view import View
from setoff.deploy.simulation.market_lab.wealth import compute_equity, compute_marks
from setoff.shared.codec import records
from setoff.shared.state.leaves import Market

ATTACKER = "attacker"
"""The role whose gain is counted."""


class Play:
    """An exchange, its agents, and accounts by role. `prices`: what each market's thing trades at elsewhere, ticks."""

    def __init__(self, exchange: Exchange, roles: Mapping[str, Sequence[int]], prices: dict[int, int]) -> None:
        self.exchange = exchange
        self.roles = roles
        self.prices = prices
        self.agents: list[Agent] = []
        self.breaches: list[str] = []
        """Harm that is no money: sentences."""
        self._due: dict[Agent, int] = {}

    @classmethod
    def open(
        cls,
        money: Mapping[str, Sequence[int]],
        *,
        markets: int = 1,
        price: int = PRICE,
        signers: int = 4,
        quorum: int = 3,
        honest: int = 3,
        noise: int = 0,
        seed: int = 0,
        max_age: int = 60,
        freshness: int = 60,
        reports: int = 20,
        cranks: bool = True,
        backstop_delay: int | None = None,
        **terms: Any,
    ) -> Self:
        """An exchange with these roles (deposits in token units, an account each), honest signers who report every
        `reports` seconds, and a cranker. A report is good for `max_age` seconds, an index for `freshness`;
            a request of the backstop waits `backstop_delay` seconds, by default mainnet's.
        """
        roles: dict[str, list[int]] = {}
        deposits: dict[int, int] = {}
        for role, amounts in money.items():
            roles[role] = [len(deposits) + 1 + number for number in range(len(amounts))]
            deposits.update(zip(roles[role], amounts, strict=True))
        exchange = Exchange.open(
            deposits,
            markets=markets,
            signers=signers,
            quorum=quorum,
            price=price,
            terms=terms | {"max_age": freshness},
            max_age=max_age,
            backstop_delay=backstop_delay,
        )
        play = cls(exchange, roles, dict.fromkeys(range(1, markets + 1), price))
        for market in range(1, markets + 1):
            for number in range(honest):
                play.join(OracleSigner(number, reports, noise=noise, market=market, seed=str(seed)))
            if cranks:
                play.join(Cranker(max(60, reports), market=market))
        return play

    # --- time --------------------------------------------------------------------------------------------------------

    def join(self, *agents: Agent) -> None:
        """Agents that take turns from now on."""
        for agent in agents:
            self.agents.append(agent)
            self._due[agent] = self.exchange.time + agent.delay

    def leave(self, *agents: Agent) -> None:
        """Agents that take no more turns."""
        for agent in agents:
            self.agents.remove(agent)
            del self._due[agent]

    def pass_time(self, seconds: int, path: Callable[[int], int] | None = None) -> None:
        """Let everybody take turns; `path`: the price of market 1, by seconds since now."""
        began = self.exchange.time
        while True:
            now = max(self.exchange.time, min(self._due.values(), default=began + seconds))
            if now >= began + seconds:
                break
            self._go_to(now, path, began)
            for agent in [agent for agent in self.agents if self._due[agent] <= now]:
                self._due[agent] = now + agent.every
                self.act(agent)
        self._go_to(began + seconds, path, began)

    def act(self, agent: Agent) -> None:
        """One agent's turn, now."""
        self.send(agent.act(View(self.exchange, self.prices[agent.market], agent.market), self.pen))

    def _go_to(self, time: int, path: Callable[[int], int] | None, began: int) -> None:
        if path:
            self.prices[1] = path(time - began)
        if time > self.exchange.time:
            self.exchange.wait(time - self.exchange.time)

    def send(self, bodies: Iterable[bytes]) -> None:
        """Records one after the other, each made when the one before it is done."""
        for body in bodies:
            self.exchange.take(body)

    # --- what a script does ------------------------------------------------------------------------------------------

    @property
    def pen(self) -> Pen:
        """Everybody's."""
        return self.exchange.pen

    def accounts(self, role: str) -> Sequence[int]:
        """Of a role."""
        return self.roles[role]

    def order(self, account: int, side: int, price: int, size: int, **fields: int) -> str:
        """An order; its outcome."""
        return self.exchange.take(self.pen.order(account, side, price, size, **fields))

    def trade(self, buyer: int, seller: int, price: int, size: int, market: int = 1) -> None:
        """Two accounts trade with each other, if nobody stands between them."""
        self.order(seller, records.SELL, price, size, market=market, order_slot=200)
        self.order(buyer, records.BUY, price, size, market=market, order_slot=200, flags=records.IOC)

    def cancel_all(self, *accounts: int) -> None:
        """All orders of these."""
        self.send(self.pen.cancel_all(account) for account in accounts)

    def withdraw_but(self, account: int, kept: int) -> None:
        """Take all out of an account but `kept` token units of equity at the marks."""
        free = self.equity(account) - kept
        if free > 0:
            self.exchange.take(self.pen.withdraw(account, free))

    def report(self, *prices: int, market: int = 1) -> list[str]:
        """The honest signers report now: what they see, or these prices."""
        seen = prices or (self.prices[market],) * sum(
            isinstance(agent, OracleSigner) and agent.market == market for agent in self.agents
        )
        return self.exchange.report(seen, market)

    def crank(self, market: int = 1) -> str:
        """A crank; its outcome."""
        return self.exchange.take(self.pen.crank(market))

    def market(self, market: int = 1) -> Market:
        """The market's leaf."""
        return self.exchange.market(market)

    def size(self, account: int, market: int = 1) -> int:
        """Lots held, signed."""
        return self.exchange.position(account, market).size

    def equity(self, account: int) -> int:
        """At the marks, token units."""
        return compute_equity(self.exchange.machine, account, compute_marks(self.exchange.machine))

    def check(self, held: bool, sentence: str) -> None:
        """Something that has to hold beside money."""
        if not held:
            self.breaches.append(sentence)
