"""A chain, an operator and a gateway as processes, an oracle that reports, and three owners with money: one whom the
gateway trades for by an agent's key, two who trade without it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.waiting import until, wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import DEPLOYER, FIRST_TRADER, OPERATOR, Devnet
from setoff.deploy.devnet.process import Process
from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import BUY, IOC, SELL
from setoff.shared.errors import SetoffError
from setoff.shared.l1.contracts import TOKEN, Contract
from setoff.shared.params import DEVNET
from setoff.shared.sdk import KeySigner, SetoffClient, Vault

OWNER, MAKER, TAKER = (dev_keys()[FIRST_TRADER + number] for number in range(3))
"""Keys: the gateway's account, and two others'."""
AGENT = keccak(b"the gateway's agent")
REPORTERS = (keccak(b"the oracle's first signer"), keccak(b"the oracle's second signer"))
FUNDS = 1_000_000_000_000
"""Token units: a million dollars each."""
PRICE = 78_000
"""Ticks: dollars, of both markets."""
DAYS = 30


def address(key: bytes) -> str:
    """Of a key, as 0x-text."""
    return "0x" + signatures.address_of(key).hex()


@dataclass
class GatewayTown:
    """Where everything is. `price`: what the oracle reports, ticks, by market."""

    url: str
    exchange: str
    folder: Path
    owner: str
    price: dict[int, int] = field(default_factory=lambda: {1: PRICE, 2: PRICE})
    told: list[str] = field(default_factory=list)
    """What the oracle's signers were refused for."""

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws") + "/ws"

    def native(self, key: bytes = OWNER) -> SetoffClient:
        """A client without the gateway, not open yet."""
        return SetoffClient(self.exchange, KeySigner(key))

    def ask(self, what: Any) -> Any:
        """What `what(client)`, of the owner's native client, answers."""
        return self.run(OWNER, what)

    def run(self, key: bytes, what: Any) -> Any:
        """The same of any key's."""

        async def run() -> Any:
            async with self.native(key) as client:
                return await what(client)

        return asyncio.run(run())

    def run_for(self, name: str, what: Any) -> Any:
        """What `what(client, name)` answers to anybody who asks about an account."""

        async def run() -> Any:
            async with SetoffClient(self.exchange) as client:
                return await what(client, name)

        return asyncio.run(run())

    def set_price(self, market: int, price: int) -> None:
        """Have the oracle report this, and wait until the mark is there."""
        self.price[market] = price
        wait_until(lambda: abs(self.ask(lambda client: client.market(market))["mark"] - price) <= price // 1000)


async def clear(town: GatewayTown) -> None:
    """Take back every order of owner and maker, and close the owner's positions with the maker."""
    async with town.native() as owner, town.native(MAKER) as maker:
        await owner.cancel_all()
        await maker.cancel_all()
        for position in (await owner.account())["positions"]:
            size = int(position["size"])
            if size:
                market = position["market"]
                mark = int((await owner.market(market))["mark"])
                sides = (BUY, SELL) if size > 0 else (SELL, BUY)
                await maker.place(market, sides[0], mark, abs(size))
                await owner.place(market, sides[1], mark, abs(size), IOC)


@contextmanager
def gateway_town(folder: Path) -> Iterator[GatewayTown]:
    """All of it, started and stopped."""
    signers = [signatures.address_of(key) for key in REPORTERS]
    with Devnet(folder / "devnet", DEVNET, signers=signers) as devnet:
        shared = {
            "SETOFF_DEPLOYMENT": str(devnet.deployment_file),
            "SETOFF_RPC_URL": devnet.chain.url,
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.3",
        }
        for_operator = {
            "REDIS_URL": devnet.redis_url(0),
            "SETOFF_OPERATOR_KEY": dev_keys()[OPERATOR].hex(),
            "SETOFF_OPERATOR_LISTEN": "127.0.0.1:0",
            "SETOFF_OPERATOR_BATCH_INTERVAL": "1",
            "SETOFF_OPERATOR_HISTORY_URL": f"sqlite:///{folder / 'history.sqlite'}",
            "SETOFF_OPERATOR_RECEIPTS": "false",
        }
        sequencer = Process("operator", ["operator", "sequencer"], shared | for_operator, folder / "operator.log")
        publisher = Process("publisher", ["operator", "publisher"], shared | for_operator, folder / "publisher.log")
        running = [sequencer, publisher]
        for process in running:
            process.start()
        try:
            fund(devnet)
            exchange = sequencer.wait_for("sequencer:", 120)
            town = GatewayTown("", exchange, folder, address(OWNER))
            # Here first: what answers are held against is made with the first one, which two threads cannot do at once.
            wait_until(lambda: _answers(town), 60, what=sequencer.tail)
            with reporting(town):
                wait_until(lambda: _is_priced(town), 150, what=lambda: f"{town.told[-3:]}\n{sequencer.tail()}")
                wait_until(lambda: _has_history(town), 60, what=publisher.tail)
                name_agent(town, OWNER, AGENT)
                with gateway_process(exchange, OWNER, AGENT, folder / "gateway") as url:
                    town.url = url
                    yield town
        finally:
            for process in running:
                process.ask_to_end()
            for process in running:
                process.stop()


def fund(devnet: Devnet) -> None:
    """Deposit for the three owners."""
    minter = devnet.chain.connect(DEPLOYER)
    for number in range(3):
        owner = devnet.chain.connect(FIRST_TRADER + number)
        Contract(minter, TOKEN, devnet.deployment.token).transact("mint", owner.address, FUNDS)
        Vault(owner, devnet.deployment).deposit(FUNDS)


@contextmanager
def other_gateway(town: GatewayTown, owner: bytes, agent: bytes) -> Iterator[GatewayTown]:
    """A second gateway in the same town, for another owner with an agent."""
    name_agent(town, owner, agent)
    with gateway_process(town.exchange, owner, agent, town.folder / "other-gateway") as url:
        yield replace(town, url=url, owner=address(owner))


@contextmanager
def gateway_process(exchange: str, owner: bytes, agent: bytes, folder: Path) -> Iterator[str]:
    """`setoff gateway run`, and its URL."""
    environment = {
        "SETOFF_GATEWAY_EXCHANGE": exchange,
        "SETOFF_GATEWAY_KEY": agent.hex(),
        "SETOFF_GATEWAY_ACCOUNT": address(owner),
        "SETOFF_GATEWAY_LISTEN": "127.0.0.1:0",
        "SETOFF_GATEWAY_STATE_DIR": str(folder),
    }
    process = Process("gateway", ["gateway", "run"], environment, folder.with_suffix(".log"))
    process.start()
    try:
        yield process.wait_for("gateway:", 120)
    finally:
        process.stop()


def name_agent(town: GatewayTown, owner: bytes, agent: bytes) -> None:
    """Let the agent trade for the owner."""

    async def name(client: SetoffClient) -> None:
        async def is_there() -> bool:
            try:
                await client.account()
            except SetoffError:
                return False
            return True

        await until(is_there)
        expiry = await client.now() + DAYS * 86_400
        await client.set_agent(1, signatures.address_of(agent), expiry)

    town.run(owner, name)


def _answers(town: GatewayTown) -> bool:
    try:
        return bool(town.ask(lambda client: client.info()))
    except SetoffError:
        return False


def _is_priced(town: GatewayTown) -> bool:
    try:
        markets = town.ask(lambda client: client.markets())
    except SetoffError:
        return False
    return len(markets) == 2 and all(market["mark"] for market in markets)


def _has_history(town: GatewayTown) -> bool:
    try:
        return bool(town.ask(lambda client: client.history("candles", 1, interval="1m", limit=1)))
    except SetoffError:
        return False


@contextmanager
def reporting(town: GatewayTown) -> Iterator[None]:
    """The oracle's signers report the town's prices, again when these change, else each fifteen seconds."""
    stop = threading.Event()

    async def report() -> None:
        last: tuple[dict[int, int], float] = {}, 0.0
        loop = asyncio.get_running_loop()
        async with (
            SetoffClient(town.exchange, KeySigner(REPORTERS[0])) as first,
            SetoffClient(town.exchange, KeySigner(REPORTERS[1])) as second,
        ):
            while not stop.is_set():
                if town.price != last[0] or loop.time() > last[1] + 15:
                    prices = dict(town.price)
                    try:
                        now = await first.now()
                        for market, price in prices.items():
                            await first.report(0, now, market, price)
                            await second.report(1, now, market, price)
                        last = prices, loop.time()
                    except SetoffError as error:  # the markets may not be there yet, or the second is the same
                        town.told.append(str(error))
                        await asyncio.sleep(0.5)
                await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(report()))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@asynccontextmanager
async def bot_socket(town: GatewayTown) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A bare WebSocket of the gateway's."""
    async with aiohttp.ClientSession() as http, http.ws_connect(town.socket_url) as socket:
        yield socket
