"""What nodes refuse, and how: reads come through in the end, contracts' words come through at once."""

import contextlib
import time

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.answers import Lacking, Malformed, take_log, take_receipt, take_transaction
from setoff.shared.l1.block_receipts import read_receipts
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Refused, Reverted, read_refusal
from setoff.shared.l1.headers import take_block
from setoff.shared.l1.rpc import Node

LOGGER = bytes.fromhex("60006000a000")
"""Code that logs nothing, without topics."""


def make_events(anvil: Anvil, count: int) -> bytes:
    """A contract with an event in each of so many blocks; its address."""
    l1 = anvil.connect(0)
    creation = bytes.fromhex("6006600c60003960066000f3") + LOGGER
    contract = l1.transact(None, creation).contract
    assert contract is not None
    for _ in range(count):
        l1.transact(contract)
    return contract


@pytest.mark.parametrize("wording", faults.RANGE_LIMITS)
def test_log_queries_are_narrowed_whatever_refuses_them(anvil: Anvil, wording: str) -> None:
    contract = make_events(anvil, 3)
    anvil.mine(300)
    with FaultyNode(anvil.url, faults.RangeLimit(100, wording)) as node:
        assert len(Node(node.url).logs([contract], 0, 300)) == 3
        assert node.asked["eth_getLogs"] < 20


def test_a_node_that_gives_logs_of_single_blocks_only_is_enough(anvil: Anvil) -> None:
    contract = make_events(anvil, 3)
    with FaultyNode(anvil.url, faults.RangeLimit(1, "closed")) as node:
        assert len(Node(node.url).logs([contract], 0, anvil.l1.head().number)) == 3


def test_logs_are_filtered_here_too(anvil: Anvil) -> None:
    first, second = make_events(anvil, 2), make_events(anvil, 1)
    with FaultyNode(anvil.url, faults.FirstTopicOnly()) as node:
        found = Node(node.url).logs([second], 0, anvil.l1.head().number)
        assert [entry.address for entry in found] == [second] != [first]


@pytest.mark.parametrize("wording", faults.RATE_LIMITS)
def test_reads_outlast_rate_limits(anvil: Anvil, wording: str) -> None:
    contract = make_events(anvil, 1)
    with FaultyNode(anvil.url, faults.Balanced(faults.RateLimit(wording), 2)) as node:
        reader = Node(node.url, chain_id=CHAIN_ID)
        reader.check_chain()
        for _ in range(3):
            assert reader.code(contract) == LOGGER
            assert reader.call(contract, b"") == b""
            assert reader.block(1).number == 1


def test_a_refusal_that_lasts_is_told_in_the_nodes_own_words(anvil: Anvil) -> None:
    with FaultyNode(anvil.url, faults.RateLimit("unheard of")) as node:
        hasty = Node(node.url, patience=0.3)
        with pytest.raises(ChainError, match="slow down, friend"):
            hasty.head()
        with pytest.raises(Refused, match="slow down, friend") as refusal:
            Node(node.url).call(bytes(20), b"")
        assert refusal.value.reason == "rpc_refused" and not isinstance(refusal.value, Reverted)
        node.faults = [faults.RateLimit("429")]
        with pytest.raises(ChainError, match=r"429.*Too Many Requests"):
            hasty.head()


def test_a_contracts_reason_in_an_http_error_comes_through(anvil: Anvil) -> None:
    data = "0x08c379a0" + "20".rjust(64, "0") + "09".rjust(64, "0") + b"too_small".hex().ljust(64, "0")

    def refuse(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
        raise faults.HttpAnswer(400, asked.refuse(3, "execution reverted", data))

    with FaultyNode(anvil.url, refuse) as node, pytest.raises(Reverted) as refusal:
        Node(node.url).call(bytes(20), b"")
    assert refusal.value.reason == "too_small"


@pytest.mark.parametrize("result", [5, "0x", [], {}, "text", True, {"number": "0x1"}, [None]])
def test_malformed_answers_are_a_chain_error(anvil: Anvil, result: object) -> None:
    with FaultyNode(anvil.url, faults.Malformed(result)) as node:
        hasty = Node(node.url, patience=0.0)
        with pytest.raises(ChainError, match="malformed"):
            hasty.head()
        with pytest.raises(ChainError, match="malformed"):
            hasty.balance(bytes(20))
        for ask in (hasty.receipt, hasty.find_transaction):
            with pytest.raises(ChainError, match="malformed"):
                ask(bytes(32))
        if result != []:
            with pytest.raises(ChainError, match="malformed"):
                hasty.logs([bytes(20)], 0, 0)


def test_no_shape_ends_in_another_error(anvil: Anvil) -> None:
    """Each field of a real answer made wrong in each way: what reads them says so, and nothing else."""
    l1 = anvil.connect(0)
    sent = "0x" + l1.transact(bytes(20), value=1).transaction.hex()
    make_events(anvil, 1)
    log = l1.request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})[0]
    for take, answer in (
        (take_block, l1.request("eth_getBlockByNumber", "latest", False)),
        (take_receipt, l1.request("eth_getTransactionReceipt", sent)),
        (take_transaction, l1.request("eth_getTransactionByHash", sent)),
        (take_log, log),
    ):
        take(answer)
        for name in answer:
            for wrong in (5, -1, None, True, "", "0x", "0xzz", "0x123", [], {}, [5], 1.5, "0x" + "f" * 80):
                with contextlib.suppress(Malformed, Lacking):
                    take({**answer, name: wrong})


