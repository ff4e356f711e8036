"""What closed batches have left behind: the batches themselves, and the proofs of withdrawals."""

from __future__ import annotations

import asyncio

from aiohttp import web

from setoff.operator.api import views
from setoff.operator.api.lookup import parse_number
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.errors import InputError


class ClosedHandlers:
    """Shows what is in the outbox, whatever the sequencer does."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [
            web.get("/v1/batches/{number}", self.get_batch),
            web.get("/v1/withdrawals/{index}", self.get_withdrawal),
        ]

    async def get_batch(self, request: web.Request) -> web.Response:
        """A closed batch."""
        number = parse_number(request.match_info["number"], "batch")
        sealed = await asyncio.to_thread(self._outbox.get, number)
        if sealed is None:
            kept = await asyncio.to_thread(self._outbox.kept_from)
            why = f"is on L1 alone: here they are kept from {kept} on" if number < kept else "is not closed yet"
            raise InputError("not_found", f"batch {number} {why}")
        posted = await asyncio.to_thread(self._outbox.posted)
        return web.json_response(views.show_batch(sealed, number < posted))

    async def get_withdrawal(self, request: web.Request) -> web.Response:
        """The proof of a withdrawal."""
        index = parse_number(request.match_info["index"], "withdrawal")
        proof = await asyncio.to_thread(self._outbox.withdrawal, index)
        if proof is None:
            raise InputError("not_found", f"there is no proof of withdrawal {index} yet")
        return web.json_response(proof.to_json())
