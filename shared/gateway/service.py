"""A gateway as a process: opened, served, and closed in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, ConfigError, DataError
from setoff.shared.gateway.door import Door
from setoff.shared.gateway.exchange_client import ExchangeClient
from setoff.shared.gateway.first_seen import check_first_seen
from setoff.shared.gateway.house import House, find_agent
from setoff.shared.gateway.parties import Parties
from setoff.shared.gateway.server import Server
from setoff.shared.gateway.settings import ANYONE, GatewaySettings
from setoff.shared.gateway.signature import Bot
from setoff.shared.l1.connection import L1
from setoff.shared.sdk import KeySigner, ListedUnits, MarketScales, OperatorBond, ReceiptStore, Refusal, SetoffClient

_log = logging.getLogger(__name__)
L1_PATIENCE: Final = 3.0
"""Seconds to wait for L1 before markets are traded whose units were not checked."""
PATIENCE: Final = 30.0
"""Seconds for which a record that nobody answers is sent again."""
GRACE: Final = 2.0
"""Seconds that open connections have to end."""


@asynccontextmanager
async def open_house(settings: GatewaySettings) -> AsyncIterator[House]:
    """What the gateway works with. Raises ConfigError, Unavailable, DataError."""
    if not settings.account:
        raise ConfigError("bad_config", "account: name the account that is traded for (gateway.account)")
    signer = KeySigner(settings.private_key())
    async with SetoffClient(settings.exchange) as asking:
        try:
            owner, account, agent = await find_agent(asking, settings.account, signer.address)
        except Refusal as error:
            raise ConfigError("bad_config", f"account: {error}") from None
    deployment = settings.find_deployment()
    name = "0x" + owner.hex()
    bot = signer.address if not settings.bot else None if settings.bot == ANYONE else bytes.fromhex(settings.bot[2:])
    store = None if deployment is None else await asyncio.to_thread(open_receipts, settings, deployment)
    async with ExchangeClient(
        settings.exchange,
        signer,
        account=name,
        agent=agent,
        over_socket=True,
        deployment=deployment,
        receipt_store=store,
        patience=PATIENCE,
        clock_skew=settings.clock_skew,
    ) as client:
        domain = await client.read_domain()
        if deployment is None:
            check_first_seen(settings.state_dir / f"domain-{signer.address.hex()}", domain)
        folder = settings.state_dir / f"{domain.hex()[:16]}-{owner.hex()}"
        folder.mkdir(parents=True, exist_ok=True)
        own = tuple({signer.address} | ({bot} if bot else set()))
        check = (
            None if deployment is None else partial(check_units, ListedUnits(open_l1(settings, deployment), deployment))
        )
        clock = partial(read_clock, settings, deployment, client)
        guard = Bot(bot, folder / f"nonces-{'anyone' if bot is None else bot.hex()}.json")
        parties, key = Parties(owner, settings.sub, own), "0x" + signer.address.hex()
        house = House(client, parties, key, guard, folder, check, clock, (account, agent))
        await house.universe.load()
        yield house


def open_receipts(settings: GatewaySettings, deployment: Deployment) -> ReceiptStore | None:
    """Where the operator's receipts are kept and checked; None where L1 says that it has put up no bond for any.

    Raises DataError.
    """
    bond: OperatorBond | None = None
    try:
        bond = OperatorBond.read(open_l1(settings, deployment), deployment)
    except ChainError as error:
        _log.warning("receipts are kept, but not checked: %s", error)
    if bond is not None and not bond.exit_delay:
        _log.warning("the operator has no bond for receipts on L1: none are asked for")
        return None
    return ReceiptStore.open(settings.receipts, deployment, bond)


async def check_units(listed: ListedUnits, scales: MarketScales) -> None:
    """Hold what ticks and lots are worth against L1; where that does not answer, say so. Raises DataError."""
    try:
        await asyncio.to_thread(listed.check, scales)
    except ChainError as error:
        _log.warning("%s; here it is done all the same, until L1 answers", error.detail)


async def read_clock(settings: GatewaySettings, deployment: Deployment | None, client: SetoffClient) -> int:
    """L1's time, by which orders die: L1's own word where it is known which, else the exchange's, if the machine's
    clock bears it out. Raises DataError."""
    if deployment is not None:
        try:
            return await asyncio.to_thread(open_l1(settings, deployment).now)
        except ChainError as error:
            _log.warning("L1 does not tell the time, the exchange is asked: %s", error)
    told, here = await client.now(), int(time.time())
    if abs(told - here) > settings.clock_skew:
        text = f"the exchange's clock is {told - here} s from this machine's: orders would not die when they should."
        text += " If its chain's clock is like that, as on a devnet, raise gateway.clock_skew"
        raise DataError("data_mismatch", text)
    return told


def open_l1(settings: GatewaySettings, deployment: Deployment) -> L1:
    """The L1 node, which is not waited for long."""
    return L1(settings.rpc_url, chain_id=deployment.chain_id, patience=L1_PATIENCE)


@asynccontextmanager
async def serve(settings: GatewaySettings) -> AsyncIterator[tuple[House, str]]:
    """A gateway that listens, and its URL. Raises ConfigError, Unavailable, DataError."""
    async with Door(partial(open_house, settings)) as door:
        runner = web.AppRunner(Server(door).make_app(), access_log=None, shutdown_timeout=GRACE)
        await runner.setup()
        host, port = settings.address
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            server = site._server
            assert isinstance(server, asyncio.Server)
            yield door.house, f"http://{host}:{server.sockets[0].getsockname()[1]}"
        except OSError as error:
            raise ConfigError("port_taken", f"{settings.listen}: {error.strerror}") from None
        finally:
            await runner.cleanup()


async def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with serve(settings) as (house, url):
        who = "whoever asks on this machine" if house.bot.address is None else f"0x{house.bot.address.hex()}"
        owner = "0x" + house.parties.owner.hex()
        print(f"gateway: {url}", flush=True)
        print(f"trades for {owner}, sub-account {house.parties.own.sub}, as {house.agent}; serves {who}", flush=True)
        await stop.wait()
