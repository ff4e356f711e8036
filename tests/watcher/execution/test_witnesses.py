"""Witness bundles made by a watcher for whoever asks: behind all real work, within bounds, and right."""

import json
import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from tests.support.chains.exchange import Exchange
from tests.support.chains.payments import post_payments
from tests.support.processes.serving import serving
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.shared.dispute.calls import Call
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witnesses import open_bundle, run_bundle
from setoff.shared.params import DEVNET, Params
from setoff.watcher.execution import jobs, witness_maker
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.witness_desk import ASKED_AT_ONCE, WitnessDesk
from setoff.watcher.execution.witness_maker import WitnessMaker
from setoff.watcher.execution.witness_shelf import LASTS, EpochName, WitnessShelf
from setoff.watcher.pulse import Pulse, read_status
from setoff.watcher.server import make_app
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

BATCHES = 4
EPOCHS = 3
LIMIT = 10**6


@pytest.fixture
def params() -> Params:
    return replace(DEVNET, epoch_batches=BATCHES).check()


@pytest.fixture
def desk(exchange: Exchange, settings: WatcherSettings) -> Desk:
    """A watcher that has executed three epochs of four batches."""
    post_payments(exchange, EPOCHS * BATCHES)
    desk = Desk(settings)
    desk.execute_all()
    desk.jobs.queue().empty()  # type: ignore[no-untyped-call] # the jobs of what was executed by hand
    return desk


def make_maker(desk: Desk, limit: int = LIMIT) -> WitnessMaker:
    return WitnessMaker(desk.archive, desk.jobs, limit)


def name_of(desk: Desk, epoch: int) -> EpochName:
    known = desk.store.epoch(epoch)
    assert known is not None
    return EpochName(known.epoch_hash, known.start)


def make(desk: Desk, epoch: int, maker: WitnessMaker | None = None) -> bool:
    desk.store.redis.delete(desk.store.key("witnesses:rest"))
    return (maker or make_maker(desk)).make(epoch, name_of(desk, epoch).start)


def bundles_of(desk: Desk, epoch: int) -> list[bytes]:
    shelf, name = WitnessShelf(desk.store), name_of(desk, epoch)
    return [shelf.read(name, batch, 0, shelf.measure(name, batch)) for batch in range(BATCHES)]


def check(desk: Desk, epoch: int) -> None:
    """All bundles of an epoch lead from one boundary to the next, and the first and last are the executed ones."""
    boundaries = WitnessShelf(desk.store).boundaries(name_of(desk, epoch))
    known = desk.store.epoch(epoch)
    assert known is not None and (boundaries[0], boundaries[-1]) == (known.start, known.end)
    assert len(boundaries) == BATCHES + 1
    for batch, bundle in enumerate(bundles_of(desk, epoch)):
        fragment = open_bundle(bundle, boundaries[batch], LIMIT)
        assert run_bundle(fragment, desk.archive.batch(epoch * BATCHES + batch)).end == boundaries[batch + 1]


def test_what_is_made_is_what_was_executed(desk: Desk) -> None:
    maker = make_maker(desk)
    for epoch in range(EPOCHS):
        assert make(desk, epoch, maker)
        check(desk, epoch)
    before = bundles_of(desk, 1)
    assert make(desk, 1) and bundles_of(desk, 1) == before, "twice does no harm"
    assert maker.made == EPOCHS and desk.store.sizes()["witnesses"] > sum(map(len, before))
    assert not desk.store.alarm()


def test_what_is_kept_is_over_after_a_while(desk: Desk) -> None:
    make(desk, 1)
    keys = list(desk.store.redis.scan_iter(desk.store.key("witness*")))
    assert len(keys) == BATCHES + 3  # boundaries, the index, and a rest
    for key in keys:
        if b"witness:" in key:
            assert 0 < desk.store.redis.ttl(key) <= LASTS


