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

Stream = Callable[[House, Mapping[str, Any]], AsyncIterator[Any]]
Post = Callable[[str, Any], Awaitable[Any]]
"""Answers a request of a kind ("info" or "action") that came over the socket."""

STREAMS: Final[dict[str, tuple[str, Stream]]] = {
    "l2Book": ("l2Book", markets.stream_book),
    "bbo": ("bbo", markets.stream_best),
    "trades": ("trades", markets.stream_trades),
    "candle": ("candle", markets.stream_candles),
    "allMids": ("allMids", markets.stream_mids),
    "activeAssetCtx": ("activeAssetCtx", markets.stream_context),
    "orderUpdates": ("orderUpdates", accounts.stream_orders),
    "userFills": ("userFills", accounts.stream_fills),
    "userEvents": ("user", accounts.stream_events),
    "userFundings": ("userFundings", accounts.stream_fundings),
    "userNonFundingLedgerUpdates": ("userNonFundingLedgerUpdates", accounts.stream_ledger),
    "clearinghouseState": ("clearinghouseState", accounts.stream_state),
    "spotState": ("spotState", accounts.stream_spot_state),
    "webData2": ("webData2", accounts.stream_web_data),
    "activeAssetData": ("activeAssetData", accounts.stream_asset_data),
}
"""By the type of the subscription: the channel of its messages, and what makes them."""
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
        if kind not in STREAMS:
            await self._send("error", f"Invalid subscription {json.dumps(subscription)}")
        elif method == "unsubscribe":
            task = self._streams.pop(key, None)
            if task is None:
                await self._send("error", f"Already unsubscribed: {json.dumps(subscription)}")
                return
            task.cancel()
            await self._send("subscriptionResponse", {"method": method, "subscription": subscription})
        elif key in self._streams:
            await self._send("error", f"Already subscribed: {json.dumps(subscription)}")
        elif len(self._streams) >= MAX_STREAMS:
            await self._send("error", f"Cannot track more than {MAX_STREAMS} subscriptions: {json.dumps(subscription)}")
        else:
            await self._send("subscriptionResponse", {"method": method, "subscription": subscription})
            self._wanted[key] = subscription
            self._streams[key] = asyncio.create_task(self._push(key, subscription))

    def _move(self, _: House) -> None:
        """Begin all streams again: the exchange is another one."""
        for key, task in list(self._streams.items()):
            task.cancel()
            self._streams[key] = asyncio.create_task(self._push(key, self._wanted[key]))

    async def _push(self, key: str, subscription: Mapping[str, Any]) -> None:
        channel, stream = STREAMS[subscription["type"]]
        while True:
            try:
                async for data in stream(self._door.house, subscription):
                    await self._send(channel, data)
                return
            except (BotError, Misshapen) as error:
                self._streams.pop(key, None)
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


def identify(subscription: Mapping[str, Any]) -> str:
    """What tells subscriptions apart."""
    return json.dumps({name: str(value).lower() for name, value in sorted(subscription.items()) if value is not None})
