"""Evidence is kept as long as L1 may ask for it, and goes when it cannot any more."""

import pytest
from tests.support.chains.exchange import Exchange, call_data
from tests.support.processes.lone_watcher import LoneWatcher
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.game import Claim, ClaimState, CourtState, HistoryCommitment, HistoryState
from setoff.shared.dispute.terms import Terms
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.da.blobs import BlobSource
from setoff.shared.machine.data import ZERO
from setoff.shared.params import DEMO, DEVNET, Params
from setoff.watcher.execution.archivist import Archivist
from setoff.watcher.execution.histories import Histories, name_history
from setoff.watcher.execution.retention import GRACE, find_closed, find_patience, name_ranges, plan_retention
from setoff.watcher.execution.strays import Strays
from setoff.watcher.settings import WatcherSettings

pytestmark = pytest.mark.xdist_group("blobs")

FLOOD = 4
OTHER = bytes(20)


# --- when an epoch is closed ---


def court_of(confirmed: int) -> CourtState:
    court = CourtState(Terms(*DEVNET.terms()), bytes(32))
    court.start_of = {epoch: bytes([epoch]) * 32 for epoch in range(confirmed + 1)}
    return court


def claim_on(court: CourtState, epoch: int, state: ClaimState, changed_at: int = 0, start: bytes = b"") -> Claim:
    start = start or court.start_of.get(epoch, b"")
    key = keccak(bytes([epoch]) + start)
    claim = Claim(key, epoch, start, ZERO, 0, OTHER, ZERO, 0, 0, changed_at, state)
    court.claims[key] = court._undecided[key] = claim
    court._note(claim)
    return claim


def test_an_epoch_is_closed_when_it_is_confirmed_settled_and_paid() -> None:
    court, later = court_of(confirmed=3), 10 * GRACE
    claim_on(court, 1, ClaimState.INSTALLED)
    unpaid = claim_on(court, 2, ClaimState.SETTLED)
    unpaid.histories[ZERO] = HistoryCommitment(ZERO, ZERO, OTHER, 0, 1, ())
    court._note(unpaid)
    closed = find_closed(court, later)
    assert [epoch for epoch in range(5) if closed(epoch)] == [0], "1 is not settled, 2 not paid, 3 not confirmed"
    unpaid.histories[ZERO].state = HistoryState.PAID
    court._note(unpaid)
    assert find_closed(court, later)(2)


def test_a_closed_epoch_waits_for_reorgs_and_a_claim_on_a_false_start_for_nobody() -> None:
    court = court_of(confirmed=2)
    claim_on(court, 0, ClaimState.SETTLED, changed_at=1000)
    claim_on(court, 1, ClaimState.CLAIMED, start=b"f" * 32)
    patience = min(GRACE, DEVNET.challenge_period)
    assert not find_closed(court, 1000 + patience - 1)(0) and find_closed(court, 1000 + patience)(0)
    assert find_closed(court, 1000)(1)


def test_what_leads_to_an_open_epoch_stays() -> None:
    closed = {0, 1, 2, 3, 5}
    has_start = [True, False, True, False, False, True, True, True]
    plan = plan_retention(7, closed.__contains__, has_start)
    assert plan.batches == [0, 1, 5], "4 is open: 2 has the machine from which 2 and 3 lead to it"
    assert plan.snapshots == plan.batches
    assert plan_retention(0, closed.__contains__, [True]).batches == []
    assert plan_retention(1, closed.__contains__, [True, False]).batches == [], "the next epoch starts after this one"


def test_ranges_are_named() -> None:
    assert [name_ranges(epochs) for epochs in ([], [3], [2, 1, 0, 7])] == ["none", "3", "0-2, 7"]


