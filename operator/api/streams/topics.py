"""Who listens to what: subscriptions by topic, and messages that are made once for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from setoff.operator.api.line import TEXT, make_frame

BACKLOG: Final = 1 << 20
"""Bytes that a client may leave unread before it is cut off."""


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
    """The way to one client. Between `hold` and `release` of a topic its messages wait."""

    def __init__(self, transport: asyncio.WriteTransport | None) -> None:
        self.ended = asyncio.Event()
        self.topics: set[Topic] = set()
        self._transport = transport
        self._frames: list[bytes] = []
        self._held: dict[Topic, list[tuple[int, bytes]]] = {}

    def hold(self, topic: Topic) -> None:
        """Keep messages back until what was before them is sent."""
        self._held[topic] = []

    def release(self, topic: Topic, after: int) -> None:
        """Send those that were kept back, behind a cursor."""
        for cursor, frame in self._held.pop(topic, ()):
            if cursor > after:
                self._write(frame)

    def send(self, topic: Topic, cursor: int | None, frame: bytes) -> None:
        """A message of a topic."""
        held = self._held.get(topic)
        if held is None:
            self._write(frame)
        else:
            held.append((cursor or 0, frame))

    def _write(self, frame: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > BACKLOG:
            self.ended.set()
        elif not self.ended.is_set():
            if not self._frames:
                asyncio.get_running_loop().call_soon(self._flush)
            self._frames.append(frame)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))


class Topics:
    """All subscriptions. `on_change` is told when there are some, and when there are none any more."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._clients: dict[Topic, set[Client]] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, topic: Topic) -> bool:
        return topic in self._clients

    def of(self, channel: str) -> list[Topic]:
        """Those of a channel that somebody listens to."""
        return [topic for topic in self._clients if topic.channel == channel]

    def add(self, client: Client, topic: Topic) -> None:
        """From now on."""
        self._clients.setdefault(topic, set()).add(client)
        client.topics.add(topic)
        self.on_change()

    def remove(self, client: Client, topics: Iterable[Topic]) -> None:
        """No more."""
        for topic in list(topics):
            client.topics.discard(topic)
            clients = self._clients.get(topic)
            if clients is not None:
                clients.discard(client)
                if not clients:
                    del self._clients[topic]
        self.on_change()

    def tell(self, topic: Topic, cursor: int | None, make: Callable[[], Any]) -> None:
        """Tell all who listen; the message is made only if there is one."""
        clients = self._clients.get(topic)
        if clients:
            frame = make_message(topic.channel, topic, cursor, make())
            for client in clients:
                client.send(topic, cursor, frame)

    def end(self) -> None:
        """End all clients: they come back, and read anew."""
        for clients in self._clients.values():
            for client in clients:
                client.ended.set()


def make_message(channel: str, topic: Topic, cursor: int | None, data: Any) -> bytes:
    """A whole frame."""
    message = {"channel": channel, "topic": topic.to_json(), "cursor": cursor, "data": data}
    return make_frame(TEXT, json.dumps(message).encode())
