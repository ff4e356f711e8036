"""Every answer of an operator that a test sees is held against the API's own documents: one hook, in the sessions that
tests, and the clients that they start, ask with.

Members that a document does not have are an error here, so that none is shown without being described.
"""

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from jsonschema import Draft202012Validator

from setoff.shared.sdk import connection
from setoff.shared.sdk.bounded_answers import read_body
from setoff.shared.wire.api.channels import CHANNELS
from setoff.shared.wire.api.operations import find_operation


class CheckedResponse(aiohttp.ClientResponse):
    """An answer; its JSON is checked when it is read."""

    async def json(self, **options: Any) -> Any:
        """See aiohttp."""
        answer = await super().json(**options)
        check_answer(self.method, self.url.path, self.status, answer)
        return answer


class CheckedSocket(aiohttp.ClientWebSocketResponse):
    """A WebSocket; the messages in JSON that come over it are checked."""

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        """See aiohttp."""
        message = await super().receive(timeout)
        if message.type is aiohttp.WSMsgType.TEXT:
            path = urlsplit(str(self._response.url)).path
            check_message(path, json.loads(message.data))
        return message


def check_every_answer() -> None:
    """From now on every session of this process checks."""
    aiohttp.ClientSession.__init__.__kwdefaults__.update(
        response_class=CheckedResponse, ws_response_class=CheckedSocket
    )
    connection.read_body = _read_checked  # type: ignore[attr-defined] # the client reads within bounds, not by json()


async def _read_checked(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = await read_body(response, limit)
    if isinstance(response, CheckedResponse):
        check_answer(response.method, response.url.path, response.status, json.loads(body))
    return body


def check_answer(method: str, path: str, status: int, answer: Any) -> None:
    """Raises AssertionError if it is not what the document says of it."""
    operation = find_operation(method, path)
    if operation is None or operation.is_socket:
        return
    responses = _documents()[0]["paths"][operation.path][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {path} answers {status}, which its operation does not have: {answer}"
    schema = responses[str(status)]["content"].get("application/json", {}).get("schema")
    if schema is not None:
        _check(f"{method} {path} {status}", schema, answer)


def check_message(path: str, message: Any) -> None:
    """The same of a message over a WebSocket."""
    messages = _documents()[1]["components"]["messages"]
    if path.endswith("/entry"):
        _check(path, messages["entryTextAnswer"]["payload"], message)
    elif path.endswith("/v1/stream"):
        _check(path, messages[f"topic_{message['channel']}"]["payload"], message)
    elif message.get("channel") in CHANNELS:
        _check(path, messages[message["channel"]]["payload"], message)


def _check(where: str, schema: Any, value: Any) -> None:
    errors = list(_validator(json.dumps(schema)).iter_errors(value))
    deepest = [error for error in errors for error in (error.context or [error])]
    assert not errors, f"{where}: {[f'{error.json_path}: {error.message[:300]}' for error in deepest[:5]]}"


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(_close(json.loads(schema)) | {"components": {"schemas": _schemas()}})


@cache
def _documents() -> tuple[Any, Any]:
    from setoff.operator.api.documents.asyncapi import make_asyncapi  # these load what most tests do not need
    from setoff.operator.api.documents.openapi import make_openapi

    return make_openapi(), make_asyncapi()


@cache
def _schemas() -> Any:
    """What `#/components/schemas/…` refers to, of both documents, in objects that are closed."""
    first, second = (document["components"]["schemas"] for document in _documents())
    return _close(first | second)


def _close(schema: Any) -> Any:
    """The same without room for members that are not described."""
    if isinstance(schema, list):
        return [_close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _close(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
