"""A few pages over HTTP for whoever watches over a service, made anew for every request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

from setoff.shared.errors import SetoffError

PROMETHEUS: Final = "text/plain; version=0.0.4"
JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"


class Page(NamedTuple):
    """A page: the type of its content, and what makes it; with a status other than 200 if it is bad news."""

    type: str
    make: Callable[[], str | tuple[int, str]]


def make_server(address: tuple[str, int], pages: Mapping[str, Page]) -> ThreadingHTTPServer:
    """An HTTP server for these pages, by path; `serve_forever` runs it."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if page is None:
                self.send_error(404)
                return
            try:
                with lock:
                    made = page.make()
            except SetoffError as error:
                self.send_error(503, str(error)[:200].replace("\n", " "))
                return
            status, text = (200, made) if isinstance(made, str) else made
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", page.type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return ThreadingHTTPServer(address, Handler)
