"""Alerts are posted once when they begin and once when they end, to whoever takes them, also over a restart."""

import time
from pathlib import Path

import pytest
from tests.support.processes.webhook_receiver import receiving
from tests.support.waiting import wait_until

from setoff.operator.settings import OperatorSettings
from setoff.shared.config import webhooks
from setoff.shared.config.webhooks import AGAIN, GONE, HOLDS, LONGEST, STARTS, Webhooks, name_alert

SILENT = "the sequencer is silent for 9 s"


class Clock:
    """Monotonic seconds that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def show(hooks: Webhooks, clock: Clock, seconds: float, *texts: str) -> None:
    """That all this is so, for so long."""
    for at in (0.0, seconds):
        clock.now += at
        hooks.see({name_alert(text): text for text in texts})


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make(clock: Clock, folder: Path, *urls: str) -> Webhooks:
    hooks = Webhooks(urls, "operator", folder / "alerts" / "operator.json", clock)
    clock.now += STARTS
    return hooks


def test_one_message_when_it_begins_and_one_when_it_ends(tmp_path: Path, clock: Clock) -> None:
    with receiving() as taken, make(clock, tmp_path, taken.url) as hooks:
        show(hooks, clock, HOLDS - 1, SILENT)
        show(hooks, clock, HOLDS)  # it has passed before it was one
        show(hooks, clock, HOLDS, SILENT)
        show(hooks, clock, 100, "the sequencer is silent for 30 s", "another")
        wait_until(lambda: len(taken.bodies) == 2)
        show(hooks, clock, GONE - 1, "another")
        show(hooks, clock, 5, "the sequencer is silent for 200 s", "another")
        show(hooks, clock, GONE, "another")
        wait_until(lambda: len(taken.bodies) == 3)
        assert taken.bodies[0] == {"text": f"operator: {SILENT}"}
        assert taken.texts[1:] == ["operator: another", f"operator: over: {SILENT}"]


def test_what_begins_again_soon_is_told_later(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    today = time.time()
    monkeypatch.setattr(webhooks, "time", type("Time", (), {"time": lambda: today, "monotonic": time.monotonic}))
    with receiving() as taken, make(clock, tmp_path, taken.url) as hooks:
        show(hooks, clock, HOLDS, SILENT)
        show(hooks, clock, GONE)
        wait_until(lambda: len(taken.bodies) == 2)
        show(hooks, clock, HOLDS, SILENT)
        assert len(taken.bodies) == 2
        today += AGAIN
        show(hooks, clock, HOLDS, SILENT)
        wait_until(lambda: len(taken.bodies) == 3)


def test_a_restart_tells_nothing_twice_and_what_was_not_taken_later(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", 0.05)
    with receiving() as good, receiving(503) as bad:
        with make(clock, tmp_path, good.url, bad.url) as hooks:
            show(hooks, clock, HOLDS, SILENT)
            wait_until(lambda: good.bodies and bad.refused >= 3)  # the one does not wait for the other
        kept = (tmp_path / "alerts" / "operator.json").read_text()
        assert "token0123456789" not in kept
        bad.status = 200
        with make(clock, tmp_path, good.url, bad.url) as hooks:
            wait_until(lambda: len(bad.bodies) == 1)
            show(hooks, clock, HOLDS, SILENT)
            show(hooks, clock, GONE)
            wait_until(lambda: len(bad.bodies) == 2 and len(good.bodies) == 2)
        assert good.texts == bad.texts == [f"operator: {SILENT}", f"operator: over: {SILENT}"]


def test_what_is_refused_for_good_is_given_up_and_nothing_is_held_up(tmp_path: Path, clock: Clock) -> None:
    with receiving(404) as gone, make(clock, tmp_path, gone.url, "http://127.0.0.1:9/") as hooks:
        begun = time.monotonic()
        show(hooks, clock, HOLDS, SILENT)
        assert time.monotonic() - begun < webhooks.TIMEOUT
        wait_until(lambda: gone.refused)
        show(hooks, clock, HOLDS, "another")
        wait_until(lambda: gone.refused == 2)


def test_words_of_others_call_nobody_together(tmp_path: Path, clock: Clock) -> None:
    node = "https://node/v3/0123456789abcdef"
    with receiving() as taken, make(clock, tmp_path, taken.url) as hooks:
        show(hooks, clock, HOLDS, f"L1 at {node} <!channel> @everyone {'x' * 5000}")
        wait_until(lambda: taken.bodies)
        (text,) = taken.texts
        assert text.startswith("operator: L1 at https://node/… ‹!channel› (at)everyone xxx") and len(text) == LONGEST


def test_a_damaged_file_holds_nothing_up(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "operator.json").write_text('{"open": 5}')
    with receiving() as taken, make(clock, tmp_path, taken.url) as hooks:
        show(hooks, clock, HOLDS, SILENT)
        wait_until(lambda: taken.texts == [f"operator: {SILENT}"])


def test_a_name_stays_where_numbers_change() -> None:
    assert name_alert("epoch 3 of 0x12ab is late for 7.5 s") == name_alert("epoch 4 of 0x12ab is late for 8 s")
    assert name_alert("claim 0x12ab") != name_alert("claim 0x12ac")


def test_the_setting_is_a_list_of_addresses_that_is_not_shown() -> None:
    settings = OperatorSettings(webhook="http://a/token, https://b")
    hooks = settings.open_webhooks()
    assert hooks is not None and "token" not in repr(settings)
    assert OperatorSettings().open_webhooks() is None
