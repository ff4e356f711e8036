"""The web console as people meet it: a real browser, a real exchange."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.nodes.faults import LogGaps, NoMethod, RangeLimit
from tests.support.processes.console import find_chromium, find_console, play
from tests.support.processes.trading_floor import open_trading_floor
from tests.support.waiting import wait_until

from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.demo.play import Play, Script
from setoff.deploy.simulation.demo.summary import Summary
from setoff.deploy.simulation.processes import Processes
from setoff.shared.codec.records import SELL
from setoff.shared.l1.chain import MESSAGE_QUEUED
from setoff.shared.params import DEMO

MAKER, TRADER = range(2)
ANVILS_BLOB = "anvil_getBlobByHash"
UNSETTLED = 128
"""Blocks that the console does not keep yet."""


@pytest.mark.slow
def test_an_order_is_placed_and_seen_filled(tmp_path: Path) -> None:
    find_chromium()
    find_console()  # before the operator, which reads its files when it starts
    with open_trading_floor(tmp_path, traders=2) as floor:
        with floor.client(MAKER) as maker:
            maker.place("BTC-PERP", SELL, "78010", "0.05")
        told = play("trade", floor.url, "0x" + floor.key(TRADER).hex())
        assert told["margin"] == "39.01 tUSD"  # a twentieth of 780.10, rounded up to the unit and shown to the cent
        assert "78,010" in told["position"]
        assert any(str(told["nearest"]).startswith(str(account)) for account in (MAKER + 1, TRADER + 1))
        assert told["asked"].count("/v1/risk/1") >= 1 and not [path for path in told["asked"] if "/accounts/" in path]
        with floor.client(TRADER) as trader:
            balance = trader.balance()
        assert not balance.orders and [position.size for position in balance.positions] == [Decimal("0.01")]


@pytest.mark.slow
def test_logs_are_read_from_the_deployment_on_by_ranges_that_nodes_take_and_each_once() -> None:
    told = play("logs")
    expected = list(range(500_000, 600_001, 1_000))
    blocks = range(500_000, 600_000 - UNSETTLED + 1)
    for name in ("first", "again", "reloaded", "other", "risen"):
        assert told[name]["found"] == expected, name
        assert told[name]["some"] == [512_000]
    ranges = told["first"]["asked"]
    assert min(begin for begin, _ in ranges) == 500_000 and max(end - begin for begin, end in ranges) < 2_000
    read = [block for begin, end in ranges for block in range(begin, end + 1) if block in blocks]
    assert sorted(read) == list(blocks)  # each of them once, though two have asked for them at a time
    # What may still change is asked for again, and nothing else: also after the page was loaded anew.
    assert {begin for begin, _ in told["again"]["asked"]} <= {blocks.stop, blocks.stop + 1}
    assert {begin for begin, _ in told["reloaded"]["asked"]} <= {blocks.stop + 1, blocks.stop + 2}
    # Another node is not taken for the one that has answered; one that takes everything is asked for everything.
    assert told["other"]["asked"][0] == [500_000, 600_000 - UNSETTLED] and not told["other"]["refused"]
    assert told["dead"]["found"] == "the L1 node does not answer"
    assert told["risen"]["asked"][0][0] > 500_000  # behind what the node had said before it fell silent


@pytest.mark.slow
def test_what_was_sent_and_is_not_answered_is_looked_for_and_not_sent_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETOFF_OPERATOR_HISTORY_URL", f"sqlite:///{tmp_path}/history.sqlite")
    find_chromium()
    find_console()
    with open_trading_floor(tmp_path, traders=2) as floor:
        floor.give(TRADER, 200 * 10**6)
        floor.allow(TRADER, 10**12)
        with floor.client(MAKER) as maker:
            maker.place("BTC-PERP", SELL, "78010", "0.05")
        told = play("pending", floor.url, "0x" + floor.key(TRADER).hex(), floor.devnet.chain.url, seconds=240)
        with floor.client(TRADER) as trader:
            balance = trader.balance()
    assert sorted(order.price for order in balance.orders) == [Decimal(77_001), Decimal(77_002), Decimal(77_004)]
    assert balance.collateral == Decimal(1_000 - 10 - 5 - 6 + 20 + 30)  # each once
    assert told["bodies"] == 1 and told["late"] == "nonce_used"
    assert told["whileSent"] and told["afterReload"] and told["held"] == 1


@pytest.mark.slow
def test_a_reader_chooses_between_two_nodes_and_one_that_shows_too_few_messages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETOFF_OPERATOR_HISTORY_URL", f"sqlite:///{tmp_path}/history.sqlite")
    find_chromium()
    find_console()
    queued = "0x" + MESSAGE_QUEUED.topic.hex()
    gaps = LogGaps(lambda entry: entry["topics"][0] == queued and int(entry["topics"][1], 16) == 1)
    with open_trading_floor(tmp_path, traders=2, faults=(gaps,)) as floor:
        node = floor.browsers_node
        assert node is not None
        told = play("nodes", floor.url, "0x" + floor.key(TRADER).hex(), floor.devnet.chain.url, seconds=240)
    assert gaps.left_out
    for said in (told["refused"], told["again"]):
        counted, shown = re.fullmatch(
            r"L1 counts (\d+) of MessageQueued, and this node shows (\d+) of them .*", said
        ).groups()
        assert int(shown) == int(counted) - 1
    assert node.url in told["alone"] and "which the operator names" in told["alone"]
    assert [node.url in choice for choice in told["choices"]] == [False, True] and told["first"] == "wallet"
    assert "Travelling Wallet" in told["choices"][0]
    assert "comes to the same end as L1" in told["verified"] and told["batches"] and told["asked"]
    assert "eth_getLogs" not in told["askedAfter"]  # the wallet is not asked once the operator's node was chosen


@pytest.mark.long
def test_a_lie_is_followed_while_it_is_played_and_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETOFF_OPERATOR_HISTORY_URL", f"sqlite:///{tmp_path}/history.sqlite")
    find_chromium()
    find_console()
    told: dict[str, Any] = {}
    live: list[Future[dict[str, Any]]] = []

    def look(summary: Summary, urls: list[str]) -> None:
        assert summary.passed
        operator, watcher = (url.removesuffix("/console/") for url in urls[:2])
        told.update(play("lie", watcher, operator, "4", seconds=300))

    def watch(_: Monitor, processes: Processes) -> None:
        if not live:
            live.append(
                browser.submit(play, "live", processes.console_urls()[1].removesuffix("/console/"), seconds=400)
            )

    script = replace(Script(DEMO.check()), records=1500, trading_seconds=20.0, hurries=True)
    with Console() as console, ThreadPoolExecutor(1) as browser:
        Play(script, tmp_path, console, watch, look).run()
        seen = live[0].result()
    assert seen["loadedOnce"] and len(seen["seen"]) > 1 and seen["seen"][-1] == "7 of 7 moves"
    assert "nobody: it is burnt" in seen["payments"] and "the operator lied" in seen["chapters"]
    assert told["own"].split("Both agree")[0] == told["judged"].split("Both agree")[0]  # two implementations, one step
    assert told["difference"].split("Both agree")[0] == told["judged"].split("Both agree")[0]
    assert "in what that step makes of it" in told["where"]
    assert "(true)" in told["judged"] and "(false)" in told["judged"] and "The operator says (false)" in told["judged"]
    assert ["The operator" in side and "Lied" in side for side in told["sides"]].count(True) == 1


@pytest.mark.long
def test_money_goes_in_and_out_and_the_operator_may_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETOFF_OPERATOR_HISTORY_URL", f"sqlite:///{tmp_path}/history.sqlite")
    find_chromium()
    find_console()
    # In blobs that the node does not give, as those of L1 do not, and a watcher keeps, so that the browser verifies
    # these, too; the test of a lie has calldata.
    faults = (NoMethod(ANVILS_BLOB), RangeLimit(40, "geth"))
    with (
        open_trading_floor(tmp_path, traders=1, faults=faults, data="blobs", keeps_blobs=True) as floor,
        ThreadPoolExecutor(1) as browser,
    ):
        told = browser.submit(play, "money", floor.url, str(tmp_path), seconds=300)
        wait_until(lambda: told.done() or (tmp_path / "ready").exists(), 280)
        if not told.done():
            floor.kill_operator()
        (tmp_path / "killed").touch()
        found = told.result()
        node = floor.browsers_node
    assert "comes to the same end as L1" in found["verified"]
    assert found["blobs"] > 0 and node is not None and node.asked[ANVILS_BLOB]
    assert "Your money is in the vault on L1" in found["banner"]


@pytest.mark.long
def test_a_wallet_of_the_browser_deposits_trades_and_takes_its_money_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETOFF_OPERATOR_HISTORY_URL", f"sqlite:///{tmp_path}/history.sqlite")
    find_chromium()
    find_console()
    with open_trading_floor(tmp_path, traders=2, names_node=False) as floor:
        floor.give(TRADER, 200 * 10**6)
        with floor.client(MAKER) as maker:
            maker.place("BTC-PERP", SELL, "78010", "0.05")
        told = play("wallet", floor.url, "0x" + floor.key(TRADER).hex(), floor.devnet.chain.url, seconds=400)
        with floor.client(TRADER) as trader:
            positions = trader.balance().positions
    assert [position.size for position in positions] == [Decimal("0.01")]
    assert "comes to the same end as L1" in told["verified"] and "Travelling Wallet" in told["node"]
    spoken = {"eth_requestAccounts", "eth_signTypedData_v4", "eth_sendTransaction", "eth_call", "eth_getLogs"}
    assert spoken <= set(told["asked"])
