"""The automatic attacker: it finds nothing that pays on the rules as they are, and finds what is planted."""

import json
import os
from pathlib import Path

import pytest

from setoff.deploy.cli import main as cli
from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.deploy.simulation.market_lab.search import watch as watch_module
from setoff.deploy.simulation.market_lab.search.attempt import prepare, try_moves
from setoff.deploy.simulation.market_lab.search.breeding import search
from setoff.deploy.simulation.market_lab.search.moves import KINDS, Move, from_json, to_json
from setoff.deploy.simulation.market_lab.search.promises import Promises
from setoff.deploy.simulation.market_lab.search.replay import replay, write
from setoff.deploy.simulation.market_lab.search.watch import Watch
from setoff.deploy.simulation.market_lab.terms import DUST, PRICE, USD
from setoff.shared.codec import records
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.errors import ConfigError
from setoff.shared.machine.machine import Fill
from setoff.shared.rules import margin, orders

SECONDS = float(os.environ.get("SETOFF_SEARCH", "3600"))
"""Of the long search."""
TRIES = 100


def pick(kind: str, *words: str) -> Move:
    """A move by the words of its arguments."""
    return Move(kind, tuple(grid.index(word) for grid, word in zip(KINDS[kind], words, strict=True)))


SELL_HIGH = pick("order", "attacker 2", "sell", "20,000 lots", "+9.9 %", "mark", "")
BUY_ALL = pick("order", "attacker 4", "buy", "20,000 lots", "+9.9 %", "mark", "at once")


def test_a_short_search_finds_nothing_that_pays() -> None:
    found = search(prepare(), seed=0, tries=TRIES)
    assert found.best.profit <= DUST
    assert found.breaches == {}
    assert found.kinds > 5, "hardly anything happened"


@pytest.mark.long
@pytest.mark.timeout(0)
def test_a_long_search_finds_nothing_that_pays(tmp_path: Path) -> None:
    arena = prepare()
    found = search(arena, seed=1, seconds=SECONDS)
    write(tmp_path / "best.json", arena, found.best)
    assert found.best.profit <= DUST, (tmp_path / "best.json").read_text()
    assert found.breaches == {}


def test_a_search_finds_orders_that_nobody_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "get_fill_band", lambda market: market.band)
    monkeypatch.setattr(margin, "is_order_legal", lambda regs, state, account: True)
    found = search(prepare(), seed=6, tries=200)
    assert found.best.profit > DUST
    assert len(found.best.moves) < 8


def test_a_known_theft_pays_where_orders_are_not_checked_and_does_not_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "get_fill_band", lambda market: market.band)
    moves = (SELL_HIGH, BUY_ALL, BUY_ALL)
    honest = try_moves(prepare(), moves)
    assert honest.outcomes[1:] == ("insufficient_margin",) * 2
    assert honest.profit <= 0
    monkeypatch.setattr(margin, "is_order_legal", lambda regs, state, account: True)
    stolen = try_moves(prepare(), moves)
    assert stolen.profit > 10_000 * USD
    assert stolen.shrunk > 10_000 * USD


def test_the_same_seed_finds_the_same() -> None:
    first, second = (search(prepare(), seed=5, tries=8) for _ in range(2))
    assert (first.best, first.worst, first.kinds) == (second.best, second.worst, second.kinds)


def test_a_try_leaves_the_arena_as_it_was() -> None:
    arena = prepare()
    before = arena.exchange.machine.hash()
    try_moves(arena, (SELL_HIGH, pick("wait", "60 s"), pick("lie", "+9.9 %"), pick("deposit", "attacker 1", "50 %")))
    assert arena.exchange.machine.hash() == before
    assert try_moves(arena, ()).profit == 0


def test_every_kind_of_move_can_be_made() -> None:
    arena = prepare()
    for kind, grids in KINDS.items():
        first, last = (Move(kind, tuple(end(len(grid)) for grid in grids)) for end in (lambda n: 0, lambda n: n - 1))
        assert try_moves(arena, (first, last)).breaches == ()
        assert from_json(to_json((first, last))) == [first, last]


PAID_AFTER_A_TAKEOVER = """
    [["silence", 6], ["order", 1, 3, 0, 13, 1, 1], ["order", 2, 2, 6, 13, 2, 5], ["stake", 1, 0],
    ["flick", 3, 0, 3, 6, 3], ["ladder", 2, 2, 6, 8, 0, 1], ["pair", 1, 0, 6, 3, 1], ["stake", 1, 0],
    ["silence", 6], ["stake", 0, 2],
    ["ladder", 2, 1, 7, 13, 3, 0], ["flick", 2, 0, 3, 11, 3], ["wait", 7], ["unstake", 0, 2], ["pair", 0, 1, 5, 8, 0],
    ["order", 2, 2, 3, 8, 3, 2], ["silence", 6], ["stake", 1, 2], ["wait", 7], ["wait", 2], ["wait", 1],
    ["order", 3, 0, 7, 9, 4, 2], ["deposit", 3, 1], ["stake", 1, 0]]
"""
"""A search found it: in one input the backstop takes positions over, up to its cap, and then pays out who leaves it."""


