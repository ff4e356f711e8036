"""Blobs beyond the time for which nodes keep them: served to other watchers, taken from whoever has them, missed aloud.

    GET  /v1/blobs/0x…    the blob of that versioned hash, its 131,072 bytes; 404 if it is not here
    POST /v1/blobs        a blob, as its bytes; taken if a posted batch of this deployment waits for it

Nobody has to be trusted with either: a blob is checked against its hash by whoever takes it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from aiohttp import web

from setoff.shared.errors import DataError, InputError
from setoff.shared.machine.blobs import BLOB_BYTES, commit, hash_commitment
from setoff.watcher.store import Store

HASH_BYTES: Final = 32

log = logging.getLogger(__name__)


def keep_blob(store: Store, blob: bytes, *, must_be_wanted: bool = False) -> bytes:
    """Keep a blob that somebody has handed in; returns its versioned hash.

    Raises InputError: "data_mismatch" if it is no blob, "not_found" if it `must_be_wanted` and no posted batch waits.
    """
    if len(blob) != BLOB_BYTES:
        raise InputError("data_mismatch", f"a blob has {BLOB_BYTES} bytes, not {len(blob)}")
    try:
        versioned_hash = hash_commitment(commit(blob))
    except DataError as error:
        raise InputError("data_mismatch", error.detail) from None
    if must_be_wanted and not store.is_wanted(versioned_hash):
        raise InputError("not_found", f"no posted batch waits for blob 0x{versioned_hash.hex()}")
    store.put_blob(versioned_hash, blob)
    return versioned_hash


class BlobDesk:
    """Gives blobs to everybody, and takes those that are missing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.get("/v1/blobs/{hash}", self.give), web.post("/v1/blobs", self.take)]

    async def give(self, request: web.Request) -> web.Response:
        """A blob by its versioned hash."""
        text = request.match_info["hash"].removeprefix("0x")
        try:
            versioned_hash = bytes.fromhex(text)
        except ValueError:
            versioned_hash = b""
        if len(versioned_hash) != HASH_BYTES:
            raise InputError("missing_field", "a versioned hash is 0x and 64 hex digits")
        blob = await asyncio.to_thread(self._store.blob, versioned_hash)
        if blob is None or len(blob) != BLOB_BYTES:
            raise InputError("not_found", f"blob 0x{text} is not here")
        # Browsers of any operator's console may read it: everybody may have it, and checks it.
        headers = {"Access-Control-Allow-Origin": "*"}
        return web.Response(body=blob, content_type="application/octet-stream", headers=headers)

    async def take(self, request: web.Request) -> web.Response:
        """Keep a blob that is missing."""
        blob = await request.read()
        if not await asyncio.to_thread(self._store.has_wants):
            raise InputError("not_found", "no posted batch waits for a blob")
        versioned_hash = await asyncio.to_thread(keep_blob, self._store, blob, must_be_wanted=True)
        return web.json_response({"kept": "0x" + versioned_hash.hex()})
