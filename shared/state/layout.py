"""How a leaf, or the registers, stand in 32-byte words: made of the fields of its class when that is loaded.

    @dataclass(slots=True, eq=False)
    class Agent:
        expiry: U64 = 0
        address: Annotated[Address, At(12)] = bytes(20)

Each field is said once, with its width and, where it does not follow the one before, its place. From that come the
bytes both ways, a copy (`fields.py`), and the offsets that others need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final, Generic, TypeVar, get_type_hints

from setoff.shared.codec.layout import At, Field, Width, get_metadata, make_field
from setoff.shared.state.fields import Codec

WORD: Final = 32

Leaf = TypeVar("Leaf")


class Layout(Generic[Leaf]):
    """The fields of a dataclass that have a width, and their bytes: the functions of `fields.Codec`."""

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
        _check_places(self.fields, size)
        codec = Codec(leaf, size, self.fields)
        self.pack: Final[Callable[[Leaf], bytes]] = codec.pack
        self.encode: Final[Callable[[Leaf], bytes]] = codec.encode
        self.fill: Final[Callable[[Leaf, bytes], Leaf]] = codec.fill
        self.decode: Final[Callable[[bytes], Leaf]] = codec.decode
        self.copy: Final[Callable[[Leaf], Leaf]] = codec.copy
        self.clear: Final[Callable[[Leaf], None]] = codec.clear


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


def _check_places(ordered: Sequence[Field], size: int) -> None:
    end = 0
    for field in ordered:
        if field.start < end:
            raise ValueError(f"{field.name} stands where another field does")
        end = field.start + field.size
    if end > size:
        raise ValueError(f"{ordered[-1].name} ends at byte {end} of {size}")
