"""What L1 has of batches and epochs is read from its logs; and L1 alone gives the history."""

from pathlib import Path

from eth_abi import encode
from tests.support.chains.exchange import Exchange
from tests.support.histories import make_store, read_all

from setoff.deploy.devnet.anvil import Anvil
from setoff.operator.history.from_l1 import follow_l1
from setoff.operator.history.landings import Landings, list_landings
from setoff.operator.history.observer import Numbers, Observer
from setoff.operator.history.queries import History, Span
from setoff.shared.l1.answers import Log
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.contracts import COURT
from setoff.shared.machine.machine import Machine


def make_log(name: str, epoch: int, transaction: bytes) -> Log:
    """An event of the court about an epoch."""
    kind, topic = COURT.events[name], epoch.to_bytes(32, "big")
    if name == "Claimed":
        data = encode(["bytes32", "bytes32", "uint256", "address", "bytes32"], [b"", b"", 0, "0x" + "11" * 20, b""])
        topics = (kind.topic, bytes(32), topic)
    else:
        data, topics = bytes(32), (kind.topic, topic)
    return Log(bytes(20), topics, data, 9, bytes(32), transaction, 0, None)


def test_claims_and_confirmations_are_told_of_their_epochs() -> None:
    logs = [
        make_log("Claimed", 3, b"\1" * 32),
        make_log("Advanced", 4, b"\2" * 32),
        make_log("Advanced", 0, b"\3" * 32),
        make_log("Claimed", 3, b"\4" * 32),  # again, in another round
    ]
    found = {(row["stage"], row["number"]): row["transaction"] for row in list_landings(logs)}
    assert found == {("claimed", 3): "0x" + "04" * 32, ("confirmed", 3): "0x" + "02" * 32}


def test_batches_are_found_in_their_transactions_and_run_from_there(anvil: Anvil, tmp_path: Path) -> None:
    exchange = Exchange(anvil)
    exchange.deposit(1, 10**9)
    posted = [exchange.post(0, 1), exchange.post(1, 0)]
    store = make_store(tmp_path, "history")
    store.open()
    landings = Landings(store._engine, exchange.anvil.l1, exchange.deployment)
    while landings.step():
        pass
    history = History(f"sqlite:///{tmp_path}/history")
    found = history.landings([0, 1, 2], 1)
    assert [found[batch]["posted"]["block"] for batch in (0, 1)] == [receipt.block_number for receipt in posted]
    assert found[2] == {}
    landings.step()
    assert history.landings([0, 1, 2], 1) == found
    observer = Observer(Machine.genesis(*exchange.deployment.genesis), Numbers(), {})
    follow_l1(ChainReader(exchange.anvil.l1, exchange.deployment), observer, store, 2)
    assert [row["batch"] for row in history.batches(Span(None, -1, 9))] == [0, 1]
    assert [(row["kind"], row["amount"]) for row in history.ledger(1, None, Span(None, None, 9))] == [
        ("deposit", str(10**9))
    ]
    assert len(read_all(store)["batches"]) == 2
