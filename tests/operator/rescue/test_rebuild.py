"""A store that is lost is made again from L1; what was promised beyond it is named, or comes back from the traders."""

from pathlib import Path

import pytest
from tests.support.processes.rescues import Past, live, rebuild
from tests.support.processes.resets import check_order, close, in_outbox, trade
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, operator
from tests.support.waiting import until

from setoff.operator.rescue.promises import chain, follow, read_known
from setoff.operator.sequencer import unfinished
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import OUTCOMES, DataError, StateError
from setoff.shared.machine.machine import Machine


def empty(server: RedisServer) -> None:
    with server.client() as redis:
        redis.flushall()


async def go_on(server: RedisServer, past: Past, taken: dict[bytes, int]) -> None:
    """The operator runs on that store, and what it posts is what its receipts say."""
    async with operator(server.url, past.traffic, past.l1, batch_interval=0.05) as running:
        taken |= await trade(running, 5)
        await close(running)
        check_order(running, taken)
        while len(past.l1.posted) <= running.outbox.latest():
            past.l1.take(running.outbox)
            assert past.l1.posted[-1].header.number == len(past.l1.posted) - 1


async def test_an_empty_store_is_made_again_from_what_l1_holds(redis_server: RedisServer) -> None:
    past = await live(redis_server.url)
    empty(redis_server)
    with pytest.raises(DataError, match="the store is empty, and L1 holds"):
        async with operator(redis_server.url, past.traffic, past.l1):
            pass
    found = await rebuild(redis_server.url, past, is_dry=True)
    with redis_server.client() as redis:
        assert redis.keys(f"{DEPLOYMENT.namespace}:*") == []
    made = await rebuild(redis_server.url, past)
    assert made == found
    assert (made.kept, made.held, made.records) == (0, past.posted, past.posted)
    with redis_server.client() as redis:
        outbox = Outbox(redis, DEPLOYMENT.namespace)
        assert in_outbox(outbox) == past.records[: past.posted] and outbox.posted() == len(past.l1.posted)
        last = outbox.get(outbox.latest())
        assert last is not None and last.end == made.end


async def test_what_traders_give_back_is_posted_under_its_numbers(redis_server: RedisServer) -> None:
    past = await live(redis_server.url)
    lost = {number for number in past.taken.values() if number >= past.posted}
    assert lost, "nothing is lost"
    empty(redis_server)
    made = await rebuild(redis_server.url, past, past.receipts())
    assert made.records == 1 + max(lost) and made.given == made.records - past.posted
    await go_on(redis_server, past, past.taken)


