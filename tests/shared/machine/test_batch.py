"""Batch hashes against eth_abi, and every record of a batch proven to its header."""

from dataclasses import fields, replace

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.records import RECORD_BYTES, stamp_message
from setoff.shared.errors import DataError, WitnessError
from setoff.shared.machine.batch import Batch, Header, epoch_hash, extend_queue_hash, verify_record
from setoff.shared.machine.data import RECORDS_PER_PAGE, ZERO, data_root, prove_record, record_pages

words = st.binary(min_size=32, max_size=32)
counts = st.integers(0, 2**64 - 1)
headers = st.builds(Header, words, *[counts] * 7, words, words)


def make_inputs(count: int, tag: int = 0) -> list[bytes]:
    return [bytes([tag]) + number.to_bytes(4, "big") + bytes(RECORD_BYTES - 5) for number in range(count)]


def make_messages(count: int) -> list[bytes]:
    return [stamp_message(body, 1_700_000_000) for body in make_inputs(count, 0x81)]


def make_batch(message_count: int, record_count: int) -> Batch:
    return Batch.seal(
        keccak(b"parent"), 7, 1_700_000_000, 40, 90, ZERO, make_messages(message_count), make_inputs(record_count)
    )


@given(headers)
def test_batch_hash_is_the_hash_of_the_abi_encoded_header(header: Header) -> None:
    types = ["bytes32", *["uint256"] * 7, "bytes32", "bytes32"]
    values = [getattr(header, field.name) for field in fields(Header)]
    assert header.encode() == encode(types, values) and header.hash() == keccak(header.encode())
    assert Header.decode(header.encode()) == header


@given(counts, st.integers(1, 32), words)
def test_epoch_hash_is_the_hash_of_its_abi_encoded_words(epoch: int, batch_count: int, last: bytes) -> None:
    assert epoch_hash(epoch, batch_count, last) == keccak(
        encode(["uint256", "uint256", "bytes32"], [epoch, batch_count, last])
    )


def test_data_root_of_three_pages_has_one_zero_leaf() -> None:
    records = b"".join(make_inputs(2 * RECORDS_PER_PAGE + 3))
    first, second, third = (keccak(record_page) for record_page in record_pages(records))
    assert data_root(records) == hash_pair(hash_pair(first, second), hash_pair(third, ZERO))


def test_data_root_of_one_page_is_its_hash_and_of_none_is_zero() -> None:
    assert data_root(b"r" * RECORD_BYTES) == keccak(b"r" * RECORD_BYTES)
    assert data_root(b"") == ZERO


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(0, 70))
def test_every_input_of_a_batch_is_found_and_every_record_proven(message_count: int, record_count: int) -> None:
    batch = make_batch(message_count, record_count)
    batch.check(ZERO)
    assert batch.header.inputs == message_count + record_count
    for input_index in range(message_count):
        assert batch.body(input_index) == batch.messages[input_index][:RECORD_BYTES]
    for input_index in range(message_count, batch.header.inputs):
        record_page, siblings = batch.prove(input_index)
        assert (
            verify_record(batch.header, input_index, record_page, siblings)
            == batch.body(input_index)
            == batch.records[input_index - message_count]
        )
    for input_index in (-1, batch.header.inputs):
        with pytest.raises(IndexError):
            batch.body(input_index)
        with pytest.raises(IndexError):
            batch.prove(input_index)


def test_a_full_batch_needs_seven_siblings() -> None:
    record_page, siblings = prove_record(b"".join(make_inputs(1024)), 1023)
    assert (len(record_page), len(siblings)) == (992, 7)


def test_rejects_a_proof_of_anything_else() -> None:
    batch = make_batch(2, 19)
    header, input_index = batch.header, 2 + 17
    record_page, siblings = batch.prove(input_index)
    forged = bytes([record_page[0] ^ 1]) + record_page[1:]
    wrong: list[tuple[int, bytes, list[bytes]]] = [
        (input_index, forged, siblings),
        (input_index - RECORDS_PER_PAGE, record_page, siblings),
        (input_index, record_page + bytes(RECORD_BYTES), siblings),
        (input_index, record_page[:-1], siblings),
        (input_index, record_page, siblings[:-1]),
        (input_index, record_page, [*siblings, ZERO]),
        (input_index, record_page, siblings[::-1]),
        (1, record_page, siblings),
        (header.inputs, record_page, siblings),
    ]
    for other_index, other_record_page, other_siblings in wrong:
        with pytest.raises(WitnessError, match="wrong_input"):
            verify_record(header, other_index, other_record_page, other_siblings)


def test_no_record_is_proven_to_a_header_without_records() -> None:
    with pytest.raises(WitnessError, match="wrong_input"):
        verify_record(make_batch(1, 0).header, 1, b"", [])


def test_messages_extend_the_chain_of_the_queue() -> None:
    first, second = make_messages(2)
    queue_hash = extend_queue_hash(extend_queue_hash(ZERO, first), second)
    assert queue_hash == hash_pair(hash_pair(ZERO, keccak(first)), keccak(second))
    assert Batch.seal(ZERO, 0, 1, 0, 0, ZERO, [first, second], []).header.queue_hash == queue_hash


def test_check_refuses_inputs_the_header_does_not_commit_to() -> None:
    batch = make_batch(2, 9)
    short = (b"short",)
    for other in (
        replace(batch, records=batch.records[:-1]),
        replace(batch, records=batch.records[::-1]),
        replace(batch, messages=batch.messages[:1]),
        replace(batch, messages=tuple(body[:RECORD_BYTES] for body in batch.messages)),
        replace(batch, messages=(batch.messages[0][:-1] + b"\1", batch.messages[1])),
        replace(batch, records=batch.records[:-1] + short),
        replace(batch, header=replace(batch.header, data_root=ZERO)),
    ):
        with pytest.raises(DataError, match="data_mismatch"):
            other.check(ZERO)
    with pytest.raises(DataError, match="data_mismatch"):
        batch.check(keccak(b"another queue"))
