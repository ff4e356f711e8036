"""Whatever comes, a request is answered or refused: never by an error that nobody thought of."""

import copy
import random
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.gateways.gateway_town import AGENT, PRICE, GatewayTown, clear

from setoff.shared.errors import SetoffError
from setoff.shared.gateway.door import Door
from setoff.shared.gateway.refusals import BotError, Misshapen
from setoff.shared.gateway.server import Server
from setoff.shared.gateway.service import open_house
from setoff.shared.gateway.settings import ANYONE, GatewaySettings

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53, 2**64, 2**200, 0.5, float("nan"), float("inf"), "", "0", "-1", "1e9", "NaN",
    "0x", "0x" + "11" * 20, "0x" + "22" * 16, "BTC", "Gtc", "\ud800", "x" * 5000, [], [[]], {}, {"type": "order"},
)  # fmt: skip
TRIES = 12
"""Of each request."""


def order(**more: Any) -> dict[str, Any]:
    return {"a": 0, "b": True, "p": str(PRICE - 1000), "s": "0.01", "r": False, "t": {"limit": {"tif": "Gtc"}}, **more}


def trigger(**more: Any) -> dict[str, Any]:
    return order(t={"trigger": {"isMarket": True, "triggerPx": str(PRICE + 900), "tpsl": "sl"}}, **more)


def requests(user: str) -> list[tuple[str, Any]]:
    """One of each kind, as it should be."""
    actions: list[Any] = [
        {"type": "order", "orders": [order(), trigger()], "grouping": "na", "builder": {"b": user, "f": 0}},
        {"type": "order", "orders": [order(c="0x" + "33" * 16), trigger(), trigger()], "grouping": "normalTpsl"},
        {"type": "order", "orders": [trigger(s="0"), trigger()], "grouping": "positionTpsl"},
        {"type": "cancel", "cancels": [{"a": 0, "o": 12345}]},
        {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": "0x" + "33" * 16}]},
        {"type": "modify", "oid": 12345, "order": order()},
        {"type": "batchModify", "modifies": [{"oid": "0x" + "33" * 16, "order": order()}]},
        {"type": "scheduleCancel", "time": time.time_ns() // 1_000_000 + 100_000},
        {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 20},
    ]
    asked: list[Any] = [
        {"type": kind, "user": user, "startTime": 0, "endTime": 2_000_000_000_000, "coin": "BTC", "oid": 5, "dex": ""}
        for kind in (
            "clearinghouseState", "openOrders", "frontendOpenOrders", "orderStatus", "historicalOrders", "userFills",
            "userFillsByTime", "userFunding", "userNonFundingLedgerUpdates", "userFees", "activeAssetData", "l2Book",
            "fundingHistory", "subAccounts", "extraAgents", "userRole", "recentTrades",
        )
    ]  # fmt: skip
    asked.append({"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "3m", "startTime": 0, "endTime": 1}})
    asked.append({"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": None})
    bodies = [{"action": action, "nonce": 0, "signature": {"r": "0x1", "s": "0x1", "v": 27}, "vaultAddress": None,
               "expiresAfter": None} for action in actions]  # fmt: skip
    return [*(("action", body) for body in bodies), *(("info", question) for question in asked)]


def spoil(dice: random.Random, value: Any) -> Any:
    """The same with one thing in it replaced, left out or doubled."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        name = dice.choice(list(value))
        if dice.random() < 0.15:
            return {key: kept for key, kept in value.items() if key != name}
        return value | {name: spoil(dice, value[name])}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [*value[:place], spoil(dice, value[place]), *value[place + dice.randrange(2) :]]
    return dice.choice(JUNK)


async def test_a_spoilt_request_is_answered_or_refused(town: GatewayTown, tmp_path: Path) -> None:
    dice = random.Random(7)
    settings = GatewaySettings(
        exchange=town.exchange, key=AGENT.hex(), account=town.owner, bot=ANYONE, state_dir=tmp_path
    )
    unthought: list[tuple[Any, BaseException]] = []
    refused = 0
    async with Door(partial(open_house, settings)) as door:
        server = Server(door)
        for kind, whole in requests(town.owner):
            for _ in range(TRIES):
                body = spoil(dice, copy.deepcopy(whole))
                if kind == "action" and isinstance(body, dict) and body.get("nonce") == 0:
                    body["nonce"] = time.time_ns() // 1_000_000
                    time.sleep(0.001)
                try:
                    answer = await server.answer(kind, body)
                    refused += "err" in str(answer)
                except (Misshapen, BotError, SetoffError):
                    refused += 1
                except Exception as error:
                    unthought.append((body, error))
    await clear(town)
    assert refused > 50
    assert not unthought, "\n".join(f"{type(error).__name__}: {error}: {str(body)[:300]}" for body, error in unthought)
