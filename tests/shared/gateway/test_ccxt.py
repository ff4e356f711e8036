"""ccxt.hyperliquid, unmodified, in its three ways: each unified method, and the table of them on the gateway's page."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.support.gateways.ccxt_bot import CcxtBot, ccxt_bot
from tests.support.gateways.ccxt_methods import ABSENT, BEFALLING, METHODS, REFUSED, WATCHED, Method, format_table
from tests.support.gateways.gateway_town import GatewayTown, clear

PAGE = Path(__file__).resolve().parents[3] / "shared" / "gateway" / "COMPATIBILITY.md"
KINDS = ("spot", "margin", "swap", "future", "option", "sandbox", "ws", "CORS", "publicAPI", "privateAPI")
"""What `has` says of an exchange beside its methods."""


async def call_all(town: GatewayTown, bot: CcxtBot, methods: Iterable[Method]) -> dict[str, str]:
    """Each by itself, in an empty book: by name what went wrong."""
    failed = {}
    for method in methods:
        await clear(town)
        try:
            await method.call(bot)
        except Exception as error:
            failed[method.name] = f"{type(error).__name__}: {error}"
    return failed


@pytest.mark.parametrize("flavour", ["sync", "async"])
async def test_every_unified_method_works_or_is_refused_as_the_table_says(town: GatewayTown, flavour: str) -> None:
    async with ccxt_bot(town, flavour) as bot:
        failed = await call_all(town, bot, METHODS)
        for refused in REFUSED:
            try:
                failed[refused.name] = f"answered {await bot(refused.name, *refused.arguments)}"
            except Exception as error:
                if type(error).__name__ != refused.error or refused.says not in str(error):
                    failed[refused.name] = f"{type(error).__name__}: {error}"
    assert not failed, "\n".join(f"{name}: {told[:300]}" for name, told in failed.items())


async def test_what_happens_is_watched_and_orders_are_sent_over_the_socket(town: GatewayTown) -> None:
    async with ccxt_bot(town, "pro") as bot:
        failed = await call_all(town, bot, WATCHED)
    assert not failed, "\n".join(f"{name}: {told[:300]}" for name, told in failed.items())


def test_the_table_has_every_method_that_ccxt_says_it_has() -> None:
    import ccxt.pro

    exchange = ccxt.pro.hyperliquid()
    claimed = {name for name, has in exchange.has.items() if has and name not in KINDS}
    tabled = {each.name for each in (*METHODS, *REFUSED, *WATCHED)} | BEFALLING.keys() | ABSENT.keys()
    claimed = {name for name in claimed if not name.startswith("unWatch")}
    assert tabled - claimed == set()
    assert claimed - tabled == set()
    assert {name for name in claimed if not hasattr(exchange, name)} == ABSENT.keys()


def test_the_page_has_this_table() -> None:
    assert format_table() in PAGE.read_text(), f"put this into {PAGE}:\n{format_table()}"
