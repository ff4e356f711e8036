"""The exchange without I/O: a replay of its events is the same exchange, and refusals leave no trace."""

from dataclasses import replace

import pytest
from tests.support.chains.code_store import CODE, MODULE
from tests.support.processes.running_operator import DEPLOYMENT, opening

from setoff.deploy.simulation.sample_traffic import START_TIME, SampleTraffic
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.journal_events import JournalEvent, Recorded, decode_events, encode_events
from setoff.shared.codec import records
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.da import registry
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.machine.blobs import BLOBS, VERSION
from setoff.shared.machine.data import CALLDATA
from setoff.shared.machine.machine import Machine

BUY, SELL = records.BUY, records.SELL


def fresh() -> Exchange:
    return Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor())


def started() -> tuple[Exchange, SampleTraffic, list[JournalEvent]]:
    """An exchange whose market has a price, in its open batch, and the events so far."""
    exchange, traffic = fresh(), SampleTraffic()
    events: list[JournalEvent] = [exchange.open(START_TIME, tuple(opening(traffic)))]
    record = traffic.report(0, 100)
    exchange.offer(record)
    events.append(Recorded(record))
    return exchange, traffic, events


def trade(exchange: Exchange, traffic: SampleTraffic) -> list[JournalEvent]:
    """A few trades, a cancel and a withdrawal."""
    events: list[JournalEvent] = []
    for record in (
        traffic.order(1, SELL, 101, 9),
        traffic.order(1, SELL, 102, 9, order_slot=7),
        traffic.order(2, BUY, 102, 12),
        traffic.cancel(1, 7),
        traffic.withdraw(3, 1000),
    ):
        exchange.offer(record)
        events.append(Recorded(record))
    return events


def test_replay_is_the_same_exchange() -> None:
    exchange, traffic, events = started()
    events += trade(exchange, traffic)
    closed, sealed = exchange.close()
    events.append(closed)
    events.append(exchange.open(START_TIME + 5, ()))
    record = traffic.order(2, BUY, 90, 1)
    exchange.offer(record)
    events.append(Recorded(record))

    again = fresh()
    batches = [batch for batch in map(again.apply, events) if batch is not None]
    assert again.machine.hash() == exchange.machine.hash()
    assert again.cursor == exchange.cursor
    assert list(again.fills) == list(exchange.fills)
    assert again.accounts == exchange.accounts
    assert batches == [sealed]
    assert again.close() == exchange.close()


def test_a_batch_stays_in_the_module_in_which_the_log_opened_it() -> None:
    exchange, traffic = (
        Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor(), module=BLOBS.number),
        SampleTraffic(),
    )
    report = traffic.report(0, 100)
    events: list[JournalEvent] = [exchange.open(START_TIME, tuple(opening(traffic))), Recorded(report)]
    exchange.offer(report)
    events += trade(exchange, traffic)
    closed, sealed = exchange.close()
    again = fresh()
    assert [again.apply(event) for event in decode_events(encode_events([*events, closed]))][-1] == sealed
    header = sealed.batch.header
    assert header.module == BLOBS.number and header.data_root[:1] == VERSION and header.first_record == 0
    sealed.batch.check(bytes(32))
    again.open(START_TIME + 5, ())
    _, following = again.close()
    assert following.batch.header.module == CALLDATA.number
    assert following.batch.header.first_record == header.record_count == len(sealed.batch.records)


def test_a_batch_takes_no_more_records_than_its_module_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.MODULES, CODE.number, MODULE)
    exchange, traffic = Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor(), module=CODE.number), SampleTraffic()
    exchange.open(START_TIME, tuple(traffic.deposit(1, 1) for _ in range(CODE.record_limit + 1)))
    assert exchange.inputs > CODE.record_limit and not exchange.is_full and exchange.has_room(2)
    for _ in range(CODE.record_limit - 1):
        exchange.take(traffic.order(1, BUY, 100, 1))
    assert exchange.has_room(1) and not exchange.has_room(2)
    exchange.take(traffic.order(1, BUY, 100, 1))
    assert exchange.is_full and not exchange.has_room(1)
    _, sealed = exchange.close()
    assert len(sealed.batch.records) == CODE.record_limit and len(sealed.batch.module_data) <= 24_576


