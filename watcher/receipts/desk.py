"""Takes receipts over HTTP, from whoever holds some, and shows what became of them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from setoff.shared.errors import InputError
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.receipts import SignedReceipt
from setoff.watcher.receipts.docket import ReceiptDocket

MAX_HANDED: Final = 256
"""Receipts of one request."""


class ReceiptDesk:
    """Takes receipts of one deployment."""

    def __init__(self, store: ReceiptDocket, domain: bytes, operator: bytes) -> None:
        """`operator`: the 20-byte address whose signature counts."""
        self._store = store
        self._domain = domain
        self._operator = operator

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.post("/v1/receipts", self.take), web.get("/v1/receipts", self.show)]

    async def take(self, request: web.Request) -> web.Response:
        """Keep receipts."""
        handed = parse_json(await request.read()).get("receipts")
        if not isinstance(handed, list) or not 1 <= len(handed) <= MAX_HANDED:
            raise InputError("missing_field", f"'receipts' is a list of 1 to {MAX_HANDED} receipts")
        signed = await asyncio.to_thread(self._check, handed)
        return web.json_response({"kept": await asyncio.to_thread(self._store.put, signed)})

    async def show(self, _: web.Request) -> web.Response:
        """How many there are, and the charges."""
        waiting, kept = await asyncio.to_thread(self._store.count)
        cases = await asyncio.to_thread(self._store.cases)
        charges = [
            {"kind": case.kind, "sequence": case.sequence, "text": case.text, "state": case.state} for case in cases
        ]
        return web.json_response({"waiting": waiting, "kept": kept, "charges": charges})

    def _check(self, handed: list[Any]) -> list[SignedReceipt]:
        signed = [SignedReceipt.from_json(shown) for shown in handed]
        for one in signed:
            one.check(self._domain, self._operator)
        return signed
