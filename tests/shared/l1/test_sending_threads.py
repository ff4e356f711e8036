"""Threads that send for one account: while one waits to send again what was refused, the others go on."""

import time
from collections.abc import Callable
from threading import Thread
from types import SimpleNamespace

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.errors import ChainError
from setoff.shared.l1 import sender
from setoff.shared.l1.connection import L1

REFUSED, OTHER = (b"\xaa" + bytes([number] * 19) for number in (1, 2))
"""Receivers of transfers."""


def refuse(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
    """What pays the first receiver, in words that nobody has heard."""
    is_refused = asked.method == "eth_sendRawTransaction" and REFUSED.hex() in asked.params[0]
    return asked.refuse(-32000, "computer says no") if is_refused else go_on(asked)


def connect(node: FaultyNode) -> L1:
    return L1(node.url, dev_keys()[3], chain_id=CHAIN_ID, patience=5.0)


def meanwhile(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> list[float]:
    """Another thread does it to its end, whenever the sender pauses for the first time; the pauses that follow."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            other = Thread(target=action, daemon=True)
            other.start()
            other.join(20)
            assert not other.is_alive(), "the sender is locked while it pauses"

    monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    return pauses


def test_while_one_waits_to_send_again_others_send_and_look(
    anvil: Anvil, node: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    l1, sent = connect(node), []

    def act() -> None:
        sent.append(l1.send(OTHER, value=2, gas=21_000))
        l1.tend()
        l1.sender.look(sent[0])
        node.faults = []

    node.faults = [refuse]
    pauses = meanwhile(monkeypatch, act)
    first = l1.send(REFUSED, value=1, gas=21_000)
    assert pauses[0] == sender.PAUSES[0] and len(pauses) == 1
    assert all(l1.wait(each).succeeded for each in (first, *sent))
    assert [anvil.l1.balance(receiver) for receiver in (REFUSED, OTHER)] == [1, 2]
    assert anvil.l1.transaction_count(l1.address) == 2


def test_what_is_refused_for_good_leaves_no_gap_before_what_another_thread_has_sent(
    anvil: Anvil, node: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    l1, sent = connect(node), []
    node.faults = [refuse]
    pauses = meanwhile(monkeypatch, lambda: sent.append(l1.send(OTHER, value=2, gas=21_000)))
    with pytest.raises(ChainError, match="computer says no"):
        l1.send(REFUSED, value=1, gas=21_000)
    assert pauses == list(sender.PAUSES), "each pause once, however often the bid is raised"
    assert l1.wait(sent[0]).succeeded
    assert [anvil.l1.balance(receiver) for receiver in (REFUSED, OTHER)] == [0, 2]
    assert anvil.l1.transaction_count(l1.address) == 2


def test_looking_after_them_never_pauses(anvil: Anvil, node: FaultyNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that the pool has lost and the node then refuses is left to the next round."""
    anvil.l1.request("evm_setAutomine", False)
    l1 = connect(node)
    sent = l1.send(REFUSED, value=1, gas=21_000)
    anvil.l1.request("anvil_dropAllTransactions")
    pauses = meanwhile(monkeypatch, lambda: None)
    monkeypatch.setattr(sender, "PAUSES", (4.0,))
    node.faults = [refuse]
    l1.tend()
    l1.tend()
    assert not pauses and node.asked["eth_sendRawTransaction"] == 2, "sent again once, then let alone for a while"
    node.faults = []
    anvil.l1.request("evm_setAutomine", True)
    monkeypatch.undo()
    assert l1.wait(sent).succeeded
