"""The operator as metrics, in Prometheus' text exposition format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from setoff.operator.monitor.status import NEEDED, find_problems
from setoff.shared.config.pulse import ProcessStatus
from setoff.shared.wire.latency import Latency
from setoff.shared.wire.metrics import Metrics, Sample

GAUGES: Final[dict[str, str]] = {
    "batch": "number of the batch that is open",
    "open_inputs": "inputs in it",
    "unposted": "closed batches that wait for L1",
    "waiting": "records that wait for their turn",
    "l1_time": "time of L1 at the last look, unix seconds",
    "machine_time": "time of the machine, unix seconds",
    "paced_until": "when L1 takes the next batch, unix seconds; 0: now",
    "accounts": "accounts that were opened",
    "balance_wei": "ether of the account that posts",
    "bond_wei": "what stands behind receipts",
    "staked_wei": "in stakes of its claims at the court",
    "locked_wei": "in bonds of disputes, not paid out yet",
    "posted_batches": "batches on L1",
    "executed_epochs": "epochs that the publisher has run, to claim and defend them",
    "silent_for": "seconds since the operator posted",
    "opens_in": "seconds until anybody may post",
    "messages_waiting": "messages of the queue that no batch has consumed",
}
COUNTERS: Final[dict[str, str]] = {
    "records": "records taken, of all time",
    "messages": "messages of the queue consumed, of all time",
    "withdrawals": "withdrawals granted, of all time",
    "refused": "records refused since the start",
    "commits": "commits of the journal since the start",
    "commit_seconds": "time that these took",
}


def to_prometheus(statuses: Sequence[ProcessStatus]) -> str:
    """All of them; a figure is left out where the process that tells it is silent."""
    metrics = Metrics()
    alive = {status.process: status for status in statuses if status.is_alive}
    facts: dict[str, Any] = {name: value for status in alive.values() for name, value in status.facts.items()}
    metrics.gauge(
        "operator_up", "whether a process of the operator lives", [({"process": n}, int(n in alive)) for n in NEEDED]
    )
    ready = "sequencer" in alive and not facts.get("obstacle")
    metrics.gauge("operator_ready", "whether records are taken, as /v1/health says", [({}, int(ready))])
    metrics.gauge("operator_problems", "things to look at", [({}, len(find_problems(statuses)))])
    for name, purpose in GAUGES.items():
        metrics.gauge(f"operator_{name}", purpose, [({}, facts[name])] if name in facts else [])
    for name, purpose in COUNTERS.items():
        metrics.counter(f"operator_{name}_total", purpose, [({}, facts[name])] if name in facts else [])
    metrics.gauge("operator_batches", "batches that are so far", _by(facts, "batches", "stage"))
    metrics.gauge(
        "operator_lag_seconds",
        "since the time of the first closed batch that is not so far",
        _by(facts, "lag", "stage"),
    )
    taken = facts.get("acknowledging")
    metrics.histogram(
        "operator_acknowledge_seconds", "from a record's arrival at the sequencer to its signed receipt",
        [({}, Latency.from_json(taken))] if taken else [],
    )  # fmt: skip
    spending = facts.get("spending", {})
    metrics.counter("operator_spent_wei_total", "paid for gas, by what was called", _by(spending, "wei", "kind"))
    metrics.counter("operator_transactions_total", "sent, and in a block", _by(spending, "transactions", "kind"))
    return metrics.text


def _by(facts: Mapping[str, Any], name: str, label: str) -> list[Sample]:
    """A sample for each member of a fact."""
    return [({label: key}, value) for key, value in facts.get(name, {}).items()]
