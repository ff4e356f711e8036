"""The history tells what the machine did, to the unit: every change of an account's money has its reason."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.histories import make_store, read_all

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.operator.history.observer import Numbers, Observer
from setoff.operator.history.rows import Rows
from setoff.operator.history.store import Checkpoint, check_machine
from setoff.operator.history.tables import CANDLES, FILLS, LEDGER, ORDERS, RECORDS
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Rerun
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.state import keys, leaves


def list_events(machine: Machine, batch: Batch) -> list[JournalEvent]:
    """Those of a batch, which the machine runs for it."""
    machine.run_batch(batch)
    header = batch.header
    opened = Opened(header.number, header.timestamp, batch.messages, header.module)
    return [opened, *map(Rerun, batch.records), Closed(machine.hash())]


def read_money(machine: Machine) -> dict[int, int]:
    machine.state.commit()
    return {
        key & (1 << keys.BODY_BITS) - 1: leaves.decode_account(value).collateral
        for key, value in machine.state.tree.items()
        if key >> keys.BODY_BITS == keys.ACCOUNT
    }


def add_up(rows: Rows, money: dict[int, int]) -> None:
    for entry in rows.added[LEDGER]:
        money[entry["account"]] += int(entry["amount"])


@pytest.fixture(scope="module")
def epoch() -> list[Batch]:
    return play_epoch(SampleTraffic())


def test_every_change_of_an_accounts_money_is_told(epoch: list[Batch]) -> None:
    traffic, money, kinds = SampleTraffic(), defaultdict[int, int](int), set[str]()
    machine = Machine.genesis(traffic.domain)
    observer = Observer(Machine.genesis(traffic.domain), Numbers(), {})
    for batch in epoch:
        for event in list_events(machine, batch):
            observer.apply(event)
        rows = observer.take()
        add_up(rows, money)
        kinds |= {entry["kind"] for entry in rows.added[LEDGER]}
        now = read_money(machine)
        assert {account: money[account] for account in now} == now
    assert {"deposit", "trade", "fee", "transfer", "withdrawal", "backstop", "liquidation"} <= kinds


def test_every_order_ends_as_the_book_says(epoch: list[Batch]) -> None:
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    observer = Observer(Machine.genesis(traffic.domain), Numbers(), {})
    orders: dict[int, dict[str, Any]] = {}
    filled: defaultdict[int, int] = defaultdict(int)
    for batch in epoch:
        for event in list_events(machine, batch):
            observer.apply(event)
        rows = observer.take()
        orders |= {order["id"]: order for order in rows.added[ORDERS]}
        for number, values in rows.orders.items():
            orders[number].update(values)
        for fill in rows.added[FILLS]:
            for side in ("taker_order", "maker_order"):
                if fill[side] is not None:
                    filled[fill[side]] += fill["size"]
        machine.state.commit()
        resting = {
            key & (1 << keys.BODY_BITS) - 1: leaves.decode_order(value)
            for key, value in machine.state.tree.items()
            if key >> keys.BODY_BITS == keys.ORDER
        }
        resting = {handle: order for handle, order in resting.items() if order.market}
        open_ones = {
            keys.order_handle(order["account"], order["order_slot"]): order
            for order in orders.values()
            if order["status"] == "open"
        }
        assert open_ones.keys() == resting.keys()
        for handle, order in open_ones.items():
            leaf = resting[handle]
            assert (order["market"], order["side"], order["price"]) == (leaf.market, leaf.side, leaf.price)
            assert order["size"] - order["filled"] == leaf.size
    assert {order["status"] for order in orders.values()} >= {"open", "filled", "cancelled"}
    for number, order in orders.items():
        assert order["filled"] == filled[number]
        if order["status"] == "filled":
            assert order["filled"] == order["size"]


def test_what_was_taken_back_is_derived_again_alike(epoch: list[Batch], tmp_path: Path) -> None:
    """At any batch."""
    traffic = SampleTraffic()
    machine = Machine.genesis(traffic.domain)
    events = [list_events(machine, batch) for batch in epoch]
    straight = make_store(tmp_path, "straight")
    straight.open()
    observer = Observer(Machine.genesis(traffic.domain), Numbers(), {})
    for count, batch in enumerate(events):
        for event in batch:
            observer.apply(event)
        straight.write(observer.take())
        if count == len(events) // 2:
            middle = observer.machine.snapshot(), observer.machine.hash(), replace(observer.numbers)
    again = make_store(tmp_path, "again")
    again.open()
    observer = Observer(Machine.genesis(traffic.domain), Numbers(), {})
    for batch in events:
        for event in batch:
            observer.apply(event)
        again.write(observer.take())
    again.save(Checkpoint(7, middle[2], middle[0], middle[1]))
    checkpoint = again.open()
    assert checkpoint is not None and checkpoint.commit == 7
    machine = check_machine(checkpoint) or Machine.genesis(traffic.domain)
    observer = Observer(machine, checkpoint.numbers, again.find_live())
    for batch in events[checkpoint.numbers.batch :]:
        for event in batch:
            observer.apply(event)
        again.write(observer.take())
    assert read_all(again) == read_all(straight)
    assert all(read_all(again)[table.name] for table in (FILLS, RECORDS, ORDERS, LEDGER, CANDLES))
