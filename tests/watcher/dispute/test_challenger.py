"""Whole disputes on a real chain, honest watcher against lying watcher, each with what its own workers executed."""

import threading
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs, run_lying_watcher
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.dispute.calls import Call
from setoff.shared.errors import ConfigError, StateError
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.court_audit import find_contradiction, list_facts
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.l1.storage import find_difference
from setoff.shared.machine.history import EPOCH
from setoff.shared.params import DEMO
from setoff.watcher.context import Context
from setoff.watcher.dispute import epoch_files, trace_provider
from setoff.watcher.dispute.background import Run
from setoff.watcher.dispute.challenger import describe, make_player, open_epochs
from setoff.watcher.dispute.trace_provider import ExecutedEpochs
from setoff.watcher.execution.histories import Histories
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult

HONEST, LIAR = 5, 6
"""Accounts of the chain."""
PERIOD = DEMO.challenge_period


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    exchange = Exchange(anvil, DEMO)
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 1_000_000)
    exchange.post(0, 1)
    exchange.post(1, 0, [traffic.withdraw(1, 7), traffic.withdraw(1, 8)])
    exchange.post(2, 0)
    return exchange


class Party(NamedTuple):
    """A watcher in this process: its hands and its player."""

    desk: Desk
    player: CourtPlayer

    @classmethod
    def of(cls, settings: WatcherSettings, account: int, lie: WatcherLie | None = None) -> "Party":
        settings = replace(settings, name=f"party-{account}", key=dev_keys()[account].hex())
        desk = Desk(settings)
        desk.execute_all()
        context = Context.open(settings, key=settings.private_key())
        return cls(desk, make_player(settings, context, partial(open_false_epochs, lie) if lie else open_epochs))

    @property
    def confirmed(self) -> int:
        return self.player.reader.court.confirmed


def play(exchange: Exchange, parties: list[Party], until: int, rounds: int = 80) -> None:
    """Rounds, a second each or more, until `until` epochs are confirmed."""
    for _ in range(rounds):
        for party in parties:
            party.player.step()
        exchange.anvil.advance(1)
        if all(party.confirmed >= until for party in parties):
            return
    raise AssertionError(f"only {[party.confirmed for party in parties]} epochs are confirmed after {rounds} rounds")


def true_starts(party: Party) -> list[bytes]:
    ends = [result.end for epoch in range(3) if (result := party.desk.store.epoch(epoch))]
    return [party.player.reader.contract.genesis, *ends]


def test_claims_what_nobody_claims(exchange: Exchange, settings: WatcherSettings) -> None:
    honest = Party.of(replace(settings, claim_after=0), HONEST)
    play(exchange, [honest], until=3)
    assert list(honest.player.reader.court.start_of.values()) == true_starts(honest)


def test_without_claims_only_watches(exchange: Exchange, settings: WatcherSettings) -> None:
    honest = Party.of(settings, HONEST)
    assert honest.player.step().sent == []


LIES = [("wrong-root", 1), ("double-deposit", 0), ("forged-withdrawal", 2)]
"""Lies, and the epoch of the fixture that they fit."""


@pytest.mark.parametrize(("fault", "epoch"), LIES)
def test_a_false_claim_is_corrected(exchange: Exchange, settings: WatcherSettings, fault: str, epoch: int) -> None:
    honest = Party.of(settings, HONEST)
    liar = Party.of(replace(settings, claim_after=0), LIAR, WatcherLie(fault, epoch))
    play(exchange, [liar, honest], until=epoch + 1)
    court = honest.player.reader.court
    assert list(court.start_of.values()) == true_starts(honest)[: len(court.start_of)]
    (claim,) = [claim for claim in court.claims.values() if claim.epoch == epoch]
    assert claim.end != claim.result and claim.histories[claim.winner].owner == honest.player.player.me


def test_every_word_of_a_dispute_is_proven_by_the_courts_storage(exchange: Exchange, settings: WatcherSettings) -> None:
    """Of every state that it passes: what an audit would hold it against."""
    honest = Party.of(settings, HONEST)
    liar = Party.of(replace(settings, claim_after=0), LIAR, WatcherLie("wrong-root", 1))
    reader, levels = honest.player.reader, set[int]()
    for number in range(160):
        (liar, honest)[number % 2].player.step()
        exchange.anvil.advance(1)
        reader.poll()
        block, facts = exchange.operator.block(reader.block), list(list_facts(reader.court))
        assert find_contradiction(reader.court) == ""
        assert find_difference(exchange.operator, reader.contract.address, block, facts) == ""
        claims = reader.court.unfinished()
        levels |= {match.level for claim in claims for match in claim.turns()}
        if honest.confirmed >= 2:
            break
    assert honest.confirmed >= 2 and {0, EPOCH.levels} < levels


def test_a_lying_watcher_does_not_stop_true_claims(exchange: Exchange, settings: WatcherSettings) -> None:
    honest = Party.of(replace(settings, claim_after=0), HONEST)
    liar = Party.of(settings, LIAR, WatcherLie("forged-withdrawal"))
    play(exchange, [honest, liar], until=3, rounds=150)
    court = honest.player.reader.court
    assert list(court.start_of.values()) == true_starts(honest)
    assert any(history.was_eliminated for claim in court.claims.values() for history in claim.histories.values())
    assert not any(
        history.was_eliminated and history.owner == honest.player.player.me
        for claim in court.claims.values()
        for history in claim.histories.values()
    )


