"""Real services tell a webhook what is wrong with them: an operator whose L1 is away, a watcher with little money."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.operator_run import operator
from tests.support.processes.webhook_receiver import receiving
from tests.support.waiting import wait_until

from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import keccak
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

RICH = 8
"""An account of the development chain."""
POOR = keccak(b"a watcher with a thousandth of an ether")


@pytest.mark.long  # half a minute; what is told, and when: `tests/shared/config/test_webhooks.py`
def test_an_operator_whose_l1_is_away(exchange: Exchange, node: FaultyNode, tmp_path: Path) -> None:
    more = {"SETOFF_RPC_URL": node.url, "SETOFF_OPERATOR_WEBHOOK_DIR": str(tmp_path / "alerts")}
    more |= {"SETOFF_L1_PATIENCE": "5", "SETOFF_OPERATOR_HEARTBEAT": "1"}
    with receiving() as taken, operator(exchange, tmp_path, SETOFF_OPERATOR_WEBHOOK=taken.url, **more):
        log = tmp_path / "log"
        wait_until(lambda: "posting batch" in log.read_text(), what=log.read_text)
        node.faults = (hang_up,)
        wait_until(lambda: taken.bodies, 120, what=log.read_text)
        assert all(text.startswith("operator: ") for text in taken.texts)
        assert any("does not answer" in text for text in taken.texts), taken.texts
        assert len(taken.texts) == len(set(taken.texts))
    assert "token0123456789" not in log.read_text()


def hang_up(asked: faults.Question, go_on: faults.Next) -> faults.Answer:
    raise faults.Hangup


@pytest.mark.long  # half a minute, as the one above
def test_a_watcher_whose_money_does_not_last(exchange: Exchange, settings: WatcherSettings, tmp_path: Path) -> None:
    exchange.anvil.connect(RICH).transact(signatures.address_of(POOR), b"", 10**15)
    with receiving() as taken:
        poor = replace(settings, key=POOR.hex(), webhook=taken.url, webhook_dir=tmp_path / "alerts", name="poor")
        with Watcher(poor):
            wait_until(
                lambda: any("its money does not last" in text for text in taken.texts), 120, what=lambda: taken.texts
            )
        (told,) = (text for text in taken.texts if "its money does not last" in text)
        assert told.startswith("watcher poor: warning: ") and "0.001 ETH held" in told
    assert (tmp_path / "alerts" / "watcher poor.json").is_file()
