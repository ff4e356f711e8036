"""What a gateway believes of an exchange's clock, and what it says where the exchange says nothing."""

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.processes.running_operator import DEPLOYMENT

from setoff.shared.errors import DataError
from setoff.shared.gateway.door import Door
from setoff.shared.gateway.exchange_client import ExchangeClient
from setoff.shared.gateway.house import House
from setoff.shared.gateway.parties import Parties
from setoff.shared.gateway.refusals import BotError, to_told
from setoff.shared.gateway.server import Server
from setoff.shared.gateway.service import read_clock
from setoff.shared.gateway.settings import GatewaySettings
from setoff.shared.gateway.signature import Bot
from setoff.shared.sdk import Refusal, SetoffClient, SubmitResult, Unavailable

OWNER = b"\5" * 20
MARKET = {"market": 1, "symbol": "BTC-PERP", "base": "BTC", "quote": "USDC", "tick_size": "0.5", "lot_size": "0.001",
          "unit": 500, "initial_margin": 100_000}  # fmt: skip
ORDER = {"a": 0, "b": True, "p": "100", "s": "1", "r": False, "t": {"limit": {"tif": "Gtc"}}}


class Exchange(ExchangeClient):
    """One that tells a time, and answers orders with an error."""

    def __init__(self, error: Exception | None = None, ahead: int = 0) -> None:
        super().__init__("")
        self.error, self.ahead = error, ahead

    def at(self, sub: int) -> Any:
        return self

    async def info(self) -> Any:
        return {"collateral": {"decimals": 6}, "markets": [MARKET]}

    async def now(self) -> int:
        return int(time.time()) + self.ahead

    async def account(self, name: Any = "") -> Any:
        return {"positions": []}

    async def place(self, *arguments: Any, **options: Any) -> Any:
        assert self.error is not None
        raise self.error


async def answer(error: Exception, folder: Path) -> Any:
    house = House(Exchange(error), Parties(OWNER, 0, (OWNER,)), "0x" + OWNER.hex(), Bot(None), None)
    await house.universe.load()
    action = {"type": "order", "orders": [ORDER, ORDER], "grouping": "na"}
    request = {"action": action, "nonce": time.time_ns() // 1_000_000 + 5, "signature": {}}
    async with Door(lambda: nullcontext(house)) as door:
        return await Server(door).answer("action", request)


async def test_orders_that_nobody_answers_have_no_status(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unknown"):
        await answer(Unavailable("not_ready", "unknown"), tmp_path)
    told = await answer(Refusal("insufficient_margin"), tmp_path)
    assert [list(status) for status in told["response"]["data"]["statuses"]] == [["error"], ["error"]]
    assert isinstance(to_told(Unavailable("paced")), BotError)


class LosingAnswers(Exchange):
    """One whose answers to some orders are lost; what it takes counts."""

    def __init__(self, *lost: int) -> None:
        super().__init__()
        self.lost, self.placed, self.resent = lost, [], list[bytes]()

    async def place(self, *arguments: Any, **options: Any) -> Any:
        self.placed.append(options["client"])
        number = len(self.placed) - 1
        if number in self.lost:
            lost = Unavailable("pending", "nothing has answered")
            lost.record = bytes([number])
            raise lost
        return SubmitResult(number, 0, 0, number, 5, ())

    async def submit(self, record: bytes, leg_pages: Any = ()) -> SubmitResult:
        self.resent.append(record)
        if self.error is not None:
            raise self.error
        return SubmitResult(record[0], 0, 0, record[0], 5, ())


@pytest.mark.parametrize("grouping", ["na", "positionTpsl"])
async def test_orders_that_a_bot_repeats_by_their_cloid_do_not_stand_twice(tmp_path: Path, grouping: str) -> None:
    """One is taken, of one the answer is lost: nothing is told of either, and both come again."""
    exchange = LosingAnswers(1)
    house = House(exchange, Parties(OWNER, 0, (OWNER,)), "0x" + OWNER.hex(), Bot(None), None)
    await house.universe.load()
    kind = (
        ORDER if grouping == "na" else {**ORDER, "t": {"trigger": {"triggerPx": "100", "isMarket": True, "tpsl": "tp"}}}
    )
    orders = [{**kind, "c": "0x" + f"{number:032x}"} for number in (1, 2)]
    nonces = iter(range(time.time_ns() // 1_000_000 + 5, 1 << 60))

    async def ask(*orders: Any) -> Any:
        action = {"type": "order", "orders": list(orders), "grouping": grouping}
        told = await server.answer("action", {"action": action, "nonce": next(nonces), "signature": {}})
        return told["response"]["data"]["statuses"]

    async with Door(lambda: nullcontext(house)) as door:
        server = Server(door)
        with pytest.raises(Unavailable, match="pending"):
            await ask(*orders)
        exchange.error = Unavailable("pending", "still nobody")
        with pytest.raises(Unavailable, match="still nobody"):
            await ask(*orders)
        exchange.error = Refusal("nonce_used")
        with pytest.raises(Unavailable, match="is unknown"):
            await ask(*orders)
        (refused,) = await ask({**orders[1], "s": "2"})
        assert "an order of other terms was sent with it" in refused["error"]
        exchange.error = None
        assert [list(status) for status in await ask(*orders)] == [["resting"]] * 2
        assert len(exchange.placed) == 2 and set(exchange.resent) == {b"\1"}
        await ask(*orders)  # what was told of may come again: it is another order
        assert len(exchange.placed) == 4


@pytest.mark.parametrize("ahead", [-1000, 1000])
async def test_a_clock_far_from_the_machines_is_not_believed(ahead: int) -> None:
    exchange = cast("SetoffClient", Exchange(ahead=ahead))
    settings = GatewaySettings(rpc_url="http://127.0.0.1:9")
    with pytest.raises(DataError, match="clock_skew"):
        await read_clock(settings, None, exchange)
    lenient = replace(settings, clock_skew=2000)
    assert abs(await read_clock(lenient, None, exchange) - time.time() - ahead) < 5


async def test_l1_is_asked_the_time_before_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setoff.shared.gateway.service.open_l1", lambda *_: type("Node", (), {"now": lambda _: 77})())
    assert await read_clock(GatewaySettings(), DEPLOYMENT, cast("SetoffClient", Exchange(ahead=1000))) == 77
