"""What a node can do is found out by trying, once; what it lacks is done without."""

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import Answer, Fault, FaultyNode, Next, Question

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.errors import ChainError
from setoff.shared.l1.abilities import (
    ABILITIES,
    BLOCK_RECEIPTS,
    CARRIES_BLOBS,
    NO_DATA,
    PENDING,
    REFUSING_ESTIMATES,
    TRIES,
    find_lacks,
    tell_lacks,
)
from setoff.shared.l1.answers import Block
from setoff.shared.l1.block_logs import CROWDED, BlockLogs
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.headers import may_hold
from setoff.shared.l1.rpc import Node
from setoff.shared.l1.sidecar import Sidecar
from setoff.shared.machine.blobs import BLOB_BYTES

LOGGER = bytes.fromhex("60016000a000")
"""Code that logs a byte."""
COUNTER = bytes.fromhex("5f546001015f555f5fa000")
"""Code that counts its calls, and logs each."""
FILLER = bytes.fromhex("610bb85b805f5fa16001900380600357")
"""Code that logs 3,000 topics, so that the block's bloom may hold anything."""
REFUSER = bytes.fromhex("60006000fd")
"""Code that reverts."""


def create(l1: L1, code: bytes) -> bytes:
    """A contract with this code; its address."""
    size = f"{len(code):02x}"
    contract = l1.transact(None, bytes.fromhex(f"60{size}600c60003960{size}6000f3") + code).contract
    assert contract is not None
    return contract


def lacks_of(node: Node) -> set[str]:
    return {ability.name for ability in find_lacks(node, CARRIES_BLOBS)}


def test_a_node_that_can_everything_lacks_nothing(anvil: Anvil) -> None:
    assert lacks_of(Node(anvil.url)) == set()