def test_a_history_is_a_stray_only_after_it_was_one_for_a_while() -> None:
    court, strays = court_of(confirmed=0), Strays()
    patience = find_patience(court)
    assert strays.find(["a", "b"], ["a"], court, 100) == []
    assert strays.find(["a", "b"], ["a"], court, 99 + patience) == []
    assert strays.find(["a", "b"], ["a", "b"], court, 100 + patience) == [], "a reorg has brought it back"
    assert strays.find(["a", "b"], ["a"], court, 101 + patience) == [], "and it begins anew"
    assert strays.find(["a", "b"], ["a"], court, 101 + 2 * patience) == ["b"]
    strays.clear()
    assert strays.find(["a", "b"], ["a"], court, 102 + 2 * patience) == [], "nor does it count while some is unknown"


# --- on a chain ---


@pytest.fixture
def anvil(blob_anvil: Anvil) -> Anvil:
    return blob_anvil


@pytest.fixture
def params() -> Params:
    return DEMO


@pytest.fixture
def archivist(desk: Desk) -> Archivist:
    court = CourtReader(CourtContract(desk.context.l1, desk.context.deployment.court), desk.context.deployment.block)
    return Archivist(desk.archive, court, Histories.of(desk.settings, desk.context.deployment))


def send(exchange: Exchange, thief: int, call: Call) -> None:
    court = CourtContract(exchange.anvil.connect(thief), exchange.deployment.court)
    court.l1.transact(court.address, court.encode(call), call.value)


def confirmed(exchange: Exchange, epoch: int) -> bytes:
    return exchange.operator.call(exchange.deployment.court, call_data("start_of(uint256)", epoch))


