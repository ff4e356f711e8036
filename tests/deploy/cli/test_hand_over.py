"""`setoff receipts hand-over`: who is asked can answer what it likes, and holds nobody up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from setoff.deploy.cli.commands.receipts import MOST_BYTES, hand_over
from setoff.shared.errors import ChainError


class OneReceipt:
    """A store of receipts, as far as they are shown."""

    def __init__(self) -> None:
        self.kept = {0: [type("Signed", (), {"to_json": lambda self: {}})()]}


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_what_the_watcher_has_is_said() -> None:
    with answering(200, b'{"kept": 1}') as url:
        assert hand_over(url, OneReceipt()) == (1, 1)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>", {}),
        (200, b"[1, 2]", {}),
        (200, b"{}", {}),
        (200, b" " * (MOST_BYTES + 1) + b'{"kept": 1}', {}),
        (302, b"", {"Location": "http://127.0.0.1:1/"}),
    ],
    ids=["a page", "a list", "no number", "too long", "elsewhere"],
)
def test_any_other_answer_is_none(status: int, body: bytes, headers: dict[str, str]) -> None:
    with answering(status, body, **headers) as url, pytest.raises(ChainError, match="does not answer"):
        hand_over(url, OneReceipt())
