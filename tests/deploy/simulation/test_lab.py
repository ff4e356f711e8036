"""Whole disputes in the simulator: every known attack, random games, sieges; the audit looks on at every call."""

import json
import os
from dataclasses import replace

import pytest
from tests.support.courts.mutants import KNOWN

from setoff.deploy.cli import main as cli
from setoff.deploy.simulation.lab import report as report_module
from setoff.deploy.simulation.lab.audit import Violation
from setoff.deploy.simulation.lab.cases import LIES, REAL, Rules, draw_game, find_cases, lie, tight
from setoff.deploy.simulation.lab.chain import Censor, Lab, address
from setoff.deploy.simulation.lab.machine import GENESIS, LAST, Exchanged, Garbage, judge, position, true_history
from setoff.deploy.simulation.lab.parties import Crowd, Liar, Reply, at_once, never
from setoff.deploy.simulation.lab.report import besiege
from setoff.deploy.simulation.lab.setting import Setting, queueing_of
from setoff.deploy.simulation.reference_court import Revert
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.params import PRESETS

IS_LONG = os.environ.get("SETOFF_LONG") == "1"
RANDOM_GAMES = 10_000 if IS_LONG else 400
GROUPS = 8
CASES = find_cases()


@pytest.mark.parametrize("group", sorted({name.split(":")[0] for name in CASES}))
def test_known_attacks_fail(group: str) -> None:
    for name, play in CASES.items():
        if name.split(":")[0] == group:
            lab = play(REAL)
            assert lab.model.balance == 0, name


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_games(group: int) -> None:
    for seed in range(group, RANDOM_GAMES, GROUPS):
        try:
            draw_game(seed).run()
        except Violation as violation:
            raise AssertionError(f"random game {seed}: {violation}") from violation


def test_random_games_are_of_every_kind() -> None:
    """What the random games come to, so that they do not all end before anything happens."""
    events: dict[str, int] = {}
    for seed in range(60):
        for event in draw_game(seed).run().model.log:
            events[type(event).__name__] = events.get(type(event).__name__, 0) + 1
    for name in ("Joined", "Moved", "Eliminated", "Installed", "Settled", "Slashed", "Redeemed", "Burnt", "Unstaked"):
        assert events[name] > 10, f"{name}: {events}"


# --- the bound -------------------------------------------------------------------------------------------------------


def duel_at_the_bound(setting: Setting, reply: Reply, *, censor: int = 0, liars: int = 1) -> Lab:
    """Liars who join before the honest party can, so that it moves four times, and an attacker who censors moves."""
    count = setting.params.epoch_batches
    kinds = list(LIES)[3:13]
    members = [(address(f"liar {n}"), lie(kinds[n % len(kinds)], f"{n}", count=count)) for n in range(liars)]
    false = lie("wrong from the first leaf", "claimer", count=count)
    claimer = Liar(address("claimer"), {0: false}, claims=True, reply=never)
    attackers = [claimer, Crowd(members, reply)]
    return REAL.lab(setting, [REAL.honest()], [*attackers], censor=Censor(censor, frozenset({"move"}))).run()


def with_period(setting: Setting, period: int) -> Setting:
    """The same with another T, safe or not."""
    return replace(setting, params=replace(setting.params, challenge_period=period))


@pytest.mark.parametrize("computation", [0, 3])
@pytest.mark.parametrize("inclusion", [1, 2, 3])
@pytest.mark.parametrize("censorship", [0, 6])
def test_the_clock_holds_at_its_bound_and_breaks_one_tick_below(
    computation: int, inclusion: int, censorship: int
) -> None:
    setting = tight(1, computation=computation, inclusion=inclusion, censorship=censorship)
    duel_at_the_bound(setting, at_once, censor=censorship)
    with pytest.raises(Violation, match="the truth was eliminated by timeout"):
        duel_at_the_bound(with_period(setting, setting.period - 1), at_once, censor=censorship)


