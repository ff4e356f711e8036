"""Receipts at a watcher: what it takes, what it finds, and how it gets the bond."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.deploy.cli import main as cli
from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt, extend
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import StateError
from setoff.shared.l1.da.blobs import BlobSource
from setoff.shared.l1.receipts import ReceiptsContract, announce_exit, deposit_bond, withdraw_bond
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.blobs import Blobs
from setoff.shared.wire.receipts import SignedReceipt, sign
from setoff.watcher.context import Context
from setoff.watcher.receipts import docket
from setoff.watcher.receipts.desk import ReceiptDesk
from setoff.watcher.receipts.docket import ReceiptDocket
from setoff.watcher.receipts.prosecutor import Prosecutor
from setoff.watcher.receipts.stored_batches import StoredBatches
from setoff.watcher.server import MAX_BODY, make_app
from setoff.watcher.settings import WatcherSettings

OPERATOR_KEY = dev_keys()[0]
"""Of the operator of the fixture's exchange."""
PROSECUTOR = 5


def body(name: object) -> bytes:
    return keccak(str(name).encode()).ljust(124, b"\1")


def give(
    deployment: Deployment, bodies: list[bytes], sequence: int, *, running: bytes = b"", deadline: int = 2**40
) -> SignedReceipt:
    """The operator's receipt for the record with this number, with the history of `bodies` unless told another."""
    history = bytes(32)
    for record in bodies[: sequence + 1]:
        history = extend(history, keccak(record))
    receipt = Receipt(sequence, keccak(bodies[sequence]), running or history, deadline)
    return sign(deployment.domain, receipt, OPERATOR_KEY)


@pytest.fixture
def shelf(desk: Desk) -> ReceiptDocket:
    return ReceiptDocket(desk.store)


@pytest.fixture
async def web(exchange: Exchange, shelf: ReceiptDocket) -> AsyncIterator[TestClient[Any, Any]]:
    operator = signatures.address_of(OPERATOR_KEY)
    app = make_app(ReceiptDesk(shelf, exchange.deployment.domain, operator).routes())
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def prosecutor(exchange: Exchange, settings: WatcherSettings) -> Iterator[Prosecutor]:
    """Of a bonded operator."""
    bond = ReceiptsContract(exchange.operator, exchange.deployment.receipts).bond()
    exchange.operator.transact(exchange.deployment.receipts, deposit_bond(), bond.needed)
    yield Prosecutor(Context.open(replace(settings, name=settings.name), key=dev_keys()[PROSECUTOR]))


def review(desk: Desk, shelf: ReceiptDocket, last_block: int = 2**60) -> int:
    desk.catch_up()
    return shelf.review(StoredBatches(desk.archive), last_block)


def states(shelf: ReceiptDocket) -> list[tuple[str, int, str]]:
    return [(case.kind, case.sequence, case.state) for case in shelf.cases()]


# --- taking ----------------------------------------------------------------------------------------------------------


async def test_takes_what_the_operator_has_signed(exchange: Exchange, web: TestClient[Any, Any]) -> None:
    bodies = [body(number) for number in range(3)]
    shown = [give(exchange.deployment, bodies, sequence).to_json() for sequence in (0, 2)]
    answer = await web.post("/v1/receipts", json={"receipts": shown})
    assert (answer.status, await answer.json()) == (200, {"kept": 2})
    answer = await web.post("/v1/receipts", json={"receipts": shown[:1]})
    assert (answer.status, await answer.json()) == (200, {"kept": 0})
    assert await (await web.get("/v1/receipts")).json() == {"waiting": 2, "kept": 0, "charges": []}


