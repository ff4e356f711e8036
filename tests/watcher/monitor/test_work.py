"""What a watcher has to do, as its metrics tell it: over a real chain and a real Redis server."""

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.watcher.execution.worker import run_worker
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.pulse import Pulse


def test_queues_and_what_is_behind_are_counted(exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        exchange.post(number, 0)
    monitor = DisputeMonitor(desk.settings)
    desk.catch_up()
    assert desk.jobs.enqueue_next()
    page = to_prometheus(monitor.look())
    assert 'setoff_watcher_jobs{state="waiting"} 1\n' in page and "setoff_watcher_epochs_behind 3\n" in page
    assert 'setoff_watcher_processes{process="worker"} 0\n' in page
    monkeypatch.setattr("setoff.watcher.execution.executor.Executor.execute", fail)
    run_worker(desk.settings, burst=True)
    assert desk.jobs.count() == (0, 1)
    assert 'setoff_watcher_jobs{state="failed"} 1\n' in to_prometheus(monitor.look())
    monkeypatch.undo()
    assert desk.execute_all() == 3
    challenger = Pulse(desk.store, "challenger")
    spending = {"wei": {"join": 7}, "transactions": {"join": 1}}
    challenger.tell(balance_wei=5, locked_wei=0, staked_wei=0, short=True, spending=spending, actions={"move": 2})
    challenger.beat()
    Pulse(desk.store, "worker-x-1").beat()
    page = to_prometheus(monitor.look())
    for line in (
        "setoff_watcher_epochs_behind 0",
        "setoff_watcher_epochs_ahead 0",
        "setoff_watcher_poisoned_epochs 0",
        "setoff_watcher_executed_epochs 3",
        'setoff_watcher_processes{process="worker"} 1',
        "setoff_watcher_balance_wei 5",
        "setoff_watcher_capital_short 1",
        'setoff_watcher_spent_wei_total{kind="join"} 7',
        'setoff_watcher_actions_total{action="move"} 2',
    ):
        assert f"{line}\n" in page, line


def fail(*_: object) -> None:
    raise RuntimeError("poisoned")
