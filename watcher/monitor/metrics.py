"""The disputes as metrics, in Prometheus' text exposition format."""

from __future__ import annotations

from setoff.shared.wire.metrics import Metrics
from setoff.watcher.chain.withheld import WithheldBatch
from setoff.watcher.liveness.presence import STATES
from setoff.watcher.monitor.dispute_view import FALSE, TRUE, Overview, Pairing


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
        "alerts", "things to look at", [
            ({"level": level}, sum(alert.level == level for alert in overview.alerts))
            for level in ("warning", "critical")
        ],
    )  # fmt: skip
    return metrics.text


def _is_true(match: Pairing) -> bool:
    """Whether the side on turn is the true one."""
    return match.on_turn == {"one": match.one, "other": match.other}.get(match.verdict)


def _label(withheld: WithheldBatch) -> dict[str, object]:
    return {"batch": withheld.batch, "epoch": withheld.epoch, "data_root": withheld.data_root}