async def test_refuses_everything_else_and_keeps_nothing_of_it(exchange: Exchange, web: TestClient[Any, Any]) -> None:
    good = give(exchange.deployment, [body(1)], 0).to_json()
    forged = sign(exchange.deployment.domain, SignedReceipt.from_json(good).receipt, dev_keys()[1]).to_json()
    other = sign(keccak(b"elsewhere"), SignedReceipt.from_json(good).receipt, OPERATOR_KEY).to_json()
    for sent, status, reason in (
        (b"{", 400, "malformed_json"),
        (b"[]", 400, "malformed_json"),
        (b"{}", 400, "missing_field"),
        ({"receipts": []}, 400, "missing_field"),
        ({"receipts": [good] * 257}, 400, "missing_field"),
        ({"receipts": [good, {}]}, 400, "missing_field"),
        ({"receipts": [good, forged]}, 422, "bad_signature"),
        ({"receipts": [good, other]}, 422, "bad_signature"),
        ({"receipts": [good | {"sequence": 1}]}, 422, "bad_signature"),
        (b" " * (MAX_BODY + 1), 413, "body_too_large"),
    ):
        answer = await (
            web.post("/v1/receipts", data=sent) if isinstance(sent, bytes) else web.post("/v1/receipts", json=sent)
        )
        assert (answer.status, (await answer.json())["reason"]) == (status, reason)
    for method, path in (("GET", "/"), ("DELETE", "/v1/receipts"), ("POST", "/v1/elsewhere")):
        answer = await web.request(method, path)
        assert answer.status in (404, 405) and (await answer.json())["reason"] == "not_found"
    assert (await (await web.get("/v1/receipts")).json())["waiting"] == 0


def test_is_bounded(exchange: Exchange, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docket, "MAX_WAITING", 2)
    bodies = [body(number) for number in range(4)]
    given = [give(exchange.deployment, bodies, sequence) for sequence in range(4)]
    assert shelf.put(given[:2]) == 2
    with pytest.raises(StateError, match="overloaded"):
        shelf.put(given[1:3])
    assert shelf.put(given[:2]) == 0  # what is there already takes no room
    assert shelf.count() == (2, 0)


