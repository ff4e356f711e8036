"""The encoding of contract calls against an independent implementation, and what is no encoding."""

from __future__ import annotations

from typing import Any

import eth_abi
import pytest
from eth_abi.tools import get_abi_strategy
from eth_utils.abi import collapse_if_tuple
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.shared.codec.abi_codec import decode, encode, type_of
from setoff.shared.machine.witness import PROOF_TYPES

SIMPLE = (
    "uint8",
    "uint64",
    "uint256",
    "int8",
    "int128",
    "int256",
    "bool",
    "address",
    "bytes1",
    "bytes32",
    "bytes",
    "string",
)
TYPES = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: st.one_of(
        inner.map(lambda kind: f"{kind}[]"),
        st.tuples(inner, st.integers(1, 3)).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda kinds: f"({','.join(kinds)})"),
    ),
    max_leaves=6,
)


def plain(value: Any) -> Any:
    """Addresses as bytes, rows as tuples."""
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return bytes.fromhex(value[2:])
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[list[str], list[Any]]:
    types = draw(st.lists(TYPES, max_size=4))
    return types, [draw(get_abi_strategy(kind)) for kind in types]


@settings(max_examples=100, deadline=None)
@given(typed_values())
def test_agrees_with_eth_abi(drawn: tuple[list[str], list[Any]]) -> None:
    types, values = drawn
    encoded = eth_abi.encode(types, values)
    assert encode(types, values) == encoded
    assert decode(types, encoded) == plain(eth_abi.decode(types, encoded)) == plain(values)


@settings(max_examples=100, deadline=None)
@given(typed_values(), st.data())
def test_takes_no_bytes_that_eth_abi_does_not(drawn: tuple[list[str], list[Any]], data: st.DataObject) -> None:
    types, values = drawn
    encoded = bytearray(eth_abi.encode(types, values))
    for _ in range(data.draw(st.integers(0, 3)) if encoded else 0):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(encoded[: data.draw(st.integers(0, len(encoded)))])
    try:
        found = decode(types, cut)
    except ValueError:
        return
    assert found == plain(eth_abi.decode(types, cut))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256), ("uint256", -1), ("int8", 128), ("bytes32", bytes(31)), ("bytes32", bytes(33)),
        ("uint8[2]", [1]), ("address", bytes(19)), ("address", "0x12"), ("(uint8,uint8)", (1,)),
    ],
)  # fmt: skip
def test_what_a_type_cannot_be_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ValueError):
        encode([kind], [value])


@pytest.mark.parametrize(
    "kind", ["uint", "uint7", "uint264", "bytes33", "fixed128x18", "uint8[0]", "", "(uint8", "word"]
)
def test_there_are_no_other_types(kind: str) -> None:
    with pytest.raises(ValueError):
        encode([kind], [0])


@pytest.mark.parametrize("count", [2**255, 2**64, 10**6])
def test_a_length_of_more_than_there_is_is_refused_at_once(count: int) -> None:
    for kind in ("bytes", "string", "uint256[]", "bytes[]", "(uint8,bytes)[]"):
        with pytest.raises(ValueError):
            decode([kind], (32).to_bytes(32, "big") + count.to_bytes(32, "big") + bytes(64))


def test_types_of_an_abi_are_written_out() -> None:
    words = {
        "type": "tuple[]",
        "components": [{"type": "uint256"}, {"type": "tuple", "components": [{"type": "bytes"}]}],
    }
    assert type_of(words) == collapse_if_tuple(words) == "(uint256,(bytes))[]"
    assert type_of({"type": "bytes32[]"}) == "bytes32[]"


def test_a_proof_is_encoded() -> None:
    header = (bytes(32), *range(7), bytes(32), b"\x01" * 32)
    step_input = (header, b"body", b"", [b"\x02" * 32], b"\x03" * 32)
    values = (
        b"\x04" * 32,
        list(range(int(PROOF_TYPES[1][8:-1]))),
        step_input,
        [(7, b"leaf", 3, []), (8, b"", 0, [bytes(32)])],
    )
    assert encode(PROOF_TYPES, values) == eth_abi.encode(PROOF_TYPES, values)
