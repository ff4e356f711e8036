"""The liveness keeper: posts and fills while the operator is silent, pays no more than its pace, makes way for others
and for the operator; and a whole watcher alone brings a user's money back after `kill -9` of the operator."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.lone_watcher import LoneWatcher, find_withdrawal, pay
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.process import Process
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError, ConfigError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.contracts import QUEUE
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.inbox import Inbox
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEMO, Params
from setoff.shared.rules import phases
from setoff.watcher.execution.archive import Archive
from setoff.watcher.liveness import wind_down
from setoff.watcher.liveness.permissionless_calls import PermissionlessCall, PermissionlessCalls
from setoff.watcher.pulse import read_status
from setoff.watcher.service import Watcher
from setoff.watcher.settings import LIVENESS_KEEPER_CLAIM_AFTER, WatcherSettings

pytestmark = pytest.mark.xdist_group("watcher processes")

SILENCE = DEMO.silence
EPOCH = 3
"""Batches of an epoch."""
PACED = replace(DEMO, epoch_batches=EPOCH, claim_interval=7200, batch_interval=2400, max_skew=20_000, force_delay=3000)


@pytest.fixture
def params() -> Params:
    return replace(DEMO, epoch_batches=EPOCH)


@pytest.fixture
def watcher(exchange: Exchange, settings: WatcherSettings) -> LoneWatcher:
    return LoneWatcher(exchange, keeping(settings))


def keeping(settings: WatcherSettings, account: int = 5, **changes: object) -> WatcherSettings:
    return replace(settings, key=dev_keys()[account].hex(), liveness_keeper=True, **changes)  # type: ignore[arg-type]


def keep(watcher: LoneWatcher, rounds: int = 1) -> str:
    for _ in range(rounds):
        watcher.desk.catch_up()
        try:
            watcher.said = watcher.liveness_keeper.step()
        except StateError as error:  # what was posted since is not read yet; the service tries again, too
            watcher.said = str(error)
    return watcher.said


def batches(watcher: LoneWatcher) -> list[tuple[int, int]]:
    """Messages and records of every batch on L1."""
    reader = watcher.context.reader
    headers = [posted.header for posted in reader.batches(0, reader.l1.head().number)]
    return [(header.message_count, header.record_count) for header in headers]


def test_leaves_the_operator_alone_until_it_is_silent(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.post(0, 0)
    exchange.anvil.advance(SILENCE - 60)
    assert "the operator is there" in keep(watcher)
    assert batches(watcher) == [(0, 0)] and watcher.liveness_keeper.calls.sent == 0
    exchange.anvil.advance(60)
    assert keep(watcher) == "batch 1: sent"


def test_fills_the_epoch_of_what_it_posted(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.deposit(2, 1_000)
    exchange.anvil.advance(SILENCE)
    assert keep(watcher, 12) == "the inbox is open to everybody: 0 messages wait"
    assert batches(watcher) == [(2, 0), (0, 0), (0, 0)]


def test_fills_an_epoch_in_which_the_operator_left_records(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0, [bytes(124)])
    exchange.anvil.advance(SILENCE)
    keep(watcher, 12)
    assert batches(watcher) == [(0, 1), (0, 0), (0, 0)]


def test_pays_for_no_epoch_in_which_there_is_nothing(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0)
    exchange.anvil.advance(SILENCE)
    keep(watcher, 6)
    assert batches(watcher) == [(0, 0)]


def test_collects_messages_so_that_nobody_makes_it_pay_for_each(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    keep(watcher, 12)
    for _ in range(3):
        exchange.deposit(1, 1)
        assert "messages wait" in keep(watcher, 2)
    assert len(batches(watcher)) == EPOCH
    exchange.anvil.advance(watcher.desk.settings.liveness_keeper_pace)
    keep(watcher, 12)
    assert batches(watcher)[EPOCH:] == [(3, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("params", [PACED])
def test_waits_for_the_pace_of_epochs_and_says_until_when(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    keep(watcher, 12)
    assert len(batches(watcher)) == EPOCH
    exchange.deposit(1, 1)
    exchange.anvil.advance(7000)  # long enough for its own pace
    until = Inbox(exchange.operator, exchange.deployment).paced_until()
    assert keep(watcher) == f"the inbox is open to everybody: 1 messages wait until {until}, when an epoch may begin"
    exchange.anvil.advance(200)
    keep(watcher, 12)
    assert batches(watcher)[EPOCH:] == [(1, 0), (0, 0), (0, 0)]


def test_completes_the_epoch_of_an_operator_that_posts_too_slowly(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.post(0, 0, [bytes(124)])
    exchange.anvil.advance(SILENCE // 2)
    exchange.post(1, 0)
    assert "the operator is there" in keep(watcher)
    exchange.anvil.advance(SILENCE // 2)
    keep(watcher, 3)
    assert batches(watcher) == [(0, 1), (0, 0), (0, 0)]
    assert "the operator is there" in keep(watcher), "complete epochs give it back its exclusive right"


def test_steps_back_when_the_operator_returns(exchange: Exchange, watcher: LoneWatcher) -> None:
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    assert keep(watcher) == "batch 0: sent"
    exchange.post(1, 0, [bytes(124)])
    assert "the operator is there" in keep(watcher, 3)
    assert batches(watcher) == [(1, 0), (0, 1)]


def test_two_liveness_keepers_do_not_fight(exchange: Exchange, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    """Both see the same and send in the same block; the one whose posting comes second finds it out before it pays."""
    other = LoneWatcher(exchange, keeping(settings, 6, name="other"), 6)
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    exchange.anvil.l1.request("evm_setAutomine", False)
    for _ in range(12):
        keep(watcher)
        keep(other)
        watcher, other = other, watcher
        exchange.anvil.mine()
    assert batches(watcher) == [(1, 0), (0, 0), (0, 0)]
    calls = [each.liveness_keeper.calls for each in (watcher, other)]
    assert sum(each.sent for each in calls) == EPOCH and all(each.done_by_others for each in calls)


def test_turns_differ_between_accounts_and_between_errands(exchange: Exchange) -> None:
    accounts = [exchange.anvil.connect(number) for number in range(2, 8)]
    data = exchange.posting(0, 0, 0)

    def first(name: str) -> int:
        """Which account has the first turn."""
        calls = [PermissionlessCalls(l1, spread=1000.0) for l1 in accounts]
        for each in calls:
            assert "others" in each.run(PermissionlessCall(name, exchange.deployment.inbox, data))
        return min(range(len(calls)), key=lambda number: calls[number]._turn[1])  # type: ignore[index]

    assert len({first(f"batch {number}") for number in range(20)}) > 2


def test_settings_that_cannot_work(settings: WatcherSettings) -> None:
    with pytest.raises(ConfigError, match="liveness_keeper: needs a key"):
        replace(settings, liveness_keeper=True).check()
    with pytest.raises(ConfigError, match="liveness_keeper_pace"):
        keeping(settings, liveness_keeper_pace=-1).check()
    assert settings.claims_after is None
    assert keeping(settings).claims_after == LIVENESS_KEEPER_CLAIM_AFTER
    assert keeping(settings, claim_after=0).claims_after == 0


@pytest.mark.parametrize("limit", [phases.WORK_LIMIT, 4], ids=["idle", "busy"])
def test_brings_an_exchange_without_operator_to_its_end(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Also where an input has too few steps to visit all holders, as with 100,000 of them."""
    watcher = LoneWatcher(exchange, keeping(settings, liveness_keeper_pace=0))
    leave_positions(exchange)
    monkeypatch.setattr(wind_down, "PATIENCE", 10 * DEMO.wind_down)  # with single markets
    exchange.anvil.advance(SILENCE)
    machine = care_for_all(watcher)
    assert sizes(machine) == {1: [300, 300], 2: [-300, -300]}
    assert machine.regs.winding_since == 0 and settled(machine) == [0, 0, 0]
    queued = watcher.context.reader.message_count()

    # Nothing is sent for the end before it is due.
    left = (
        Inbox(watcher.context.l1, exchange.deployment).operator_posted_at() + DEMO.wind_down - watcher.context.l1.now()
    )
    exchange.anvil.advance(left - 60)
    assert "0 messages wait" in keep(watcher)
    assert watcher.context.reader.message_count() == queued and len(batches(watcher)) == EPOCH

    exchange.anvil.advance(60)
    monkeypatch.setattr(phases, "WORK_LIMIT", limit)
    assert keep(watcher) == "wind-down: sent"
    machine = care_for_all(watcher)
    assert machine.regs.winding_since and settled(machine) == [1, 1, 0]
    assert sizes(machine) == {1: [], 2: []}
    assert machine.regs.has_work == 0
    # One crank for the market whose mark is its price, two for the one whose price is a mean.
    cranks = watcher.context.reader.message_count() - queued - 1
    assert cranks > 3 if limit == 4 else cranks == 3

    # And rests, however late it gets.
    exchange.anvil.advance(DEMO.wind_down)
    sent = watcher.liveness_keeper.calls.sent
    care_for_all(watcher)
    assert watcher.liveness_keeper.calls.sent == sent

    # What the end is for.
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    for account in (1, 2):
        exchange.queue(traffic.withdraw(account, machine.state.account(account).collateral, nonce=100))
    assert care_for_all(watcher).regs.withdrawals == 2


