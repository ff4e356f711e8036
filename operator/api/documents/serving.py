"""The documents, served: each made when it is asked for first, away from the event loop, and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from setoff.operator.api.routes import Handlers

_NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=300"}


class DocumentHandlers:
    """Shows what the table of operations says. What makes the documents is loaded with the first of them."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}
        self._making = asyncio.Lock()

    def handlers(self) -> Handlers:
        """By operation."""
        return {"getOpenApi": self.get_openapi, "getAsyncApi": self.get_asyncapi, "getDocs": self.get_docs}

    async def get_openapi(self, _: web.Request) -> web.Response:
        """For tools that generate clients."""
        return await self._serve("openapi", "application/json", _NO_SNIFFING)

    async def get_asyncapi(self, _: web.Request) -> web.Response:
        """Of the WebSockets."""
        return await self._serve("asyncapi", "application/json", _NO_SNIFFING)

    async def get_docs(self, _: web.Request) -> web.Response:
        """For people."""
        from setoff.operator.api.documents.page import HEADERS

        return await self._serve("page", "text/html", HEADERS)

    async def _serve(self, name: str, kind: str, headers: Mapping[str, str]) -> web.Response:
        async with self._making:
            if name not in self._made:
                self._made[name] = await asyncio.to_thread(_make, name)
        return web.Response(body=self._made[name], content_type=kind, charset="utf-8", headers=headers)


def _make(name: str) -> bytes:
    from setoff.operator.api.documents.asyncapi import make_asyncapi
    from setoff.operator.api.documents.openapi import make_openapi
    from setoff.operator.api.documents.page import make_page

    if name == "page":
        return make_page().encode()
    document: dict[str, Any] = make_openapi() if name == "openapi" else make_asyncapi()
    return json.dumps(document).encode()
