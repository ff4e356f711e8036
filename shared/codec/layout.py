"""Bodies of fixed width: each field is said once, as an annotation of a class, and all else follows from it.

    class TransferBody(NamedTuple):
        account: Account        # Account = Annotated[int, Width("uint32", "unknown_account")]
        …

From the fields of a type of input come its size, its bytes both ways, its EIP-712 type string and struct hash, and what
its JSON looks like (`wire/records.py`). All of it is made when the modules with the bodies are loaded; where `struct`
alone cannot read or write a body, as source that is compiled then, in the way of `namedtuple`. Leaves and registers are
annotated alike (`state/layout.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from struct import Struct
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar, cast, get_type_hints

from setoff.shared.codec.hashing import keccak

_LETTERS: Final = {"uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int32": "i", "int64": "q"}
"""Numbers that `struct` can read."""
_WORD: Final = 32

Body = TypeVar("Body", bound=tuple[Any, ...])
Metadata = TypeVar("Metadata")


class Width(NamedTuple):
    """How a field is written.

    type: an EIP-712 type, which says how many bytes it takes, big-endian: "uint24", "int32", "address", "bytes32"
    (outside of what is signed any number of bytes will do); reason: what refuses a number beyond it.
    """

    type: str
    reason: str = "malformed_record"
    is_time: bool = False
    """Whether it is in seconds, and so a number that JSON has room for, wide as it is."""


class At(NamedTuple):
    """Where in its leaf a field begins that does not follow the one before: at byte `start`."""

    start: int


class Range(NamedTuple):
    """What a field may hold: `low` to `high`, None for whatever its width allows."""

    low: int | None = None
    high: int | None = None


U8 = Annotated[int, Width("uint8")]
U16 = Annotated[int, Width("uint16")]
U24 = Annotated[int, Width("uint24")]
U32 = Annotated[int, Width("uint32")]
U40 = Annotated[int, Width("uint40")]
U64 = Annotated[int, Width("uint64")]
U128 = Annotated[int, Width("uint128")]
U192 = Annotated[int, Width("uint192")]
U256 = Annotated[int, Width("uint256")]
I32 = Annotated[int, Width("int32")]
I64 = Annotated[int, Width("int64")]
I128 = Annotated[int, Width("int128")]
I256 = Annotated[int, Width("int256")]
Address = Annotated[bytes, Width("address")]
Bytes8 = Annotated[bytes, Width("bytes8")]
Bytes32 = Annotated[bytes, Width("bytes32")]
Bytes60 = Annotated[bytes, Width("bytes60")]
Bytes88 = Annotated[bytes, Width("bytes88")]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body: `size` bytes from byte `start` on, a number or, if it `is_bytes`, themselves; see Width."""

    name: str
    type: str
    reason: str
    start: int
    size: int
    is_bytes: bool
    is_time: bool = False

    @property
    def letters(self) -> str:
        """Its code for `struct`, where a number that is too wide for it is read as bytes."""
        return _LETTERS.get(self.type, f"{self.size}s")

    @property
    def is_wide(self) -> bool:
        """Whether it is such a number."""
        return not self.is_bytes and self.type not in _LETTERS

    @property
    def is_signed(self) -> bool:
        """Whether its numbers may be negative."""
        return self.type.startswith("int")

    @property
    def limits(self) -> range:
        """The numbers that fit into it."""
        bits = 8 * self.size
        return range(-(1 << bits - 1), 1 << bits - 1) if self.is_signed else range(1 << bits)

    @property
    def is_shown_as_text(self) -> bool:
        """Whether JSON has it as a decimal string: numbers that can pass 2^53, where JavaScript's end."""
        return not self.is_bytes and not self.is_time and self.size > 6

    @property
    def word(self) -> str:
        """The code for the word that EIP-712 makes of it. Raises ValueError where `struct` cannot write that."""
        if self.is_signed:
            raise ValueError(f"{self.name} is signed, and would have to be extended to a word")
        padding = f"{_WORD - self.size}x"
        return self.letters + padding if self.type.startswith("bytes") else padding + self.letters


def fields_of(body: type[Any], start: int = 0) -> tuple[Field, ...]:
    """The fields of a class whose annotations have widths, one behind the other; the first stands at byte `start`.

    An annotation that is such a class itself (a dataclass) stands for its fields.
    """
    found: list[Field] = []
    for name, hint in get_type_hints(body, include_extras=True).items():
        width = get_metadata(hint, Width)
        found += fields_of(hint, start) if width is None else (make_field(name, width, start),)
        start = found[-1].start + found[-1].size
    return tuple(found)


def make_field(name: str, width: Width, start: int) -> Field:
    """The field of that name and width at byte `start`."""
    is_bytes = width.type.startswith(("address", "bytes"))
    return Field(name, width.type, width.reason, start, _count_bytes(width.type), is_bytes, width.is_time)


def ranges_of(body: type[Any]) -> dict[str, range]:
    """What each field of a class that has a `Range` may hold, by its name."""
    found = {}
    limits = {field.name: field.limits for field in fields_of(body)}
    for name, hint in get_type_hints(body, include_extras=True).items():
        bounds = get_metadata(hint, Range)
        if bounds is not None:
            low = limits[name].start if bounds.low is None else bounds.low
            found[name] = range(low, limits[name].stop if bounds.high is None else bounds.high + 1)
    return found


