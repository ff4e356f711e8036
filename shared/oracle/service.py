"""`setoff oracle run`: the feeder as a process, with its pages; and one round to look at, which sends nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from setoff.shared.codec import signatures
from setoff.shared.config import readiness
from setoff.shared.config.webhooks import name_alert
from setoff.shared.errors import ConfigError, SetoffError
from setoff.shared.l1.connection import L1
from setoff.shared.oracle.aggregate import show, to_ticks
from setoff.shared.oracle.chain_view import ChainView
from setoff.shared.oracle.feeder import Feeder, ask_price, describe_shortage, describe_verdict
from setoff.shared.oracle.settings import OracleSettings
from setoff.shared.oracle.sources import Sources
from setoff.shared.oracle.status import FeederStatus, describe, to_prometheus
from setoff.shared.oracle.ways import Ways
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.wire import pages
from setoff.shared.wire.pages import Page

L1_PATIENCE = 5.0
"""Seconds for one answer of L1: what does not come is asked for again."""
ALERTS_EVERY = 2.0
"""Seconds between two looks for what webhooks are to be told."""
PAGE_TIMEOUT = 5.0
"""Seconds until a page is made."""

T = TypeVar("T")


def run_feeder(settings: OracleSettings) -> None:
    """Feed until SIGTERM or SIGINT. Raises ConfigError for what cannot work."""
    asyncio.run(_run(settings))


async def _run(settings: OracleSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_feeder(settings) as feeder:
        with pages.make_server(settings.address, make_pages(feeder.status, asyncio.get_running_loop())) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            thread.start()
            host, port = server.server_address[:2]
            feeds = ", ".join(f"{market} of {len(named)}" for market, named in settings.sources.items())
            print(f"oracle: http://{host!s}:{port}, {feeder.status.address}, sources: {feeds}", flush=True)
            readiness.tell(readiness.READY)
            alerting = asyncio.create_task(tell_webhooks(settings, feeder.status))
            try:
                await feeder.run(stop)
            finally:
                alerting.cancel()
                readiness.tell(readiness.STOPPING)
                server.shutdown()


async def tell_webhooks(settings: OracleSettings, status: FeederStatus) -> None:
    """What is wrong with the feeder, until this is cancelled; nothing without a webhook."""
    webhooks = settings.open_webhooks()
    if webhooks is None:
        return
    with webhooks:
        while True:
            await asyncio.sleep(ALERTS_EVERY)
            problems = status.find_problems()
            await asyncio.to_thread(webhooks.see, {name_alert(problem): problem for problem in problems})


@asynccontextmanager
async def open_feeder(settings: OracleSettings) -> AsyncIterator[Feeder]:
    """A feeder with everything that it needs open. Raises ConfigError."""
    named = settings.sources
    if not named:
        raise ConfigError("bad_config", "feeds: is not set: it says where the prices of which market come from")
    deployment, key = settings.load_deployment(), settings.private_key()
    signer = KeySigner(key)
    l1 = L1(settings.rpc_url, key, chain_id=deployment.chain_id, patience=L1_PATIENCE)
    view = ChainView(l1, deployment, signer.address)
    async with Sources(named, settings.source_timeout) as sources, SetoffClient(settings.exchange) as client:
        yield Feeder(settings, view, sources, Ways(client, l1, deployment, signer), signer.address)


def make_pages(status: FeederStatus, loop: asyncio.AbstractEventLoop) -> dict[str, Page]:
    """`/metrics` (Prometheus), `/status` (JSON), `/ready` (503 if somebody has to look at something) and `/`: made
    where the feeder runs, between two of its steps."""

    async def make(page: Callable[[], T]) -> T:
        return page()

    def in_loop(page: Callable[[], T]) -> Callable[[], T]:
        return lambda: asyncio.run_coroutine_threadsafe(make(page), loop).result(PAGE_TIMEOUT)

    def make_ready() -> str | tuple[int, str]:
        problems = status.find_problems()
        return (503 if problems else 200), "".join(f"{problem}\n" for problem in problems or ["ready"])

    return {
        "/metrics": Page(pages.PROMETHEUS, in_loop(lambda: to_prometheus(status))),
        "/status": Page(pages.JSON, in_loop(lambda: json.dumps(status.to_json()))),
        "/ready": Page(pages.TEXT, in_loop(make_ready)),
        "/": Page(pages.TEXT, in_loop(lambda: "\n".join(describe(status.to_json())) + "\n")),
    }


async def check_sources(settings: OracleSettings) -> dict[str, Mapping[str, Any]]:
    """One round: by market what each source says, what is used, the price, and ticks where L1 can be asked."""
    view, l1_problem = await asyncio.to_thread(_open_view, settings)
    found: dict[str, Mapping[str, Any]] = {}
    async with Sources(settings.sources, settings.source_timeout) as sources:
        for market in settings.sources:
            verdict = await ask_price(settings, sources, market)
            ticks, problem = 0, l1_problem
            if verdict.price is None:
                problem = describe_shortage(verdict, settings)
            elif view is not None:
                try:
                    ticks = to_ticks(verdict.price, view.get_scale(view.find_market(market)).tick.size)
                except SetoffError as error:
                    problem = str(error)
            found[market] = {
                "price": "" if verdict.price is None else show(verdict.price),
                "ticks": ticks,
                "used": len(verdict.used),
                "sources": describe_verdict(verdict),
                "problem": problem,
            }
    return found


def _open_view(settings: OracleSettings) -> tuple[ChainView | None, str]:
    """What L1 says, or why it says nothing: then sources can be checked all the same."""
    try:
        deployment = settings.load_deployment()
        address = signatures.address_of(settings.private_key()) if settings.key else bytes(20)
        l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=L1_PATIENCE)
        view = ChainView(l1, deployment, address)
        view.look()
    except SetoffError as error:
        return None, f"ticks are not known: {error}"
    return view, ""
