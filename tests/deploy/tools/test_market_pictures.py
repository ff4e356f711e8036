"""Pictures of bad days: what is kept of them, what the page says of it, and playing them on either rules."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from setoff.deploy.simulation.market_lab.pictures.moments import make_moment
from setoff.deploy.simulation.market_lab.pictures.present_rules import PresentRules, play_on_present_rules
from setoff.deploy.simulation.market_lab.pictures.prices import fetch_prices, find_crash, find_rise
from setoff.deploy.simulation.market_lab.pictures.stories import OUTAGE, OUTAGE_BEGINS, STORIES, make_story_flow
from setoff.deploy.simulation.market_lab.pictures.told import (
    Telling,
    Told,
    play_earlier,
    play_present,
    read,
    tell_all,
    write,
)
from setoff.deploy.simulation.market_lab.terms import BITCOIN
from setoff.deploy.tools.bad_days import write_page
from setoff.deploy.tools.charts import choose_ticks, thin
from setoff.deploy.tools.market_pictures import EARLIER, FOLDER, PANELS, PRESENT, check_pair, draw_story, main
from setoff.shared.codec.integers import PPM
from setoff.shared.errors import ConfigError
from setoff.shared.machine.machine import TAKEOVER

ROOT = Path(__file__).resolve().parents[3]
LARGEST = 200_000
"""Bytes of a picture."""


@pytest.fixture(scope="module")
def earlier() -> Telling:
    return read(FOLDER / EARLIER)


@pytest.fixture(scope="module")
def present() -> Telling:
    return read(FOLDER / PRESENT)


# --- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [EARLIER, PRESENT])
def test_what_is_kept_has_its_schema_and_nothing_of_a_curve_is_missing(name: str, tmp_path: Path) -> None:
    schema = json.loads((FOLDER / "schema.json").read_text())
    body = json.loads((FOLDER / name).read_text())
    Draft202012Validator(schema).validate(body)
    for told in body["stories"].values():
        assert len({len(curve) for curve in told["curves"].values()}) == 1
        assert sum(told["gains"].values()) == pytest.approx(0, abs=len(told["gains"]))
    write(tmp_path / name, read(FOLDER / name))
    assert (tmp_path / name).read_text() == (FOLDER / name).read_text()


def test_the_schema_refuses_what_is_not_of_it() -> None:
    schema = Draft202012Validator(json.loads((FOLDER / "schema.json").read_text()))
    body = json.loads((FOLDER / EARLIER).read_text())
    assert not schema.is_valid(body | {"rules": "9a1829e"})
    assert not schema.is_valid(body | {"more": 1})
    body["stories"]["squeeze"]["curves"]["mark"][3] = "high"
    assert not schema.is_valid(body)


def test_a_file_that_tells_no_stories_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "present_rules.json"
    for text in ("", "[]", "{}", '{"stories": {"squeeze": {"curves": {}}}}'):
        path.write_text(text)
        with pytest.raises(ConfigError, match="tells no stories"):
            read(path)


def test_both_tell_of_the_same_days(earlier: Telling, present: Telling) -> None:
    check_pair(earlier, present)
    for name in STORIES:
        days = ([(m.hours, m.price) for m in told.stories[name].moments] for told in (earlier, present))
        assert next(days) == next(days)
    other = replace(present.stories["squeeze"], flow=present.stories["empty-book"].flow)
    with pytest.raises(ConfigError, match="squeeze was not the same day"):
        check_pair(earlier, replace(present, stories=present.stories | {"squeeze": other}))


def test_the_page_and_the_pictures_are_those_of_the_curves(earlier: Telling, present: Telling) -> None:
    assert (FOLDER / "README.md").read_text() == write_page(earlier, present)
    for name in STORIES:
        picture = (FOLDER / f"{name}.svg").read_text()
        assert picture == draw_story(name, (earlier, present))
        assert len(picture.encode()) < LARGEST


# --- what the page says in words --------------------------------------------------------------------------------------


def test_what_the_page_says_of_the_flash_crash(earlier: Telling, present: Telling) -> None:
    before, now = (telling.stories["flash-crash"] for telling in (earlier, present))
    assert before.moments[-1].deleveraged == 0 < now.moments[-1].deleveraged
    assert now.moments[-1].taken < before.moments[-1].taken
    assert lowest(before) < 25_000 < 45_000 < lowest(now)
    assert now.gains["shorts"] < before.gains["shorts"]
    assert max(moment.insurance for moment in now.moments) > max(moment.insurance for moment in before.moments)
    assert now.moments[-1].funding < before.moments[-1].funding <= 0


def test_what_the_page_says_of_the_squeeze(earlier: Telling, present: Telling) -> None:
    before, now = (telling.stories["squeeze"] for telling in (earlier, present))
    assert before.undisturbed
    assert now.undisturbed
    assert lowest(before) < 500 < 40_000 < lowest(now)
    assert before.undisturbed["backstop"] < -49_000
    assert max(moment.exposure for moment in before.moments) > 40 * max(moment.exposure for moment in now.moments)
    assert now.gains["squeezer"] < before.gains["squeezer"]
    for told, calm in ((before, before.undisturbed), (now, now.undisturbed)):
        assert 0 < told.gains["longs"] < calm["longs"]
        assert 0 <= told.gains["insurance"] < 100 > calm["insurance"] >= 0


def test_what_the_page_says_of_the_outage(earlier: Telling, present: Telling) -> None:
    before, now = (telling.stories["oracle-outage"] for telling in (earlier, present))
    for told in (before, now):
        silent = [moment for moment in told.moments if is_silent(moment.hours)]
        assert len(silent) >= OUTAGE // 2 - 1
        first = silent[0]
        for moment in silent:
            assert (moment.index, moment.mark) == (first.index, first.mark)
            assert (moment.liquidated, moment.taken, moment.deleveraged) == (
                first.liquidated,
                first.taken,
                first.deleveraged,
            )
            assert moment.open_interest <= first.open_interest
    assert pay_after_silence(before) > 10 * abs(pay_after_silence(now))
    assert before.gains["backstop"] < -1_000 < 0 <= now.gains["backstop"]


def test_what_the_page_says_of_the_empty_book(earlier: Telling, present: Telling) -> None:
    before, now = (telling.stories["empty-book"] for telling in (earlier, present))
    assert lowest(before) == 0 < 45_000 < lowest(now)
    assert before.moments[-1].liquidated == now.moments[-1].liquidated == 0
    assert now.gains["shorts"] == pytest.approx(-now.gains["longs"], rel=0.05)


def lowest(told: Told) -> float:
    return min(moment.backstop for moment in told.moments)


def is_silent(hours: float) -> bool:
    return OUTAGE_BEGINS < 4 * hours < OUTAGE_BEGINS + OUTAGE


def pay_after_silence(told: Told) -> float:
    """What a long of one BTC gets in the hour after, dollars."""
    ends = (OUTAGE_BEGINS + OUTAGE) / 4
    last = max((moment for moment in told.moments if is_silent(moment.hours)), key=lambda moment: moment.hours)
    return last.funding - next(moment.funding for moment in told.moments if moment.hours >= ends + 1)


# --- playing them -----------------------------------------------------------------------------------------------------


def test_the_command_plays_keeps_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The present rules stand in for the earlier ones, which need a checkout.
    told = tell_all(play_present, "0" * 40, None, 4, say=lambda line: None)
    write(tmp_path / EARLIER, told)
    assert main(["--folder", str(tmp_path), "--made-up", "--traders", "4"]) == 0
    assert capsys.readouterr().out.count("is played") == len(STORIES)
    assert read(tmp_path / PRESENT).stories == told.stories
    for name in STORIES:
        picture = ElementTree.fromstring((tmp_path / f"{name}.svg").read_text())
        lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
        assert len(lines) == 2 * sum(len(curves) for curves in PANELS.values())
    assert (tmp_path / "README.md").read_text() == write_page(told, read(tmp_path / PRESENT))
    assert main(["--folder", str(tmp_path), "--redraw"]) == 0


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), "--redraw"])
    assert "tells no stories" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), "--made-up", "--earlier", str(tmp_path)])
    assert "is no checkout" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no checkout of the earlier rules"):
        play_earlier(ROOT)(make_story_flow("empty-book", STORIES["empty-book"].make_up(), 2))


def test_the_earlier_rules_play_in_a_checkout_of_theirs(earlier: Telling, tmp_path: Path) -> None:
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", earlier.rules], capture_output=True)
    if archive.returncode:
        pytest.skip(f"the history here does not go back to {earlier.rules[:7]}")
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=archive.stdout, check=True)
    told = tell_all(play_earlier(tmp_path), earlier.rules, None, 10, say=lambda line: None)
    assert told.unknown_terms == earlier.unknown_terms
    for name in ("empty-book", "squeeze"):  # the backstop had no cap then
        assert max(moment.exposure for moment in told.stories[name].moments) > 40_000


@pytest.mark.parametrize("name", [name for name in STORIES if name != "oracle-outage"])
def test_on_the_present_rules_nobody_ends_below_zero_and_the_backstop_takes_no_more_than_its_cap(name: str) -> None:
    rules, takeovers = PresentRules(), 0
    for action in make_story_flow(name, STORIES[name].make_up(), 20).actions:
        getattr(rules, action.name)(*action.arguments)
        if action.name in ("report", "crank") and rules.exchange.market().mark:
            rules.look()
            sight = rules.sights.pop()
            equities = sight.compute_equities(sight.mark)
            assert min(equities) >= 0, action
            assert sight.insurance >= 0
            if any(fill.kind == TAKEOVER for fill in rules.exchange.fills):
                takeovers += 1
                worth = abs(sight.accounts[0][1]) * sight.mark * int(BITCOIN["unit"])
                assert worth * PPM <= int(BITCOIN["backstop_cap"]) * equities[0]
    assert takeovers


def test_everybody_does_the_same_with_a_squeezer_and_without() -> None:
    hours = STORIES["squeeze"].make_up()
    flow, calm = (make_story_flow("squeeze", hours, 5, is_disturbed=is_disturbed) for is_disturbed in (True, False))
    squeezer = flow.roles["squeezer"]
    others = [a for a in flow.actions if not (a.arguments and a.arguments[0] in squeezer and a.name != "set_signer")]
    assert [a for a in others if a.name != "report"] == [a for a in calm.actions if a.name != "report"]
    assert flow.digest() != calm.digest()


def test_the_flow_needs_no_rules_and_a_look_changes_nothing() -> None:
    hours = STORIES["flash-crash"].make_up()
    flow = make_story_flow("flash-crash", hours, 5)
    assert flow.digest() == make_story_flow("flash-crash", hours, 5).digest()
    seen = play_on_present_rules(flow)
    unseen = replace(flow, actions=[action for action in flow.actions if action.name != "look"])
    blind = play_on_present_rules(unseen)
    assert seen.exchange.machine.hash() == blind.exchange.machine.hash()
    assert make_moment(*flow.looks[-1], seen.sights[-1]) != make_moment(*flow.looks[0], seen.sights[0])


@pytest.mark.long
def test_the_curves_of_the_present_rules_are_those_of_today(present: Telling) -> None:
    """Where this fails, rules have changed: `python -m setoff.deploy.tools.market_pictures` makes all anew."""
    assert tell_all(play_present, "present", fetch_prices(), present.pairs) == present


@pytest.mark.long
def test_the_record_has_a_crash_and_a_rise() -> None:
    hours = fetch_prices()
    crash, rise = find_crash(hours), find_rise(hours)
    assert min(low for _, _, low, _ in crash) < crash[0][0] * 0.75
    assert max(high for _, high, _, _ in rise) > rise[0][0] * 1.15


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_a_curve_keeps_its_corners_and_loses_what_lies_between() -> None:
    flat = [(float(x), 0.0) for x in range(10)]
    assert thin(flat) == [flat[0], flat[-1]]
    step = [(float(x), 0.0 if x < 5 else 9.0) for x in range(10)]
    assert thin(step) == [step[0], step[4], step[5], step[-1]]


def test_scales_have_round_numbers() -> None:
    assert choose_ticks(0, 831_702) == [0, 250_000, 500_000, 750_000]
    assert choose_ticks(-111.0, 32.0) == [-100, -50, 0]
    assert choose_ticks(0, 1) == [0, 0.25, 0.5, 0.75, 1]
