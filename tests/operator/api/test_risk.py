"""Who comes first in a market: the rules' own order, over all accounts, at one moment, for all who ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from random import Random
from typing import Any

import pytest
from tests.support.machines.holders import enter_holders
from tests.support.processes.running_operator import HandL1, Running, open_market, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.api.risk import desk, picture
from setoff.operator.api.risk.pace import do_in_pieces
from setoff.operator.api.risk.picture import Picture, Standing
from setoff.shared.codec import records
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import END
from setoff.shared.rules.deleveraging import begin_ranking, get_ranked, step_rank
from setoff.shared.rules.holders import step_gather
from setoff.shared.rules.liquidation import compute_liquidation_price, compute_maintenance
from setoff.shared.rules.margin import settle_account
from setoff.shared.state import keys
from setoff.shared.state.leaves import Position

MARKETS = 3


def make_machine(accounts: int, draw: Random, *, alike: int = 0) -> Machine:
    """Accounts that hold some of three markets, the first `alike` of them the same; the backstop and sub-accounts, too.
    The third market is settled."""
    machine = Machine.genesis(SampleTraffic().domain)
    regs, state = machine.regs, machine.state
    regs.time, regs.accounts, regs.markets = 1_000, accounts, MARKETS
    for number in range(1, MARKETS + 1):
        market = state.market(number)
        market.unit, market.mark = draw.choice((1, 7, 100)), draw.randint(50, 60_000)
        market.index, market.index_time, market.max_age = market.mark, regs.time, 60
        market.initial_margin, market.maintenance_margin = 50_000, 25_000
        market.tier1_size, market.tier1_initial, market.tier1_maintenance = 70, 100_000, 50_000
        market.funding = draw.randint(-(2**60), 2**60)
        market.settled = int(number == MARKETS)
    for number in range(accounts + 1):
        same = Random(1) if number < alike else draw
        account = state.account(number if same.random() < 0.9 else keys.sub_account(number, 3) if number else 0)
        held = [market for market in range(1, MARKETS + 1) if same.random() < 0.8]
        for place, number_of in enumerate(held):
            market = state.market(number_of)
            size = same.randint(-200, 200)
            entry = max(1, market.mark + same.randint(-market.mark // 2, market.mark // 2))
            paid = market.funding - same.randint(-(2**50), 2**50)
            account.positions[place] = Position(number_of, size, 0, 0, size * entry * market.unit, paid)
        worth = [p.size * state.market(p.market).mark * state.market(p.market).unit for p in account.positions]
        account.collateral = same.randint(0, 1 + sum(map(abs, worth)) // 3) - sum(worth)
    enter_holders(state)
    return machine


def finish(work: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def take_picture(machine: Machine) -> Picture:
    machine.state.commit()
    taken = Picture(machine.state.tree.copy(), machine.regs.copy())
    finish(taken.read())
    return taken


def list_accounts(machine: Machine) -> list[int]:
    found = (
        key - keys.account_key(0) for key, _ in machine.state.tree.items() if key >> keys.BODY_BITS == keys.ACCOUNT
    )
    return sorted(found)


def find_nearest(machine: Machine, market: int) -> list[tuple[int, int, int]]:
    """(ticks to the liquidation, account, price) of everybody, one account after the other."""
    found = []
    for number in list_accounts(machine):
        account = machine.copy().state.account(number)
        settle_account(machine.state, account, machine.regs.time)
        equity, maintenance, _ = compute_maintenance(machine.state, account)
        for position in account.positions:
            if position.market == market and position.size:
                leaf = machine.state.market(market)
                price = compute_liquidation_price(position, leaf, equity - maintenance)
                if price is not None:
                    found.append((abs(leaf.mark - price), number, price))
    return sorted(found)


def rank(machine: Machine, market: int, side: int) -> list[tuple[int, int]]:
    """(account, score) of the first, as the machine ranks them when a position of `side` cannot pay."""
    twin = machine.copy()
    regs = twin.regs
    regs.market, regs.side, regs.account = market, side, END - 1
    begin_ranking(regs)
    while regs.ranking:
        if regs.rank_word:
            step_rank(regs, twin.state)
        else:
            step_gather(regs, twin.state)
    entries = [entry for entry in get_ranked(regs) if entry]
    return [(phases.RANK_ACCOUNTS - 1 - e % phases.RANK_ACCOUNTS, e // phases.RANK_ACCOUNTS) for e in entries]


def tell(ranked: Any) -> list[tuple[int, int]]:
    return [(one.account, one.score) for one in ranked]


@pytest.mark.parametrize(("accounts", "alike"), [(0, 0), (1, 0), (9, 0), (300, 0), (1200, 1100)])
def test_the_first_are_the_rules_own(accounts: int, alike: int) -> None:
    for seed in range(3):
        machine = make_machine(accounts, Random(seed), alike=alike)
        taken = take_picture(machine)
        for market in range(1, MARKETS + 1):
            risk = finish(taken.show(market))
            nearest = find_nearest(machine, market)
            told = [(abs(risk.market.mark - (one.liquidation_price or 0)), one.account) for one in risk.nearest]
            assert told == [each[:2] for each in nearest[: picture.SHOWN]]
            for ranked, count, side in (
                (risk.ranked_longs, risk.longs, records.BUY),
                (risk.ranked_shorts, risk.shorts, records.SELL),
            ):
                first = rank(machine, market, side)
                assert len(first) == min(count, phases.RANKED) and tell(ranked)[: len(first)] == first
                entries = [(-one.score, one.account) for one in ranked]
                assert entries == sorted(entries) and len(entries) == min(count, picture.SHOWN)


def test_bounds_hold_every_figure_between_them() -> None:
    """Of everybody: what is left out by a bound could not have come first."""
    machine = make_machine(500, Random(9))
    taken = take_picture(machine)
    for market in range(1, MARKETS):
        held = taken._by_market[market]
        low, high, _ = taken._valuation.bound_room(held)
        least, most = taken._valuation.bound_score(held)
        state, regs = taken._make_state(), machine.regs.copy()
        regs.market = market
        for at, account in enumerate(held.account.tolist()):
            one: Standing = taken._judge(state, regs, account)
            assert least[at] <= one.score <= most[at]
            assert abs(held.equity[at] - one.equity) + abs(held.maintenance[at] - one.maintenance) <= held.error[at]
            if one.liquidation_price is not None:
                assert low[at] <= abs(one.liquidation_price - state.market(market).mark) <= high[at]


def test_a_picture_is_of_one_moment() -> None:
    machine = make_machine(300, Random(4))
    machine.state.commit()
    taken = Picture(machine.state.tree.copy(), machine.regs.copy())
    work = taken.read()
    next(work)
    before = find_nearest(machine, 1)[: picture.SHOWN]
    machine.state.market(1).mark += 1_000
    machine.state.commit()
    finish(work)
    assert [one.account for one in finish(taken.show(1)).nearest] == [account for _, account, _ in before]


async def test_work_in_pieces_has_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def work() -> Generator[None, None, str]:
        for _ in range(2):
            sum(range(300_000))
            yield
        return "done"

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await do_in_pieces(work(), 0.1) == "done"
    assert len(slept) == 2 and all(seconds > 0.005 for seconds in slept)


async def test_many_who_ask_are_given_one_answer(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "KEPT", 3600.0)
    taken: list[int] = []
    read = Picture.read
    monkeypatch.setattr(Picture, "read", lambda self: (taken.append(1), read(self))[1])
    traffic = SampleTraffic()
    l1 = HandL1([traffic.list_market(), traffic.set_signer(max_age=600), *(traffic.deposit(n, 10**7) for n in (1, 2))])
    async with operator(redis_server.url, traffic, l1, api_processes=0) as running:
        await open_market(running)
        assert (await running.submit(traffic.order(1, records.BUY, 100, 50)))[0] == 200
        assert (await running.submit(traffic.order(2, records.SELL, 100, 50)))[0] == 200
        answers = await asyncio.gather(*(running.get("/v1/risk/1") for _ in range(200)))
        assert len(taken) == 1 and all(answer == answers[0] for answer in answers)
        await check_answer(running, answers[0][1])
        assert (await running.get("/v1/risk/2"))[0] == 404


async def check_answer(running: Running, risk: Any) -> None:
    """It says of each account what that account's own page says."""
    assert (risk["longs"], risk["shorts"]) == (1, 1)
    assert risk["time_ms"] == risk["time"] * 1000 and 0 <= time.time_ns() // 10**6 - risk["as_of_ms"] < 60_000
    for shown in risk["nearest"]:
        _, account = await running.get(f"/v1/accounts/{shown['account']}")
        [position] = account["positions"]
        assert (shown["equity"], shown["maintenance"]) == (account["equity"], account["maintenance"])
        for name in ("size", "profit", "liquidation_price", "distance"):
            assert shown[name] == position[name]
        assert shown["decimal"]["size"] == position["decimal"]["size"]
    assert [one["account"] for one in risk["ranked_longs"]] == [1]
    assert [one["account"] for one in risk["ranked_shorts"]] == [2]
