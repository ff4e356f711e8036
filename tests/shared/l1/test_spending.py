"""What an account has paid is what the chain took from it, by what it was paid for."""

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.l1 import spending
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import RESERVE
from setoff.shared.l1.sidecar import CELLS, Sidecar
from setoff.shared.machine.blobs import BLOB_BYTES

RECEIVER = bytes([0x55] * 20)


def test_every_wei_is_there_once(anvil: Anvil) -> None:
    l1 = L1(anvil.url, dev_keys()[6], chain_id=CHAIN_ID, patience=5.0)
    before = l1.balance(l1.address)
    l1.transact(RECEIVER, b"", 1000)
    l1.transact(None, bytes.fromhex("6000"))
    sent = l1.send(RECEIVER, RESERVE, gas=100_000)
    l1.tend()
    l1.wait(sent)
    l1.tend()
    told = l1.sender.spending.to_json()
    assert told["transactions"] == {spending.TRANSFER: 1, spending.CREATION: 1, "reserve": 1}
    assert sum(told["wei"].values()) == before - l1.balance(l1.address) - 1000
    assert all(wei >= 21_000 for wei in told["wei"].values())


def test_blobs_are_paid_for_beside_the_gas(anvil: Anvil) -> None:
    l1 = L1(anvil.url, dev_keys()[7], chain_id=CHAIN_ID, patience=5.0)
    before = l1.balance(l1.address)
    infinity = b"\xc0" + bytes(47)
    blob = Sidecar((bytes(BLOB_BYTES),), (infinity,), (infinity,) * CELLS)
    l1.wait(l1.send(RECEIVER, b"", gas=100_000, sidecar=blob))
    assert l1.sender.spending.wei.total() == before - l1.balance(l1.address)
