"""The contracts' storage as a block's state root binds it: where a value lies, and what is proven to be there.

A view is what a node says that a contract would answer. A slot with its proof (`eth_getProof`) is what the block holds:
whoever knows the block's hash needs to believe nobody. Where the slots are is the compiler's to say; its layouts are
kept in `layouts/`, as the ABIs are in `interfaces/`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.abilities import PROOFS
from setoff.shared.l1.answers import Block, take_quantity
from setoff.shared.l1.proofs import AccountProof, take_account
from setoff.shared.l1.rpc import Node, to_hex

LAYOUTS: Final = Path(__file__).with_name("layouts")
"""The folder of the storage layouts: one JSON file a contract, named like it."""

AUDITED: Final = ("queue", "inbox", "court")
"""The contracts whose storage is read."""

SLOTS: Final = 128
"""Slots asked for in one request: some 3 KB of proof each, of a contract of any size."""

LOOKS: Final = 3
LOOK_PAUSE: Final = 0.3
"""Seconds between two looks for a contract that is not there."""

Key = bytes | int
"""Of a mapping: an integer, 32 bytes, or an address of 20 bytes."""


class Layout:
    """Where one contract keeps its variables."""

    def __init__(self, variables: dict[str, dict[str, Any]]) -> None:
        """`variables`: by name the slot and, of structs in mappings, the words of the fields."""
        self._variables = variables

    def slot(self, variable: str, *keys: Key, field: str | None = None) -> int:
        """The slot of a variable, of an entry of a mapping, or of a field in a struct there. Raises KeyError.

        Vyper puts an entry at keccak(slot of the mapping || key), and one field after the other in words of their own.
        """
        entry = self._variables[variable]
        slot: int = entry["slot"]
        for key in keys:
            slot = int.from_bytes(keccak(_to_word(slot) + _to_word(key)), "big")
        return slot if field is None else (slot + int(entry["fields"][field])) % (1 << 256)


class Fact(NamedTuple):
    """What has to be in a slot."""

    slot: int
    value: int
    what: str
    """For people: whose value it is."""


def load_layout(name: str) -> Layout:
    """The layout in `layouts/<name>.json`."""
    return Layout(json.loads((LAYOUTS / f"{name}.json").read_text()))


def find_difference(node: Node, address: bytes, block: Block, facts: Iterable[Fact]) -> str:
    """The first of these facts that is not so after `block`, in words; empty if all are. Raises ChainError.

    Asked for as they come, so whoever lists them may stop at what makes the rest needless.
    """
    for part in _split(facts, SLOTS):
        values = read_slots(node, address, block, [fact.slot for fact in part])
        for fact, value in zip(part, values, strict=True):
            if value != fact.value:
                return f"{fact.what} is {_show(value)} on L1, and {_show(fact.value)} by what was shown"
    return ""


def read_slots(node: Node, address: bytes, block: Block, slots: Sequence[int]) -> list[int]:
    """What a contract has in these slots after `block`, proven by its state root; on the node's word where it has no
    proofs. Raises ChainError.
    """
    if PROOFS.is_had_by(node):
        return list(prove(node, address, block, slots=slots).values)
    where, number = to_hex(address), hex(block.number)
    return [node.ask("eth_getStorageAt", where, to_hex(_to_word(slot)), number, take=take_quantity) for slot in slots]


def has_contract(node: Node, address: bytes, block: Block) -> bool:
    """Whether there is one after `block`, proven by its state root; on the node's word where it has no proofs. Raises
    ChainError.
    """
    return prove(node, address, block).has_code if PROOFS.is_had_by(node) else bool(node.code(address))


def is_vacant(node: Node, address: bytes) -> bool:
    """Whether no contract is at the address, whenever it is looked for: a backend may be elsewhere for a moment. Raises
    ChainError.
    """
    for look in range(LOOKS):
        if look:
            time.sleep(LOOK_PAUSE)
        if has_contract(node, address, node.head()):
            return False
    return True


def prove(
    node: Node, address: bytes, block: Block, patience: float | None = None, slots: Sequence[int] = ()
) -> AccountProof:
    """A contract after `block`, and these slots of its storage, proven by the block's state root. Raises ChainError."""
    keys = [to_hex(_to_word(slot)) for slot in slots]
    return node.ask(
        "eth_getProof", to_hex(address), keys, hex(block.number), patience=patience,
        take=lambda value: take_account(value, address, slots, block.state_root),
    )  # fmt: skip


def _split(facts: Iterable[Fact], size: int) -> Iterator[list[Fact]]:
    part: list[Fact] = []
    for fact in facts:
        part.append(fact)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _to_word(value: Key) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def _show(value: int) -> str:
    """A count as such, a hash by its beginning."""
    return str(value) if value < 1 << 64 else f"0x{value >> 192:016x}…"
