"""However fast somebody posts, what a watcher keeps in Redis stays within bounds."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.machine.blobs import BLOB_BYTES
from setoff.shared.machine.machine import Machine
from setoff.shared.params import PRESETS
from setoff.watcher.execution import archivist as archivist_module
from setoff.watcher.execution.archivist import NO_LIMIT, Archivist
from setoff.watcher.execution.histories import Histories
from setoff.watcher.execution.relief import plan_relief
from setoff.watcher.execution.retention import GRACE
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult

FLOOD = 12

MakeArchivist = Callable[[int], Archivist]


@pytest.fixture
def make_archivist(desk: Desk) -> MakeArchivist:
    """Of a watcher that may keep so many bytes."""
    deployment = desk.context.deployment

    def make(redis_limit: int) -> Archivist:
        court = CourtReader(CourtContract(desk.context.l1, deployment.court), deployment.block)
        return Archivist(desk.archive, court, Histories.of(desk.settings, deployment), redis_limit)

    return make


def size_of(desk: Desk) -> int:
    sizes = desk.store.sizes()
    return sizes["batches"] + sizes["snapshots"]


# --- by arithmetic ---


@pytest.mark.parametrize("name", [name for name, params in PRESETS.items() if not params.is_trial])
def test_where_epochs_are_paced_all_that_can_be_open_fits(name: str) -> None:
    """The inbox lets an epoch begin once a claim interval (`tests/contracts/test_pace.py`), and one is open for as long
    as its dispute can take and the grace after it: so many of the fullest are within the limit, without any relief."""
    params = PRESETS[name]
    assert params.claim_interval > 0
    open_epochs = -(-(params.delay_bound + min(GRACE, params.challenge_period)) // params.claim_interval) + 1
    assert open_epochs * params.epoch_batches * BLOB_BYTES < WatcherSettings().redis_limit * 10**6


def test_machines_go_first_then_calldata_from_the_newest_then_more_machines() -> None:
    snapshots, inputs = dict.fromkeys(range(1, 65), 10), {1: 5, 2: 5}
    assert plan_relief(0, snapshots, inputs) == ([], [])
    assert plan_relief(25, snapshots, inputs) == ([1, 2, 3], [])
    few = plan_relief(48 * 10 + 12 * 10 + 4, snapshots, inputs)
    assert sorted(set(snapshots) - set(few.snapshots)) == [16, 32, 48, 64] and few.inputs == [2]
    most = plan_relief(10**6, snapshots, inputs)
    assert set(most.snapshots) == set(snapshots) and most.inputs == [2, 1]


# --- on a chain without a pace ---


def test_a_flood_of_empty_epochs_stays_within_the_limit_and_nothing_is_lost(
    exchange: Exchange, desk: Desk, make_archivist: MakeArchivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archivist_module, "MESSAGES_KEPT", 1)
    for number in range(FLOOD):
        exchange.post(number, 0)
    desk.execute_all()
    make_archivist(NO_LIMIT).step()
    limit = size_of(desk) // 2
    archivist = make_archivist(limit)
    for first in (FLOOD, 2 * FLOOD):
        archivist.step()
        assert size_of(desk) <= limit
        for number in range(first, first + FLOOD):
            exchange.post(number, 0)
        assert desk.execute_all() == first + FLOOD
    archivist.step()
    assert size_of(desk) <= limit
    results = desk.store.results()
    assert desk.store.has_snapshots([results[-1].end]) == [True], "from there it goes on"
    for epoch in (1, FLOOD + 1, 3 * FLOOD - 1):
        assert desk.archive.machine_before(epoch).hash() == results[epoch].start
        assert desk.archive.inputs(epoch).epoch_hash == results[epoch].epoch_hash


def test_what_a_reorg_took_back_goes_from_redis_once_it_has_been_gone_for_a_while(
    exchange: Exchange, desk: Desk, make_archivist: MakeArchivist
) -> None:
    archivist, store = make_archivist(NO_LIMIT), desk.store
    exchange.post(0, 0)
    desk.execute_all()
    before = {kind: set(store.hashes(kind)) for kind in ("batch", "data", "snapshot")}
    place = store.batch_place(0)
    assert place is not None
    own = store.batch(place.hash)
    assert own is not None
    other = replace(own, header=replace(own.header, timestamp=own.header.timestamp + 1))
    store.put_batch(other)
    store.put_snapshot(Machine.genesis(keccak(b"another domain")))
    store.redis.hset(store.key("aside"), keccak(b"taken back"), b"".join(EpochResult(*[bytes(32)] * 3)))
    for seconds in (0, GRACE // 2):
        exchange.anvil.advance(seconds)
        archivist._next_strays = 0.0
        archivist.step()
        if not seconds:
            assert len(store.hashes("batch")) == 2 and len(store.aside()) == 1, "not at once"
    assert {kind: set(store.hashes(kind)) for kind in before} == before and store.aside() == []


def test_the_last_batch_says_where_the_queue_goes_on_also_when_all_is_closed(
    exchange: Exchange, desk: Desk, make_archivist: MakeArchivist
) -> None:
    exchange.deposit(1, 10**6)
    exchange.post(0, 1)
    desk.execute_all()
    make_archivist(NO_LIMIT)._drop_batches([0], {0})
    assert desk.store.message(0) is None, "consumed, and closed"
    assert desk.store.next_message() == 1
    exchange.deposit(2, 10**6)
    exchange.post(1, 1)
    assert Desk(desk.settings).execute_all() == 2
