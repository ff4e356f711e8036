"""What all parts of a gateway share: the exchange, its assets, the account, and what is known of orders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from setoff.shared.errors import ConfigError, SetoffError
from setoff.shared.gateway.assets import Check, Universe
from setoff.shared.gateway.exchange_client import ExchangeClient
from setoff.shared.gateway.order_ids import Cloids
from setoff.shared.gateway.orders.actions import Actions
from setoff.shared.gateway.orders.desk import Clock, Desk
from setoff.shared.gateway.orders.leverage import Leverages
from setoff.shared.gateway.parties import Parties, Party
from setoff.shared.gateway.signature import Bot
from setoff.shared.gateway.views.fills import FillBook
from setoff.shared.gateway.views.market_views import MarketViews
from setoff.shared.gateway.views.order_views import OrderViews
from setoff.shared.sdk import Refusal, SetoffClient

FILL_BOOKS: Final = 16
"""Accounts whose fills are kept in memory."""


class House:
    """One gateway: made by `open_house`."""

    def __init__(
        self,
        client: ExchangeClient,
        parties: Parties,
        agent: str,
        bot: Bot,
        folder: Path | None,
        check: Check | None = None,
        clock: Clock | None = None,
        known_as: tuple[int, int] = (0, 0),
    ) -> None:
        """`client`: open, with the agent's key; `agent`: its address; `folder`: where cloids and leverages are kept;
        `check`: see `Universe`; `clock`: see `Desk`, by default the exchange's; `known_as`: numbers of account and
        agent there."""
        self.client = client
        self.parties = parties
        self.agent = agent
        self.bot = bot
        self.universe = Universe(client, check)
        self.cloids = Cloids(None if folder is None else folder / "cloids")
        self.markets = MarketViews(client, self.universe)
        self.orders = OrderViews(self.universe, self.cloids)
        self.known_as = known_as
        self._folder = folder
        self._clock = clock or client.now
        self._desks: dict[int, Desk] = {}
        self._books: dict[str, FillBook] = {}

    def desk(self, sub: int) -> Desk:
        """The orders of a sub-account of ours."""
        if sub not in self._desks:
            name = self.parties.find("0x" + self.parties.owner.hex()).name.partition(".")[0]
            file = None if self._folder is None else self._folder / f"leverage-{sub}.json"
            own = self.client.at(sub)
            self._desks[sub] = Desk(own, f"{name}.{sub}" if sub else name, self.universe, Leverages(file), self._clock)
        return self._desks[sub]

    def actions(self, sub: int) -> Actions:
        """What a bot can do as a sub-account of ours."""
        return Actions(self.universe, self.cloids, self.desk(sub))

    def leverages(self, party: Party) -> Leverages | None:
        """Those that were chosen for an account of ours; None for another's."""
        return None if party.sub is None else self.desk(party.sub).leverages

    def fills(self, party: Party) -> FillBook:
        """An account's."""
        if party.name not in self._books:
            if len(self._books) >= FILL_BOOKS:
                del self._books[next(iter(self._books))]
            self._books[party.name] = FillBook(self.client, party.name, party.address, self.universe, self.cloids)
        return self._books[party.name]

    async def find_change(self) -> str:
        """What shows that the exchange is another one than this house was opened for, "" for nothing.

        Raises Unavailable, DataError.
        """
        change = await self.client.find_other_domain()
        if not change:
            try:
                owner = "0x" + self.parties.owner.hex()
                _, number, agent = await find_agent(self.client, owner, bytes.fromhex(self.agent[2:]))
                if (number, agent) != self.known_as:
                    change = f"account {self.known_as[0]} with agent {self.known_as[1]} is {number} with {agent} there"
            except (ConfigError, Refusal) as error:
                change = str(error)
        if not change:
            await self.universe.load()
        return change

    async def account(self, party: Party) -> Mapping[str, Any] | None:
        """What the exchange shows of an account, None where there is none. Raises Refusal, Unavailable."""
        try:
            return await self.client.account(party.name)
        except SetoffError as error:
            if error.reason in ("not_found", "unknown_account"):
                return None
            raise


async def find_agent(client: SetoffClient, account: str, key: bytes) -> tuple[bytes, int, int]:
    """The owner's address (20 bytes) of an account, its number, and that of the agent whose address is `key`.

    Raises ConfigError where it has no such agent, or the key is the owner's own; Refusal, Unavailable.
    """
    shown = await client.account(account)
    owner = bytes.fromhex(str(shown["owner"]).removeprefix("0x"))
    if owner == key:
        text = "key: it is the owner's, and could withdraw; name an agent (setoff agent set), and give its key"
        raise ConfigError("bad_config", text)
    for agent in shown["agents"]:
        if bytes.fromhex(str(agent["key"]).removeprefix("0x")) == key:
            return owner, int(shown["master"]), int(agent["agent"])
    text = f"key: 0x{key.hex()} is no agent of account {shown['account']} now; its owner names it by setoff agent set"
    raise ConfigError("bad_config", text)
