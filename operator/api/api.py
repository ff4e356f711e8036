"""The HTTP and WebSocket interface. Nothing here decides anything: it decodes, asks the sequencer, and shows.

    POST /v1/records            {"typed": {"type": "Order", "message": {…}}, "signature": "0x…"}: answers what became of
                                it, with the signed receipts for it (and its pages) in "receipts";
                                a bulk record comes with its "leg_pages", and is taken with all of them or not at all
    POST /v1/records/bulk       n × 124 bytes: answers {"results": […]}, a receipt or a refusal each, in order (one for
                                a bulk record with the pages behind it)
    GET  /v1/info               chain, vault, domain, signed types, limits
    GET  /v1/markets            all markets                /v1/markets/{market}   one
    GET  /v1/book/{market}      ?depth=20                  best levels of both sides
    GET  /v1/accounts/{account} id or owner's address, ".2" behind it for sub-account 2: money, positions, orders, nonce
    GET  /v1/orders/{account}                              open and armed orders
    GET  /v1/backstop                                      the backstop vault
    GET  /v1/fills              ?market&account&after&limit, in the order of their gap-free numbers
    GET  /v1/batches/{number}                              a closed batch
    GET  /v1/withdrawals/{index}                           its proof for the vault, once its epoch is complete
    GET  /v1/status  /v1/health                            where the sequencer is; 200 or 503
    GET  /ws                    ?channels=records,fills,batches: JSON messages {"channel", "data"}, without the receipts

Every refusal is {"reason": …, "detail": …} with a reason of the shared list. 4xx: nothing was changed. 503: try again
("overloaded"), or ("not_ready") a record that was on its way may have been taken or not.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import WSMsgType, web
from redis.exceptions import RedisError

from setoff.operator.api import views
from setoff.operator.api.admission import FORGED, PENALTY, Admission, check_signed
from setoff.operator.api.feed import CHANNELS
from setoff.operator.sequencer.exchange import FILLS_KEPT, Exchange, Receipt, join_leg_pages
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.sequencer import Sequencer, Status
from setoff.shared.codec import eip712, records
from setoff.shared.config.settings import Deployment
from setoff.shared.errors import SERVICE_REASONS, InputError, SetoffError, StateError
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.rules import phases
from setoff.shared.state import keys, leaves
from setoff.shared.wire.leg_pages import check_leg_pages
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.records import decode_request

log = logging.getLogger(__name__)

MAX_DEPTH: Final = 1000
MAX_FILLS: Final = 1000
MAX_BULK: Final = 256  # records of one binary request
MAX_SHOWN: Final = 1000  # answers to reads that are kept
RETRY_SECONDS: Final = 1
HEARTBEAT_SECONDS: Final = 20.0  # between pings on a WebSocket

#: HTTP status of a reason; what the machine refuses is 422.
STATUSES: Final[dict[str, int]] = {
    "malformed_json": 400,
    "missing_field": 400,
    "body_too_large": 413,
    "wrong_chain": 400,
    "not_found": 404,
    "not_ready": 503,
    "overloaded": 503,
}
REFUSED: Final = 422

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """The handlers of one sequencer."""

    def __init__(self, sequencer: Sequencer, outbox: Outbox, deployment: Deployment, admission: Admission) -> None:
        self._sequencer = sequencer
        self._admission = admission
        self._shown = ShownOnce()
        self._outbox = outbox
        self._deployment = deployment
        self._vault = deployment.vault_bytes

    def make_app(self, max_body: int) -> web.Application:
        """The aiohttp application; `max_body` in bytes."""
        app = web.Application(client_max_size=max_body, middlewares=[answer_errors])
        app.add_routes(
            [
                web.post("/v1/records", self.post_record),
                web.post("/v1/records/bulk", self.post_records),
                web.get("/v1/info", self.get_info),
                web.get("/v1/markets", self.get_markets),
                web.get("/v1/markets/{market}", self.get_market),
                web.get("/v1/book/{market}", self.get_book),
                web.get("/v1/accounts/{account}", self.get_account),
                web.get("/v1/orders/{account}", self.get_orders),
                web.get("/v1/backstop", self.get_backstop),
                web.get("/v1/fills", self.get_fills),
                web.get("/v1/batches/{number}", self.get_batch),
                web.get("/v1/withdrawals/{index}", self.get_withdrawal),
                web.get("/v1/status", self.get_status),
                web.get("/v1/health", self.get_health),
                web.get("/ws", self.listen),
            ]
        )
        return app

    # --- records ---------------------------------------------------------------------------------------------------

    async def post_record(self, request: web.Request) -> web.Response:
        """Submit one record as JSON."""
        payload = parse_json(await request.read())
        record, leg_pages = decode_request(payload, self._deployment.chain_id, self._vault)
        result = (await self._submit_all(request, [[record, *leg_pages]]))[0]
        if isinstance(result, SetoffError):
            raise result
        return web.json_response(_show_result(result))

    async def post_records(self, request: web.Request) -> web.Response:
        """Submit several records as bytes."""
        body = await request.read()
        count, rest = divmod(len(body), records.RECORD_BYTES)
        if rest or not 1 <= count <= MAX_BULK:
            raise InputError("malformed_record", f"the body is 1 to {MAX_BULK} records of {records.RECORD_BYTES} bytes")
        parts = [body[i : i + records.RECORD_BYTES] for i in range(0, len(body), records.RECORD_BYTES)]
        results = await self._submit_all(request, join_leg_pages(parts))
        return web.json_response({"results": [_show_result(result) for result in results]})

    async def _submit_all(
        self, request: web.Request, groups: Sequence[Sequence[bytes]]
    ) -> list[Receipt | BaseException]:
        """Submit records, each with the pages behind it; in their order, what is admitted."""
        if (obstacle := self._sequencer.obstacle()) is not None:
            raise obstacle
        client = request.remote or ""
        with self._admission.admit(client, sum(map(len, groups))):
            signers = await self._admission.recover(client, [group[0] for group in groups])
            exchange = self._readable()
            refusals: list[InputError | None] = [
                _find_refusal(exchange, group, signer) for group, signer in zip(groups, signers, strict=True)
            ]
            passed = [group for group, refusal in zip(groups, refusals, strict=True) if refusal is None]
            answers = iter(
                await asyncio.gather(
                    *[self._sequencer.submit(group[0], group[1:]) for group in passed], return_exceptions=True
                )
            )
            forged = sum(refusal is not None and refusal.reason in FORGED for refusal in refusals)
            if forged:
                await asyncio.sleep(forged * PENALTY)
            return [next(answers) if refusal is None else refusal for refusal in refusals]

    # --- reads -----------------------------------------------------------------------------------------------------

    async def get_info(self, _: web.Request) -> web.Response:
        """What a client has to know before it signs."""
        deployment = self._deployment
        return web.json_response(
            {
                "name": eip712.NAME,
                "version": eip712.VERSION,
                "chain_id": deployment.chain_id,
                "vault": deployment.vault,
                "token": deployment.token,
                "queue": deployment.queue,
                "receipts": deployment.receipts,
                "domain": "0x" + deployment.domain.hex(),
                "types": [kind.type_string for kind in records.SIGNED.values()],
                "epoch_batches": deployment.epoch_batches,
                "limits": {
                    "batch_inputs": MAX_INPUTS,
                    "bulk_records": MAX_BULK,
                    "bulk_legs": phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE,
                    "max_sub": keys.MAX_SUB,
                    "max_agent": keys.MAX_AGENT,
                    "crank_interval": phases.SAMPLE_INTERVAL,
                    "max_order_slot": keys.MAX_ORDER_SLOT,
                    "max_tick": keys.MAX_TICK,
                    "max_order_size": str(phases.MAX_ORDER_SIZE),
                    "max_position": str(records.MAX_POSITION),
                    "max_positions": leaves.MAX_POSITIONS,
                    "max_matches": phases.MAX_MATCHES,
                },
                "markets": self._show_markets(),
            }
        )

    async def get_markets(self, request: web.Request) -> web.Response:
        """All markets."""
        return self._show(request, lambda _: {"markets": self._show_markets()})

    async def get_market(self, request: web.Request) -> web.Response:
        """One market."""
        market = self._find_market(request)
        return self._show(request, lambda exchange: views.show_market(exchange, market))

    async def get_book(self, request: web.Request) -> web.Response:
        """The best levels of a market."""
        depth = _query(request, "depth", 20, MAX_DEPTH)
        market = self._find_market(request)
        return self._show(request, lambda exchange: views.show_book(exchange, market, depth))

    async def get_account(self, request: web.Request) -> web.Response:
        """One account."""
        account = self._find_account(request.match_info["account"])
        return self._show(request, lambda exchange: views.show_account(exchange, account))

    async def get_orders(self, request: web.Request) -> web.Response:
        """The open and armed orders of an account."""
        account = self._find_account(request.match_info["account"])
        return self._show(
            request, lambda exchange: {"account": account, "orders": views.show_orders(exchange, account)}
        )

    async def get_backstop(self, request: web.Request) -> web.Response:
        """The backstop vault."""
        return self._show(request, views.show_backstop)

    async def get_fills(self, request: web.Request) -> web.Response:
        """The oldest of the kept fills after number `after`, or without it the latest."""
        self._check_readable()
        market = _query(request, "market", 0, keys.MAX_MARKET)
        after = _query(request, "after", -1, 2**63)
        limit = _query(request, "limit", 100, MAX_FILLS)
        account = self._find_account(request.query["account"]) if "account" in request.query else None
        found = [
            numbered
            for numbered in self._sequencer.exchange.fills
            if numbered.number > after
            and market in (0, numbered.fill.market)
            and account in (None, numbered.fill.taker, numbered.fill.maker)
        ]
        chosen = found[:limit] if after >= 0 else found[max(0, len(found) - limit) :]
        return web.json_response({"fills": [views.show_fill(fill) for fill in chosen], "kept": FILLS_KEPT})

    async def get_batch(self, request: web.Request) -> web.Response:
        """A closed batch."""
        number = _number(request.match_info["number"], "batch")
        sealed = await asyncio.to_thread(self._outbox.get, number)
        if sealed is None:
            raise InputError("not_found", f"batch {number} is not closed yet")
        posted = await asyncio.to_thread(self._outbox.posted)
        return web.json_response(views.show_batch(sealed, number < posted))

    async def get_withdrawal(self, request: web.Request) -> web.Response:
        """The proof of a withdrawal."""
        index = _number(request.match_info["index"], "withdrawal")
        proof = await asyncio.to_thread(self._outbox.withdrawal, index)
        if proof is None:
            raise InputError("not_found", f"there is no proof of withdrawal {index} yet")
        return web.json_response(proof.to_json())

    async def get_status(self, _: web.Request) -> web.Response:
        """Where the sequencer is. Answers in every state."""
        sequencer = self._sequencer
        exchange = sequencer.exchange
        obstacle = sequencer.obstacle()
        return web.json_response(
            {
                "status": sequencer.status.value,
                "obstacle": None if obstacle is None else _show_error(obstacle),
                "machine": "0x" + exchange.machine.hash().hex(),
                "sequence": exchange.cursor.records,
                "batch": exchange.cursor.number,
                "open_inputs": exchange.inputs,
                "messages": exchange.cursor.messages,
                "commit": sequencer.commit,
                "time": exchange.machine.regs.time,
                "l1_time": sequencer.l1_time,
                "waiting": sequencer.waiting,
                "unposted": sequencer.unposted,
                "accounts": exchange.machine.regs.accounts,
                "withdrawals": exchange.machine.regs.withdrawals,
                "winding_since": exchange.machine.regs.winding_since,
            }
        )

    async def get_health(self, _: web.Request) -> web.Response:
        """200 if records are taken now, 503 with the reason if not."""
        obstacle = self._sequencer.obstacle()
        if obstacle is not None:
            raise obstacle
        return web.json_response({"status": "ready"})

    # --- stream ----------------------------------------------------------------------------------------------------

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Push what happens on the channels asked for; a listener that falls behind is closed with code 1013."""
        names = request.query.get("channels")
        channels = frozenset(names.split(",")) if names is not None else CHANNELS
        if not channels <= CHANNELS:
            raise InputError("missing_field", f"channels are some of {', '.join(sorted(CHANNELS))}")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=1024)
        await socket.prepare(request)
        with self._sequencer.feed.subscribe(channels) as subscription:
            reader = asyncio.create_task(_drain(socket))
            reader.add_done_callback(lambda _: subscription.close())
            try:
                while (message := await subscription.get()) is not None:
                    await socket.send_str(json.dumps(message))
            except (ConnectionError, RuntimeError):
                log.debug("a listener went away")
            finally:
                reader.cancel()
        if not socket.closed:
            await socket.close(code=1013, message=b"too slow, or the operator is stopping")
        return socket

    # --- inside ----------------------------------------------------------------------------------------------------

    def _check_readable(self) -> None:
        """Raises StateError while the state in memory may not be the durable one."""
        if self._sequencer.status is not Status.READY:
            raise StateError("not_ready", f"the sequencer is {self._sequencer.status.value}")

    def _show(self, request: web.Request, make: Callable[[Exchange], Mapping[str, Any]]) -> web.Response:
        """A view of the exchange; asked for again before anything has changed, it is the same bytes."""
        exchange = self._readable()
        body = self._shown.get(
            (id(exchange), self._sequencer.commit), request.path_qs, lambda: json.dumps(make(exchange)).encode()
        )
        return web.Response(body=body, content_type="application/json")

    def _readable(self) -> Exchange:
        self._check_readable()
        return self._sequencer.exchange

    def _show_markets(self) -> list[dict[str, Any]]:
        exchange = self._readable()
        return [views.show_market(exchange, market) for market in range(1, exchange.machine.regs.markets + 1)]

    def _find_market(self, request: web.Request) -> int:
        self._check_readable()
        market = _number(request.match_info["market"], "market")
        if not 1 <= market <= self._sequencer.exchange.machine.regs.markets:
            raise InputError("not_found", f"there is no market {market}")
        return market

    def _find_account(self, text: str) -> int:
        """An account by its id or its owner's address, with ".N" behind it its sub-account N.

        Raises InputError("not_found").
        """
        exchange = self._readable()
        name, _, sub = text.partition(".")
        if name.startswith("0x"):
            try:
                account = exchange.accounts.get(bytes.fromhex(name[2:]), 0)
            except ValueError:
                raise InputError("missing_field", "an address is 0x and 40 hexadecimal digits") from None
        else:
            account = _number(name, "account")
        if sub:
            account = keys.sub_account(keys.get_master(account), _number(sub, "account"))
        if not 1 <= keys.get_master(account) <= exchange.machine.regs.accounts or keys.get_sub(account) > keys.MAX_SUB:
            raise InputError("not_found", f"there is no account {text[:42]}")
        return account


