"""The disputes as metrics, in Prometheus' text exposition format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.wire.metrics import Metrics, Sample
from setoff.watcher.chain.withheld import WithheldBatch
from setoff.watcher.liveness.presence import STATES
from setoff.watcher.monitor.dispute_view import FALSE, TRUE, UNKNOWN, Overview, Pairing
from setoff.watcher.monitor.work import Work

MONEY: Final = {
    "balance_wei": "ether of the account that disputes",
    "locked_wei": "in its bonds, not paid out yet",
    "staked_wei": "in stakes of its claims",
}


def to_prometheus(overview: Overview) -> str:
    """All of them, a gauge each; seconds that are left are negative once they are over."""
    metrics = Metrics()
    metric = metrics.gauge
    metric("l1_block", "last block read", [({}, overview.block)])
    metric("l1_time", "time of the chain, unix seconds", [({}, overview.now)])
    metric("confirmed_epoch", "epochs whose start is confirmed", [({}, overview.confirmed)])
    metric("execution_known", "whether this watcher's own execution is at hand", [({}, int(overview.knows))])
    metric(
        "claims", "claims that are not closed", [
            ({"state": state}, sum(dispute.state == state for dispute in overview.disputes))
            for state in ("claimed", "disputed", "installed")
        ],
    )  # fmt: skip
    metric(
        "claim_false", "1 if the claimed end is not the true one, -1 if that is not known", [
            ({"key": dispute.key, "epoch": dispute.epoch}, {TRUE: 0, FALSE: 1}.get(dispute.verdict, -1))
            for dispute in overview.disputes
        ],
    )  # fmt: skip
    metric(
        "claim_installable_seconds", "until the end can be installed", [
            ({"key": dispute.key, "epoch": dispute.epoch}, dispute.installable_in) for dispute in overview.disputes
        ],
    )  # fmt: skip
    metric(
        "histories_standing", "histories that stand", [
            ({"key": dispute.key, "epoch": dispute.epoch}, sum(side.state == "standing" for side in dispute.sides))
            for dispute in overview.disputes
        ],
    )  # fmt: skip
    metric(
        "at_stake_wei", "bonds and reward", [
            ({"key": dispute.key, "epoch": dispute.epoch}, dispute.at_stake) for dispute in overview.disputes
        ],
    )  # fmt: skip
    metric(
        "match_time_left_seconds", "of the side on turn", [
            ({"key": dispute.key, "epoch": dispute.epoch, "on_turn": match.on_turn or "sealed", "against":
              match.other if match.on_turn == match.one else match.one, "true_side": str(_is_true(match)).lower()},
             match.time_left)
            for dispute in overview.disputes for match in dispute.matches
        ],
    )  # fmt: skip
    metric(
        "batch_withheld_seconds", "since a batch was posted whose data nobody has", [
            (_label(each), overview.now - each.since) for each in overview.withheld
        ],
    )  # fmt: skip
    metric(
        "batch_withheld_disputable_seconds", "in which a dispute of what is claimed of it can begin", [
            (_label(each), each.disputable_until - overview.now) for each in overview.withheld
        ],
    )  # fmt: skip
    if overview.operator:
        operator = overview.operator
        metric("operator", "1 for the state that the operator is in", [
            ({"state": state}, int(state == operator.state)) for state in STATES
        ])  # fmt: skip
        metric("operator_silent_seconds", "since the operator posted itself", [({}, operator.silent_for)])
        metric("inbox_opens_seconds", "until anybody may post", [({}, operator.opens_at - overview.now)])
        metric("wind_down_seconds", "until anybody may end the exchange", [({}, operator.ends_at - overview.now)])
        metric("messages_waiting", "in the queue, consumed by no batch", [({}, operator.waiting)])
    metric(
        "verdicts", "open claims, by whether they are true", [
            ({"verdict": verdict}, sum(dispute.verdict == verdict for dispute in overview.disputes))
            for verdict in (TRUE, FALSE, UNKNOWN)
        ],
    )  # fmt: skip
    if overview.work:
        _add_work(metrics, overview.work)
    metric(
        "alerts", "things to look at", [
            ({"level": level}, sum(alert.level == level for alert in overview.alerts))
            for level in ("warning", "critical")
        ],
    )  # fmt: skip
    return metrics.text


def _add_work(metrics: Metrics, work: Work) -> None:
    """What this watcher has to do, has done and has paid."""
    metric, challenger = metrics.gauge, work.challenger
    metric("watcher_processes", "processes that live", _by(work.processes, "process"))
    metric("watcher_jobs", "jobs that wait to be executed, or have failed within the hour",
           [({"state": "waiting"}, work.waiting_jobs), ({"state": "failed"}, work.failed_jobs)])  # fmt: skip
    metric("watcher_executed_epochs", "epochs executed", [({}, work.executed_epochs)])
    metric("watcher_epochs_behind", "posted and not executed yet", [({}, work.posted_epochs - work.executed_epochs)])
    metric("watcher_epochs_ahead", "executed ahead of those before them", [({}, work.epochs_ahead)])
    metric("watcher_poisoned_epochs", "left alone for a while, since they end workers", [({}, work.poisoned_epochs)])
    metric("watcher_blocks_behind", "blocks of L1 that the follower has not read", [({}, work.blocks_behind)])
    metric("watcher_kept_bytes", "kept, by kind", _by(work.kept_bytes, "kind"))
    for name, purpose in MONEY.items():
        metric(f"watcher_{name}", purpose, [({}, challenger[name])] if name in challenger else [])
    metric("watcher_capital_short", "whether the money does not last if every claim is disputed",
           [({}, int(challenger["short"]))] if "short" in challenger else [])  # fmt: skip
    spending = challenger.get("spending", {})
    counter = metrics.counter
    counter("watcher_spent_wei_total", "paid for gas, by what was called", _by(spending.get("wei", {}), "kind"))
    counter("watcher_transactions_total", "sent, and in a block", _by(spending.get("transactions", {}), "kind"))
    counter("watcher_actions_total", "calls to the court, by kind", _by(challenger.get("actions", {}), "action"))
    counter("watcher_charges_total", "receipts prosecuted, by what came of it",
            _by(challenger.get("charges", {}), "outcome"))  # fmt: skip


def _by(facts: Mapping[str, Any], label: str) -> list[Sample]:
    return [({label: key}, value) for key, value in facts.items()]


def _is_true(match: Pairing) -> bool:
    """Whether the side on turn is the true one."""
    return match.on_turn == {"one": match.one, "other": match.other}.get(match.verdict)


def _label(withheld: WithheldBatch) -> dict[str, object]:
    return {"batch": withheld.batch, "epoch": withheld.epoch, "data_root": withheld.data_root}
