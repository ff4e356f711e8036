"""A way to a node: what the environment says of it holds."""

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from setoff.shared.l1 import endpoint
from setoff.shared.l1.endpoint import Endpoint, Unanswered


class Proxy(ThreadingHTTPServer):
    """Answers whatever it is asked, for whichever node."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []  # the node, what was said to be allowed to ask
        self.cookies: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        self.server.cookies.append(self.headers.get("Cookie", ""))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x7"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if self.path.endswith("balanced"):
            self.send_header("Set-Cookie", f"backend={len(self.server.cookies)}; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
        yield server
        server.shutdown()


def test_a_proxy_of_the_environment_is_used(proxy: Proxy) -> None:
    assert Endpoint("http://node.invalid/key", 5.0).ask("eth_chainId", []) == "0x7"
    assert [node for node, _ in proxy.asked] == ["http://node.invalid/key"]


def test_a_balancer_is_given_its_cookie_back(proxy: Proxy) -> None:
    node = Endpoint("http://node.invalid/balanced", 5.0)
    for _ in range(3):
        node.ask("eth_chainId", [])
    assert proxy.cookies == ["", "backend=1", "backend=2"]


def test_what_is_to_go_without_a_proxy_does(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "node.invalid")
    with pytest.raises(Unanswered):
        Endpoint("http://node.invalid/", 5.0).ask("eth_chainId", [])
    assert proxy.asked == []


def test_a_password_is_taken_from_the_url_or_from_netrc(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine known.invalid login trader password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for url in ("http://known.invalid/", "http://trader:secret@other.invalid/", "http://nobody.invalid/"):
        Endpoint(url, 5.0).ask("eth_chainId", [])
    word = "Basic " + base64.b64encode(b"trader:secret").decode()
    assert [said for _, said in proxy.asked] == [word, word, ""]


class Dripping:
    """A node that begins an answer, and goes on with a byte now and then for as long as it is left."""

    def __init__(self, begin: bytes, drip: bytes, pause: float) -> None:
        self._begin, self._drip, self._pause = begin, drip, pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = self.sent = 0
        self.stop = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.asked += 1
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(1 << 16)
            connection.sendall(self._begin)
            while not self.stop.wait(self._pause):
                connection.sendall(self._drip)
                self.sent += len(self._drip)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._socket.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("begin", "drip"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD, b"X"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD.replace(b"200 OK", b"307 Elsewhere") + b"Location: /\r\nContent-Length: 100000\r\n\r\n", b" "),
    ],
    ids=["continue", "headers", "body", "chunks", "redirect"],
)
def test_an_answer_that_comes_byte_by_byte_is_none(begin: bytes, drip: bytes) -> None:
    with Dripping(begin, drip, 0.02) as node:
        line = Endpoint(node.url, 0.3)
        for _ in range(3):
            with pytest.raises(Unanswered):
                line.ask("eth_chainId", [])
        assert node.asked == 3


def test_an_answer_of_any_size_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_BYTES", 1 << 20)
    with Dripping(HEAD + b"\r\n", b" " * (1 << 16), 0.0) as node:
        with pytest.raises(Unanswered):
            Endpoint(node.url, 30.0).ask("eth_chainId", [])
        assert node.sent < 1 << 26


def test_a_proxy_does_not_hold_up_who_asks(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """`proxy` keeps the environment's own settings away."""
    with Dripping(HEAD, b"X", 0.02) as node:
        monkeypatch.setenv("https_proxy", node.url)
        with pytest.raises(Unanswered):
            Endpoint("https://node.invalid/", 0.3).ask("eth_chainId", [])
        assert node.asked == 1


def test_a_node_sends_nobody_elsewhere(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    elsewhere = b"Location: http://node.invalid/\r\nContent-Length: 0\r\n\r\n"
    begin = HEAD.replace(b"200 OK", b"307 Elsewhere") + elsewhere
    with Dripping(begin, b"", 0.1) as node, pytest.raises(Unanswered, match="307"):
        Endpoint(node.url, 5.0).ask("eth_chainId", [])
    assert proxy.asked == []
