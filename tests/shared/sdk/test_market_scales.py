"""Symbols and decimals: what is signed is what was meant, to the unit, and an exchange cannot say otherwise."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.processes.running_operator import DEPLOYMENT, HandL1, Running, open_market, operator

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.config.market_names import Collateral, MarketName, MarketNames
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError, DataError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.sdk import KeySigner, ListedUnits, MarketScales, Refusal, SetoffClient
from setoff.shared.sdk.listed_units import check_listed, read_listed_units

NAMES = MarketNames(Collateral("USDC", 6), (MarketName(1, "BTC-PERP", "BTC", "0.001"),))


@pytest.fixture
async def named(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An exchange whose market is called BTC-PERP: a lot is 0.001 BTC, and so a tick half a dollar."""
    module = "tests.support.processes.running_operator.DEPLOYMENT"
    monkeypatch.setattr(module, replace(DEPLOYMENT, names=NAMES))
    traffic = SampleTraffic()
    deposits = [traffic.deposit(account, 10**10) for account in (1, 2)]
    l1 = HandL1([traffic.list_market(unit=500), traffic.set_signer(max_age=600), *deposits])
    async with operator(redis_server.url, traffic, l1) as running:
        await open_market(running, 200_000)
        yield running


async def test_orders_are_placed_by_symbol_and_in_decimals(named: Running) -> None:
    async with named.trader(1) as maker, named.trader(2) as taker:
        resting = await maker.place("BTC-PERP", SELL, Decimal("100000.5"), "0.025")
        (order,) = await maker.orders()
        assert (order["price"], order["size"], resting.resting) == (200_001, "25", 25)
        assert (order["symbol"], order["decimal"]) == (
            "BTC-PERP",
            {"price": "100000.5", "size": "0.025", "trigger_price": None},
        )
        taken = await taker.place_market("btc-perp", BUY, Decimal("0.010"))
        assert [fill["decimal"] for fill in taken.fills] == [{"price": "100000.5", "size": "0.01"}]
        (position,) = (await taker.account())["positions"]
        assert (position["decimal"]["size"], position["entry_price"]) == ("0.01", "100000.5")
        assert (await taker.book("BTC-PERP"))["asks"][0]["decimal"] == {"price": "100000.5", "size": "0.015"}
        before = int((await maker.account())["collateral"])
        await taker.transfer(1, Decimal("1.25"))
        assert int((await maker.account())["collateral"]) - before == 1_250_000
        closed = await taker.close_position("BTC-PERP", slippage=50_000)
        assert closed.filled == 0


@pytest.mark.parametrize(
    ("price", "size", "near"),
    [
        (Decimal("100000.7"), "0.01", "100000.5 or 100001"),
        ("100000", "0.0105", "0.01 or 0.011"),
        (cast(Any, 100000.5), "0.01", "decimal number"),
        ("1e5", "0.01", "decimal number"),
    ],
)
async def test_what_cannot_be_signed_is_refused_with_what_can(named: Running, price: Any, size: Any, near: str) -> None:
    async with named.trader(1) as client:
        with pytest.raises(InputError, match=near):
            await client.place("BTC-PERP", BUY, price, size)
        assert await client.orders() == []


async def test_a_market_that_is_not_there_is_told_which_are(named: Running) -> None:
    async with named.trader(1) as client:
        with pytest.raises(Refusal, match="there are BTC-PERP"):
            await client.place("ETH-PERP", BUY, "100", "1")
        with pytest.raises(Refusal, match="there are BTC-PERP"):
            await client.book("ETH-PERP")


class Listings:
    """L1, as far as its queue goes."""

    def __init__(self, *messages: bytes) -> None:
        self._messages = messages
        self.deployment = DEPLOYMENT
        self.proven = self
        self.number = 9

    def block(self) -> Any:
        return self

    def messages(self, first: int, last: int) -> list[Any]:
        assert (first, last) == (DEPLOYMENT.block, 9)
        return [type("Message", (), {"body": body}) for body in self._messages]


async def test_decimals_that_are_not_worth_what_l1_says_are_not_used(named: Running) -> None:
    traffic = SampleTraffic()
    async with named.trader(1) as client:
        info = await client.info()
    units = MarketScales(info).units
    check_listed(units, read_listed_units(cast(ChainReader, Listings(traffic.list_market(unit=500)))))
    with pytest.raises(DataError, match="L1 lists no market 1"):
        check_listed(units, read_listed_units(cast(ChainReader, Listings(traffic.list_market(unit=50)))))
    info["markets"][0]["tick_size"] = "5"
    with pytest.raises(DataError, match="is worth 500 token units, not 5000"):
        MarketScales(info)


async def test_no_decimal_is_signed_before_its_worth_was_held_against_l1(
    named: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing answers at L1's address here but what the test says of it; what was read once is kept in a file."""
    read: list[dict[int, set[int]]] = [{1: {50}}, {1: {500}}]
    monkeypatch.setattr(ListedUnits, "_check_token", lambda *_: None)
    monkeypatch.setattr("setoff.shared.sdk.listed_units.read_listed_units", lambda _: read.pop(0))
    nobody, file = L1("http://127.0.0.1:9", patience=0.1), tmp_path / "units.json"

    def client(listed: ListedUnits) -> SetoffClient:
        return SetoffClient(named.url, KeySigner(trader_key(1)), listed=listed)

    async with client(ListedUnits(nobody, DEPLOYMENT, file)) as lied_to:
        with pytest.raises(DataError, match="L1 lists no market 1 with a unit of 500"):
            await lied_to.place("BTC-PERP", BUY, "99", "0.01")
        assert not await lied_to.orders() and not named.outbox.latest() > 0
        await lied_to.place("BTC-PERP", BUY, "99", "0.01")  # the second time L1 says the same as the exchange
    assert file.read_text() == '{"1": [500]}' and not read
    async with client(ListedUnits(nobody, DEPLOYMENT, file)) as client_with_file:
        assert await client_with_file.at(2).scales()
    monkeypatch.undo()
    async with client(ListedUnits(nobody, DEPLOYMENT)) as alone:
        with pytest.raises(ChainError, match="cannot be held against L1, and nothing is signed"):
            await alone.place("BTC-PERP", BUY, "99", "0.01")
        await alone.place(1, BUY, 190, 1)  # ticks and lots are what they are
