"""Posting batches: who, when, what may not be left out, and what the inbox then proves."""

from dataclasses import replace

import pytest
from tests.support.courts.arena import OPERATOR, PARAMS, PASSER_BY, TRADER, Arena, next_posting
from tests.support.evm import Reverted, reverts
from tests.support.own_contracts import RELAY

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import stamp_message
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.data import prove_record

RECORD = 124


def records(count: int, seed: int = 0) -> list[bytes]:
    return [keccak(f"{seed} {number}".encode()).ljust(RECORD, b"\7") for number in range(count)]


def header_of(event: dict[str, object]) -> Header:
    return Header(*(event[name] for name in Header.__dataclass_fields__))  # type: ignore[arg-type]


def as_tuple(header: Header) -> tuple[object, ...]:
    return tuple(getattr(header, name) for name in Header.__dataclass_fields__)


@pytest.fixture
def arena() -> Arena:
    """With nothing posted yet."""
    return Arena(epochs=0)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 63, 1023, 1024])
def test_posts_the_header_that_the_machine_seals(arena: Arena, count: int) -> None:
    bodies = records(count)
    arena.post(records=b"".join(bodies))
    (event,) = arena.chain.last.named("BatchPosted")
    sealed = Batch.seal(bytes(32), 0, arena.now, 0, 0, bytes(32), [], bodies)
    assert header_of(event) == sealed.header
    assert event["batch_hash"] == sealed.header.hash() == arena.inbox.batch_hash(0)


def test_links_batches_and_messages(arena: Arena) -> None:
    parent, queue_hash, first = bytes(32), bytes(32), 0
    for number in range(4):
        messages = []
        for message in range(number):
            arena.queue.force(body := bytes([1 + message]) * RECORD, sender=TRADER)
            messages.append(stamp_message(body, arena.now))
        bodies = records(3, number)
        arena.warp(1)
        arena.post(b"".join(bodies), messages=number)
        sealed = Batch.seal(parent, number, arena.now, first, 3 * number, queue_hash, messages, bodies)
        assert header_of(arena.chain.last.named("BatchPosted")[0]) == sealed.header
        parent, queue_hash, first = sealed.header.hash(), sealed.header.queue_hash, first + number
    assert (arena.inbox.count(), arena.inbox.messages_consumed()) == (4, 6)


