"""A subscription at `/v1/stream` that goes on by itself: after a lost connection it begins behind the last cursor, so
that of trades and fills nothing is left out and nothing comes twice; a book begins with a whole one again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp

from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bounded_answers import READ_BYTES, parse_message, read_reason, reading
from setoff.shared.wire.entry_frames import LATER_REASONS

SILENCE: Final = 15.0
"""Seconds without a message, of which a heartbeat comes each five, after which a connection is given up."""
PAUSES: Final = (0.1, 0.5, 2.0)
"""Seconds before it is tried again: the first time, the second, and from then on."""
PACKED: Final = 15
"""Streams come packed, in a tenth of the bytes: bits of the unpacker's memory."""


async def subscribe(
    http: aiohttp.ClientSession,
    url: str,
    wanted: dict[str, Any],
    patience: float,
    on_loss: Callable[[], None] = lambda: None,
    on_begin: Callable[[], None] = lambda: None,
) -> AsyncIterator[dict[str, Any]]:
    """The messages of one subscription, for ever. `wanted`: what is sent, without its "op". `on_loss` hears of each
    connection that is lost, `on_begin` of each from which on nothing is missed.

    Raises Refusal if the exchange refuses it, Unavailable if it could not be reached for `patience` seconds.
    """
    cursor, reached, tries = wanted.get("after"), time.monotonic(), 0
    while True:
        try:
            async with http.ws_connect(f"{url}/v1/stream", compress=PACKED, max_msg_size=READ_BYTES) as socket:
                await socket.send_json({"op": "subscribe", **wanted} | ({} if cursor is None else {"after": cursor}))
                while (message := await socket.receive(SILENCE)).type is aiohttp.WSMsgType.TEXT:
                    told = parse_message(message.data)
                    with reading("a message of the stream"):
                        channel, data, passed = told["channel"], told["data"], told["cursor"]
                    reached, tries = time.monotonic(), 0
                    if channel == "refused":
                        _raise(data)
                    cursor = cursor if passed is None else passed
                    if channel == "subscribed":
                        on_begin()
                    if channel == wanted["channel"]:
                        yield told
        except (aiohttp.ClientError, TimeoutError, Unavailable):
            pass
        on_loss()
        if time.monotonic() > reached + patience:
            raise Unavailable("not_ready", f"the exchange does not stream at {url.rpartition('@')[2]}")
        await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1


def _raise(refused: Any) -> None:
    reason, detail, _ = read_reason(refused, "not_ready", "the exchange refuses the subscription")
    raise (Unavailable if reason in LATER_REASONS else Refusal)(reason, detail)
