"""Every type of input by its fields: both ways, in its bounds, and an unknown one never passes for another."""

from struct import error
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.codec import eip712, records
from setoff.shared.codec.layout import Field, InputType, fields_of, group_of
from setoff.shared.errors import InputError

UNSIGNED = (
    0,
    records.CRANK,
    records.LEG_PAGE,
    records.UNUSED,
    records.LIQUIDATION,
    records.DEPOSIT,
    records.FORCED,
    0xFF,
)
UNKNOWN = (0, records.UNUSED, records.LIQUIDATION, records.FIRST_MESSAGE, max(records.TYPES) + 1, 0xFF)


def values(field: Field) -> st.SearchStrategy[int | bytes]:
    """Anything that the field can hold."""
    if field.is_bytes:
        return st.binary(min_size=field.size, max_size=field.size)
    half = 256**field.size // 2
    return st.integers(-half, half - 1) if field.type.startswith("int") else st.integers(0, 2 * half - 1)


def make_body(kind: InputType[Any], *numbers: int | bytes) -> Any:
    """A body of these fields, those of a market's parameters grouped."""
    group = group_of(kind.body)
    if group is None:
        return kind.body(*numbers)
    alone = len(kind.fields) - len(fields_of(group))
    return kind.body(*numbers[:alone], group(*numbers[alone:]))


@pytest.mark.parametrize("kind", records.TYPES.values(), ids=lambda kind: kind.title)
def test_the_table_names_its_types_as_the_constants_do(kind: InputType[Any]) -> None:
    assert getattr(records, kind.title) == kind.number
    assert records.TYPES[kind.number] is kind
    assert kind.size <= (records.RECORD_BYTES if not kind.is_signed else records.BODY_BYTES)


@given(st.data())
def test_what_is_encoded_is_decoded(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(records.TYPES.values())))
    body = make_body(kind, *(data.draw(values(field)) for field in kind.fields))
    packed = records.encode(body)
    assert len(packed) in (records.BODY_BYTES, records.RECORD_BYTES) or kind.number == records.LEG_PAGE
    assert records.decode(packed) == body and type(records.decode(packed)) is kind.body
    assert kind.number == records.LEG_PAGE or records.is_canonical(packed)


@pytest.mark.parametrize("kind", records.TYPES.values(), ids=lambda kind: kind.title)
def test_a_number_beyond_its_field_is_not_encoded(kind: InputType[Any]) -> None:
    least = [bytes(field.size) if field.is_bytes else 0 for field in kind.fields]
    for at, field in enumerate(kind.fields):
        if not field.is_bytes:
            for beyond in (-(256**field.size), 256**field.size):
                with pytest.raises((error, OverflowError)):
                    records.encode(make_body(kind, *least[:at], beyond, *least[at + 1 :]))


def test_legs_are_packed_in_eleven_bytes() -> None:
    leg = records.Leg(1, 2, 3, 2**24 - 2, 2**40 - 2)
    page = records.encode_leg_page([leg, records.Leg(0, 0, 0)], b"\7" * 32)
    assert page[1:12].hex() == "010203fffffefffffffffe" and not any(page[12:89])
    assert records.decode_leg(int.from_bytes(page[1:12], "big")) == leg
    assert (page[89:121], len(page)) == (b"\7" * 32, records.RECORD_BYTES)
    assert sum(field.size for field in fields_of(records.Leg)) == records.LEG_BYTES


@pytest.mark.parametrize("number", UNSIGNED)
def test_nobody_signs_these(number: int) -> None:
    body = bytes([number]) + bytes(59)
    for ask in (records.struct_hash, lambda body: eip712.typed_data(1, bytes(20), body)):
        with pytest.raises(InputError) as refusal:
            ask(body)
        assert refusal.value.reason == "malformed_record"


@pytest.mark.parametrize("number", UNKNOWN)
def test_an_unknown_type_is_not_decoded(number: int) -> None:
    with pytest.raises(InputError) as refusal:
        records.decode(bytes([number]) + bytes(123))
    assert refusal.value.reason == "malformed_record"
    assert not records.is_canonical(bytes([number]) + bytes(123))
