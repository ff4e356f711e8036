"""Who comes first in a market, for whoever asks."""

from __future__ import annotations

import math

from aiohttp import web

from setoff.operator.api.lookup import find_market
from setoff.operator.api.reader import Reader
from setoff.operator.api.risk.desk import KEPT, RiskDesk
from setoff.operator.api.routes import Handlers
from setoff.operator.api.views.scales import Scales


class RiskHandlers:
    """Of one service."""

    def __init__(self, reader: Reader, scales: Scales) -> None:
        self._reader = reader
        self._scales = scales
        self._desk = RiskDesk(reader, scales)

    def handlers(self) -> Handlers:
        """By operation."""
        return {"getRisk": self.get_risk}

    async def get_risk(self, request: web.Request, market: str) -> web.Response:
        """Of a market. What lies between may keep it as long as this does."""
        number = find_market(self._scales, await self._reader.read(), market)
        answer = await self._desk.ask(number)
        headers = {"Cache-Control": f"public, max-age={math.ceil(KEPT)}", "Vary": "Accept-Encoding"}
        body = answer.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers = answer.packed, headers | {"Content-Encoding": "gzip"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def stop(self, _: web.Application) -> None:
        """Nothing is made any more."""
        await self._desk.stop()