@pytest.mark.parametrize(("count", "messages"), [(1, 0), (8, 0), (9, 2), (30, 1), (1024, 0)])
def test_proves_every_record_to_whoever_asks(arena: Arena, count: int, messages: int) -> None:
    for _ in range(messages):
        arena.queue.force(bytes([1]) * RECORD)
    bodies = records(count)
    arena.post(b"".join(bodies), messages=messages)
    header = as_tuple(header_of(arena.chain.last.named("BatchPosted")[0]))
    for index in {0, 1, count // 2, count - 1} & set(range(count)):
        record_page, siblings = prove_record(b"".join(bodies), index)
        input_index = messages + index
        assert arena.inbox.check_record(header, input_index, record_page, siblings) == bodies[index]
        for wrong_index in {input_index - 8, input_index + 8, messages + count, messages - 1, 2**256 - 1}:
            if wrong_index >= 0:
                with reverts("wrong_input"):
                    arena.inbox.check_record(header, wrong_index, record_page, siblings)
        with reverts("wrong_input"):
            arena.inbox.check_record(
                header, input_index, record_page, [*siblings, bytes(32)][:7] if len(siblings) < 7 else []
            )
        with reverts("wrong_input"):
            arena.inbox.check_record(header, input_index, record_page[:-1] + b"\0", siblings)
        with reverts("wrong_input"):
            arena.inbox.check_record(header, input_index, record_page[:-RECORD], siblings)


def test_proves_no_record_of_a_header_that_was_not_posted(arena: Arena) -> None:
    bodies = records(8)
    arena.post(b"".join(bodies))
    posted = header_of(arena.chain.last.named("BatchPosted")[0])
    record_page, siblings = prove_record(b"".join(bodies), 0)
    changes = {"timestamp": posted.timestamp + 1, "number": 1, "message_count": 1, "first_record": 1, "module": 1}
    for change in (*({name: value} for name, value in changes.items()), {"number": 2**256 - 1}):
        forged = as_tuple(Header(**{**dict(zip(Header.__dataclass_fields__, as_tuple(posted), strict=True)), **change}))  # type: ignore[arg-type]
        with reverts("wrong_input"):
            arena.inbox.check_record(forged, 0, record_page, siblings)


def test_takes_batches_in_order_only(arena: Arena) -> None:
    for number in (1, 2, 2**256 - 1):
        with reverts("batch_number"):
            arena.post(number=number)
    arena.post()
    with reverts("batch_number"):
        arena.post(number=0)


def test_a_posting_makes_the_batch_that_its_sender_means_or_none(arena: Arena) -> None:
    body = b"".join(records(3))
    arena.queue.force(b"\1" * RECORD)
    _, timestamp, _, meant, _ = next_posting(arena.inbox, arena.queue, body, 1)
    hashes = [bytes(32), keccak(b"something"), next_posting(arena.inbox, arena.queue, body[RECORD:], 1)[3]]
    hashes.append(next_posting(arena.inbox, arena.queue, body)[3])
    hashes.append(next_posting(arena.inbox, arena.queue, body, 1, timestamp=timestamp - 1)[3])
    for expected in hashes:
        with reverts("batch_hash"):
            arena.inbox.post(0, timestamp, 1, expected, body, sender=OPERATOR)
    assert arena.inbox.count() == arena.inbox.messages_consumed() == arena.inbox.records_posted() == 0
    arena.inbox.post(0, timestamp, 1, meant, body, sender=OPERATOR)
    assert arena.inbox.batch_hash(0) == meant


@pytest.mark.parametrize("swapped", ["a stranger's batch", "other messages", "the same"])
def test_a_posting_sent_before_a_reorg_lands_on_what_it_was_made_for_only(arena: Arena, swapped: str) -> None:
    """The operator posts and sends the next batch, a reorg takes the first one back, and it all has gone another way:
    the second, still in the pool, must not come to lie on another parent, where it would skip the first one's records.
    """
    arena.warp(PARAMS.silence)
    arena.queue.force(b"\1" * RECORD)
    before = arena.chain.snapshot()
    second = records(2, seed=1)
    arena.queue.force(b"\2" * RECORD)
    first = next_posting(arena.inbox, arena.queue, records(3)[0])
    arena.inbox.post(*first, sender=OPERATOR)
    pending = next_posting(arena.inbox, arena.queue, b"".join(second), 2)
    arena.chain.restore(before)
    arena.queue.force(bytes([3 if swapped == "other messages" else 2]) * RECORD)
    if swapped == "a stranger's batch":
        arena.post(by=PASSER_BY)
    else:
        arena.inbox.post(*first, sender=OPERATOR)
    if swapped == "the same":
        arena.inbox.post(*pending, sender=OPERATOR)
        assert arena.inbox.records_posted() == 3
        return
    with reverts("batch_hash"):
        arena.inbox.post(*pending, sender=OPERATOR)
    assert arena.inbox.records_posted() == (0 if swapped == "a stranger's batch" else 1)
    arena.post(b"".join(second), messages=2)
    assert arena.inbox.count() == 2


def test_bounds_the_timestamp(arena: Arena) -> None:
    skew = PARAMS.max_skew
    arena.post()
    posted = arena.now
    arena.warp(skew)
    for timestamp in (arena.now + 1, posted - 1, 0, 2**256 - 1):
        with reverts("batch_timestamp"):
            arena.post(timestamp=timestamp)
    arena.post(timestamp=posted)
    arena.warp(1)
    with reverts("batch_timestamp"):
        arena.post(timestamp=posted)
    arena.post(timestamp=posted + 1)
    with reverts("batch_timestamp"):
        arena.post(timestamp=posted)
    arena.post()


def test_bounds_the_size(arena: Arena) -> None:
    for length in (1, RECORD - 1, RECORD + 1):
        with reverts("record_length"):
            arena.post(bytes(length))
    arena.queue.force(b"\1" * RECORD)
    with reverts("batch_size"):
        arena.post(bytes(1024 * RECORD), messages=1)
    with reverts("batch_size"):
        arena.post(messages=2**256 - 1)
    arena.post(bytes(1023 * RECORD), messages=1)


def test_consumes_only_messages_that_are_there(arena: Arena) -> None:
    with reverts("no_such_message"):
        arena.post(messages=1)
    arena.queue.force(b"\1" * RECORD)
    arena.post(messages=1)
    with reverts("no_such_message"):
        arena.post(messages=1)


def test_leaves_no_old_message_out(arena: Arena) -> None:
    delay = PARAMS.force_delay
    arena.queue.force(b"\1" * RECORD)
    arena.warp(10)
    arena.queue.force(b"\2" * RECORD)
    arena.warp(delay - 11)
    arena.post()
    arena.warp(1)
    with reverts("message_left_out"):
        arena.post()
    arena.post(messages=1)
    arena.warp(10)
    with reverts("message_left_out"):
        arena.post(records(1)[0])
    arena.post(records(1)[0], messages=1)
    arena.post()


def test_a_flood_of_old_messages_does_not_stop_the_chain(arena: Arena) -> None:
    for _ in range(1025):
        arena.queue.force(b"\1" * RECORD)
    arena.warp(PARAMS.force_delay)
    with reverts("message_left_out"):
        arena.post(messages=1023)
    arena.post(messages=1024)
    with reverts("message_left_out"):
        arena.post()
    arena.post(messages=1)


def test_only_the_operator_posts_until_it_is_silent(arena: Arena) -> None:
    with reverts("not_the_operator"):
        arena.post(by=TRADER)
    arena.warp(PARAMS.silence - 1)
    with reverts("not_the_operator"):
        arena.post(by=TRADER)
    arena.warp(1)
    arena.post(by=TRADER)


def test_strangers_go_on_posting_messages_until_the_operator_posts_again(arena: Arena) -> None:
    since = arena.inbox.operator_posted_at()
    arena.warp(PARAMS.silence)
    arena.queue.force(b"\1" * RECORD)
    arena.queue.force(b"\2" * RECORD)
    arena.post(messages=1, by=TRADER)
    arena.post(messages=1, by=PASSER_BY)
    assert arena.inbox.operator_posted_at() == since, "a stranger's batch is no sign of the operator's life"
    arena.post(records(2)[0])
    assert arena.inbox.operator_posted_at() == arena.now
    arena.warp(PARAMS.silence - 1)
    with reverts("not_the_operator"):
        arena.post(by=TRADER)


def test_an_operator_comes_back_though_others_post_in_every_block(arena: Arena) -> None:
    arena.warp(PARAMS.silence)
    arena.post(by=TRADER)
    for stranger in (TRADER, PASSER_BY):
        with reverts("not_the_operator"):
            arena.inbox.reserve(sender=stranger)
    arena.inbox.reserve(sender=OPERATOR)
    assert arena.inbox.opens_at() == arena.inbox.reserved_until() == arena.now + 3600
    with reverts("not_the_operator"):
        arena.post(by=TRADER)
    arena.post()
    assert arena.inbox.opens_at() == arena.now + PARAMS.silence


def test_an_operator_that_only_says_that_it_comes_back_is_believed_once(arena: Arena) -> None:
    arena.warp(PARAMS.silence)
    arena.inbox.reserve(sender=OPERATOR)
    since = arena.inbox.operator_posted_at()
    arena.warp(3599)
    with reverts("not_the_operator"):
        arena.post(by=TRADER)
    with reverts("too_early"):
        arena.inbox.reserve(sender=OPERATOR)
    arena.warp(1)
    arena.post(by=TRADER)
    assert arena.inbox.operator_posted_at() == since, "nor does it put off the wind-down"
    with reverts("too_early"):
        arena.inbox.reserve(sender=OPERATOR)
    arena.post()
    arena.inbox.reserve(sender=OPERATOR)


def test_an_operator_that_does_not_complete_an_epoch_loses_its_right_until_it_is_complete(arena: Arena) -> None:
    """Though it posts often enough not to be silent: what it posts could never be claimed."""
    assert PARAMS.epoch_batches == 2
    arena.post()
    began = arena.inbox.epoch_began_at()
    arena.warp(1)
    assert arena.inbox.opens_at() == began + PARAMS.silence
    arena.post()
    assert arena.inbox.opens_at() == arena.now + PARAMS.silence
    arena.warp(PARAMS.silence // 2)
    arena.post()
    arena.warp(PARAMS.silence)
    arena.post(by=TRADER)
    arena.post(by=TRADER)
    arena.post()
    assert arena.inbox.opens_at() == arena.now + PARAMS.silence


@pytest.mark.parametrize("pace", [0.5, 0.99])
def test_a_slow_operator_can_hold_up_an_epoch_for_one_silence_at_most(pace: float) -> None:
    arena = Arena(replace(PARAMS, epoch_batches=8), epochs=0)
    arena.post()
    since = arena.now
    while True:
        arena.warp(int(PARAMS.silence * pace))
        if arena.now >= since + PARAMS.silence:
            break
        arena.post()
        with reverts("not_the_operator"):
            arena.post(by=TRADER)
    for _ in range(8 - arena.inbox.count()):
        arena.post(by=TRADER)
    assert arena.inbox.count() == 8


def test_strangers_post_no_records(arena: Arena) -> None:
    arena.queue.force(b"\1" * RECORD)
    arena.warp(PARAMS.silence)
    with reverts("not_the_operator"):
        arena.post(records(1)[0], messages=1, by=TRADER)
    arena.post(messages=1, by=TRADER)


def test_a_sealed_batch_stays_valid_while_it_waits_for_l1(arena: Arena) -> None:
    sealed_at = arena.now
    arena.queue.force(b"\1" * RECORD)
    arena.warp(PARAMS.max_skew)
    arena.post(timestamp=sealed_at)


def test_counts_the_records_of_all_batches_before(arena: Arena) -> None:
    for count, before in ((3, 0), (0, 3), (9, 3), (1, 12)):
        arena.post(b"".join(records(count)))
        (event,) = arena.chain.last.named("BatchPosted")
        assert (event["first_record"], event["module"]) == (before, 0)
    assert arena.inbox.records_posted() == 13


def test_nobody_posts_through_a_contract(arena: Arena) -> None:
    # The records would be in a place that is no transaction's calldata.
    relay = arena.chain.deploy(RELAY)
    data = arena.inbox.encode("post", *next_posting(arena.inbox, arena.queue, records(1)[0]))
    for caller in (OPERATOR, PASSER_BY):
        with reverts("caller_has_code"):
            relay.forward(arena.inbox.address, data, sender=caller)
    inbox = arena.chain.deploy("inbox", arena.queue.address, relay.address, 10, 10, 11, 1, 0, [])
    with reverts("caller_has_code"):
        relay.forward(inbox.address, data, sender=OPERATOR)


@pytest.mark.parametrize("terms", [(10, 10, 10, 1, 0), (10, 10, 11, 0, 0), (10, 10, 20, 1, 20)])
def test_refuses_terms_that_cannot_work(arena: Arena, terms: tuple[int, ...]) -> None:
    with reverts("bad_terms"):
        arena.chain.deploy("inbox", arena.queue.address, OPERATOR, *terms, [])


def test_takes_one_encoding_of_its_arguments_only(arena: Arena) -> None:
    body = records(1)[0]
    good = arena.inbox.encode("post", *next_posting(arena.inbox, arena.queue, body))
    head, tail = good[: 4 + 4 * 32], good[4 + 5 * 32 :]
    assert len(tail) == 32 + 128

    def send(data: bytes) -> None:
        arena.chain.call(arena.inbox.address, data, sender=OPERATOR)

    for data in (
        head + (192).to_bytes(32, "big") + bytes(32) + tail,  # records further on
        head + (64).to_bytes(32, "big") + tail,  # records that overlap the arguments
        good + bytes(32),
        good + b"\0",
    ):
        with reverts("calldata_encoding"):
            send(data)
    for data in (good[:-1], good[:-32], good[: 4 + 5 * 32]):  # records that would be zeros beyond the end
        with pytest.raises(Reverted):
            send(data)
    assert arena.inbox.count() == 0
    send(good)
    assert arena.inbox.count() == 1
