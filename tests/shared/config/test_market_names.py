"""The names of a deployment: of the file where it has some, by rule elsewhere, and never one for two markets."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import Collateral, MarketName, MarketNames
from setoff.shared.errors import ConfigError

ADDRESS = "0x" + "11" * 20
BITCOIN = {"market": 1, "symbol": "BTC-PERP", "base": "BTC", "lot": "0.0001"}


def test_names_are_kept_in_the_deployment_file(tmp_path: Path) -> None:
    names = MarketNames(Collateral("USDC", 6), (MarketName(**BITCOIN),))
    deployment = dataclasses.replace(Deployment(1, *[ADDRESS] * 7), names=names)
    deployment.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json") == deployment


def test_a_file_without_names_has_those_of_the_rule(tmp_path: Path) -> None:
    members = dataclasses.asdict(Deployment(1, *[ADDRESS] * 7))
    del members["names"]
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(members))
    names = Deployment.load(path).names
    assert names.find(7) == MarketName(7, "M7-PERP", "M7", "1")
    assert names.find(7, 1_798_156_800).symbol == "M7-20261225"
    assert MarketNames.read({"markets": [BITCOIN]}).find(1).symbol == "BTC-PERP"


@pytest.mark.parametrize(
    "names",
    [
        [],
        {"colour": "blue"},
        {"markets": {}},
        {"markets": [7]},
        {"markets": [{"symbol": "BTC-PERP"}]},
        {"markets": [{"market": 0, "symbol": "BTC-PERP"}]},
        {"markets": [{"market": True, "symbol": "BTC-PERP"}]},
        {"markets": [BITCOIN | {"symbol": "btc"}]},
        {"markets": [BITCOIN | {"symbol": "<b>"}]},
        {"markets": [BITCOIN | {"lot": "0.0"}]},
        {"markets": [BITCOIN | {"lot": 1}]},
        {"markets": [BITCOIN, BITCOIN | {"symbol": "BTC2-PERP"}]},
        {"markets": [BITCOIN, BITCOIN | {"market": 2}]},
        {"markets": [BITCOIN | {"symbol": "M2-PERP"}]},
        {"collateral": {"decimals": -1}},
        {"collateral": {"symbol": "U S D"}},
    ],
)
def test_names_that_cannot_be_are_refused(names: Any) -> None:
    with pytest.raises(ConfigError, match="deployment"):
        MarketNames.read(names)
