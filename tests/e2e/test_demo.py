"""The whole system on a real chain: honest, lying in every named way, and with everything going wrong in between."""

from pathlib import Path

import pytest
from tests.support.processes.stories import assert_all_verified, play

from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.faults import FAULTS
from setoff.deploy.simulation.lies import SILENT
from setoff.deploy.simulation.processes import Processes

pytestmark = pytest.mark.timeout(200)


@pytest.mark.long  # the same with a publisher that is killed: `test_a_publisher_killed_while_it_posts_repeats_nothing`
def test_an_honest_exchange_is_confirmed_and_pays(tmp_path: Path) -> None:
    summary = play(tmp_path)
    assert_all_verified(summary)
    assert summary.disputes == []
    assert summary.facts["fills"] > 0


@pytest.mark.long  # one of them below, with blobs; all of them without processes: `test_challenger.py` of the watcher
@pytest.mark.parametrize("lie", FAULTS)
def test_a_lie_is_judged_by_its_one_false_step(tmp_path: Path, lie: str) -> None:
    summary = play(tmp_path, lie=lie)
    assert_all_verified(summary)
    (dispute,) = summary.disputes
    assert dispute.moves == 7
    assert dispute.eliminated == ["proof"]
    assert dispute.installed_end != dispute.claimed_end


@pytest.mark.slow
def test_a_lie_about_a_record_in_a_blob_is_judged_by_point_evaluation(tmp_path: Path) -> None:
    summary = play(tmp_path, lie="skipped-record", data="blobs")
    assert_all_verified(summary)
    (dispute,) = summary.disputes
    assert dispute.moves == 7
    assert dispute.eliminated == ["proof"] and dispute.installed_end != dispute.claimed_end
    gas = {gas.kind: gas for gas in summary.gas}
    assert "inbox.post" not in gas and gas["inbox.post_data"].count < summary.facts["batches"], "several at once"


@pytest.mark.long  # the same on a chain without processes: `tests/adversarial/scenarios/silent.toml`
def test_a_liar_who_never_moves_loses_by_the_clock(tmp_path: Path) -> None:
    summary = play(tmp_path, lie=SILENT)
    assert_all_verified(summary)
    (dispute,) = summary.disputes
    assert dispute.eliminated == ["timeout"]


@pytest.mark.long  # the same among fewer: `tests/watcher/dispute/test_challenger.py`
def test_a_lying_watcher_loses_its_bond(tmp_path: Path) -> None:
    summary = play(tmp_path, slander="wrong-root")
    assert_all_verified(summary)
    (dispute,) = summary.disputes
    assert dispute.installed_end == dispute.claimed_end
    assert dispute.eliminated == ["proof"]


@pytest.mark.long  # the same among fewer: `test_court_on_anvil.py`
def test_a_reorg_in_the_middle_of_a_game_changes_nothing(tmp_path: Path) -> None:
    confirmations = 16
    depths: list[int] = []
    opened: list[bool] = []

    def reorganise(monitor: Monitor, processes: Processes) -> None:
        moves = monitor.named("Moved")
        if not opened:
            processes.devnet.chain.mine(confirmations)  # the first deposits need not wait for the clock
            opened.append(True)
        elif not depths and len(moves) >= 2:
            head = processes.devnet.l1.head().number
            depths.append(min(head - moves[0].block_number + 2, confirmations))
            processes.devnet.l1.request("anvil_reorg", depths[0], [])

    summary = play(tmp_path, reorganise, lie="wrong-fill", confirmations=confirmations)
    assert depths[0] > 2
    assert_all_verified(summary)
    assert [dispute.eliminated for dispute in summary.disputes] == [["proof"]]


@pytest.mark.long  # the same among fewer: `tests/watcher/dispute/test_dispute_processes.py`
def test_a_watcher_killed_in_the_middle_of_a_game_plays_on(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_watcher(monitor: Monitor, processes: Processes) -> None:
        if not killed and len(monitor.named("Moved")) >= 1:
            killed.append(len(monitor.named("Moved")))
            processes.running["watcher-1"].kill()
            processes.running["watcher-1"].start()

    summary = play(tmp_path, kill_watcher, lie="wrong-fill")
    assert killed
    assert_all_verified(summary)
    assert [dispute.eliminated for dispute in summary.disputes] == [["proof"]]


@pytest.mark.long  # half a minute; the same without a market: `tests/operator/sequencer/test_crash.py`
def test_a_publisher_killed_while_it_posts_repeats_nothing(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_publisher(monitor: Monitor, processes: Processes) -> None:
        if not killed and monitor.posted >= 2:
            killed.append(monitor.posted)
            processes.running["publisher"].kill()
            processes.running["publisher"].start()

    summary = play(tmp_path, kill_publisher)
    assert killed
    assert_all_verified(summary)
    assert summary.disputes == [] and summary.facts["fills"] > 0
    gas = {item.kind: item for item in summary.gas}
    assert (gas["inbox.post"].count, gas["inbox.post"].failed) == (summary.facts["batches"], 0)
    assert (gas["court.claim"].count, gas["court.claim"].failed) == (summary.facts["batches"], 0)


@pytest.mark.long
def test_a_lie_that_nobody_watches_is_confirmed_and_the_summary_says_so(tmp_path: Path) -> None:
    summary = play(tmp_path, lie="wrong-root", watchers=0, patience=20.0)
    failed = {check.what for check in summary.checks if not check.passed}
    assert not summary.passed
    assert "every confirmed end is the one that re-execution gives" in failed
    assert "a watcher disputed it with the true history" in failed
    assert "the trader's withdrawal arrived on L1" in failed
