"""A sequencer with its API on a real store and a free port, beside an L1 that tests write by hand."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final

import aiohttp
from redis import Redis

from setoff.deploy.simulation.sample_traffic import CHAIN_ID, START_TIME, VAULT, SampleTraffic, stamp_all, trader_key
from setoff.operator.api.service import MakeSequencer, serve
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.pace import Pace, get_patience
from setoff.operator.sequencer.receipt_signer import ReceiptSigner
from setoff.operator.sequencer.sequencer import Sequencer
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import ZERO, Batch, extend_queue_hash
from setoff.shared.machine.machine import Machine
from setoff.shared.sdk import KeySigner, SetoffClient
from setoff.shared.wire.records import encode_record

ADDRESS = "0x" + "11" * 20
DEPLOYMENT = Deployment(CHAIN_ID, ADDRESS, "0x" + VAULT.hex(), ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS)

OPERATOR_KEY = keccak(b"the operator's key")
"""The key that signs the receipts."""
HORIZON = 3600

SETTINGS: dict[str, Any] = {
    "listen": "127.0.0.1:0",
    "api_processes": 0,
    "batch_interval": 1000.0,
    "heartbeat": 0.0,
    "l1_poll": 0.02,
    "snapshot_batches": 1000,
    "max_unposted_age": 1e9,
    "history_url": "off",
}
"""Quick enough for tests; nothing closes or beats by itself."""


class HandL1:
    """L1 that says what it was told to: messages, time, and the batches it holds."""

    max_skew = 10**9
    force_delay = 0
    """Seconds after which a batch cannot leave a message out; at once: whatever waits comes into the next batch."""
    epoch_batches, epoch_interval = 1, 0
    """Batches of an epoch, least seconds between the beginnings of two."""

    def __init__(self, messages: Sequence[bytes] = (), time: int = START_TIME) -> None:
        self.messages = list(messages)
        self.time = time
        self.error: Exception | None = None
        self.queued: list[int] = []  # when each message was first seen
        self.posted: list[Batch] = []
        self.epoch_began_at = 0

    async def look(self, first: int, queue_hash: bytes) -> L1View:
        if self.error is not None:
            raise self.error
        self.messages[:] = stamp_all(self.messages, START_TIME)
        if len(self.messages) >= first and reduce(extend_queue_hash, self.messages[:first], ZERO) != queue_hash:
            raise DataError("data_mismatch", f"other messages before message {first}")
        self.queued += [self.time] * (len(self.messages) - len(self.queued))
        due = [queued + self.force_delay for queued in self.queued[: len(self.messages)]]
        return L1View(first, self.time, self.messages[first:], due[first:])

    def batch_count(self) -> int:
        if self.error is not None:
            raise self.error
        return len(self.posted)

    def batch_hash(self, number: int) -> bytes:
        return self.posted[number].header.hash() if number < len(self.posted) else ZERO

    def pace(self) -> Pace:
        began_at = self.epoch_began_at
        patience = min(self.epoch_interval, get_patience(self.max_skew))
        return Pace(self.epoch_batches, self.epoch_interval, len(self.posted), began_at, patience)

    def batch(self, number: int) -> Batch:
        return self.posted[number]

    def take(self, outbox: Outbox) -> None:
        """Take the next batch of the outbox, if it is closed and its epoch may begin."""
        number = len(self.posted)
        sealed = outbox.get(number)
        if self.pace().postable_at(number, self.time) > self.time:
            return
        if sealed is not None:
            self.posted.append(sealed.batch)
            if number % self.epoch_batches == 0:
                self.epoch_began_at = self.time
            outbox.set_posted(len(self.posted))


FAR: Final = {"maintenance_margin": 100_000}
"""A market in which orders are taken up to its band, a tenth of the mark."""


def opening(traffic: SampleTraffic, accounts: int = 3, funds: int = 10**12) -> list[bytes]:
    """Messages that list market 1, register an oracle signer and fund accounts."""
    deposits = (traffic.deposit(account, funds) for account in range(1, accounts + 1))
    return stamp_all([traffic.list_market(**FAR), traffic.set_signer(max_age=600), *deposits], START_TIME)


@contextmanager
def store(folder: Path) -> Iterator[RedisServer]:
    """A real server with its data in `folder`."""
    with RedisServer.embed(folder) as server:
        yield server


@dataclass
class Running:
    """A running operator and what tests do with it."""

    sequencer: Sequencer
    url: str
    l1: HandL1
    traffic: SampleTraffic
    redis: Redis
    http: aiohttp.ClientSession

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.redis, DEPLOYMENT.namespace)

    async def post(self, body: Any = None, *, data: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """POST /v1/records; the status and the JSON answered."""
        async with self.http.post(f"{self.url}/v1/records", json=body, data=data, headers=headers) as response:
            return response.status, await response.json()

    def trader(self, account: int) -> SetoffClient:
        """The client of one of the traders, not open yet."""
        return SetoffClient(self.url, KeySigner(trader_key(account)))

    async def submit(self, record: bytes) -> tuple[int, Any]:
        return await self.post(encode_record(record))

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(self.url + path) as response:
            return response.status, await response.json()

    async def status(self) -> dict[str, Any]:
        return (await self.get("/v1/status"))[1]


@asynccontextmanager
async def operator(
    redis_url: str,
    traffic: SampleTraffic | None = None,
    l1: HandL1 | None = None,
    signer: ReceiptSigner | None = None,
    make_sequencer: MakeSequencer = Sequencer,
    **settings: Any,
) -> AsyncIterator[Running]:
    """A started operator whose market has a price; without `l1` a fresh one with `opening`.

    It signs receipts with OPERATOR_KEY unless a `signer` is given.
    """
    traffic = traffic or SampleTraffic()
    l1 = l1 or HandL1(opening(traffic))
    chosen = OperatorSettings(**(SETTINGS | settings))
    with Redis.from_url(redis_url) as redis:
        async with (
            serve(chosen, DEPLOYMENT, redis_url, l1, l1, signer or make_signer(), make_sequencer) as (sequencer, url),
            aiohttp.ClientSession() as http,
        ):
            yield Running(sequencer, url, l1, traffic, redis, http)


async def open_market(running: Running, price: int = 100) -> None:
    """Give market 1 its first price."""
    status, answer = await running.submit(running.traffic.report(0, price))
    assert status == 200, answer


def make_signer() -> ReceiptSigner:
    return ReceiptSigner(OPERATOR_KEY, DEPLOYMENT.domain, HORIZON)


def replay(outbox: Outbox) -> Machine:
    """The machine after all closed batches, run from genesis; every batch ends where the sequencer said."""
    machine = Machine.genesis(DEPLOYMENT.domain)
    for number in range(outbox.latest() + 1):
        sealed = outbox.get(number)
        assert sealed is not None
        machine.run_batch(sealed.batch)
        assert machine.hash() == sealed.end
    return machine
