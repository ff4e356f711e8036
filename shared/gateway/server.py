"""The gateway's HTTP server: `POST /info`, `POST /exchange`, and the WebSocket `/ws`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from setoff.shared.errors import SetoffError, StateError
from setoff.shared.gateway.door import Door
from setoff.shared.gateway.figures import OF_BOTS, Figures, count_refused_orders, to_prometheus
from setoff.shared.gateway.house import House
from setoff.shared.gateway.info import Info
from setoff.shared.gateway.json_bodies import MAX_BODY, read_json
from setoff.shared.gateway.orders.actions import refuse_absent
from setoff.shared.gateway.refusals import BotError, Misshapen, to_text
from setoff.shared.gateway.streams.socket import BotSocket
from setoff.shared.sdk import Unavailable
from setoff.shared.wire import pages

_U64: Final = 1 << 64
_log = logging.getLogger(__name__)


class Server:
    """Answers bots. What a browser sends for some page is refused: it would trade for whoever looks at it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.figures = Figures()
        self._info: tuple[House, Info] | None = None

    def make_app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_refuse_pages])
        app.add_routes(
            [web.post("/info", self._tell), web.post("/exchange", self._act), web.get("/ws", self._open_socket)]
        )
        app.add_routes([web.get("/metrics", self._show_figures)])
        return app

    async def _show_figures(self, request: web.Request) -> web.Response:
        text = to_prometheus(self.figures, is_exchange_up=self._door.is_settled)
        return web.Response(text=text, headers={"Content-Type": pages.PROMETHEUS})

    async def _tell(self, request: web.Request) -> web.Response:
        return await self._respond(request, "info")

    async def _act(self, request: web.Request) -> web.Response:
        return await self._respond(request, "action")

    async def _respond(self, request: web.Request, kind: str) -> web.Response:
        try:
            return web.json_response(await self.answer(kind, read_json(await request.read())))
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"a request has at most {MAX_BODY} bytes")
        except (Misshapen, ValueError) as error:
            return web.Response(status=422, text=f"Failed to deserialize the JSON body into the target type: {error}")
        except BotError as error:
            return web.Response(status=500, text=str(error))
        except SetoffError as error:
            return web.Response(status=503 if isinstance(error, StateError) else 500,
                                text=to_text(error.reason, error.detail))  # fmt: skip

    async def answer(self, kind: str, request: object) -> Any:
        """What is answered to a request, "info" or "action". Raises Misshapen; an info BotError and SetoffError; an
        action Unavailable("not_ready") where nothing has answered: it has no status then, for it may still trade."""
        begun, outcome, reason = time.monotonic(), "ok", ""
        try:
            await self._door.beginnings.wait()
            answer, reason = await self._answer(kind, request)
            outcome = "refused" if reason else "ok"
            return answer
        except Misshapen:
            outcome = "misshapen"
            raise
        except BotError:
            outcome, reason = "refused", OF_BOTS
            raise
        except SetoffError as error:
            outcome, reason = "unavailable" if isinstance(error, StateError) else "refused", error.reason
            raise
        finally:
            self.figures.end(kind, outcome, time.monotonic() - begun, reason)

    async def _answer(self, kind: str, request: object) -> tuple[Any, str]:
        """The answer, and the reason if it is a refusal."""
        if not isinstance(request, Mapping):
            raise Misshapen("the body is an object")
        house = self._door.house
        if kind == "info":
            return await self._find_info(house).tell(request), ""
        try:
            done = await self._do(house, request)
            if refused := count_refused_orders(done):
                self.figures.refusals["order"] += refused
            return {"status": "ok", "response": done}, ""
        except BotError as error:
            return {"status": "err", "response": str(error)}, OF_BOTS
        except SetoffError as error:
            if isinstance(error, Unavailable) and error.is_without_answer:
                raise
            _log.warning("a bot's request was refused: %s", error)
            return {"status": "err", "response": to_text(error.reason, error.detail)}, error.reason

    def _find_info(self, house: House) -> Info:
        if self._info is None or self._info[0] is not house:
            self._info = house, Info(house)
        return self._info[1]

    async def _do(self, house: House, request: Mapping[str, Any]) -> Any:
        action, nonce, signature = request.get("action"), request.get("nonce"), request.get("signature")
        expires = request.get("expiresAfter")
        if not isinstance(action, Mapping) or not isinstance(signature, Mapping) or not _is_u64(nonce):
            raise Misshapen("'action' and 'signature' are objects, 'nonce' is a time in milliseconds")
        if expires is not None and not _is_u64(expires):
            raise Misshapen("'expiresAfter' is a time in milliseconds")
        refuse_absent(action)
        vault = _read_vault(request.get("vaultAddress"))
        assert isinstance(nonce, int)
        house.bot.check(action, nonce, signature, vault, expires)
        sub = house.parties.find_own(None if vault is None else "0x" + vault.hex())
        return await house.actions(sub).do(action)

    async def _open_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=MAX_BODY)
        await socket.prepare(request)
        self.figures.sockets += 1
        try:
            await BotSocket(self._door, socket, self.answer).serve()
        finally:
            self.figures.sockets -= 1
        return socket


@web.middleware
async def _refuse_pages(request: web.Request, handler: Any) -> web.StreamResponse:
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request.host):
        return web.Response(status=403, text="this gateway serves programs, and no pages of a browser")
    response: web.StreamResponse = await handler(request)
    return response


def _is_own(origin: str, host: str) -> bool:
    """Whether a request's origin is the server that it is for, named by number: as libraries of programs write it. A
    name may lead here from any page."""
    if origin.partition("://")[2] != host:
        return False
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost"
    return True


def _is_u64(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _U64


def _read_vault(value: object) -> bytes | None:
    """`vaultAddress`, with 0x or without, as bots have it."""
    if value is None:
        return None
    try:
        found = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 20:
        raise Misshapen("'vaultAddress' is an address")
    return found
