"""The batcher at the real inbox: what L1 will never take is told to the sequencer, what it has of others is read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from redis import Redis
from tests.support.chains import code_store
from tests.support.evm import compile_own
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.own_contracts import CODE_STORE

from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.operator.publisher.batcher import Batcher
from setoff.operator.sequencer.exchange import SealedBatch
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches, compare
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError, DataError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da import blobs as da_blobs
from setoff.shared.l1.da import registry
from setoff.shared.l1.da.blobs import BATCH_GAS, BLOBS, POSTING_GAS
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.inbox import POST, Inbox, encode_post
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.params import DEMO
from setoff.shared.sdk.vault import Vault

pytestmark = pytest.mark.xdist_group("blobs")


@pytest.fixture
def chain(blob_anvil: Anvil) -> Anvil:
    return blob_anvil


@pytest.fixture
def deployment(chain: Anvil) -> Iterator[Deployment]:
    """With a third party's data availability module beside our own."""
    l1 = chain.connect(0)
    compiled = compile_own(CODE_STORE)
    store = l1.transact(None, bytes.fromhex(compiled.bytecode)).contract
    assert store is not None
    registry.MODULES[code_store.MODULE.number] = code_store.MODULE
    try:
        yield deploy(l1, DEMO, operator=l1.address, lister=l1.address, modules=["0x" + store.hex()])
    finally:
        del registry.MODULES[code_store.MODULE.number]


@pytest.fixture
def outbox(redis_server: RedisServer) -> Iterator[Outbox]:
    with Redis.from_url(redis_server.url) as redis:
        yield Outbox(redis, "test")


def seal(
    number: int, timestamp: int, parent: bytes = ZERO, records: Sequence[bytes] = (), first_record: int = 0
) -> SealedBatch:
    """A batch without messages."""
    return SealedBatch(Batch.seal(parent, number, timestamp, 0, first_record, ZERO, (), records), bytes(32), (), ())


