"""Variants of a scene's inputs: one input again, from the state it met, with a few numbers of that state changed.

A scene meets few boundaries; its variants (`judge/scenes/variants.json`) stand on either side of one, or let two
numbers differ that are mostly the same. Each is a scene, a batch, an input, and numbers by name:

    {"scene": "margin: tiers", "batch": 3, "input": 1, "set": {"account 2.collateral": 1200, "market 1.index": 99}}

Names: a leaf's kind and the number in its key, then a field; `positions.0.size` is of the first place; `registers` for
a register, `time` for the time of the batch, `input` for a field of the input itself, which is signed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.generator.players import ADDRESSES, HANDS, ORACLES, TRADERS
from tests.support.vector_checks import Entry

from setoff.deploy.simulation.sample_traffic import CHAIN_ID, VAULT, agent_key, oracle_key, trader_key
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.state import keys, leaves
from setoff.shared.state.store import encode_leaf

FILE: Final = Path(__file__).parent / "judge" / "scenes" / "variants.json"
KINDS: Final = {
    "account": keys.ACCOUNT,
    "order": keys.ORDER,
    "market": keys.MARKET,
    "oracle": keys.ORACLE,
    "signers": keys.SIGNERS,
    "agent": keys.AGENT,
    "request": keys.REQUEST,
    "terms": keys.TERMS,
    "activity": keys.ACTIVITY,
}
"""Leaves whose numbers may be changed: no lists, and no words of bits, which hang together."""
NAMES: Final = {number: name for name, number in KINDS.items()}
DOMAIN: Final = eip712.domain_separator(CHAIN_ID, VAULT)

Recipe = dict[str, Any]


def read_variants() -> dict[str, list[Recipe]]:
    """The variants of each scene."""
    found: dict[str, list[Recipe]] = {}
    for recipe in json.loads(FILE.read_text()):
        found.setdefault(recipe["scene"], []).append(recipe)
    return found


def make_variant(batch: Entry, index: int, tree: Mapping[int, bytes], numbers: Mapping[str, int]) -> Entry:
    """The batch of a scene's input as the variant has it, to be run from that input on.

    `tree`: the leaves before the input. Raises AssertionError for numbers that nothing has, OverflowError or
    struct.error for those that do not fit.
    """
    time = numbers.get("time", batch["timestamp"])
    registers: dict[str, int] = {} if index == 0 or time == batch["timestamp"] else {"time": time}
    changed: dict[int, Any] = {}
    body: dict[str, int] = {}
    for name, value in numbers.items():
        leaf, _, field = name.partition(".")
        if leaf == "registers":
            registers[field] = value
        elif leaf == "input":
            body[field] = value
        elif leaf != "time":
            key = key_of(leaf)
            if key not in changed:
                changed[key] = decode_leaf(key, tree.get(key, b""))
            set_number(changed[key], field, value)
    messages, inputs = list(batch["messages"]), list(batch["records"])
    if index < len(messages):
        messages[index] = change_message(messages[index], body)
    elif body:
        inputs[index - len(messages)] = change_record(inputs[index - len(messages)], body)
    first = {"input": index, "micro": 0, "registers": registers, "leaves": [], "bytes": []}
    others = [change for change in batch["changes"] if change["input"] == index]
    if others and others[0]["micro"] == 0:
        # What the scene itself changes there.
        before, *others = others
        first |= {"registers": before["registers"] | registers, "leaves": before["leaves"], "bytes": before["bytes"]}
    values = {key: encode_leaf(key, leaf) for key, leaf in sorted(changed.items())}
    whole = {key: value for key, value in values.items() if len(value) != len(tree.get(key, b""))}
    first["leaves"] = sorted((dict(first["leaves"]) | whole).items())
    patches = [patch for key, value in values.items() for patch in list_patches(key, tree.get(key, b""), value)]
    first["bytes"] = [*first["bytes"], *patches]
    return batch | {"timestamp": time, "messages": messages, "records": inputs, "changes": [first, *others]}


def list_patches(key: int, old: bytes, value: bytes) -> list[tuple[int, int, bytes]]:
    """(key, first byte, bytes) of what differs from the old value, if that is as long."""
    if len(old) != len(value):
        return []
    words = (slice(start, start + 32) for start in range(0, len(old), 32))
    places = [
        word.start + place
        for word in words
        if value[word] != old[word]
        for place, (new, before) in enumerate(zip(value[word], old[word], strict=True))
        if new != before
    ]
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place - found[-1][1] < 8:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return [(key, start, value[start:end]) for start, end in found]


def key_of(name: str) -> int:
    """The key of a leaf's name."""
    kind, _, number = name.partition(" ")
    return KINDS[kind] << keys.BODY_BITS | int(number or 0)


def name_of(key: int) -> str | None:
    """The name of a key, if its numbers may be changed."""
    kind = NAMES.get(key >> keys.BODY_BITS)
    return None if kind is None else f"{kind} {key & 2**keys.BODY_BITS - 1}"


def decode_leaf(key: int, value: bytes) -> Any:
    """The leaf that a value is of."""
    return getattr(leaves, f"decode_{NAMES[key >> keys.BODY_BITS]}")(value)


def set_number(leaf: Any, path: str, value: int) -> None:
    """Set a field of a leaf, or of what is in it."""
    *way, last = path.split(".")
    for part in way:
        leaf = leaf[int(part)] if part.isdigit() else getattr(leaf, part)
    if last.isdigit():
        leaf[int(last)] = value
    else:
        assert isinstance(getattr(leaf, last), int), path
        setattr(leaf, last, value)


# --- the input --------------------------------------------------------------------------------------------------------


def change_message(message: bytes, numbers: Mapping[str, int]) -> bytes:
    """A message with other fields, or another `stamp`."""
    body, queued_at = records.split_message(message)
    fields = {name: value for name, value in numbers.items() if name != "stamp"}
    return records.stamp_message(change_body(body, fields) if fields else body, numbers.get("stamp", queued_at))


def change_record(record: bytes, numbers: Mapping[str, int]) -> bytes:
    """A record with other fields, signed by whoever signed it. Raises AssertionError if nobody we know did."""
    body = record[: records.BODY_BYTES]
    signer = signatures.recover(eip712.digest(DOMAIN, body), record[records.BODY_BYTES :])
    assert signer in known_keys(), "signed by nobody whose key we have"
    changed = change_body(body, numbers)[: records.BODY_BYTES]
    return changed + signatures.sign(eip712.digest(DOMAIN, changed), known_keys()[signer])


def change_body(body: bytes, numbers: Mapping[str, int]) -> bytes:
    """A body with other fields."""
    decoded = decode_body(body)
    for name, value in numbers.items():
        group, _, field = name.partition(".")
        new = replace(getattr(decoded, group), **{field: value}) if field else value
        decoded = decoded._replace(**{group: new})
    return records.encode(decoded)


def decode_body(body: bytes) -> Any:
    """The fields of an input."""
    assert body[0] in records.TYPES
    return records.TYPES[body[0]].decode(body)


@cache
def known_keys() -> dict[bytes, bytes]:
    """The private key of every address that plays in a scene."""
    found = {ADDRESSES[key]: key for key in (*TRADERS.values(), *HANDS.values(), *ORACLES.values())}
    for key in (
        *(trader_key(account) for account in range(400)),
        *(oracle_key(number) for number in range(8)),
        *(agent_key(account, agent) for account in range(10) for agent in range(9)),
    ):
        found[signatures.address_of(key)] = key
    return found