def test_a_flood_of_epochs_makes_nobody_forget_the_evidence(
    exchange: Exchange, settings: WatcherSettings, desk: Desk, archivist: Archivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch in blobs, a flood of others after it; the nodes let go of the blobs; then it is claimed falsely."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 10**6)
    exchange.post(0, 1)
    exchange.post_blobs(1, [traffic.transfer(1, 1, 5), traffic.withdraw(1, 7)])
    for number in range(2, 2 + FLOOD):
        exchange.post(number, 0)
    watcher = LoneWatcher(exchange, settings)
    watcher.player._spread = 0.0
    assert watcher.desk.execute_all() == 2 + FLOOD
    assert archivist.step().dropped == 0
    monkeypatch.setattr(BlobSource, "_ask_node", lambda self, versioned_hash: iter(()))

    ends = [result.end for result in desk.store.results()]
    genesis, lie = confirmed(exchange, 0), keccak(b"a theft")
    send(exchange, 6, Call("claim", (0, genesis, ends[0]), DEMO.stake))
    send(exchange, 6, Call("claim", (1, ends[0], lie)))
    watcher.play_until(lambda: archivist.step() and watcher.player.reader.court.confirmed == 2)
    assert confirmed(exchange, 2) == ends[1]

    # Once both are paid and old, nothing is kept of them but what the next epoch starts from.
    assert archivist.step().epochs in (f"0-{1 + FLOOD}", f"1-{1 + FLOOD}"), "epoch 1 is confirmed, not yet paid out"
    watcher.play_until(lambda: archivist.step().epochs == f"2-{1 + FLOOD}", seconds=10)
    assert desk.store.has_snapshots([ends[0], ends[1]]) == [False, True]
    assert [len(list(desk.store.redis.scan_iter(desk.store.key(kind, "*")))) for kind in ("batch", "data")] == [
        FLOOD,
        0,
    ]
    assert desk.archive.machine_before(2).hash() == ends[1]


def test_a_blob_posted_twice_goes_with_the_last_batch_that_has_it(
    exchange: Exchange, desk: Desk, archivist: Archivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    records = [traffic.withdraw(1, 7)]
    exchange.post_blobs(0, records)
    exchange.post_blobs(1, records)
    desk.execute_all()
    archivist._drop_batches([0], {0})
    monkeypatch.setattr(BlobSource, "_ask_node", lambda self, versioned_hash: iter(()))
    assert desk.archive.batch(1).records == tuple(records)
    archivist._drop_batches([1], {0, 1})
    assert list(desk.store.redis.scan_iter(desk.store.key("data", "*"))) == []


def test_a_damaged_batch_does_not_cost_its_blob(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.post_blobs(0, [traffic.withdraw(1, 7)])
    desk.catch_up()
    place = desk.store.batch_place(0)
    assert place is not None
    key = desk.store.key("batch", place.hash.hex())
    data = desk.store.redis.get(key)
    desk.store.redis.set(key, bytes([data[0] ^ 1]) + data[1:])
    monkeypatch.setattr(BlobSource, "_ask_node", lambda self, versioned_hash: iter(()))
    assert desk.archive.batch(0).records == (traffic_record(desk),)


def traffic_record(desk: Desk) -> bytes:
    domain = desk.context.deployment
    return SampleTraffic(domain.chain_id, domain.vault_bytes).withdraw(1, 7)


def test_the_machine_at_a_confirmed_start_is_made_where_it_is_missing(
    exchange: Exchange, settings: WatcherSettings, desk: Desk, archivist: Archivist
) -> None:
    for number in range(3):
        exchange.post(number, 0)
    desk.execute_all()
    ends = [result.end for result in desk.store.results()]
    send(exchange, 6, Call("claim", (0, confirmed(exchange, 0), ends[0]), DEMO.stake))
    watcher = LoneWatcher(exchange, settings)
    watcher.player._spread = 0.0
    watcher.play_until(lambda: watcher.player.reader.court.confirmed == 1)
    desk.store.drop_snapshot(*ends)
    archivist.step()
    assert desk.store.has_snapshots(ends) == [True, False, False]


def test_histories_of_what_a_reorg_took_back_go_and_those_that_a_claim_may_need_stay(
    exchange: Exchange, desk: Desk, archivist: Archivist
) -> None:
    """On disk: of the executed epoch, of one that an open claim is about, of one that nobody knows."""
    exchange.post(0, 0)
    exchange.post(1, 0)
    desk.execute_all()
    genesis, (first, _) = confirmed(exchange, 0), desk.store.results()
    send(exchange, 6, Call("claim", (0, genesis, keccak(b"a lie")), DEMO.stake))
    histories, other = archivist._histories, first._replace(epoch_hash=keccak(b"taken back"))
    names = [name_history(each.epoch_hash, each.start) for each in (first, other)]
    for each in (first, other):
        folder = histories.folder(each)
        folder.mkdir(parents=True)
        (folder / "nodes0").write_bytes(bytes(32))
    # Another reorg, deeper than the claim: what is executed is not what is claimed, and what is claimed is kept.
    desk.store.drop_epochs(0)
    for _ in range(2):
        archivist.step()
        exchange.anvil.advance(GRACE)
    assert sorted(histories.names()) == sorted(names), "nothing goes while something posted is not executed"
    desk.execute_all()
    archivist.step()
    assert sorted(histories.names()) == sorted(names), "not at once"
    exchange.anvil.advance(find_patience(archivist._court.court))
    kept = archivist.step()
    assert histories.names() == [names[0]] and kept.bytes["histories"] == 32 and kept.bytes["redis"] > 0


def test_the_history_of_a_claim_that_is_not_settled_stays_whatever_is_executed(
    exchange: Exchange, desk: Desk, archivist: Archivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.post(0, 0)
    desk.execute_all()
    (result,) = desk.store.results()
    send(exchange, 6, Call("claim", (0, confirmed(exchange, 0), keccak(b"a lie")), DEMO.stake))
    folder = archivist._histories.folder(result)
    folder.mkdir(parents=True)
    # The chain as executed is another one; the claim is still on L1.
    monkeypatch.setattr(desk.store, "results", lambda: [result._replace(epoch_hash=keccak(b"another"))])
    monkeypatch.setattr(archivist, "_store", desk.store)
    for _ in range(3):
        archivist.step()
        exchange.anvil.advance(GRACE)
    assert folder.is_dir()
