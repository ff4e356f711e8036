"""A second venue, of another team: it matches by requests for quotes, off any book, and settles through this rollup.

    python -m tests.support.processes.rfq_venue --exchange URL --rpc URL --deployment FILE --key FILE

A taker asks for a quote, makers answer with a price and sign; the taker signs, too, and the venue settles the pair: two
ordinary orders, the maker's post-only, the taker's fill-or-kill at the same price, one right behind the other, to the
operator or, while that is silent, through L1. It holds no money and no key but one that pays for gas; it uses what
`shared/MODULES.md` says that a venue has, and nothing else.

    POST /requests  {"market", "side", "size"}                                     -> {"request"}
    GET  /requests                                                                 -> {"requests": [...]}
    POST /quotes    {"request", "price", "order", "cancel"}  records in hex        -> {"quote"}
    GET  /quotes/N                                                                 -> {"quotes": [{"quote", "price"}]}
    POST /accept    {"quote", "order"}                                             -> {"way", ...}
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.records import BUY, FOK, POST_ONLY, SELL, TIME_IN_FORCE, OrderBody
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.key_file import read_key
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.vault import Vault
from setoff.shared.state.keys import get_master


class Venue:
    """Requests and quotes, in memory: a venue that is started again knows nothing, and nobody has lost anything."""

    def __init__(self, client: SetoffClient, l1: L1, deployment: Deployment) -> None:
        self._client = client
        self._vault = Vault(l1, deployment)
        self._domain = deployment.domain
        self._requests: list[dict[str, Any]] = []
        self._quotes: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(middlewares=[answer_errors])
        app.router.add_post("/requests", self.ask)
        app.router.add_get("/requests", self.list_requests)
        app.router.add_post("/quotes", self.quote)
        app.router.add_get("/quotes/{request}", self.list_quotes)
        app.router.add_post("/accept", self.accept)
        return app

    async def ask(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._requests.append({name: int(asked[name]) for name in ("market", "side", "size")})
        return web.json_response({"request": len(self._requests) - 1})

    async def list_requests(self, _: web.Request) -> web.Response:
        return web.json_response({"requests": self._requests})

    async def quote(self, request: web.Request) -> web.Response:
        """A maker's price, with its order signed, and with what takes that back if the taker's is refused."""
        told = await request.json()
        asked = self._requests[int(told["request"])]
        order, cancel = bytes.fromhex(told["order"]), bytes.fromhex(told["cancel"])
        side = SELL if asked["side"] == BUY else BUY
        body = await self._check(order, asked, side, int(told["price"]), POST_ONLY)
        back = records.decode_cancel(cancel)
        if (back.account, back.order_slot) != (body.account, body.order_slot) or back.nonce <= body.nonce:
            raise InputError("malformed_record", "the cancel is not of the order, or not after it")
        await self._check_signer(cancel, body.account)
        self._quotes.append({"request": int(told["request"]), "price": body.price, "order": order, "cancel": cancel})
        return web.json_response({"quote": len(self._quotes) - 1})

    async def list_quotes(self, request: web.Request) -> web.Response:
        wanted = int(request.match_info["request"])
        shown = [{"quote": n, "price": q["price"]} for n, q in enumerate(self._quotes) if q["request"] == wanted]
        return web.json_response({"quotes": shown})

    async def accept(self, request: web.Request) -> web.Response:
        """The taker's order: settle the pair."""
        told = await request.json()
        quote = self._quotes[int(told["quote"])]
        asked, order = self._requests[quote["request"]], bytes.fromhex(told["order"])
        await self._check(order, asked, asked["side"], quote["price"], FOK)
        try:
            return web.json_response(await self._settle(quote, order))
        except Unavailable:
            return web.json_response(await self._force(quote, order))

    async def _settle(self, quote: dict[str, Any], order: bytes) -> dict[str, Any]:
        """Both to the operator. Raises Refusal, with nothing left in the book; Unavailable before anything was sent."""
        await self._client.submit(quote["order"])
        try:
            result = await self._client.submit(order)
        except SetoffError:
            await self._client.submit(quote["cancel"])
            raise
        return {"way": "operator", "filled": result.filled, "batch": result.batch}

    async def _force(self, quote: dict[str, Any], order: bytes) -> dict[str, Any]:
        """Both through L1, whose queue keeps them in this order; what the taker does not take is taken back."""
        for record in (quote["order"], order, quote["cancel"]):
            await asyncio.to_thread(self._vault.force, record)
        return {"way": "L1"}

    async def _check(self, record: bytes, asked: dict[str, Any], side: int, price: int, force: int) -> OrderBody:
        """Whether it is the order that was agreed on: no party pays for what the other, or the venue, made of it."""
        body = records.decode_order(record)
        agreed = (asked["market"], side, price, asked["size"], force)
        if (body.market, body.side, body.price, body.size, body.flags & TIME_IN_FORCE) != agreed:
            raise InputError("malformed_record", f"the order is not what was agreed on: {agreed}")
        await self._check_signer(record, body.account)
        return body

    async def _check_signer(self, record: bytes, account: int) -> None:
        """Against L1, which knows whose an account is."""
        signer = signatures.recover(eip712.digest(self._domain, record[:60]), record[60:])
        if signer is None or await asyncio.to_thread(self._vault.account, signer) != get_master(account):
            raise InputError("bad_signature", "it is not signed by the account's owner")


@web.middleware
async def answer_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (SetoffError, Refusal) as error:
        return web.json_response({"reason": error.reason, "detail": error.detail}, status=422)
    return response


async def serve(arguments: argparse.Namespace) -> None:
    deployment = Deployment.load(Path(arguments.deployment))
    l1 = L1(arguments.rpc, read_key(arguments.key, "key"), chain_id=deployment.chain_id)
    async with SetoffClient(arguments.exchange) as client:
        runner = web.AppRunner(Venue(client, l1, deployment).app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"venue: http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("exchange", "rpc", "deployment", "key"):
        parser.add_argument(f"--{name}", required=True)
    asyncio.run(serve(parser.parse_args()))
