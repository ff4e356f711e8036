"""What closed batches have left behind: the batches themselves, and the proofs of withdrawals."""

from __future__ import annotations

import asyncio

from aiohttp import web

from setoff.operator.api.routes import Handlers
from setoff.operator.api.views.record_views import show_batch
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.errors import InputError


class ClosedHandlers:
    """Shows what is in the outbox, whatever the sequencer does."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def handlers(self) -> Handlers:
        """By operation."""
        return {"getBatch": self.get_batch, "getWithdrawal": self.get_withdrawal}

    async def get_batch(self, _: web.Request, number: int) -> web.Response:
        """A closed batch."""
        sealed = await asyncio.to_thread(self._outbox.get, number)
        if sealed is None:
            kept = await asyncio.to_thread(self._outbox.kept_from)
            why = f"is on L1 alone: here they are kept from {kept} on" if number < kept else "is not closed yet"
            raise InputError("not_found", f"batch {number} {why}")
        posted = await asyncio.to_thread(self._outbox.posted)
        return web.json_response(show_batch(sealed, number < posted))

    async def get_withdrawal(self, _: web.Request, index: int) -> web.Response:
        """The proof of a withdrawal."""
        proof = await asyncio.to_thread(self._outbox.withdrawal, index)
        if proof is None:
            raise InputError("not_found", f"there is no proof of withdrawal {index} yet")
        return web.json_response(proof.to_json())
