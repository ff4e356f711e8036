"""The disputes over HTTP, looked at anew for every request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from setoff.shared.errors import SetoffError
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.monitor.text import to_text


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