def get_metadata(hint: Any, kind: type[Metadata]) -> Metadata | None:
    """What an annotation says of this kind."""
    return next((part for part in getattr(hint, "__metadata__", ()) if isinstance(part, kind)), None)


def make_integer_decoder(body: type[Body]) -> Callable[[int], Body]:
    """What reads a body from the integer of its bytes."""
    found = fields_of(body)
    end = found[-1].start + found[-1].size
    parts = (f"number >> {8 * (end - field.start - field.size)} & {256**field.size - 1}" for field in found)
    decode: Callable[[int], Body] = _compile(
        f"lambda number: make(({', '.join(parts)}))", make=partial(tuple.__new__, body)
    )
    return decode


def _compile(function: str, **names: Any) -> Any:
    """A function from its source, which knows these names."""
    return eval(function, {"int": int, **names})


def _count_bytes(type: str) -> int:
    if type == "address":
        return 20
    number = int(type.lstrip("abcdefghijklmnopqrstuvwxyz"))
    return number if type.startswith("bytes") else number // 8


def group_of(body: type[tuple[Any, ...]]) -> type[Any] | None:
    """The class that the last field of a body is made of, where that has fields itself."""
    hints: list[Any] = list(get_type_hints(body).values())
    if not hints or not is_dataclass(hints[-1]):
        return None
    group: Any = hints[-1]
    return cast("type[Any]", group)


def values_of(body: tuple[Any, ...]) -> list[Any]:
    """The values of the fields of a body, as `fields_of` lists them."""
    found: list[Any] = []
    for value in body:
        found += (getattr(value, part.name) for part in fields(value)) if is_dataclass(value) else (value,)
    return found


class InputType(Generic[Body]):
    """A type of record or message: its number (the first byte), and what follows from its body's fields."""

    def __init__(
        self, number: int, body: type[Body], length: int, *, is_signed: bool = True, size: int | None = None
    ) -> None:
        """`length`: bytes that `encode` fills; `size`: only where bytes without meaning follow the fields."""
        self.number: Final = number
        self.body: Final = body
        self.is_signed: Final = is_signed
        self.fields: Final = fields_of(body, 1)
        self.name: Final = body.__name__.removesuffix("Body")
        """As EIP-712 has it: "CancelAll"."""
        self.title: Final = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()
        """As constants have it: "CANCEL_ALL"."""
        self._letters: Final = "".join(field.letters for field in self.fields)
        self._struct: Final = Struct(f">{self._letters}")
        self.size: Final = 1 + self._struct.size if size is None else size
        """Bytes of the number and the fields; all behind them, up to a signature, are zero."""
        self._is_plain: Final = not any(field.is_wide for field in self.fields) and group_of(body) is None
        self.encode: Final = self._make_encoder(length)
        """The number, the fields, and zeros. Raises struct.error or OverflowError for a number beyond its field."""
        self.decode: Final = self._make_decoder()
        """Reads the fields from an input, or a body, of this type."""

    @property
    def type_string(self) -> str:
        """The type as EIP-712 writes it."""
        return f"{self.name}({','.join(f'{field.type} {field.name}' for field in self.fields)})"

    def make_struct_encoder(self) -> Callable[[bytes], bytes]:
        """What makes of a body of this type, whose fields need not be in range, the words that EIP-712's hashStruct is
        the hash of."""
        words = Struct(">32s" + "".join(field.word for field in self.fields))
        pack, unpack = partial(words.pack, keccak(self.type_string.encode())), self._struct.unpack_from

        def encode_struct(body: bytes) -> bytes:
            return pack(*unpack(body, 1))

        return encode_struct

    def _make_encoder(self, length: int) -> Callable[[Body], bytes]:
        packed = Struct(f">B{self._letters}{length - 1 - self._struct.size}x")
        pack = partial(packed.pack, self.number)

        def encode(body: Body) -> bytes:
            return pack(*body)

        if self._is_plain:
            return encode
        alone = len(get_type_hints(self.body)) - 1
        values = (
            (f"body[{at}]" if group_of(self.body) is None or at < alone else f"body[{alone}].{field.name}")
            + f".to_bytes({field.size}, 'big')" * field.is_wide
            for at, field in enumerate(self.fields)
        )
        encode_parts: Callable[[Body], bytes] = _compile(f"lambda body: pack({', '.join(values)})", pack=pack)
        return encode_parts

    def _make_decoder(self) -> Callable[[bytes], Body]:
        unpack, make = self._struct.unpack_from, partial(tuple.__new__, self.body)

        def decode(data: bytes) -> Body:
            return make(unpack(data, 1))

        if self._is_plain:
            return decode
        group = group_of(self.body)
        values = [
            f"int.from_bytes(values[{at}], 'big')" if field.is_wide else f"values[{at}]"
            for at, field in enumerate(self.fields)
        ]
        if group is not None:
            alone = len(get_type_hints(self.body)) - 1
            values[alone:] = [f"group({', '.join(values[alone:])})"]
        decode_parts: Callable[[bytes], Body] = _compile(
            f"lambda data: (values := unpack(data, 1)) and make(({', '.join(values)},))",
            **{"unpack": unpack, "make": make, "group": group},
        )
        return decode_parts
