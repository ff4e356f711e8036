"""What a contract holds is read with proof, at the places that the compiler says."""

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.proven import Proven
from setoff.shared.l1.rpc import Node
from setoff.shared.l1.storage import SLOTS, Fact, find_difference, load_layout, prove, read_slots
from setoff.shared.l1.survey import LEAST_DEPTH, find_agreed

INBOX = load_layout("inbox")


def forget(number: int) -> None:
    """Of no block is the hash known."""


def test_slots_are_where_the_contracts_have_them(exchange: Exchange) -> None:
    exchange.deposit(1, 1000)
    exchange.deposit(1, 1000)
    exchange.post(0, 1)
    exchange.post(1, 0)
    l1, queue = exchange.operator, load_layout("queue")
    reader, head = ChainReader(l1, exchange.deployment), l1.head()
    inbox_address, queue_address = (
        bytes.fromhex(address[2:]) for address in (exchange.deployment.inbox, exchange.deployment.queue)
    )
    slots = [INBOX.slot("count"), *(INBOX.slot("batch_hash", number) for number in range(3))]
    hashes = [int.from_bytes(reader.batch_hash(number), "big") for number in range(2)]
    assert prove(l1, inbox_address, head, slots=slots).values == (2, *hashes, 0)
    slots = [queue.slot("count"), *(queue.slot("queue_hash", index) for index in range(3))]
    hashes = [int.from_bytes(reader.queue_hash_at(index), "big") for index in range(3)]
    assert prove(l1, queue_address, head, slots=slots).values == (2, *hashes)


def test_the_first_difference_is_told_and_many_slots_are_asked_for_at_once(
    exchange: Exchange, node: FaultyNode
) -> None:
    exchange.post(0, 0)
    l1, address = Node(node.url), bytes.fromhex(exchange.deployment.inbox[2:])
    facts = [Fact(INBOX.slot("batch_hash", number), 0, f"batch {number}") for number in range(1, 3 * SLOTS + 1)]
    assert find_difference(l1, address, l1.head(), facts) == ""
    assert node.asked["eth_getProof"] == 1 + 3, "once to find out whether it can"
    facts += [Fact(INBOX.slot("count"), 7, "the number of batches"), Fact(INBOX.slot("timestamp"), 0, "the time")]
    assert find_difference(l1, address, l1.head(), facts) == "the number of batches is 1 on L1, and 7 by what was shown"


def test_a_proof_of_another_state_is_none(exchange: Exchange, node: FaultyNode) -> None:
    address, before = bytes.fromhex(exchange.deployment.inbox[2:]), exchange.operator.head().number
    exchange.post(0, 0)
    l1 = Node(node.url, patience=0.3)
    assert read_slots(l1, address, l1.head(), [INBOX.slot("count")]) == [1]
    node.faults = [lambda asked, go_on: go_on(
        asked.ask(*asked.params[:2], hex(before)) if asked.method == "eth_getProof" else asked
    )]  # fmt: skip
    with pytest.raises(ChainError, match="does not lead to the block's root"):
        read_slots(l1, address, l1.head(), [INBOX.slot("count")])


def test_without_proofs_the_storage_is_taken_on_the_nodes_word(exchange: Exchange, node: FaultyNode) -> None:
    exchange.post(0, 0)
    node.faults = [faults.NoMethod("eth_getProof")]
    l1 = Node(node.url)
    assert read_slots(l1, bytes.fromhex(exchange.deployment.inbox[2:]), l1.head(), [INBOX.slot("count")]) == [1]


def test_what_is_proven_is_proven_by_a_block_that_most_endpoints_have(anvil: Anvil) -> None:
    anvil.mine(10)
    with Anvil() as fork, FaultyNode(anvil.url) as second, FaultyNode(anvil.url) as third:
        fork.advance(1000)
        fork.mine(9)
        node = Node([anvil.url, second.url, third.url])
        head = node.head()
        assert find_agreed(node, head, forget, 32) == head
        second.faults = [faults.Lagging(2)]
        assert find_agreed(node, head, forget, 32).number == head.number - 2, "all have that one"
        assert find_agreed(node, head, forget, 4) == head, "who is far behind has no vote"
        third.faults = [faults.Lagging(2)]
        agreed = find_agreed(node, head, forget, 4)
        assert agreed.number == head.number - LEAST_DEPTH, "who is alone ahead is not most, however near"
        third.faults = []
        second.faults = [faults.Elsewhere(second, fork.url)]
        agreed = find_agreed(node, head, forget, 32)
        assert agreed == anvil.l1.block(head.number - LEAST_DEPTH)
        with pytest.raises(ChainError, match="have another block 7"):
            find_agreed(node, head, lambda number: keccak(b"another"), 32)
        third.faults = [faults.Reset()]
        with pytest.raises(ChainError, match="no majority for block 7"):
            find_agreed(node, head, forget, 32)


def test_a_contract_is_gone_only_if_that_is_proven(exchange: Exchange, node: FaultyNode) -> None:
    """Not because a backend says that there is no code; where there never was one the deployment is wrong."""
    inbox, nobody = bytes.fromhex(exchange.deployment.inbox[2:]), b"\1" * 20
    node.faults = [lambda asked, go_on: {"result": "0x"} if asked.method == "eth_getCode" else go_on(asked)]
    proven = Proven(Node(node.url))
    assert proven.read(inbox, [INBOX.slot("count")]) == [0]
    with pytest.raises(ChainError, match="wrong_deployment: there is no contract at 0x0101"):
        proven.read(nobody, [0])


def test_a_block_before_the_contract_tells_nothing_of_it(exchange: Exchange, node: FaultyNode) -> None:
    """As the head of a branch would, that a backend is on for a moment."""
    inbox, l1 = bytes.fromhex(exchange.deployment.inbox[2:]), Node(node.url)
    with pytest.raises(ChainError, match="rpc_unreachable: block 0 is of a branch without"):
        Proven(l1).read(inbox, [INBOX.slot("count")], l1.block(0))
