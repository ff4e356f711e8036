"""What neither book nor margin settles: a bot is deleveraged for another's liquidation, and one that is liquidated is
closed so, or taken over by the backstop. Its balance and positions by hyperliquid-python-sdk and ccxt, unmodified, are
the native view to the unit, and its fills, funding and ledger add up to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from tests.support.gateways.equality import assert_ccxt_agrees, assert_equal_views, assert_money_adds_up
from tests.support.gateways.gateway_town import MAKER, PRICE, TAKER, GatewayTown
from tests.support.gateways.sdk_bot import IOC, SdkBot, sdk_bot
from tests.support.gateways.sub_bot import quote, sub_bot
from tests.support.waiting import wait_until

from setoff.shared.codec.records import BUY, SELL

MONEY = 1_000_000_000
"""Token units of the sub-account that is liquidated: a thousand dollars."""
LOTS = 2_000
SIZE = 0.2
"""The same in BTC: some 15,600 dollars."""
BACKSTOP = 100_000_000_000
"""Token units: a part of it covers the position, and the position is no dust to it."""


@pytest.fixture
def owner(town: GatewayTown) -> Iterator[SdkBot]:
    with sdk_bot(town) as bot:
        bot.close_all()
        settle(town)
        yield bot
        town.set_price(1, PRICE)
        bot.close_all()


@pytest.fixture
def risky(town: GatewayTown, owner: SdkBot) -> Iterator[SdkBot]:
    with sub_bot(town, MONEY) as bot:
        yield bot
        town.set_price(1, PRICE)


def settle(town: GatewayTown) -> None:
    """Close what the two others hold against each other: nobody else is to be on the side that pays."""

    async def read(client: Any) -> int:
        return sum(int(each["size"]) for each in (await client.account())["positions"] if each["market"] == 1)

    size = town.run(MAKER, read)
    if size:
        sides = (SELL, BUY) if size > 0 else (BUY, SELL)
        quote(town, sides[0], PRICE, abs(size))
        quote(town, sides[1], PRICE, abs(size), TAKER)
        town.run(MAKER, lambda client: client.cancel_all())
        town.run(TAKER, lambda client: client.cancel_all())
    assert town.run(MAKER, read) == 0


@contextmanager
def hearing(bot: SdkBot) -> Iterator[list[Any]]:
    """The fills that a bot is told of over the WebSocket meanwhile, but for those before."""
    told: list[Any] = []

    def hear(message: Any) -> None:
        if not message["data"].get("isSnapshot"):
            told.extend(message["data"]["fills"])

    subscription: Any = {"type": "userFills", "user": bot.user}
    number = bot.info.subscribe(subscription, hear)
    try:
        yield told
    finally:
        bot.info.unsubscribe(subscription, number)


def face(town: GatewayTown, long: SdkBot, short: SdkBot | None) -> None:
    """Let one be long; the maker, or who is named, short; then there is no book."""
    quote(town, SELL, PRICE + 10, LOTS)
    assert "filled" in long.place("BTC", True, SIZE, PRICE + 10, IOC)
    if short is not None:
        quote(town, BUY, PRICE - 10, LOTS)
        assert "filled" in short.place("BTC", False, SIZE, PRICE - 10, IOC)
    town.run(MAKER, lambda client: client.cancel_all())
    long.wait_for_fills()


def fall(town: GatewayTown, bot: SdkBot, by: int) -> list[Any]:
    """The price falls, and a last resort closes so much of the bot's position that its account is well; its fills."""
    bot.wait_for_fills()
    before = len(bot.info.user_fills_by_time(bot.user, 0))
    town.set_price(1, PRICE - by)

    fills: list[Any] = []

    def is_well() -> bool:
        """And the history, which is a moment behind, has all that was closed."""
        is_above = int(bot.native()["buffer"]) >= 0
        closed = Decimal(str(SIZE)) - read_size(bot)
        fills[:] = bot.info.user_fills_by_time(bot.user, 0)[before:]
        return is_above and 0 < closed == add(fills)

    wait_until(is_well, 180, what=lambda: f"{bot.native()}\n{fills}", pause=0.5)
    for fill in fills:
        assert fill["liquidation"] == {"liquidatedUser": bot.user, "markPx": fill["px"], "method": "backstop"}
        assert (fill["side"], fill["crossed"], fill["fee"], fill["coin"]) == ("A", True, "0", "BTC")
    return fills


def add(fills: list[Any]) -> Decimal:
    """The size of fills."""
    return sum((Decimal(fill["sz"]) for fill in fills), Decimal(0))


def read_size(bot: SdkBot) -> Decimal:
    """The bot's position in the market, as it is told of it."""
    held = [each["position"]["szi"] for each in bot.info.user_state(bot.user)["assetPositions"]]
    return Decimal(held[0]) if held else Decimal(0)


def check(*bots: SdkBot) -> None:
    for bot in bots:
        bot.wait_for_fills()
        assert_equal_views(bot)
        assert_ccxt_agrees(bot)
        wait_until(lambda bot=bot: adds_up(bot))
        assert_money_adds_up(bot)


def adds_up(bot: SdkBot) -> bool:
    try:
        assert_money_adds_up(bot)
    except AssertionError:
        return False
    return True


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("by", [4_900, 5_600], ids=["what is left is a levy", "a debt"])
def test_a_bot_is_deleveraged_for_another_that_is_liquidated(
    town: GatewayTown, owner: SdkBot, risky: SdkBot, by: int
) -> None:
    face(town, risky, owner)
    check(owner, risky)
    with hearing(risky) as closed, hearing(owner) as deleveraged:
        fills = fall(town, risky, by)
        wait_until(lambda: add(closed) == add(deleveraged) == add(fills), 60)
    assert {fill["dir"] for fill in deleveraged} == {"Auto-Deleveraging"}
    assert [(fill["px"], fill["sz"]) for fill in deleveraged] == [(fill["px"], fill["sz"]) for fill in fills]
    assert not any("liquidation" in fill for fill in deleveraged)
    assert read_size(owner) == -read_size(risky)
    check(owner, risky)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_backstop_takes_a_bots_position_over(town: GatewayTown, owner: SdkBot, risky: SdkBot) -> None:
    town.run(TAKER, lambda client: client.backstop_deposit(BACKSTOP))
    wait_until(lambda: int(town.ask(lambda client: client.backstop())["equity"]) >= BACKSTOP, 240)
    face(town, risky, None)
    with hearing(risky) as told:
        fills = fall(town, risky, 4_400)
        wait_until(lambda: told == fills, 60)
    held = town.ask(lambda client: client.backstop())["positions"]
    assert [Decimal(each["decimal"]["size"]) for each in held] == [add(fills)]
    check(risky, owner)