def test_sends_several_of_a_kind_at_once_and_waits_for_all(exchange: Exchange, watcher: LoneWatcher) -> None:
    data = QUEUE.encode("force", records.encode_crank(0))
    calls, before = PermissionlessCalls(exchange.anvil.connect(6), spread=0.0), queued(watcher)
    exchange.anvil.l1.request("evm_setAutomine", False)
    assert calls.run(PermissionlessCall("cranks", exchange.deployment.queue, data, times=3)) == "cranks: sent"
    assert calls.under_way() == "cranks" and calls.sent == 3
    exchange.anvil.mine()
    assert calls.under_way() == "" and queued(watcher) == before + 3


def test_what_was_sent_before_l1_failed_is_under_way(
    exchange: Exchange, watcher: LoneWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    l1, data = exchange.anvil.connect(6), QUEUE.encode("force", records.encode_crank(0))
    calls, send = PermissionlessCalls(l1, spread=0.0), l1.send

    def fail_later(to: str, data: bytes) -> bytes:
        if gone_out:
            raise ChainError("rpc_unreachable", "gone")
        gone_out.append(send(to, data))
        return gone_out[0]

    gone_out: list[bytes] = []
    monkeypatch.setattr(l1, "send", fail_later)
    exchange.anvil.l1.request("evm_setAutomine", False)
    with pytest.raises(ChainError, match="gone"):
        calls.run(PermissionlessCall("cranks", exchange.deployment.queue, data, times=3))
    assert calls.under_way() == "cranks" and calls.sent == 1
    exchange.anvil.mine()
    assert calls.under_way() == ""


def park(watcher: LoneWatcher, count: int, monkeypatch: pytest.MonkeyPatch, *, cranks: int = 0) -> None:
    """Have so many withdrawals of one unit forced by account 1, and parked: the batch has no room for them.

    `cranks`: of markets that the keeper sends meanwhile, and that are parked with them.
    """
    exchange = watcher.exchange
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    for nonce in range(count):
        exchange.queue(traffic.withdraw(1, 1, nonce=100 + nonce))
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND - 1)
    assert parked(run_epoch(watcher)) == count + cranks


