"""RLP against an independent implementation, and what is no encoding."""

from __future__ import annotations

import pytest
import rlp as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.shared.codec.rlp import DEPTH, decode, encode

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20)


@settings(max_examples=150, deadline=None)
@given(ITEMS)
def test_agrees_with_pyrlp(item: object) -> None:
    encoded = encode(item)  # type: ignore[arg-type]
    assert encoded == reference.encode(item)
    assert decode(encoded) == item


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**64, 2**256 - 1])
def test_integers_are_as_short_as_can_be(number: int) -> None:
    assert encode([number]) == reference.encode([number])


@pytest.mark.parametrize("length", [0, 1, 55, 56, 255, 256, 65_536])
def test_long_ones(length: int) -> None:
    for item in (bytes(length), [b""] * length):
        assert encode(item) == reference.encode(item)
        assert decode(encode(item)) == item


@settings(max_examples=150, deadline=None)
@given(ITEMS, st.data())
def test_takes_the_same_bytes_as_pyrlp(item: object, data: st.DataObject) -> None:
    encoded = bytearray(encode(item))  # type: ignore[arg-type]
    for _ in range(data.draw(st.integers(0, 2))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(encoded[: data.draw(st.integers(0, len(encoded)))])
    try:
        expected = reference.decode(cut)
    except reference.exceptions.RLPException:
        with pytest.raises(ValueError):
            decode(cut)
        return
    assert decode(cut) == expected


@pytest.mark.parametrize(
    "data", ["", "8100", "b800", "b837" + "01" * 55, "b90038" + "01" * 56, "8080", "c18080", "83ff", "f800"]
)
def test_each_item_has_one_encoding(data: str) -> None:
    with pytest.raises(ValueError):
        decode(bytes.fromhex(data))


def test_a_tower_of_lists_is_refused() -> None:
    tower = b"\xc0"
    for _ in range(DEPTH * 100):
        size = len(tower).to_bytes(2, "big").lstrip(b"\0")
        tower = (bytes([0xC0 + len(tower)]) if len(tower) < 56 else bytes([0xF7 + len(size)]) + size) + tower
    with pytest.raises(ValueError):
        decode(tower)


def test_what_is_no_item_is_refused() -> None:
    with pytest.raises(ValueError):
        encode(-1)
    with pytest.raises(TypeError):
        encode("text")  # type: ignore[arg-type]
