"""What has a deadline is paid for above the usual cap, up to what would be lost, and so is all it waits for."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.l1 import sender
from setoff.shared.l1.sender import Fees
from setoff.shared.params import GWEI

BASE = 100 * GWEI
FEES = Fees(cap=20 * GWEI, urgent_cap=5_000 * GWEI, patience=0.2)
ETHER = 10**18


@pytest.fixture
def dear() -> Iterator[Anvil]:
    """A chain whose base fee is above everybody's cap; blocks are made by hand."""
    with Anvil(options=("--no-mining", "--base-fee", str(BASE))) as anvil:
        yield anvil


def highest_bid(anvil: Anvil, address: bytes) -> dict[int, int]:
    """Highest fee by nonce in the pool."""
    pool = anvil.l1.request("txpool_content")
    found = {**pool["pending"], **pool["queued"]}
    mine = next((txs for owner, txs in found.items() if owner.lower() == "0x" + address.hex()), {})
    return {int(nonce): int(tx["maxFeePerGas"], 16) for nonce, tx in mine.items()}


def test_without_a_deadline_a_transaction_waits(dear: Anvil) -> None:
    l1 = dear.connect(1, fees=FEES)
    l1.send(bytes(20), value=1, gas=21_000)
    dear.mine()
    l1.tend()
    assert l1.sender.pending == 1
    assert max(highest_bid(dear, l1.address).values(), default=0) <= FEES.cap


def test_a_pressing_deadline_pays_more_than_the_cap(dear: Anvil) -> None:
    l1 = dear.connect(1, fees=FEES)
    sent = l1.send(bytes(20), value=1, gas=21_000, due=(0.7, ETHER))
    dear.mine()
    receipt = l1.wait(sent, 5)
    assert receipt.succeeded and receipt.gas_price > FEES.cap


def test_what_a_pressing_transaction_waits_for_is_paid_for_too(dear: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()  # moved by hand, so that a slow machine misses no deadline
    monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=lambda: now))
    l1 = dear.connect(1, fees=FEES)
    first = l1.send(bytes(20), value=1, gas=21_000)
    second = l1.send(bytes(20), value=2, gas=21_000, due=(30.0, ETHER))
    assert l1.sender._cap(l1.sender._kept[1]) == FEES.cap  # there is time
    third = l1.send(bytes(20), value=3, gas=21_000, due=(10.0, ETHER))
    assert l1.sender._cap(l1.sender._kept[0]) == FEES.cap
    now += 8.0
    assert l1.sender._cap(l1.sender._kept[0]) > FEES.cap
    for _ in range(8):
        now += 0.2
        l1.tend()
        dear.mine()
        l1.tend()
    receipts = [l1.sender.look(transaction) for transaction in (first, second, third)]
    assert all(receipt and receipt.succeeded and receipt.gas_price > FEES.cap for receipt in receipts)


def test_never_more_than_what_would_be_lost(dear: Anvil) -> None:
    l1 = dear.connect(1, fees=FEES)
    worth = 50 * GWEI * 21_000
    l1.send(bytes(20), value=1, gas=21_000, due=(0.7, worth))
    assert l1.sender._kept[0].fee == 50 * GWEI
