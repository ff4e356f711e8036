"""A way to a node: what the environment says of it holds."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from setoff.shared.l1.endpoint import Endpoint, Unanswered


class Proxy(ThreadingHTTPServer):
    """Answers whatever it is asked, for whichever node."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []  # the node, what was said to be allowed to ask


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x7"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
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
