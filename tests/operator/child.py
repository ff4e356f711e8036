"""A sequencer in a process of its own, for tests that kill it: `python child.py REDIS_URL` prints its URL.

Its L1 is written by hand: the opening messages, and then a deposit every now and then, as time goes by.
"""

import asyncio
import itertools
import sys
import time

from tests.operator.support import DEPLOYMENT, SETTINGS, make_notary, opening

from setoff.deploy.scene import START_TIME, Scene
from setoff.operator.messages import L1View
from setoff.operator.service import serve
from setoff.shared.adapters.config import OperatorSettings


class PassingL1:
    """The same messages in every process, more of them as time goes by."""

    def __init__(self) -> None:
        self._scene = Scene()
        self._messages = opening(self._scene)
        self._start = int(sys.argv[2])

    async def look(self, first: int, chain: bytes) -> L1View:
        passed = int((time.time() - self._start) * 20)
        while len(self._messages) < passed:
            self._messages.append(self._scene.deposit(4, len(self._messages)))
        return L1View(START_TIME + passed, self._messages[first:])


async def run() -> None:
    settings = OperatorSettings(**(SETTINGS | {"batch_interval": 0.05, "snapshot_batches": 4}))
    async with serve(settings, DEPLOYMENT, sys.argv[1], PassingL1(), notary=make_notary()) as (_, url):
        print(url, flush=True)
        for _ in itertools.count():
            await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(run())
