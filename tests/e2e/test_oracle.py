"""The feeder with a whole exchange: the index follows its sources, past an operator that is gone, through restarts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.processes.price_page import PricePage
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import FIRST_TRADER, Devnet
from setoff.deploy.devnet.process import Process
from setoff.deploy.simulation.processes import Processes
from setoff.shared.codec.signatures import address_of
from setoff.shared.l1.inbox import Inbox
from setoff.shared.params import DEVNET

# One feeder and one exchange for all, and each test begins where the last one ended.
pytestmark = pytest.mark.xdist_group("oracle")

KEY = dev_keys()[FIRST_TRADER]


class Town:
    """A chain, an operator, a feeder with one page and one file to read."""

    def __init__(self, devnet: Devnet, folder: Path, page: PricePage) -> None:
        self.devnet = devnet
        self.page = page
        self.operator = Processes(devnet, folder)
        self.operator.start_operator(batch_interval=0.5)
        self.url = self.operator.operator_url()
        self.file = folder / "price.txt"
        self.file.write_text("78000")
        key = folder / "oracle.key"
        key.write_text(KEY.hex())
        self.settings = folder / "oracle.toml"
        self.settings.write_text(
            f"""
            deployment = "{devnet.deployment_file}"
            rpc_url = "{devnet.chain.url}"
            l1_poll = 0.3
            [oracle]
            key = "{key}"
            exchange = "{self.url}"
            feeds = ["BTC-PERP={page.source}", "BTC-PERP=file:{self.file}"]
            min_sources = 1
            poll = 0.2
            report_age = 3
            operator_patience = 1
            force_interval = 2
            listen = "127.0.0.1:0"
            """
        )
        self.feeder = Process("oracle", ["oracle", "run", f"--config={self.settings}"], {}, folder / "oracle.log")
        self.start_feeder()

    def start_feeder(self) -> None:
        self.feeder.start()
        self.pages = self.feeder.wait_for("oracle: ").split(",")[0]

    def stop(self) -> None:
        self.feeder.stop()
        self.operator.stop()

    def index(self) -> int:
        return int(requests.get(f"{self.url}/v1/markets/1", timeout=10).json()["index"])

    def status(self) -> dict[str, Any]:
        self.feeder.check()
        return dict(requests.get(f"{self.pages}/status", timeout=10).json())

    def inbox(self) -> Any:
        return Inbox(self.devnet.l1, self.devnet.deployment).state()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("oracle")
    signers = [address_of(KEY)] * 2  # a quorum, which here one key is
    with Devnet(folder, DEVNET, signers=signers, markets=1) as devnet, PricePage(78_000) as page:
        town = Town(devnet, folder, page)
        yield town
        town.stop()


def test_the_index_follows_the_sources(town: Town) -> None:
    wait_until(lambda: town.index() == 78_000, 30, what=town.feeder.tail)
    town.page.price = 78_100
    town.file.write_text("78099")
    wait_until(lambda: town.index() == 78_100, 10, what=town.feeder.tail)  # half a tick is the higher one
    status = town.status()
    assert status["numbers"] == [0, 1] and status["problems"] == []
    assert status["reports"]["operator"] >= 4 and "L1" not in status["reports"]
    assert requests.get(f"{town.pages}/ready", timeout=10).status_code == 200


def test_a_source_that_is_gone_is_told_and_the_others_count(town: Town) -> None:
    town.page.is_failing = True
    wait_until(lambda: "500" in town.status()["markets"]["BTC-PERP"]["sources"][town.page.source], 10)
    town.file.write_text("78200")
    wait_until(lambda: town.index() == 78_200, 10, what=town.feeder.tail)
    town.page.is_failing, town.page.price = False, 78_200
    wait_until(lambda: town.status()["markets"]["BTC-PERP"]["used"] == 2, 10)


def test_without_l1_the_operator_has_reports_all_the_same(town: Town) -> None:
    chain = town.devnet.chain.process.pid
    os.kill(chain, signal.SIGSTOP)
    try:
        wait_until(lambda: town.status()["l1_problem"], 40, what="it does not say that L1 is away")
        town.page.price = 78_300
        town.file.write_text("78300")
        wait_until(lambda: town.index() == 78_300, 10, what=town.feeder.tail)
        assert any(problem.startswith("L1: rpc_unreachable") for problem in town.status()["problems"])
    finally:
        os.kill(chain, signal.SIGCONT)
    wait_until(lambda: town.status()["problems"] == [], 40, what="it does not find L1 again")


def test_past_an_operator_that_is_gone_reports_go_through_l1_and_count_when_it_is_back(town: Town) -> None:
    before = town.inbox().queued
    town.operator.kill_operator(forgets=False)
    town.page.price = 78_500
    town.file.write_text("78500")
    wait_until(lambda: town.inbox().queued >= before + 2, 30, what=town.feeder.tail)
    wait_until(lambda: town.status()["reports"].get("L1", 0) >= 2, 10)
    wait_until(lambda: town.status()["waiting"] >= 2, 10)
    status = town.status()
    assert any(problem.startswith("the operator: not_ready") for problem in status["problems"])
    assert status["markets"]["BTC-PERP"]["reported_ticks"] == 78_500
    assert requests.get(f"{town.pages}/ready", timeout=10).status_code == 503

    town.feeder.kill()
    queued = town.inbox().queued
    town.start_feeder()
    wait_until(lambda: town.inbox().queued >= queued + 2, 30, what="the feeder that was started again forces nothing")
    wait_until(lambda: town.status()["waiting"] >= 4, 10, what="it does not know what it sent before its restart")

    queued = town.inbox().queued
    town.operator.revive_operator()
    old, town.url = town.url, town.operator.operator_url()
    wait_until(lambda: town.inbox().messages_consumed >= queued, 40, what="the forced reports are not consumed")
    wait_until(lambda: town.index() == 78_500, 10, what="they did not count")
    town.settings.write_text(town.settings.read_text().replace(old, town.url))  # it has taken another port
    town.feeder.stop()
    town.start_feeder()
    wait_until(lambda: town.status()["reports"].get("operator", 0) >= 2, 20, what=town.feeder.tail)
    assert town.status()["problems"] == []


def test_the_commands_say_how_it_is(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"--config={town.settings}", f"--set=listen={town.pages.removeprefix('http://')}"]
    assert main(["oracle", "status", *words]) == 0
    said = capsys.readouterr().out
    assert "oracle signer 0, 1; quorum 2" in said and "BTC-PERP: 78500, reported 78500 ticks" in said
    assert main(["oracle", "check", *words]) == 0
    assert "BTC-PERP: 78500, 78500 ticks, of 2 sources" in capsys.readouterr().out
    town.file.write_text("60000")
    assert main(["oracle", "check", *words]) == 1
    said = capsys.readouterr().out
    assert said.count("basis points from the median 69250") == 2 and "0 of its sources can be used" in said
    metrics = requests.get(f"{town.pages}/metrics", timeout=10).text
    assert 'setoff_oracle_reports_total{way="operator"}' in metrics and "setoff_oracle_l1_up 1" in metrics
