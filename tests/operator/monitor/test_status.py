"""How the operator is: problems in words, metrics that say the same."""

import time
from functools import partial
from operator import add
from typing import Any

import pytest
from redis import Redis

from setoff.operator.monitor.metrics import COUNTERS, GAUGES, to_prometheus
from setoff.operator.monitor.status import describe_status, find_problems
from setoff.operator.pulse import Pulse, read_status
from setoff.operator.sequencer.vital_signs import describe_sequencer
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.pulse import ProcessStatus
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import StateError
from setoff.shared.wire.latency import Latency

PUBLISHER = {"balance_wei": 10**18, "bond_stands": True, "opens_in": 9}
ZERO = "0x" + "00" * 20
DEPLOYMENT = Deployment(31337, *[ZERO] * 7)


def both(sequencer: dict[str, Any] | None = None, publisher: dict[str, Any] | None = None) -> list[ProcessStatus]:
    """The two processes, alive, with these facts."""
    told = {"told_at": time.time()}
    return [
        ProcessStatus("sequencer", 0.5, {"url": "http://x", "obstacle": ""} | told | (sequencer or {})),
        ProcessStatus("publisher", 0.5, PUBLISHER | told | (publisher or {})),
    ]


def test_all_is_well_where_nothing_is_wrong() -> None:
    assert find_problems(both()) == []
    assert "setoff_operator_ready 1\n" in to_prometheus(both())


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ([], "no sequencer runs"),
        (both()[:1], "no publisher runs"),
        ([ProcessStatus("sequencer", 9.0, {}), both()[1]], "the sequencer is silent for 9 s"),
        (both({"told_at": time.time() - 60}), "lives, but does nothing for"),
        (both({"obstacle": "not_ready: the store does not answer"}), "no records are taken: not_ready: the store"),
        (both(publisher={"error": "posting: insufficient_funds"}), "the publisher: posting: insufficient_funds"),
        (both(publisher={"bond_stands": False}), "the bond for receipts does not stand"),
        (
            both(publisher={"opens_in": 0, "silent_for": 77}),
            "anybody may post: the operator has posted nothing for 77 s",
        ),
        (both(publisher={"balance_wei": 0, "account": "0xab"}), "0xab has no ether"),
        (both({"winding_since": 5}), "the exchange winds down"),
    ],
)
def test_what_is_wrong_is_named(statuses: list[ProcessStatus], said: str) -> None:
    problems = find_problems(statuses)
    assert any(said in problem for problem in problems), problems
    assert f"setoff_operator_problems {len(problems)}\n" in to_prometheus(statuses)


def test_records_are_not_taken_where_health_says_so() -> None:
    told = to_prometheus(both({"obstacle": 'not_ready: "L1" does not answer'}))
    assert "setoff_operator_ready 0\n" in told and 'setoff_operator_up{process="sequencer"} 1' in told


def test_every_figure_has_its_type_and_a_silent_process_has_none() -> None:
    figures = dict.fromkeys((*GAUGES, *COUNTERS), 7)
    lines = to_prometheus(both(figures)).splitlines()
    for name in GAUGES:
        assert f"# TYPE setoff_operator_{name} gauge" in lines and any(
            line.startswith(f"setoff_operator_{name} ") for line in lines
        )
    for name in COUNTERS:
        assert f"# TYPE setoff_operator_{name}_total counter" in lines and f"setoff_operator_{name}_total 7" in lines
    silent = [ProcessStatus("sequencer", 60.0, figures)]
    assert "setoff_operator_batch 7" not in to_prometheus(silent)


def test_figures_are_shown_with_their_units() -> None:
    told = describe_status(both({"l1_time": 1_796_073_685}))
    assert "  balance            1.0000 ETH" in told and "  opens in           9 s" in told
    assert "  bond stands        yes" in told and "  l1 time            2026-11-30 21:21:25 UTC" in told


def test_what_a_process_says_is_read_by_others(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url) as redis:
        pulse = Pulse(redis, DEPLOYMENT, "sequencer")
        pulse.tell(batch=3)
        with pulse.beating():
            pulse.beat()
            (status,) = read_status(redis, DEPLOYMENT)
            assert status.is_alive and status.facts["batch"] == 3 and time.time() - status.facts["told_at"] < 5
        assert read_status(redis, DEPLOYMENT) == []


async def test_a_sequencer_says_what_its_health_says(exchange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = describe_sequencer(exchange.sequencer, exchange.url)
    assert facts["obstacle"] == "" and (await exchange.get("/v1/health"))[0] == 200
    assert facts["records"] == exchange.sequencer.exchange.cursor.records and facts["commits"] > 0
    assert set(facts) >= {*COUNTERS}
    answered = Latency.from_json(facts["acknowledging"])
    assert sum(answered.counts) > 0 and answered.seconds > 0
    page = to_prometheus(both(facts | {"told_at": time.time()}))
    assert f"setoff_operator_acknowledge_seconds_count {sum(answered.counts)}\n" in page
    monkeypatch.setattr(exchange.sequencer, "obstacle", lambda: StateError("not_ready", "the store does not answer"))
    status, body = await exchange.get("/v1/health")
    told = describe_sequencer(exchange.sequencer, exchange.url)["obstacle"]
    assert status == 503 and told == f"{body['reason']}: {body['detail']}"
    assert describe_sequencer(exchange.sequencer, exchange.url)["status"] == "obstructed"
    assert (await exchange.status())["status"] == "obstructed"


def test_a_clock_that_is_wrong_is_named_and_nobody_is_called_silent_for_it(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are measured by the store's clock: a host whose own is a minute ahead, or behind, has live processes."""
    for ahead, words in ((60, "60 s ahead of"), (-60, "60 s behind")):
        with Redis.from_url(redis_server.url) as redis, monkeypatch.context() as clock:
            clock.setattr("setoff.shared.config.pulse.time.time", partial(add, time.time() + ahead, 0))
            for name in ("sequencer", "publisher"):
                pulse = Pulse(redis, DEPLOYMENT, name)
                pulse.tell(batch=3)
                pulse.beat()
            clock.undo()
            statuses = read_status(redis, DEPLOYMENT)
            assert all(status.is_alive for status in statuses)
            assert find_problems(statuses) == [f"the {name}: its clock is {words} the store's" for name in
                                               ("publisher", "sequencer")]  # fmt: skip
