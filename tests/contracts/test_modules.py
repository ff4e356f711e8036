"""Batches whose records are with a data availability module: posted, read back and proven, or refused."""

import random
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from tests.support.chains.code_store import CODE, init_code
from tests.support.courts.arena import OPERATOR, PARAMS, TRADER, Arena, next_headers
from tests.support.evm import Reverted, reverts

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import WitnessError
from setoff.shared.machine import blobs
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.blobs import BLOBS

# On one worker, with all that need the trusted setup: it takes seconds to load.
pytestmark = pytest.mark.xdist_group("blobs")

RECORD = 124
ZERO = bytes(32)
MAXIMAL = 1024


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def records(count: int, seed: int = 0) -> list[bytes]:
    return [keccak(f"{seed} {number}".encode()).ljust(RECORD, b"\7") for number in range(count)]


@cache
def sealed(count: int) -> Batch:
    """Batch 0 with so many records in a blob, posted at the arena's first second."""
    return Batch.seal(ZERO, 0, Arena(epochs=0).now, 0, 0, ZERO, [], records(count), BLOBS)


@cache
def strange_blob() -> bytes:
    """A blob with first bytes that mean nothing, and something after its records."""
    elements = [bytes([random.Random(1).randrange(0x73)]) + keccak(word(number))[1:] for number in range(4096)]
    return b"".join(elements)


def header_of(event: dict[str, object]) -> Header:
    return Header(*(event[name] for name in Header.__dataclass_fields__))  # type: ignore[arg-type]


def post_blob(arena: Arena, versioned_hash: bytes, count: int) -> Header:
    """Post a blob's batch as the first of its transaction; returns its header."""
    arena.chain.carry_blobs([versioned_hash])
    arena.post_data(BLOBS.number, [(arena.now, 0, count, word(0))], [versioned_hash])
    return header_of(arena.chain.last.named("BatchPosted")[0])


@pytest.fixture
def arena() -> Arena:
    """With nothing posted yet."""
    return Arena(epochs=0)


@pytest.mark.parametrize("count", [1, 5, MAXIMAL])
def test_posts_the_header_that_the_machine_seals_and_proves_its_records(arena: Arena, count: int) -> None:
    batch = sealed(count)
    assert post_blob(arena, batch.header.data_root, count) == batch.header
    assert arena.inbox.batch_hash(0) == batch.header.hash()
    batch.check(ZERO)
    for index in {0, count - 1}:
        record_page, siblings = batch.prove(index)
        assert arena.inbox.check_record(batch.header.words, index, record_page, siblings) == batch.records[index]


def test_a_record_is_the_low_bytes_whatever_the_blob_has_beside_them(arena: Arena) -> None:
    blob = strange_blob()
    root = blobs.Blobs().commit(blob)
    header = post_blob(arena, root, 3)
    batch = Batch.read(header, [], blob, BLOBS)
    batch.check(ZERO)
    assert batch.records[1] == b"".join(blob[at + 1 : at + 32] for at in range(128, 256, 32))
    record_page, _ = batch.prove(1)
    assert arena.inbox.check_record(header.words, 1, record_page, []) == batch.records[1]
    for input_index in (3, MAXIMAL):
        with reverts("wrong_input"):
            arena.inbox.check_record(header.words, input_index, record_page, [])


