"""Machines served as a watcher serves them, from a dictionary that the test fills with whatever it likes."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from tests.support.processes.serving import serving

from setoff.shared.machine.machine import Machine
from setoff.shared.wire.refusals import answer_errors
from setoff.shared.wire.snapshots import SnapshotDesk


class SnapshotShelf:
    """What is served, by machine hash, packed."""

    def __init__(self) -> None:
        self.packed: dict[bytes, bytes] = {}

    def put(self, machine: Machine, name: bytes | None = None) -> bytes:
        """Serve a machine, under its hash or another `name`; its hash."""
        machine_hash = machine.hash()
        self.packed[name or machine_hash] = zlib.compress(machine.snapshot())
        return machine_hash

    def make_app(self) -> web.Application:
        desk = SnapshotDesk(
            lambda: list(self.packed),
            lambda each: len(self.packed.get(each, b"")),
            lambda each, at, length: self.packed[each][at : at + length],
        )
        app = web.Application(middlewares=[answer_errors])
        app.add_routes(desk.routes())
        return app


@contextmanager
def serving_shelf(shelf: SnapshotShelf) -> Iterator[str]:
    """On a free port; its URL."""
    with serving(shelf.make_app) as url:
        yield url
