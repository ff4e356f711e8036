"""The AsyncAPI 3.0 document of the WebSockets: what is sent over them, either way."""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.documents.schemas import PREFIX, make_answers, make_requests
from setoff.shared.wire import entry_frames
from setoff.shared.wire.api.channels import CHANNELS, TOPICS
from setoff.shared.wire.api.operations import OPERATIONS, VERSION

_LAYOUT: Final = str(entry_frames.__doc__)
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": entry_frames.MAX_NUMBER}
"""A frame's own, the client's."""


def make_asyncapi() -> dict[str, Any]:
    """The document."""
    operations = {operation.name: operation for operation in OPERATIONS}
    stream, entry = operations["listen"], operations["enterRecords"]
    binary = {"contentType": "application/octet-stream", "description": _LAYOUT, "payload": {"type": "string"}}
    topics = {f"topic_{name}": _make_topic(name) for name in TOPICS}
    messages = (
        {name: _make_message(name) for name in CHANNELS}
        | topics
        | {
            "subscribe": {"contentType": "application/json", "payload": _make_subscribe()},
            "entryFrame": binary,
            "entryAnswer": binary,
            "entryText": {"contentType": "application/json", "payload": {"$ref": f"{PREFIX}EntryText"}},
            "entryTextAnswer": {"contentType": "application/json", "payload": {"$ref": f"{PREFIX}EntryTextAnswer"}},
        }
    )
    query = {each.name: each.schema | {"description": each.about} for each in stream.parameters}
    answers = make_answers()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Setoff", "version": VERSION, "license": {"name": "MIT"}},
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": stream.path,
                "description": stream.about,
                "messages": {name: _refer(name) for name in CHANNELS},
                "bindings": {"ws": {"query": {"type": "object", "properties": query}}},
            },
            "topics": {
                "address": operations["stream"].path,
                "description": operations["stream"].about,
                "messages": {name: _refer(name) for name in (*topics, "subscribe")},
            },
            "entry": {
                "address": entry.path,
                "description": entry.about,
                "messages": {name: _refer(name) for name in messages if name.startswith("entry")},
            },
        },
        "operations": {
            "listen": _make_operation("stream", "send", list(CHANNELS)),
            "stream": _make_operation("topics", "send", list(topics)),
            "subscribe": _make_operation("topics", "receive", ["subscribe"]),
            "enterRecords": _make_operation("entry", "receive", ["entryFrame", "entryText"]),
            "answerRecords": _make_operation("entry", "send", ["entryAnswer", "entryTextAnswer"]),
        },
        "components": {"messages": messages, "schemas": answers | make_requests() | _make_texts(answers)},
    }


def _make_message(name: str) -> dict[str, Any]:
    channel = CHANNELS[name]
    members = {"channel": {"const": name}, "data": {"$ref": PREFIX + channel.message.__name__}}
    return {
        "name": name,
        "description": channel.about,
        "payload": {"type": "object", "properties": members, "required": list(members)},
    }


def _make_topic(name: str) -> dict[str, Any]:
    topic = TOPICS[name]
    members: dict[str, Any] = {
        "channel": {"const": name},
        "topic": {"$ref": f"{PREFIX}Topic"},
        "cursor": {"type": ["integer", "null"]},
        "data": {"$ref": PREFIX + topic.message.__name__},
    }
    payload = {"type": "object", "properties": members, "required": list(members)}
    return {"name": name, "description": topic.about, "payload": payload}


def _make_subscribe() -> dict[str, Any]:
    """What a client sends."""
    names = [topic.name for topic in TOPICS.values() if topic.names]
    members = {
        "op": {"enum": ["subscribe", "unsubscribe"]},
        "channel": {"enum": names},
        "market": {"type": ["string", "integer"]},
        "account": {"type": ["string", "integer"]},
        "interval": {"type": "string", "default": "1m"},
        "after": {"type": "integer", "description": "A cursor: go on behind it. Of trades and account_fills."},
        "id": {"description": "The client's own, which the answer has."},
    }
    return {"type": "object", "properties": members, "required": ["op", "channel"]}


def _make_texts(answers: dict[str, Any]) -> dict[str, Any]:
    """Frames of the order entry that are JSON: what is sent and answered over HTTP, with the frame's number."""
    about = "The members of a Submission, and the client's own number of the frame."
    members = {"typed": {"type": "object"}, "signature": {"type": "string"}, "leg_pages": {"type": "array"}}
    sent = {"type": "object", "properties": {"number": _NUMBER} | members, "required": ["number", "typed"]}
    number = {"number": {"anyOf": [_NUMBER, {"type": "null"}]}}
    numbered = [
        answer | {"properties": number | answer["properties"], "required": ["number", *answer["required"]]}
        for answer in (answers["Result"], answers["Refusal"])
    ]
    return {"EntryText": sent | {"description": about}, "EntryTextAnswer": {"anyOf": numbered}}


def _make_operation(channel: str, action: str, names: list[str]) -> dict[str, Any]:
    """`action`: what the exchange does."""
    where = f"#/channels/{channel}"
    messages = [{"$ref": f"{where}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": where}, "messages": messages}


def _refer(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{name}"}