def test_refuses_every_other_proof(arena: Arena) -> None:
    batch = sealed(5)
    other = blobs.commit(strange_blob())
    header = post_blob(arena, batch.header.data_root, 5)
    record_page, _ = batch.prove(2)
    next_record_page, _ = batch.prove(3)
    value, proof = slice(48, 80), slice(80, 128)
    y = int.from_bytes(record_page[value], "big")

    def forged(part: slice, replacement: bytes) -> bytes:
        return record_page[: part.start] + replacement + record_page[part.stop :]

    cases: dict[str, tuple[int, bytes, list[bytes]]] = {
        "another record's page": (2, next_record_page, []),
        "another index": (1, record_page, []),
        "another value": (2, forged(value, word(y ^ 1)), []),
        "a value that is not canonical": (2, forged(value, word(y + blobs.MODULUS)), []),
        "the first byte of a value changed": (2, forged(value, b"\1" + record_page[value][1:]), []),
        "another proof": (2, forged(proof, next_record_page[proof]), []),
        "a proof that is no point": (2, forged(proof, b"\xff" * 48), []),
        "the point at infinity as proof": (2, forged(proof, b"\xc0" + bytes(47)), []),
        "a commitment to another blob": (2, other + record_page[48:], []),
        "a cut page": (2, record_page[:-1], []),
        "a longer page": (2, record_page + b"\0", []),
        "no page": (2, b"", []),
        "a sibling": (2, record_page, [ZERO]),
    }
    for case, (input_index, wrong, siblings) in cases.items():
        with pytest.raises(WitnessError, match="wrong_input"):
            blobs.Blobs().verify(header.data_root, 5, input_index, wrong, siblings)
            pytest.fail(f"the machine takes {case}")
        with reverts("wrong_input"):
            arena.inbox.check_record(header.words, input_index, wrong, siblings)
            pytest.fail(f"the inbox takes {case}")
    assert arena.inbox.check_record(header.words, 2, record_page, []) == batch.records[2]


def test_the_module_commits_to_blobs_of_its_transaction_only(arena: Arena) -> None:
    root = sealed(5).header.data_root
    arena.chain.carry_blobs([root])
    for data in (word(1), word(6), word(2**256 - 1), b"", b"\0", word(0) + word(0)):
        with reverts("data_commitment"):
            arena.post_data(BLOBS.number, [(arena.now, 0, 5, data)], [root])
    arena.chain.carry_blobs([])
    with reverts("data_commitment"):
        arena.post_data(BLOBS.number, [(arena.now, 0, 5, word(0))], [root])
    with reverts("data_commitment"):
        arena.blobs.commit(MAXIMAL + 1, word(0))
    assert arena.inbox.count() == 0


def test_posts_six_batches_at_once(arena: Arena) -> None:
    hashes = [blobs.VERSION + keccak(word(number))[1:] for number in range(6)]
    arena.chain.carry_blobs(hashes)
    arena.queue.force(b"\1" * RECORD)
    postings = [(arena.now, int(number == 2), number, word(number)) for number in range(6)]
    arena.post_data(BLOBS.number, postings, [ZERO, *hashes[1:]])
    headers = [header_of(event) for event in arena.chain.last.named("BatchPosted")]
    assert [header.number for header in headers] == list(range(6))
    assert [header.data_root for header in headers] == [ZERO, *hashes[1:]], "a batch without records needs no blob"
    assert [header.first_record for header in headers] == [0, 0, 1, 3, 6, 10]
    assert [header.first_message for header in headers] == [0, 0, 0, 1, 1, 1]
    for earlier, later in pairwise(headers):
        assert later.parent == earlier.hash() == arena.inbox.batch_hash(earlier.number)
    arena.warp(1)
    arena.post()
    assert (arena.inbox.records_posted(), arena.inbox.count()) == (15, 7)


def test_all_postings_of_a_call_or_none(arena: Arena) -> None:
    root = sealed(5).header.data_root
    arena.chain.carry_blobs([root])
    good = (arena.now, 0, 5, word(0))
    for reason, postings in {
        "batch_timestamp": [good, (arena.now - 1, 0, 0, b"")],
        "batch_size": [good, (arena.now, 0, MAXIMAL + 1, word(0))],
        "no_such_message": [good, (arena.now, 1, 0, b"")],
        "data_commitment": [good, (arena.now, 0, 5, word(1))],
        "batch_number": [],
    }.items():
        with reverts(reason):
            arena.post_data(BLOBS.number, postings, [root] * len(postings))
    with pytest.raises(Reverted):
        arena.post_data(BLOBS.number, [good] * 7, [root] * 7)
    with reverts("batch_number"):
        arena.post_data(BLOBS.number, [good], [root], number=1)
    for module in (0, CODE.number + 1, 2**256 - 1):
        with reverts("no_such_module"):
            arena.post_data(module, [good], [root])
        with reverts("no_such_module"):
            arena.inbox.module_at(module)
    assert arena.inbox.count() == 0 and arena.inbox.module_count() == CODE.number
    assert arena.inbox.module_at(BLOBS.number) == arena.blobs.address