def test_goes_on_in_the_middle_of_a_game(exchange: Exchange, settings: WatcherSettings) -> None:
    """A new process every round, with nothing but Redis, and once with an empty one."""
    liar = Party.of(replace(settings, claim_after=0), LIAR, WatcherLie("wrong-root", 1))
    for number in range(80):
        honest = Party.of(settings, HONEST)
        if number == 4:
            for key in honest.desk.store.redis.scan_iter(honest.desk.store.key("*")):
                honest.desk.store.redis.delete(key)
            honest = Party.of(settings, HONEST)
        liar.player.step()
        honest.player.step()
        exchange.anvil.advance(1)
        if honest.confirmed >= 2:
            break
    assert liar.player.reader.court.start_of[2] == true_starts(honest)[2]


def test_disputes_are_in_the_status(exchange: Exchange, settings: WatcherSettings) -> None:
    honest = Party.of(settings, HONEST)
    liar = Party.of(replace(settings, claim_after=0), LIAR, WatcherLie("double-deposit", 0))
    assert describe(honest.player, honest.player.step())["disputes"] == []
    for _ in range(3):
        liar.player.step()
        result = honest.player.step()
        exchange.anvil.mine()
    facts = describe(honest.player, result)
    assert [dispute["epoch"] for dispute in facts["disputes"]] == [0] and facts["alarm"] is False


def test_a_liar_tells_the_truth_where_his_lie_does_not_fit(exchange: Exchange, settings: WatcherSettings) -> None:
    liar = Party.of(settings, LIAR, WatcherLie("wrong-fill"))
    for epoch in range(3):
        executed, result = liar.player.epochs.executed(epoch), liar.desk.store.epoch(epoch)
        assert executed is not None and result is not None and executed.run.end == result.end


@pytest.mark.parametrize(("fault", "epoch"), LIES)
def test_a_lie_starts_at_the_truth_and_ends_elsewhere(
    exchange: Exchange, settings: WatcherSettings, fault: str, epoch: int
) -> None:
    liar = Party.of(settings, LIAR, WatcherLie(fault))
    executed, result = liar.player.epochs.executed(epoch), liar.desk.store.epoch(epoch)
    assert executed is not None and result is not None
    assert executed.run.start_hash == result.start and executed.run.end != result.end


def test_knows_nothing_of_an_epoch_that_a_reorg_replaced(exchange: Exchange, settings: WatcherSettings) -> None:
    desk = Desk(settings)
    desk.execute_all()
    epochs = ExecutedEpochs(desk.archive, Histories(settings.evidence_dir))
    executed = epochs.executed(2)
    assert executed is not None and epochs.executed(3) is None
    desk.store.redis.hset(desk.store.key("batches"), "2", bytes(40))
    assert epochs.executed(2) is None
    with pytest.raises(StateError, match="not_ready"):
        _ = executed.run.root
    desk.execute_all()
    assert epochs.executed(1) is not None


def test_more_histories_than_are_kept_do_not_push_each_other_out_unfinished(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(settings)
    desk.execute_all()
    monkeypatch.setattr(trace_provider, "RUNS", 1)
    epochs = ExecutedEpochs(desk.archive, Histories(settings.evidence_dir), wait=0.01)
    go, read_run = threading.Event(), epochs._read_run
    read: list[int] = []

    def read_slowly(epoch: int, result: EpochResult) -> Run:
        go.wait(60)
        read.append(epoch)
        return read_run(epoch, result)

    monkeypatch.setattr(epochs, "_read_run", read_slowly)
    executed = [epochs.executed(epoch) for epoch in range(3)]
    roots: dict[int, bytes] = {}
    while len(roots) < 3:
        for epoch, found in enumerate(executed):
            assert found is not None
            try:
                roots[epoch] = found.run.root
            except StateError as error:
                assert error.reason == "not_ready"
        if not go.is_set():
            assert roots == {}
            go.set()
    assert read == [0, 1, 2]
    assert len(set(roots.values())) == 3


def test_lies_stay_away_from_mainnet(settings: WatcherSettings, exchange: Exchange) -> None:
    replace(exchange.deployment, chain_id=1).save(settings.deployment)
    with pytest.raises(ConfigError, match="test networks"):
        run_lying_watcher(settings, WatcherLie("wrong-root"))


def test_refuses_an_unknown_lie(settings: WatcherSettings) -> None:
    with pytest.raises(ConfigError, match="no lie"):
        run_lying_watcher(settings, WatcherLie("white"))


def test_a_history_that_cannot_be_written_down_holds_up_no_other_game(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full: two lies, one of whose histories has no room for a while."""
    honest, thief = Party.of(settings, HONEST), exchange.anvil.connect(LIAR)
    court = CourtContract(thief, exchange.deployment.court)
    results = [result for epoch in range(2) if (result := honest.desk.store.epoch(epoch))]
    monkeypatch.setattr(trace_provider, "LAST_PAUSE", 0.1)
    thief.transact(court.address, court.encode(Call("claim", (0, court.genesis, b"a" * 32))), DEMO.stake)
    honest.player.step()
    exchange.anvil.advance(PERIOD - 10)
    thief.transact(court.address, court.encode(Call("claim", (1, results[0].end, b"b" * 32))))

    def ends() -> list[bytes]:
        claims = [claim for claim in honest.player.reader.court.claims.values() if claim.epoch == 1]
        return [history.end for claim in claims for history in claim.histories.values()]

    with monkeypatch.context() as full:
        full.setattr(epoch_files, "LEAST_FREE", 1 << 62)
        exchange.anvil.advance(11)
        wait_until(lambda: honest.confirmed == 1, meanwhile=honest.player.step)
        assert ends() == []
    wait_until(lambda: ends() == [results[1].end], meanwhile=honest.player.step)