class ShownOnce:
    """Answers to reads, kept until the exchange changes."""

    def __init__(self) -> None:
        self._version: object = None
        self._bodies: dict[str, bytes] = {}

    def get(self, version: object, name: str, make: Callable[[], bytes]) -> bytes:
        """The answer called `name` of this version of the exchange."""
        if version != self._version or len(self._bodies) >= MAX_SHOWN:
            self._version = version
            self._bodies.clear()
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = make()
        return body


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a reason and a status."""
    try:
        return await handler(request)
    except SetoffError as error:
        return answer(error)
    except web.HTTPRequestEntityTooLarge:
        return answer(InputError("body_too_large", f"a body has at most {request.client_max_size} bytes"))
    except web.HTTPException as other:
        if other.status == 405:
            return answer(InputError("not_found", f"{request.path} does not take {request.method}"), 405)
        if 400 <= other.status < 500:
            return answer(InputError("not_found", f"there is nothing at {request.path[:80]}"), other.status)
        raise
    except RedisError as error:
        log.error("the store does not answer: %s", error)
        return answer(StateError("not_ready", "the store does not answer"))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("a request failed: %s %s", request.method, request.path)
        return answer(StateError("not_ready", "the request failed inside"), 500)


def answer(error: SetoffError, status: int | None = None) -> web.Response:
    """The response that tells of a refusal."""
    status = STATUSES.get(error.reason, REFUSED) if status is None else status
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    return web.json_response(_show_error(error), status=status, headers=headers)


def _show_error(error: SetoffError) -> dict[str, str]:
    detail = error.detail or SERVICE_REASONS.get(error.reason, "")
    return {"reason": error.reason, "detail": detail or "the machine refuses the record"}


def _show_result(result: Any) -> Mapping[str, Any]:
    if isinstance(result, SetoffError):
        return _show_error(result)
    if isinstance(result, BaseException):
        raise result
    return views.show_receipt(result)


def _find_refusal(exchange: Exchange, group: Sequence[bytes], signer: bytes | None) -> InputError | None:
    """Why a record with its pages is not admitted, if so."""
    try:
        check_leg_pages(group[0], group[1:])
        check_signed(exchange, group[0], signer)
    except InputError as refusal:
        return refusal
    return None


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InputError("missing_field", f"'{what}' is a number")
    return int(text)


def _query(request: web.Request, name: str, default: int, highest: int) -> int:
    """A number in the query string, cut off at `highest`."""
    text = request.query.get(name)
    return default if text is None else min(_number(text, name), highest)


async def _drain(socket: web.WebSocketResponse) -> None:
    """Read what a listener sends, which is nothing but its leave."""
    async for message in socket:
        if message.type in (WSMsgType.ERROR, WSMsgType.CLOSE):
            return
