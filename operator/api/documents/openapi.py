"""The OpenAPI 3.1 document of the table of operations. WebSockets are in the AsyncAPI document."""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.documents.schemas import PREFIX, Schema, make_answers, make_requests
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import SERVICE_REASONS
from setoff.shared.wire.api.operations import OPERATIONS, VERSION, Body, Operation
from setoff.shared.wire.refusals import REFUSED, STATUSES

ABOUT: Final = (
    "Orders and other records are signed (EIP-712) in ticks, lots and token units; whatever an answer has in these, "
    "its member `decimal` has in decimals, under the same names. One member has one unit (`x-unit`). Integers that can "
    "pass 2^53 are decimal strings. Every refusal is an object with a `reason` of a fixed list. 4xx: nothing has "
    "changed. 503: try again. Members may be added to answers: take no notice of those that you do not know. The "
    "WebSockets are described at /v1/asyncapi.json."
)
BULK_BYTES: Final = 256 * RECORD_BYTES


def make_openapi() -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if not operation.is_socket:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _make_operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Setoff",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The operator that serves this document."}],
        "paths": paths,
        "components": {"schemas": make_answers() | make_requests()},
    }


def list_statuses(operation: Operation) -> dict[int, list[str]]:
    """The reasons for which an operation is refused, by HTTP status."""
    found: dict[int, list[str]] = {}
    for reason in dict.fromkeys(operation.refusals):
        found.setdefault(STATUSES.get(reason, REFUSED), []).append(reason)
    if operation.parameters or not operation.body:
        found.setdefault(STATUSES["missing_field"], []).append("missing_field")
    return {status: list(dict.fromkeys(reasons)) for status, reasons in sorted(found.items())}


def _make_operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.about.split(".")[0] + ".",
        "description": operation.about,
        "x-cost": operation.cost.value,
        "responses": _make_responses(operation),
    }
    if operation.parameters:
        made["parameters"] = [
            {
                "name": parameter.name,
                "in": "path" if parameter.name in operation.path_parameters else "query",
                "required": parameter.name in operation.path_parameters,
                "description": f"{parameter.about} It is {parameter.form.about}.",
                "schema": parameter.schema,
            }
            for parameter in operation.parameters
        ]
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": {operation.body.value: _make_body(operation.body)}}
    return made


def _make_body(body: Body) -> dict[str, Any]:
    if body is Body.RECORD:
        return {"schema": {"$ref": f"{PREFIX}Submission"}}
    about = f"Records of {RECORD_BYTES} bytes, one behind the other; `contentMediaType` binary."
    schema = {"type": "string", "format": "binary", "minLength": RECORD_BYTES, "maxLength": BULK_BYTES}
    return {"schema": schema | {"description": about}}


def _make_responses(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        schema: Schema = {"type": "object"} if operation.answer == "application/json" else {"type": "string"}
        content = {operation.answer: {"schema": schema}}
    else:
        content = {"application/json": {"schema": {"$ref": PREFIX + operation.answer.__name__}}}
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": content}}
    for status, reasons in list_statuses(operation).items():
        schema = {"allOf": [{"$ref": f"{PREFIX}Refusal"}, {"properties": {"reason": {"enum": reasons}}}]}
        lines = [f"`{reason}`: {SERVICE_REASONS.get(reason, 'the machine refuses the record')}" for reason in reasons]
        responses[str(status)] = {
            "description": "; ".join(lines) + ".",
            "content": {"application/json": {"schema": schema}},
        }
    return responses
