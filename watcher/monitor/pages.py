"""The disputes over HTTP, looked at anew for every request."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import ThreadingHTTPServer

from setoff.shared.wire import pages
from setoff.shared.wire.pages import Page
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.monitor.text import to_text


def make_server(address: tuple[str, int], look: Callable[[], Overview]) -> ThreadingHTTPServer:
    """An HTTP server for `/metrics` (Prometheus), `/disputes` (JSON) and `/` (text); `serve_forever` runs it."""
    return pages.make_server(
        address,
        {
            "/metrics": Page(pages.PROMETHEUS, lambda: to_prometheus(look())),
            "/disputes": Page(pages.JSON, lambda: json.dumps(look().to_dict())),
            "/": Page(pages.TEXT, lambda: to_text(look()) + "\n"),
        },
    )