def run_epoch(watcher: LoneWatcher) -> Machine:
    """Rounds of keeping it alive until one more epoch is executed; the machine after it."""
    epochs = watcher.context.store.epoch_count()
    for _ in range(12 * EPOCH):
        if watcher.desk.execute_all() > epochs:
            break
        watcher.said = watcher.liveness_keeper.step()
        watcher.exchange.anvil.advance(20)
    assert watcher.context.store.epoch_count() == epochs + 1, watcher.said
    return Archive.of(watcher.context).machine_before(epochs + 1)


def parked(machine: Machine) -> int:
    return machine.regs.parked_end - machine.regs.parked_first


def test_what_is_parked_is_let_go_many_at_a_time_but_not_into_full_batches(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's records wait before everybody's: each costs the liveness keeper a crank, and no more than
    `SURE_CRANKS` are lost where the batches have no room."""
    watcher = LoneWatcher(exchange, keeping(settings, liveness_keeper_pace=0, snapshot_epochs=1))
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    run_epoch(watcher)
    count = 3 * wind_down.SURE_CRANKS  # a third of them at first, and then twice as many
    with monkeypatch.context() as full:
        park(watcher, count, full)
        before = queued(watcher)
        assert parked(run_epoch(watcher)) == count and queued(watcher) == before + wind_down.SURE_CRANKS
    left, sent = [], []
    while not left or left[-1]:
        before = queued(watcher)
        left.append(parked(run_epoch(watcher)))
        sent.append(queued(watcher) - before)
    rest = count - wind_down.SURE_CRANKS
    assert sent == [wind_down.SURE_CRANKS, rest] and left == [rest, 0]
    assert care_for_all(watcher).regs.withdrawals == count and queued(watcher) == before + rest, "and rests"


def test_what_is_parked_uses_up_no_crank_of_a_market_that_winds_down(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = LoneWatcher(exchange, keeping(settings, liveness_keeper_pace=0, snapshot_epochs=1))
    leave_positions(exchange)
    exchange.anvil.advance(SILENCE)
    run_epoch(watcher)
    exchange.anvil.advance(DEMO.wind_down)
    assert keep(watcher) == "wind-down: sent"
    with monkeypatch.context() as full:
        park(watcher, 20, full, cranks=2)
    for _ in range(5):
        exchange.queue(records.encode_crank(2))  # of others, used up as any
    before = queued(watcher)
    machine = care_for_all(watcher)
    assert settled(machine) == [1, 1, 0] and sizes(machine) == {1: [], 2: []} and machine.regs.withdrawals == 20
    # As many for markets as without parked records, see `test_brings_an_exchange_without_operator_to_its_end`.
    reader = watcher.context.reader
    bodies = [message.body for message in reader.messages(0, reader.l1.head().number)][before:]
    assert [records.decode_crank(each).market for each in bodies] == [0] * 17 + [1, 2, 1]


DEATH = phases.ORACLE_DEATH


def trades(traffic: SampleTraffic) -> list[bytes]:
    """A price of markets 1 and 2, and 300 lots of each that account 1 buys from account 2."""
    inputs = [traffic.report(0, 1_000, market=market) for market in (1, 2)]
    for market in (1, 2):
        inputs.append(traffic.order(1, records.BUY, 1_000, 300, market=market))
        inputs.append(traffic.order(2, records.SELL, 1_000, 300, market=market))
    return inputs


def lose_the_oracle(exchange: Exchange) -> SampleTraffic:
    """Two markets with positions, the oracle of market 1 dead from now on; an operator that would live on."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    for account in (1, 2):
        exchange.deposit(account, 10_000_000)
    for market in (1, 2):
        exchange.enact(traffic.list_market(market, max_age=10**6))
    exchange.enact(traffic.set_signer(0, 1, 10**6))
    traffic.time = exchange.operator.head().timestamp
    inputs = trades(traffic)
    assert exchange.post(0, 5, inputs).succeeded
    exchange.anvil.advance(1)
    assert exchange.post(1, 0, [traffic.report(0, 1_100, market=1, time=traffic.time + 1)]).succeeded
    return traffic


def post_as_operator(exchange: Exchange, traffic: SampleTraffic, inputs: int = 0) -> None:
    """An epoch of the operator's, with an index for market 2."""
    reader = ChainReader(exchange.operator, exchange.deployment)
    traffic.time = exchange.operator.head().timestamp
    for number in range(EPOCH - reader.batch_count() % EPOCH):
        report = [traffic.report(0, 1_000, market=2, time=traffic.time)] if not number else []
        assert exchange.post(reader.batch_count(), 0 if number else inputs, report).succeeded


def queued(watcher: LoneWatcher) -> int:
    return watcher.context.reader.message_count()


def settle(watcher: LoneWatcher, rounds: int = 1) -> Machine:
    """Execute, then rounds of keeping it alive; the machine that was executed."""
    for _ in range(rounds):
        watcher.desk.execute_all()
        watcher.said = watcher.liveness_keeper.step()
    watcher.desk.execute_all()
    machine = Archive.of(watcher.context).machine_before(watcher.context.store.epoch_count())
    machine.state.commit()
    return machine


def test_a_market_without_oracle_is_settled_though_the_operator_leaves_it_alone(
    exchange: Exchange, watcher: LoneWatcher
) -> None:
    """It lives, posts, and has to take what is forced; nothing is sent before it had its chance."""
    traffic = lose_the_oracle(exchange)
    for _ in range(2):  # never so long that the exchange counts as resumed
        exchange.anvil.advance(DEATH // 2 - 500)
        post_as_operator(exchange, traffic)
    before = queued(watcher)
    assert settled(settle(watcher, 2)) == [0, 0] and queued(watcher) == before
    exchange.anvil.advance(1000 + wind_down.PATIENCE // 2)
    post_as_operator(exchange, traffic)
    assert settled(settle(watcher, 2)) == [0, 0] and queued(watcher) == before, "the operator may do it"

    exchange.anvil.advance(wind_down.PATIENCE // 2 + 10)
    settle(watcher, 3)
    assert queued(watcher) == before + 1, "once, however often it looks"
    assert "the operator is there" in watcher.said
    post_as_operator(exchange, traffic, 1)
    machine = settle(watcher, 3)
    assert settled(machine) == [1, 0] and machine.state.market(1).index == 1_100
    assert sizes(machine) == {1: [300], 2: [-300]}
    exchange.anvil.advance(wind_down.PATIENCE)
    post_as_operator(exchange, traffic)
    settle(watcher, 3)
    assert queued(watcher) == before + 1, "and rests"


def test_a_market_that_has_expired_gets_both_its_cranks(exchange: Exchange, watcher: LoneWatcher) -> None:
    """The first brings its mark to the mean of its last indices, 1,000 for some seconds and then 1,100; the second
    settles it there."""
    leave_positions(exchange)
    exchange.anvil.advance(phases.TWAP_TIME + wind_down.PATIENCE)
    reader, before = watcher.context.reader, queued(watcher)

    def post(messages: int) -> Machine:
        """The operator's batches up to the end of an epoch."""
        for place in range(EPOCH - reader.batch_count() % EPOCH):
            assert exchange.post(reader.batch_count(), 0 if place else messages).succeeded
        return settle(watcher, 3)

    post(0)
    assert queued(watcher) == before + 1
    machine = post(1)
    assert settled(machine) == [0, 0, 0] and machine.state.market(1).mark == 1_099 and queued(watcher) == before + 1
    exchange.anvil.advance(wind_down.PATIENCE)
    post(0)
    assert queued(watcher) == before + 2
    machine = post(1)
    assert settled(machine) == [1, 0, 0] and sizes(machine) == {1: [300], 2: [-300]}
    exchange.anvil.advance(wind_down.PATIENCE)
    post(0)
    assert queued(watcher) == before + 2


def test_a_crank_does_not_come_before_the_machine_is_past_the_oracles_death(
    exchange: Exchange, watcher: LoneWatcher
) -> None:
    """The operator's batches lag behind: in one of them a crank would be too early, and for nothing."""
    traffic = lose_the_oracle(exchange)
    exchange.anvil.advance(DEATH - 1000)
    post_as_operator(exchange, traffic)
    exchange.anvil.advance(1000 + wind_down.PATIENCE)
    before = queued(watcher)
    settle(watcher, 3)
    assert queued(watcher) == before
    post_as_operator(exchange, traffic)
    exchange.anvil.advance(wind_down.PATIENCE)
    settle(watcher, 3)
    assert queued(watcher) == before + 1


def test_an_index_that_returns_keeps_the_market_alive(exchange: Exchange, watcher: LoneWatcher) -> None:
    traffic = lose_the_oracle(exchange)
    exchange.anvil.advance(DEATH - 1000)
    reader = watcher.context.reader
    report = traffic.report(0, 1_050, market=1, time=exchange.operator.head().timestamp)
    exchange.post(reader.batch_count(), 0, [report])
    post_as_operator(exchange, traffic)
    settle(watcher, 2)
    exchange.anvil.advance(DEATH - 1000)
    post_as_operator(exchange, traffic)
    before = queued(watcher)
    assert settled(settle(watcher, 3)) == [0, 0] and queued(watcher) == before


@pytest.mark.parametrize("limit", [phases.WORK_LIMIT, 4], ids=["idle", "busy"])
def test_a_market_is_settled_while_the_operator_is_silent_but_not_gone_for_good(
    exchange: Exchange, settings: WatcherSettings, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Also where a crank leaves the machine more work than fits into its input."""
    watcher = LoneWatcher(exchange, keeping(settings, liveness_keeper_pace=0))
    traffic = lose_the_oracle(exchange)
    exchange.anvil.advance(DEATH - SILENCE - 1000)
    post_as_operator(exchange, traffic)
    watcher.desk.execute_all()
    monkeypatch.setattr(phases, "WORK_LIMIT", limit)
    exchange.anvil.advance(SILENCE + 500)
    before = queued(watcher)
    assert settled(settle(watcher, 3)) == [0, 0]
    assert "open to everybody" in watcher.said and queued(watcher) == before
    exchange.anvil.advance(500 + wind_down.PATIENCE)
    for _ in range(60):
        machine = settle(watcher)
        if settled(machine) == [1, 0] and not machine.regs.has_work:
            break
        exchange.anvil.advance(120)
    assert settled(machine) == [1, 0] and machine.regs.winding_since == 0 and not machine.regs.has_work
    sent = watcher.liveness_keeper.calls.sent
    settle(watcher, 3)
    assert watcher.liveness_keeper.calls.sent == sent
    # Positions of the other market stay as they are, and the money of this one can be had.
    assert sizes(machine) == {1: [300], 2: [-300]}


def test_batches_go_on_where_nothing_can_be_executed(
    exchange: Exchange, watcher: LoneWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, epoch: int) -> Machine:
        raise StateError("not_ready", "the machine is lost")

    monkeypatch.setattr(Archive, "machine_before", fail)
    exchange.deposit(1, 1_000)
    exchange.anvil.advance(SILENCE)
    keep(watcher, 3 * EPOCH)
    assert batches(watcher) == [(1, 0), (0, 0), (0, 0)]
    assert "the machine is lost" in keep(watcher)


def leave_positions(exchange: Exchange) -> None:
    """What an operator leaves behind: two markets with positions, one of them soon to expire, one without a price."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    traffic.time = exchange.operator.head().timestamp
    for account in (1, 2):
        exchange.deposit(account, 10_000_000)
    exchange.enact(traffic.list_market(1, max_age=10**6, expiry=traffic.time + phases.TWAP_TIME))
    for market in (2, 3):
        exchange.enact(traffic.list_market(market, max_age=10**6))
    exchange.enact(traffic.set_signer(0, 1, 10**6))
    traffic.time = exchange.operator.head().timestamp
    inputs = trades(traffic)
    inputs.append(traffic.order(1, records.BUY, 900, 100, market=2))
    assert exchange.post(0, 6, inputs).succeeded
    exchange.anvil.advance(1)
    assert exchange.post(1, 0, [traffic.report(0, 1_100, market=1, time=traffic.time + 1)]).succeeded


def care_for_all(watcher: LoneWatcher, rounds: int = 300) -> Machine:
    """Rounds, 20 seconds apart, until two minutes bring nothing new; returns the machine it has executed."""
    idle = 0
    while idle < 6:
        assert (rounds := rounds - 1), watcher.said
        sent = watcher.liveness_keeper.calls.sent
        watcher.desk.execute_all()
        watcher.said = watcher.liveness_keeper.step()
        idle = 0 if watcher.liveness_keeper.calls.sent > sent else idle + 1
        watcher.exchange.anvil.advance(20)
    machine = Archive.of(watcher.context).machine_before(watcher.context.store.epoch_count())
    machine.state.commit()
    return machine


def settled(machine: Machine) -> list[int]:
    return [machine.state.market(market).settled for market in range(1, machine.regs.markets + 1)]


def sizes(machine: Machine) -> dict[int, list[int]]:
    """Of the positions of each account, in lots, without places that hold orders alone: no visit takes these out."""
    return {
        account: [position.size for position in machine.state.account(account).positions if position.size]
        for account in range(1, 3)
    }


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
        reader = desk.context.reader

        def has_posted() -> bool:
            operator.check()
            return any(posted.header.message_count for posted in reader.batches(0, reader.l1.head().number))

        wait_until(has_posted)
    finally:
        operator.kill()
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.queue(traffic.withdraw(1, 400_000))
    assert find_withdrawal(desk.context, 1, 400_000) is None
    court = CourtContract(desk.context.l1, exchange.deployment.court)

    def status() -> dict[str, object]:
        return {each.process: each.facts for each in read_status(desk.store)}

    with Watcher(keeping(settings, liveness_keeper_pace=0)):
        wait_until(lambda: "the operator is there" in str(status().get("liveness_keeper")))
        exchange.anvil.advance(SILENCE)
        proof = wait_until(lambda: find_withdrawal(desk.context, 1, 400_000), what=status, pause=0.3)
        exchange.anvil.advance(LIVENESS_KEEPER_CLAIM_AFTER)
        wait_until(
            lambda: any(bytes(court.view("confirmed", proof.epoch))),
            120,
            what=status,
            meanwhile=lambda: exchange.anvil.advance(5),
            pause=0.3,
        )
        told = status()["liveness_keeper"]
        assert isinstance(told, dict) and told["sent"] >= 1 and "open to everybody: 0 messages wait" in told["doing"]
    assert pay(exchange, proof)
