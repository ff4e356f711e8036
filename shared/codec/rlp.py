"""RLP, the encoding of Ethereum's transactions, headers and trie nodes (Yellow Paper, appendix B).

An item is bytes, or a list of items; to be encoded it may be an integer too, which is written big-endian without
leading zeros. The known library for it takes half a second to load, which every process would spend at its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "bytes | list[Item]"
Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"

STRING: Final = 0x80
"""First byte of an empty string."""
LIST: Final = 0xC0
"""First byte of an empty list."""
SHORT: Final = 55
"""Bytes that the first byte can count; of more it tells how long the number of bytes is."""
DEPTH: Final = 32
"""Lists in lists at most: nothing on L1 has more than a few."""


def encode(item: Encodable) -> bytes:
    """Raises ValueError for a negative integer, TypeError for what is no item."""
    if isinstance(item, int):
        if item < 0:
            raise ValueError("negative integers have no encoding")
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes | bytearray):
        data = bytes(item)
        return data if len(data) == 1 and data[0] < STRING else _head(STRING, len(data)) + data
    if not isinstance(item, list | tuple):
        raise TypeError(f"{type(item).__name__} has no encoding")
    body = b"".join(map(encode, item))
    return _head(LIST, len(body)) + body


def decode(data: bytes) -> Item:
    """The one item that `data` is. Raises ValueError if it is none, or not in its one encoding."""
    item, end = _decode(data, 0, len(data), DEPTH)
    if end != len(data):
        raise ValueError("more than one item")
    return item


def _head(kind: int, length: int) -> bytes:
    if length <= SHORT:
        return bytes([kind + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([kind + SHORT + len(size)]) + size


def _decode(data: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    """The item at a place, and where it ends, before `limit`."""
    if at >= limit:
        raise ValueError("the data end too early")
    first = data[at]
    if first < STRING:
        return data[at : at + 1], at + 1
    kind = LIST if first >= LIST else STRING
    begin, length = at + 1, first - kind
    if length > SHORT:
        size = length - SHORT
        begin, length = at + 1 + size, int.from_bytes(data[at + 1 : at + 1 + size], "big")
        if begin > limit or length <= SHORT or not data[at + 1]:
            raise ValueError("a length that is not in its one encoding")
    end = begin + length
    if end > limit:
        raise ValueError("the data end too early")
    if kind == STRING:
        if length == 1 and data[begin] < STRING:
            raise ValueError("a byte that is not in its one encoding")
        return data[begin:end], end
    if not depth:
        raise ValueError("too many lists in lists")
    items: list[Item] = []
    while begin < end:
        item, begin = _decode(data, begin, end, depth - 1)
        items.append(item)
    return items, end
