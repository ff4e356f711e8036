"""Witness bundles for whoever checks an epoch without the state and the history (`setoff verify --spot`).

    GET  /v1/witnesses/N      {"epoch": N, "epoch_hash": "0x…", "boundaries": ["0x…", …]}: the machine hash before each
                              batch of epoch N as this watcher executed it, and after the last
    GET  /v1/witnesses/N/M    the witness bundle of batch M of epoch N (protocol, section 26)

What is not there yet is made when somebody asks, by workers that have nothing else to do, one epoch at a time: 503 with
`Retry-After` until it is. 404 for an epoch that is not posted, whose start's machine is not kept here, or that is too
large for `witness_limit`. Nobody has to be trusted with any of it: bundles prove themselves against the hashes, and
these have to begin and end as L1 says.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from setoff.shared.errors import InputError, StateError
from setoff.shared.wire.parcels import Counter, Parcel
from setoff.shared.wire.witnesses import PATH, show_boundaries
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.witness_shelf import EpochName, WitnessShelf
from setoff.watcher.store import EpochResult, Store

ASKED_AT_ONCE: Final = 4
"""Questions that are looked up at the same time: each takes some reads of the store."""

SOON: Final = 2
"""Seconds after which to ask again for what is being made."""

MOST_DIGITS: Final = 18


class WitnessDesk:
    """Gives them to everybody."""

    def __init__(self, store: Store, limit: int) -> None:
        """`limit`: bytes that are kept of them; 0: none are made."""
        self._store = store
        self._jobs = Jobs(store)
        self._shelf = WitnessShelf(store)
        self._limit = limit
        self._asked = 0
        self._counter = Counter("bundles", caching="no-store")

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.get(PATH + "/{epoch}", self.tell), web.get(PATH + "/{epoch}/{batch}", self.give)]

    async def tell(self, request: web.Request) -> web.Response:
        """The machine hashes between the batches of an epoch."""
        told = await self._ask(read_number(request.match_info["epoch"]))
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    async def give(self, request: web.Request) -> web.StreamResponse:
        """The bundle of a batch."""
        epoch, number = read_number(request.match_info["epoch"]), read_number(request.match_info["batch"])
        batch, size = number - epoch * self._store.epoch_batches, self._store.epoch_batches
        if not 0 <= batch < size:
            raise InputError("not_found", f"batch {number} is not of epoch {epoch}")

        def measure() -> int:
            known = self._store.epoch(epoch)
            return 0 if known is None else self._shelf.measure(_name(known), batch)

        def read(at: int, length: int) -> bytes:
            known = self._store.epoch(epoch)
            return b"" if known is None else self._shelf.read(_name(known), batch, at, length)

        return await self._counter.give(request, Parcel(f"the witness bundle of batch {number}", measure, read))

    async def _ask(self, epoch: int) -> dict[str, Any]:
        if self._asked >= ASKED_AT_ONCE:
            raise StateError("overloaded", "others are asking; try again")
        self._asked += 1
        try:
            return await asyncio.to_thread(self._look_up, epoch)
        finally:
            self._asked -= 1

    def _look_up(self, epoch: int) -> dict[str, Any]:
        """See `tell`. Raises InputError("not_found"), StateError("not_ready")."""
        if not self._limit:
            raise InputError("not_found", "this watcher makes no witness bundles (its setting witness_limit is 0)")
        known = self._store.epoch(epoch)
        if known is None:
            if epoch >= self._store.batch_count() // self._store.epoch_batches:
                raise InputError("not_found", f"the batches of epoch {epoch} are not all posted")
            raise _later(f"epoch {epoch} is not executed yet", SOON)
        name = _name(known)
        found = self._shelf.boundaries(name)
        if len(found) == self._store.epoch_batches + 1 and (found[0], found[-1]) == (known.start, known.end):
            return show_boundaries(epoch, known.epoch_hash, found)
        self._check_can_be_made(epoch, name)
        if seconds := self._shelf.wait():
            raise _later("witness bundles are not made all the time; there are others before these", seconds)
        if not self._shelf.is_made() and not self._jobs.witness_queue().count:
            self._jobs.enqueue_witnesses(epoch, known.epoch_hash, known.start)
        raise _later(f"the witness bundles of epoch {epoch} are made as soon as there is time for them", SOON)

    def _check_can_be_made(self, epoch: int, name: EpochName) -> None:
        """Raises InputError("not_found") for an epoch of which not all is at hand, or too much."""
        if self._shelf.is_refused(name):
            most = self._limit // 10**6
            raise InputError(
                "not_found", f"the witness bundles of epoch {epoch} have more than {most} MB (witness_limit)"
            )
        size = self._store.epoch_batches
        places = [self._store.batch_place(number) for number in range(epoch * size, (epoch + 1) * size)]
        headers = self._store.headers([place.hash for place in places if place is not None])
        has_start = not epoch or self._store.has_snapshots([name.start])[0]
        if not has_start or None in headers or len(headers) < size:
            raise InputError(
                "not_found", f"the machine before epoch {epoch}, or its inputs, are not kept here any more"
            )


def read_number(text: str) -> int:
    """A number in a path. Raises InputError("missing_field")."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise InputError("missing_field", "an epoch and a batch are numbers, from 0 on")
    return int(text)


def _name(known: EpochResult) -> EpochName:
    return EpochName(known.epoch_hash, known.start)


def _later(why: str, seconds: int) -> StateError:
    return StateError("not_ready", f"{why}: ask again in {seconds} s", {"retry_after": seconds})
