"""Assets while a gateway runs: new ones are appended, and none that is known changes."""

from typing import Any, cast

import pytest

from setoff.shared.config.market_names import Collateral, MarketName, MarketNames
from setoff.shared.errors import DataError
from setoff.shared.gateway.assets import Universe
from setoff.shared.sdk import MarketScales, SetoffClient


def market(number: int, symbol: str, **more: Any) -> dict[str, Any]:
    return {"market": number, "symbol": symbol, "base": symbol[:3], "quote": "USDC", "tick_size": "0.5",
            "lot_size": "0.001", "unit": 500, "initial_margin": 100_000} | more  # fmt: skip


BTC, ETH = market(2, "BTC-PERP"), market(1, "ETH-PERP")


class Exchange(SetoffClient):
    """One that says what it is told to."""

    def __init__(self, *markets: Any) -> None:
        super().__init__("")
        self.said = list(markets)

    async def info(self) -> Any:
        return {"collateral": {"decimals": 6}, "markets": self.said}

    async def markets(self) -> list[dict[str, Any]]:
        return list(self.said)


async def test_new_assets_come_behind_those_that_are_known() -> None:
    exchange = Exchange(BTC)
    universe = Universe(exchange)
    await universe.load()
    exchange.said = [ETH, BTC]
    assert (await universe.find("ETH")).number == 1
    assert [(asset.coin, asset.market) for asset in universe.assets] == [("BTC", 2), ("ETH", 1)]
    assert [shown["market"] for shown in await universe.markets()] == [2, 1]


@pytest.mark.parametrize(
    "said",
    [
        [BTC | {"symbol": "ETH-PERP"}, ETH | {"symbol": "BTC-PERP"}],
        [BTC | {"lot_size": "0.01", "tick_size": "0.05"}, ETH],
        [BTC | {"unit": 5000, "tick_size": "5"}, ETH],
        [BTC],
        [BTC, ETH, ETH],
    ],
)
async def test_a_known_asset_that_changes_is_refused(said: Any) -> None:
    exchange = Exchange(BTC, ETH)
    universe = Universe(exchange)
    await universe.load()
    before = list(universe.assets)
    exchange.said = said
    with pytest.raises(DataError):
        await universe.load()
    assert universe.assets == before
    with pytest.raises(DataError):
        await exchange.scales(anew=True)


async def test_new_markets_are_checked_before_they_are_used() -> None:
    checked: list[int] = []

    async def check(scales: MarketScales) -> None:
        checked.append(len(scales.units))
        if len(scales.units) == 2:
            raise DataError("data_mismatch", "L1 lists no market 1")

    exchange = Exchange(BTC)
    universe = Universe(exchange, check)
    await universe.load()
    await universe.load()
    exchange.said = [BTC, ETH]
    with pytest.raises(DataError, match="lists no market"):
        await universe.markets()
    assert (checked, len(universe.assets)) == ([1, 2], 1)


async def test_a_market_that_was_named_after_the_exchange_was_started_is_as_the_exchange_says() -> None:
    names = MarketNames(Collateral("USDC", 6), (MarketName(1, "ETH-PERP", "ETH", "0.01"),))
    unnamed = ETH | {"symbol": "M1-PERP", "base": "M1", "lot_size": "1", "tick_size": "0.0005"}
    MarketScales(cast("Any", await Exchange(BTC, unnamed).info())).check_names(names)
    for lie in ({"lot_size": "0.1", "tick_size": "0.005"}, {"symbol": "M2-PERP"}):
        with pytest.raises(DataError, match="deployment file"):
            MarketScales(cast("Any", await Exchange(BTC, unnamed | lie).info())).check_names(names)


@pytest.mark.parametrize(
    ("name", "decimals"),
    [
        (MarketName(2, "ETH-PERP", "ETH", "0.001"), 6),
        (MarketName(2, "BTC-PERP", "BTC", "0.01"), 6),
        (MarketName(1, "BTC-PERP", "BTC", "0.001"), 6),
        (MarketName(2, "BTC-PERP", "BTC", "0.001"), 8),
    ],
)
async def test_the_deployment_file_says_what_markets_are_called(name: MarketName, decimals: int) -> None:
    scales = MarketScales(cast("Any", await Exchange(BTC).info()))
    scales.check_names(MarketNames(Collateral("USDC", 6), (MarketName(2, "BTC-PERP", "BTC", "0.0010"),)))
    with pytest.raises(DataError, match="deployment file"):
        scales.check_names(MarketNames(Collateral("USDC", decimals), (name,)))
