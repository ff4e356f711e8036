"""HTTP connections to others, of whom none can hold up who asks: an answer has a time and a size.

A timeout of `requests` is one between two bytes: whoever sends a byte now and then, in the headers or after them, would
be waited for without an end. So here each read from the socket waits no longer than what is left of the whole.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

WHOLE: Final = 2
"""Times its timeout that an answer may take in all: time for one that is long, and no more."""

CHUNK: Final = 1 << 16

ONCE: Final[dict[str, Any]] = {"stream": True, "allow_redirects": False}
"""How everybody is asked: the body is for `read_whole`; and no redirect is followed, for who is asked has no say in
what else is asked from here, and nothing bounds what a redirect says on the way."""


def open_session() -> requests.Session:
    """A session of one thread. An answer that takes too long is a RequestException, wherever it is read."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session


def read_whole(answer: requests.Response, most: int) -> bytes:
    """The body of an answer that was asked for with `stream=True`. Raises RequestException if it is longer than `most`
    bytes, packed or not."""
    content = bytearray()
    for chunk in answer.iter_content(CHUNK):
        content += chunk
        if len(content) > most:
            answer.close()
            raise requests.ConnectionError("an answer without an end")
    return bytes(content)


class _Hurried(io.RawIOBase):
    """What comes from a socket within WHOLE times the timeout that it has when this is made."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase) -> None:
        self._connection = connection
        self._raw = raw
        self._timeout = connection.gettimeout()
        self._ends_at = time.monotonic() + WHOLE * (self._timeout or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is not None:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError("no whole answer in time")
            self._connection.settimeout(min(left, self._timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """Also of the proxy that is asked for a tunnel."""

    def __init__(self, connection: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(connection, *arguments, **options)
        self.fp = io.BufferedReader(_Hurried(connection, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """Makes such connections, to the node or to a proxy. (A SOCKS proxy needs its own: it is left as it is.)"""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _hurry(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if isinstance(manager, ProxyManager) and not proxy.lower().startswith("socks"):
            _hurry(manager)
        return manager


def _hurry(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