def test_takes_a_traders_file_on_the_command_line(
    exchange: Exchange, settings: WatcherSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = [body(number) for number in range(3)]
    given = [give(exchange.deployment, bodies, sequence) for sequence in (0, 2)]
    path = tmp_path / "kept.jsonl"
    options = [
        f"--set={name}={value}"
        for name, value in (
            ("deployment", settings.deployment),
            ("rpc_url", settings.rpc_url),
            ("redis_url", settings.redis_url),
        )
    ]

    def run(signed: list[SignedReceipt]) -> tuple[int, str]:
        path.write_text("".join(json.dumps(one.to_json() | {"body": "0x"}) + "\n" for one in signed))
        code = cli.main(["watcher", "receipts", str(path), *options])
        return code, "".join(capsys.readouterr())

    assert run(given) == (0, "2 new receipts\n2 wait, 0 kept, 0 broken\n")
    code, said = run([give(exchange.deployment, bodies, 0, running=keccak(b"another"))])
    assert code == 1 and "conflict" in said and "open" in said
    forged = sign(exchange.deployment.domain, given[0].receipt, dev_keys()[1])
    code, said = run([given[0], forged])
    assert code == 1 and "bad_signature" in said
    assert cli.main(["watcher", "receipts", str(tmp_path / "none"), *options]) == 2


# --- finding ---------------------------------------------------------------------------------------------------------


def test_kept_receipts_are_set_aside_and_only_the_last_stay(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docket, "MAX_KEPT", 3)
    bodies = [body(number) for number in range(6)]
    shelf.put(give(exchange.deployment, bodies, sequence) for sequence in range(6))
    exchange.post(0, 0, bodies[:2])
    block = exchange.post(1, 0, bodies[2:5]).block_number
    assert review(desk, shelf, block - 1) == 2
    assert review(desk, shelf) == 3
    assert review(desk, shelf) == 0
    assert shelf.count() == (1, 3) and shelf.cases() == []


def test_finds_what_is_broken(exchange: Exchange, desk: Desk, shelf: ReceiptDocket) -> None:
    bodies = [body(number) for number in range(6)]
    now = exchange.operator.head().timestamp
    shelf.put([give(exchange.deployment, bodies, 1)])
    shelf.put([give(exchange.deployment, bodies, 5, deadline=now)])
    exchange.post(0, 0, [bodies[0], body("mine"), *bodies[2:4]])
    exchange.anvil.advance(5)
    exchange.post(1, 0, bodies[4:5])
    while review(desk, shelf):
        pass
    assert states(shelf) == [("contradiction", 1, "open"), ("omission", 5, "open")]
    assert shelf.count()[0] == 0


@pytest.mark.parametrize("is_posted", [False, True])
def test_finds_conflicts_between_what_two_users_hand_in(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, is_posted: bool
) -> None:
    bodies = [body(number) for number in range(8)]
    shelf.put([give(exchange.deployment, bodies, 3)])
    if is_posted:
        exchange.post(0, 0, bodies)
        review(desk, shelf)
        assert shelf.count() == (0, 1)
    shelf.put([give(exchange.deployment, bodies, 5)])
    assert shelf.cases() == []
    shelf.put([give(exchange.deployment, bodies, 4, running=keccak(b"another history"))])
    assert states(shelf) == [("conflict", 3, "open"), ("conflict", 4, "open")]
    shelf.put([give(exchange.deployment, [*bodies[:5], body("another")], 5)])
    assert ("conflict", 5, "open") in states(shelf)


def test_a_reorg_during_the_review_only_puts_it_off(exchange: Exchange, desk: Desk, shelf: ReceiptDocket) -> None:
    bodies = [body(number) for number in range(4)]
    shelf.put(give(exchange.deployment, bodies, sequence) for sequence in range(4))
    exchange.post(0, 0, bodies)
    desk.catch_up()
    posted = StoredBatches(desk.archive)
    desk.store.rollback(0)
    with pytest.raises(StateError, match="not_ready"):
        shelf.review(posted, 2**60)
    assert shelf.count() == (4, 0) and shelf.cases() == []
    assert review(desk, shelf) == 4


def lose(monkeypatch: pytest.MonkeyPatch, desk: Desk, *numbers: int) -> None:
    """The store has lost what it had of these batches, and nobody else has their blobs."""
    monkeypatch.setattr(BlobSource, "_ask_node", lambda self, versioned_hash: iter(()))
    for number in numbers:
        place = desk.store.batch_place(number)
        assert place is not None
        header = desk.store.header(place.hash)
        assert header is not None
        desk.store.drop_batches([place.hash])
        desk.store.drop_blobs([header.data_root])


def post_lies(exchange: Exchange) -> tuple[list[bytes], list[bytes], list[SignedReceipt]]:
    """Batches 0 to 2 of two records each, in blobs, of which every second is another than the receipts say; the bodies
    told, the blobs, the receipts."""
    bodies = [body(number) for number in range(6)]
    lies = [told if number % 2 == 0 else body(f"mine {number}") for number, told in enumerate(bodies)]
    blobs = exchange.post_blobs(0, lies[:2], lies[2:4], lies[4:])[1]
    return bodies, blobs, [give(exchange.deployment, bodies, sequence) for sequence in range(6)]


def test_data_that_is_withheld_shields_no_other_batch(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there are more receipts for that batch than are judged at a time."""
    monkeypatch.setattr(docket, "JUDGED_A_ROUND", 1)
    _, blobs, given = post_lies(exchange)
    desk.catch_up()
    shelf.put(given)
    lose(monkeypatch, desk, 0)
    while review(desk, shelf):
        pass
    assert states(shelf) == [("contradiction", 3, "open"), ("contradiction", 5, "open")]
    assert shelf.count() == (2, 4)

    # Nobody is asked again at once; what comes back is judged.
    desk.store.put_blob(Blobs().commit(blobs[0]), blobs[0])
    assert review(desk, shelf) == 0
    monkeypatch.setattr(docket, "RETRY", 0.0)
    while review(desk, shelf):
        pass
    assert states(shelf)[0] == ("contradiction", 1, "open") and shelf.count() == (0, 6)


def test_omissions_are_found_by_headers_alone(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch, prosecutor: Prosecutor
) -> None:
    """Of what is not posted at all, and of what came too late, in a batch whose data nobody has."""
    bodies = [body(number) for number in range(6)]
    deadline = exchange.operator.head().timestamp + 10
    exchange.post_blobs(0, bodies[:2])
    exchange.anvil.advance(20)
    exchange.post(1, 0, [])
    exchange.post_blobs(2, bodies[2:4])
    desk.catch_up()
    shelf.put([give(exchange.deployment, bodies, sequence, deadline=deadline) for sequence in (0, 2, 5)])
    shelf.put([give(exchange.deployment, bodies, 3)])
    lose(monkeypatch, desk, 0, 2)
    while review(desk, shelf):
        pass
    assert states(shelf) == [("omission", 2, "open"), ("omission", 5, "open")]
    assert shelf.count() == (2, 2), "the one that came in time waits for the data, as the one without a deadline"
    prosecutor.step()
    assert states(shelf)[0] == ("omission", 2, "won")


def test_a_reorg_that_one_batch_shows_puts_the_others_off(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be had now because L1 has another batch is no charge, and is judged when it is read."""
    _, _, given = post_lies(exchange)
    desk.catch_up()
    shelf.put(given)
    with monkeypatch.context() as lost:

        def fail(self: StoredBatches, number: int) -> Batch:
            raise StateError("not_ready", f"L1 now has another batch {number}")

        lost.setattr(StoredBatches, "batch", fail)
        assert review(desk, shelf) == 0 and shelf.cases() == [] and shelf.count() == (6, 0)
    assert review(desk, shelf) == 6
    assert [kind for kind, _, _ in states(shelf)] == ["contradiction"] * 3


# --- prosecuting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["conflict", "contradiction", "omission"])
def test_takes_the_bond_and_collects(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor, kind: str
) -> None:
    l1, deployment = exchange.anvil.connect(PROSECUTOR), exchange.deployment
    contract = ReceiptsContract(l1, deployment.receipts)
    bodies = [body(number) for number in range(10)]
    now = exchange.operator.head().timestamp
    if kind == "conflict":
        shelf.put([give(deployment, bodies, 9), give(deployment, bodies, 9, running=keccak(b"another"))])
    elif kind == "contradiction":
        shelf.put([give(deployment, bodies, 9)])
        exchange.post(0, 0, [*bodies[:9], body("mine")])
    else:
        shelf.put([give(deployment, bodies, 9, deadline=now)])
        exchange.anvil.advance(5)
        exchange.post(0, 0, bodies[:9])
    review(desk, shelf)
    before, bond = l1.balance(l1.address), contract.bond().held
    prosecutor.step()
    assert states(shelf) == [(kind, 9, "won")]
    assert contract.bond().held == 0 and contract.owed(l1.address) == 0
    assert l1.balance(l1.address) - before > bond // 2 - 10**16  # less the gas
    assert prosecutor.counts == {"won": 1}
    prosecutor.step()
    assert prosecutor.counts == {"won": 1}


def test_waits_for_a_bond_and_drops_what_others_took(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    deployment, operator = exchange.deployment, exchange.operator
    bodies = [body(number) for number in range(3)]
    exchange.anvil.advance(1)
    operator.transact(deployment.receipts, announce_exit())
    exchange.anvil.advance(prosecutor._contract.bond().exit_delay)
    operator.transact(deployment.receipts, withdraw_bond())
    first = [give(deployment, bodies, 1), give(deployment, bodies, 1, running=keccak(b"another"))]
    shelf.put(first)
    prosecutor.step()
    assert states(shelf) == [("conflict", 1, "open")]  # there is nothing to take yet
    operator.transact(deployment.receipts, deposit_bond(), 10**18)
    (case,) = shelf.cases()
    exchange.funder.transact(deployment.receipts, case.charge.calldata)  # somebody else is first
    operator.transact(deployment.receipts, deposit_bond(), 10**18)
    prosecutor.step()
    assert states(shelf) == [("conflict", 1, "receipt_used")]
    assert prosecutor.counts == {"refused": 1}


def test_an_honest_operator_has_nothing_to_fear(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    bodies = [body(number) for number in range(20)]
    now = exchange.operator.head().timestamp
    shelf.put(give(exchange.deployment, bodies, sequence, deadline=now + 100) for sequence in range(20))
    exchange.post(0, 0, bodies[:7])
    exchange.post(1, 0, [])
    exchange.post(2, 0, bodies[7:])
    exchange.anvil.advance(200)
    exchange.post(3, 0, [])
    while review(desk, shelf):
        pass
    prosecutor.step()
    assert shelf.cases() == [] and prosecutor._contract.bond().stands


# --- reorgs ----------------------------------------------------------------------------------------------------------


def take_back(exchange: Exchange, blocks: int) -> None:
    """The last blocks are gone, and with them what was sent in them."""
    exchange.anvil.l1.request("anvil_rollback", blocks)
    exchange.reconnect()


def restart(settings: WatcherSettings) -> Prosecutor:
    return Prosecutor(Context.open(settings, key=dev_keys()[PROSECUTOR]))


def charge_a_contradiction(exchange: Exchange, desk: Desk, shelf: ReceiptDocket) -> list[bytes]:
    """Batch 0 has another record than receipt 1 says; the records of the receipts."""
    bodies = [body(number) for number in range(3)]
    shelf.put(give(exchange.deployment, bodies, sequence) for sequence in (0, 1))
    exchange.post(0, 0, [bodies[0], body("mine")])
    review(desk, shelf)
    assert states(shelf) == [("contradiction", 1, "open")]
    return bodies


def test_a_charge_about_an_orphaned_batch_gives_way_to_the_one_about_its_successor(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    bodies = charge_a_contradiction(exchange, desk, shelf)
    (orphan,) = shelf.cases()
    take_back(exchange, 1)
    exchange.post(0, 0, [bodies[0], body("another lie")])
    prosecutor.step()
    assert prosecutor._contract.bond().stands, "L1 does not know the batch of the first charge"
    review(desk, shelf)
    (case,) = shelf.cases()
    assert (case.name, case.state) == (orphan.name, "open") and case.calldata != orphan.calldata
    prosecutor.step()
    assert states(shelf) == [("contradiction", 1, "won")] and prosecutor._contract.bond().held == 0


def test_a_charge_is_gone_when_the_receipt_is_kept_after_all(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    bodies = charge_a_contradiction(exchange, desk, shelf)
    take_back(exchange, 1)
    exchange.post(0, 0, bodies[:2])
    review(desk, shelf)
    prosecutor.step()
    assert shelf.cases() == [] and shelf.count() == (0, 2) and prosecutor._contract.bond().stands


def test_receipts_wait_again_while_their_batch_is_gone(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what was kept of them has been pushed out meanwhile: the charge has its receipt."""
    monkeypatch.setattr(docket, "MAX_KEPT", 1)
    bodies = charge_a_contradiction(exchange, desk, shelf)
    shelf.put([give(exchange.deployment, bodies, 2)])
    exchange.post(1, 0, bodies[2:])
    review(desk, shelf)
    assert shelf.count() == (0, 1)
    take_back(exchange, 2)
    exchange.anvil.mine(3)
    review(desk, shelf)
    assert shelf.cases() == [] and shelf.count() == (2, 0)
    exchange.post(0, 0, [body("mine"), body("yours")])
    review(desk, shelf)
    assert states(shelf) == [("contradiction", 1, "open")]


def test_a_kept_receipt_is_broken_by_another_chain(exchange: Exchange, desk: Desk, shelf: ReceiptDocket) -> None:
    """What was judged by batches before the fork is let alone."""
    bodies = [body(number) for number in range(6)]
    now = exchange.operator.head().timestamp
    shelf.put([give(exchange.deployment, bodies, sequence, deadline=now + 1000) for sequence in range(6)])
    exchange.post(0, 0, bodies[:2])
    exchange.post(1, 0, bodies[2:4])
    exchange.post(2, 0, bodies[4:])
    assert review(desk, shelf) == 6 and shelf.count() == (0, 6)
    take_back(exchange, 2)
    exchange.post(1, 0, [bodies[2], body("mine")])
    exchange.anvil.mine(2)
    assert review(desk, shelf) == 2, "two of four are posted again, two wait"
    assert states(shelf) == [("contradiction", 3, "open")] and shelf.count() == (2, 4)
    exchange.anvil.advance(2000)
    exchange.post(2, 0, [])
    assert review(desk, shelf) == 2
    assert states(shelf)[1:] == [("omission", 4, "open"), ("omission", 5, "open")]


@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_bond_that_a_reorg_gives_back_is_taken_again(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor, settings: WatcherSettings,
    is_restarted: bool,
) -> None:  # fmt: skip
    """A sender that lives brings its call back by itself, which must not pass for somebody else's."""
    charge_a_contradiction(exchange, desk, shelf)
    before = exchange.operator.head().number
    prosecutor.step()
    assert prosecutor._contract.bond().held == 0
    take_back(exchange, exchange.operator.head().number - before)
    exchange.anvil.mine(4)
    assert prosecutor._contract.bond().stands and states(shelf) == [("contradiction", 1, "won")]
    again = restart(settings) if is_restarted else prosecutor
    if not is_restarted:
        again._l1.tend()
    for _ in range(3):
        again.step()
    contract = again._contract
    assert contract.bond().held == 0 and contract.owed(again._l1.address) == 0
    assert states(shelf) == [("contradiction", 1, "won")]


def test_what_somebody_else_took_is_tried_again_when_that_is_undone(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    bodies = [body(number) for number in range(3)]
    shelf.put([give(exchange.deployment, bodies, 1), give(exchange.deployment, bodies, 1, running=keccak(b"another"))])
    before = exchange.operator.head().number
    exchange.funder.transact(exchange.deployment.receipts, shelf.cases()[0].charge.calldata)
    exchange.operator.transact(exchange.deployment.receipts, deposit_bond(), 10**18)
    prosecutor.step()
    assert states(shelf) == [("conflict", 1, "receipt_used")]
    take_back(exchange, exchange.operator.head().number - before)
    exchange.anvil.mine(3)
    prosecutor.step()
    assert states(shelf) == [("conflict", 1, "won")]


def test_a_prosecutor_that_comes_late_closes_nothing_that_was_replaced(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket
) -> None:
    bodies = charge_a_contradiction(exchange, desk, shelf)
    (old,) = shelf.cases()
    take_back(exchange, 1)
    block = exchange.post(0, 0, [bodies[0], body("another lie")])
    review(desk, shelf)
    shelf.close(old, "receipt_kept", block.block_number, block.block_hash)
    assert states(shelf) == [("contradiction", 1, "open")]
    take_back(exchange, 1)
    exchange.post(0, 0, bodies[:2])
    review(desk, shelf)
    shelf.close(old, "receipt_kept", block.block_number, block.block_hash)
    assert shelf.cases() == []


def test_each_of_two_broken_receipts_for_one_place_may_take_a_bond(
    exchange: Exchange, desk: Desk, shelf: ReceiptDocket, prosecutor: Prosecutor
) -> None:
    bodies = [body(number) for number in range(2)]
    now = exchange.operator.head().timestamp
    shelf.put([give(exchange.deployment, bodies, 1, deadline=now + age) for age in (100, 200)])
    exchange.post(0, 0, [bodies[0], body("mine")])
    review(desk, shelf)
    prosecutor.step()
    bond = prosecutor._contract.bond()
    exchange.operator.transact(exchange.deployment.receipts, deposit_bond(), bond.needed)
    prosecutor.step()
    assert states(shelf) == [("contradiction", 1, "won")] * 2 and prosecutor._contract.bond().held == 0
