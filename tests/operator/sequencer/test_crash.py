"""`kill -9` in mid-traffic, again and again: nothing acknowledged is lost, nothing is executed twice."""

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import aiohttp
from redis import Redis
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, operator, replay

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.sequencer.journal_events import Opened, Recorded, decode_events
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import extend
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import encode_record

KILLS = 6
TRADERS = (1, 2, 3)


class Child:
    """The sequencer's process."""

    def __init__(self, redis_url: str, start: int) -> None:
        self._command = [sys.executable, "-m", "tests.support.processes.child", redis_url, str(start)]
        self.url = ""

    async def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[3]
        )
        assert self._process.stdout is not None
        self.url = (await asyncio.to_thread(self._process.stdout.readline)).strip()
        assert self.url.startswith("http://"), "the sequencer did not start"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Trader:
    """Sends orders one after the other, whatever becomes of the exchange, and remembers what was acknowledged."""

    def __init__(self, traffic: SampleTraffic, account: int, child: Child) -> None:
        self.acknowledged: dict[bytes, tuple[int, int, int]] = {}
        self.unknown: set[bytes] = set()
        self.receipts: list[SignedReceipt] = []
        self._traffic = traffic
        self._account = account
        self._child = child
        self._random = random.Random(account)

    def _make(self) -> bytes:
        side = self._random.randrange(2)
        price = 100 + self._random.randrange(-5, 6)
        flags = self._random.choice((records.GTC, records.IOC))
        return self._traffic.order(self._account, side, price, self._random.randrange(1, 9), flags=flags)

    async def run(self, http: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        while not stop.is_set():
            record = self._make()
            try:
                async with http.post(f"{self._child.url}/v1/records", json=encode_record(record)) as response:
                    answer = await response.json()
            except (aiohttp.ClientError, OSError):
                self.unknown.add(record)
                await asyncio.sleep(0.02)
                continue
            if response.status == 200:
                self.acknowledged[record] = (answer["sequence"], answer["batch"], answer["input_index"])
                self.receipts += [SignedReceipt.from_json(shown) for shown in answer["receipts"]]
            elif response.status == 503:
                self.unknown.add(record)


async def test_survives_kill_9(redis_server: RedisServer) -> None:
    traffic = SampleTraffic()
    child = Child(redis_server.url, int(time.time()))
    await child.start()
    traders = [Trader(traffic, account, child) for account in TRADERS for _ in range(4)]
    stop = asyncio.Event()
    pause = random.Random(9)
    async with aiohttp.ClientSession() as http:
        first = encode_record(traffic.report(0, 100))
        async with http.post(f"{child.url}/v1/records", json=first) as response:
            assert response.status == 200
        trading = [asyncio.create_task(trader.run(http, stop)) for trader in traders]
        for _ in range(KILLS):
            await asyncio.sleep(pause.uniform(0.2, 0.7))
            child.kill()
            await child.start()
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*trading)
        child.kill()

    acknowledged = {record: place for trader in traders for record, place in trader.acknowledged.items()}
    unknown = set().union(*(trader.unknown for trader in traders))
    assert len(acknowledged) > 50 and unknown
    with redis_server.client() as redis:
        executed, machine = read_back(redis)
    counts = Counter(record for record, _ in executed if record[0] != records.CRANK)
    assert max(counts.values()) == 1, "a record was executed twice"
    places = {record: (sequence, *place) for sequence, (record, place) in enumerate(executed)}
    assert {record: places.get(record) for record in acknowledged} == acknowledged
    extra = {record for record in places if record[0] != records.CRANK} - set(acknowledged) - unknown
    assert len(extra) == 1, "only the first report was sent by somebody else"
    running = bytes(32)
    hashes = []
    for record, _ in executed:
        running = extend(running, keccak(record))
        hashes.append((keccak(record), running))
    receipts = [signed.receipt for trader in traders for signed in trader.receipts]
    assert len(receipts) == len(acknowledged)
    assert all(hashes[receipt.sequence] == (receipt.record, receipt.running) for receipt in receipts)
    async with operator(redis_server.url, traffic, HandL1()) as recovered:
        assert (await recovered.status())["machine"] == "0x" + machine.hash().hex()
        assert (await recovered.status())["records"] == len(executed)


def read_back(redis: Redis) -> tuple[list[tuple[bytes, tuple[int, int]]], Machine]:
    """Every executed record with its batch and input index, in order, and the machine they lead to; from the store."""
    outbox = Outbox(redis, DEPLOYMENT.namespace)
    machine = replay(outbox)
    executed: list[tuple[bytes, tuple[int, int]]] = []
    for number in range(outbox.latest() + 1):
        sealed = outbox.get(number)
        assert sealed is not None
        messages = len(sealed.batch.messages)
        executed += [(record, (number, messages + i)) for i, record in enumerate(sealed.batch.records)]
    number, input_index = -1, 0
    for _, fields in redis.xrange(f"{DEPLOYMENT.namespace}:journal"):
        for event in decode_events(fields[b"events"]):
            if isinstance(event, Opened):
                number, input_index = event.number, len(event.messages)
                if number > outbox.latest():
                    machine.begin(number, event.timestamp)
                    for message in event.messages:
                        body, queued_at = records.split_message(message)
                        machine.take(body, True, queued_at)
            elif isinstance(event, Recorded):
                if number > outbox.latest():
                    assert machine.take(event.record, is_message=False) == 0
                    executed.append((event.record, (number, input_index)))
                input_index += 1
    return executed, machine
