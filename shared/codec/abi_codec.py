"""The ABI encoding of contract calls, as Solidity's specification has it: values to bytes and back, by types.

Types are those of canonical signatures: uint8 to uint256, int8 to int256, bool, address, bytes1 to bytes32, bytes,
string, (A,B,…), A[] and A[n]. Integers, bools and text are Python's, addresses and bytes are `bytes`, tuples and arrays
tuples. The known library for it takes half a second to load, which every process would spend at its start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

WORD: Final = 32
_NAMED: Final = re.compile(r"(uint|int|bytes)([1-9][0-9]{0,2})")
_ARRAY: Final = re.compile(r"(.+)\[([1-9][0-9]*)?\]")


class _Kind(NamedTuple):
    """How values of a type are written and read."""

    size: int
    """Bytes in the head of what holds such a value: a word if it is dynamic, the offset."""
    is_dynamic: bool
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], Any]
    """From data and a place in it. Raises ValueError."""


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """The values one after the other, as the arguments of a call. An address may be a 0x-string, too.

    Raises ValueError or TypeError for what a type cannot be.
    """
    return _tuple_of(tuple(types)).encode(values)


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The values that `data` begins with. Raises ValueError if it is no encoding of such values."""
    values: tuple[Any, ...] = _tuple_of(tuple(types)).decode(bytes(data), 0)
    return values


