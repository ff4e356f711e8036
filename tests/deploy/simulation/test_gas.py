"""Gas by kind of transaction, read back from the chain."""

from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.simulation.demo.gas import read_gas
from setoff.shared.l1.connection import L1


def test_is_the_same_where_receipts_come_one_by_one(exchange: Exchange) -> None:
    exchange.deposit(1, 10**9)
    exchange.post(0, 1)
    gas = read_gas(exchange.anvil.l1, exchange.deployment)
    by_kind = {item.kind: item for item in gas}
    assert by_kind["inbox.post"].count == by_kind["vault.deposit_for"].count == 1
    assert by_kind["inbox.post"].failed == 0 < by_kind["inbox.post"].least
    with FaultyNode(exchange.anvil.url, faults.NoMethod("eth_getBlockReceipts")) as node:
        assert read_gas(L1(node.url), exchange.deployment) == gas
