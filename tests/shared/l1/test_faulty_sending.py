"""Sending through nodes that do not tell everything: nothing is executed twice, nothing done is said to have failed."""

import time

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange, call_data
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.sender import CONFIRMATIONS, Fees
from setoff.shared.l1.stored_bids import StoredBids


def connect(node: FaultyNode, fees: Fees | None = None) -> L1:
    return L1(node.url, dev_keys()[3], chain_id=CHAIN_ID, patience=5.0, fees=fees)


def receiver(number: int) -> bytes:
    return b"\xaa" + number.to_bytes(19, "big")


def but_sending(fault: faults.Fault) -> faults.Fault:
    """The fault for reads alone."""
    return lambda asked, go_on: go_on(asked) if asked.method == "eth_sendRawTransaction" else fault(asked, go_on)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_transfer_is_executed_twice_where_half_of_the_reads_are_stale(
    anvil: Anvil, node: FaultyNode, seed: int
) -> None:
    """Each to an address of its own, one after the other, through two backends two blocks apart."""
    anvil.mine(5)
    node.faults = [but_sending(faults.Flaky(faults.Lagging(2), 0.5, seed))]
    l1, count = connect(node), 12
    for number in range(count):
        sent = l1.send(receiver(number), value=1, gas=21_000)
        anvil.mine(3)
        assert l1.wait(sent, 20).succeeded
    assert [anvil.l1.balance(receiver(number)) for number in range(count)] == [1] * count
    assert anvil.l1.transaction_count(l1.address) == count


