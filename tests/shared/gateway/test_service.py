"""A gateway as it starts: whose key it takes, whom it serves, and what it remembers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import eth_account
import pytest
from hyperliquid.utils.signing import get_timestamp_ms, sign_l1_action
from tests.support.gateways.gateway_town import AGENT, OWNER, PRICE, GatewayTown, address

from setoff.deploy.cli.main import main
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ConfigError
from setoff.shared.gateway.service import open_house, serve
from setoff.shared.gateway.settings import ANYONE, GatewaySettings

BOT = keccak(b"a key that the bot alone has")
ORDER = {"a": 0, "b": True, "p": str(PRICE - 1000), "s": "0.01", "r": False, "t": {"limit": {"tif": "Gtc"}}}
CLOID = "0x" + "5e" * 16


def settings(town: GatewayTown, folder: Path, **more: Any) -> GatewaySettings:
    given: dict[str, Any] = {"key": AGENT.hex(), "account": town.owner, "listen": "127.0.0.1:0"}
    return GatewaySettings(**{"exchange": town.exchange, "state_dir": folder, **given, **more})


@asynccontextmanager
async def gateway(town: GatewayTown, folder: Path, **more: Any) -> AsyncIterator[Any]:
    """A gateway in this process: what it answers to an action of a signer, and to a question."""
    async with serve(settings(town, folder, **more)) as (_, url), aiohttp.ClientSession() as http:

        async def ask(action: Any, key: bytes | None = None) -> Any:
            body, path = action, "info"
            if key is not None:
                nonce = get_timestamp_ms()
                signature = sign_l1_action(eth_account.Account.from_key(key), action, None, nonce, None, True)
                body, path = {"action": action, "nonce": nonce, "signature": signature}, "exchange"
            async with http.post(f"{url}/{path}", json=body) as answer:
                return await answer.json()

        yield ask


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"key": OWNER.hex()}, "could withdraw"),
        ({"key": keccak(b"nobody's key").hex()}, "is no agent of account"),
        ({"account": ""}, "name the account"),
        ({"account": "0x" + "12" * 20}, "not_found"),
        ({"key": ""}, "gateway.key"),
    ],
)
async def test_it_takes_the_key_of_an_agent_alone(town: GatewayTown, tmp_path: Path, more: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        async with open_house(settings(town, tmp_path, **more)):
            pass


def test_the_command_says_what_is_wrong(town: GatewayTown, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["gateway", "run", "--exchange", town.exchange, "--key", OWNER.hex(), "--account", town.owner]
    assert main(words) == 2
    assert "it is the owner's, and could withdraw" in capsys.readouterr().err


async def test_it_serves_the_bot_that_it_is_told(town: GatewayTown, tmp_path: Path) -> None:
    action = {"type": "noop"}
    async with gateway(town, tmp_path, bot=address(BOT)) as ask:
        assert (await ask(action, BOT))["status"] == "ok"
        assert (await ask(action, AGENT))["response"].startswith("User or API Wallet 0x")
    async with gateway(town, tmp_path, bot=ANYONE) as ask:
        assert (await ask(action, keccak(b"anybody's key")))["status"] == "ok"


async def test_cloids_and_leverage_are_known_after_a_restart(town: GatewayTown, tmp_path: Path) -> None:
    order = {"type": "order", "orders": [ORDER | {"c": CLOID}], "grouping": "na"}
    orders = {"type": "openOrders", "user": town.owner}
    asset = {"type": "activeAssetData", "user": town.owner, "coin": "BTC"}
    async with gateway(town, tmp_path) as ask:
        told = (await ask(order, AGENT))["response"]["data"]["statuses"][0]["resting"]
        leverage = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}
        assert (await ask(leverage, AGENT))["status"] == "ok"
    async with gateway(town, tmp_path) as ask:
        (shown,) = await ask(orders)
        assert (shown["oid"], shown["cloid"]) == (told["oid"], CLOID)
        assert (await ask(asset))["leverage"]["value"] == 3
        cancel = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
        assert (await ask(cancel, AGENT))["response"]["data"]["statuses"] == ["success"]
    async with gateway(town, tmp_path / "another") as ask:
        assert not await ask(orders) and (await ask(asset))["leverage"]["value"] == 20
