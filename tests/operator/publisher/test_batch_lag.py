"""How an operator's batches get on, as its metrics tell it: of a real one on a chain."""

import re
from pathlib import Path

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.operator_run import operator
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.codec import signatures


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    """The contracts alone, where other tests of this room have an operator that runs."""
    return Exchange(anvil)


@pytest.mark.slow
def test_batches_on_their_way_and_what_they_cost_are_told(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [f"--set=redis_dir={tmp_path / 'redis'}", "--deployment", str(tmp_path / "deployment.json")]
    account = signatures.address_of(dev_keys()[0])
    held = exchange.anvil.l1.balance(account)

    def read() -> dict[str, float]:
        capsys.readouterr()
        main(["operator", "status", "--prometheus", *where])
        page = capsys.readouterr().out
        return {name: float(value) for name, value in re.findall(r"^(setoff_\S+) (\S+)$", page, re.MULTILINE)}

    with operator(exchange, tmp_path, SETOFF_OPERATOR_HEARTBEAT="0.5"):
        wait_until(lambda: read().get('setoff_operator_batches{stage="claimed"}', 0) >= 1, 150, pause=0.5)
        told = read()
    stages = [
        told[f'setoff_operator_batches{{stage="{stage}"}}'] for stage in ("closed", "posted", "claimed", "confirmed")
    ]
    assert stages == sorted(stages, reverse=True)
    assert told['setoff_operator_lag_seconds{stage="confirmed"}'] > 0 and stages[3] == 0
    assert told["setoff_operator_staked_wei"] > 0 and told["setoff_operator_locked_wei"] == 0
    assert {"post", "claim"} <= set(re.findall(r'spent_wei_total\{kind="(\w+)"', " ".join(told)))
    spent = sum(value for name, value in told.items() if name.startswith("setoff_operator_spent_wei_total"))
    assert 0 < spent < held - exchange.anvil.l1.balance(account)
    assert told["setoff_operator_acknowledge_seconds_count"] == 0
