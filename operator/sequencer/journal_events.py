"""What the sequencer's journal holds: the inputs of the machine in the order in which they were taken, and no more.

A commit is one entry of the journal: the events of one group, concatenated. Each event is a tag byte and its fields,
big-endian; see the classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from setoff.shared.codec.records import MESSAGE_BYTES, RECORD_BYTES
from setoff.shared.errors import DataError
from setoff.shared.machine.data import CALLDATA

_OPENED: Final = Struct(">BQQBH")
_TAG_OPENED: Final = 1
_TAG_RECORDED: Final = 2
_TAG_CLOSED: Final = 3
_TAG_RERUN: Final = 4
_TAG_RESET: Final = 5
_RESET: Final = Struct(">BQ")
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch begins: its number, its timestamp (unix seconds), the L1 messages it consumes with their times, and the
    data availability module of its records."""

    number: int
    timestamp: int
    messages: tuple[bytes, ...]
    module: int = CALLDATA.number


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record (124 bytes) was accepted as the next input of the open batch."""

    record: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The open batch ends, at this machine hash (32 bytes): a replay that gets another one is wrong."""

    end: bytes


@dataclass(frozen=True, slots=True)
class Rerun:
    """A record that was accepted before is run again as the next input of the open batch, whatever becomes of it."""

    record: bytes


@dataclass(frozen=True, slots=True)
class Reset:
    """All batches from `number` on are void: the exchange stands at the end of the one before, and what follows in the
    same commit takes their place."""

    number: int


JournalEvent = Opened | Recorded | Closed | Rerun | Reset


def encode_events(events: Iterable[JournalEvent]) -> bytes:
    """The bytes of one commit."""
    parts: list[bytes] = []
    for event in events:
        if isinstance(event, Recorded):
            parts += (bytes([_TAG_RECORDED]), event.record)
        elif isinstance(event, Opened):
            head = (event.number, event.timestamp, event.module, len(event.messages))
            parts.append(_OPENED.pack(_TAG_OPENED, *head))
            parts += event.messages
        elif isinstance(event, Rerun):
            parts += (bytes([_TAG_RERUN]), event.record)
        elif isinstance(event, Reset):
            parts.append(_RESET.pack(_TAG_RESET, event.number))
        else:
            parts += (bytes([_TAG_CLOSED]), event.end)
    return b"".join(parts)


def decode_events(data: bytes) -> Iterator[JournalEvent]:
    """The events of one commit. Raises DataError("data_mismatch") on bytes that are not one."""
    at = 0
    while at < len(data):
        tag = data[at]
        if tag in (_TAG_RECORDED, _TAG_RERUN):
            end = at + 1 + RECORD_BYTES
            record = data[at + 1 : end]
            event: JournalEvent = Recorded(record) if tag == _TAG_RECORDED else Rerun(record)
        elif tag == _TAG_RESET and at + _RESET.size <= len(data):
            end = at + _RESET.size
            event = Reset(_RESET.unpack_from(data, at)[1])
        elif tag == _TAG_CLOSED:
            end = at + 1 + _HASH_BYTES
            event = Closed(data[at + 1 : end])
        elif tag == _TAG_OPENED and at + _OPENED.size <= len(data):
            _, number, timestamp, module, count = _OPENED.unpack_from(data, at)
            start = at + _OPENED.size
            end = start + count * MESSAGE_BYTES
            messages = tuple(data[i : i + MESSAGE_BYTES] for i in range(start, end, MESSAGE_BYTES))
            event = Opened(number, timestamp, messages, module)
        else:
            raise DataError("data_mismatch", f"the journal has an event of unknown type {tag}")
        if end > len(data):
            raise DataError("data_mismatch", "an entry of the journal is cut short")
        yield event
        at = end
