"""Views of the exchange, made once for each of its states, for a part of the processor's time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from setoff.operator.api.clients import get_client
from setoff.operator.api.lookup import read_exchange
from setoff.operator.api.read_budget import ReadBudget
from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.exchange import Exchange

MAX_SHOWN: Final = 1000
"""Answers that are kept."""


class Reader:
    """Shows the exchange of one sequencer to whoever asks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown = ShownOnce()
        self.budget = ReadBudget()

    @property
    def turns(self) -> int:
        """The exchange is the same as long as this is."""
        return self._desk.turns

    @property
    def l1_time(self) -> int:
        """Timestamp of L1 at the last look."""
        return self._desk.l1_time

    async def read(self) -> Exchange:
        """The exchange as it may be read now. Raises StateError("not_ready")."""
        return await read_exchange(self._desk)

    async def show(
        self, request: web.Request, name: str, make: Callable[[Exchange], Mapping[str, Any]]
    ) -> web.Response:
        """The view called `name`; asked for again before anything has changed, it is the same bytes. Making another one
        goes against the budget."""
        exchange = await self.read()
        client = get_client(request)

        def work() -> bytes:
            self.budget.check(client)
            start = time.thread_time()
            try:
                return json.dumps(make(exchange)).encode()
            finally:
                self.budget.charge(client, time.thread_time() - start)

        body = self._shown.get((id(exchange), self._desk.turns), name, work)
        return web.Response(body=body, content_type="application/json")


class ShownOnce:
    """Answers, kept until the exchange changes."""

    def __init__(self) -> None:
        self._version: object = None
        self._bodies: dict[str, bytes] = {}

    def get(self, version: object, name: str, make: Callable[[], bytes]) -> bytes:
        """The answer called `name` of this version of the exchange."""
        if version != self._version or len(self._bodies) >= MAX_SHOWN:
            self._version = version
            self._bodies.clear()
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = make()
        return body
