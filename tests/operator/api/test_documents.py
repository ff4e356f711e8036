"""The documents that tools and people read: whole, true of every operation, and harmless to look at."""

import asyncio
import json
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from tests.support.processes.running_operator import Running

from setoff.operator.api import read_budget
from setoff.operator.api.documents.asyncapi import make_asyncapi
from setoff.operator.api.documents.openapi import make_openapi
from setoff.operator.api.documents.schemas import make_requests
from setoff.shared.errors import is_known_reason
from setoff.shared.wire.api.channels import CHANNELS
from setoff.shared.wire.api.operations import OPERATIONS

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    negative_data_rejection, unsupported_method,
]  # fmt: skip


def list_references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(list_references, value.values()))
    return set().union(*map(list_references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("make", [make_openapi, make_asyncapi])
def test_a_document_refers_to_nothing_that_it_does_not_have(make: Any) -> None:
    document = make()
    for reference in list_references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def test_records_are_described_as_their_sources_do() -> None:
    """Where they run compiled the classes have no docstrings."""
    requests = make_requests()
    assert requests["OrderRecord"]["description"].startswith("A limit order.")
    assert requests["CrankRecord"]["description"].startswith("Lets time pass on a market")


def test_every_operation_is_in_the_documents_with_reasons_that_exist() -> None:
    paths, sockets = make_openapi()["paths"], {each["address"] for each in make_asyncapi()["channels"].values()}
    for operation in OPERATIONS:
        assert all(map(is_known_reason, operation.refusals)), operation.name
        if operation.is_socket:
            assert operation.path in sockets
        else:
            assert paths[operation.path][operation.method.lower()]["operationId"] == operation.name
    assert CHANNELS.keys() <= make_asyncapi()["components"]["messages"].keys()


def test_every_member_of_an_answer_has_one_unit() -> None:
    for name, schema in make_openapi()["components"]["schemas"].items():
        for member, about in schema.get("properties", {}).items():
            if not name.endswith("Record") and about.get("type") in ("integer", "number", "string"):
                told = {"x-unit", "enum", "const", "description"} & about.keys()
                assert told or name in ("Market", "Terms", "Info", "Collateral", "Health", "Status"), (name, member)


async def test_the_documents_are_served(exchange: Running) -> None:
    assert (await exchange.get("/v1/openapi.json"))[1] == json.loads(json.dumps(make_openapi()))
    assert (await exchange.get("/v1/asyncapi.json"))[1] == json.loads(json.dumps(make_asyncapi()))


async def test_the_page_loads_and_runs_nothing(exchange: Running) -> None:
    async with exchange.http.get(exchange.url + "/docs") as response:
        page, headers = await response.text(), response.headers
    assert response.status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'") and "unsafe" not in str(headers)
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script|<img|<link|<iframe|style=|onclick|https?://", page)
    assert all(operation.path in page for operation in OPERATIONS)
    anchors = set(re.findall(r"id=([\w-]+)", page))
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= anchors


@pytest.mark.parametrize(
    "examples", [5, pytest.param(300, marks=pytest.mark.long)], ids=["some examples", "many examples"]
)
async def test_no_request_that_fits_the_document_or_breaks_it_is_answered_otherwise(
    historic: Running, examples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = historic
    monkeypatch.setattr(read_budget, "SHARE", 100.0)
    schema = schemathesis.openapi.from_dict(make_openapi())
    schema.config.update(base_url=exchange.url)
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def run(operation: Any) -> None:
        has_something_to_break = operation.body or operation.path_parameters or operation.query
        for mode in GenerationMode if has_something_to_break else (GenerationMode.POSITIVE,):

            @chosen
            @given(operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                case.call_and_validate(checks=CHECKS)

            check()

    for result in schema.get_all_operations():
        await asyncio.to_thread(run, result.ok())
    assert (await exchange.get("/v1/health"))[0] == 200
