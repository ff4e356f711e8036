"""Alert rules and dashboard ask only for what operator, watcher and feeder export, each in a form that can be read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from setoff.operator.monitor.metrics import COUNTERS, GAUGES
from setoff.operator.monitor.metrics import to_prometheus as show_operator
from setoff.operator.monitor.status import NEEDED
from setoff.operator.publisher.batch_lag import STAGES
from setoff.shared.config.pulse import ProcessStatus
from setoff.shared.gateway.figures import Figures
from setoff.shared.gateway.figures import to_prometheus as show_gateway
from setoff.shared.oracle.status import FeederStatus, MarketStatus
from setoff.shared.oracle.status import to_prometheus as show_feeder
from setoff.shared.wire.latency import Latency
from setoff.watcher.liveness.presence import STATES, Presence
from setoff.watcher.monitor.dispute_view import Overview
from setoff.watcher.monitor.metrics import MONEY
from setoff.watcher.monitor.metrics import to_prometheus as show_watcher
from setoff.watcher.monitor.work import PROCESSES, Work

KIT = Path(__file__).resolve().parents[3] / "deploy" / "kit"


def read_yaml(name: str) -> Any:
    return yaml.safe_load((KIT / name).read_text())


def make_pages() -> str:
    """All pages, with all that can be on them."""
    spending = {"wei": {"post": 1}, "transactions": {"post": 1}}
    facts = dict.fromkeys((*GAUGES, *COUNTERS), 1) | {"spending": spending, "acknowledging": Latency().to_json()}
    facts |= {"lag": dict.fromkeys(STAGES, 1), "batches": dict.fromkeys(("closed", *STAGES), 1)}
    work = Work(dict.fromkeys(PROCESSES, 1), challenger={"short": True, "spending": spending} | dict.fromkeys(MONEY, 1))
    presence = Presence(STATES[0], 0, 0, 0, 0, 0, 0, 0)
    feeder = FeederStatus("0x", l1_time=1, refusals={"not_ready": 1}, failures=[("M", "file:x", 1)])
    feeder.markets["M"] = MarketStatus("M", price="1", reported_at=1)
    return (
        show_feeder(feeder)
        + show_operator([ProcessStatus(name, 0.1, facts) for name in NEEDED])
        + show_watcher(Overview(1, 1, 0, 60, True, operator=presence, work=work))
        + show_gateway(Figures(), is_exchange_up=True)
    )


PAGES = make_pages()
EXPORTED = dict(re.findall(r"^# TYPE (\S+) (\S+)$", PAGES, re.MULTILINE))
RULES = [rule for group in read_yaml("alerts.yml")["groups"] for rule in group["rules"]]
PANELS = [panel for panel in json.loads((KIT / "dashboard.json").read_text())["panels"] if panel["type"] != "row"]
SCALING = read_yaml("workers-scaling.yaml")["spec"]["triggers"]
ASKED = [
    *(("workers-scaling.yaml", trigger["metadata"]["query"]) for trigger in SCALING),
    *((rule["alert"], rule["expr"]) for rule in RULES),
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
]


def get_metric(name: str) -> str:
    """Which it is of, where it is a part of a histogram."""
    whole = name.removesuffix("_bucket")
    return whole if EXPORTED.get(whole) == "histogram" else name


@pytest.mark.parametrize(("where", "expression"), ASKED, ids=[f"{where}: {text}" for where, text in ASKED])
def test_what_is_asked_for_is_exported(where: str, expression: str) -> None:
    names = {get_metric(name) for name in re.findall(r"\bsetoff_\w+", expression)}
    assert names or expression.startswith("up{job="), where
    assert names - set(EXPORTED) == set()
    for name in names:
        is_rate = re.search(rf"(?:rate|resets)\({name}(?:_bucket)?\[", expression) is not None
        assert is_rate == (EXPORTED[name] in ("counter", "histogram")), name
    assert all(expression.count(one) == expression.count(other) for one, other in ("()", "[]", "{}"))


def test_labels_have_values_that_occur() -> None:
    known = {
        "state": {*STATES, "claimed", "disputed", "installed", "waiting", "failed"},
        "stage": {"closed", *STAGES},
        "process": {*NEEDED, *PROCESSES},
        "level": {"warning", "critical"},
        "true_side": {"true", "false"},
        "job": {each["job_name"] for each in read_yaml("prometheus.yml")["scrape_configs"]},
    }
    for where, expression in ASKED:
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', expression):
            assert set(values.split("|")) <= known[label], where


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) > 20
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        for text in (rule["annotations"]["summary"], rule["annotations"]["next"]):
            assert text.endswith((".", "?")) and len(text) > 20, rule["alert"]


def test_labels_in_the_words_of_a_rule_are_those_of_its_metric() -> None:
    source = "".join(Path(show.__code__.co_filename).read_text() for show in (show_watcher, show_feeder))
    for rule in RULES:
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label == "process" or f'"{label}": ' in source, rule["alert"]


def test_prometheus_asks_the_pages_of_compose_and_grafana_asks_prometheus() -> None:
    services = read_yaml("compose.yaml")["services"]
    for scrape in read_yaml("prometheus.yml")["scrape_configs"]:
        (target,) = scrape["static_configs"][0]["targets"]
        host, _, port = target.partition(":")
        sharing = [each for each in services.values() if each.get("network_mode") == f"service:{host}"]
        assert any(f"0.0.0.0:{port}" in " ".join(each["command"]) for each in (services[host], *sharing)), target
    assert read_yaml("prometheus.yml")["rule_files"] == ["alerts.yml"]
    (source,) = read_yaml("grafana-source.yml")["datasources"]
    assert {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]} == {source["uid"]}
    (folder,) = read_yaml("grafana-folder.yml")["providers"]
    assert any(
        each.endswith(f":{folder['options']['path']}/dashboard.json:ro") for each in services["grafana"]["volumes"]
    )


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((KIT / "dashboard.json").read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
