"""The vectors of witness bundles: of every batch of the run one that leads to its end, and others that are no witness.

Who takes one of the latter believes whatever a server says; who refuses one of the former has no use for a server.
Streams are written here, for what a library packs depends on the library.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple, Self

from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witnesses import cut_bundle
from setoff.shared.state.tree import DEPTH, EMPTY, LEAVES, Tree

_COUNTS: Final = Struct(">II")
_LEAF: Final = Struct(">QH")
_NODE: Final = Struct(">Q32s")
_BLOCK: Final = Struct("<BHH")
_MOST_STORED: Final = 0xFFFF
_OTHER: Final = keccak(b"another")


class Parts(NamedTuple):
    """A bundle as section 26 has it: leaves (key, value) and hashes (node, digest), in their order."""

    registers: bytes
    leaves: tuple[tuple[int, bytes], ...]
    hashes: tuple[tuple[int, bytes], ...]

    @classmethod
    def of(cls, fragment: Fragment) -> Self:
        """Of a bundle that the product cuts."""
        return cls(fragment.registers, tuple(sorted(fragment.values.items())), tuple(sorted(fragment.beside.items())))

    def write(self, leaves: int | None = None, hashes: int | None = None) -> bytes:
        """What the stream holds; `leaves`, `hashes`: how many it says there are."""
        counts = _COUNTS.pack(
            len(self.leaves) if leaves is None else leaves, len(self.hashes) if hashes is None else hashes
        )
        shown = [_LEAF.pack(key, len(value)) + value for key, value in self.leaves]
        return b"".join([self.registers, counts, *shown, *(_NODE.pack(*one) for one in self.hashes)])


def store(data: bytes) -> bytes:
    """A zlib stream that packs nothing."""
    return store_pieces([data[at : at + _MOST_STORED] for at in range(0, len(data), _MOST_STORED)])


def store_pieces(pieces: Sequence[bytes]) -> bytes:
    """The same, a block a piece."""
    blocks = [
        _BLOCK.pack(at == len(pieces) - 1, len(piece), _MOST_STORED ^ len(piece)) + piece
        for at, piece in enumerate(pieces)
    ]
    return b"\x78\x01" + b"".join(blocks) + zlib.adler32(b"".join(pieces)).to_bytes(4, "big")


def pack(data: bytes) -> bytes:
    """A zlib stream of one block with the fixed codes of RFC 1951, every byte for itself."""
    codes = [format(0x30 + byte, "08b") if byte < 144 else format(0x190 + byte - 144, "09b") for byte in data]
    bits = "110" + "".join(codes) + 7 * "0"  # the last block, of the fixed codes; and at the end the end of the block
    packed = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    return b"\x78\x01" + packed + zlib.adler32(data).to_bytes(4, "big")


def build_witnesses(batches: Sequence[Batch], domain: bytes) -> dict[str, Any]:
    """The document, of the run's batches."""
    machine, bundles, cut = Machine.genesis(domain), list[dict[str, Any]](), list[tuple[Machine, Parts]]()
    for batch in batches:
        before = machine.copy()
        fragment = cut_bundle(machine, batch)
        cut.append((before, Parts.of(fragment)))
        ends = {"before": before.hash(), "after": machine.hash()}
        bundles.append({"name": "as cut", "batch": batch.header.number, **ends, "bundle": store(cut[-1][1].write())})
    chosen = choose([parts for _, parts in cut])
    whole, good = cut[chosen]
    bundles += [
        {**bundles[chosen], "name": name, "bundle": bundle}
        for name, bundle in (
            ("packed", pack(good.write())),
            ("in two blocks", store_in_two(good.write())),
            ("with leaves that no step uses", store(add_unused(whole.state.tree, good).write())),
        )
    ]
    place = {"batch": chosen, "before": bundles[chosen]["before"]}
    after = cut[chosen + 1][1]
    return {
        "bundles": bundles,
        "refused": [
            {"name": name, **place, "bundle": bundle, "reason": "bad_witness"}
            for name, bundle in list_refused(whole.state.tree, good, after)
        ],
    }


def choose(cut: Sequence[Parts]) -> int:
    """The smallest one whose batch uses leaves, some of them absent, and has one after it: each change of it stands in
    the file as a whole."""

    def is_rich(parts: Parts) -> bool:
        absent = sum(not value for _, value in parts.leaves)
        return absent > 1 and len(parts.leaves) - absent > 1 and len(parts.hashes) > 1

    return min((number for number, parts in enumerate(cut[:-1]) if is_rich(parts)), key=lambda n: len(cut[n].write()))


def store_in_two(data: bytes) -> bytes:
    """As `store`, in two blocks."""
    half = len(data) // 2
    return store_pieces([data[:half], data[half:]])


def cut_parts(tree: Tree, registers: bytes, values: dict[int, bytes]) -> Parts:
    """The bundle with these leaves of a whole tree."""
    return Parts(registers, tuple(sorted(values.items())), tuple(sorted(tree.cut(values).items())))


def add_unused(tree: Tree, good: Parts) -> Parts:
    """With a leaf beside those used, and the place of one that is absent."""
    values = dict(good.leaves)
    there = next((key, value) for key, value in sorted(tree.items()) if key not in values)
    absent = next(key for key in range(there[0] + 1, LEAVES) if key not in values and not tree.get(key))
    return cut_parts(tree, good.registers, {**values, there[0]: there[1], absent: b""})


