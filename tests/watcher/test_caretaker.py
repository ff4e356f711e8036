"""The caretaker: posts and fills while the operator is silent, pays no more than its pace, makes way for others and for
the operator; and a whole watcher alone brings a user's money back after `kill -9` of the operator."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.exchange import Exchange
from tests.fixtures.lone_watcher import LoneWatcher, find_withdrawal, pay
from tests.fixtures.watching import Desk, wait_until

from setoff.deploy.process import Process
from setoff.deploy.scene import Scene
from setoff.shared.adapters.anvil import Anvil, dev_keys
from setoff.shared.adapters.court import CourtContract
from setoff.shared.adapters.posting import encode_post
from setoff.shared.adapters.redis_server import RedisServer
from setoff.shared.errors import ConfigError
from setoff.shared.params import DEMO
from setoff.watcher.errands import Errand, Errands
from setoff.watcher.service import Watcher
from setoff.watcher.settings import CARETAKER_CLAIM_AFTER, WatcherSettings
from setoff.watcher.status import read_status

pytestmark = pytest.mark.xdist_group("watcher processes")

SILENCE = DEMO.silence
EPOCH = 3  # batches


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Anvil() as anvil:
        yield Exchange(anvil, replace(DEMO, epoch_batches=EPOCH))


@pytest.fixture
def watcher(exchange: Exchange, settings: WatcherSettings) -> LoneWatcher:
    return LoneWatcher(exchange, caring(settings))


def caring(settings: WatcherSettings, account: int = 5, **changes: object) -> WatcherSettings:
    return replace(settings, key=dev_keys()[account].hex(), caretaker=True, **changes)  # type: ignore[arg-type]


def care(watcher: LoneWatcher, rounds: int = 1) -> str:
    for _ in range(rounds):
        watcher.desk.catch_up()
        watcher.said = watcher.caretaker.step()
    return watcher.said


def batches(watcher: LoneWatcher) -> list[tuple[int, int]]:
    """Messages and records of every batch on L1."""
    reader = watcher.parts.reader
    headers = [posted.header for posted in reader.batches(0, reader.l1.head().number)]
    return [(header.message_count, header.record_count) for header in headers]


def test_leaves_the_operator_alone_until_it_is_silent(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.post(0, 0)
    exchange.anvil.advance(SILENCE - 60)
    assert "the operator is there" in care(watcher)
    assert batches(watcher) == [(0, 0)] and watcher.caretaker.errands.sent == 0
    exchange.anvil.advance(60)
    assert care(watcher) == "batch 1: sent"


def test_fills_the_epoch_of_what_it_posted(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.deposit(2, 1_000)
    exchange.anvil.advance(SILENCE)
    assert care(watcher, 12) == "the inbox is open to everybody: 0 messages wait"
    assert batches(watcher) == [(2, 0), (0, 0), (0, 0)]


def test_fills_an_epoch_in_which_the_operator_left_records(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0, [bytes(124)])
    exchange.anvil.advance(SILENCE)
    care(watcher, 12)
    assert batches(watcher) == [(0, 1), (0, 0), (0, 0)]


def test_pays_for_no_epoch_in_which_there_is_nothing(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0)
    exchange.anvil.advance(SILENCE)
    care(watcher, 6)
    assert batches(watcher) == [(0, 0)]


def test_collects_messages_so_that_nobody_makes_it_pay_for_each(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    care(watcher, 12)
    for _ in range(3):
        exchange.deposit(1, 1)
        assert "messages wait" in care(watcher, 2)
    assert len(batches(watcher)) == EPOCH
    exchange.anvil.advance(watcher.desk.settings.caretaker_pace)
    care(watcher, 12)
    assert batches(watcher)[EPOCH:] == [(3, 0), (0, 0), (0, 0)]


def test_completes_the_epoch_of_an_operator_that_posts_too_slowly(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0, [bytes(124)])
    exchange.anvil.advance(SILENCE // 2)
    exchange.post(1, 0)
    assert "the operator is there" in care(watcher)
    exchange.anvil.advance(SILENCE // 2)
    care(watcher, 3)
    assert batches(watcher) == [(0, 1), (0, 0), (0, 0)]
    assert "the operator is there" in care(watcher), "complete epochs give it back its exclusive right"


def test_steps_back_when_the_operator_returns(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    assert care(watcher) == "batch 0: sent"
    exchange.post(1, 0, [bytes(124)])
    assert "the operator is there" in care(watcher, 3)
    assert batches(watcher) == [(1, 0), (0, 1)]


def test_two_caretakers_do_not_fight(exchange: Exchange, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    """Both see the same and send in the same block; the one whose posting comes second finds it out before it pays."""
    other = LoneWatcher(exchange, caring(settings, 6, name="other"), 6)
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    exchange.anvil.l1.request("evm_setAutomine", False)
    for _ in range(12):
        care(watcher)
        care(other)
        watcher, other = other, watcher
        exchange.anvil.mine()
    assert batches(watcher) == [(1, 0), (0, 0), (0, 0)]
    errands = [each.caretaker.errands for each in (watcher, other)]
    assert sum(each.sent for each in errands) == EPOCH and all(each.done_by_others for each in errands)


def test_turns_differ_between_accounts_and_between_errands(exchange: Exchange) -> None:
    accounts = [exchange.anvil.connect(number) for number in range(2, 8)]
    data = encode_post(0, 0, 0)

    def first(name: str) -> int:
        """Which account has the first turn."""
        errands = [Errands(l1, spread=1000.0) for l1 in accounts]
        for each in errands:
            assert "others" in each.run(Errand(name, exchange.deployment.inbox, data))
        return min(range(len(errands)), key=lambda number: errands[number]._turn[1])  # type: ignore[index]

    assert len({first(f"batch {number}") for number in range(20)}) > 2


def test_settings_that_cannot_work(settings: WatcherSettings) -> None:
    with pytest.raises(ConfigError, match="caretaker: needs a key"):
        replace(settings, caretaker=True).check()
    with pytest.raises(ConfigError, match="caretaker_pace"):
        caring(settings, caretaker_pace=-1).check()
    assert settings.claims_after is None
    assert caring(settings).claims_after == CARETAKER_CLAIM_AFTER
    assert caring(settings, claim_after=0).claims_after == 0


class Operator:
    """The operator's two processes."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        exchange.deployment.save(folder / "operator.json")
        environment = {
            "SETOFF_DEPLOYMENT": str(folder / "operator.json"),
            "SETOFF_RPC_URL": exchange.anvil.url,
            "SETOFF_CONFIRMATIONS": "0",
            "SETOFF_L1_POLL": "0.2",
            "SETOFF_OPERATOR_KEY": dev_keys()[0].hex(),
            "SETOFF_OPERATOR_LISTEN": "127.0.0.1:0",
            "SETOFF_OPERATOR_BATCH_INTERVAL": "0.2",
        }
        self._redis = RedisServer.embed(folder / "operator-redis")
        environment["REDIS_URL"] = self._redis.url
        self._parts = [
            Process(part, ["operator", part], environment, folder / f"{part}.log")
            for part in ("sequencer", "publisher")
        ]
        for part in self._parts:
            part.start()

    def check(self) -> None:
        for part in self._parts:
            part.check()

    def kill(self) -> None:
        """For good, with everything it stored."""
        for part in self._parts:
            part.kill()
        self._redis.stop()