def test_a_batch_that_comes_too_late_is_told_and_its_successor_posted(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    l1 = chain.connect(0)
    reader = ChainReader(l1, deployment)
    batcher = Batcher(l1, reader, outbox)
    now = l1.head().timestamp
    late = seal(0, now - DEMO.max_skew - 10)
    outbox.put(late)
    with pytest.raises(Reverted, match="batch_timestamp"):
        batcher.post_next()
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final
    assert (stuck.number, stuck.reason, stuck.batch) == (0, "batch_timestamp", late.batch.header.hash().hex())
    outbox.cut(0)
    assert outbox.latest() == -1 and outbox.stuck() is None
    outbox.put(seal(0, now))
    batcher.post_next()
    assert batcher.post_next() == 1 and outbox.stuck() is None
    assert compare(InboxBatches(reader), outbox, 1, 1).common == 1


@pytest.mark.parametrize("name", [*(module.name for module in registry.MODULES.values()), "code"])
def test_batches_are_posted_through_any_module_and_read_back(
    chain: Anvil, deployment: Deployment, outbox: Outbox, name: str
) -> None:
    l1, module = chain.connect(0), registry.find_module(name)
    reader = ChainReader(l1, deployment)
    batcher = Batcher(l1, reader, outbox)
    now, parent, first, batches = l1.head().timestamp, ZERO, 0, []
    for number, count in enumerate((3, 0, 30, 1, 2)):
        records = [bytes([number + 1, place]) * 62 for place in range(count)]
        batches.append(Batch.seal(parent, number, now, 0, first, ZERO, (), records, module.codec))
        outbox.put(SealedBatch(batches[-1], bytes(32), (), ()))
        parent, first = batches[-1].header.hash(), first + count
    counts = [batcher.post_next()]
    while counts[-1] < len(batches):
        counts.append(batcher.post_next())
    limit = module.batch_limit
    assert sorted(set(counts)) == [*range(0, len(batches), limit), len(batches)]
    assert [ChainReader(chain.l1, deployment).batch(number) for number in range(len(batches))] == batches


def test_what_goes_before_a_posting_is_done_once_while_the_posting_has_to_wait(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    l1 = chain.connect(0)
    batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
    batch = Batch.seal(ZERO, 0, l1.head().timestamp + 600, 0, 0, ZERO, (), [bytes(124)], code_store.CODE)
    outbox.put(SealedBatch(batch, bytes(32), (), ()))
    sent = l1.transaction_count(l1.address)
    assert [batcher.post_next() for _ in range(3)] == [0, 0, 0]
    assert l1.transaction_count(l1.address) == sent + 1
    chain.advance(600)
    while batcher.post_next() < 1:
        l1.tend()
    assert l1.transaction_count(l1.address) == sent + 2


def put_blobs(outbox: Outbox, now: int, count: int = 3) -> None:
    """Batches of a record each, to be posted in blobs."""
    parent = ZERO
    for number in range(count):
        batch = Batch.seal(parent, number, now, 0, number, ZERO, (), [bytes([number + 1]) * 124], BLOBS.codec)
        outbox.put(SealedBatch(batch, bytes(32), (), ()))
        parent = batch.header.hash()


def test_the_gas_of_a_posting_is_computed_where_estimates_do_not_see_blobs(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    with FaultyNode(chain.url, faults.BlindToBlobs()) as node:
        l1 = L1(node.url, dev_keys()[0])
        batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
        put_blobs(outbox, l1.head().timestamp)
        while batcher.post_next() < 3:
            l1.tend()
        (sent,) = [kept for kept in l1.sender._kept.values() if kept.sidecar]
        receipt = l1.wait(sent.hashes[0])
        assert sent.gas == POSTING_GAS + 3 * BATCH_GAS > receipt.gas_used > sent.gas // 2
        # What is refused for another reason is still found before it is sent.
        outbox.put(seal(3, l1.head().timestamp - DEMO.max_skew - 10, outbox.header(2).hash(), first_record=3))  # type: ignore[union-attr]
        with pytest.raises(Reverted, match="batch_timestamp"):
            batcher.post_next()


def test_a_computed_gas_that_was_too_little_is_not_paid_for_again(
    chain: Anvil, deployment: Deployment, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(da_blobs, "POSTING_GAS", 0)
    with FaultyNode(chain.url, faults.BlindToBlobs()) as node:
        l1 = L1(node.url, dev_keys()[0])
        batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
        put_blobs(outbox, l1.head().timestamp, 1)
        assert batcher.post_next() == 0
        (first,) = l1.sender._kept.values()
        l1.wait(first.hashes[0])
        sent = l1.transaction_count(l1.address)
        for _ in range(3):
            with pytest.raises(Reverted, match="data_commitment"):
                batcher.post_next()
        assert l1.transaction_count(l1.address) == sent
        stuck = outbox.stuck()
        assert stuck is not None and (stuck.reason, stuck.is_final) == ("data_commitment", False)


def test_a_batch_from_the_future_only_has_to_wait(chain: Anvil, deployment: Deployment, outbox: Outbox) -> None:
    l1 = chain.connect(0)
    batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
    outbox.put(seal(0, l1.head().timestamp + 1000))
    assert batcher.post_next() == 0
    assert outbox.stuck() is None


@pytest.mark.parametrize("name", ["calldata", "blobs"])
def test_batches_that_fill_faster_than_epochs_may_begin_wait_their_turn(
    chain: Anvil, outbox: Outbox, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each goes to L1 once its time has come; none is held up by one after it that has to wait for longer."""
    l1, codec = chain.connect(0), registry.find_module(name).codec
    params = replace(DEMO, epoch_batches=2, claim_interval=600, batch_interval=300, force_delay=400)
    reader = ChainReader(l1, deploy(l1, params, operator=l1.address, lister=l1.address))
    batcher, inbox, now, parent = Batcher(l1, reader, outbox), Inbox(l1, reader.deployment), l1.head().timestamp, ZERO
    for number in range(5):
        batch = Batch.seal(parent, number, now, 0, number, ZERO, (), [bytes([number + 1]) * 124], codec)
        outbox.put(SealedBatch(batch, bytes(32), (), ()))
        parent = batch.header.hash()

    def post(count: int) -> None:
        with caplog.at_level("INFO", "setoff.operator.publisher.batcher"):
            while batcher.post_next() < count:
                l1.tend()
            assert [batcher.post_next() for _ in range(3)] == [count] * 3
        assert outbox.stuck() is None, "it waits, and nothing is wrong with it"

    for count in (2, 4):
        caplog.clear()
        post(count)
        (said,) = [message for message in caplog.messages if "has to wait" in message]
        assert said == f"batch {count} has to wait until {inbox.paced_until()}: epoch_too_early"
        chain.advance(inbox.paced_until() - l1.head().timestamp)
    while batcher.post_next() < 5:
        l1.tend()


def test_a_strangers_batch_is_seen_and_read(chain: Anvil, deployment: Deployment, outbox: Outbox) -> None:
    l1, stranger = chain.connect(0), chain.connect(5)
    reader = ChainReader(l1, deployment)
    batcher, posted = Batcher(l1, reader, outbox), InboxBatches(reader)
    now = l1.head().timestamp
    chain.advance(DEMO.silence + 10)
    theirs = seal(0, now + DEMO.silence).batch
    stranger.transact(deployment.inbox, encode_post(theirs.header))
    ours = seal(0, now)
    outbox.put(ours)
    outbox.put(seal(1, now, ours.batch.header.hash()))
    with pytest.raises(DataError):
        batcher.post_next()
    with pytest.raises(Reverted, match="not_the_operator"):  # the returning operator has closed the inbox first
        next_one = seal(1, l1.head().timestamp, theirs.header.hash()).batch
        stranger.transact(deployment.inbox, encode_post(next_one.header))
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final and stuck.number == 1
    standing = compare(posted, outbox, posted.batch_count(), 2)
    assert (standing.count, standing.common, standing.is_diverged(2)) == (1, 0, True)
    assert posted.batch(0) == theirs and posted.max_skew == DEMO.max_skew


def test_a_posting_from_before_a_reorg_does_not_land_on_a_strangers_batch(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    """Both postings come back from the pool after the reorg; the second has the right number, and another parent."""
    l1, stranger = chain.connect(0), chain.connect(5)
    reader = ChainReader(l1, deployment)
    batcher, inbox = Batcher(l1, reader, outbox), Inbox(l1, deployment)
    chain.advance(DEMO.silence + 10)
    now = l1.head().timestamp
    before = chain.l1.request("evm_snapshot")
    first = seal(0, now, records=[bytes(124)])
    second = seal(1, now, first.batch.header.hash(), [b"\1" * 124], 1)
    outbox.put(first)
    outbox.put(second)
    while batcher.post_next() < 2:
        l1.tend()
    assert inbox.state().records_posted == 2
    sent = [kept.hashes[-1] for kept in l1.sender._kept.values() if kept.data[:4] == POST.selector]
    chain.l1.request("evm_revert", before)
    theirs = inbox.next_header(inbox.state(), l1.head().timestamp, 0)
    stranger.transact(deployment.inbox, encode_post(theirs))
    l1.tend()
    receipts = [l1.receipt(transaction) for transaction in sent]
    assert [receipt is not None and receipt.succeeded for receipt in receipts] == [False, False]
    with pytest.raises(Reverted, match="batch_hash"):
        l1.dry_run(deployment.inbox, encode_post(second.batch.header, b"\1" * 124))
    state = inbox.state()
    assert (state.count, state.records_posted, state.parent) == (1, 0, theirs.hash())
    with pytest.raises(DataError):
        batcher.post_next()
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final and stuck.number == 1
    assert inbox.state().count == 1


def test_a_batch_whose_messages_are_gone_waits_and_one_with_other_messages_is_refused(
    chain: Anvil, deployment: Deployment, outbox: Outbox
) -> None:
    """After a reorg: the queue's transactions are most often taken again, in the same order."""
    l1 = chain.connect(0)
    batcher, vault = Batcher(l1, ChainReader(l1, deployment), outbox), Vault(chain.connect(2), deployment)
    lost = Batch.seal(ZERO, 0, l1.head().timestamp, 0, 0, ZERO, [bytes(132)], ())
    outbox.put(SealedBatch(lost, bytes(32), (), ()))
    with pytest.raises(ChainError, match="no_such_message"):
        batcher.post_next()
    stuck = outbox.stuck()
    assert stuck is not None and (stuck.reason, stuck.is_final) == ("no_such_message", False)
    vault.force(b"\1" * 124)
    with pytest.raises(DataError, match="other messages"):
        batcher.post_next()
    stuck = outbox.stuck()
    assert stuck is not None and stuck.is_final
    assert l1.sender.pending == 0