def test_a_transfer_whose_answer_was_lost_is_not_sent_twice(anvil: Anvil, node: FaultyNode) -> None:
    def lose(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
        go_on(asked)
        raise faults.Hangup

    node.faults = [faults.Times(lose, 1, ["eth_sendRawTransaction"])]
    l1 = connect(node)
    assert l1.transact(receiver(0), value=1).succeeded
    assert l1.transact(receiver(0), value=1).succeeded
    assert anvil.l1.balance(receiver(0)) == 2 == anvil.l1.transaction_count(l1.address)


def test_a_count_of_nonces_that_is_behind_costs_a_try(anvil: Anvil, node: FaultyNode) -> None:
    """At a start: the first nonce tried is used already, by a transaction that a block has."""
    l1 = connect(node)
    for _ in range(3):
        l1.transact(receiver(0), value=1)
    node.faults = [faults.Times(faults.Malformed("0x1"), 1, ["eth_getTransactionCount"])]
    assert connect(node).transact(receiver(1), value=1).succeeded
    assert anvil.l1.balance(receiver(1)) == 1 and anvil.l1.transaction_count(l1.address) == 4


def test_a_false_nonce_too_low_skips_no_nonce(anvil: Anvil, node: FaultyNode) -> None:
    refuse = lambda asked, _: asked.refuse(-32000, "nonce too low")  # noqa: E731
    node.faults = [faults.Times(refuse, 3, ["eth_sendRawTransaction"])]
    l1 = connect(node, Fees(patience=0.5))
    assert l1.transact(receiver(0), value=1).succeeded
    assert anvil.l1.transaction_count(l1.address) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_backend_that_lags_does_not_refuse_what_the_last_transaction_made_possible(
    exchange: Exchange, node: FaultyNode, seed: int
) -> None:
    """An approval, and at once what needs it; half of the answers are of the block before."""
    l1, token, vault = connect(node), exchange.deployment.token, exchange.deployment.vault
    exchange.funder.transact(token, call_data("transfer(address,uint256)", l1.address, 10))
    exchange.anvil.mine(2)
    node.faults = [but_sending(faults.Flaky(faults.Lagging(1), 0.5, seed))]
    for amount in (1, 2, 3):
        assert l1.transact(token, call_data("approve(address,uint256)", vault, amount)).succeeded
        assert l1.transact(vault, call_data("deposit_for(address,uint256)", l1.address, amount)).succeeded
    held = exchange.operator.call(token, call_data("balanceOf(address)", vault))
    assert int.from_bytes(held, "big") == 6


def test_what_is_refused_though_all_is_seen_is_refused_once_more_and_said(exchange: Exchange, node: FaultyNode) -> None:
    l1, token, vault = connect(node), exchange.deployment.token, exchange.deployment.vault
    assert l1.transact(token, call_data("approve(address,uint256)", vault, 1)).succeeded
    node.asked.clear()
    with pytest.raises(Reverted, match="token_balance"):
        l1.transact(vault, call_data("deposit_for(address,uint256)", l1.address, 1))
    assert node.asked["eth_estimateGas"] == 2 and not node.asked["eth_sendRawTransaction"]


def test_late_receipts_are_waited_for(anvil: Anvil, node: FaultyNode) -> None:
    node.faults = [faults.LateReceipts(2.0)]
    began = time.monotonic()
    assert connect(node).transact(receiver(0), value=1).succeeded
    assert time.monotonic() - began >= 2


def test_a_hidden_pool_does_not_keep_a_bid_from_being_raised(anvil: Anvil, node: FaultyNode) -> None:
    anvil.l1.request("evm_setAutomine", False)
    node.faults = [faults.HiddenPool()]
    l1 = connect(node, Fees(patience=0.0))
    sent = l1.send(receiver(0), value=1, gas=21_000)
    l1.tend()
    l1.tend()
    anvil.mine()
    receipt = l1.wait(sent)
    assert receipt.succeeded and receipt.transaction != sent


def test_a_restarted_process_outbids_its_own_transaction(
    anvil: Anvil, node: FaultyNode, redis_server: RedisServer
) -> None:
    """After twelve raises, to fifteen times the market's price."""
    anvil.l1.request("evm_setAutomine", False)
    with redis_server.client() as redis:
        first = journaled(connect(node, Fees(patience=0.0)), redis)
        lost = first.send(receiver(0), value=1, gas=21_000)
        for _ in range(12):
            first.tend()
        restarted = journaled(connect(node), redis)
        sent = restarted.send(receiver(1), value=1, gas=21_000)
        anvil.mine()
        assert restarted.wait(sent).succeeded and node.asked["eth_sendRawTransaction"] == 14
        anvil.mine(CONFIRMATIONS)  # only then it is for good
        with pytest.raises(ChainError, match="another transaction took the nonce"):
            first.wait(lost)
    assert [anvil.l1.balance(receiver(number)) for number in range(2)] == [0, 1]


def test_a_replacement_is_found_without_a_journal_too(anvil: Anvil, node: FaultyNode) -> None:
    anvil.l1.request("evm_setAutomine", False)
    first = connect(node, Fees(patience=0.0))
    first.send(receiver(0), value=1, gas=21_000)
    for _ in range(12):
        first.tend()
    restarted = connect(node)
    sent = restarted.send(receiver(1), value=1, gas=21_000)
    anvil.mine()
    assert restarted.wait(sent).succeeded


def journaled(l1: L1, redis: Redis) -> L1:
    l1.sender.journal = StoredBids(redis, "test", l1.address)
    return l1


@pytest.mark.parametrize("words", ["already in the TxPool", "computer says no", "txpool is full"])
def test_unknown_words_are_held_against_the_chain(anvil: Anvil, node: FaultyNode, words: str) -> None:
    """Whether the node took it is asked of the node, not read from its words."""

    def take_and_complain(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
        go_on(asked)
        return asked.refuse(-32000, words)

    node.faults = [faults.Times(take_and_complain, 1, ["eth_sendRawTransaction"])]
    l1 = connect(node)
    assert l1.transact(receiver(0), value=1).succeeded
    assert anvil.l1.transaction_count(l1.address) == 1


def test_what_is_refused_for_good_is_told_in_the_nodes_words_and_leaves_no_gap(anvil: Anvil, node: FaultyNode) -> None:
    node.faults = [lambda asked, go_on: asked.refuse(-32000, "computer says no")
                   if asked.method == "eth_sendRawTransaction" else go_on(asked)]  # fmt: skip
    l1 = connect(node)
    with pytest.raises(ChainError, match="computer says no"):
        l1.send(receiver(0), value=1)
    node.faults = []
    assert l1.transact(receiver(0), value=1).succeeded
    wait_until(lambda: anvil.l1.balance(receiver(0)) == 1)