def test_a_watcher_alone_brings_the_money_back(
    exchange: Exchange, desk: Desk, settings: WatcherSettings, tmp_path: Path
) -> None:
    """Whole processes on both sides. The operator takes a deposit and is killed; the user forces a withdrawal."""
    operator = Operator(exchange, tmp_path)
    try:
        exchange.deposit(1, 1_000_000)
        reader = desk.parts.reader

        def has_posted() -> bool:
            operator.check()
            return any(posted.header.message_count for posted in reader.batches(0, reader.l1.head().number))

        wait_until(has_posted)
    finally:
        operator.kill()
    scene = Scene(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.queue(scene.withdraw(1, 400_000))
    assert find_withdrawal(desk.parts, 1, 400_000) is None
    court = CourtContract(desk.parts.l1, exchange.deployment.court)
    deadline = time.monotonic() + 120

    def status() -> dict[str, object]:
        return {each.process: each.facts for each in read_status(desk.store)}

    with Watcher(caring(settings, caretaker_pace=0)):
        wait_until(lambda: "the operator is there" in str(status().get("caretaker")))
        exchange.anvil.advance(SILENCE)
        while (proof := find_withdrawal(desk.parts, 1, 400_000)) is None:
            assert time.monotonic() < deadline, status()
            time.sleep(0.3)
        exchange.anvil.advance(CARETAKER_CLAIM_AFTER)
        while not any(bytes(court.view("confirmed", proof.epoch))):
            assert time.monotonic() < deadline, status()
            time.sleep(0.3)
            exchange.anvil.advance(5)
        told = status()["caretaker"]
        assert isinstance(told, dict) and told["sent"] >= 1 and "open to everybody: 0 messages wait" in told["doing"]
    assert pay(exchange, proof)
