"""A page with a price, as an exchange serves one: it can be told another price, to fail, and to go away."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class PricePage:
    """A context manager that stops the server."""

    def __init__(self, price: float) -> None:
        self.price = price
        self.is_failing = False
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"data": [{"last": str(page.price)}]}).encode()
                self.send_response(500 if page.is_failing else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.source = f"http://127.0.0.1:{self._server.server_address[1]}/ticker#/data/0/last"
        """As a feeder's settings name it."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
