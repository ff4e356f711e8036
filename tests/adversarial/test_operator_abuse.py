"""What an operator may try against its users, each time with one honest watcher and nobody else.

In the end the user is paid on L1, L1 has confirmed the true state, and whoever lied has lost the stake.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.left_over import stop_redis
from tests.support.processes.lone_watcher import LoneWatcher
from tests.support.processes.sequencer_process import Process

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.dispute import events
from setoff.shared.errors import OUTCOMES
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.params import DEMO, Params
from setoff.shared.sdk import Refusal, SetoffClient
from setoff.watcher.dispute.challenger import open_epochs
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.settings import WatcherSettings

pytestmark = pytest.mark.xdist_group("watcher processes")

USER, OTHER = 1, 2
"""Accounts of the exchange."""
DEPOSIT, AMOUNT = 1_000_000, 400_000
SLANDERER = 6
"""The account of the chain that it plays with."""
CLAIM_AFTER = 15
"""Seconds after an epoch's last batch."""


@pytest.fixture
def params(request: pytest.FixtureRequest) -> Params:
    """A batch is an epoch, unless a test's parameter says how many are."""
    return replace(DEMO, epoch_batches=getattr(request, "param", DEMO.epoch_batches))


@pytest.fixture
def exchange(anvil: Anvil, params: Params, request: pytest.FixtureRequest) -> Exchange:
    """With two deposits, in batch 0 unless a test's parameter says that nothing is posted yet."""
    exchange = Exchange(anvil, params)
    exchange.deposit(USER, DEPOSIT)
    exchange.deposit(OTHER, DEPOSIT)
    if getattr(request, "param", "posted") == "posted":
        exchange.post(0, 2)
    return exchange


@pytest.fixture
def watcher(exchange: Exchange, settings: WatcherSettings) -> LoneWatcher:
    return LoneWatcher(exchange, keeping(settings))


def keeping(settings: WatcherSettings) -> WatcherSettings:
    return replace(
        settings, key=dev_keys()[5].hex(), liveness_keeper=True, liveness_keeper_pace=0, claim_after=CLAIM_AFTER
    )


@pytest.fixture
def traffic(exchange: Exchange) -> SampleTraffic:
    """The users' signatures."""
    return SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)


def player_of(exchange: Exchange, settings: WatcherSettings, name: str, lie: str = "") -> LoneWatcher:
    """The operator's side of the court, or a stranger's; either plays with the same strategy as everybody."""
    is_operator = name == "operator"
    settings = replace(settings, name=name, claim_after=0 if is_operator else -1)
    account, l1 = (0, exchange.operator) if is_operator else (SLANDERER, None)
    believes = partial(open_false_epochs, WatcherLie(lie)) if lie else open_epochs
    return LoneWatcher(exchange, settings, account, l1, believes)


def play(player: LoneWatcher) -> None:
    """A round at the court only."""
    player.desk.execute_all()
    player.player.step()


def refusal(exchange: Exchange, data: bytes) -> str:
    """Why the inbox does not take a call from the operator."""
    with pytest.raises(Reverted) as caught:
        exchange.operator.dry_run(exchange.deployment.inbox, data)
    return caught.value.reason


def seen(watcher: LoneWatcher, kind: type[events.Event]) -> list[events.Event]:
    return [event for event in watcher.events if isinstance(event, kind)]


def check_confirmed_truth(watcher: LoneWatcher) -> None:
    """Everything that L1 has confirmed is what the posted inputs come to."""
    court = watcher.player.reader.court
    assert court.confirmed > 0 and not watcher.player.is_alarmed
    for epoch in range(court.confirmed):
        assert court.start_of[epoch + 1] == verify_epoch(watcher.context.reader, epoch)[0].end


# --- what it posts, and leaves out ------------------------------------------------------------------------------------


