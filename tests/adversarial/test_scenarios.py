"""The scenarios that come with the source: a few always, all of them in the long run; and that a verdict can fail."""

import dataclasses
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.run import SHIPPED, find_scenarios, play_scenario
from setoff.deploy.simulation.scenario.script import Script
from setoff.shared.errors import ConfigError
from setoff.shared.params import DEMO

SCRIPTS = [Script.load(path) for path in find_scenarios()]


def play(script: Script, folder: Path) -> Report:
    with Console(RichConsole(force_terminal=False, width=140)) as console:
        return play_scenario(script, console, folder)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "script",
    [pytest.param(script, id=script.name, marks=[] if script.fast else pytest.mark.long) for script in SCRIPTS],
)
def test_a_scenario_ends_as_expected(script: Script, tmp_path: Path) -> None:
    report = play(script, tmp_path)
    assert [(check.what, check.seen) for check in report.checks if not check.passed] == []
    assert (tmp_path / "report.json").exists()


@pytest.mark.timeout(200)
def test_what_does_not_end_as_expected_is_not_passed(tmp_path: Path) -> None:
    script = next(script for script in SCRIPTS if script.name == "nobody-watches")
    hopeful = dataclasses.replace(
        script, expect=dataclasses.replace(script.expect, end="true", eliminated={"operator": "proof"}, moves=(7, 7))
    )
    failed = {check.what for check in play(hopeful, tmp_path).checks if not check.passed}
    assert failed == {"the confirmed end of epoch 0 is true", "operator is eliminated by proof", "7 to 7 moves"}


def test_there_are_enough_and_of_every_sort() -> None:
    assert len(SCRIPTS) >= 25
    assert 2 <= sum(script.fast for script in SCRIPTS) <= 4
    assert {lie.shape for script in SCRIPTS for actor in script.actors if (lie := actor.lie)} == {
        "leaf", "from", "hollow", "random", "named"
    }  # fmt: skip
    assert {fault.kind for script in SCRIPTS for fault in script.faults} == {
        "reorg", "restart", "outage", "censor", "corrupt"
    }  # fmt: skip
    assert len({script.text for script in SCRIPTS}) == len(SCRIPTS)


def test_operators_die_for_good_and_return_in_time() -> None:
    died = [script for script in SCRIPTS if script.expect.wind_down is not None]
    operators = [next(actor for actor in script.actors if actor.name == "operator") for script in died]
    pairs = list(zip(operators, died, strict=True))
    ends = {(bool(operator.returns), script.expect.wind_down) for operator, script in pairs}
    assert ends == {(False, True), (True, False)}
    assert {operator.returns > script.params.silence for operator, script in pairs} == {True, False}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_exchange_that_ends_where_it_was_to_go_on_is_not_passed(tmp_path: Path) -> None:
    script = next(script for script in SCRIPTS if script.name == "exchange-operator-dies")
    hopeful = dataclasses.replace(script, expect=dataclasses.replace(script.expect, wind_down=False))
    failed = {check.what for check in play(hopeful, tmp_path).checks if not check.passed}
    assert failed == {"the exchange goes on"}


def test_the_list_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(script.name[:8] in shown for script in SCRIPTS)


def ended(
    *,
    wind_down: bool | None = True,
    liveness_keeper: bool = True,
    watcher: dict[str, object] | None = None,
    **operator: object,
) -> dict[str, object]:
    """A change of `GOOD`: an exchange whose operator dies, but for what is said otherwise."""
    actors = [{"name": "operator", "dies": "posted 3"} | operator]
    actors.append({"name": "watcher", "liveness_keeper": liveness_keeper} | (watcher or {}))
    expect = {} if wind_down is None else {"wind_down": wind_down}
    return {"kind": "exchange", "actor": actors, "expect": expect}


GOOD = {"text": "a game", "kind": "court", "actor": [{"name": "operator"}, {"name": "watcher"}]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "circus"}, "kind"),
        ({"actor": [{"name": "watcher"}]}, "operator"),
        ({"actor": [{"name": "operator", "lie": {"shape": "leaf", "place": "elsewhere"}}]}, "lie.place"),
        ({"actor": [{"name": "operator", "lie": {"shape": "named", "name": "white"}}]}, "lie.name"),
        ({"actor": [{"name": "operator", "colour": "red"}]}, "colour"),
        ({"actor": [{"name": "operator", "enters": "soon"}]}, "cue"),
        ({"fault": [{"kind": "reorg", "at": "moved x"}]}, "cue"),
        ({"fault": [{"kind": "flood", "at": "moved"}]}, "fault.kind"),
        ({"fault": [{"kind": "censor", "at": "moved", "calls": ["bribe"]}]}, "fault.calls"),
        ({"fault": [{"kind": "restart", "at": "moved", "actor": "nobody"}]}, "nobody"),
        ({"expect": {"end": "open"}}, "expect.end"),
        ({"expect": {"eliminated": {"stranger": "proof"}}}, "stranger"),
        ({"expect": {"moves": [7]}}, "expect.moves"),
        ({"params": {"preset": "venus"}}, "params.preset"),
        ({"params": {"preset": "demo", "challenge_period": 1}}, "bad_terms"),
        ({"actor": [{"name": "operator", "dies": "posted"}]}, "of kind exchange"),
        ({"actor": [{"name": "operator"}, {"name": "watcher", "liveness_keeper": True}]}, "of kind exchange"),
        ({"expect": {"wind_down": True}}, "of kind exchange"),
        (ended(dies="at noon"), "cue"),
        (ended(dies=""), "wind_down"),
        (ended(wind_down=None), "wind_down"),
        (ended(liveness_keeper=False), "takes the operator's place"),
        (ended(returns=-1), "actor.returns"),
        (ended(returns=10, dies="", wind_down=None), "actor.returns"),
        (ended(returns=DEMO.wind_down), "may be ended"),
        (ended(lie={"shape": "named", "name": "wrong-fill"}), "tells no lie"),
        (ended(watcher={"dies": "posted"}), "actor.dies"),
        (ended(watcher={"lie": {"shape": "named", "name": "wrong-fill"}}), "honest watchers"),
        ({"kind": "exchange", "network": {"rpc": "http://127.0.0.1:1"}}, "anvil"),
    ],
)
def test_a_script_that_cannot_work_is_refused(change: dict[str, object], complaint: str) -> None:
    assert Script.from_dict("good", GOOD).name == "good"
    assert Script.from_dict("good", GOOD | ended()).name == "good"
    with pytest.raises(ConfigError, match=complaint):
        Script.from_dict("bad", GOOD | change)


def test_a_scenario_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "no-such"]) == 2
    assert "scenario list" in capsys.readouterr().err
    assert SHIPPED.is_dir()
