"""The connection to L1 against a real anvil: reasons, nonces, fees, reorgs, a node that does not answer."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.nodes.faults import NoMethod, Times
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.waiting import wait_until
from vyper import compile_code

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.sender import CONFIRMATIONS, Fees

COUNTER = """
# pragma version 0.4.3
event Added:
    amount: uint256
total: public(uint256)
@external
def add(amount: uint256):
    assert amount > 0, "too_small"
    self.total += amount
    log Added(amount=amount)
@external
@view
def clock() -> uint256:
    return block.timestamp
"""


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def add(amount: int) -> bytes:
    return selector("add(uint256)") + amount.to_bytes(32, "big")


@pytest.fixture
def l1(anvil: Anvil) -> L1:
    return anvil.connect(0)


@pytest.fixture
def counter(l1: L1) -> bytes:
    contract = l1.transact(None, bytes.fromhex(compile_code(COUNTER)["bytecode"][2:])).contract
    assert contract is not None and l1.code(contract)
    return contract


def read_total(l1: L1, counter: bytes) -> int:
    return int.from_bytes(l1.call(counter, selector("total()")), "big")


def test_a_contracts_reason_comes_back_and_nothing_is_sent(l1: L1, counter: bytes) -> None:
    before = l1.transaction_count(l1.address)
    for attempt in (l1.send, l1.dry_run):
        with pytest.raises(Reverted) as refusal:
            attempt(counter, add(0))
        assert refusal.value.reason == "too_small"
    assert l1.transaction_count(l1.address) == before


def test_many_threads_share_one_accounts_nonces(l1: L1, counter: bytes) -> None:
    with ThreadPoolExecutor(8) as pool:
        hashes = list(pool.map(lambda amount: l1.send(counter, add(amount)), range(1, 41)))
    assert all(l1.wait(transaction).succeeded for transaction in hashes)
    assert read_total(l1, counter) == sum(range(1, 41))
    assert len(l1.logs([counter], 0, l1.head().number)) == 40


def test_a_transaction_that_a_reorg_drops_is_sent_again(anvil: Anvil, l1: L1, counter: bytes) -> None:
    transaction = l1.send(counter, add(5))
    l1.wait(transaction)
    l1.tend()
    anvil.l1.request("anvil_reorg", 1, [])
    assert l1.receipt(transaction) is None
    l1.tend()
    assert l1.wait(transaction).succeeded
    assert read_total(l1, counter) == 5


def test_a_transaction_that_the_pool_drops_is_sent_again(anvil: Anvil, l1: L1, counter: bytes) -> None:
    anvil.l1.request("evm_setAutomine", False)
    first, second = l1.send(counter, add(1)), l1.send(counter, add(2))
    anvil.l1.request("anvil_dropTransaction", "0x" + first.hex())
    l1.tend()
    anvil.mine()
    assert l1.wait(first).succeeded and l1.wait(second).succeeded
    assert read_total(l1, counter) == 3


def test_waiting_outlasts_a_node_that_is_away_for_a_while(anvil: Anvil, counter: bytes) -> None:
    patient = anvil.connect(0, patience=0.1, timeout=0.2)
    anvil.l1.request("evm_setAutomine", False)
    transaction = patient.send(counter, add(1))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient.wait, transaction)
        os.kill(anvil.process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(anvil.process.pid, signal.SIGCONT)
        anvil.mine()
        assert waiting.result(30).succeeded


def test_waiting_outlasts_a_node_that_refuses_what_it_is_asked(anvil: Anvil, node: FaultyNode, counter: bytes) -> None:
    """What it says is of the node: the transaction is on its way."""
    node.faults = [Times(NoMethod("eth_getTransactionReceipt"), 5, ["eth_getTransactionReceipt"])]
    l1 = L1(node.url, dev_keys()[0], chain_id=CHAIN_ID, patience=0.1)
    assert l1.wait(l1.send(counter, add(1), gas=100_000)).succeeded


def test_what_is_in_no_block_in_time_is_pending(anvil: Anvil, l1: L1, counter: bytes) -> None:
    anvil.l1.request("evm_setAutomine", False)
    sent = l1.send(counter, add(1))
    with pytest.raises(ChainError, match="is in no block yet") as told:
        l1.wait(sent, 0.1)
    assert (told.value.reason, told.value.numbers) == ("pending", {"transaction": f"0x{sent.hex()}"})
    anvil.mine()
    assert l1.wait(sent).succeeded


def test_a_stuck_transaction_is_sent_again_at_a_higher_fee(anvil: Anvil, counter: bytes) -> None:
    hasty = anvil.connect(0, fees=Fees(patience=0.0))
    anvil.l1.request("evm_setAutomine", False)
    transaction = hasty.send(counter, add(7))
    hasty.tend()
    anvil.mine()
    receipt = hasty.wait(transaction)
    assert receipt.succeeded and receipt.transaction != transaction
    assert read_total(hasty, counter) == 7


def test_a_restarted_process_replaces_what_it_left_in_the_pool(anvil: Anvil, l1: L1, counter: bytes) -> None:
    anvil.l1.request("evm_setAutomine", False)
    lost = l1.send(counter, add(1))
    restarted = anvil.connect(0)
    transaction = restarted.send(counter, add(2))
    anvil.mine()
    assert restarted.wait(transaction).succeeded
    assert read_total(l1, counter) == 2
    anvil.mine(CONFIRMATIONS)  # before that it may still be the other one that stays
    with pytest.raises(ChainError, match="another transaction took the nonce"):
        l1.wait(lost)
    anvil.l1.request("evm_setAutomine", True)
    assert l1.transact(counter, add(3)).succeeded


def test_fees_never_exceed_the_cap(anvil: Anvil, counter: bytes) -> None:
    careful = anvil.connect(0, fees=Fees(cap=10**9, least_tip=1, patience=0.0))
    anvil.l1.request("evm_setAutomine", False)
    anvil.l1.request("anvil_setNextBlockBaseFeePerGas", hex(10**10))
    transaction = careful.send(counter, add(1), gas=100_000)
    anvil.mine()
    careful.tend()
    assert careful.receipt(transaction) is None
    for _ in range(2):  # the node takes it only once it sees the lower fee
        anvil.l1.request("anvil_setNextBlockBaseFeePerGas", hex(10**8))
        anvil.mine()
        careful.tend()
    anvil.mine()
    assert careful.wait(transaction).gas_price <= 10**9


def test_a_refused_transaction_leaves_no_gap(l1: L1, counter: bytes) -> None:
    with pytest.raises(ChainError, match="funds"):
        l1.send(counter, value=10**30, gas=50_000)
    assert l1.transact(counter, add(1)).succeeded


def test_now_goes_on_between_blocks(anvil: Anvil, l1: L1, counter: bytes) -> None:
    anvil.advance(1000)
    anvil.l1.request("evm_increaseTime", hex(500))
    assert l1.now() >= l1.head().timestamp + 500
    seen = int.from_bytes(l1.dry_run(counter, selector("clock()")), "big")
    assert abs(seen - l1.now()) <= 1


def _wait_until_stopped(pid: int) -> None:
    """A signal reaches the threads of a process one by one."""
    tasks = Path(f"/proc/{pid}/task")
    wait_until(
        lambda: all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir())
    )


def test_a_node_that_hangs_or_is_gone_is_a_chain_error(anvil: Anvil) -> None:
    hasty = L1(anvil.url, patience=0.2, timeout=0.3)
    os.kill(anvil.process.pid, signal.SIGSTOP)
    try:
        _wait_until_stopped(anvil.process.pid)
        with pytest.raises(ChainError, match="rpc_unreachable"):
            hasty.head()
    finally:
        os.kill(anvil.process.pid, signal.SIGCONT)
    assert L1(anvil.url).head().number == 0
    anvil.stop()
    with pytest.raises(ChainError, match="rpc_unreachable"):
        hasty.head()


def test_a_wrong_chain_is_refused(anvil: Anvil) -> None:
    with pytest.raises(ConfigError, match="wrong_chain"):
        _ = L1(anvil.url, chain_id=1).chain_id
    with pytest.raises(ConfigError):
        L1("ftp://nowhere")
