"""What an exchange shows, as the API's table (`wire/api/`) has it: itself, its markets, an account; and changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from setoff.shared.errors import ConfigError, SetoffError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bounded_answers import READ_BYTES, parse_message, reading
from setoff.shared.sdk.connection import TIMEOUT, Connection
from setoff.shared.sdk.figures import Balance
from setoff.shared.sdk.local_book import BookRequest
from setoff.shared.sdk.market_scales import MarketScales
from setoff.shared.sdk.signer import Signer
from setoff.shared.sdk.subscriptions import PACKED, subscribe
from setoff.shared.wire.api.channels import CHANNELS

if TYPE_CHECKING:  # the table of answers and what proves withdrawals are not needed to trade
    from setoff.shared.config.deployment_file import Deployment
    from setoff.shared.sdk.listed_units import ListedUnits
    from setoff.shared.wire.api.account_answers import Account, Backstop, Order
    from setoff.shared.wire.api.history_answers import Lookup, PastRecord
    from setoff.shared.wire.api.market_answers import Book
    from setoff.shared.wire.api.record_answers import Fill
    from setoff.shared.wire.api.risk_answers import Risk
    from setoff.shared.wire.api.service_answers import Batch, Info, Status
    from setoff.shared.wire.withdrawals import WithdrawalProof

HEARTBEAT: Final = 20.0
"""Seconds between pings of a stream; without an answer it ends."""


class Reads(Connection):
    """Asks for somebody: an owner, a sub-account of his, or an agent of another's account; or for nobody."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        account: int | str = "",
        sub: int = 0,
        over_socket: bool = False,
        deployment: Deployment | None = None,
        listed: ListedUnits | None = None,
    ) -> None:
        super().__init__(url, over_socket=over_socket)
        self._deployment = deployment
        self._listed = listed
        self._signer = signer
        self._name = str(account)
        self._sub = sub
        self._scales: MarketScales | None = None

    async def info(self) -> Info:
        """Chain, vault, domain, limits, markets and terms."""
        shown: Info = await self._get("/v1/info")
        return shown

    async def markets(self) -> list[dict[str, Any]]:
        """All markets."""
        found: list[dict[str, Any]] = await self._get_list("/v1/markets", "markets")
        return found

    async def terms(self) -> dict[str, Any]:
        """What holds for the whole exchange: how fees fall with activity."""
        shown = await self._get("/v1/markets")
        with reading("the answer at /v1/markets"):
            return dict(shown["terms"])

    async def market(self, market: int | str) -> dict[str, Any]:
        """One market, by number or symbol. Raises Refusal("not_found")."""
        found: dict[str, Any] = await self._get(f"/v1/markets/{market}")
        return found

    def book(self, market: int | str, depth: int = 20) -> BookRequest:
        """`await client.book(market)`: its best levels now, `bids` and `asks`, best first, as the API has them.
        `async with client.book(market) as book`: a book that is kept up to date (`LocalBook`)."""

        async def ask() -> Book:
            shown: Book = await self._get(f"/v1/book/{market}", depth=depth)
            return shown

        return BookRequest(ask, lambda on_loss: self.subscribe("book", market=market, on_loss=on_loss))

    async def account(self, account: int | str | None = None) -> Account:
        """An account by id or owner's address, by default the signer's. Raises Refusal("not_found")."""
        shown: Account = await self._get(f"/v1/accounts/{self._own_name() if account is None else account}")
        return shown

    async def balance(self, account: int | str | None = None) -> Balance:
        """The same in decimals: money, positions, and the orders that can still trade."""
        shown = await self.account(account)
        with reading("the account"):
            return Balance.read(shown)

    async def orders(self, account: int | str | None = None) -> list[Order]:
        """An account's open and armed orders, by default the signer's."""
        path = f"/v1/orders/{self._own_name() if account is None else account}"
        found: list[Order] = await self._get_list(path, "orders")
        return found

    async def fills(self, after: int = -1, limit: int = 100, market: int = 0, account: int = 0) -> list[Fill]:
        """Fills after number `after`, oldest first; without it the latest. 0: any market, any account."""
        query = {"limit": limit} | {k: v for k, v in (("market", market), ("account", account)) if v}
        if after >= 0:
            query["after"] = after
        found: list[Fill] = await self._get_list("/v1/fills", "fills", **query)
        return found

    async def find(
        self, *, nonce: int | None = None, client: int | None = None, account: int | str | None = None
    ) -> Lookup:
        """What became of the account's records with this nonce, or its orders with this client id: `records`, each with
        how far it is, and `orders`; by default the signer's. Raises Unavailable where no history is kept."""
        query = {name: value for name, value in (("nonce", nonce), ("client", client)) if value is not None}
        shown: Lookup = await self._get(f"/v1/lookup/{self._own_name() if account is None else account}", **query)
        return shown

    async def record(self, sequence: int) -> PastRecord:
        """A record by its number, and how far it is. Raises Refusal("not_found") while the history has it not."""
        shown: PastRecord = await self._get(f"/v1/records/{sequence}")
        return shown

    async def backstop(self) -> Backstop:
        """The backstop vault."""
        shown: Backstop = await self._get("/v1/backstop")
        return shown

    async def risk(self, market: int | str) -> Risk:
        """Of all accounts those nearest to liquidation in a market, and those that are closed against first. Raises
        Refusal("not_found")."""
        shown: Risk = await self._get(f"/v1/risk/{market}")
        return shown

    async def batch(self, number: int) -> Batch:
        """A closed batch."""
        shown: Batch = await self._get(f"/v1/batches/{number}")
        return shown

    async def withdrawal(self, index: int) -> WithdrawalProof:
        """The vault's proof of a withdrawal. Raises Refusal("not_found") before its epoch is complete."""
        from setoff.shared.wire.withdrawals import WithdrawalProof

        shown = await self._get(f"/v1/withdrawals/{index}")
        with reading("the proof of a withdrawal"):
            return WithdrawalProof.from_json(shown)

    async def status(self) -> Status:
        """Where the sequencer is."""
        shown: Status = await self._get("/v1/status")
        return shown

    async def now(self) -> int:
        """The exchange's time, unix seconds: L1's, by which orders expire."""
        status = await self.status()
        with reading("the exchange's status"):
            return int(status["l1_time"])

    async def stream(self, channels: Iterable[str] = ("records", "fills", "batches")) -> AsyncIterator[dict[str, Any]]:
        """Messages {"channel", "data"} as they come. Ends when the exchange ends the connection, or no longer answers.

        Raises Refusal for a channel that there is not, Unavailable if the exchange cannot be reached.
        """
        asked = list(channels)
        if unknown := set(asked) - CHANNELS.keys():
            raise Refusal("missing_field", f"there is no channel {', '.join(unknown)}; there are {', '.join(CHANNELS)}")
        try:
            async with self._session().ws_connect(
                f"{self._url}/ws",
                params={"channels": ",".join(asked)},
                heartbeat=HEARTBEAT,
                compress=PACKED,
                max_msg_size=READ_BYTES,
            ) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        yield parse_message(message.data)
        except aiohttp.ClientError as error:
            what = f"the exchange does not stream at {self._url.rpartition('@')[2]}: {type(error).__name__}"
            raise Unavailable("not_ready", what) from error

    def subscribe(
        self,
        channel: str,
        *,
        market: int | str | None = None,
        account: int | str | None = None,
        interval: str | None = None,
        after: int | None = None,
        patience: float = TIMEOUT,
        on_loss: Callable[[], None] = lambda: None,
        on_begin: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[dict[str, Any]]:
        """What happens in a market or an account: "book", "best", "trades", "candles" (with an `interval`), "account",
        "account_fills", "account_records"; the account is by default the signer's.

        A lost connection is opened again, behind the last cursor: of trades and fills nothing is left out; `on_loss`
        hears of it, `on_begin` of each from which on nothing is missed. Raises Refusal, and Unavailable if the exchange
        cannot be reached for `patience` seconds.
        """
        if account is None and channel.startswith("account"):
            account = self._own_name()
        named = {"market": market, "account": account, "interval": interval, "after": after}
        wanted = {"channel": channel} | {name: value for name, value in named.items() if value is not None}
        return subscribe(self._session(), self._url, wanted, patience, on_loss, on_begin)

    async def scales(self, *, anew: bool = False) -> MarketScales:
        """Names of the markets, and what their ticks and lots are; read once, unless `anew`. Raises DataError; where
        they are held against L1, ChainError."""
        if not anew and self._scales is not None:
            return self._scales
        before, scales = self._scales, self.take_scales(await self.info())
        if self._listed is not None:
            try:
                await asyncio.to_thread(self._listed.check, scales)
            except SetoffError:
                self._scales = before
                raise
        return scales

    def take_scales(self, info: Mapping[str, Any]) -> MarketScales:
        """The same of what `info` has answered, held against the deployment file's names, where the client has it, and
        against what was told before. Raises DataError."""
        with reading("what the exchange says of its markets"):
            scales = MarketScales(info)
        if self._deployment is not None:
            scales.check_names(self._deployment.names)
        if self._scales is not None:
            scales.check_kept(self._scales)
        self._scales = scales
        return scales

    async def _get_list(self, path: str, member: str, **query: int | str) -> Any:
        """A list of objects in an answer. Raises Refusal, Unavailable."""
        shown = await self._get(path, **query)
        with reading(f"the answer at {path}"):
            found = shown[member]
            if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
                raise TypeError(f"'{member}' is no list of objects")
        return found

    async def find_market(self, market: int | str) -> int:
        """The number of a market, which may be new."""
        if isinstance(market, int):
            return market
        try:
            return (await self.scales()).find(market)
        except Refusal:
            return (await self.scales(anew=True)).find(market)

    def _own_signer(self) -> Signer:
        if self._signer is None:
            raise ConfigError("bad_config", "key: is not set, and this has to be signed")
        return self._signer

    def _own_name(self) -> str:
        name = self._name or "0x" + self._own_signer().address.hex()
        return f"{name}.{self._sub}" if self._sub else name
