"""Epochs that are run ahead of those before them: by several workers, from machines that somebody else gives; with an
operator that lies, peers that serve rubbish, killed workers, reorgs; and what nobody may rely on too early."""

import multiprocessing
import os
import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from aiohttp import web
from tests.support.chains.exchange import Exchange
from tests.support.chains.payments import post_payments
from tests.support.processes.serving import serving
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.calls import Call
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEVNET
from setoff.shared.wire.snapshots import PATH
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.jobs import WORKER
from setoff.watcher.execution.scout import Scout
from setoff.watcher.execution.segments import Segment
from setoff.watcher.execution.snapshot_peers import SnapshotPeers
from setoff.watcher.execution.worker import run_worker
from setoff.watcher.monitor.status import find_problems
from setoff.watcher.pulse import Pulse, read_status
from setoff.watcher.server import make_app, make_snapshot_desk
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

EPOCHS = 12
LIE = 4
"""The epoch of which a liar says another end."""


@pytest.fixture
def posted(exchange: Exchange) -> Exchange:
    """Epochs of one batch each."""
    return post_payments(exchange, EPOCHS)


@pytest.fixture
def peer(posted: Exchange, settings: WatcherSettings) -> Desk:
    """Another watcher, which has executed everything."""
    peer = Desk(replace(settings, name="peer"))
    assert peer.execute_all() == EPOCHS
    return peer


@pytest.fixture
def peer_url(peer: Desk) -> Iterator[str]:
    with serving(lambda: make_app(make_snapshot_desk(peer.store).routes())) as url:
        yield url


def claim(exchange: Exchange, ends: list[bytes]) -> None:
    """Claim the epochs from 0 on."""
    court = CourtContract(exchange.operator, exchange.deployment.court)
    starts = [court.genesis, *ends]
    for epoch, end in enumerate(ends):
        call = Call("claim", (epoch, starts[epoch], end))
        exchange.operator.transact(court.address, court.encode(call), 0 if epoch else DEVNET.stake)


def ends_of(store: Store) -> list[bytes]:
    return [result.end for result in store.results()]


class Crew:
    """Workers of one watcher in this process, which take the jobs that a test gives them."""

    def __init__(self, settings: WatcherSettings, count: int = 2) -> None:
        self.desk = Desk(settings)
        self.desk.catch_up()
        self.store = self.desk.store
        self.peers = SnapshotPeers(self.store, settings.snapshot_urls, settings.snapshot_limit * 10**6)
        self.scout = Scout(settings, self.store)
        self._stack = ExitStack()
        self.hands = []
        for number in range(count):
            name = f"{WORKER}{number}"
            pulse = self._stack.enter_context(Pulse(self.store, name).beating())
            pulse.beat()
            self.hands.append(Executor(self.desk.archive, self.desk.jobs, 16, name, fetch=self.peers.fetch))

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run_ahead(self) -> list[Segment]:
        """Look for segments and have the second worker run them, until there are none; those that were run."""
        done: list[Segment] = []
        while segments := self.scout.look():
            for segment in segments:
                self.hands[1].execute_segment(segment)
            done += segments
            assert len(done) < 4 * EPOCHS
        return done

    def run_in_order(self, until: int = EPOCHS) -> int:
        """Have the first worker run what is left, in order; the number of epochs that it ran."""
        count = 0
        self.desk.jobs.enqueue_next()
        while (epoch := self.store.epoch_count()) < until:
            assert self.hands[0].execute(epoch) is not None
            count += 1
        return count


def of_new(settings: WatcherSettings, *urls: str) -> WatcherSettings:
    return replace(settings, name="new", snapshot_peers=",".join(urls))