def type_of(entry: Mapping[str, Any]) -> str:
    """The type of an argument, a field or a result in a contract's ABI: a tuple is written out."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(type_of, entry['components']))}){kind.removeprefix('tuple')}"


@lru_cache(maxsize=1024)
def _kind(name: str) -> _Kind:
    array = _ARRAY.fullmatch(name)
    if array:
        return _fixed_array(_kind(array[1]), int(array[2])) if array[2] else _array(_kind(array[1]))
    if name.startswith("(") and name.endswith(")"):
        return _tuple_of(tuple(_split(name[1:-1])))
    if name in ("bytes", "string"):
        return _STRING if name == "string" else _BYTES
    if name == "address":
        return _Kind(WORD, False, _encode_address, lambda data, at: _padded(data, at, 12))
    if name == "bool":
        return _Kind(WORD, False, lambda value: _word(int(bool(value))), lambda data, at: bool(_uint(data, at, 1)))
    named = _NAMED.fullmatch(name)
    if named:
        return _sized(named[1], int(named[2]))
    raise ValueError(f"there is no type {name!r}")


def _sized(name: str, width: int) -> _Kind:
    if name == "bytes" and width <= WORD:
        return _Kind(WORD, False, lambda value: _encode_fixed(value, width), lambda data, at: _fixed(data, at, width))
    if name == "bytes" or width > 256 or width % 8:
        raise ValueError(f"there is no type {name}{width}")
    if name == "uint":
        return _Kind(WORD, False, lambda value: _encode_uint(value, width), lambda data, at: _uint(data, at, width))
    return _Kind(WORD, False, lambda value: _encode_int(value, width), lambda data, at: _int(data, at, width))


# --- what is put together --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _tuple_of(names: tuple[str, ...]) -> _Kind:
    kinds = [_kind(name) for name in names]
    is_dynamic = any(kind.is_dynamic for kind in kinds)
    size = sum(kind.size for kind in kinds)

    def encode_tuple(values: Sequence[Any]) -> bytes:
        if len(values) != len(kinds):
            raise ValueError(f"{len(kinds)} values are needed, not {len(values)}")
        return _join(kinds, values)

    def decode_tuple(data: bytes, at: int) -> tuple[Any, ...]:
        values, place = [], at
        for kind in kinds:
            values.append(_read(kind, data, at, place))
            place += kind.size
        return tuple(values)

    return _Kind(WORD if is_dynamic else size, is_dynamic, encode_tuple, decode_tuple)


def _fixed_array(item: _Kind, count: int) -> _Kind:
    def encode_array(values: Sequence[Any]) -> bytes:
        if len(values) != count:
            raise ValueError(f"{count} items are needed, not {len(values)}")
        return _join([item] * count, values)

    size = WORD if item.is_dynamic else count * item.size
    return _Kind(size, item.is_dynamic, encode_array, lambda data, at: _items(item, data, at, count))


def _array(item: _Kind) -> _Kind:
    def decode_array(data: bytes, at: int) -> tuple[Any, ...]:
        return _items(item, data, at + WORD, _uint(data, at, 256))

    return _Kind(WORD, True, lambda values: _word(len(values)) + _join([item] * len(values), values), decode_array)


def _join(kinds: Sequence[_Kind], values: Sequence[Any]) -> bytes:
    """Heads, then what their offsets point to."""
    heads, tails = [], []
    offset = sum(kind.size for kind in kinds)
    for kind, value in zip(kinds, values, strict=True):
        encoded = kind.encode(value)
        if kind.is_dynamic:
            heads.append(_word(offset))
            tails.append(encoded)
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _items(item: _Kind, data: bytes, at: int, count: int) -> tuple[Any, ...]:
    if at + count * item.size > len(data):  # before so many are looked for
        raise ValueError("the data end too early")
    return tuple(_read(item, data, at, place) for place in range(at, at + count * item.size, item.size))


def _read(kind: _Kind, data: bytes, base: int, place: int) -> Any:
    """The value whose head is at `place`; offsets count from `base`."""
    return kind.decode(data, base + _uint(data, place, 256) if kind.is_dynamic else place)


# --- words and strings of bytes --------------------------------------------------------------------------------------


def _word(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _read_word(data: bytes, at: int) -> bytes:
    found = data[at : at + WORD]
    if len(found) != WORD:
        raise ValueError("the data end too early")
    return found


def _encode_uint(value: int, width: int) -> bytes:
    if not 0 <= value < 1 << width:
        raise ValueError(f"{value} is no uint{width}")
    return _word(value)


def _uint(data: bytes, at: int, width: int) -> int:
    value = int.from_bytes(_read_word(data, at), "big")
    if value >> width:
        raise ValueError(f"{value:#x} is wider than {width} bits")
    return value


def _encode_int(value: int, width: int) -> bytes:
    if not -(1 << width - 1) <= value < 1 << width - 1:
        raise ValueError(f"{value} is no int{width}")
    return value.to_bytes(WORD, "big", signed=True)


def _int(data: bytes, at: int, width: int) -> int:
    value = int.from_bytes(_read_word(data, at), "big", signed=True)
    if not -(1 << width - 1) <= value < 1 << width - 1:
        raise ValueError(f"{value} is wider than {width} bits")
    return value


def _encode_fixed(value: bytes, width: int) -> bytes:
    if len(value) != width:
        raise ValueError(f"{len(value)} bytes are no bytes{width}")
    return bytes(value) + bytes(WORD - width)


def _fixed(data: bytes, at: int, width: int) -> bytes:
    word = _read_word(data, at)
    if any(word[width:]):
        raise ValueError(f"more than {width} bytes")
    return word[:width]


def _encode_address(value: bytes | str) -> bytes:
    raw = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value
    if len(raw) != 20:
        raise ValueError(f"{value!r} is no address")
    return bytes(12) + raw


def _padded(data: bytes, at: int, zeros: int) -> bytes:
    word = _read_word(data, at)
    if any(word[:zeros]):
        raise ValueError("no address")
    return word[zeros:]


def _encode_bytes(value: bytes) -> bytes:
    return _word(len(value)) + bytes(value) + bytes(-len(value) % WORD)


def _bytes(data: bytes, at: int) -> bytes:
    length = _uint(data, at, 256)
    begin, end = at + WORD, at + WORD + length
    rest = data[end : end + -length % WORD]
    if end > len(data) or len(rest) != -length % WORD or any(rest):
        raise ValueError("the data end too early, or go on where they should be over")
    return data[begin:end]


_BYTES: Final = _Kind(WORD, True, _encode_bytes, _bytes)
_STRING: Final = _Kind(
    WORD, True, lambda text: _encode_bytes(text.encode()), lambda data, at: _bytes(data, at).decode()
)


def _split(names: str) -> list[str]:
    """What stands between the commas that are in no parentheses of their own."""
    found, depth = [""], 0
    for letter in names:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found
