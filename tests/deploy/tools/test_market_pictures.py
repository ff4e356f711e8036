"""Pictures of bad days: on prices that need no download, every story is told and drawn."""

from pathlib import Path

import pytest

from setoff.deploy.simulation.market_lab.pictures.prices import fetch_prices, find_crash, find_rise
from setoff.deploy.simulation.market_lab.pictures.stories import OUTAGE, SLOW, STORIES, tell_story
from setoff.deploy.tools.market_pictures import PANELS, draw, main


def test_a_crash_without_makers_closes_all_beside_the_book() -> None:
    story = STORIES["empty-book"]
    moments = tell_story("empty-book", story.make_up(), traders=20)
    assert moments[-1].liquidated == 0
    assert moments[-1].taken > 0 < moments[-1].deleveraged
    assert min(moment.backstop for moment in moments) > 0


def test_a_squeeze_costs_the_backstop_no_more_than_its_cap_allows() -> None:
    moments = tell_story("squeeze", STORIES["squeeze"].make_up(), traders=20)
    assert moments[-1].deleveraged > 0
    assert min(moment.backstop for moment in moments) > moments[0].backstop * 9 // 10


def test_without_reports_nobody_is_liquidated_and_afterwards_the_index_comes_back() -> None:
    hours = STORIES["oracle-outage"].make_up() * 8
    moments = tell_story("oracle-outage", hours, traders=10)
    silent = [moment for moment in moments if moment.index != moment.price]
    assert len(silent) >= OUTAGE // SLOW - 1
    assert {moment.liquidated + moment.taken for moment in silent[2:-8]} == {silent[2].liquidated + silent[2].taken}
    assert moments[-1].index == moments[-1].price


def test_all_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--made-up", "--traders", "5"]) == 0
    assert {path.stem for path in tmp_path.glob("*.svg")} == set(STORIES)
    assert capsys.readouterr().out.count("lots liquidated") == len(STORIES)


def test_a_panel_for_each_kind_of_figure() -> None:
    moments = tell_story("flash-crash", STORIES["flash-crash"].make_up(), traders=5)
    figure = draw("A title", moments)
    assert len(figure.axes) == len(PANELS)
    assert [len(axes.lines) for axes in figure.axes] == [len(fields) for fields in PANELS.values()]


@pytest.mark.long
def test_the_record_has_a_crash_and_a_rise() -> None:
    hours = fetch_prices()
    crash, rise = find_crash(hours), find_rise(hours)
    assert min(low for _, _, low, _ in crash) < crash[0][0] * 0.75
    assert max(high for _, high, _, _ in rise) > rise[0][0] * 1.15
