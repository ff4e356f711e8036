"""An account's blob transactions and its others never wait in a node's pools side by side: nodes refuse that."""

import time
from types import SimpleNamespace

import pytest

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.l1 import sender
from setoff.shared.l1.connection import L1
from setoff.shared.l1.sender import Fees
from setoff.shared.l1.sidecar import BLOB_GAS, Sidecar
from setoff.shared.l1.transaction import BLOB_TRANSACTION
from setoff.shared.machine import blobs
from setoff.shared.params import GWEI

pytestmark = pytest.mark.xdist_group("blobs")

TO = bytes(19) + b"\5"
ETHER = 10**18


@pytest.fixture(scope="module")
def sidecar() -> Sidecar:
    return Sidecar.of([blobs.pack(b"records")])


@pytest.fixture
def anvil(blob_anvil: Anvil) -> Anvil:
    """Blocks are made by hand."""
    blob_anvil.l1.request("evm_setAutomine", False)
    return blob_anvil


def pool(l1: L1) -> list[tuple[int, bool]]:
    """Nonces of the account's transactions that wait at the node, each with whether it has blobs."""
    content = l1.request("txpool_content")
    owned = [
        transactions
        for kind in content.values()
        for owner, transactions in kind.items()
        if owner.lower() == "0x" + l1.address.hex()
    ]
    waiting = {int(nonce): tx for transactions in owned for nonce, tx in transactions.items()}
    return [(nonce, int(waiting[nonce]["type"], 16) == BLOB_TRANSACTION) for nonce in sorted(waiting)]


def send(l1: L1, kind: str, sidecar: Sidecar) -> bytes:
    return l1.send(TO, value=1, gas=100_000, sidecar=sidecar if kind == "blob" else None)


@pytest.mark.parametrize(
    "kinds",
    [("blob", "plain"), ("plain", "blob", "plain", "plain", "blob")],
    ids=" ".join,
)
def test_either_kind_waits_for_the_other(anvil: Anvil, sidecar: Sidecar, kinds: tuple[str, ...]) -> None:
    l1 = anvil.connect(1)
    sent = []
    for kind in kinds:
        sent.append(send(l1, kind, sidecar))
        l1.tend()
        assert len({has_blobs for _, has_blobs in pool(l1)}) == 1
    for _ in kinds:
        anvil.mine()
        l1.tend()
        assert len({has_blobs for _, has_blobs in pool(l1)}) <= 1
    receipts = [l1.wait(transaction, 5) for transaction in sent]
    assert all(receipt.succeeded for receipt in receipts)
    assert [receipt.block_number for receipt in receipts] == sorted(receipt.block_number for receipt in receipts)


def test_what_is_held_is_sent_though_a_reorg_took_back_what_it_waited_for(anvil: Anvil, sidecar: Sidecar) -> None:
    l1 = anvil.connect(1)
    first, second = send(l1, "blob", sidecar), send(l1, "plain", sidecar)
    before = anvil.l1.request("evm_snapshot")
    anvil.mine()
    anvil.l1.request("evm_revert", before)
    l1.tend()
    assert pool(l1) == [(0, True)]
    for _ in range(2):
        anvil.mine()
        l1.tend()
    assert l1.wait(first, 5).succeeded and l1.wait(second, 5).succeeded


def test_a_node_that_loses_the_first_gets_it_again_and_not_what_waits_for_it(anvil: Anvil, sidecar: Sidecar) -> None:
    l1 = anvil.connect(1)
    first, _ = send(l1, "blob", sidecar), send(l1, "plain", sidecar)
    anvil.l1.request("anvil_dropAllTransactions")
    assert pool(l1) == []
    l1.tend()
    assert pool(l1) == [(0, True)] and l1.find_transaction(first) is not None


def test_what_another_process_sent_under_the_nonce_holds_nothing_up(anvil: Anvil, sidecar: Sidecar) -> None:
    l1, other = anvil.connect(1), anvil.connect(1)
    send(l1, "blob", sidecar)
    waiting = send(l1, "plain", sidecar)
    anvil.l1.request("anvil_dropAllTransactions")
    send(other, "plain", sidecar)
    anvil.mine()
    l1.tend()
    anvil.mine()
    assert l1.wait(waiting, 5).succeeded


def test_blobs_that_a_pressing_deadline_waits_for_are_paid_for_above_the_cap(
    anvil: Anvil, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()  # moved by hand, so that a slow machine misses no deadline
    monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=lambda: now))
    l1 = anvil.connect(1, fees=Fees(blob_cap=GWEI, patience=0.2))
    monkeypatch.setattr(l1, "blob_base_fee", lambda: 100 * GWEI)
    worth = ETHER // 10
    send(l1, "blob", sidecar)
    kept = l1.sender._kept[0]
    l1.send(TO, value=1, gas=100_000, due=(30.0, worth))
    for _ in range(3):
        now += 1
        l1.tend()
        assert kept.blob_fee == GWEI and len(kept.hashes) == 1, "there is time"
    now += 20
    for _ in range(8):
        now += 1
        l1.tend()
        assert kept.blob_fee * BLOB_GAS + kept.fee * (kept.gas + 100_000) <= worth
    assert kept.blob_fee >= 100 * GWEI
    now += 30  # too late: nothing more is spent
    assert l1.sender._blob_cap(kept) == GWEI
