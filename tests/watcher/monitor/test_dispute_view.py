"""The monitor: what it says of a dispute in every situation, and that it needs nothing but L1."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from tests.support.courts.arena import lie_from
from tests.support.courts.league import BEGIN, HONEST, LIAR, TERMS, TRUTH, Book, Game, T, book_of

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.lab.machine import position
from setoff.watcher.chain.withheld import WithheldBatch
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.dispute_view import Overview, view_disputes
from setoff.watcher.monitor.metrics import to_prometheus
from setoff.watcher.monitor.narrative import describe_time
from setoff.watcher.monitor.pages import make_server
from setoff.watcher.monitor.text import to_text
from setoff.watcher.settings import WatcherSettings

LIE = lie_from(TRUTH.leaf(0), position(1, 0, 2), "monitored")
KNOWN = book_of(TRUTH)


def view(game: Game, book: Book | None = KNOWN, low: int | None = None) -> Overview:
    return view_disputes(game.court, book, 7, game.model.now, low)


def disputed() -> Game:
    return Game(LIE.end).at(100).join(TRUTH, by=HONEST).at(200).join(LIE, by=LIAR)


def test_a_false_claim_that_nobody_disputes_is_an_alert() -> None:
    overview = view(Game(LIE.end).at(10))
    (shown,) = overview.disputes
    assert (shown.state, shown.verdict, shown.installable_in) == ("claimed", "false", T - 10)
    assert shown.expected == "0x" + LIE.end.hex()  # so far
    assert [alert.level for alert in overview.alerts] == ["warning"]
    late = view(Game(LIE.end).at(T - 10))
    assert [alert.level for alert in late.alerts] == ["critical"]
    gone = view(Game(LIE.end).at(T))
    assert "in time" in gone.alerts[0].text


def test_a_claim_that_cannot_be_judged_is_an_alert_and_critical_at_half_time() -> None:
    for book in (None, Book()):
        levels = [[alert.level for alert in view(Game(LIE.end).at(now), book).alerts] for now in (0, T // 4, T // 2, T)]
        assert levels == [[], ["warning"], ["critical"], ["critical"]]
    overview = view(Game(LIE.end).at(T - 1), None)
    assert "it can be disputed for 1 s more" in overview.alerts[0].text
    assert "is not known here; 1 s left to dispute it" in to_text(overview)


def test_a_dispute_is_told_in_words() -> None:
    overview = view(disputed())
    overview.operator_address, overview.account = overview.disputes[0].claimant, overview.disputes[0].sides[0].owner
    left = describe_time(overview.disputes[0].matches[0].time_left)
    words = "the operator lied about epoch 0; our bond is on the truth; 0 of 7 moves made; theirs is the turn"
    assert f"{words}, for {left}" in to_text(overview).splitlines()
    overview.account = ""
    assert "; the bond of 0x" in to_text(overview)
    nobody = view(Game(LIE.end).at(10))
    assert f"lied about epoch 0; nobody's bond is on the truth; {describe_time(T - 10)} left to join" in to_text(nobody)


def test_a_true_claim_is_none() -> None:
    overview = view(Game(TRUTH.end).at(T - 1))
    assert overview.alerts == [] and overview.disputes[0].verdict == "true"


def test_a_dispute_shows_who_stands_whose_turn_it_is_and_how_long() -> None:
    game = disputed()
    (shown,) = view(game).disputes
    assert [(side.state, side.verdict) for side in shown.sides] == [("standing", "true"), ("standing", "false")]
    assert shown.at_stake == 2 * TERMS.bond + TERMS.stake_reward
    (match,) = shown.matches
    assert match.on_turn == "0x" + LIE.root.hex() and match.verdict == "one"
    assert (
        match.time_left
        == game.court.claims[game.key].expiry(game.court.claims[game.key].match(TRUTH.root, LIE.root), T)
        - game.model.now
    )
    assert shown.expected == "0x" + TRUTH.end.hex()


def test_an_honest_clock_that_runs_low_is_an_alert() -> None:
    game = disputed().move(LIE, TRUTH)  # the truth is on turn
    assert view(game).alerts == []
    left = view(game).disputes[0].matches[0].time_left
    low = T // 4
    game.at(game.model.now - BEGIN + left - low + 1)
    assert [alert.level for alert in view(game).alerts] == ["warning"]
    game.at(game.model.now - BEGIN + low // 2)
    assert [alert.level for alert in view(game).alerts] == ["critical"]
    assert view(game, low=1).alerts == []


def test_without_our_own_execution_nothing_is_said_about_right_and_wrong() -> None:
    overview = view(disputed(), None)
    assert not overview.knows and overview.alerts == []
    assert {side.verdict for side in overview.disputes[0].sides} == {"unknown"}
    assert overview.disputes[0].expected == ""


def test_the_true_history_out_is_an_alert() -> None:
    game = disputed().move(LIE, TRUTH)
    left = view(game).disputes[0].matches[0].time_left
    game.at(game.model.now - BEGIN + left).timeout(TRUTH, LIE, by=LIAR)
    assert any("is out" in alert.text for alert in view(game).alerts)


def test_as_metrics_and_as_text() -> None:
    overview = view(disputed().move(LIE, TRUTH))
    metrics = to_prometheus(overview)
    assert 'setoff_claims{state="disputed"} 1' in metrics
    assert 'true_side="true"' in metrics
    assert all(line.startswith(("#", "setoff_")) for line in metrics.splitlines())
    assert "on turn" in to_text(overview)
    json.dumps(overview.to_dict())


@contextmanager
def serving(overview: Overview) -> Iterator[HTTPConnection]:
    with make_server(("127.0.0.1", 0), lambda: overview) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
        try:
            yield connection
        finally:
            connection.close()
            server.shutdown()


def test_served_over_http() -> None:
    with serving(view(disputed())) as connection:
        for path, kind in (("/metrics", "text/plain"), ("/disputes", "application/json"), ("/", "text/plain")):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200 and answer.getheader("Content-Type", "").startswith(kind)
            answer.read()
        connection.request("GET", "/else")
        assert connection.getresponse().status == 404


def test_withheld_data_is_an_alert_that_says_how_long_it_can_be_mended() -> None:
    game = Game(TRUTH.end).at(10)
    now = game.model.now

    def look(claimed_at: int, left: int) -> Overview:
        batch = WithheldBatch(3, 1, 1, "0xabcd", now - 5, claimed_at, now + left)
        return view_disputes(game.court, KNOWN, 7, now, withheld=[batch])

    assert T % 2 == 0
    for claimed_at, left, level, words in (
        (0, T // 2 + 1, "warning", f"epoch 1 is not claimed yet; no claim of it is final before {T // 2 + 1} s"),
        (now - 1, T // 2 + 1, "warning", f"a dispute can begin for {T // 2 + 1} s more"),
        (now - 1, T // 2, "critical", f"a dispute can begin for {T // 2} s more"),
        (now - 1, 0, "critical", "past all dispute"),
        (0, -7, "critical", "is not claimed yet"),
    ):
        overview = look(claimed_at, left)
        (alert,) = overview.alerts
        assert alert.level == level and words in alert.text and "batch 3 (0xabcd) is withheld for 5 s" in alert.text
        metrics = to_prometheus(overview)
        labels = '{batch="3",epoch="1",data_root="0xabcd"}'
        assert f"setoff_batch_withheld_seconds{labels} 5" in metrics
        assert f"setoff_batch_withheld_disputable_seconds{labels} {left}" in metrics
        assert f'setoff_alerts{{level="{level}"}} 1' in metrics
        assert overview.to_dict()["withheld"][0]["disputable_until"] == now + left
        assert alert.text in to_text(overview)


def test_from_l1_alone(settings: WatcherSettings, capsys: pytest.CaptureFixture[str]) -> None:
    overview = DisputeMonitor(settings).look()
    assert overview.disputes == [] and overview.confirmed == 0
    words = [
        "watcher",
        "disputes",
        "--json",
        f"--set=deployment={settings.deployment}",
        f"--set=rpc_url={settings.rpc_url}",
    ]
    assert main([*words, f"--set=redis_dir={settings.deployment.parent / 'none'}"]) == 0
    assert json.loads(capsys.readouterr().out)["knows"] is False
