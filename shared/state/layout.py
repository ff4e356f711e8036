"""How a leaf, or the registers, stand in 32-byte words: made of the fields of its class when that is loaded.

    @dataclass(slots=True, eq=False)
    class Agent:
        expiry: U64 = 0
        address: Annotated[Address, At(12)] = bytes(20)

Each field is said once, with its width and, where it does not follow the one before, its place. From that come the
bytes both ways, a copy, and the offsets that others need. As `dataclasses` does for constructors, the functions that
read and write are put together as text and compiled, once: without a loop they are as fast as if written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from struct import Struct
from typing import Any, Final, Generic, TypeVar, get_type_hints

from setoff.shared.codec.layout import At, Field, Width, get_metadata, make_field

WORD: Final = 32

Leaf = TypeVar("Leaf")


class Layout(Generic[Leaf]):
    """The fields of a dataclass that have a width, and their bytes."""

    def __init__(self, leaf: type[Leaf], size: int, words: Sequence[str] = ()) -> None:
        """`size`: bytes of the whole; `words`: where each field has a word of its own, right-aligned, their order.

        Raises ValueError for fields that overlap, or do not fit.
        """
        self.leaf: Final = leaf
        self.size: Final = size
        self.fields: Final = tuple(sorted(_place_fields(leaf, words), key=lambda field: field.start))
        """From the first byte to the last."""
        self.offsets: Final = {field.name: field.start for field in self.fields}
        """First byte of each field."""
        self.struct: Final = Struct(_make_format(self.fields, size))
        made = _compile(self)
        self.pack: Final[Callable[[Leaf], bytes]] = made["pack"]
        """The bytes, also of a leaf that is all zero. Raises struct.error or OverflowError for a field out of range."""
        self.encode: Final[Callable[[Leaf], bytes]] = made["encode"]
        """The bytes, or b"" for a leaf that is all zero: the absent one."""
        self.fill: Final[Callable[[Leaf, bytes], Leaf]] = made["fill"]
        """Sets the fields of a leaf to what `size` bytes say; returns it."""
        self.decode: Final[Callable[[bytes], Leaf]] = made["decode"]
        """The inverse of `encode`, for a leaf without other fields."""
        self.copy: Final[Callable[[Leaf], Leaf]] = made["copy"]
        """An independent copy, of a leaf without other fields."""


def make_getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads attributes of these names, as a tuple also where it is one."""
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda leaf: (get(leaf),)


def _place_fields(leaf: type[Any], words: Sequence[str]) -> list[Field]:
    hints = get_type_hints(leaf, include_extras=True)
    found: list[Field] = []
    end = 0
    for each in fields(leaf):
        width = get_metadata(hints[each.name], Width)
        if width is None:
            continue
        field = make_field(each.name, width, end)
        if words:
            field = make_field(each.name, width, WORD * (words.index(each.name) + 1) - field.size)
        elif (at := get_metadata(hints[each.name], At)) is not None:
            field = make_field(each.name, width, at.start)
        found.append(field)
        end = field.start + field.size
    return found


def _make_format(ordered: Sequence[Field], size: int) -> str:
    """For `struct`: the fields, and zero bytes between and behind them."""
    parts, end = [">"], 0
    for field in ordered:
        if field.start < end:
            raise ValueError(f"{field.name} stands where another field does")
        parts.append(f"{field.start - end}x" * (field.start > end) + field.letters)
        end = field.start + field.size
    if end > size:
        raise ValueError(f"{ordered[-1].name} ends at byte {end} of {size}")
    return "".join(parts) + f"{size - end}x" * (size > end)


def _compile(layout: Layout[Any]) -> dict[str, Any]:
    """The functions of a layout, by name."""
    wide = [field for field in layout.fields if field.is_wide]
    packed = ", ".join(map(_write_field, layout.fields))
    encoded = [f"    return {packed} if leaf.{layout.fields[0].name} else b''"]
    if [field.size for field in wide] != [layout.size]:  # else it is one number, and its bytes are all
        packed = f"pack_fields({packed})"
        encoded = [f"    value = {packed}", "    return value if value.strip(zero) else b''"]
    targets = ", ".join(f.name if f.is_wide else f"leaf.{f.name}" for f in layout.fields)
    numbers = [f"    leaf.{f.name} = to_number({f.name}, 'big'{_sign(f)})" for f in wide]
    empty = [f"    leaf.{f.name} = {bytes(f.size) if f.is_bytes else 0!r}" for f in layout.fields]
    copied = [f"    twin.{f.name} = leaf.{f.name}" for f in layout.fields]
    read = [f"    {targets}, = unpack(value)", *numbers]
    source = [
        *("def pack(leaf):", f"    return {packed}"),
        *("def encode(leaf):", *encoded),
        *("def fill(leaf, value):", *read, "    return leaf"),
        *("def decode(value):", "    leaf = new(cls)", "    if value:", *(f"    {line}" for line in read)),
        *("    else:", *(f"    {line}" for line in empty), "    return leaf"),
        *("def copy(leaf):", "    twin = new(cls)", *copied, "    return twin"),
    ]
    made: dict[str, Any] = {
        **{"cls": layout.leaf, "new": layout.leaf.__new__, "zero": b"\0", "to_number": int.from_bytes},
        **{"pack_fields": layout.struct.pack, "unpack": layout.struct.unpack},
    }
    exec(compile("\n".join(source), f"<layout of {layout.leaf.__name__}>", "exec"), made)
    return made


def _write_field(field: Field) -> str:
    """What `struct` packs of a field."""
    return f"leaf.{field.name}" + f".to_bytes({field.size}, 'big'{_sign(field)})" * field.is_wide


def _sign(field: Field) -> str:
    return ", signed=True" * field.is_signed
