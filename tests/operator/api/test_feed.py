"""The feed: in order, only to those who asked, made once, and nobody can hold it up."""

import asyncio
import json
import time
from typing import Any, cast

import pytest
from tests.support.waiting import until

from setoff.operator.api import feed as feeds
from setoff.operator.api.fanout import LONGEST
from setoff.operator.api.feed import BACKLOG, Feed
from setoff.shared.wire.api.channels import CHANNELS

EVERYTHING = frozenset(CHANNELS)


class Wire:
    """A transport that keeps what is written, and reads nothing."""

    def __init__(self, slow: float = 0) -> None:
        self.written: list[bytes] = []
        self.unread = 0
        self.slow = slow
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes) -> None:
        self.written.append(data)
        time.sleep(self.slow)

    def numbers(self) -> list[int]:
        """What the messages say, in their order."""
        data, found = b"".join(self.written), []
        while data:
            length, at = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            found.append(json.loads(data[at : at + length])["data"]["number"])
            data = data[at + length :]
        return found


def made(number: int) -> dict[str, Any]:
    return {"number": number}


def listen(feed: Feed, channels: frozenset[str], wire: Wire) -> Any:
    return feed.subscribe(channels, cast(asyncio.WriteTransport, wire))


async def test_tells_those_who_asked() -> None:
    feed, fills, everything = Feed(), Wire(), Wire()
    with listen(feed, frozenset({"fills"}), fills) as one, listen(feed, EVERYTHING, everything):
        feed.publish("records", lambda: made(1))
        feed.publish("fills", lambda: made(2))
        await asyncio.sleep(0.01)
        assert fills.numbers() == [2] and everything.numbers() == [1, 2]
        feed.publish("fills", lambda: made(3))
        assert not one.ended.is_set()
        feed.close()  # with what was not told yet
        assert fills.numbers() == [2, 3] and one.ended.is_set()


async def test_makes_nothing_for_nobody_and_once_for_many() -> None:
    feed, count, wires = Feed(), 0, [Wire() for _ in range(100)]

    def make() -> dict[str, Any]:
        nonlocal count
        count += 1
        return made(7)

    with listen(feed, frozenset({"fills"}), wires[0]):
        feed.publish("records", lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        subscriptions = [listen(feed, EVERYTHING, wire) for wire in wires[1:]]
        for subscription in subscriptions:
            subscription.__enter__()
        feed.publish("fills", make)
        await until(lambda: all(wire.written for wire in wires), "not all are told")
        assert count == 1 and all(wire.numbers() == [7] for wire in wires)
        assert len({id(wire.written[0]) for wire in wires[1:]}) == 1  # the same bytes


async def test_drops_who_falls_behind_and_nobody_else() -> None:
    feed, slow, other = Feed(), Wire(), Wire()
    with listen(feed, EVERYTHING, slow) as behind, listen(feed, EVERYTHING, other) as well:
        slow.unread = BACKLOG + 1
        feed.publish("fills", lambda: made(1))
        await asyncio.sleep(0.01)
        assert behind.ended.is_set() and slow.written == []
        assert not well.ended.is_set() and other.numbers() == [1]


async def test_rounds_take_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "SHARE", 0.1)
    feed, wires = Feed(), [Wire(slow=0.0002) for _ in range(50)]
    subscriptions = [listen(feed, EVERYTHING, wire) for wire in wires]
    for subscription in subscriptions:
        subscription.__enter__()
    start = time.monotonic()
    for number in range(200):
        feed.publish("fills", lambda number=number: made(number))  # type: ignore[misc]
        await asyncio.sleep(0.002)
    seconds = time.monotonic() - start
    rounds = len(wires[0].written)
    assert rounds * 50 * 0.0002 < 0.25 * seconds and rounds < 40
    await asyncio.sleep(LONGEST)
    assert all(wire.numbers() == list(range(200)) for wire in wires)


def test_says_what_is_heard_and_only_when_that_changes() -> None:
    """So that the sequencer sends nothing that nobody hears."""
    feed, told = Feed(), list[tuple[bool, bool]]()
    feed.on_heard = lambda *heard: told.append(heard)
    with listen(feed, frozenset({"fills"}), Wire()):
        with listen(feed, frozenset({"fills", "batches"}), Wire()), listen(feed, EVERYTHING, Wire()):
            assert told == [(True, False), (True, True)]
        assert told[2:] == [(True, False)]
    assert told[3:] == [(False, False)]
