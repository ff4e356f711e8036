"""Machines for whoever catches up: served under their machine hash, packed, in chunks, to a few at a time.

    GET  /v1/snapshots         {"machines": ["0x…", …]}, hashes of those that are here
    GET  /v1/snapshots/0x…     the machine of that hash, as `Machine.snapshot` writes it, packed by zlib; 404 if it is
                               not here, 503 while others are served

Nobody has to be trusted with one: whoever takes it computes its hash. What that costs is bounded here (`unpack`),
whatever was sent.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from setoff.shared.errors import InputError, WitnessError
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.parcels import Counter, Parcel, Spend, do_at_once

PATH: Final = "/v1/snapshots"

HASH_BYTES: Final = 32

LISTED: Final = 4096
"""Hashes that a list has at most, and that anybody reads of one."""

NODE_SHARE: Final = 12
"""Bytes of the most that a machine may have for each node of its tree: leaves that lie as they do in an exchange have
fewer, and what is made up takes no more time and memory than they."""

LIST_SECONDS: Final = 10.0
"""Seconds for which a list is kept: making one takes a look at all keys of a store."""


class SnapshotDesk:
    """Gives machines to everybody. A service tells it where they are."""

    def __init__(
        self,
        list_hashes: Callable[[], Sequence[bytes]],
        measure: Callable[[bytes], int],
        read: Callable[[bytes, int, int], bytes],
        spend: Spend = do_at_once,
    ) -> None:
        """`list_hashes`: of the machines here; `measure`: bytes of one, packed, 0 if it is not here; `read`: of one, so
        many bytes from there on, fewer where it has gone meanwhile. All are called beside the event loop. `spend`: see
        `parcels.Counter`."""
        self._list_hashes = list_hashes
        self._measure = measure
        self._read = read
        self._counter = Counter("machines", spend)
        self._listed: tuple[float, list[str]] = (-LIST_SECONDS, [])
        self._listing = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.get(PATH, self.list), web.get(PATH + "/{hash}", self.give)]

    async def list(self, request: web.Request) -> web.Response:
        """Which machines are here, as of a moment ago."""
        async with self._listing:
            if time.monotonic() - self._listed[0] > LIST_SECONDS:
                hashes = await asyncio.to_thread(self._list_hashes)
                self._listed = time.monotonic(), ["0x" + each.hex() for each in hashes[-LISTED:]]
        return web.json_response({"machines": self._listed[1]})

    async def give(self, request: web.Request) -> web.StreamResponse:
        """A machine by its hash."""
        machine_hash = read_hash(request.match_info["hash"])
        parcel = Parcel(
            f"machine 0x{machine_hash.hex()}",
            lambda: self._measure(machine_hash),
            lambda at, length: self._read(machine_hash, at, length),
        )
        return await self._counter.give(request, parcel)


def read_hash(text: str) -> bytes:
    """The machine hash in a path. Raises InputError("missing_field")."""
    try:
        machine_hash = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        machine_hash = b""
    if len(machine_hash) != HASH_BYTES:
        raise InputError("missing_field", "a machine hash is 0x and 64 hex digits")
    return machine_hash


def read_machine(packed: bytes, most: int) -> Machine:
    """The machine in what somebody has sent, whichever it is. Raises WitnessError("bad_witness") for what is none, or
    has more than `most` bytes."""
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, most)
        if not unpacking.eof:
            is_long = len(data) >= most
            raise WitnessError(
                "bad_witness", f"more than {most} bytes" if is_long else "a packed file that is cut short"
            )
        return Machine.restore(data, most // NODE_SHARE)
    except zlib.error:
        raise WitnessError("bad_witness", "no machine, packed by zlib") from None
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise WitnessError("bad_witness", "no list of registers and leaves") from None


def unpack(packed: bytes, machine_hash: bytes, most: int) -> Machine | None:
    """The machine of that hash in what somebody has sent; None if it is another, none, or of more than `most` bytes."""
    try:
        machine = read_machine(packed, most)
        return machine if machine.hash() == machine_hash else None
    except (WitnessError, ValueError, TypeError, LookupError, ArithmeticError):
        return None