@pytest.mark.xdist_group("blobs")  # the trusted setup takes seconds to load
def test_what_is_offered_carries_a_true_blob_and_words_of_the_first_look_alone_decide_nothing(
    blob_anvil: Anvil,
) -> None:
    assert Sidecar.of([bytes(BLOB_BYTES)]) == NO_DATA

    def differ(asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        if asked.method == "eth_sendRawTransaction" and "chain id" in answer["error"]["message"]:
            answer["error"]["message"] += asked.params[0][:4]
        return answer

    with FaultyNode(blob_anvil.url, differ) as node:
        assert CARRIES_BLOBS.is_had_by(Node(node.url, timeout=60.0))  # for its first blob it computes for long
        assert node.asked["eth_sendRawTransaction"] == 4


@pytest.mark.parametrize("name", [ability.name for ability in (*ABILITIES, CARRIES_BLOBS)])
def test_what_is_lacking_is_found_and_nothing_else(anvil: Anvil, name: str) -> None:
    with FaultyNode(anvil.url, faults.LACKS[name]) as node:
        assert lacks_of(Node(node.url)) == {name}


def test_of_several_endpoints_one_is_enough_to_read_and_all_are_needed_to_send(anvil: Anvil) -> None:
    l1 = anvil.connect(0)
    contract = create(l1, LOGGER)
    block = anvil.l1.block(l1.transact(contract).block_number)
    with FaultyNode(anvil.url, *faults.LACKS.values()) as faulty:
        node = Node([faulty.url, anvil.url])
        assert lacks_of(node) == {REFUSING_ESTIMATES.name, CARRIES_BLOBS.name}
        assert len(BlockLogs(node, [contract]).read(block)) == 1
        assert faulty.asked["eth_getTransactionReceipt"] == 0


def test_it_is_found_out_once_and_told(anvil: Anvil, caplog: pytest.LogCaptureFixture) -> None:
    with FaultyNode(anvil.url, *faults.LACKS.values()) as faulty:
        node = Node(faulty.url)
        tell_lacks(node)
        assert [ability.lack for ability in ABILITIES if f"no {ability.name}: {ability.lack}" not in caplog.text] == []
        asked = faulty.asked.total()
        tell_lacks(node)
        assert node.next_block() == "latest"
        assert faulty.asked.total() == asked


def test_a_node_that_is_silent_or_busy_is_said_to_lack_nothing(anvil: Anvil, caplog: pytest.LogCaptureFixture) -> None:
    with FaultyNode(anvil.url, faults.Reset()) as faulty:
        node = Node(faulty.url, patience=0.3)
        with pytest.raises(ChainError, match="rpc_unreachable"):
            REFUSING_ESTIMATES.is_had_by(node)
        tell_lacks(node)
        assert node.learnt == {} and "not known yet" in caplog.text
        methods = ("eth_getBlockReceipts", "eth_estimateGas", "eth_getBlockByNumber")
        faulty.faults = [faults.Times(faults.RateLimit("unheard of"), TRIES - 1, (method,)) for method in methods]
        assert [ability.name for ability in find_lacks(node)] == []


def test_what_would_revert_is_not_sent_where_estimates_refuse_nothing(anvil: Anvil) -> None:
    contract = create(anvil.connect(0), REFUSER)
    with FaultyNode(anvil.url, faults.EstimatesAnything()) as faulty:
        l1 = L1(faulty.url, dev_keys()[1])
        for to, data in ((contract, b""), (None, REFUSER)):
            with pytest.raises(Reverted):
                l1.send(to, data)
        assert faulty.asked["eth_sendRawTransaction"] == l1.sender.pending == 0
        assert l1.transact(anvil.connect(0).address, value=1).succeeded


def test_calls_are_tried_on_the_latest_block_where_no_pending_one_is_shown(anvil: Anvil) -> None:
    contract = create(anvil.connect(0), LOGGER)
    with FaultyNode(anvil.url, faults.NoPending()) as faulty:
        l1 = L1(faulty.url, dev_keys()[1])
        assert l1.dry_run(contract, b"") == b""
        assert l1.now() >= l1.head().timestamp and not PENDING.is_had_by(l1)
        asked = faulty.asked["eth_getBlockByNumber"]
        for _ in range(5):
            l1.dry_run(contract, b"")
        assert faulty.asked["eth_getBlockByNumber"] == asked


@pytest.mark.parametrize("answers_null", [True, False])
def test_events_are_proven_by_single_receipts_where_a_block_has_none_of_its_own(
    anvil: Anvil, answers_null: bool
) -> None:
    l1 = anvil.connect(0)
    contract = create(l1, LOGGER)
    blocks = [anvil.l1.block(l1.transact(contract).block_number) for _ in range(4)]
    with FaultyNode(anvil.url, faults.NoMethod("eth_getBlockReceipts", answers_null)) as faulty:
        logs = BlockLogs(Node(faulty.url, patience=2.0), [contract])
        found = [entry for block in blocks for entry in logs.read(block)]
        assert found == [entry for block in blocks for entry in BlockLogs(anvil.l1, [contract]).read(block)]
        assert len(found) == 4 and not BLOCK_RECEIPTS.is_had_by(logs.node)
        assert faulty.asked["eth_getBlockReceipts"] <= TRIES
        faulty.faults = [*faulty.faults, faults.Null()]
        with pytest.raises(ChainError, match="rpc_unreachable"):
            logs.read(blocks[0])


@pytest.mark.parametrize("lacks", [[], [faults.NoMethod("eth_getProof")]], ids=["proofs", "no proofs"])
def test_a_full_block_is_passed_over_by_proof_or_read_whole(anvil: Anvil, lacks: list[Fault]) -> None:
    l1 = anvil.connect(0)
    counter, filler = create(l1, COUNTER), create(l1, FILLER)

    def make_block(call: bytes) -> Block:
        anvil.l1.request("evm_setAutomine", False)
        for to in [call, *[l1.address] * CROWDED]:
            l1.send(to)
        anvil.mine()
        return anvil.l1.head()

    with FaultyNode(anvil.url, *lacks) as faulty:
        logs = BlockLogs(Node(faulty.url), [counter])
        block = make_block(filler)
        assert len(block.transactions) > CROWDED and may_hold(block.bloom, counter)
        assert logs.read(block) == []
        assert bool(faulty.asked["eth_getBlockReceipts"]) == bool(lacks)
        assert [entry.address for entry in logs.read(make_block(counter))] == [counter]
