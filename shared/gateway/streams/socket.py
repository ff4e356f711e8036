"""One WebSocket of a bot's: what it has subscribed to, and requests that it posts over it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import WSMsgType, web

from setoff.shared.errors import SetoffError, StateError
from setoff.shared.gateway.door import Door
from setoff.shared.gateway.house import House
from setoff.shared.gateway.json_bodies import read_json
from setoff.shared.gateway.refusals import BotError, Misshapen, to_text
from setoff.shared.gateway.streams import account_streams as accounts
from setoff.shared.gateway.streams import market_streams as markets
from setoff.shared.gateway.streams.account_streams import BEGUN

Stream = Callable[[House, Mapping[str, Any]], AsyncIterator[Any]]
Resumed = Callable[[House, Mapping[str, Any], dict[str, Any]], AsyncIterator[Any]]
"""A stream of news alone: it keeps where it is, goes on from there when it is begun again, and yields BEGUN as soon as
all that is new from then on will be told."""
Post = Callable[[str, Any], Awaitable[Any]]
"""Answers a request of a kind ("info" or "action") that came over the socket."""

STREAMS: Final[dict[str, tuple[str, Stream]]] = {
    "l2Book": ("l2Book", markets.stream_book),
    "bbo": ("bbo", markets.stream_best),
    "trades": ("trades", markets.stream_trades),
    "candle": ("candle", markets.stream_candles),
    "allMids": ("allMids", markets.stream_mids),
    "activeAssetCtx": ("activeAssetCtx", markets.stream_context),
    "userFills": ("userFills", accounts.stream_fills),
    "userFundings": ("userFundings", accounts.stream_fundings),
    "userNonFundingLedgerUpdates": ("userNonFundingLedgerUpdates", accounts.stream_ledger),
    "clearinghouseState": ("clearinghouseState", accounts.stream_state),
    "spotState": ("spotState", accounts.stream_spot_state),
    "webData2": ("webData2", accounts.stream_web_data),
    "activeAssetData": ("activeAssetData", accounts.stream_asset_data),
}
"""By the type of the subscription: the channel of its messages, and what makes them."""
NEWS: Final[dict[str, tuple[str, Resumed]]] = {
    "orderUpdates": ("orderUpdates", accounts.stream_orders),
    "userEvents": ("user", accounts.stream_events),
}
"""The same of those that tell nothing of what was before."""
MAX_STREAMS: Final = 100
"""Of one socket."""
AGAIN: Final = 1.0
"""Seconds after which a stream is begun again that the exchange has ended."""

_log = logging.getLogger(__name__)


class BotSocket:
    """Serves one connection until it ends."""

    def __init__(self, door: Door, socket: web.WebSocketResponse, post: Post) -> None:
        self._door = door
        self._socket = socket
        self._post = post
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._wanted: dict[str, Mapping[str, Any]] = {}
        self._pending: dict[str, asyncio.Event] = {}
        """Of each stream of news that has not begun."""
        self._posts: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read what comes."""
        self._door.movers.add(self._move)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(message.data)
        finally:
            self._door.movers.discard(self._move)
            for task in (*self._streams.values(), *self._posts):
                task.cancel()
            for begun in self._pending.values():
                begun.set()
            await asyncio.gather(*self._streams.values(), *self._posts, return_exceptions=True)

    async def _take(self, text: str) -> None:
        try:
            request = read_json(text)
            method = request["method"]
            if method == "ping":
                await self._send("pong")
            elif method in ("subscribe", "unsubscribe"):
                await self._change(method, request["subscription"])
            elif method == "post":
                task = asyncio.create_task(self._answer(request))
                self._posts.add(task)
                task.add_done_callback(self._posts.discard)
            else:
                raise ValueError(method)
        except (Misshapen, ValueError, KeyError, TypeError, AttributeError):
            await self._send("error", f"Error parsing JSON into valid websocket request: {text[:200]}")

    async def _change(self, method: str, subscription: Mapping[str, Any]) -> None:
        kind, key = subscription["type"], identify(subscription)
        if kind not in STREAMS and kind not in NEWS:
            await self._send("error", f"Invalid subscription {json.dumps(subscription)}")
        elif method == "unsubscribe":
            task = self._streams.pop(key, None)
            if task is None:
                await self._send("error", f"Already unsubscribed: {json.dumps(subscription)}")
                return
            task.cancel()
            self._settle(key)
            await self._send("subscriptionResponse", {"method": method, "subscription": subscription})
        elif key in self._streams:
            await self._send("error", f"Already subscribed: {json.dumps(subscription)}")
        elif len(self._streams) >= MAX_STREAMS:
            await self._send("error", f"Cannot track more than {MAX_STREAMS} subscriptions: {json.dumps(subscription)}")
        else:
            if kind in NEWS:
                self._pending[key] = self._door.beginnings.add()
            else:
                await self._tell_begun(subscription)
            self._wanted[key] = subscription
            self._streams[key] = asyncio.create_task(self._push(key, subscription))

    async def _tell_begun(self, subscription: Mapping[str, Any]) -> None:
        await self._send("subscriptionResponse", {"method": "subscribe", "subscription": subscription})

    def _settle(self, key: str) -> bool:
        """What waits for this stream goes on; whether it had not begun yet."""
        begun = self._pending.pop(key, None)
        if begun is not None:
            begun.set()
        return begun is not None

    def _move(self, _: House) -> None:
        """Begin all streams again: the exchange is another one."""
        for key, task in list(self._streams.items()):
            task.cancel()
            self._streams[key] = asyncio.create_task(self._push(key, self._wanted[key]))

    async def _push(self, key: str, subscription: Mapping[str, Any]) -> None:
        channel, stream = find_stream(subscription["type"])
        kept: dict[str, Any] = {}
        while True:
            try:
                async for data in stream(self._door.house, subscription, kept):
                    if data is not BEGUN:
                        await self._send(channel, data)
                    elif self._settle(key):
                        await self._tell_begun(subscription)
                return
            except (BotError, Misshapen) as error:
                self._streams.pop(key, None)
                self._settle(key)
                await self._send("error", f"Invalid subscription {json.dumps(subscription)}: {error}")
                return
            except SetoffError as error:
                _log.warning("the stream %s has ended: %s", key, error)
                self._door.doubt()
                await asyncio.sleep(AGAIN)
            except ConnectionError:
                return  # the bot has gone
            except Exception:
                if self._socket.closed:
                    return
                _log.exception("the stream %s has failed", key)
                await asyncio.sleep(AGAIN)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        asked = request.get("request")
        kind = str(asked.get("type")) if isinstance(asked, Mapping) else ""
        try:
            if not isinstance(asked, Mapping) or kind not in ("info", "action"):
                raise Misshapen("post: 'request' has a type, info or action, and a payload")
            payload = await self._post(kind, asked.get("payload"))
            if kind == "info":
                payload = {"type": asked["payload"]["type"], "data": payload}
        except Misshapen as error:
            kind, payload = "error", f"422: {error}"
        except BotError as error:
            kind, payload = "error", f"500: {error}"
        except SetoffError as error:
            status = 503 if isinstance(error, StateError) else 500
            kind, payload = "error", f"{status}: {to_text(error.reason, error.detail)}"
        await self._send("post", {"id": request.get("id"), "response": {"type": kind, "payload": payload}})

    async def _send(self, channel: str, data: Any = None) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"channel": channel} | ({} if data is None else {"data": data}))


def find_stream(kind: str) -> tuple[str, Resumed]:
    """The channel of a type of subscriptions, and what makes its messages."""
    if kind in NEWS:
        return NEWS[kind]
    channel, stream = STREAMS[kind]
    return channel, lambda house, subscription, _: stream(house, subscription)


def identify(subscription: Mapping[str, Any]) -> str:
    """What tells subscriptions apart."""
    return json.dumps({name: str(value).lower() for name, value in sorted(subscription.items()) if value is not None})
