"""Messages that nobody has to take yet never use up what records find: nothing is parked by the operator's choice."""

import pytest
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, opening, operator

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal_events import Opened, Rerun
from setoff.operator.sequencer.messages import L1View
from setoff.operator.sequencer.rerun import Unposted, run_again
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases

BUY, SELL = records.BUY, records.SELL
LATER = START_TIME + 10**6
FIRST = 5
"""Number of messages that `opening` makes."""


def trading() -> tuple[Exchange, SampleTraffic]:
    """Between two batches, with a price; its batches have little room from now on."""
    exchange, traffic = Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor()), SampleTraffic()
    exchange.open(START_TIME, tuple(opening(traffic)))
    exchange.offer(traffic.report(0, 100))
    exchange.close()
    return exchange, traffic


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few small records use up a batch."""
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + 20)


def parked(exchange: Exchange) -> int:
    return exchange.machine.regs.parked_end


def bought(exchange: Exchange) -> int:
    """Lots that account 2 holds."""
    return sum(position.size for position in exchange.machine.state.account(2).positions)


@pytest.mark.usefixtures("little_room")
def test_messages_wait_for_a_batch_with_room_unless_they_are_due() -> None:
    exchange, traffic = trading()
    forced = tuple(traffic.withdraw(3, 1) for _ in range(30))
    opened = exchange.open(START_TIME, forced)
    assert 0 < len(opened.messages) < 15 and parked(exchange) == 0
    again, _ = trading()
    again.apply(opened)
    assert again.close() == exchange.close()
    assert exchange.cursor.messages == FIRST + len(opened.messages)
    exchange.open(START_TIME, forced[len(opened.messages) :], due=30 - len(opened.messages))
    exchange.close()
    assert exchange.cursor.messages == FIRST + 30 and parked(exchange) > 0


def test_the_machine_never_finds_less_room_than_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every step cap: as long as there is room by the exchange's word, a record of the queue is not parked."""
    for spare in range(12):
        monkeypatch.setattr(phases, "BATCH_STEP_CAP", 2**20)
        exchange, traffic = trading()
        monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + spare)
        exchange.open(START_TIME, tuple(traffic.withdraw(3, 1) for _ in range(6)))
        assert parked(exchange) == 0, spare


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("is_late", [False, True], ids=["at its time", "at L1's time"])
def test_new_messages_come_after_the_records_that_are_run_again(is_late: bool) -> None:
    exchange, traffic = trading()
    accepted = [traffic.order(1, SELL, 100, 5), traffic.order(2, BUY, 100, 5), traffic.order(2, BUY, 90, 1)]
    accepted += [traffic.order(2, BUY, 80 + order_slot, 1, order_slot=order_slot) for order_slot in range(5, 8)]
    strange = [traffic.withdraw(3, 1) for _ in range(12)]
    unposted = [Unposted(START_TIME, record, FIRST) for record in accepted]
    view = L1View(FIRST, START_TIME + 60, strange, [LATER] * 12)
    made = run_again(exchange, unposted, view, START_TIME + is_late)
    assert [event.record for event in made.events if isinstance(event, Rerun)] == accepted
    assert (bought(exchange), parked(exchange), exchange.cursor.messages) == (5, 0, FIRST)
    assert {batch.batch.header.timestamp for batch in made.sealed} == {START_TIME + 60 * is_late}


@pytest.mark.parametrize("due", [1, 2])
def test_records_run_again_find_the_messages_that_came_before_them(due: int) -> None:
    """And what L1 insists on; nothing else. A record behind a message is not put before it."""
    exchange, traffic = trading()
    deposits = [traffic.deposit(4, 500), traffic.deposit(5, 600), traffic.deposit(6, 700)]
    early, late = traffic.order(1, SELL, 100, 5), traffic.withdraw(5, 77)
    unposted = [Unposted(START_TIME, early, FIRST), Unposted(START_TIME, late, FIRST + 2)]
    view = L1View(FIRST, START_TIME + 60, deposits, [START_TIME] * due + [LATER] * (3 - due))
    made = run_again(exchange, unposted, view, 0)
    opened = [event for event in made.events if isinstance(event, Opened)]
    assert [list(event.messages) for event in opened] == {1: [deposits[:1], deposits[1:2]], 2: [deposits[:2]]}[due]
    assert exchange.machine.regs.withdrawals == 1 and exchange.machine.state.account(5).collateral == 600 - 77


def test_records_whose_messages_are_gone_are_run_all_the_same() -> None:
    exchange, traffic = trading()
    early, late = traffic.order(1, SELL, 100, 5), traffic.withdraw(5, 77)
    unposted = [Unposted(START_TIME, early, 1), Unposted(START_TIME, late, FIRST + 9)]
    made = run_again(exchange, unposted, L1View(FIRST, START_TIME, [traffic.deposit(5, 600)], [LATER]), 0)
    assert [list(batch.batch.records) for batch in made.sealed] == [[early], [late]]
    assert exchange.machine.regs.withdrawals == 1


@pytest.mark.parametrize("delay", [0, 10**6], ids=["due", "not due"])
async def test_forced_records_come_over_several_batches(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, delay: int
) -> None:
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND + 20)
    traffic = SampleTraffic()
    l1 = HandL1([*opening(traffic), *(traffic.withdraw(1 + i % 3, 5) for i in range(12))])
    l1.force_delay = delay
    async with operator(redis_server.url, traffic, l1, batch_interval=0.05) as running:
        result = await running.sequencer.submit(traffic.withdraw(1, 9))
        regs = running.sequencer.exchange.machine.regs
        assert regs.withdrawals == 13 and result.batch >= 1
        assert (regs.parked_end > 0) == (delay == 0)