def test_censors_one_user_and_serves_the_others(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    """It takes the force delay at most: then its own batches are refused until the user's record is in one."""
    exchange.queue(traffic.withdraw(USER, AMOUNT))
    exchange.post(1, 0, [traffic.transfer(OTHER, USER, 1)])
    exchange.anvil.advance(DEMO.force_delay)
    service = traffic.transfer(OTHER, USER, 2)
    assert refusal(exchange, exchange.posting(2, exchange.operator.head().timestamp, 0, service)) == "message_left_out"
    exchange.post(2, 1, [service])
    watcher.wait_for_money(USER, AMOUNT)
    machine = verify_epoch(watcher.context.reader, 2)[1]
    assert machine.state.account(USER).collateral == DEPOSIT - AMOUNT + 3
    check_confirmed_truth(watcher)


def test_would_rather_stop_than_serve_the_user(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    """It goes on trying to post without the due message; for L1 that is silence."""
    exchange.queue(traffic.withdraw(USER, AMOUNT))
    for _ in range(4):
        exchange.anvil.advance(DEMO.silence // 4)
        data = exchange.posting(1, exchange.operator.head().timestamp, 0, traffic.transfer(OTHER, USER, 1))
        assert refusal(exchange, data) == "message_left_out"
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)


def test_dates_its_batches_so_that_the_message_is_not_due(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    """A message's age counts at the batch's own time: that gains it the most skew there may be, and no more."""
    exchange.queue(traffic.withdraw(USER, AMOUNT))
    queued = exchange.operator.head().timestamp
    exchange.post(1, 0, age=0)
    inbox, operator = exchange.deployment.inbox, exchange.operator
    for wrong in (queued - 1, operator.head().timestamp + 1_000, 0, 2**256 - 1):
        assert refusal(exchange, exchange.posting(2, wrong, 0)) == "batch_timestamp"
    latest = queued + DEMO.force_delay - 1  # the last time at which it need not be in
    # What is tried is tried for the next block, a second after the last.
    exchange.anvil.advance(latest + DEMO.max_skew - 1 - operator.head().timestamp)
    operator.dry_run(inbox, exchange.posting(2, latest, 0))
    exchange.anvil.advance(1)
    assert refusal(exchange, exchange.posting(2, latest, 0)) == "batch_timestamp"
    assert refusal(exchange, exchange.posting(2, latest + 1, 0)) == "message_left_out"
    exchange.post(2, 1)
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)


def test_posts_batches_that_are_empty_or_as_full_as_can_be(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    """No room is no excuse: a batch full of records has to make way for a message that is due."""
    exchange.queue(traffic.withdraw(USER, AMOUNT))
    junk = random.Random(7)
    full = [junk.randbytes(124) for _ in range(MAX_INPUTS)]
    exchange.post(1, 0)
    exchange.post(2, 0, full)
    exchange.anvil.advance(DEMO.force_delay)
    now = exchange.operator.head().timestamp
    assert refusal(exchange, exchange.posting(3, now, 0, b"".join(full))) == "message_left_out"
    assert refusal(exchange, exchange.posting(3, now, 1, b"".join(full))) == "batch_size"
    exchange.post(3, 1, full[1:])
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)


def reshaped(exchange: Exchange) -> dict[str, bytes]:
    """Calls of `post` that hold one record and are not the one encoding of it."""
    good = exchange.posting(1, exchange.operator.head().timestamp, 0, bytes(range(124)))
    head, offset, tail = good[:132], good[132:164], good[164:]
    assert int.from_bytes(offset, "big") == 160
    length = (124).to_bytes(32, "big")
    return {
        "a gap before the records": head + (192).to_bytes(32, "big") + bytes(32) + tail,
        "records inside the arguments": head + (128).to_bytes(32, "big") + tail,
        "an offset past the end": head + (2**255).to_bytes(32, "big") + tail,
        "a word too much": good + bytes(32),
        "a byte too much": good + b"\0",
        "a byte too few": good[:-1],
        "no padding": good[:-4],
        "a length beyond the data": head + offset + (248).to_bytes(32, "big") + tail[32:],
        "a monstrous length": head + offset + b"\xff" * 32 + tail[32:],
        "a record cut short": head + offset + (123).to_bytes(32, "big") + tail[32:],
        "half a call": good[:80],
        "the records alone": length + tail[32:],
    }


def test_posts_garbage_that_others_would_read_otherwise(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    for name, data in reshaped(exchange).items():
        with pytest.raises(Reverted):
            exchange.operator.dry_run(exchange.deployment.inbox, data)
            raise AssertionError(f"the inbox takes {name}")
    # What the padding holds is no part of any record, for L1 and for everybody who reads.
    record = traffic.withdraw(USER, AMOUNT)
    data = exchange.posting(1, exchange.operator.head().timestamp, 0, record)
    exchange.operator.transact(exchange.deployment.inbox, data[:-4] + b"\xff" * 4)
    assert watcher.context.reader.batch(1).records == (record,)
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)


# --- what it withholds ------------------------------------------------------------------------------------------------


def test_posts_a_batch_and_withholds_everything_else(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic
) -> None:
    """No feed, no API, no claim: the watcher has the batch from L1, and claims it with a stake of its own."""
    exchange.post(1, 0, [traffic.withdraw(USER, AMOUNT)])
    watcher.wait_for_money(USER, AMOUNT)
    claimants = {event.claimant for event in seen(watcher, events.Claimed) if isinstance(event, events.Claimed)}
    assert claimants == {watcher.context.l1.address}
    check_confirmed_truth(watcher)


@pytest.mark.parametrize("lie", ["forged-withdrawal", pytest.param("double-deposit", marks=pytest.mark.long)])
def test_lies_and_shows_nothing_but_what_it_must(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic, settings: WatcherSettings, lie: str
) -> None:
    operator = player_of(exchange, settings, "operator", lie)
    play(operator)
    exchange.queue(traffic.withdraw(USER, AMOUNT))
    exchange.post(1, 1)
    for _ in range(20):
        watcher.round()
        play(operator)
        exchange.anvil.advance(1)
    watcher.wait_for_money(USER, AMOUNT)
    assert seen(watcher, events.Slashed)
    assert {event.cause for event in seen(watcher, events.Eliminated) if isinstance(event, events.Eliminated)} == {
        "proof"
    }
    check_confirmed_truth(watcher)


# --- when it dies -----------------------------------------------------------------------------------------------------


def accepts(exchange: Exchange, traffic: SampleTraffic, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    """Before anything of the user's is posted."""
    exchange.queue(traffic.withdraw(USER, AMOUNT))


def posts(exchange: Exchange, traffic: SampleTraffic, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    exchange.post(1, 0, [traffic.withdraw(USER, AMOUNT)])


def claims(exchange: Exchange, traffic: SampleTraffic, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    posts(exchange, traffic, watcher, settings)
    play(player_of(exchange, settings, "operator"))


def is_disputed(exchange: Exchange, traffic: SampleTraffic, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    """The claim is true: a slanderer joins, the operator answers twice, and is gone."""
    posts(exchange, traffic, watcher, settings)
    operator = player_of(exchange, settings, "operator")
    slanderer = player_of(exchange, settings, "slanderer", "wrong-root")
    for _ in range(4):
        play(operator)
        play(slanderer)
    watcher.round()
    assert seen(watcher, events.Moved)


def is_caught(exchange: Exchange, traffic: SampleTraffic, watcher: LoneWatcher, settings: WatcherSettings) -> None:
    """The claim is false: the watcher joins, the operator moves twice, and is gone."""
    posts(exchange, traffic, watcher, settings)
    operator = player_of(exchange, settings, "operator", "forged-withdrawal")
    for _ in range(4):
        play(operator)
        watcher.round()
    assert seen(watcher, events.Moved)


@pytest.mark.parametrize("stage", [accepts, posts, claims, is_disputed, is_caught])
def test_dies_for_good(
    exchange: Exchange,
    watcher: LoneWatcher,
    traffic: SampleTraffic,
    settings: WatcherSettings,
    stage: Callable[[Exchange, SampleTraffic, LoneWatcher, WatcherSettings], None],
) -> None:
    stage(exchange, traffic, watcher, settings)
    exchange.anvil.advance(1 if stage in (is_disputed, is_caught) else DEMO.silence)
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)
    operator = exchange.operator.address
    claimed = [event for event in seen(watcher, events.Claimed) if isinstance(event, events.Claimed)]
    slashed = bool(seen(watcher, events.Slashed))
    assert slashed == (stage is is_caught)
    assert any(event.claimant == operator for event in claimed) == (stage in (claims, is_disputed, is_caught))
    if stage is is_caught:
        causes = {event.cause for event in seen(watcher, events.Eliminated) if isinstance(event, events.Eliminated)}
        assert causes == {"timeout"}


@pytest.mark.parametrize("params", [4], indirect=True)
@pytest.mark.parametrize("exchange", ["nothing posted"], indirect=True)
def test_dies_in_the_middle_of_an_epoch(exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic) -> None:
    """What it posted waits for batches that it will never post: others fill the epoch."""
    exchange.post(0, 2)
    exchange.post(1, 0, [traffic.withdraw(USER, AMOUNT)])
    exchange.anvil.advance(DEMO.silence)
    watcher.wait_for_money(USER, AMOUNT)
    check_confirmed_truth(watcher)


@pytest.mark.parametrize("exchange", ["nothing posted"], indirect=True)
def test_dies_between_taking_a_record_and_posting_it(
    exchange: Exchange, watcher: LoneWatcher, traffic: SampleTraffic, tmp_path: Path
) -> None:
    """A real sequencer takes a withdrawal and is killed. The user sends the same record to L1; it counts once, also if
    the operator comes back and posts its copy."""
    record = traffic.withdraw(USER, AMOUNT)

    async def submit(url: str) -> None:
        async with SetoffClient(url) as client:
            while True:
                try:
                    await client.account(USER)
                    break
                except Refusal:
                    await asyncio.sleep(0.05)
            assert (await client.submit(record)).outcome == "accepted"

    sequencer = Process(exchange.anvil, exchange.deployment, tmp_path, SETOFF_OPERATOR_RECEIPTS="false")
    try:
        asyncio.run(submit(sequencer.url()))
    finally:
        sequencer.process.kill()
        sequencer.process.wait()
        stop_redis(tmp_path / "redis")
    exchange.queue(record)
    exchange.anvil.advance(DEMO.silence)
    watcher.wait_for_money(USER, AMOUNT)
    number = watcher.context.reader.batch_count()
    exchange.post(number, 0, [record])
    execution, machine = verify_epoch(watcher.context.reader, number)
    assert [OUTCOMES[outcome] for outcome in execution.outcomes[0]] == ["nonce_used"]
    assert machine.regs.withdrawals == 1
    check_confirmed_truth(watcher)
