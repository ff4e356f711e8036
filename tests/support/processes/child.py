"""A sequencer in a process of its own, for tests that kill it: `python child.py REDIS_URL` prints its URL.

Its L1 is written by hand: the opening messages, and then a deposit every now and then, as time goes by.
"""

import asyncio
import itertools
import sys
import time

from redis import Redis
from tests.support.processes.running_operator import DEPLOYMENT, SETTINGS, HandL1, make_signer, opening

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic, stamp_all
from setoff.operator.api import loop
from setoff.operator.api.service import serve
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.settings import OperatorSettings


class PassingL1(HandL1):
    """The same messages in every process, more of them as time goes by; batches are posted when they are closed."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox
        self._traffic = SampleTraffic()
        self.messages = stamp_all(opening(self._traffic), START_TIME)
        self._start = int(sys.argv[2])

    async def look(self, first: int, queue_hash: bytes) -> L1View:
        passed = int((time.time() - self._start) * 2)
        while len(self.messages) < passed:
            self.messages += stamp_all([self._traffic.deposit(4, len(self.messages))], START_TIME)
        while len(self.posted) <= self._outbox.latest():
            self.take(self._outbox)
        self.time = START_TIME + passed
        return L1View(first, self.time, self.messages[first:], [self.time] * len(self.messages[first:]))


async def run() -> None:
    settings = OperatorSettings(**(SETTINGS | {"api_processes": 1, "batch_interval": 0.05, "snapshot_batches": 4}))
    l1 = PassingL1(Outbox(Redis.from_url(sys.argv[1]), DEPLOYMENT.namespace))
    async with serve(settings, DEPLOYMENT, sys.argv[1], l1, l1, make_signer()) as (_, url):
        print(url, flush=True)
        for _ in itertools.count():
            await asyncio.sleep(3600)


if __name__ == "__main__":
    loop.run(run())
