"""Records come in: one as JSON, or several as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from setoff.operator.api import views
from setoff.operator.api.admission import FORGED, PENALTY, Admission, check_signed
from setoff.operator.api.lookup import read_exchange
from setoff.operator.sequencer.exchange import Exchange, SubmitResult, join_leg_pages
from setoff.operator.sequencer.sequencer import Sequencer
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.wire.leg_pages import check_leg_pages
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.records import decode_request
from setoff.shared.wire.refusals import show_error

MAX_BULK: Final = 256
"""Records of one binary request."""


class SubmitHandlers:
    """Hands records to the sequencer, and shows what became of them."""

    def __init__(self, sequencer: Sequencer, admission: Admission, deployment: Deployment) -> None:
        self._sequencer = sequencer
        self._admission = admission
        self._chain_id = deployment.chain_id
        self._vault = deployment.vault_bytes

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [web.post("/v1/records", self.post_record), web.post("/v1/records/bulk", self.post_records)]

    async def post_record(self, request: web.Request) -> web.Response:
        """Submit one record as JSON."""
        payload = parse_json(await request.read())
        record, leg_pages = decode_request(payload, self._chain_id, self._vault)
        result = (await self._submit_all(request, [[record, *leg_pages]]))[0]
        if isinstance(result, SetoffError):
            raise result
        return web.json_response(_show_result(result))

    async def post_records(self, request: web.Request) -> web.Response:
        """Submit several records as bytes."""
        body = await request.read()
        count, rest = divmod(len(body), RECORD_BYTES)
        if rest or not 1 <= count <= MAX_BULK:
            raise InputError("malformed_record", f"the body is 1 to {MAX_BULK} records of {RECORD_BYTES} bytes")
        parts = [body[i : i + RECORD_BYTES] for i in range(0, len(body), RECORD_BYTES)]
        results = await self._submit_all(request, join_leg_pages(parts))
        return web.json_response({"results": [_show_result(result) for result in results]})

    async def _submit_all(
        self, request: web.Request, groups: Sequence[Sequence[bytes]]
    ) -> list[SubmitResult | BaseException]:
        """Submit records, each with the leg pages behind it; in their order, what is admitted."""
        if (obstacle := self._sequencer.obstacle()) is not None:
            raise obstacle
        client = request.remote or ""
        with self._admission.admit(client, sum(map(len, groups))):
            signers = await self._admission.recover(client, [group[0] for group in groups])
            exchange = read_exchange(self._sequencer)
            refusals: list[InputError | None] = [
                _find_refusal(exchange, group, signer) for group, signer in zip(groups, signers, strict=True)
            ]
            admitted = [group for group, refusal in zip(groups, refusals, strict=True) if refusal is None]
            answers = iter(
                await asyncio.gather(
                    *[self._sequencer.submit(group[0], group[1:]) for group in admitted], return_exceptions=True
                )
            )
            forged = sum(refusal is not None and refusal.reason in FORGED for refusal in refusals)
            if forged:
                await asyncio.sleep(forged * PENALTY)
            return [next(answers) if refusal is None else refusal for refusal in refusals]


def _show_result(result: Any) -> Mapping[str, Any]:
    if isinstance(result, SetoffError):
        return show_error(result)
    if isinstance(result, BaseException):
        raise result
    return views.show_result(result)


def _find_refusal(exchange: Exchange, group: Sequence[bytes], signer: bytes | None) -> InputError | None:
    """Why a record with its leg pages is not admitted, if so."""
    try:
        check_leg_pages(group[0], group[1:])
        check_signed(exchange, group[0], signer)
    except InputError as refusal:
        return refusal
    return None
