"""Who listens to what: subscriptions by topic, and messages that are made once for all of them (`fanout.py`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from setoff.operator.api.fanout import HANDFUL, Pacer, Segment
from setoff.operator.api.line import TEXT, make_frame

BACKLOG: Final = 1 << 20
"""Bytes that a client may leave unread before it is cut off."""
SHARE: Final = 0.05
"""Part of the time that rounds may take."""

Message = tuple[int | None, bytes]
"""What is told, with its cursor."""


class Topic(NamedTuple):
    """A channel, and what it is of: a market or an account, 0 for neither, and an interval, "" for none."""

    channel: str
    market: int = 0
    account: int = 0
    interval: str = ""

    def to_json(self) -> dict[str, Any]:
        """As messages have it."""
        named = {"market": self.market, "account": self.account, "interval": self.interval}
        return {name: value for name, value in named.items() if value}


class Client:
    """The way to one client. `is_packed`: it takes packed frames."""

    def __init__(self, transport: asyncio.WriteTransport | None, is_packed: bool = False) -> None:
        self.ended = asyncio.Event()
        self.topics: set[Topic] = set()
        self.is_packed = is_packed
        self.held: dict[Topic, list[Message]] = {}
        """Topics whose beginning is not sent yet: what has happened there since."""
        self._transport = transport
        self._frames: list[bytes] = []

    def send(self, message: bytes) -> None:
        """A message for this one alone."""
        self.write(make_frame(TEXT, message))

    def write(self, frames: bytes) -> None:
        """Whole frames; what is written in one pass of the event loop goes out once."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > BACKLOG:
            self.ended.set()
        elif not self.ended.is_set():
            if not self._frames:
                asyncio.get_running_loop().call_soon(self._flush)
            self._frames.append(frames)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))


class Topics:
    """All subscriptions, and what is to be told in the next round. `on_change` is told when there are some, and when
    there are none any more."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._clients: dict[Topic, set[Client]] = {}
        self._pending: dict[Topic, list[Message]] = {}
        self._pacer = Pacer(self._go_round, lambda: SHARE)

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, topic: Topic) -> bool:
        return topic in self._clients

    def of(self, channel: str) -> list[Topic]:
        """Those of a channel that somebody listens to."""
        return [topic for topic in self._clients if topic.channel == channel]

    def add(self, client: Client, topic: Topic) -> None:
        """From now on. It is held until it is released: what was before has to be sent first."""
        self._flush(topic)
        client.held[topic] = []
        self._clients.setdefault(topic, set()).add(client)
        client.topics.add(topic)
        self.on_change()

    def release(self, client: Client, topic: Topic, after: int) -> None:
        """What was before is sent: send what has come since, behind a cursor."""
        self._flush(topic)
        for cursor, message in client.held.pop(topic, ()):
            if (cursor or 0) > after:
                client.send(message)

    def remove(self, client: Client, topics: Iterable[Topic]) -> None:
        """No more."""
        for topic in list(topics):
            client.topics.discard(topic)
            client.held.pop(topic, None)
            clients = self._clients.get(topic)
            if clients is not None:
                clients.discard(client)
                if not clients:
                    del self._clients[topic]
                    self._pending.pop(topic, None)
        self.on_change()

    def tell(self, topic: Topic, cursor: int | None, make: Callable[[], Any]) -> None:
        """Tell all who listen; the message is made only if there is one."""
        if topic in self._clients:
            self._pending.setdefault(topic, []).append((cursor, make_message(topic.channel, topic, cursor, make())))
            self._pacer.wake()

    def end(self) -> None:
        """End all clients, with what they have not heard yet: they come back, and read anew."""
        self._pacer.finish()
        for clients in self._clients.values():
            for client in clients:
                client.ended.set()

    def _flush(self, topic: Topic) -> None:
        """Tell what is there of one topic now."""
        messages = self._pending.pop(topic, None)
        if messages:
            segment = Segment([message for _, message in messages])
            for client in self._hold(topic, messages):
                client.write(segment.get(client.is_packed))

    def _hold(self, topic: Topic, messages: list[Message]) -> list[Client]:
        """Keep them for those who are held; the others."""
        others: list[Client] = []
        for client in self._clients.get(topic, ()):
            held = client.held.get(topic)
            if held is None:
                others.append(client)
            else:
                held += messages
        return others

    def _go_round(self) -> Iterator[None]:
        pending, self._pending = self._pending, {}
        todo: dict[Client, list[Segment]] = {}
        for topic, messages in pending.items():
            segment = Segment([message for _, message in messages])
            for client in self._hold(topic, messages):
                todo.setdefault(client, []).append(segment)
        for place, (client, segments) in enumerate(todo.items(), 1):
            client.write(b"".join([segment.get(client.is_packed) for segment in segments]))
            if place % HANDFUL == 0:
                yield
        yield


def make_message(channel: str, topic: Topic, cursor: int | None, data: Any) -> bytes:
    """A message, as JSON."""
    return json.dumps({"channel": channel, "topic": topic.to_json(), "cursor": cursor, "data": data}).encode()
