"""The watcher's own HTTP interface, on its `listen` address, open to everybody.

    POST /v1/receipts     {"receipts": [{…}, …]}, up to 256, as the exchange gave them: keeps all of them or none, and
                          answers {"kept": so many are new}
    GET  /v1/receipts     how many wait, and the charges
    GET  /v1/blobs/0x…    and POST /v1/blobs: see `blobs.py`

Every refusal is {"reason": …, "detail": …} with a reason of the shared list. 4xx: nothing was kept. What was taken is
held against the posted batches from then on; charges are prosecuted by the challenger, if the watcher has a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any, Final

from aiohttp import web
from redis.exceptions import RedisError

from setoff.shared.errors import InputError, SetoffError
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.refusals import answer_errors
from setoff.watcher.chain.blobs import BlobDesk
from setoff.watcher.context import Context
from setoff.watcher.monitor.status import Pulse
from setoff.watcher.receipts.docket import JUDGED_A_ROUND, ReceiptDocket, StoredBatches
from setoff.watcher.settings import WatcherSettings

MAX_HANDED: Final = 256  # receipts of one request
MAX_BODY: Final = 1 << 18  # bytes: receipts, or a blob

log = logging.getLogger(__name__)


class ReceiptDesk:
    """Takes receipts of one deployment."""

    def __init__(self, store: ReceiptDocket, domain: bytes, operator: bytes) -> None:
        """`operator`: the 20-byte address whose signature counts."""
        self._store = store
        self._domain = domain
        self._operator = operator

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.post("/v1/receipts", self.take), web.get("/v1/receipts", self.show)]

    async def take(self, request: web.Request) -> web.Response:
        """Keep receipts."""
        handed = parse_json(await request.read()).get("receipts")
        if not isinstance(handed, list) or not 1 <= len(handed) <= MAX_HANDED:
            raise InputError("missing_field", f"'receipts' is a list of 1 to {MAX_HANDED} receipts")
        signed = await asyncio.to_thread(self._check, handed)
        return web.json_response({"kept": await asyncio.to_thread(self._store.put, signed)})

    async def show(self, _: web.Request) -> web.Response:
        """How many there are, and the charges."""
        waiting, kept = await asyncio.to_thread(self._store.count)
        cases = await asyncio.to_thread(self._store.cases)
        charges = [
            {"kind": case.kind, "sequence": case.sequence, "text": case.text, "state": case.state} for case in cases
        ]
        return web.json_response({"waiting": waiting, "kept": kept, "charges": charges})

    def _check(self, handed: list[Any]) -> list[SignedReceipt]:
        signed = [SignedReceipt.from_json(shown) for shown in handed]
        for one in signed:
            one.check(self._domain, self._operator)
        return signed


def make_app(routes: list[web.RouteDef]) -> web.Application:
    """The aiohttp application of these routes."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[answer_errors])
    app.add_routes(routes)
    return app


def run_server(settings: WatcherSettings, stop: threading.Event) -> None:
    """Serve, and review what was handed in, until `stop` is set. Raises ConfigError, ChainError or OSError."""
    asyncio.run(_serve(settings, stop))


async def _serve(settings: WatcherSettings, stop: threading.Event) -> None:
    context = await asyncio.to_thread(Context.open, settings)
    operator = await asyncio.to_thread(ReceiptsContract(context.l1, context.deployment.receipts).operator)
    store = ReceiptDocket(context.store)
    desk = ReceiptDesk(store, context.deployment.domain, operator)
    runner = web.AppRunner(make_app([*desk.routes(), *BlobDesk(context.store).routes()]), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, *settings.address).start()
        host, port = runner.addresses[0][:2]
        with Pulse(context.store, "server").beating() as pulse:
            pulse.tell(url=f"http://{host}:{port}")
            while not stop.is_set():
                await asyncio.to_thread(_review, settings, context, store, pulse)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.to_thread(stop.wait, settings.l1_poll), settings.l1_poll + 1)
    finally:
        await runner.cleanup()


def _review(settings: WatcherSettings, context: Context, store: ReceiptDocket, pulse: Pulse) -> None:
    """Hold the receipts against what is posted; whatever fails is tried again in the next round."""
    try:
        last_block = context.l1.head().number - settings.confirmations
        while store.review(StoredBatches(context.archive), last_block) >= JUDGED_A_ROUND:
            pass
        waiting, kept = store.count()
        pulse.tell(error="", receipts=waiting, kept=kept, charges=len(store.cases()))
    except (SetoffError, RedisError) as error:
        log.warning("receipts were not reviewed: %s", error)
        pulse.tell(error=str(error))
