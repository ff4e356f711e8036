"""Attacks on the market: none pays more than it may, and on weaker rules or terms the laboratory sees that it does."""

import json
from pathlib import Path

import pytest

from setoff.deploy.cli import main as cli
from setoff.deploy.simulation.market_lab import exchange, terms
from setoff.deploy.simulation.market_lab.outcome import compare, count_wealth
from setoff.deploy.simulation.market_lab.play import Play
from setoff.deploy.simulation.market_lab.scenarios import SCENARIOS
from setoff.deploy.simulation.market_lab.scenarios.crowd import SECONDS, open_crowd
from setoff.deploy.simulation.market_lab.terms import DUST, PRICE, USD
from setoff.shared.codec.records import BUY, SELL, WITHDRAW
from setoff.shared.rules import backstop, exits, margin, oracle, phases
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_attacker_gains_more_than_it_may(name: str) -> None:
    outcome = SCENARIOS[name].run()
    assert outcome.breaches == []
    assert outcome.profit <= SCENARIOS[name].limit


@pytest.mark.parametrize("name", [name for name, each in SCENARIOS.items() if each.limit > DUST])
def test_a_limit_above_dust_is_close_to_what_is_lost_and_has_a_reason(name: str) -> None:
    assert SCENARIOS[name].stated
    assert SCENARIOS[name].run().profit > SCENARIOS[name].limit * 3 // 4, "the limit can be lower now"


def test_without_a_cap_two_accounts_empty_the_backstop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(terms.BITCOIN, "backstop_cap", 0)
    outcome = SCENARIOS["two-accounts-against-the-backstop"].run()
    worst = max(outcome.parts, key=lambda part: part.profit)
    assert worst.profit > 500_000 * USD
    assert next(iter(worst.find_losers())) == "stakers"
    assert outcome.breaches


def test_what_the_worst_path_costs_the_backstop_is_the_move_times_its_cap() -> None:
    for name in ("two-accounts-against-the-backstop", "two-accounts-of-the-cap-s-size"):
        outcome = SCENARIOS[name].run()
        assert len(outcome.parts) == 8
        lost = max(-part.takings["stakers"] for part in outcome.parts)
        assert 0 < lost < 10**6 * USD * 75 // 1_000 // 4
        assert outcome.profit == sum(part.profit for part in outcome.parts) // 8


def test_if_the_backstop_took_debts_over_a_jump_would_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    compute_takeover = backstop.compute_takeover

    def take_all(regs: Registers, state: State, account: Account, size: int) -> int:
        price, mark = regs.price, state.market(regs.market).mark
        regs.price = mark
        lots = compute_takeover(regs, state, account, size)
        regs.price = price
        return lots

    monkeypatch.setattr(backstop, "compute_takeover", take_all)
    assert SCENARIOS["two-accounts-and-a-jump"].run().profit > 1_000 * USD


@pytest.mark.parametrize("name", ["just-in-time-stake", "leave-before-a-loss"])
def test_without_a_delay_others_have_what_the_backstop_gains_and_not_what_it_loses(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BACKSTOP_DELAY", 0)
    assert SCENARIOS[name].run().profit > 700 * USD


def test_if_every_draw_counted_dust_would_keep_all_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "DRAW_SHARE", 2**60)
    assert len(SCENARIOS["dust-against-all-exits"].run().breaches) == 4


def test_if_transfers_were_no_exit_a_row_of_owners_would_take_out_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(margin, "is_exit", lambda regs: regs.kind == WITHDRAW)
    assert SCENARIOS["a-row-of-owners"].run().breaches


def test_if_the_queue_were_limited_by_what_came_later_nobody_would_get_out(monkeypatch: pytest.MonkeyPatch) -> None:
    compute_hours = exits.compute_hours
    monkeypatch.setattr(exits, "compute_hours", lambda since, stamp, time: compute_hours(since, 0, time))
    assert len(SCENARIOS["limits-for-ever"].run().breaches) == 4


def test_funding_of_ten_hours_pays_who_comes_just_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "MAX_FUNDING_TIME", 10 * 3600)
    assert SCENARIOS["just-before-a-late-crank"].run().profit > 1_000 * USD


def test_a_false_signer_takes_from_a_victim_where_the_highest_report_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pick_highest(reports: object, signers: object, time: int, index: int) -> int:
        return max(reports.prices)  # type: ignore[attr-defined]

    monkeypatch.setattr(oracle, "compute_median", pick_highest)
    assert SCENARIOS["one-false-signer"].run().profit > 5_000 * USD


def test_what_one_gains_another_loses_in_a_crowd() -> None:
    play = open_crowd(seed=1)
    play.pass_time(SECONDS // 4)
    gains = count_wealth(play, play.prices)
    assert sum(gains.values()) == 0
    assert play.exchange.outcomes["accepted"] > 400
    assert gains["gamblers"] != 0 != gains["makers"]


def test_an_account_left_in_debt_is_not_charged_to_the_attacker_but_shown() -> None:
    def open_pair() -> tuple[Play, int, int]:
        play = Play.open({"victim": [10**6 * USD], "attacker": [30_000 * USD]})
        return play, *play.accounts("victim"), *play.accounts("attacker")

    quiet, _, _ = open_pair()
    play, victim, attacker = open_pair()
    play.trade(attacker, victim, PRICE, 40_000)
    play.prices[1] = PRICE * 9 // 10
    outcome = compare(play, quiet)
    assert outcome.profit == -30_000 * USD
    assert outcome.takings["debts"] < 0 < outcome.takings["victim"]


def test_agents_of_the_same_seed_do_the_same() -> None:
    ends = []
    for _ in range(2):
        play = open_crowd(seed=3)
        play.pass_time(300)
        ends.append(play.exchange.machine.hash())
    assert ends[0] == ends[1]


def test_who_quotes_leans_against_what_it_holds() -> None:
    play = open_crowd(seed=0)
    maker = play.accounts("makers")[0]
    play.pass_time(20)
    before = play.market().best_bid
    trader = play.accounts("flow")[0]
    play.order(trader, SELL, before, 10_000, order_slot=250)
    held = play.size(maker)
    play.pass_time(20)
    assert held > 0
    assert play.market().best_bid <= before
    assert play.order(trader, BUY, 1, 1, order_slot=251) == "price_band"


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    assert cli.main(["lab", "market", "--only", "worthless-shares", "gone-premium", "--report", str(path)]) == 0
    report = json.loads(path.read_text())
    assert [row["name"] for row in report["scenarios"]] == ["worthless-shares", "gone-premium"]
    assert report["violations"] == [] and report["dust"] == DUST
    assert "gone-premium" in capsys.readouterr().out
    assert cli.main(["lab", "market", "--list"]) == 0
    assert cli.main(["lab", "market", "--only", "nothing"]) == 2


def test_the_command_line_says_so_where_an_attack_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(terms.BITCOIN, "backstop_cap", 0)
    assert cli.main(["lab", "market", "--only", "two-accounts-against-the-backstop"]) == 1
