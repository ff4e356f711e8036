"""Bodies of fixed width: each field is said once, as an annotation of a NamedTuple, and all else follows from it.

    class TransferBody(NamedTuple):
        account: Account        # Account = Annotated[int, Width("uint32", "unknown_account")]
        …

From the fields of a type of input come its size, its bytes both ways, its EIP-712 type string and struct hash, and what
its JSON looks like (`wire/records.py`). All of it is made when the modules with the bodies are loaded; where `struct`
alone cannot read or write a body, as source that is compiled then, in the way of `namedtuple`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_type_hints

from setoff.shared.codec.hashing import keccak

#: Numbers that `struct` can read.
_LETTERS: Final = {"uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int32": "i"}
_WORD: Final = 32

Body = TypeVar("Body", bound=tuple[Any, ...])


class Width(NamedTuple):
    """How a field is written.

    type: an EIP-712 type, which says how many bytes it takes, big-endian: "uint24", "int32", "address", "bytes32"
    (outside of what is signed any number of bytes will do); reason: what refuses a number beyond it.
    """

    type: str
    reason: str = "malformed_record"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body: `size` bytes from byte `start` on, a number or, if it `is_bytes`, themselves; see Width."""

    name: str
    type: str
    reason: str
    start: int
    size: int
    is_bytes: bool

    @property
    def letters(self) -> str:
        """Its code for `struct`, where a number that is too wide for it is read as bytes."""
        return _LETTERS.get(self.type, f"{self.size}s")

    @property
    def is_wide(self) -> bool:
        """Whether it is such a number."""
        return not self.is_bytes and self.type not in _LETTERS

    @property
    def word(self) -> str:
        """The code for the word that EIP-712 makes of it. Raises ValueError where `struct` cannot write that."""
        if self.type.startswith("int"):
            raise ValueError(f"{self.name} is signed, and would have to be extended to a word")
        padding = f"{_WORD - self.size}x"
        return self.letters + padding if self.type.startswith("bytes") else padding + self.letters


def fields_of(body: type[tuple[Any, ...]], start: int = 0) -> tuple[Field, ...]:
    """The fields of a NamedTuple whose annotations have widths; the first stands at byte `start`."""
    found = []
    for name, hint in get_type_hints(body, include_extras=True).items():
        (width,) = hint.__metadata__
        size = _count_bytes(width.type)
        found.append(Field(name, width.type, width.reason, start, size, width.type.startswith(("address", "bytes"))))
        start += size
    return tuple(found)


def make_integer_decoder(body: type[Body]) -> Callable[[int], Body]:
    """What reads a body from the integer of its bytes."""
    fields = fields_of(body)
    end = fields[-1].start + fields[-1].size
    parts = (f"number >> {8 * (end - field.start - field.size)} & {256**field.size - 1}" for field in fields)
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
        self._is_wide: Final = any(field.is_wide for field in self.fields)
        self.encode: Final = self._make_encoder(length)
        """The number, the fields, and zeros. Raises struct.error or OverflowError for a number beyond its field."""
        self.decode: Final = self._make_decoder()
        """Reads the fields from an input, or a body, of this type."""

    @property
    def type_string(self) -> str:
        """The type as EIP-712 writes it."""
        return f"{self.name}({','.join(f'{field.type} {field.name}' for field in self.fields)})"

    def make_struct_hash(self) -> Callable[[bytes], bytes]:
        """What computes EIP-712's hashStruct of a body of this type, whose fields need not be in range."""
        words = Struct(">32s" + "".join(field.word for field in self.fields))
        pack, unpack = partial(words.pack, keccak(self.type_string.encode())), self._struct.unpack_from

        def struct_hash(body: bytes) -> bytes:
            return keccak(pack(*unpack(body, 1)))

        return struct_hash

    def _make_encoder(self, length: int) -> Callable[[Body], bytes]:
        packed = Struct(f">B{self._letters}{length - 1 - self._struct.size}x")
        pack = partial(packed.pack, self.number)

        def encode(body: Body) -> bytes:
            return pack(*body)

        if not self._is_wide:
            return encode
        values = (
            f"body[{at}].to_bytes({field.size}, 'big')" if field.is_wide else f"body[{at}]"
            for at, field in enumerate(self.fields)
        )
        encode_wide: Callable[[Body], bytes] = _compile(f"lambda body: pack({', '.join(values)})", pack=pack)
        return encode_wide

    def _make_decoder(self) -> Callable[[bytes], Body]:
        unpack, make = self._struct.unpack_from, partial(tuple.__new__, self.body)

        def decode(data: bytes) -> Body:
            return make(unpack(data, 1))

        if not self._is_wide:
            return decode
        values = (
            f"int.from_bytes(values[{at}], 'big')" if field.is_wide else f"values[{at}]"
            for at, field in enumerate(self.fields)
        )
        decode_wide: Callable[[bytes], Body] = _compile(
            f"lambda data: (values := unpack(data, 1)) and make(({', '.join(values)}))", unpack=unpack, make=make
        )
        return decode_wide
