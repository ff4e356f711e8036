"""The watcher's own HTTP interface, on its `listen` address, open to everybody.

    POST /v1/receipts     {"receipts": [{…}, …]}, up to 256, as the exchange gave them: keeps all of them or none, and
                          answers {"kept": so many are new}
    GET  /v1/receipts     how many wait, and the charges
    GET  /v1/blobs/0x…    and POST /v1/blobs: see `chain/blobs.py`
    GET  /v1/snapshots    and /v1/snapshots/0x…, machines for others that catch up: see `shared/wire/snapshots.py`
    GET  /v1/witnesses/N  and /v1/witnesses/N/M, bundles for who checks an epoch: see `execution/witness_desk.py`
    GET  /console/        the web console (`shared/console/`), where one was built and the setting `console` is not off,
                          and what it shows: /v1/watch, /v1/games/…, /v1/past (`monitor/game_desk.py`)

Every refusal is {"reason": …, "detail": …} with a reason of the shared list. 4xx: nothing was kept. What was taken is
held against the posted batches from then on; charges are prosecuted by the challenger, if the watcher has a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Final

from aiohttp import web
from redis.exceptions import RedisError

from setoff.shared.console.serving import Console
from setoff.shared.errors import SetoffError
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.wire.refusals import answer_errors
from setoff.shared.wire.snapshots import SnapshotDesk
from setoff.watcher.chain.blobs import BlobDesk
from setoff.watcher.context import Context
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.witness_desk import WitnessDesk
from setoff.watcher.monitor.game_desk import GameDesk
from setoff.watcher.pulse import Pulse
from setoff.watcher.receipts.desk import ReceiptDesk
from setoff.watcher.receipts.docket import JUDGED_A_ROUND, ReceiptDocket
from setoff.watcher.receipts.stored_batches import StoredBatches
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

MAX_BODY: Final = 1 << 18
"""Bytes that a body may have: receipts, or a blob."""

log = logging.getLogger(__name__)


def make_app(routes: list[web.RouteDef]) -> web.Application:
    """The aiohttp application of these routes."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[answer_errors])
    app.add_routes(routes)
    return app


def make_snapshot_desk(store: Store) -> SnapshotDesk:
    """Gives what the workers keep."""
    return SnapshotDesk(
        lambda: [bytes.fromhex(each) for each in store.hashes("snapshot")], store.measure_snapshot, store.read_snapshot
    )


def run_server(settings: WatcherSettings, stop: threading.Event) -> None:
    """Serve, and review what was handed in, until `stop` is set. Raises ConfigError, ChainError or OSError."""
    asyncio.run(_serve(settings, stop))


async def _serve(settings: WatcherSettings, stop: threading.Event) -> None:
    context = await asyncio.to_thread(Context.open, settings)
    operator = await asyncio.to_thread(ReceiptsContract(context.l1, context.deployment.receipts).operator)
    store = ReceiptDocket(context.store)
    desk = ReceiptDesk(store, context.deployment.domain, operator)
    console = Console(settings, "watcher")
    snapshots = make_snapshot_desk(context.store)
    witnesses = WitnessDesk(context.store, settings.witness_limit * 10**6)
    routes = [*desk.routes(), *BlobDesk(context.store).routes(), *snapshots.routes(), *witnesses.routes()]
    routes += console.routes()
    games = GameDesk(settings, context.store) if console.is_there else None
    routes += games.routes() if games else ()
    runner = web.AppRunner(make_app(routes), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, *settings.address).start()
        host, port = runner.addresses[0][:2]
        url = f"http://{host}:{port}"
        print(f"server: {url}", flush=True)
        with Pulse(context.store, "server").beating() as pulse:
            pulse.tell(url=url)
            while not stop.is_set():
                await asyncio.to_thread(_review, settings, context, store, pulse)
                if games:
                    await asyncio.to_thread(_keep, games)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.to_thread(stop.wait, settings.l1_poll), settings.l1_poll + 1)
    finally:
        await runner.cleanup()


def _review(settings: WatcherSettings, context: Context, store: ReceiptDocket, pulse: Pulse) -> None:
    """Hold the receipts against what is posted; whatever fails is tried again in the next round."""
    try:
        last_block = context.l1.head().number - settings.confirmations
        while store.review(StoredBatches(Archive.of(context)), last_block) >= JUDGED_A_ROUND:
            pass
        waiting, kept = store.count()
        pulse.tell(error="", receipts=waiting, kept=kept, charges=len(store.cases()))
    except (SetoffError, RedisError) as error:
        log.warning("receipts were not reviewed: %s", error)
        pulse.tell(error=str(error))


def _keep(games: GameDesk) -> None:
    """What fails is tried again in the next round, and said to whoever asks."""
    with contextlib.suppress(SetoffError, RedisError, OSError):
        games.keep()