def list_refused(tree: Tree, good: Parts, after: Parts) -> Iterator[tuple[str, bytes]]:
    """What is wrong, and the bundle."""
    yield from list_streams(good)
    for name, parts in (*list_orders(good), *list_hashes(good), *list_false(good), *list_withheld(tree, good)):
        yield name, store(parts.write())
    yield "of the machine after the batch", store(after.write())


def list_streams(good: Parts) -> Iterator[tuple[str, bytes]]:
    """What is no stream of these bytes."""
    data = good.write()
    stream = store(data)
    yield "not packed at all", data
    yield "no bytes", b""
    yield "a stream that is cut short", stream[:-1]
    yield "a stream with another checksum", stream[:-1] + bytes([stream[-1] ^ 1])
    yield "a stream without head and checksum", stream[2:-4]
    yield "a byte behind the stream", stream + b"\0"
    yield "a byte behind the hashes", store(data + b"\0")
    yield "the last hash cut short", store(data[:-1])
    yield "registers that are cut short", store(good.registers[:-1])
    yield "registers alone", store(good.registers)
    leaves, hashes = len(good.leaves), len(good.hashes)
    yield "a leaf more than there is", store(good.write(leaves=leaves + 1))
    yield "a leaf less than there is", store(good.write(leaves=leaves - 1))
    yield "a hash more than there is", store(good.write(hashes=hashes + 1))
    yield "a hash less than there is", store(good.write(hashes=hashes - 1))
    yield "more leaves than bytes", store(good.write(leaves=2**32 - 1))


def list_orders(good: Parts) -> Iterator[tuple[str, Parts]]:
    """Leaves and hashes that are right, and not as they have to stand."""
    leaves, hashes = good.leaves, good.hashes
    yield "two leaves exchanged", good._replace(leaves=(leaves[1], leaves[0], *leaves[2:]))
    yield "a leaf twice", good._replace(leaves=(*leaves, leaves[-1]))
    yield "a leaf behind the last key", good._replace(leaves=(*leaves, (LEAVES, b"")))
    yield "two hashes exchanged", good._replace(hashes=(hashes[1], hashes[0], *hashes[2:]))
    yield "a hash twice", good._replace(hashes=(*hashes, hashes[-1]))


def list_hashes(good: Parts) -> Iterator[tuple[str, Parts]]:
    """Hashes that do not belong there: who does not look for them comes to the right root all the same."""
    keys = [key for key, _ in good.leaves]
    paths = {(LEAVES + key) >> height for key in keys for height in range(DEPTH + 1)}
    beside = dict(good.hashes)
    empty = next(node ^ 1 for node in sorted(paths)[1:] if node ^ 1 not in paths and node ^ 1 not in beside)
    lower = next(node for node in beside if node < LEAVES)

    def add(node: int, digest: bytes) -> Parts:
        return good._replace(hashes=tuple(sorted({**beside, node: digest}.items())))

    yield "the hash of the root beside leaves", add(1, _OTHER)
    yield "the hash of a node on a path", add((LEAVES + keys[0]) >> 3, _OTHER)
    yield "the hash of a leaf that is given", add(LEAVES + keys[0], keccak(good.leaves[0][1]))
    yield "a hash below another one", add(2 * lower, _OTHER)
    yield "the hash of an empty subtree", add(empty, EMPTY[DEPTH + 1 - empty.bit_length()])
    yield "the hash of no node", add(0, _OTHER)
    yield "the hash of a node below the leaves", add(2 * (LEAVES + keys[0]), _OTHER)
    yield "the hash of a node far below the leaves", add(2**64 - 1, _OTHER)


def list_false(good: Parts) -> Iterator[tuple[str, Parts]]:
    """Another machine than the one before the batch."""
    (node, digest), *hashes = good.hashes
    place = next(number for number, one in enumerate(good.leaves) if one[1])
    key, value = good.leaves[place]
    before, after = good.leaves[:place], good.leaves[place + 1 :]
    yield "another last register", good._replace(registers=change_last(good.registers))
    yield "another domain", good._replace(registers=change_last(good.registers[:32]) + good.registers[32:])
    yield "another value of a leaf", good._replace(leaves=(*before, (key, change_last(value)), *after))
    yield "a leaf that is said to be absent", good._replace(leaves=(*before, (key, b""), *after))
    yield "another hash", good._replace(hashes=((node, _OTHER), *hashes))
    yield "a hash left out", good._replace(hashes=tuple(hashes))
    yield "a hash under another node", good._replace(hashes=tuple(sorted([(node ^ 1, digest), *hashes])))


def change_last(data: bytes) -> bytes:
    """With another last bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


def list_withheld(tree: Tree, good: Parts) -> Iterator[tuple[str, Parts]]:
    """The right machine, without a leaf that a step uses: its hash stands among the others."""
    values = dict(good.leaves)
    for name, wanted in (("a leaf kept back", True), ("an absent leaf kept back", False)):
        keys = [key for key, value in values.items() if bool(value) is wanted]
        for which, key in (("the first", keys[0]), ("the last", keys[-1])):
            rest = {other: value for other, value in values.items() if other != key}
            yield f"{name}, {which}", cut_parts(tree, good.registers, rest)
    yield "no leaves", cut_parts(tree, good.registers, {})