def test_it_leaves_off_where_there_is_work_and_goes_on_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_maker, "LOOK_SECONDS", 0.0)
    calls, stop_at = 0, 0
    has_work = Jobs.has_work

    def look(self: Jobs) -> bool:
        nonlocal calls
        calls += 1
        return calls == stop_at or has_work(self)

    monkeypatch.setattr(Jobs, "has_work", look)
    assert make(desk, 1)
    whole, total = bundles_of(desk, 1), calls
    WitnessShelf(desk.store).drop(name_of(desk, 1))
    made, ran = [], 0
    for stop_at in (2, total // 2, total * 3 // 4):  # noqa: B007 # `look` reads it
        calls = 0
        assert not make(desk, 1)
        made.append(len(WitnessShelf(desk.store).boundaries(name_of(desk, 1))))
        assert not WitnessShelf(desk.store).is_made()
        ran += calls
    assert made == sorted(made) and 1 < made[-1] <= BATCHES
    stop_at = 0
    assert make(desk, 1) and bundles_of(desk, 1) == whole
    check(desk, 1)


@pytest.mark.parametrize("what", ["an epoch", "a segment", "a worker's own", "one at work", "a dispute"])
def test_nothing_is_made_while_there_is_real_work(desk: Desk, what: str) -> None:
    with Pulse(desk.store, "worker-other").beating() as worker, Pulse(desk.store, "challenger").beating() as challenger:
        worker.beat()
        challenger.tell(disputes=[{"epoch": 1}] if what == "a dispute" else [])
        challenger.beat()
        queues = {"an epoch": None, "a segment": "ahead", "a worker's own": "worker-other"}
        if what in queues:
            desk.jobs.queue(queues[what]).enqueue_call(jobs.execute_epoch, (0,))
        elif what == "one at work":
            desk.store.redis.hset(desk.store.key("working"), "worker-other", bytes(64))
        assert desk.jobs.has_work() and not make(desk, 1)
        assert WitnessShelf(desk.store).boundaries(name_of(desk, 1)) == []
    desk.jobs.queue(queues.get(what)).empty()  # type: ignore[no-untyped-call]
    assert not desk.jobs.has_work(), "whoever is gone does not count"


def test_whoever_is_told_to_stop_leaves_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_maker, "LOOK_SECONDS", 0.0)
    asked = iter([False, False, True])
    maker = WitnessMaker(desk.archive, desk.jobs, LIMIT, lambda: next(asked))
    assert not make(desk, 1, maker) and next(asked, None) is None


def test_larger_than_may_be_kept_is_not_tried_again(desk: Desk) -> None:
    make(desk, 1)
    size = sum(map(len, bundles_of(desk, 1)))
    WitnessShelf(desk.store).drop(name_of(desk, 1))
    assert not make(desk, 1, make_maker(desk, size - 1))
    assert WitnessShelf(desk.store).is_refused(name_of(desk, 1)) and bundles_of(desk, 1) == [b""] * BATCHES
    assert desk.store.sizes()["witnesses"] == 1


def test_when_all_room_is_taken_others_wait_for_it(desk: Desk) -> None:
    shelf, sizes = WitnessShelf(desk.store), []
    for epoch in (0, 1):
        make(desk, epoch)
        sizes.append(sum(map(len, bundles_of(desk, epoch))))
    shelf.drop(name_of(desk, 0))
    maker = make_maker(desk, sum(sizes) - 1)
    assert not make(desk, 0, maker)
    assert not shelf.is_refused(name_of(desk, 0)) and LASTS - 60 < shelf.wait() <= LASTS
    check(desk, 1)
    shelf.drop(name_of(desk, 1))
    assert make(desk, 0, maker)


def test_a_machine_that_is_too_large_or_not_at_hand_is_left_alone(desk: Desk) -> None:
    start = name_of(desk, 1).start
    machine = desk.store.snapshot(start)
    assert machine is not None and not make(desk, 1, make_maker(desk, len(machine.snapshot()) - 1))
    assert WitnessShelf(desk.store).is_refused(name_of(desk, 1))
    desk.store.drop_snapshot(name_of(desk, 2).start)
    assert not make(desk, 2) and not make_maker(desk).make(1, bytes(32)) and not make_maker(desk).make(9, bytes(32))
    assert not make(desk, 0, make_maker(desk, 0))


def test_damage_is_noticed_and_made_anew(desk: Desk) -> None:
    shelf, name = WitnessShelf(desk.store), name_of(desk, 1)
    for damaged in (bytes(32), name.start + bytes(32), name.start * 9, b"x"):
        shelf.drop(name)
        desk.store.redis.set(desk.store.key("witness", name.epoch_hash.hex(), name.start.hex(), "boundaries"), damaged)
        make(desk, 1)
        assert make(desk, 1)
        check(desk, 1)


