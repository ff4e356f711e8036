"""HTTP connections to others, of whom none can hold up who asks: an answer has a time and a size.

A timeout of `requests` is one between two bytes: whoever sends a byte now and then, in the headers or after them, would
be waited for without an end. So here each read from the socket waits no longer than what is left of the whole.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from http.client import HTTPResponse
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.utils import get_netrc_auth
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


class Line(threading.local):
    """Where the same URL is asked again and again: a connection that stays open, of each thread its own.

    What the environment says of proxies, certificates and passwords is asked once, and the request is made once but for
    its body: to make it anew took more of the time of a short answer than everything else here.
    """

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for one request."""
        self._session = session = open_session()
        found = session.merge_environment_settings(url, {}, None, None, None)
        self._options = {**found, "stream": True, "timeout": timeout}
        wanted = requests.Request("POST", url, headers={"Content-Type": "application/json"}, auth=get_netrc_auth(url))
        self._request = session.prepare_request(wanted)
        self._adapter = session.get_adapter(url)

    def post(self, body: bytes) -> requests.Response:
        """The answer, its body for `read_whole`. Raises RequestException; no redirect is followed."""
        request = self._request
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        answer = self._adapter.send(request, **self._options)
        if "Set-Cookie" in answer.headers:  # by which a balancer of many nodes finds the one that it began with
            extract_cookies_to_jar(self._session.cookies, request, answer.raw)
            request.headers.pop("Cookie", None)
            request.prepare_cookies(self._session.cookies)
        return answer


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
