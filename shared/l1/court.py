"""The court on L1: its events as games, the player's actions as transactions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import fields
from functools import cached_property
from typing import Final

from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.events import EVENTS, Eliminated, Event, KeyEvent, Moved
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ConfigError
from setoff.shared.l1.answers import Block, Log
from setoff.shared.l1.block_logs import BlockLogs
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import COURT, JUDGE, Contract
from setoff.shared.l1.court_audit import RootOf, find_contradiction, is_closed, list_facts
from setoff.shared.l1.doubt import Doubt
from setoff.shared.l1.lower import LowerHead
from setoff.shared.l1.rpc import Address
from setoff.shared.l1.storage import find_difference, is_vacant
from setoff.shared.l1.stretch import MARKS, PROVEN, OtherChain, Stretch, read_stretch
from setoff.shared.l1.survey import find_agreed

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
        if is_vacant(self.l1, self.address):
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

    def events(self, first: int, last: int, span: int | None = None) -> list[tuple[int, Event]]:
        """What happened in the blocks `first` to `last`: (block number, event), in order, as far as the node shows it;
        `span` as for `Node.logs`."""
        return self.decode(self.l1.logs([self.address], first, last, span=span))

    def decode(self, logs: Iterable[Log]) -> list[tuple[int, Event]]:
        """The events among log entries of the court: (block number, event)."""
        found = []
        for entry in logs:
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
            if len(self._times) > MARKS:
                self._times.clear()
            self._times[entry.block_hash] = self.l1.block_by_hash(entry.block_hash).timestamp
        return self._times[entry.block_hash]

    def _sender(self, entry: Log) -> bytes:
        if entry.sender is not None:
            return entry.sender
        return self.l1.transaction_in(entry.transaction, entry.block_hash).sender


class CourtReader:
    """Keeps the games of one court up to date with the chain, also through reorgs (`stretch.py`)."""

    def __init__(self, contract: CourtContract, first_block: int = 0) -> None:
        """`first_block` is that of the deployment, or any before."""
        self.contract = contract
        self.court = CourtState(contract.terms, contract.genesis)
        self.root_of: RootOf = lambda _: None
        """Whose matches are held against the court even where nobody is seen to have moved."""
        self.reorgs = 0
        self._first = first_block
        self._logs = BlockLogs(contract.l1, [contract.address])
        self._marks: dict[int, bytes] = {}  # number to hash of blocks up to which everything is in, ascending
        self._journal: list[tuple[int, Event]] = []
        self._compact_at = COMPACT_EVENTS
        self._doubt = Doubt(contract.l1)
        self._lower = LowerHead()
        self._closed: set[int] = set()  # stakes that were proven to be closed for good

    @property
    def block(self) -> int:
        """The last block whose events are in."""
        return next(reversed(self._marks), self._first - 1)

    def events_of(self, key: bytes) -> list[tuple[int, KeyEvent]]:
        """What happened to a claim, with the blocks; nothing of one that was closed long ago."""
        return [(number, event) for number, event in self._journal if isinstance(event, KeyEvent) and event.key == key]

    def block_hash(self, number: int) -> bytes | None:
        """The hash of a block whose events are in, None if it is not remembered."""
        return self._marks.get(number)

    def poll(self) -> list[Event]:
        """Take in what happened since the last poll; returns the new events. Raises ChainError.

        If blocks read before are no longer in the chain, what they held is undone first. What a node may have left out
        is not taken for all there is: it is held against the court's storage, and read again if that differs.
        """
        l1, found = self.contract.l1, list[Event]()
        head = l1.head()
        if not self._marks:
            anchor = l1.block(max(min(self._first - 1, head.number), 0))
            self._marks[anchor.number] = anchor.hash
        while (stretch := self._read(head)) is not None:
            # All or nothing: a node that goes silent on the way changes nothing here.
            events = self.contract.decode(stretch.logs)
            self._rewind(stretch.fork)
            self._take_in(events, stretch.blocks)
            found += [event for _, event in events]
            self._doubt.take_in(stretch)
        if self._doubt.is_open and self._marks.get(head.number) == head.hash:
            self._audit(head)
        return found

    def _read(self, head: Block) -> Stretch | None:
        """See `read_stretch`. What is of another chain than the court is given up."""
        try:
            return read_stretch(self._logs, self._marks, head, self._lower, self._doubt.gaps)
        except OtherChain:
            self._rewind(-1)
            self._doubt = Doubt(self.contract.l1)
            raise

    def doubt(self) -> None:
        """What was read contradicts what L1 does: compare the two with the next poll."""
        self._doubt.is_open = True

    def _take_in(self, events: Iterable[tuple[int, Event]], blocks: Iterable[Block]) -> None:
        """What happened up to the last of these blocks."""
        for entry in events:
            self._journal.append(entry)
            self.court.apply(entry[1])
        self._marks |= {block.number: block.hash for block in blocks}
        anchor, *rest = self._marks.items()
        self._marks = dict([anchor, *rest[-MARKS:]])
        if len(self._journal) > self._compact_at:
            self._compact()

    def _audit(self, head: Block) -> None:
        """Hold what was read against the court's storage; read it again, narrower, where they differ."""
        block = find_agreed(self.contract.l1, head, self._marks.get, PROVEN)
        if block.number < self._first:
            return  # nothing can be proven of so young a court; the doubt stays
        court = self.court if block.hash == head.hash else self._rebuild(block.number)
        gap = find_contradiction(court) or find_difference(
            self.contract.l1, self.contract.address, block, list_facts(court, self.root_of, self._closed)
        )
        if gap:
            self._rewind(next(iter(self._marks)))
            raise self._doubt.refute(gap)
        self._closed |= {number for number in court.stakes if is_closed(court, number)}
        self._doubt.settle()

    def _rewind(self, number: int) -> None:
        """Undo what came after that block."""
        if number >= self.block:
            return
        self.reorgs += 1
        log.warning("blocks after %d are read again", number)
        self._closed.clear()
        self._marks = {mark: block_hash for mark, block_hash in self._marks.items() if mark <= number}
        self._journal = [(at, event) for at, event in self._journal if at <= number]
        self._replay()

    def _replay(self) -> None:
        self.court = self._rebuild(self.block)

    def _rebuild(self, until: int) -> CourtState:
        """The games as they were after that block."""
        court = CourtState(self.contract.terms, self.contract.genesis)
        for number, event in self._journal:
            if number > until:
                break
            court.apply(event)
        return court

    def _compact(self) -> None:
        """Forget claims that are closed, paid out, and behind the confirmed chain."""
        horizon = list(self._marks)[1] if len(self._marks) > MARKS else -1
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
