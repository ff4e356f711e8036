"""What reads and writes the fields of a class's objects, one after the other. Twin, where modules are compiled:
``fields.c``.

Here, as `dataclasses` does for constructors, the functions are put together as text and compiled, once: without a loop
they are as fast as if written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from struct import Struct
from typing import Any, Final, Generic, TypeVar

from setoff.shared.codec.layout import Field

Leaf = TypeVar("Leaf")


def make_getter(leaf: type[Any], names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads the attributes of these names of objects of a class, as a tuple also where it is one."""
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda each: (get(each),)


class Codec(Generic[Leaf]):
    """The fields of a class, given from the first byte to the last, in `size` bytes that are zero elsewhere."""

    def __init__(self, leaf: type[Leaf], size: int, fields: Sequence[Field]) -> None:
        made = _compile(leaf, Struct(_make_format(fields, size)), fields)
        self.pack: Final[Callable[[Leaf], bytes]] = made["pack"]
        """The bytes, also of a leaf that is all zero. Raises struct.error or OverflowError for a field out of range."""
        self.encode: Final[Callable[[Leaf], bytes]] = made["encode"]
        """The bytes, or b"" for a leaf that is all zero: the absent one."""
        self.fill: Final[Callable[[Leaf, bytes], Leaf]] = made["fill"]
        """Sets the fields of a leaf to what `size` bytes say; returns it. Raises struct.error or ValueError for other
        bytes."""
        self.decode: Final[Callable[[bytes], Leaf]] = made["decode"]
        """The inverse of `encode`, for a leaf without other fields."""
        self.copy: Final[Callable[[Leaf], Leaf]] = made["copy"]
        """An independent copy, of a leaf without other fields."""
        self.clear: Final[Callable[[Leaf], None]] = made["clear"]
        """Makes every field zero."""


def _make_format(fields: Sequence[Field], size: int) -> str:
    """For `struct`: the fields, and zero bytes between and behind them."""
    parts, end = [">"], 0
    for field in fields:
        parts.append(f"{field.start - end}x" * (field.start > end) + field.letters)
        end = field.start + field.size
    return "".join(parts) + f"{size - end}x" * (size > end)


def _compile(leaf: type[Any], struct: Struct, fields: Sequence[Field]) -> dict[str, Any]:
    """The functions of a codec, by name."""
    wide = [field for field in fields if field.is_wide]
    packed = ", ".join(map(_write_field, fields))
    encoded = [f"    return {packed} if leaf.{fields[0].name} else b''"]
    if [field.size for field in wide] != [struct.size]:  # else it is one number, and its bytes are all
        packed = f"pack_fields({packed})"
        encoded = [f"    value = {packed}", "    return value if value.strip(zero) else b''"]
    targets = ", ".join(f.name if f.is_wide else f"leaf.{f.name}" for f in fields)
    numbers = [f"    leaf.{f.name} = to_number({f.name}, 'big'{_sign(f)})" for f in wide]
    empty = [f"    leaf.{f.name} = {bytes(f.size) if f.is_bytes else 0!r}" for f in fields]
    copied = [f"    twin.{f.name} = leaf.{f.name}" for f in fields]
    read = [f"    {targets}, = unpack(value)", *numbers]
    source = [
        *("def pack(leaf):", f"    return {packed}"),
        *("def encode(leaf):", *encoded),
        *("def fill(leaf, value):", *read, "    return leaf"),
        *("def decode(value):", "    leaf = new(cls)", "    if value:", *(f"    {line}" for line in read)),
        *("    else:", *(f"    {line}" for line in empty), "    return leaf"),
        *("def copy(leaf):", "    twin = new(cls)", *copied, "    return twin"),
        *("def clear(leaf):", *empty),
    ]
    made: dict[str, Any] = {
        **{"cls": leaf, "new": leaf.__new__, "zero": b"\0", "to_number": int.from_bytes},
        **{"pack_fields": struct.pack, "unpack": struct.unpack},
    }
    exec(compile("\n".join(source), f"<layout of {leaf.__name__}>", "exec"), made)
    return made


def _write_field(field: Field) -> str:
    """What `struct` packs of a field."""
    return f"leaf.{field.name}" + f".to_bytes({field.size}, 'big'{_sign(field)})" * field.is_wide


def _sign(field: Field) -> str:
    return ", signed=True" * field.is_signed