@pytest.mark.parametrize(("liars", "capacity"), [(20, 1), (20, 5), (100, 10)])
def test_the_queue_of_replies_needs_its_time_in_every_turn(liars: int, capacity: int) -> None:
    queueing = queueing_of(liars, capacity, 1)
    setting = replace(tight(1, queueing=queueing), capacity=capacity)
    duel_at_the_bound(setting, at_once, liars=liars)
    # One round of replies is not enough.
    short = with_period(setting, setting.period - queueing + queueing // 4)
    with pytest.raises(Violation, match="the truth was eliminated by timeout"):
        duel_at_the_bound(short, at_once, liars=liars)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_hold_under_siege(name: str) -> None:
    for liars in (1, 10):
        siege, lab = besiege(Setting.of(name, liars), liars, "at the last moment")
        assert lab.audit.delays and siege.delay <= siege.delay_bound
        assert siege.honest_gain > 0 and siege.honest_locked == lab.terms.bond
        assert siege.liars_lost >= liars * lab.terms.bond_burn + lab.terms.stake // 2


@pytest.mark.parametrize("liars", [100, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("reply", ["at once", "at the last moment"])
def test_a_hundred_liars_at_once_cost_one_bond_and_no_more_time(liars: int, reply: str) -> None:
    setting = Setting.of("devnet", liars)
    siege, lab = besiege(setting, liars, reply)
    assert siege.honest_locked == lab.terms.bond
    assert siege.delay <= setting.delay_bound
    assert siege.honest_gain > 0
    assert siege.refunded_ppm > 700_000
    assert lab.model.burnt >= liars * lab.terms.bond_burn


# --- the lab itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_opens_like_a_history(kind: str) -> None:
    run, truth = lie(kind, count=2), true_history(GENESIS, 0, 2)
    assert run.root != truth.root
    assert merkle_root(run.children(0, 0)) == run.root
    assert climb(run.end, 2**30 - 1, run.last_path()) == run.children(0, 0)[31]
    if isinstance(run.leaves, Garbage):
        return
    for place in (0, 1, position(0, 1, 2), position(0, 1, 77), position(1, 0, 0) - 1, LAST):
        assert climb(run.leaf(place), place, run.path(place)) == run.root
        for level in range(7):
            prefix = place >> 35 - 5 * level
            child = (place >> 30 - 5 * level) & 31
            opening = run.children(level, prefix)
            assert len(opening) == 32
            assert opening[child] == merkle_root(run.children(level + 1, 32 * prefix + child))


def test_a_lie_has_the_right_or_a_wrong_end() -> None:
    truth = true_history(GENESIS, 0, 2)
    right = {kind for kind in LIES if lie(kind, count=2).end == truth.end}
    assert {"first leaf", "idle input", "false middle", "random root, right end"} <= right
    assert {"last leaf", "random root", "wrong from within", "wrong from the first leaf"}.isdisjoint(right)
    assert Exchanged(truth, LAST, keccak(b"x")).end == keccak(b"x")


def test_the_judge_refuses_a_proof_that_is_cut_off() -> None:
    with pytest.raises(Revert, match="wrong_input"):
        judge(0, 2, 0, GENESIS, bytes(31))


def test_a_censor_spends_its_budget() -> None:
    lab = CASES["censored: everything, at once"](REAL)
    assert lab.censor.left == 0


def test_the_report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    few = dict(list(CASES.items())[::20])
    monkeypatch.setattr(report_module, "find_cases", lambda: few)
    assert cli.main(["lab", "--liars", "10", "--games", "10", "--seed", "3", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["known"]["games"] == len(few) and report["random"]["games"] == 10
    assert not report["known"]["violations"] and not report["random"]["violations"]
    assert not any("FALSE" in verdict for verdict in report["known"]["verdicts"])
    assert [siege["liars"] for siege in report["sieges"]] == [1, 1, 10, 10]
    assert report == json.loads(json.dumps(report_module.run_report("devnet", 10, 10, 3)))
    assert cli.main(["lab", "--liars", "1", "--games", "0"]) == 0
    assert "quick" in capsys.readouterr().out
    assert cli.main(["lab", "--liars", "0"]) == 2


def test_the_report_tells_a_violation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rules: Rules) -> Lab:
        return CASES["starved prover"](KNOWN["a failed inner call is read as a verdict"]())

    monkeypatch.setattr(report_module, "find_cases", lambda: {"broken": broken})
    assert cli.main(["lab", "--liars", "1", "--games", "0"]) == 1
    assert "the truth was eliminated" in capsys.readouterr().out
