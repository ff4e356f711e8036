"""Witness bundles served by whoever the test likes: honest, or lying in any way that it can think of."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from tests.support.processes.serving import serving

from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witnesses import cut_bundle
from setoff.shared.wire.refusals import answer_errors
from setoff.shared.wire.witnesses import PATH, show_boundaries


class WitnessStand:
    """What is said of one epoch, and given of its batches, by their numbers."""

    def __init__(self, epoch: int, commitment: bytes, batches: list[Batch]) -> None:
        self.epoch = epoch
        self.commitment = commitment
        self.batches = batches
        self.boundaries: list[bytes] = []
        self.bundles: dict[int, bytes] = {}
        self.blobs: dict[bytes, bytes] = {}
        """By versioned hash."""
        self.asked: list[str] = []
        """What was asked for, in order: nothing before the boundaries."""

    def run(self, machine: Machine, first: int = 0) -> Machine:
        """Make the bundles from one batch of the epoch on, honestly, from whatever machine; the one after the last."""
        self.boundaries[first:] = [machine.hash()]
        for batch in self.batches[first:]:
            self.bundles[batch.header.number] = cut_bundle(machine, batch).encode()
            self.boundaries.append(machine.hash())
        return machine

    def make_app(self) -> web.Application:
        app = web.Application(middlewares=[answer_errors])
        app.add_routes([web.get(PATH + "/{epoch}", self._tell), web.get(PATH + "/{epoch}/{batch}", self._give)])
        app.router.add_get("/v1/blobs/{hash}", self._give_blob)
        return app

    async def _give_blob(self, request: web.Request) -> web.Response:
        text = request.match_info["hash"]
        self.asked.append(f"blob {text}")
        blob = self.blobs.get(bytes.fromhex(text.removeprefix("0x")))
        return web.Response(status=404) if blob is None else web.Response(body=blob)

    async def _tell(self, request: web.Request) -> web.Response:
        self.asked.append("boundaries")
        return web.json_response(show_boundaries(self.epoch, self.commitment, self.boundaries))

    async def _give(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["batch"])
        self.asked.append(f"batch {number}")
        bundle = self.bundles.get(number)
        if bundle is None:
            return web.Response(status=404)
        if bundle == b"endless":
            answer = web.StreamResponse()
            await answer.prepare(request)
            while True:
                await answer.write(bytes(1 << 18))
        return web.Response(body=bundle)


@contextmanager
def serving_stand(stand: WitnessStand) -> Iterator[str]:
    """On a free port; its URL."""
    with serving(stand.make_app) as url:
        yield url
