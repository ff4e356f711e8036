"""Records come in over HTTP: one as JSON, or several as bytes. What cannot be let in is refused before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from setoff.operator.api.admission import Admission
from setoff.operator.api.clients import get_client
from setoff.operator.api.refusals.explainer import Explainer
from setoff.operator.api.repeats import Repeats
from setoff.operator.api.routes import Handlers
from setoff.operator.api.views.record_views import show_result
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import SubmitResult, join_leg_pages
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import InputError, SetoffError
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.records import decode_request
from setoff.shared.wire.refusals import show_error

MAX_BULK: Final = 256
"""Records of one binary request."""
BODY_SECONDS: Final = 10.0
"""Time for a body to arrive."""


class SubmitHandlers:
    """Hands records to the admission, and shows what became of them."""

    def __init__(
        self,
        admission: Admission,
        deployment: Deployment,
        scales: Scales,
        explainer: Explainer,
        repeats: Repeats,
    ) -> None:
        self._admission = admission
        self._chain_id = deployment.chain_id
        self._vault = deployment.vault_bytes
        self._scales = scales
        self._explainer = explainer
        self._repeats = repeats

    def handlers(self) -> Handlers:
        """By operation."""
        return {"submitRecord": self.post_record, "submitRecords": self.post_records}

    async def post_record(self, request: web.Request) -> web.Response:
        """Submit one record as JSON."""
        payload = parse_json(await self._read(request, 1))
        record, leg_pages = decode_request(payload, self._chain_id, self._vault)
        result = (await self._submit(request, [[record, *leg_pages]]))[0]
        if isinstance(result, SetoffError):
            repeated = await self._repeats.find(record, result)
            if repeated is not None:
                return web.json_response(repeated)
            raise await self._explainer.explain(get_client(request), record, result)
        return web.json_response(show_result(self._scales, result))

    async def post_records(self, request: web.Request) -> web.Response:
        """Submit several records as bytes."""
        body = await self._read(request, max(1, (request.content_length or 0) // RECORD_BYTES))
        count, rest = divmod(len(body), RECORD_BYTES)
        if rest or not 1 <= count <= MAX_BULK:
            raise InputError("malformed_record", f"the body is 1 to {MAX_BULK} records of {RECORD_BYTES} bytes")
        parts = [body[i : i + RECORD_BYTES] for i in range(0, len(body), RECORD_BYTES)]
        groups = join_leg_pages(parts)
        results = [
            await self._explainer.explain(get_client(request), group[0], came)
            if isinstance(came, SetoffError)
            else came
            for group, came in zip(groups, await self._submit(request, groups), strict=True)
        ]
        return web.json_response({"results": [self._show(result) for result in results]})

    async def _read(self, request: web.Request, count: int) -> bytes:
        """The body of a request for so many records. Raises StateError if they could not be let in."""
        client = get_client(request)
        if (obstacle := self._admission.find_obstacle(client, count)) is not None:
            await self._admission.hold_back(client)
            raise obstacle
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise InputError("malformed_json", "bodies are taken as they are: no Content-Encoding")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await request.read()
        except TimeoutError:
            raise InputError("missing_field", f"the body has not arrived within {BODY_SECONDS:g} s") from None

    async def _submit(
        self, request: web.Request, groups: Sequence[Sequence[bytes]]
    ) -> list[SubmitResult | SetoffError]:
        """Submit records, each with the leg pages behind it."""
        return await self._admission.submit(get_client(request), groups)

    def _show(self, result: SubmitResult | SetoffError) -> Mapping[str, Any]:
        return show_error(result) if isinstance(result, SetoffError) else show_result(self._scales, result)
