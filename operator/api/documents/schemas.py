"""JSON schemas of what is answered and sent, made from the classes and field tables that the code itself works with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, cast

from pydantic import ConfigDict, TypeAdapter

from setoff.shared.codec import records
from setoff.shared.codec.layout import Field, fields_of
from setoff.shared.codec.records import ExchangeTerms, MarketParameters
from setoff.shared.wire.api import (
    account_answers,
    history_answers,
    market_answers,
    record_answers,
    risk_answers,
    service_answers,
    stream_answers,
)
from setoff.shared.wire.api.channels import CHANNELS, TOPICS
from setoff.shared.wire.api.decimals import find_units
from setoff.shared.wire.api.operations import OPERATIONS
from setoff.shared.wire.api.record_answers import Refusal
from setoff.shared.wire.api.units import DECIMAL, INTEGER, NATURAL, TICKS

Schema = dict[str, Any]

PREFIX: Final = "#/components/schemas/"
_ANSWERS: Final = (
    account_answers,
    history_answers,
    market_answers,
    record_answers,
    risk_answers,
    service_answers,
    stream_answers,
)
_TABLES: Final = {market_answers.Market: MarketParameters, market_answers.Terms: ExchangeTerms}
"""Answers that have every field of a table beside their own members."""
_CONFIG: Final = ConfigDict(use_attribute_docstrings=True)


def list_answers() -> list[type[Any]]:
    """The classes of all answers and messages that the tables name."""
    found = [operation.answer for operation in OPERATIONS]
    found += [channel.message for channel in CHANNELS.values()] + [topic.message for topic in TOPICS.values()]
    return list(dict.fromkeys([*(answer for answer in found if isinstance(answer, type)), Refusal]))


def make_answers() -> dict[str, Schema]:
    """The schemas of all answers, and of what they are made of, by name."""
    adapters: list[Any] = [
        (answer, "serialization", TypeAdapter(list[answer], config=_CONFIG))  # type: ignore[valid-type]
        for answer in list_answers()
    ]
    _, made = TypeAdapter.json_schemas(adapters, ref_template=PREFIX + "{model}")
    schemas = cast("dict[str, Schema]", made["$defs"])
    for schema in schemas.values():
        _drop_titles(schema)
    for answer, table in _TABLES.items():
        schema, abouts = schemas[answer.__name__], _read_abouts(table)
        names = {field.name: _describe(field) | abouts.get(field.name, {}) for field in fields_of(table)}
        schema["properties"] = schema.get("properties", {}) | names
        schema["required"] = [*schema.get("required", ()), *names]
    for answer in _list_parts():
        part = schemas.get(answer.__name__, {})
        for base in getattr(answer, "__orig_bases__", ()):
            for name, about in _read_abouts(base).items() if isinstance(base, type) else ():
                part.get("properties", {}).get(name, {}).setdefault("description", about["description"])
        if "decimal" in part.get("properties", {}):
            part["properties"]["decimal"] = _make_decimal(answer)
    return schemas


def make_requests() -> dict[str, Schema]:
    """The schemas of what is sent as JSON, by name: a record of each type, and any of them."""
    schemas = {kind.name: _make_typed(kind) for kind in records.TYPES.values() if kind.is_signed}
    crank = records.TYPES[records.CRANK]
    schemas[crank.name] = _make_object(
        _read_class(crank.body)[0],
        {"typed": _make_object(None, {
            "type": {"const": crank.name},
            "message": _make_object(None, {"market": _make_value(crank.fields[-1])}),
        })},
    )  # fmt: skip
    schemas["Submission"] = {
        "description": "A signed record as the typed data that was signed (EIP-712), or a crank, which nobody signs. "
        "Wallets' `domain`, `types` and `primaryType` may be there, too.",
        "oneOf": [{"$ref": f"{PREFIX}{name}Record"} for name in schemas],
    }
    return {name if name == "Submission" else f"{name}Record": schema for name, schema in schemas.items()}


def _make_typed(kind: Any) -> Schema:
    message = _make_object(None, {field.name: _make_value(field) for field in kind.fields})
    typed = _make_object(None, {"type": {"const": kind.name}, "message": message})
    typed["properties"] |= {
        "primaryType": {"const": kind.name},
        "domain": {"type": "object"},
        "types": {"type": "object"},
    }
    signature = {"type": "string", "pattern": "^(0x)?([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$"}
    made = _make_object(_read_class(kind.body)[0], {"typed": typed, "signature": signature})
    if kind.number == records.BULK:
        page = {"type": "string", "pattern": f"^(0x)?[0-9a-fA-F]{{{2 * records.RECORD_BYTES}}}$"}
        made["properties"]["leg_pages"] = {"type": "array", "items": page}
    return made


def _make_value(field: Field) -> Schema:
    """What a field of a record looks like: a number, or a decimal string."""
    if field.is_bytes:
        return {"type": "string", "pattern": f"^(0x)?[0-9a-fA-F]{{{2 * field.size}}}$"}
    most = field.limits.stop - 1
    return {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": most},
            {"type": "string", "pattern": NATURAL, "maxLength": len(str(most))},
        ]
    }


def _make_object(about: str | None, members: dict[str, Schema]) -> Schema:
    made: Schema = {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    return made if about is None else {"description": " ".join(about.split())} | made


def _describe(field: Field) -> Schema:
    """A field of a table as an answer has it."""
    if field.is_shown_as_text:
        return {"type": "string", "pattern": INTEGER}
    return {"type": "integer", "minimum": field.limits.start, "maximum": field.limits.stop - 1}


def _read_abouts(table: type[Any]) -> dict[str, Schema]:
    """What the source of a table says behind each of its fields."""
    return {
        field.target.id: {"description": about.value.value}
        for field, about in pairwise(_read_class(table)[1])
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(about, ast.Expr) and isinstance(about.value, ast.Constant)
    }


def _read_class(table: type[Any]) -> tuple[str | None, list[ast.stmt]]:
    """What the source of a table says of it, and what is in it: where its module runs compiled it is there alone."""
    package, _, name = table.__module__.rpartition(".")
    tree = ast.parse((files(package) / f"{name}.py").read_text())
    for each in tree.body:
        if isinstance(each, ast.ClassDef) and each.name == table.__name__:
            return ast.get_docstring(each), each.body
    return None, []


def _make_decimal(answer: type[Any]) -> Schema:
    """The member `decimal` of an answer: what it has in ticks, lots and token units."""
    value: Schema = {"type": ["string", "null"], "pattern": DECIMAL}
    units = find_units(answer)
    members = {
        name: value | {"description": "quote per base, null for none" if unit is TICKS else f"{unit.name}, in decimals"}
        for name, unit in units.items()
    }
    about = "The same in decimals: prices in quote per base, sizes in base, amounts in the collateral's currency."
    return {"type": "object", "description": about, "properties": members, "additionalProperties": False}


def _list_parts() -> Iterator[type[Any]]:
    """All classes of answers, the parts of others, too."""
    for module in _ANSWERS:
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def _drop_titles(schema: Any) -> None:
    """Titles repeat the names of what they are of."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _drop_titles(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_titles(value)