def test_postings_that_would_make_other_batches_than_their_sender_means_make_none(arena: Arena) -> None:
    """The hash of the last binds all of them, what is before them, and what the module commits to."""
    root, other = sealed(5).header.data_root, b"\1" + word(7)[1:]
    arena.chain.carry_blobs([root, other])
    arena.queue.force(b"\1" * RECORD)
    postings = [(arena.now, 1, 5, word(0)), (arena.now, 0, 0, b"")]
    meant = next_headers(arena.inbox, arena.queue, BLOBS.number, postings, [root, ZERO])
    changed = {
        "another parent": replace(meant[1], parent=keccak(b"another")),
        "another blob": next_headers(arena.inbox, arena.queue, BLOBS.number, postings, [other, ZERO])[1],
        "the first, not the last": meant[0],
        "records skipped": replace(meant[1], first_record=4),
        "other messages": replace(meant[1], queue_hash=keccak(b"others")),
    }
    for case, header in changed.items():
        with reverts("batch_hash"):
            arena.inbox.post_data(BLOBS.number, 0, header.hash(), postings, sender=OPERATOR)
            pytest.fail(case)
    assert arena.inbox.count() == arena.inbox.messages_consumed() == arena.inbox.records_posted() == 0
    arena.inbox.post_data(BLOBS.number, 0, meant[1].hash(), postings, sender=OPERATOR)
    assert [arena.inbox.batch_hash(number) for number in range(2)] == [header.hash() for header in meant]


def test_strangers_post_no_data(arena: Arena) -> None:
    root = sealed(5).header.data_root
    arena.chain.carry_blobs([root])
    arena.warp(PARAMS.silence)
    with reverts("not_the_operator"):
        arena.post_data(BLOBS.number, [(arena.now, 0, 5, word(0))], [root], by=TRADER)
    arena.post_data(BLOBS.number, [(arena.now, 0, 0, b"")], [ZERO], by=TRADER)
    assert arena.inbox.batch_hash(0) != ZERO


def test_a_third_party_adds_a_module(arena: Arena) -> None:
    bodies = records(7)
    data = CODE.encode(b"".join(bodies))
    target = arena.chain.create(init_code(data))
    root = CODE.commit(data)
    arena.post_data(CODE.number, [(arena.now, 0, 7, bytes(12) + bytes.fromhex(target[2:]))], [root])
    header = header_of(arena.chain.last.named("BatchPosted")[0])
    assert (header.module, header.data_root) == (CODE.number, root)
    for index in range(7):
        assert arena.inbox.check_record(header.words, index, *CODE.prove(data, 7, index)) == bodies[index]
    with reverts("wrong_input"):
        arena.inbox.check_record(header.words, 0, b"page", [])
    for wrong in (word(0), bytes(12) + bytes.fromhex(TRADER[2:]), bytes(12) + bytes.fromhex(arena.blobs.address[2:])):
        with reverts("data_commitment"):
            arena.post_data(CODE.number, [(arena.now, 0, 7, wrong)], [root])


def test_gas_of_blobs(arena: Arena) -> None:
    batch = sealed(MAXIMAL)
    record_page, _ = batch.prove(777)
    header = post_blob(arena, batch.header.data_root, MAXIMAL)
    arena.chain.cool()
    arena.inbox.check_record(header.words, 777, record_page, [], gas=300_000)
    post_blob(arena, batch.header.data_root, MAXIMAL)
    assert arena.chain.last.gas_used < 200_000
