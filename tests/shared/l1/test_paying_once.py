"""What was sent and may be executed is not sent again: not by the sender, and not by who is told that it failed."""

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import Answer, FaultyNode, Hangup, Next, Question
from tests.support.nodes.other_chains import OnAnother

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.rpc import to_hex
from setoff.shared.l1.sender import CONFIRMATIONS

SEND = "eth_sendRawTransaction"
KEY = dev_keys()[3]
RECEIVER, ANOTHER = b"\xaa" * 20, b"\xbb" * 20


def connect(*nodes: FaultyNode) -> L1:
    return L1([node.url for node in nodes], KEY, chain_id=CHAIN_ID, patience=2.0)


def begin_with_its_nonce_used(upstream: str) -> Anvil:
    """A chain of the same number, on which the account has sent something else; where the receiver takes nothing."""
    other = Anvil(options=("--timestamp", "1600000000"))
    other.mine(2 * CONFIRMATIONS)
    other.l1.request("anvil_setCode", to_hex(RECEIVER), "0x60006000fd")
    L1(other.url, KEY).transact(ANOTHER, value=1)
    other.mine(2 * CONFIRMATIONS)
    return other


class TakesAndIsAway:
    """What is sent is taken, and then the node is away for so many questions."""

    def __init__(self, questions: int) -> None:
        self.left = 0
        self._questions, self._has_taken = questions, False

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method == SEND and not self._has_taken:
            self._has_taken, self.left = True, self._questions
            go_on(asked)
            raise Hangup
        if self.left:
            self.left -= 1
            raise Hangup
        return go_on(asked)


@pytest.mark.parametrize("words", ["insufficient funds for gas * price + value", "computer says no"])
def test_what_one_node_may_have_is_not_given_up_for_the_word_of_another(
    anvil: Anvil, node: FaultyNode, words: str
) -> None:
    """The first takes it, and its answer is lost; the second refuses it."""
    node.faults = [away := TakesAndIsAway(1000)]
    refuses = lambda asked, go_on: asked.refuse(-32000, words) if asked.method == SEND else go_on(asked)  # noqa: E731
    with FaultyNode(anvil.url, refuses, faults.HiddenPool()) as second:
        l1 = connect(node, second)
        sent = l1.send(RECEIVER, value=1, gas=21_000)
        away.left = 0
        assert l1.wait(sent, 10).succeeded
        l1.transact(ANOTHER, value=1, gas=21_000)
    assert (anvil.l1.balance(RECEIVER), anvil.l1.balance(ANOTHER)) == (1, 1)


def test_what_one_node_may_have_gets_no_other_nonce_because_another_chain_has_used_it(
    anvil: Anvil, node: FaultyNode
) -> None:
    node.faults = [away := TakesAndIsAway(40)]
    with FaultyNode(anvil.url) as second:
        second.faults = [OnAnother(second, begin_with_its_nonce_used)]
        l1 = connect(node, second)
        sent = l1.send(RECEIVER, value=1, gas=21_000)
        away.left = 0
        assert l1.wait(sent, 10).succeeded
        for _ in range(3):
            l1.tend()
    assert anvil.l1.balance(RECEIVER) == 1 == anvil.l1.transaction_count(l1.address)


def test_that_another_chain_has_used_its_nonce_is_no_reason_to_pay_again(anvil: Anvil, node: FaultyNode) -> None:
    anvil.l1.request("evm_setAutomine", False)
    l1 = connect(node)
    sent = l1.send(RECEIVER, value=1, gas=21_000)
    node.faults = [OnAnother(node, begin_with_its_nonce_used)]
    with pytest.raises(ChainError, match="which may not stay") as told:
        l1.wait(sent, 0.5)
    assert told.value.reason == "pending" and told.value.numbers == {"transaction": f"0x{sent.hex()}"}
    node.faults = []
    anvil.mine()
    assert l1.wait(sent, 10).succeeded


def test_that_it_failed_on_another_chain_is_no_reason_to_pay_again(anvil: Anvil, node: FaultyNode) -> None:
    anvil.l1.request("evm_setAutomine", False)
    l1 = connect(node)
    sent = l1.send(RECEIVER, value=1, gas=21_000)
    elsewhere = OnAnother(node, lambda upstream: Anvil(options=("--timestamp", "1600000000")))
    other = L1(elsewhere._url)
    other.request("anvil_setCode", to_hex(RECEIVER), "0x60006000fd")
    other.request(SEND, to_hex(l1.sender._kept[0].raw))
    node.faults = [elsewhere]
    with pytest.raises(ChainError, match="failed in block 1 of another chain") as told:
        l1.wait(sent, 0.5)
    assert told.value.reason == "pending"
    node.faults = []
    anvil.mine()
    assert l1.wait(sent, 10).succeeded


def test_that_another_transaction_has_its_nonce_is_for_good_once_it_is_deep(anvil: Anvil, node: FaultyNode) -> None:
    anvil.l1.request("evm_setAutomine", False)
    first, restarted = connect(node), connect(node)
    lost = first.send(RECEIVER, value=1, gas=21_000)
    anvil.l1.request("anvil_dropAllTransactions")
    sent = restarted.send(ANOTHER, value=1, gas=21_000)
    anvil.mine()
    assert restarted.wait(sent).succeeded
    with pytest.raises(ChainError, match="which may not stay"):
        first.wait(lost, 0.3)
    anvil.mine(CONFIRMATIONS)
    with pytest.raises(ChainError, match="another transaction took the nonce") as told:
        first.wait(lost)
    assert told.value.reason == "transaction_reverted"


def test_what_was_refused_in_words_that_nobody_knows_and_executed_is_not_sent_again(
    anvil: Anvil, node: FaultyNode
) -> None:
    """A node that takes it, says no, and shows nothing of its pool: whoever tries again is told what became of it."""
    anvil.l1.request("evm_setAutomine", False)

    def take_and_complain(asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        return asked.refuse(-32000, "computer says no") if asked.method == SEND else answer

    node.faults = [take_and_complain, faults.HiddenPool(), faults.NoPending()]
    l1 = connect(node)
    with pytest.raises(ChainError, match="computer says no") as told:
        l1.send(RECEIVER, value=1, gas=21_000)
    refused = str(told.value.numbers["transaction"])
    assert [(f"0x{sent.hash.hex()}", sent.state) for sent in l1.sender.list_sent()][-1] == (
        refused, "was refused, and a node may hold it")  # fmt: skip
    anvil.mine()
    node.faults = [faults.Times(faults.Malformed("0x0"), 1, ["eth_getTransactionCount"])]  # a backend that is behind
    with pytest.raises(ChainError, match="was executed, though it had been refused") as told:
        l1.send(RECEIVER, value=1, gas=21_000)
    assert told.value.reason == "pending" and anvil.l1.balance(RECEIVER) == 1
