"""What has happened, read through all its pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes.running_operator import open_market, operator
from tests.support.waiting import until

from setoff.shared.codec.records import BUY, SELL
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.sdk import Unavailable, history


async def collect(entries: AsyncIterator[Any], name: str) -> list[Any]:
    return [entry[name] async for entry in entries]


async def test_every_list_comes_whole_both_ways(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    async with operator(redis_server.url, history_url="", history_dir=tmp_path) as running:
        await open_market(running)
        async with running.trader(1) as seller, running.trader(2) as buyer:
            for price in (99, 100, 101, 102, 103):
                await seller.place(1, SELL, price, 2)
                await buyer.place(1, BUY, price, 2)

            async def is_all_there() -> bool:
                try:
                    return len(await collect(buyer.past_fills(), "price")) == 5
                except Unavailable:
                    return False  # its process is starting

            await until(is_all_there, "the history does not follow")
            assert await collect(buyer.trades("M1-PERP"), "price") == [103, 102, 101, 100, 99]
            fills = await collect(buyer.past_fills(after=0), "fill")
            assert fills == sorted(fills) and await collect(buyer.past_fills(after=fills[2]), "price") == [102, 103]
            assert [entry["price"] async for entry in seller.past_orders(status="filled")] == [103, 102, 101, 100, 99]
            assert set(await collect(seller.ledger(), "kind")) >= {"deposit", "trade"}
            assert await collect(seller.ledger(kind="deposit"), "amount") == [str(10**12)]
            assert len(await collect(seller.past_records(), "sequence")) == 5
            assert sum(int(candle["volume"]) for candle in await seller.candles(1)) == 10
            assert await collect(seller.prices(1), "index") == [100]
            assert await collect(seller.liquidations(market=1, account=1), "fill") == []
            assert await collect(seller.funding_rates("M1-PERP"), "paid") == ["0"]
            assert await collect(seller.past_batches(), "batch") == []