def test_what_others_ran_ahead_counts_once_the_epochs_before_it_are_executed(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    truth = ends_of(peer.store)
    claim(posted, truth[: EPOCHS - 2])
    with Crew(of_new(settings, peer_url)) as crew:
        ran = crew.run_ahead()
        assert {segment.start for segment in ran} <= set(truth)
        assert crew.store.epoch_count() == 0, "nothing counts before the first epoch is executed"
        ahead = crew.desk.jobs.ahead.count()
        assert ahead >= EPOCHS - 2
        assert crew.run_in_order() == EPOCHS - ahead
        assert ends_of(crew.store) == truth and crew.desk.jobs.ahead.count() == 0
        assert all(crew.store.has_snapshots(truth)), "as where they were executed in order"


def make_false_machine(peer: Desk) -> Machine:
    """As after epoch LIE, but that somebody has more: sound, and not true."""
    machine = peer.archive.machine_before(LIE + 1)
    machine.state.account(2).collateral += 10**9
    return machine


def test_a_false_end_in_the_middle_is_found_and_what_was_built_on_it_is_thrown_away(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    truth, machine = ends_of(peer.store), make_false_machine(peer)
    false = [machine.hash()]
    peer.store.put_snapshot(machine)
    for epoch in range(LIE + 1, EPOCHS):
        machine.run_batch(peer.archive.batch(epoch))
        peer.store.put_snapshot(machine)
        false.append(machine.hash())
    claim(posted, truth[:LIE] + false)
    with Crew(of_new(settings, peer_url)) as crew:
        ran = crew.run_ahead()
        assert any(segment.start in false for segment in ran), "nothing is known against it yet"
        assert all(end not in ends_of(crew.store) for end in false)
        crew.run_in_order()
        assert ends_of(crew.store) == truth
        assert crew.desk.jobs.ahead.count() == 0, "nothing is left of the lie"
        lie = next(segment for segment in ran if segment.start in false)
        assert crew.hands[1].execute_segment(lie) == 0, "a job that comes too late"
        assert ends_of(crew.store) == truth and crew.desk.jobs.ahead.count() == 0


def test_nothing_is_planned_beyond_an_end_that_is_known_to_be_false(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    claim(posted, [ends_of(peer.store)[0], bytes(31) + b"\1"])
    with Crew(of_new(settings, peer_url)) as crew:
        crew.desk.execute(0)
        crew.desk.execute(1)
        assert crew.scout.look() == []


def rubbish(kind: str, peer: Desk) -> web.Application:
    """A peer that says to have every machine."""
    other = peer.store.results()[1].end

    async def give(request: web.Request) -> web.StreamResponse:
        asked = request.match_info["hash"]
        if kind == "nothing":
            raise web.HTTPServiceUnavailable
        if kind == "another":
            packed = peer.store.read_snapshot(other, 0, 1 << 30)
        elif kind == "cut":
            whole = peer.store.read_snapshot(bytes.fromhex(asked.removeprefix("0x")), 0, 1 << 30)
            packed = whole[: len(whole) // 2]
        elif kind == "bomb":
            packed = zlib.compress(bytes(1 << 24))
        elif kind == "no leaves":
            packed = zlib.compress(peer.archive.machine_before(1).snapshot() + bytes(7))
        else:
            answer = web.StreamResponse()
            await answer.prepare(request)
            while True:
                await answer.write(os.urandom(1 << 16))
        return web.Response(body=packed)

    async def list(_: web.Request) -> web.Response:
        return web.json_response({"machines": ["0x" + each.end.hex() for each in peer.store.results()]})

    app = web.Application()
    app.add_routes([web.get(PATH, list), web.get(PATH + "/{hash}", give)])
    return app


@pytest.mark.parametrize("kind", ["nothing", "another", "cut", "bomb", "no leaves", "without an end"])
def test_who_serves_rubbish_is_left_alone_and_another_one_is_asked(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings, kind: str
) -> None:
    truth = ends_of(peer.store)
    with serving(lambda: rubbish(kind, peer)) as liar:
        new = replace(of_new(settings, liar, peer_url), snapshot_limit=1)
        with Crew(new) as crew:
            assert [*crew.peers._trusted()] == [liar, peer_url]
            machine = crew.peers.fetch(truth[5])
            assert machine is not None and machine.hash() == truth[5]
            assert [*crew.peers._trusted()] == [peer_url]
            assert crew.peers.list() == set(map(bytes.fromhex, peer.store.hashes("snapshot")))


@pytest.mark.parametrize(
    "text",
    [pytest.param("[" * 100_000, id="deep"), "{}", '{"machines": {}}', '{"machines": ["zz"]}', "no JSON", ""],
)
def test_a_list_that_is_none_is_nobody_s(posted: Exchange, settings: WatcherSettings, text: str) -> None:
    async def tell(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    def app() -> web.Application:
        app = web.Application()
        app.add_routes([web.get(PATH, tell)])
        return app

    with serving(app) as url, Crew(of_new(settings, url)) as crew:
        assert crew.peers.list() == set()
        assert [*crew.peers._trusted()] == []


def test_a_machine_that_nobody_has_is_no_reason_to_leave_anybody_alone(
    peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    with Crew(of_new(settings, peer_url)) as crew:
        assert crew.peers.fetch(bytes(32)) is None
        assert [*crew.peers._trusted()] == [peer_url]


def test_a_larger_machine_than_may_be_is_not_taken(peer: Desk, peer_url: str, settings: WatcherSettings) -> None:
    end = ends_of(peer.store)[-1]
    size = len(peer.archive.machine_before(EPOCHS).snapshot())
    with Crew(of_new(settings, peer_url)) as crew:
        assert SnapshotPeers(crew.store, [peer_url], size - 1).fetch(end) is None
        crew.store.redis.delete(*crew.store.redis.keys(crew.store.key("avoided", "*")))
        assert SnapshotPeers(crew.store, [peer_url], size).fetch(end) is not None


def test_one_worker_goes_in_order_and_asks_nobody(posted: Exchange, peer: Desk, settings: WatcherSettings) -> None:
    truth = ends_of(peer.store)
    claim(posted, truth)
    asked = []

    async def ask(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"machines": ["0x" + end.hex() for end in truth]})

    def app() -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", ask)])
        return app

    with serving(app) as url, Crew(of_new(settings, url), count=1) as crew:
        assert crew.scout.look() == [] and asked == []
        assert crew.run_in_order() == EPOCHS and ends_of(crew.store) == truth


def test_who_is_up_to_date_asks_nobody(posted: Exchange, peer: Desk, settings: WatcherSettings) -> None:
    claim(posted, ends_of(peer.store))
    with Crew(of_new(settings, "http://127.0.0.1:9")) as crew:
        crew.run_in_order()
        assert crew.scout.look() == []
        assert not crew.store.redis.keys(crew.store.key("avoided", "*"))


def test_after_a_reorg_nothing_is_taken_up_of_batches_that_are_gone(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    truth, number, snapshot = ends_of(peer.store), EPOCHS, posted.anvil.l1.request("evm_snapshot")
    more_traffic = SampleTraffic(posted.deployment.chain_id, posted.deployment.vault_bytes)
    for more in range(number, number + 3):
        posted.post(more, 0, [more_traffic.withdraw(2, more)])
    peer.execute_all()
    gone = ends_of(peer.store)
    claim(posted, gone)
    with Crew(of_new(settings, peer_url)) as crew:
        crew.run_ahead()
        assert crew.desk.jobs.ahead.count() >= number
        posted.anvil.l1.request("evm_revert", snapshot)
        posted.reconnect()
        for more in range(number, number + 3):
            posted.post(more, 0)
        posted.anvil.l1.request("anvil_mine", "0x20")  # a longer chain than the one before
        crew.desk.catch_up()
        crew.run_in_order(number + 3)
        peer.execute_all()
        assert ends_of(crew.store) == ends_of(peer.store)
        assert ends_of(crew.store)[:number] == truth and not set(ends_of(crew.store)) & set(gone[number:])


def test_a_result_that_was_damaged_is_none(peer: Desk, peer_url: str, settings: WatcherSettings) -> None:
    with Crew(of_new(settings, peer_url)) as crew:
        result = peer.store.results()[5]
        crew.desk.jobs.ahead.put(result)
        key = crew.store.key("ahead")
        ((field, value),) = crew.store.redis.hgetall(key).items()
        assert crew.desk.jobs.ahead.get(result.epoch_hash, result.start) == result.end
        for place in (0, 31, 39):
            damaged = bytearray(value)
            damaged[place] ^= 1
            crew.store.redis.hset(key, field, bytes(damaged))
            assert crew.desk.jobs.ahead.get(result.epoch_hash, result.start) is None
        assert crew.run_in_order() == EPOCHS and ends_of(crew.store) == ends_of(peer.store)


def test_a_machine_that_breaks_its_worker_is_run_ahead_no_more_and_stops_nobody(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, run_input = ends_of(peer.store), Machine.run_input
    claim(posted, truth)
    failed = []

    def run(machine: Machine, batch: Batch, input_index: int) -> int:
        if batch.header.number == 6 and not failed:
            failed.append(batch)
            raise IndexError("what no true machine has")
        return run_input(machine, batch, input_index)

    with Crew(of_new(settings, peer_url)) as crew:
        monkeypatch.setattr(Machine, "run_input", run)
        ran = crew.run_ahead()
        assert failed and [segment.first for segment in ran].count(6) == 1
        (poisoned,) = crew.desk.jobs.attempts.poisoned()
        assert poisoned.epoch == 6 and "IndexError" in poisoned.describe() and poisoned.is_ahead
        crew.run_in_order()
        assert ends_of(crew.store) == truth and not crew.desk.jobs.attempts.poisoned()


def test_a_fast_path_that_is_wrong_about_a_machine_is_no_alarm_before_that_is_known_to_be_true(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, run_input = ends_of(peer.store), Machine.run_input
    claim(posted, truth)

    def run(machine: Machine, batch: Batch, input_index: int) -> int:
        outcome = run_input(machine, batch, input_index)
        if batch.header.number == 6:
            machine.regs.time += 1
        return outcome

    with Crew(of_new(settings, peer_url)) as crew:
        for hands in crew.hands:
            monkeypatch.setattr(hands.checks, "_is_drawn", lambda: True)
        monkeypatch.setattr(Machine, "run_input", run)
        crew.run_ahead()
        assert not crew.store.alarm() and crew.desk.jobs.attempts.poisoned()[0].epoch == 6
        for epoch in range(6):
            crew.hands[0].execute(epoch)
        assert not crew.store.alarm() and crew.store.epoch_count() == 6
        assert crew.hands[0].execute(6) is None
        assert crew.store.alarm()
        assert crew.run_in_order() == EPOCHS, "what went before is not believed either"
        assert ends_of(crew.store) == truth


def work_until(settings: WatcherSettings, number: int) -> None:
    """A worker that waits for its end in the batch of this number."""
    run_input, store = Machine.run_input, Desk(settings).store

    def run(machine: Machine, batch: Batch, input_index: int) -> int:
        if batch.header.number == number:
            store.redis.set(store.key("there"), 1)
            threading.Event().wait()
        return run_input(machine, batch, input_index)

    Machine.run_input = run  # type: ignore[method-assign]
    run_worker(settings, burst=True)


def test_a_worker_that_is_killed_in_a_segment_costs_nothing_but_time(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings
) -> None:
    truth, new = ends_of(peer.store), of_new(settings, peer_url)
    claim(posted, truth)
    context = multiprocessing.get_context("spawn")
    with Crew(new) as crew:
        first, *_ = crew.scout.look()
        worker = context.Process(target=work_until, args=(new, first.first))
        worker.start()
        wait_until(lambda: crew.store.redis.exists(crew.store.key("there")))
        assert crew.scout.look()[0].first != first.first, "somebody is at it"
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert crew.desk.jobs.ahead.count() == 0
        # Whoever lives finds it free again, once the dead one has not been heard of for a while.
        wait_until(lambda: any(segment.first == first.first for segment in crew.scout.look()))
        wait_until(
            lambda: first.first in [job.args[0] for job in crew.desk.jobs.ahead_queue().jobs] or crew.scout.look() == []
        )
        crew.run_ahead()
        crew.run_in_order()
        assert ends_of(crew.store) == truth and not crew.desk.jobs.attempts.poisoned()


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3])
def test_worker_processes_catch_up_together(
    posted: Exchange, peer: Desk, peer_url: str, settings: WatcherSettings, count: int
) -> None:
    truth, new = ends_of(peer.store), of_new(settings, peer_url)
    claim(posted, truth)
    desk = Desk(new)
    desk.catch_up()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=run_worker, args=(new,)) for _ in range(count)]
    for worker in workers:
        worker.start()
    scout = Scout(new, desk.store)
    wait_until(lambda: len(desk.jobs.workers()) == count)

    def look() -> None:
        scout.look()
        desk.jobs.enqueue_next()

    wait_until(lambda: desk.store.epoch_count() == EPOCHS, meanwhile=look)
    for worker in workers:
        worker.terminate()
        worker.join()
    assert ends_of(desk.store) == truth


def test_a_poisoned_epoch_is_left_alone_and_said_aloud(
    posted: Exchange, peer: Desk, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, run_input = ends_of(peer.store), Machine.run_input

    def run(machine: Machine, batch: Batch, input_index: int) -> int:
        if batch.header.number == 3:
            raise MemoryError
        return run_input(machine, batch, input_index)

    with Crew(of_new(settings)) as crew:
        monkeypatch.setattr(Machine, "run_input", run)
        for epoch in range(3):
            crew.hands[0].execute(epoch)
        for _ in range(3):
            assert crew.hands[0].execute(3) is None
        jobs = crew.desk.jobs
        queue = jobs.queue(f"{WORKER}0")
        queue.empty()
        assert jobs.enqueue_next() and queue.is_empty() and jobs.queue().is_empty(), "it is left alone"
        (poisoned,) = jobs.attempts.poisoned()
        assert poisoned.epoch == 3 and poisoned.count == 3
        result = peer.store.results()[3]
        jobs.attempts._put(result.epoch_hash, result.start, replace(poisoned, at=0))
        assert jobs.enqueue_next() and len(queue) == 1, "for a while"
        with Pulse(crew.store, "follower").beating() as pulse:
            pulse.tell(poisoned=[poisoned.describe()])
            wait_until(lambda: any("MemoryError" in words for words in find_problems(read_status(crew.store))))
        assert crew.run_in_order() == EPOCHS - 3, "by plain steps it goes"
        assert ends_of(crew.store) == truth and not jobs.attempts.poisoned()


def test_signers_are_found_ahead_by_who_has_nothing_else_to_do(
    posted: Exchange, peer: Desk, settings: WatcherSettings
) -> None:
    with Crew(of_new(settings)) as crew:
        assert crew.scout.look() == [], "nobody has a machine, and nothing is claimed"
        (job, other) = crew.desk.jobs.ahead_queue().jobs
        assert (job.args, other.args) == ([2], [3]) or (job.args, other.args) == ((2,), (3,))
        for epoch in range(2, EPOCHS):
            crew.hands[1].find_signers(epoch)
        assert len([*crew.store.redis.scan_iter(crew.store.key("signers", "*"))]) == EPOCHS - 2
        assert crew.scout.look() == [] and crew.desk.jobs.ahead_queue().is_empty()
        assert crew.run_in_order() == EPOCHS and ends_of(crew.store) == ends_of(peer.store)
        assert crew.hands[0].signers.used == 2 * (EPOCHS - 2)
        assert not [*crew.store.redis.scan_iter(crew.store.key("signers", "*"))], "used once"


@pytest.mark.parametrize("kind", ["damaged", "cut", "false"])
def test_signers_that_are_not_true_are_found_again(
    posted: Exchange, peer: Desk, settings: WatcherSettings, kind: str
) -> None:
    with Crew(of_new(settings)) as crew:
        for epoch in range(2, EPOCHS):
            crew.hands[1].find_signers(epoch)
            place = crew.store.batch_place(epoch)
            assert place is not None
            key = crew.store.key("signers", place.hash.hex())
            value = bytearray(crew.store.redis.get(key))
            value[-1] ^= 1
            if kind == "cut":
                del value[-1]
            if kind == "false":
                value[:8] = keccak(place.hash + bytes(value[8:]))[:8]
            crew.store.redis.set(key, bytes(value))
        assert crew.run_in_order() == EPOCHS and ends_of(crew.store) == ends_of(peer.store)
        assert crew.hands[0].signers.used == 0 and not crew.store.alarm()
