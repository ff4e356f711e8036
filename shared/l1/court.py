"""The court on L1: its events as games, the player's actions as transactions."""

from __future__ import annotations

import logging
from dataclasses import fields
from functools import cached_property
from typing import Final

from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.events import EVENTS, Eliminated, Event, KeyEvent, Moved
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import COURT, JUDGE, Contract
from setoff.shared.l1.rpc import Address, Block, Log

MARKS: Final = 256
"""Blocks remembered to tell where a reorg began; a deeper one is read anew from the beginning."""

COMPACT_EVENTS: Final = 4096
"""Events kept before those of closed claims are given up."""

_EVENT_CLASSES: Final = {event.__name__: event for event in EVENTS}
log = logging.getLogger(__name__)


class CourtContract(Contract):
    """One deployed court."""

    def __init__(self, l1: L1, address: Address) -> None:
        super().__init__(l1, COURT, address)
        self._times: dict[bytes, int] = {}

    @cached_property
    def terms(self) -> Terms:
        """What it was deployed with. Raises ConfigError if there is no court at the address."""
        if not self.l1.code(self.address):
            raise ConfigError("wrong_deployment", f"there is no contract at 0x{self.address.hex()}")
        return Terms(*self.view("get_terms"))

    @cached_property
    def judge(self) -> bytes:
        """Address of its judge."""
        judge: bytes = self.view("JUDGE")
        return judge

    @cached_property
    def genesis(self) -> bytes:
        """The confirmed start of epoch 0."""
        genesis: bytes = self.view("start_of", 0)
        return genesis

    def encode(self, call: Call) -> bytes:
        """Calldata of a call."""
        return COURT.encode(call.function, *call.arguments)

    def step(self, call: Call) -> bytes:
        """The machine hash that the judge comes to (`calls.step_call`). Raises Reverted."""
        result: bytes = Contract(self.l1, JUDGE, self.judge).view("step", *call.arguments)
        return result

    def events(self, first: int, last: int) -> list[tuple[int, Event]]:
        """What happened in the blocks `first` to `last`: (block number, event), in order."""
        found = []
        for entry in self.l1.logs([self.address], first, last):
            event = self._event(entry)
            if event is not None:
                found.append((entry.block_number, event))
        return found

    def _event(self, entry: Log) -> Event | None:
        """The event in a log entry, None if it is of a kind that the games do not need."""
        kind = COURT.find_event(entry)
        event_class = _EVENT_CLASSES.get(kind.name) if kind else None
        if kind is None or event_class is None:
            return None
        values = kind.decode(entry)
        if event_class in (Moved, Eliminated):
            values["sender"] = self._sender(entry)
        wanted = {field.name for field in fields(event_class)}
        if not values.keys() <= wanted:
            raise ConfigError("wrong_deployment", f"the event {kind.name} has other fields than this program knows")
        return event_class(at=self._time(entry), **values)

    def _time(self, entry: Log) -> int:
        if entry.timestamp is not None:
            return entry.timestamp
        if entry.block_hash not in self._times:
            block = self.l1.block(entry.block_number)
            if block is None:
                return 0  # gone by a reorg, which the reader notices afterwards
            if len(self._times) > MARKS:
                self._times.clear()
            self._times[entry.block_hash] = block.timestamp
        return self._times[entry.block_hash]

    def _sender(self, entry: Log) -> bytes:
        transaction = self.l1.transaction(entry.transaction)
        return b"" if transaction is None else bytes.fromhex(transaction["from"][2:])


class CourtReader:
    """Keeps the games of one court up to date with the chain, also through reorgs."""

    def __init__(self, contract: CourtContract, first_block: int = 0) -> None:
        """`first_block` is that of the deployment, or any before."""
        self.contract = contract
        self.court = CourtState(contract.terms, contract.genesis)
        self.reorgs = 0
        self._first = first_block
        self._marks: list[Block] = []
        self._journal: list[tuple[int, Event]] = []
        self._compact_at = COMPACT_EVENTS

    @property
    def block(self) -> int:
        """The last block whose events are in."""
        return self._marks[-1].number if self._marks else self._first - 1

    def poll(self) -> list[Event]:
        """Take in what happened since the last poll; returns the new events. Raises ChainError.

        If blocks read before are no longer in the chain, what they held is undone first. If the chain changes while it
        is read, nothing is taken in: the next poll will.
        """
        l1 = self.contract.l1
        head = l1.head()
        self._rewind()
        if head.number <= self.block:
            return []
        found = self.contract.events(self.block + 1, head.number)
        again = l1.block(head.number)
        if again is None or again.hash != head.hash:
            return []
        self._marks = [*self._marks[-MARKS:], head]
        self._journal += found
        for _, event in found:
            self.court.apply(event)
        if len(self._journal) > self._compact_at:
            self._compact()
        return [event for _, event in found]

    def _rewind(self) -> None:
        """Undo what is no longer in the chain."""
        kept = len(self._marks)
        while kept and not self._is_canonical(self._marks[kept - 1]):
            kept -= 1
        if kept == len(self._marks):
            return
        self.reorgs += 1
        log.warning("a reorg: blocks after %d are read again", self._marks[kept - 1].number if kept else self._first)
        self._marks = self._marks[:kept]
        self._journal = [(number, event) for number, event in self._journal if number <= self.block]
        self._replay()

    def _is_canonical(self, mark: Block) -> bool:
        block = self.contract.l1.block(mark.number)
        return block is not None and block.hash == mark.hash

    def _replay(self) -> None:
        self.court = CourtState(self.contract.terms, self.contract.genesis)
        for _, event in self._journal:
            self.court.apply(event)

    def _compact(self) -> None:
        """Forget claims that are closed, paid out, and behind the confirmed chain."""
        horizon = self._marks[0].number if len(self._marks) > MARKS else -1
        court = self.court
        unfinished = {claim.key for claim in (*court.unfinished(), *court.unpaid())}
        late = {event.key for number, event in self._journal if number > horizon and isinstance(event, KeyEvent)}
        forgotten = (
            {claim.key for claim in court.claims.values() if claim.epoch < court.confirmed - 1} - unfinished - late
        )
        self._journal = [
            entry for entry in self._journal if not (isinstance(entry[1], KeyEvent) and entry[1].key in forgotten)
        ]
        self._compact_at = max(COMPACT_EVENTS, 2 * len(self._journal))
        self._replay()
