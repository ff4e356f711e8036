"""Traders who never stop: each sends a record, waits for what becomes of it, and sends it again if nobody answers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import aiohttp

from setoff.deploy.simulation.demo.traders import Trader
from setoff.shared.codec import records
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.receipt_store import ReceiptStore
from setoff.shared.sdk.submission import ReceiptBroken

MARKET: Final = 1
SLOTS: Final = 12
"""Order slots that a trader uses."""
AWAY: Final = 40
"""Ticks from the price that an order may be."""
LOTS: Final = 20
AGAIN: Final = 0.25
"""Seconds before a record is sent again that nobody has answered."""
ANSWER: Final = 15.0
"""Seconds that an answer may take."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A record that was acknowledged: when it was first sent and when it was answered, monotonic; its number."""

    sent: float
    answered: float
    sequence: int
    record: bytes


class Load:
    """Runs in a thread of its own, from `start` to `stop`."""

    def __init__(
        self, url: str, traders: Sequence[Trader], store: ReceiptStore, *, price: int, pause: float, seed: int
    ) -> None:
        """`pause`: seconds between two records of a trader, on average."""
        self.taken: list[Taken] = []
        self.refused: Counter[str] = Counter()
        self.unknown: list[bytes] = []
        """Records that seem to have been taken, of which the exchange does not say what became."""
        self.broken: list[str] = []
        """Promises that were wrong when they were made."""
        self.is_done = False
        self._url, self._traders, self._store = url, traders, store
        self._price, self._pause, self._random = price, pause, Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin to trade."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing new, and wait for what is on its way."""
        self._stop.set()
        self._thread.join(ANSWER * 4)
        self.is_done = not self._thread.is_alive()

    def since(self, moment: float) -> Taken | None:
        """The first record that was taken of those first sent after this moment."""
        later = [taken for taken in self.taken[-2000:] if taken.sent >= moment]
        return min(later, key=lambda taken: taken.answered) if later else None

    def _run(self) -> None:
        asyncio.run(self._trade())

    async def _trade(self) -> None:
        async with SetoffClient(self._url, receipt_store=self._store) as client, asyncio.TaskGroup() as group:
            for trader in self._traders:
                group.create_task(self._act(client, trader))

    async def _act(self, client: SetoffClient, trader: Trader) -> None:
        turn = 0
        while not self._stop.is_set():
            await self._submit(client, self._choose(trader, turn))
            await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))
            turn += 1

    def _choose(self, trader: Trader, turn: int) -> bytes:
        random = self._random
        slot, side = turn % SLOTS, random.choice((records.BUY, records.SELL))
        sign = 1 if side == records.BUY else -1
        if turn >= SLOTS and turn // SLOTS % 2:
            return trader.sign_cancel(slot)
        if random.random() < 0.2:
            price = self._price + sign * AWAY
            return trader.sign_order(MARKET, side, records.IOC, SLOTS, price, random.randrange(1, LOTS))
        if random.random() < 0.1:
            peer = random.choice([other.account for other in self._traders if other is not trader])
            return trader.sign_transfer(peer, random.randrange(1, 10**6))
        price = self._price - sign * random.randrange(-2, AWAY)
        return trader.sign_order(MARKET, side, records.GTC, slot, price, random.randrange(1, LOTS))

    async def _submit(self, client: SetoffClient, record: bytes) -> None:
        sent, tries = time.monotonic(), 0
        while True:
            try:
                async with asyncio.timeout(ANSWER):
                    result = await client.submit(record)
                self.taken.append(Taken(sent, time.monotonic(), result.sequence, record))
                return
            except ReceiptBroken as error:
                self.broken.append(str(error))
                return
            except Refusal as error:
                self.refused[error.reason] += 1
                if tries and error.reason in ("nonce_used", "nonce_too_old"):
                    self.unknown.append(record)
                return
            except (Unavailable, TimeoutError, aiohttp.ClientError, OSError):
                tries += 1
            if self._stop.is_set() and tries > ANSWER / AGAIN:
                self.unknown.append(record)
                return
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(AGAIN)
