"""The end of an exchange whose operator is gone for good: what has to be sent to L1 so that everybody gets their money.

First the wind-down itself, once it is due; then a tick for every market that still has to be settled, as a forced
record, until none is left. A market may take more than one: the first brings its mark to the last index, so that
whoever cannot pay is liquidated, the next settles it. And as long as the machine has accounts left to visit, a tick of
no market, which lets it go on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from eth_abi.abi import encode

from setoff.shared.adapters.posting import Inbox, InboxState
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.rules.parking import is_anything_parked
from setoff.shared.rules.phases import SAMPLE_INTERVAL
from setoff.watcher.archive import Archive
from setoff.watcher.errands import Errand

FORCE: Final = keccak(b"force(bytes)")[:4]
WIND_DOWN: Final = keccak(b"wind_down()")[:4]


class Unsettled(NamedTuple):
    """The markets that are not settled after the epochs executed so far."""

    last: bytes
    """Hash of the last of them, so of all the batches up to there; empty if there are none."""
    messages: int
    """Consumed in them."""
    due: dict[int, int]
    """Market to when (unix seconds) a tick may change it again; market 0 if the machine has work left."""


class Winding:
    """Knows what an exchange that winds down needs next."""

    def __init__(self, archive: Archive, inbox: Inbox) -> None:
        self._archive = archive
        self._store = archive.store
        self._l1 = archive.reader.l1
        self._queue = archive.reader.deployment.queue
        self._inbox = inbox
        self._unsettled: Unsettled | None = None

    def next(self, state: InboxState, now: int) -> Errand | None:
        """What to send now, None if there is nothing or L1 is not read so far yet. Raises ChainError, StateError."""
        if not self._read("is_winding_down()"):
            if now < self._inbox.operator_posted_at() + self._read("WIND_DOWN()"):
                return None
            return Errand("wind-down", self._queue, WIND_DOWN)
        unsettled = self._find_unsettled()
        waiting = self._markets_ticked(unsettled.messages, state.queued)
        if waiting is None:
            return None
        for market, due in unsettled.due.items():
            if market not in waiting and due <= now:
                data = FORCE + encode(["bytes"], [records.encode_tick(market)])
                return Errand(f"tick of market {market} after message {unsettled.messages}", self._queue, data)
        return None

    def _find_unsettled(self) -> Unsettled:
        epochs = self._store.epoch_count()
        result = self._store.epoch(epochs - 1) if epochs else None
        last = result.epoch_hash if result else b""
        if self._unsettled is None or self._unsettled.last != last:
            machine = self._archive.machine_before(epochs)
            # A tick lets the work go on, then what is parked, and is not looked at itself before that is done.
            due = {0: 0} if machine.regs.task or is_anything_parked(machine.regs) else {}
            for number in range(1, machine.regs.markets + 1):
                market = machine.state.market(number)
                # Without an index there was never a price to trade at.
                if not market.settled and market.index:
                    due[number] = market.sampled + SAMPLE_INTERVAL
            messages = 0
            if epochs:
                header = self._archive.batch(epochs * self._store.epoch_batches - 1).header
                messages = header.first_message + header.message_count
            self._unsettled = Unsettled(last, messages, due)
        return self._unsettled

    def _markets_ticked(self, first: int, end: int) -> set[int] | None:
        """Markets with a tick among the messages from `first` to before `end`; None if one is not read yet."""
        markets = set()
        for index in range(first, end):
            body = self._store.message(index)
            if body is None:
                return None
            # A malformed one is refused, and must not pass for the tick that is needed.
            if body[0] == records.TICK and records.is_canonical(body):
                markets.add(records.decode_tick(body).market)
        return markets

    def _read(self, signature: str) -> int:
        """A number, or a truth value, that the queue shows."""
        return int.from_bytes(self._l1.call(self._queue, keccak(signature.encode())[:4]), "big")
