"""The console's files, served under /console/ with headers that let a page run nothing but these files.

All of them are read when the service starts: a build that is made meanwhile shows after the next start. Names of files
hold a hash of what is in them, so browsers keep them; `index.html` and `config.json` are asked for each time.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from setoff.shared.console.settings import NONE, ConsoleSettings
from setoff.shared.errors import ConfigError, InputError
from setoff.shared.wire.page_headers import PAGE_HEADERS

PATH: Final = "/console"
"""Where it is."""
BUILT: Final = Path(__file__).resolve().parents[2] / ".node" / "console" / "dist"
"""Where `deploy/run console-path` builds it."""
INDEX: Final = "index.html"
KEPT: Final = "public, max-age=31536000, immutable"
ASKED: Final = "no-cache"
LEAST: Final = 1024
"""Bytes below which nothing is packed."""
Role = Literal["operator", "watcher"]


class Console:
    """The files of one service. Raises ConfigError where the folder that was named has no console in it."""

    def __init__(self, settings: ConsoleSettings, role: Role) -> None:
        self._files = read_files(settings)
        self._headers = PAGE_HEADERS | {
            "Content-Security-Policy": make_policy(settings.console_rpc_url, settings.console_blobs_url)
        }
        self._config = {
            "role": role,
            "rpc_url": settings.console_rpc_url,
            "blobs_url": settings.console_blobs_url.rstrip("/"),
        }
        self._packed: dict[str, bytes] = {}  # those that were asked for

    @property
    def is_there(self) -> bool:
        """Whether there is one."""
        return bool(self._files)

    def routes(self) -> list[web.RouteDef]:
        """For an application."""
        return [
            web.get(PATH, self.redirect),
            web.get(PATH + "/config.json", self.show_config),
            web.get(PATH + "/{name:.*}", self.show_file),
        ]

    async def redirect(self, _: web.Request) -> web.StreamResponse:
        """Relative names of the page need the slash."""
        return web.Response(status=308, headers={"Location": PATH + "/"})

    async def show_config(self, _: web.Request) -> web.Response:
        """Whose console it is: {"role": "operator" or "watcher", "rpc_url": of an L1 node, "blobs_url":
        of a watcher that serves blobs; "" for none}."""
        return web.json_response(self._config, headers=self._headers | {"Cache-Control": ASKED})

    async def show_file(self, request: web.Request) -> web.Response:
        """A file, packed for whoever takes that."""
        name = request.match_info["name"] or INDEX
        data = self._files.get(name)
        if data is None:
            detail = f"there is nothing at {request.path[:80]}" if self._files else "the console was not built here"
            raise InputError("not_found", detail)
        headers = self._headers | {"Cache-Control": ASKED if name == INDEX else KEPT, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(data) >= LEAST and _is_text(name):
            if name not in self._packed:
                self._packed[name] = await asyncio.to_thread(gzip.compress, data)
            data, headers = self._packed[name], headers | {"Content-Encoding": "gzip"}
        kind = _guess_type(name)
        charset = "utf-8" if _is_text(name) else None
        return web.Response(body=data, content_type=kind, charset=charset, headers=headers)


def read_files(settings: ConsoleSettings) -> Mapping[str, bytes]:
    """All files of the console by name, none where none was built. Raises ConfigError."""
    if settings.console == NONE:
        return {}
    folder = Path(settings.console).expanduser() if settings.console else BUILT
    if not (folder / INDEX).is_file():
        if settings.console:
            raise ConfigError("bad_config", f"console: there is no {INDEX} in {folder}")
        return {}
    try:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    except OSError as error:
        raise ConfigError("bad_config", f"console: {folder} cannot be read: {error.strerror}") from None


def make_policy(*others: str) -> str:
    """The Content-Security-Policy: scripts, styles and workers of these files alone, and no other place to talk to than
    this service and `others`, URLs, empty ones left out. WebAssembly is the second verifier's hash function."""
    places = [urlsplit(url) for url in others if url]
    named = "".join(f" {each.scheme}://{each.netloc}" for each in places)
    return (
        f"default-src 'self'; connect-src 'self'{named}; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; script-src 'self' 'wasm-unsafe-eval'"
    )


def _guess_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _is_text(name: str) -> bool:
    kind = _guess_type(name)
    return kind.startswith("text/") or kind in ("application/javascript", "application/json", "image/svg+xml")
