"""What a trader does on L1: what has moved money never looks as if it had not."""

from typing import Any

import pytest
from tests.support.chains.exchange import Exchange, call_data
from tests.support.nodes.faulty_node import FaultyNode, Next, Question

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.codec import records, signatures
from setoff.shared.errors import ChainError, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.params import DEVNET
from setoff.shared.sdk.vault import Vault

TRADER = 7


@pytest.fixture
def vault(anvil: Anvil, node: FaultyNode) -> Vault:
    """Of somebody with tokens, behind `node`."""
    exchange = Exchange(anvil, DEVNET)
    trader = L1(node.url, dev_keys()[TRADER], chain_id=CHAIN_ID, patience=1.0)
    transfer = call_data("transfer(address,uint256)", trader.address, 1_000)
    exchange.funder.transact(exchange.deployment.token, transfer)
    return Vault(trader, exchange.deployment)


def test_a_deposit_is_told_by_its_receipt(vault: Vault, node: FaultyNode) -> None:
    """Nothing is asked any more once it is there: a node that then fails does not make it a failure."""
    assert vault.deposit(100) == 1

    def fail_afterwards(asked: Question, go_on: Next) -> dict[str, Any]:
        is_there = node.asked["eth_sendRawTransaction"] >= 4
        return {"result": "0x"} if is_there and asked.method == "eth_call" else go_on(asked)

    node.faults = [fail_afterwards]
    assert vault.deposit(200) == 1
    node.faults = []
    assert vault.balance() == 700


def without_events(asked: Question, go_on: Next) -> dict[str, Any]:
    """As on another chain: there the same transaction goes to an address without a contract, and succeeds."""
    answer = go_on(asked)
    if asked.method == "eth_getTransactionReceipt" and answer.get("result"):
        answer["result"] |= {"logs": [], "logsBloom": "0x" + "00" * 256}
    return answer


def test_a_receipt_of_another_chain_is_no_deposit_and_no_reason_to_pay_twice(vault: Vault, node: FaultyNode) -> None:
    node.faults = [without_events]
    with pytest.raises(ChainError, match="of a chain without this contract") as told:
        vault.deposit(100)
    assert told.value.reason == "pending"
    node.faults = []
    sent = str(told.value.numbers["transaction"])
    assert vault.follow_deposit(bytes.fromhex(sent.removeprefix("0x"))) == (1, 0)
    assert vault.balance() == 900


def test_a_deposit_that_is_in_no_block_is_followed_and_not_made_again(vault: Vault, anvil: Anvil) -> None:
    vault._token.transact("approve", vault._vault.address, 100)
    anvil.l1.request("evm_setAutomine", False)
    sent = vault.send_deposit(100)
    with pytest.raises(ChainError) as told:
        vault.follow_deposit(sent, timeout=0.1)
    assert (told.value.reason, told.value.numbers) == ("pending", {"transaction": f"0x{sent.hex()}"})
    anvil.mine()
    assert vault.follow_deposit(sent) == (1, 0)


def test_what_is_forced_on_another_chain_is_not_queued(vault: Vault, node: FaultyNode) -> None:
    node.faults = [without_events]
    with pytest.raises(ChainError, match="of a chain without this contract") as told:
        vault.force(bytes([records.CANCEL]) + bytes(123))
    assert told.value.reason == "pending"


def test_a_deposit_that_cannot_be_paid_says_what_is_there_and_what_it_takes(vault: Vault, anvil: Anvil) -> None:
    with pytest.raises(
        InputError, match=r"has 0.001 tUSD, and 0.0015 tUSD are to be deposited: 0.0005 tUSD too little"
    ):
        vault.deposit(1_500)
    anvil.l1.request("anvil_setBalance", "0x" + signatures.address_of(dev_keys()[TRADER]).hex(), "0x5")
    with pytest.raises(ChainError, match=r"has 0.000000001 ETH, and the transaction may take 0.\d+ ETH for gas: 0"):
        vault.deposit(100)
