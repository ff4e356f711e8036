"""Batches and messages read back from a real chain, also where the poster encodes them as oddly as L1 lets him."""

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec.records import stamp_message
from setoff.shared.errors import ChainError, DataError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import POST, decode_post
from setoff.shared.machine.batch import extend_queue_hash


@pytest.fixture
def reader(exchange: Exchange) -> ChainReader:
    return ChainReader(exchange.anvil.l1, exchange.deployment)


def make_records(count: int) -> list[bytes]:
    traffic = SampleTraffic()
    return [traffic.order(1, 0, 100, 5) for _ in range(count)]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_reads_messages_and_batches_in_order(exchange: Exchange, reader: ChainReader) -> None:
    records = make_records(20)
    exchange.deposit(1, 500)
    exchange.queue(records[0])
    exchange.post(0, 1, records[1:])
    exchange.post(1, 1)
    exchange.post(2, 0, records[:1])
    head = exchange.anvil.l1.head().number

    messages = reader.messages(0, head)
    assert [message.index for message in messages] == [0, 1] and reader.message_count() == 2
    assert messages[1].body == stamp_message(records[0], messages[1].timestamp)
    extended = extend_queue_hash(messages[0].queue_hash, messages[1].body)
    assert messages[1].queue_hash == extended == reader.queue_hash_at(2)
    posted = reader.batches(0, head)
    assert [batch.header.number for batch in posted] == [0, 1, 2] and reader.batch_count() == 3
    for number in range(3):
        assert reader.batch_hash(number) == posted[number].header.hash()
        assert reader.batch(number, posted[number].block_number) == reader.batch(number)
    assert reader.batch(0).messages == (messages[0].body,) and reader.batch(0).records == tuple(records[1:])
    assert reader.batch(1).messages == (messages[1].body,) and reader.batch(1).records == ()
    with pytest.raises(InputError, match="not_found"):
        reader.batch(3)


def test_finds_messages_queued_long_before_their_batch(exchange: Exchange, reader: ChainReader) -> None:
    exchange.deposit(1, 500)
    exchange.anvil.mine(700)
    exchange.deposit(2, 500)
    exchange.post(0, 2)
    assert len(reader.batch(0).messages) == 2


def test_a_wrong_block_only_costs_a_search(exchange: Exchange, reader: ChainReader) -> None:
    exchange.post(0, 0, make_records(1))
    assert reader.batch(0, exchange.block) == reader.batch(0)


def odd_postings(timestamp: int) -> dict[str, bytes]:
    """Other ways to write the same call: an inbox that took one would have to be read just as oddly."""
    record = make_records(1)[0]
    head = POST.selector + word(0) + word(timestamp) + word(0) + bytes(32)
    return {
        "records behind a gap": head + word(8 * 32) + bytes(96) + word(124) + record + bytes(4),
        "length in the head": head + word(2 * 32),
        "records beyond the end": head + word(5 * 32) + word(248) + record,
        "bytes after the end": head + word(5 * 32) + word(124) + record + bytes(4) + b"\xff" * 32,
        "offset far away": head + word(2**255),
        "half a record": head + word(5 * 32) + word(62) + record[:62] + bytes(2),
        "another call": b"\0\1\2\3" + word(0) * 8,
        "nothing": b"",
    }


def test_odd_encodings_are_refused_by_the_inbox_and_here(exchange: Exchange) -> None:
    for case, data in odd_postings(exchange.operator.head().timestamp).items():
        with pytest.raises(DataError):
            decode_post(data)
        if data:
            with pytest.raises(ChainError):
                exchange.operator.transact(exchange.deployment.inbox, data)
                pytest.fail(f"the inbox took {case}")


def test_padding_that_is_not_zero_is_passed_over(exchange: Exchange, reader: ChainReader) -> None:
    record = make_records(1)[0]
    data = exchange.posting(0, exchange.operator.head().timestamp, 0, record)
    exchange.operator.transact(exchange.deployment.inbox, data[:-4] + b"\xff" * 4)
    assert reader.batch(0).records == (record,)


def test_says_that_the_deployment_is_another(exchange: Exchange) -> None:
    with Anvil() as empty, pytest.raises(ChainError, match="wrong_deployment"):
        ChainReader(empty.l1, exchange.deployment).batch_count()