async def test_what_is_given_back_finds_the_deposits_that_it_found_when_it_was_taken(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1 holds no batch, and insists on no message for long: accounts are opened before their orders all the same."""
    monkeypatch.setattr(HandL1, "force_delay", 10**6)
    past = await live(redis_server.url, batches=0)
    empty(redis_server)
    made = await rebuild(redis_server.url, past, past.receipts())
    assert made.held == 0 and made.given == made.records == 1 + max(past.taken.values())
    machine, outcomes = Machine.genesis(*DEPLOYMENT.genesis), set[str]()
    with redis_server.client() as redis:
        outbox = Outbox(redis, DEPLOYMENT.namespace)
        for number in range(outbox.latest() + 1):
            sealed = outbox.get(number)
            assert sealed is not None
            outcomes |= {OUTCOMES[machine.run_input(sealed.batch, at)] for at in range(sealed.batch.header.inputs)}
    assert outcomes == {"accepted"}


async def test_a_store_that_lost_nothing_stays_as_it_is(redis_server: RedisServer) -> None:
    past = await live(redis_server.url)
    with redis_server.client() as redis:
        before = in_outbox(Outbox(redis, DEPLOYMENT.namespace))
        made = await rebuild(redis_server.url, past)
        assert in_outbox(Outbox(redis, DEPLOYMENT.namespace)) == before
    assert (made.kept, made.records) == (len(past.l1.posted), len(past.records))
    await go_on(redis_server, past, past.taken)


async def test_a_rebuild_that_was_broken_off_keeps_the_operator_out_and_goes_on(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = await live(redis_server.url)
    empty(redis_server)
    monkeypatch.setattr("setoff.operator.rescue.rebuild.SNAPSHOT_SECONDS", 0.0)
    posted, past.l1.posted = past.l1.posted, past.l1.posted[:1]
    whole = past.l1.batch_count
    monkeypatch.setattr(past.l1, "batch_count", lambda: len(posted))
    with pytest.raises(DataError, match=r"L1 holds \d+ batches, and shows 1"):
        await rebuild(redis_server.url, past)
    with redis_server.client() as redis:
        assert unfinished.read(redis, DEPLOYMENT.namespace)
    with pytest.raises(StateError, match="the store is not whole"):
        async with operator(redis_server.url, past.traffic, past.l1):
            pass
    past.l1.posted = posted
    monkeypatch.setattr(past.l1, "batch_count", whole)
    made = await rebuild(redis_server.url, past, past.receipts())
    assert made.kept == 1 and made.held == past.posted
    await go_on(redis_server, past, past.taken)


async def test_a_store_that_is_emptied_under_the_operator_takes_nothing_more(redis_server: RedisServer) -> None:
    past = await live(redis_server.url)
    async with operator(redis_server.url, past.traffic, past.l1, batch_interval=0.05) as running:
        await trade(running, 2)
        running.redis.flushall()
        status, answer = await running.submit(running.traffic.report(0, 101, time=past.l1.time + 1))
        assert status == 503, answer
        assert "lost the journal" in str(running.sequencer.failure)


async def test_the_history_names_what_is_lost(redis_server: RedisServer, tmp_path: Path) -> None:
    past = await live(redis_server.url)
    url = f"sqlite:///{tmp_path}/history"
    assert read_known("", 0) is None and read_known(url, 0) is None
    async with operator(redis_server.url, past.traffic, past.l1, history_url=url, batch_interval=0.05) as running:
        past.taken |= await trade(running, 3)
        await close(running)
        count = running.sequencer.exchange.cursor.records
        await until(lambda: len(read_known(url, 0) or ()) == count, "the history does not follow")
    known = read_known(url, past.posted) or []
    assert [each.sequence for each in known] == list(range(past.posted, count))
    assert {each.sequence for each in known if each.account} >= {n for n in past.taken.values() if n >= past.posted}


async def test_what_the_history_has_is_posted_under_its_numbers(redis_server: RedisServer, tmp_path: Path) -> None:
    """Nobody gives anything back, or somebody does what continues it; a receipt for another record ends it."""
    past = await live(redis_server.url)
    url = f"sqlite:///{tmp_path}/history"
    async with operator(redis_server.url, past.traffic, past.l1, history_url=url, batch_interval=0.05) as running:
        await until(lambda: len(read_known(url, 0) or ()) == len(past.records), "the history does not follow")
        await close(running)
    known = read_known(url, past.posted) or []
    assert [each.body for each in known] == past.records[past.posted :] and len(known) > 2
    whole = past.receipts()
    assert follow(known, whole, past.posted) == known and follow(known[1:], whole, past.posted) == []
    other = {past.posted + 1: whole[min(whole)]}
    assert follow(known, other, past.posted) == known[:1]
    empty(redis_server)
    for own, given, count in ((known, {}, len(known)), (known[:1], whole, max(whole) + 1 - past.posted)):
        found = await rebuild(redis_server.url, past, given, own=own, is_dry=True)
        assert (found.given, found.records) == (count, past.posted + count)
    made = await rebuild(redis_server.url, past, own=known)
    assert made.records == len(past.records)
    await go_on(redis_server, past, past.taken)


async def test_cranks_between_receipts_are_found(redis_server: RedisServer) -> None:
    past = await live(redis_server.url)
    given, start = past.receipts(), past.receipt(past.posted - 1).signed.receipt.running
    found = [entry.record for entry in chain(given, past.posted, start, 1)]
    assert found == past.records[past.posted : 1 + max(past.taken.values())]
    del given[min(number for number in given if number >= past.posted)]
    assert chain(given, past.posted, start, 1) == []