def test_damaged_inputs_are_no_alarm_and_l1_is_not_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError("what a node answers in a day is not for whoever asks")

    for name in ("batch_hash", "queue_hash_at", "batch", "find"):
        monkeypatch.setattr(desk.archive.reader, name, refuse)
    assert make(desk, 1)
    place = desk.store.batch_place(2 * BATCHES + 1)
    assert place is not None
    key = desk.store.key("batch", place.hash.hex())
    value = bytearray(desk.store.redis.get(key) or b"")
    value[-1] ^= 1
    desk.store.redis.set(key, bytes(value))
    assert not make(desk, 2) and not desk.store.alarm() and not WitnessShelf(desk.store).boundaries(name_of(desk, 2))
    desk.store.redis.delete(key)
    assert not make(desk, 2)


def test_an_end_that_plain_steps_do_not_come_to_is_an_alarm(desk: Desk) -> None:
    known = desk.store.epoch(2)
    assert known is not None
    desk.store.put_epoch(2, known._replace(end=bytes(32)))
    assert not make(desk, 2)
    assert "plain steps end at 0x" in desk.store.alarm() and not desk.store.hashes("witness")


def test_it_rests_as_long_as_it_worked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, rested = WitnessShelf(desk.store), list[float]()
    assert shelf.wait() == 0
    shelf.rest(60)
    assert 58 <= shelf.wait() <= 60
    monkeypatch.setattr(WitnessShelf, "rest", lambda _, seconds: rested.append(seconds))
    began = time.monotonic()
    make_maker(desk).make(1, name_of(desk, 1).start)
    assert 0 < rested[0] <= time.monotonic() - began


# --- the desk ---


def ask(url: str, path: str) -> tuple[int, dict[str, object]]:
    answer = requests.get(f"{url}/v1/witnesses/{path}", timeout=10)
    return answer.status_code, answer.json()


def test_whoever_asks_has_it_made_once_and_comes_again(desk: Desk) -> None:
    with serving(lambda: make_app(WitnessDesk(desk.store, LIMIT).routes())) as url:
        for _ in range(3):
            status, told = ask(url, "1")
            assert status == 503 and told["reason"] == "not_ready" and "as soon as there is time" in str(told["detail"])
        assert ask(url, "2")[0] == 503
        assert desk.jobs.witness_queue().count == 1, "one epoch at a time"
        assert desk.jobs.count().waiting == 0, "nobody is alarmed by what may wait"
        assert requests.get(f"{url}/v1/witnesses/1", timeout=10).headers["Retry-After"] == "2"
        (job,) = desk.jobs.witness_queue().get_jobs()
        assert job.args == [1, name_of(desk, 1).start.hex()]
        desk.jobs.witness_queue().empty()  # type: ignore[no-untyped-call]
        make(desk, 1)
        status, told = ask(url, "1")
        known = desk.store.epoch(1)
        assert known is not None and status == 200 and told["epoch"] == 1
        assert told["boundaries"][-1] == "0x" + known.end.hex()  # type: ignore[index]
        answer = requests.get(f"{url}/v1/witnesses/1/6", timeout=10)
        assert answer.content == bundles_of(desk, 1)[2] and answer.headers["Cache-Control"] == "no-store"
        assert ask(url, "1/9")[0] == 404 and ask(url, "2/8")[0] == 404
        WitnessShelf(desk.store).rest(60)
        status, told = ask(url, "2")
        assert status == 503 and "there are others before these" in str(told["detail"])
        assert told["numbers"] == {"retry_after": 60}


@pytest.mark.parametrize("path", ["x", "-1", "1.5", "٣", "9" * 19, "1/x", "1/-6", "1/" + "9" * 30])
def test_what_is_no_number_is_refused(desk: Desk, path: str) -> None:
    with serving(lambda: make_app(WitnessDesk(desk.store, LIMIT).routes())) as url:
        assert ask(url, path)[0] == 400


