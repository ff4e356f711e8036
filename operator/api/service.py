"""The sequencer and its API as one process: put together, started, and stopped in good order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from socket import socket as Socket
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from setoff.contracts.verification import check_deployment
from setoff.operator.api import loop
from setoff.operator.api.feed import Feed
from setoff.operator.api.fronts import Fronts
from setoff.operator.api.server import listen, start_server
from setoff.operator.bridge.hub import Hub
from setoff.operator.history.keeper import OFF, HistoryKeeper, check_url
from setoff.operator.pulse import Pulse
from setoff.operator.sequencer import unfinished
from setoff.operator.sequencer.journal import STORE_TIMEOUT, Journal, connect
from setoff.operator.sequencer.messages import MessageSource, QueueMessages
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches, PostedBatches
from setoff.operator.sequencer.receipt_signer import MakeSigner, ReceiptSigner, open_signer
from setoff.operator.sequencer.sequencer import Sequencer
from setoff.operator.sequencer.vital_signs import keep_telling
from setoff.operator.settings import OperatorSettings
from setoff.shared.config import readiness
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer, check_durable
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ConfigError, StateError
from setoff.shared.l1.abilities import CARRIES_BLOBS
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.blobs import BLOBS
from setoff.shared.l1.da.calldata import CALLDATA
from setoff.shared.l1.da.registry import find_module
from setoff.shared.l1.inbox import Inbox

log = logging.getLogger(__name__)

LEFT_OVER_SECONDS: Final = 2.0
"""Seconds in which processes of the API end whose sequencer was killed."""
LEAST_BATCH_INTERVAL: Final = 2.0
"""Seconds between batches at least, unless the settings say otherwise."""
L1_PATIENCE: Final = 10.0
"""Seconds for one look at L1; the next one comes soon."""


MakeSequencer = Callable[..., Sequencer]
"""The arguments of `Sequencer` to one."""


def run_sequencer(
    settings: OperatorSettings, make_signer: MakeSigner = ReceiptSigner, make_sequencer: MakeSequencer = Sequencer
) -> None:
    """Run the sequencer and its API until SIGTERM or SIGINT.

    Raises ConfigError, ChainError or DataError if it cannot start, and what made it give up if it does.
    """
    loop.run(_serve_until_signal(settings, make_signer, make_sequencer))


async def _serve_until_signal(
    settings: OperatorSettings, make_signer: MakeSigner, make_sequencer: MakeSequencer
) -> None:
    stop = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    deployment = settings.load_deployment()
    l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=min(settings.l1_patience, L1_PATIENCE))
    reader = ChainReader(l1, deployment)
    posted = await asyncio.to_thread(open_inbox, reader)
    claims = await asyncio.to_thread(lambda: CourtContract(l1, deployment.court).terms)
    settings = dataclasses.replace(settings, batch_interval=choose_batch_interval(settings.batch_interval, claims))
    await asyncio.to_thread(check_heartbeat, settings.heartbeat, claims.epoch_batches, Inbox(l1, deployment))
    settings = await asyncio.to_thread(choose_data, settings, l1)
    source = QueueMessages(reader, settings.confirmations)
    signer = await asyncio.to_thread(open_signer, settings, deployment, l1, make_signer)
    with await asyncio.to_thread(RedisServer.open, settings) as server:
        serving = serve(settings, deployment, server.url, source, posted, signer, make_sequencer)
        async with serving as (sequencer, url):
            print(f"sequencer: {url}", flush=True)
            readiness.tell(readiness.READY)
            with (
                server.client(socket_timeout=STORE_TIMEOUT) as blocking,
                Pulse(blocking, deployment, "sequencer").beating() as pulse,
            ):
                telling = asyncio.create_task(keep_telling(pulse, sequencer, url))
                waits = [asyncio.create_task(stop.wait()), asyncio.create_task(sequencer.failed.wait())]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for task in (telling, *waits):
                    task.cancel()
        if isinstance(sequencer.failure, RedisError | OSError):
            raise StateError("not_ready", f"the store is gone: {sequencer.failure}") from None
        if sequencer.failure is not None:
            raise sequencer.failure


def choose_batch_interval(wanted: float, claims: Terms) -> float:
    """Seconds between two batches: what is wanted, or if that is 0 so few that every epoch can be claimed in its turn.

    An epoch may be claimed no sooner than the claim interval after the one before; batches that close faster than that
    pile up unclaimed, and withdrawals with them.
    """
    least = claims.claim_interval / claims.epoch_batches
    if 0 < wanted < least:
        log.warning(
            "batch_interval is %g s: epochs of %d batches can be claimed only every %d s, so that claims will "
            "fall behind batches; %g s would be enough",
            wanted,
            claims.epoch_batches,
            claims.claim_interval,
            least,
        )
    return wanted or max(LEAST_BATCH_INTERVAL, least)


def choose_data(settings: OperatorSettings, l1: L1) -> OperatorSettings:
    """The settings, with calldata for blobs where the node takes none: what is closed has to reach L1.

    Raises ChainError if the node does not answer.
    """
    if find_module(settings.data) is not BLOBS or CARRIES_BLOBS.is_had_by(l1):
        return settings
    log.warning("data is blobs, and the L1 node takes no %s: records are posted in calldata", CARRIES_BLOBS.name)
    return dataclasses.replace(settings, data=CALLDATA.name)


def check_heartbeat(heartbeat: float, epoch_batches: int, inbox: Inbox) -> None:
    """Raises ConfigError if an idle operator would lose its exclusive right between two of its own epochs."""
    silence = inbox.silence()
    if heartbeat * epoch_batches >= silence:
        raise ConfigError(
            "bad_config",
            f"heartbeat: {epoch_batches} batches of an epoch, {heartbeat:g} s apart, take longer than the {silence} s "
            "after which anybody may post",
        )
    if not heartbeat:
        log.warning("heartbeat is 0: after %d s without trade anybody may post in the operator's place", silence)


def open_inbox(reader: ChainReader) -> InboxBatches:
    """The inbox. Raises ConfigError if other contracts are there, ChainError if L1 is not."""
    check_deployment(reader.l1, reader.deployment)
    return InboxBatches(reader)


@contextlib.asynccontextmanager
async def serve(
    settings: OperatorSettings,
    deployment: Deployment,
    redis_url: str,
    source: MessageSource,
    posted: PostedBatches,
    signer: ReceiptSigner | None = None,
    make_sequencer: MakeSequencer = Sequencer,
) -> AsyncIterator[tuple[Sequencer, str]]:
    """A started sequencer with its API, and the URL it listens on. `signer` signs the receipts, None: there are none.

    Raises ConfigError("port_taken") if the address is in use, ConfigError, ChainError or DataError if the sequencer
    cannot start, as with a store that has lost records which L1 has.
    """
    redis = connect(redis_url)
    server = RedisServer(redis_url)
    with server.client(socket_timeout=STORE_TIMEOUT, socket_connect_timeout=STORE_TIMEOUT) as blocking:
        if not settings.allow_volatile_store:
            await asyncio.to_thread(check_durable, blocking)
        await asyncio.to_thread(unfinished.check, blocking, deployment.namespace)
        await asyncio.to_thread(check_url, settings, deployment)
        outbox, journal = Outbox(blocking, deployment.namespace), Journal(redis, deployment.namespace)
        announcer: Feed | Hub = Hub() if settings.api_processes else Feed()
        sequencer = make_sequencer(settings, deployment, journal, outbox, source, posted, announcer, signer)
        with contextlib.closing(await _listen(settings)) as socket:
            host, port = socket.getsockname()[:2]
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(_close, redis)
                if isinstance(announcer, Hub):
                    announcer.begin(sequencer)
                    fronts = Fronts(announcer, settings, deployment, redis_url, socket)
                    stack.push_async_callback(fronts.stop)
                    stack.push_async_callback(sequencer.stop)
                    await fronts.start()
                else:
                    runner = await start_server(sequencer, outbox, deployment, announcer, settings, socket)
                    stack.push_async_callback(runner.cleanup)
                    stack.push_async_callback(sequencer.stop)
                try:
                    await asyncio.to_thread(find_module(settings.data).load)
                    await sequencer.start()
                except RedisError as error:
                    raise ConfigError("bad_config", f"redis_url: the store cannot be read: {error}") from None
                if isinstance(announcer, Hub):
                    await announcer.settle()
                if settings.history_url != OFF:
                    keeper = HistoryKeeper(settings, deployment, redis_url)
                    keeper.start()
                    stack.push_async_callback(keeper.stop)
                yield sequencer, f"http://{host}:{port}"


async def _listen(settings: OperatorSettings) -> Socket:
    """The listening socket; for a moment processes of an API whose sequencer was killed may still have it."""
    until = time.monotonic() + (LEFT_OVER_SECONDS if settings.api_processes else 0)
    while True:
        try:
            return listen(*settings.address)
        except ConfigError:
            if time.monotonic() >= until:
                raise
        await asyncio.sleep(0.1)


async def _close(redis: Redis) -> None:
    with contextlib.suppress(RedisError, OSError):
        await redis.aclose()
