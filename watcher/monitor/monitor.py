"""`setoff watcher overview`: a look at the disputes, once or served over HTTP again and again.

From L1 alone; what the watcher has executed is asked of its Redis if that is there.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from setoff.shared.dispute.trace_provider import Epochs
from setoff.shared.errors import SetoffError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.watcher.chain.withheld import find_withheld
from setoff.watcher.context import open_reader
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.liveness.presence import PresenceReader
from setoff.watcher.monitor.dispute_view import Overview, to_text, view_disputes
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

HISTORY_WAIT: Final = 2.0
"""Seconds to wait for a history; who is right is unknown until it is there."""

log = logging.getLogger(__name__)


class DisputeMonitor:
    """Looks at the court of a deployment."""

    def __init__(self, settings: WatcherSettings, low: int | None = None) -> None:
        """`low`: see `view_disputes`. Raises ConfigError if there is no such deployment."""
        deployment = settings.load_deployment()
        self._l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=settings.l1_patience)
        contract = CourtContract(self._l1, deployment.court)
        self._reader = CourtReader(contract, deployment.block)
        self._low = low
        self._epochs: Epochs | None = None
        self._store: Store | None = None
        redis = connect_redis(settings)
        if redis is not None:
            self._store = Store(redis, f"{deployment.namespace}:{settings.name}", deployment.epoch_batches)
        self._chain = open_reader(settings, self._l1, deployment, self._store)
        self._presence = PresenceReader(self._chain)
        if self._store is not None:
            self._epochs = ExecutedEpochs(Archive(self._store, self._chain), wait=HISTORY_WAIT)

    def look(self) -> Overview:
        """The disputes now. Raises ChainError; without Redis who is right is unknown."""
        self._reader.poll()
        court, block, now = self._reader.court, self._reader.block, self._l1.now()
        operator = self._presence.look(now)
        try:
            withheld = find_withheld(self._store, self._chain, court) if self._store else []
            return view_disputes(court, self._epochs, block, now, self._low, withheld=withheld, operator=operator)
        except RedisError as error:
            log.warning("Redis: %s", error)
            return view_disputes(court, None, block, now, self._low, operator=operator)


def connect_redis(settings: WatcherSettings) -> Redis | None:
    """The watcher's Redis, if it is there: none is started for a look."""
    url = settings.redis_url
    if not url:
        try:
            url = str(json.loads((settings.redis_dir / "server.json").read_text())["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
    redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    try:
        redis.ping()
    except RedisError:
        return None
    return redis


def make_server(address: tuple[str, int], look: Callable[[], Overview]) -> ThreadingHTTPServer:
    """An HTTP server for `/metrics` (Prometheus), `/overview` (JSON) and `/` (text); `serve_forever` runs it."""
    lock = threading.Lock()
    pages: dict[str, tuple[str, Callable[[Overview], str]]] = {
        "/metrics": ("text/plain; version=0.0.4", to_prometheus),
        "/disputes": ("application/json", lambda overview: json.dumps(overview.to_dict())),
        "/": ("text/plain; charset=utf-8", lambda overview: to_text(overview) + "\n"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if page is None:
                self.send_error(404)
                return
            try:
                with lock:
                    body = page[1](look()).encode()
            except SetoffError as error:
                self.send_error(503, str(error)[:200].replace("\n", " "))
                return
            self.send_response(200)
            self.send_header("Content-Type", page[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return ThreadingHTTPServer(address, Handler)
