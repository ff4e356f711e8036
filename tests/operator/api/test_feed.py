"""The feed: in order, only to those who asked, and nobody can hold it up."""

from collections.abc import Mapping
from typing import Any

from setoff.operator.api.feed import BACKLOG, CHANNELS, Feed


def made(number: int) -> dict[str, Any]:
    return {"number": number}


async def test_tells_those_who_asked() -> None:
    feed = Feed()
    with feed.subscribe(frozenset({"fills"})) as fills, feed.subscribe(CHANNELS) as everything:
        feed.publish("records", lambda: made(1))
        feed.publish("fills", lambda: made(2))
        assert await fills.get() == {"channel": "fills", "data": made(2)}
        heard: list[Mapping[str, Any] | None] = [await everything.get(), await everything.get()]
        assert [message["data"]["number"] for message in heard if message] == [1, 2]
        feed.close()
        assert await fills.get() is None and await everything.get() is None


def test_makes_nothing_for_nobody() -> None:
    feed = Feed()
    with feed.subscribe(frozenset({"fills"})):
        feed.publish("records", lambda: 1 / 0)  # type: ignore[arg-type,return-value]


async def test_drops_who_falls_behind() -> None:
    feed = Feed()
    with feed.subscribe(CHANNELS) as slow:
        for number in range(BACKLOG + 10):
            feed.publish("fills", lambda number=number: made(number))  # type: ignore[misc]
        assert slow.is_dropped
        count = 0
        while await slow.get() is not None:
            count += 1
        assert count == BACKLOG