def test_a_takeover_is_held_against_what_the_backstop_had_then(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = from_json(json.loads(PAID_AFTER_A_TAKEOVER))
    assert try_moves(prepare("jump"), moves).breaches == ()
    monkeypatch.setattr(watch_module, "PPM", watch_module.PPM * 101 // 100)  # as if a hundredth less were allowed
    (sentence,) = try_moves(prepare("jump"), moves).breaches
    assert sentence.startswith("the backstop holds")


def test_a_replay_is_the_same_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arena = prepare("jump")
    trial = try_moves(arena, (SELL_HIGH, pick("wait", "120 s"), pick("close", "attacker 2")))
    path = tmp_path / "replay.json"
    write(path, arena, trial)
    assert replay(path) == (trial, trial.profit)
    assert cli.main(["lab", "market", "--replay", str(path)]) == int(trial.profit > DUST)
    assert "close attacker 2" in capsys.readouterr().out
    path.write_text('{"moves": []}')
    with pytest.raises(ConfigError):
        replay(path)


@pytest.mark.parametrize("row", [["fly"], ["crank", 1], ["lie", 99], ["lie", -1], ["lie", "0"]])
def test_what_is_no_move_is_refused(row: list[object]) -> None:
    with pytest.raises(ConfigError):
        from_json([row])


def test_the_command_line_searches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "best.json"
    assert cli.main(["lab", "market", "--search", "flat", "--tries", "3", "--save", str(path)]) == 0
    assert "3 tries" in capsys.readouterr().out
    assert replay(path)[0].profit <= DUST


# --- what the watch sees ----------------------------------------------------------------------------------------------


def watched() -> tuple[Exchange, Watch]:
    exchange = Exchange.open({1: 10**6 * USD, 2: 10**6 * USD})
    return exchange, Watch(exchange, [1], [2])


def test_the_watch_sees_money_that_was_made() -> None:
    exchange, watch = watched()
    exchange.account(2).collateral += 1
    watch.check(exchange.pen.crank(), "accepted")
    assert watch.breaches == ["money was made or lost"]


def test_the_watch_sees_a_bystander_in_debt() -> None:
    exchange, watch = watched()
    exchange.account(1).collateral -= 2 * 10**6 * USD
    exchange.account(2).collateral += 2 * 10**6 * USD
    watch.check(exchange.pen.crank(), "accepted")
    assert watch.breaches == ["account 1 fell below zero"]


def test_the_watch_sees_a_mark_that_runs() -> None:
    exchange, watch = watched()
    exchange.wait(1)
    exchange.market().mark = PRICE * 16 // 10
    watch.check(exchange.pen.crank(), "accepted")
    assert watch.breaches == [f"the mark went from {PRICE} to {PRICE * 16 // 10} within a minute"]


@pytest.mark.parametrize(
    ("flags", "side", "price", "size", "broken"),
    [
        (records.GTC, BUY, 101, 5, "an order at 100 was filled at 101"),
        (records.GTC, BUY, 100, 5, ""),
        (records.POST_ONLY, BUY, 100, 5, "a post-only order took"),
        (records.FOK, BUY, 100, 4, "4 of 5 lots of a fill-or-kill order were filled"),
        (records.REDUCE_ONLY, BUY, 100, 5, "a reduce-only order brought account 1 from -3 to 2 lots"),
        (records.REDUCE_ONLY, BUY, 100, 3, ""),
        (records.GTC, SELL, 99, 5, "an order at 100 was filled at 99"),
    ],
)
def test_a_broken_promise_is_seen(flags: int, side: int, price: int, size: int, broken: str) -> None:
    exchange, _ = watched()
    body = exchange.pen.order(1, side, 100, 5, flags=flags, order_slot=7)
    fills = [Fill(1, 1, 7, 2, 0, side, price, size)]
    seen = list(Promises().check(body, "accepted", fills, {1: -3, 2: 3}))
    assert seen == ([broken] if broken else [])


def test_trading_with_oneself_and_a_maker_s_limit_are_seen() -> None:
    exchange, _ = watched()
    promises = Promises()
    resting = exchange.pen.order(2, SELL, 105, 5, order_slot=3)
    assert list(promises.check(resting, "accepted", [], {})) == []
    taking = exchange.pen.order(1, BUY, 110, 5, order_slot=4)
    fills = [Fill(1, 1, 4, 2, 3, BUY, 104, 2), Fill(1, 1, 4, 1 << 20 | 1, 0, BUY, 106, 2)]
    assert list(promises.check(taking, "accepted", fills, {})) == [
        "a resting order at 105 was filled at 104",
        "1 traded with itself",
    ]