def test_a_closed_batch_ends_where_the_machine_says() -> None:
    exchange, traffic, _ = started()
    trade(exchange, traffic)
    closed, sealed = exchange.close()
    machine = Machine.genesis(DEPLOYMENT.domain)
    assert set(machine.run_batch(sealed.batch)) == {0}
    assert machine.hash() == closed.end == sealed.end
    sealed.batch.check(bytes(32))


def test_refusals_leave_no_trace() -> None:
    exchange, traffic, _ = started()
    before = (
        exchange.machine.hash(),
        exchange.inputs,
        replace(exchange.cursor),
    )
    for record in (
        traffic.order(1, BUY, 100, 0),
        traffic.order(9, BUY, 100, 1),
        traffic.order(1, BUY, 100, 10**11),
        traffic.withdraw(1, 10**13),
        bytes(124),
        b"\xff" * 124,
    ):
        with pytest.raises(InputError):
            exchange.offer(record)
    assert (exchange.machine.hash(), exchange.inputs, exchange.cursor) == before


def test_a_batch_begins_only_with_an_accepted_record() -> None:
    exchange, traffic, _ = started()
    exchange.close()
    before = exchange.machine.hash()
    with pytest.raises(InputError):
        exchange.offer_first(START_TIME + 9, traffic.order(1, BUY, 100, 0))
    assert exchange.machine.hash() == before and not exchange.is_open
    opened, result = exchange.offer_first(START_TIME + 9, traffic.order(1, BUY, 100, 1))
    assert (opened.number, opened.timestamp, result.batch, result.input_index) == (1, START_TIME + 9, 1, 0)


def test_time_never_goes_back() -> None:
    exchange, _, _ = started()
    exchange.close()
    assert exchange.open(START_TIME - 1000, ()).timestamp == START_TIME


def test_messages_beyond_a_full_batch_wait() -> None:
    exchange, traffic = fresh(), SampleTraffic()
    messages = tuple(traffic.deposit(1, 1) for _ in range(MAX_INPUTS + 10))
    opened = exchange.open(START_TIME, messages)
    assert len(opened.messages) == MAX_INPUTS and exchange.is_full
    exchange.close()
    assert exchange.cursor.messages == MAX_INPUTS


def test_withdrawals_are_proven_at_the_end_of_their_epoch() -> None:
    exchange = Exchange(Machine.genesis(DEPLOYMENT.domain), BatchCursor(), epoch_batches=2)
    traffic = SampleTraffic()
    exchange.open(START_TIME, tuple(opening(traffic)))
    exchange.offer(traffic.report(0, 100))
    exchange.offer(traffic.withdraw(3, 1000))
    assert exchange.close()[1].proofs == ()
    exchange.open(START_TIME, ())
    exchange.offer(traffic.withdraw(2, 50))
    _, sealed = exchange.close()
    assert [(p.epoch, p.index, p.account, p.amount) for p in sealed.proofs] == [(0, 0, 3, 1000), (0, 1, 2, 50)]
    assert {p.state_root for p in sealed.proofs} == {exchange.machine.state.tree.root}
    exchange.open(START_TIME, ())
    exchange.close()
    exchange.open(START_TIME, ())
    assert exchange.close()[1].proofs == ()


@pytest.mark.parametrize("spoil", ["double open", "refused", "wrong end"])
def test_a_log_that_does_not_follow_is_refused(spoil: str) -> None:
    exchange, traffic, events = started()
    closed, _ = exchange.close()
    if spoil == "double open":
        events.append(events[0])
    elif spoil == "refused":
        events.append(Recorded(traffic.order(1, BUY, 100, 0)))
    else:
        events.append(type(closed)(bytes(32)))
    again = fresh()
    with pytest.raises(DataError):
        for event in events:
            again.apply(event)
