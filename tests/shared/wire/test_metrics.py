"""Figures in Prometheus' text exposition format."""

import json

from setoff.shared.wire.latency import BOUNDS, Latency
from setoff.shared.wire.metrics import Metrics


def test_a_histogram_counts_all_that_took_at_most_so_long() -> None:
    latency = Latency()
    for seconds in (0.0, BOUNDS[0], 0.03, 0.03, BOUNDS[-1], BOUNDS[-1] + 1):
        latency.add(seconds)
    metrics = Metrics()
    metrics.histogram(
        "x_seconds", "of x", [({"kind": 'a"b'}, Latency.from_json(json.loads(json.dumps(latency.to_json()))))]
    )
    lines = metrics.text.splitlines()
    assert lines[:2] == ["# HELP setoff_x_seconds of x", "# TYPE setoff_x_seconds histogram"]
    buckets = [int(line.split()[1]) for line in lines if "_bucket" in line]
    assert len(buckets) == len(BOUNDS) + 1 and buckets == sorted(buckets)
    label = 'kind="a\\"b"'
    assert f'setoff_x_seconds_bucket{{{label},le="{BOUNDS[0]}"}} 2' in lines
    assert f'setoff_x_seconds_bucket{{{label},le="0.05"}} 4' in lines
    assert f'setoff_x_seconds_bucket{{{label},le="+Inf"}} 6' in lines
    assert f"setoff_x_seconds_count{{{label}}} 6" in lines
    assert f"setoff_x_seconds_sum{{{label}}} {latency.seconds}" in lines