def test_what_is_not_to_be_had_is_said_at_once(desk: Desk, exchange: Exchange) -> None:
    with serving(lambda: make_app(WitnessDesk(desk.store, 0).routes())) as url:
        status, told = ask(url, "1")
        assert status == 404 and "witness_limit is 0" in str(told["detail"])
    with serving(lambda: make_app(WitnessDesk(desk.store, LIMIT).routes())) as url:
        status, told = ask(url, "9")
        assert status == 404 and "not all posted" in str(told["detail"])
        desk.store.drop_snapshot(name_of(desk, 1).start)
        status, told = ask(url, "1")
        assert status == 404 and "not kept here any more" in str(told["detail"])
        desk.store.drop_batches([desk.store.batch_place(2 * BATCHES).hash])  # type: ignore[union-attr]
        assert ask(url, "2")[0] == 404
        WitnessShelf(desk.store).refuse(name_of(desk, 0))
        status, told = ask(url, "0")
        assert status == 404 and "witness_limit" in str(told["detail"])
        for number in range(EPOCHS * BATCHES, (EPOCHS + 1) * BATCHES):
            exchange.post(number, 0)
        desk.catch_up()
        status, told = ask(url, str(EPOCHS))
        assert status == 503 and "not executed yet" in str(told["detail"])
        assert desk.jobs.witness_queue().count == 0


def test_a_crowd_of_askers_is_told_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    there, go_on = threading.Barrier(ASKED_AT_ONCE + 1), threading.Event()
    look_up = WitnessDesk._look_up

    def look_up_slowly(self: WitnessDesk, epoch: int) -> dict[str, object]:
        there.wait(10)
        go_on.wait(10)
        return look_up(self, epoch)

    monkeypatch.setattr(WitnessDesk, "_look_up", look_up_slowly)
    with serving(lambda: make_app(WitnessDesk(desk.store, LIMIT).routes())) as url:
        askers = [threading.Thread(target=ask, args=(url, "1")) for _ in range(ASKED_AT_ONCE)]
        for asker in askers:
            asker.start()
        there.wait(10)
        status, told = ask(url, "1")
        assert status == 503 and told["reason"] == "overloaded"
        go_on.set()
        for asker in askers:
            asker.join()
    assert desk.jobs.witness_queue().count == 1


# --- a whole watcher ---


def claim_all(exchange: Exchange, desk: Desk, *, last: bytes) -> None:
    """All epochs, truly but for the end of the last."""
    court = CourtContract(exchange.operator, exchange.deployment.court)
    for epoch, result in enumerate(desk.store.results()):
        exchange.anvil.advance(DEVNET.claim_interval)
        start = result.start if epoch else Machine.genesis(*exchange.deployment.genesis).hash()
        data = court.encode(Call("claim", (epoch, start, last if epoch == EPOCHS - 1 else result.end)))
        assert exchange.operator.transact(court.address, data, 0 if epoch else DEVNET.stake).succeeded


def url_of(desk: Desk) -> str:
    found = [status.facts.get("url") for status in read_status(desk.store) if status.process == "server"]
    return str(found[0]) if found and found[0] else ""


def test_a_whole_watcher_serves_both_ways_to_check_an_epoch_and_shows_up_a_lie(
    desk: Desk, exchange: Exchange, settings: WatcherSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    lie, last = bytes(31) + b"\7", EPOCHS - 1
    claim_all(exchange, desk, last=lie)

    def verify(line: str, code: int = 0) -> dict[str, Any]:
        where = ["--rpc", exchange.anvil.url, "--deployment", str(settings.deployment), "--json"]
        assert main(["verify", *line.split(), *where]) == code, capsys.readouterr()
        return dict(json.loads(capsys.readouterr().out))

    with Watcher(settings):
        wait_until(lambda: url_of(desk), 60)
        url = url_of(desk)
        assert urlsplit(url).port
        whole = verify(f"1 --from {url}")
        assert whole["agrees"] is True and whole["start_is"] == "claimed"
        for epoch, count in ((1, 4), (1, 2), (0, 1)):
            found = verify(f"{epoch} --spot {count} --from {url}")
            assert found["agrees"] is True and found["probability"] == count / BATCHES
            assert len(found["drawn"]) == count
        assert found["start_is"] == "confirmed"
        false = verify(f"{last} --spot 2 --from {url}", code=1)
        true_end = desk.store.results()[last].end.hex()
        assert false["agrees"] is False and false["drawn"] == []
        assert f"ends at 0x{lie.hex()}, by the server 0x{true_end}: one of the two is false" in false["why"]
        false = verify(f"{last} --from {url}", code=1)
        assert f"another one is claimed: 0x{lie.hex()}" in false["why"]
        told = sum(int(each.facts.get("witnesses", 0)) for each in read_status(desk.store))
        assert told == EPOCHS
