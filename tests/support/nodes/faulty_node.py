"""A node that does not tell everything: a real HTTP server in front of a real chain, with faults in between.

A fault is a callable (`faults.py`): it gets the question and the way to the answer, and may change either, or raise
`Hangup` or `HttpAnswer` in place of an answer.
"""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import requests

Answer = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A JSON-RPC request."""

    method: str
    params: tuple[Any, ...]
    id: Any = 1

    def ask(self, *params: Any) -> "Question":
        """The same with other parameters."""
        return replace(self, params=params)

    def answer(self, result: Any) -> Answer:
        return {"jsonrpc": "2.0", "id": self.id, "result": result}

    def refuse(self, code: int, message: str, data: Any = None) -> Answer:
        error = {"code": code, "message": message}
        return {"jsonrpc": "2.0", "id": self.id, "error": error if data is None else {**error, "data": data}}

    def revert(self, reason: str) -> Answer:
        """A contract has refused the call."""
        data = "0x08c379a0" + (32).to_bytes(32, "big").hex() + len(reason).to_bytes(32, "big").hex()
        return self.refuse(3, f"execution reverted: {reason}", data + reason.encode().hex().ljust(64, "0"))


Next = Callable[[Question], Answer]
Fault = Callable[[Question, Next], Answer]


class Hangup(Exception):
    """The connection is reset instead of an answer."""


class HttpAnswer(Exception):
    """A whole HTTP answer."""

    def __init__(self, status: int, body: Any = b"", **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = headers


class FaultyNode:
    """Serves at `url` what the node at `upstream` says, through its faults; a context manager that stops it.

    The first fault is the outermost. They may be changed at any time.
    """

    def __init__(self, upstream: str, *faults: Fault) -> None:
        self.upstream = upstream
        self.faults: Sequence[Fault] = faults
        self.asked: Counter[str] = Counter()
        """Questions so far, by method."""
        self.opened = ExitStack()
        """What its faults have begun, ended with it."""
        self._lock = threading.Lock()
        self._local = threading.local()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.opened.close()

    def forward(self, question: Question, url: str = "") -> Answer:
        """What the real node says, or another one at `url`."""
        body = {"jsonrpc": "2.0", "id": question.id, "method": question.method, "params": list(question.params)}
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False  # asking it at each call takes a third of the time
        answer: Answer = self._local.session.post(url or self.upstream, json=body, timeout=30).json()
        return answer

    def ask(self, question: Question) -> Answer:
        """The answer, after all faults."""
        with self._lock:
            self.asked[question.method] += 1
        faults = tuple(self.faults)

        def go_on(place: int) -> Next:
            if place == len(faults):
                return self.forward
            return lambda asked: faults[place](asked, go_on(place + 1))

        return go_on(0)(question)

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer as one piece: the second of two small ones would wait until the first is acknowledged, 40 ms.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_OPTIONS(self) -> None:
                """A browser asks whether a page of another place may ask."""
                self.send_response(204)
                for name in ("Origin", "Headers", "Methods"):
                    self.send_header(f"Access-Control-Allow-{name}", "*")
                self.end_headers()

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    body = node.ask(Question(asked["method"], tuple(asked.get("params", ())), asked.get("id")))
                    answer = HttpAnswer(200, body)
                except HttpAnswer as whole:
                    answer = whole
                except (Hangup, requests.RequestException):
                    self.close_connection = True
                    linger = struct.pack("ii", 1, 0)  # close with a reset
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