def test_what_no_decoder_can_read_is_a_malformed_answer(anvil: Anvil) -> None:
    """A library's own error, of whatever kind, ends nobody: another endpoint is asked."""

    def take(value: object) -> object:
        raise KeyError(value)

    with pytest.raises(ChainError, match=r"malformed.*KeyError"):
        Node(anvil.url, patience=0.0).ask("eth_blockNumber", take=take)
    anvil.connect(0).transact(bytes(20), value=1)
    head = anvil.l1.head()

    def tell_of_another_kind(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
        answer = go_on(asked)
        for receipt in answer["result"] if asked.method == "eth_getBlockReceipts" else ():
            receipt["type"] = "0x100"
        return answer

    with FaultyNode(anvil.url, tell_of_another_kind) as node:
        assert len(read_receipts(Node([node.url, anvil.url]), head)) == 1
        with pytest.raises(ChainError, match="no type"):
            read_receipts(Node(node.url, patience=0.0), head)


@pytest.mark.parametrize("code", [None, "429", [], {}, 1.5, True])
@pytest.mark.parametrize("message", [None, 5, [], {}])
@pytest.mark.parametrize("data", [None, 5, [], {"data": []}, "0xzz", "0x08c379a0", "0x4e487b71"])
def test_no_shape_of_a_refusal_ends_in_another_error(code: object, message: object, data: object) -> None:
    assert read_refusal({"code": code, "message": message, "data": data}).reason


def test_null_is_waited_for_and_never_a_value(anvil: Anvil) -> None:
    with FaultyNode(anvil.url, faults.Times(faults.Null(), 3, faults.BLOCK_NULLS)) as node:
        assert Node(node.url).block(0).number == 0
    with FaultyNode(anvil.url, faults.Null()) as node, pytest.raises(ChainError, match="null"):
        Node(node.url, patience=0.2).block(0)


def test_old_transactions_without_an_index_are_read_from_their_block(anvil: Anvil) -> None:
    l1 = anvil.connect(0)
    receipt = l1.transact(bytes(20), b"\1\2", value=1)
    anvil.mine(10)
    with FaultyNode(anvil.url, faults.Unindexed(5)) as node:
        reader = Node(node.url)
        assert reader.find_transaction(receipt.transaction) is None
        found = reader.transaction_in(receipt.transaction, receipt.block_hash)
        assert (found.input, found.sender) == (b"\1\2", l1.address)


def test_another_endpoint_answers_where_one_does_not(anvil: Anvil) -> None:
    with FaultyNode(anvil.url, faults.Reset()) as dead, FaultyNode(anvil.url) as alive:
        reader = L1(f"{dead.url}, {alive.url}", chain_id=CHAIN_ID)
        began = time.monotonic()
        for _ in range(5):
            assert reader.head().number == 0
        assert time.monotonic() - began < 5 and alive.asked["eth_getBlockByNumber"] == 5
        dead.faults, alive.faults = (), [faults.Null()]
        assert reader.block(0).number == 0


def test_addresses_that_cannot_work_are_refused(anvil: Anvil) -> None:
    for url in ("ws://127.0.0.1:8545", "127.0.0.1:8545", f"{anvil.url},", f"{anvil.url},ws://there", ""):
        with pytest.raises(ConfigError):
            L1(url)
