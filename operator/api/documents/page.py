"""The page for people: the table of operations and what is answered, as plain HTML without scripts."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any, Final

from setoff.operator.api.documents.openapi import ABOUT, list_statuses, make_openapi
from setoff.operator.api.documents.schemas import PREFIX, Schema
from setoff.shared.errors import SERVICE_REASONS
from setoff.shared.wire.api.channels import CHANNELS, TOPICS
from setoff.shared.wire.api.operations import OPERATIONS, Operation
from setoff.shared.wire.page_headers import PAGE_HEADERS

STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid; margin-top: 2.5rem; padding-top: 1rem; }
h3 { margin: 2rem 0 0; font-family: ui-monospace, monospace; font-size: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .2rem .8rem .2rem 0;
  vertical-align: top; overflow-wrap: anywhere; }
td:first-child, code { font-family: ui-monospace, monospace; font-size: .85rem; }
p { margin: .4rem 0; } nav a { margin-right: 1rem; } .small { font-size: .9rem; opacity: .8; }
"""
HEADERS: Final = PAGE_HEADERS | {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
}
"""Of the page: it loads nothing, runs nothing, and is shown nowhere else."""


def make_page() -> str:
    """The page."""
    document = make_openapi()
    schemas: dict[str, Schema] = document["components"]["schemas"]
    tags = list(dict.fromkeys(operation.tag for operation in OPERATIONS))
    links = "".join(f'<a href="#{tag}">{tag}</a>' for tag in (*tags, "channels", "answers", "reasons"))
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Setoff: the API</title>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style><h1>Setoff: the API</h1><nav>{links}</nav><p>{_text(ABOUT)}</p>",
        '<p>For tools: <a href="/v1/openapi.json">OpenAPI</a>, <a href="/v1/asyncapi.json">AsyncAPI</a>.</p>',
    ]
    for tag in tags:
        parts.append(f"<h2 id={tag}>{tag.capitalize()}</h2>")
        parts += [_show_operation(operation) for operation in OPERATIONS if operation.tag == tag]
    parts.append("<h2 id=channels>Channels</h2><table>")
    parts += [_row(each.name, _text(each.about), _link(each.message.__name__)) for each in CHANNELS.values()]
    parts.append("</table><h3>GET /v1/stream</h3><table>")
    parts += [_row(each.name, _text(each.about), _link(each.message.__name__)) for each in TOPICS.values()]
    parts.append("</table><h2 id=answers>Answers and requests</h2>")
    parts += [_show_schema(name, schema) for name, schema in schemas.items()]
    parts.append("<h2 id=reasons>Reasons</h2><table>")
    parts += [_row(name, _text(about)) for name, about in SERVICE_REASONS.items()]
    return "".join([*parts, "</table></html>"])


def _show_operation(operation: Operation) -> str:
    answer = operation.answer
    shown = answer if isinstance(answer, str) else "" if answer is None else _link(answer.__name__)
    parts = [f"<h3 id={operation.name}>{operation.method} {escape(operation.path)}</h3><p>{_text(operation.about)}</p>"]
    if operation.parameters:
        rows = (
            _row(each.name, _text(f"{each.about} It is {each.form.about}."), _default(each.default))
            for each in operation.parameters
        )
        parts.append(f"<table>{''.join(rows)}</table>")
    if shown:
        parts.append(f"<p class=small>Answer: {shown}</p>")
    reasons = "; ".join(f"{status}: {', '.join(names)}" for status, names in list_statuses(operation).items())
    parts.append(f"<p class=small>Refused: {escape(reasons)}</p><p class=small>Cost: {_text(operation.cost.value)}</p>")
    return "".join(parts)


def _show_schema(name: str, schema: Schema) -> str:
    parts = [f"<h3 id=schema-{name}>{name}</h3><p>{_text(schema.get('description', ''))}</p>"]
    if "oneOf" in schema:
        return "".join(parts) + "<p>One of " + ", ".join(_type(one) for one in schema["oneOf"]) + ".</p>"
    rows = (
        _row(member, _type(value), _text(value.get("description", "")))
        for member, value in schema.get("properties", {}).items()
    )
    return "".join(parts) + f"<table>{''.join(rows)}</table>"


def _type(schema: Schema) -> str:
    """A member's type and unit in a few words."""
    if "$ref" in schema:
        return _link(schema["$ref"].removeprefix(PREFIX))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return "list of " + _type(schema.get("items", {}))
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind: Any = schema.get("type", "anything")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    unit = schema.get("x-unit")
    return escape(f"{text}, {unit}" if unit else text)


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _link(name: str) -> str:
    return f'<a href="#schema-{name}">{name}</a>'


def _default(value: object) -> str:
    return "" if value is None else f"default {escape(str(value))}"


def _text(text: str) -> str:
    """Text with its `code`."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
