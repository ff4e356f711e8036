"""What stands between an actor and its L1 node: it passes everything on, until it is told to be dead, or to censor.

A censor here is one of block builders: the transaction is taken and answered with its hash, and gets into no block. A
sender sees that nobody knows it and sends it again; what he sends after it waits for it, as on any chain.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import requests
import rlp

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.contracts import COURT

TIMEOUT: Final = 30.0
_DYNAMIC_FEE: Final = 2
"""EIP-2718 type of the transactions that senders make."""
_DATA: Final = 7
"""Index of the calldata among the fields of such a transaction."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked is gone, or was killed: that is no news."""


class Node:
    """A JSON-RPC address before another one."""

    def __init__(self, upstream: str) -> None:
        """Serves at once, from threads of its own."""
        self.is_dead = False
        self.censored: frozenset[bytes] = frozenset()
        """Selectors of calls that get into no block."""
        self._upstream = upstream
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one piece: the second of two would wait until the first is acknowledged

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = node._answer(body)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._local = threading.local()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="node", daemon=True).start()

    def censor(self, calls: Collection[str]) -> None:
        """Keep these calls of the court out of all blocks; none of them: no more."""
        self.censored = frozenset(COURT.functions[call].selector for call in calls)

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, body: bytes) -> bytes | None:
        """The node's answer, None for none."""
        if self.is_dead:
            return None
        if self.censored and b"eth_sendRawTransaction" in body:
            request = json.loads(body)
            raw = bytes.fromhex(request["params"][0][2:])
            if _selector(raw) in self.censored:
                return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "0x" + keccak(raw).hex()}).encode()
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False  # the node is on this machine
        try:
            reply = self._local.session.post(
                self._upstream, data=body, headers={"Content-Type": "application/json"}, timeout=TIMEOUT
            )
        except requests.RequestException:
            return None
        return None if self.is_dead else bytes(reply.content)


def _selector(raw: bytes) -> bytes:
    """The first bytes of a transaction's calldata."""
    if raw[:1] != bytes([_DYNAMIC_FEE]):
        return b""
    return bytes(rlp.decode(raw[1:])[_DATA][:4])
