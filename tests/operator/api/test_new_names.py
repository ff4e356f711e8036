"""Names that the deployment file gets while an operator runs."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.processes.running_operator import DEPLOYMENT, open_market, operator, store
from tests.support.waiting import until

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import Collateral, MarketName, MarketNames

NAMED = MarketNames(Collateral("USD", 6), (MarketName(1, "BTC-PERP", "BTC", "1"),))


async def test_a_market_that_is_named_while_the_operator_runs_is_called_so_and_keeps_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    with store(tmp_path / "redis") as server:
        async with operator(server.url, deployment=file) as running, running.trader(1) as trader:
            await open_market(running)

            async def symbol() -> str:
                return str((await running.get("/v1/markets/1"))[1]["symbol"])

            async def has_told(text: str) -> bool:
                return text in caplog.text

            async def is_called() -> bool:
                await trader.schedule_cancel(0)  # answers are kept until something happens
                return await symbol() == "BTC-PERP"

            assert await symbol() == "M1-PERP"
            file.write_text("{")  # somebody writes it by hand
            await until(lambda: has_told("names of markets are not read anew"))
            replace(DEPLOYMENT, names=NAMED).save(file)
            await until(is_called)
            assert (await running.get("/v1/markets/BTC-PERP"))[0] == 200
            other = replace(NAMED, markets=(MarketName(1, "ETH-PERP", "ETH", "1"),))
            replace(DEPLOYMENT, names=other).save(file)
            await until(lambda: has_told("taken over when the operator starts: ETH-PERP"))
            Deployment(1, *(["0x" + 40 * "a"] * 7)).save(file)
            await until(lambda: has_told("is of another deployment now"))
            file.unlink()
            assert await symbol() == "BTC-PERP"
