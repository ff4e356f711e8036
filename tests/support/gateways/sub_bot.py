"""A bot of a sub-account of the gateway's owner, with just so much money: one that can be put at risk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.support.gateways.gateway_town import MAKER, OWNER, PRICE, GatewayTown
from tests.support.gateways.sdk_bot import SdkBot, sdk_bot

from setoff.shared.codec.records import BUY, SELL
from setoff.shared.state import keys

SUB: Final = 1


class SubBot(SdkBot):
    """A bot of the owner's sub-account."""

    def native(self) -> Any:
        """See `SdkBot`: the exchange names a sub-account by its owner."""
        return self.town.run_for(f"{self.town.owner}.{SUB}", lambda client, name: client.account(name))


async def _set_money(client: Any, wanted: int) -> None:
    account = int((await client.account())["account"])
    sub = client.at(SUB)
    held = int((await sub.account())["free"])
    if held < wanted:
        await client.transfer(keys.sub_account(account, SUB), wanted - held)
    elif held > wanted:
        await sub.transfer(account, held - wanted)


async def _close(client: Any) -> None:
    sub = client.at(SUB)
    await sub.cancel_all()
    for position in (await sub.account())["positions"]:
        if int(position["size"]):
            await sub.close_position(position["market"])


@contextmanager
def sub_bot(town: GatewayTown, money: int) -> Iterator[SdkBot]:
    """The bot, its account with so many token units; what it leaves goes back to the owner."""
    town.run(OWNER, lambda client: _set_money(client, money))
    with sdk_bot(town) as bot:
        subs = bot.info.query_sub_accounts(bot.user)
        address = next(sub["subAccountUser"] for sub in subs if sub["name"] == str(SUB))
    with sdk_bot(town, vault=address) as bot:
        yield SubBot(bot.info, bot.exchange, bot.user, town)
    quote(town, BUY, PRICE - 300, 3000)
    quote(town, SELL, PRICE + 300, 3000)
    town.run(OWNER, _close)
    town.run(MAKER, lambda client: client.cancel_all())
    town.run(OWNER, lambda client: _set_money(client, 0))


def quote(town: GatewayTown, side: int, price: int, lots: int, key: bytes = MAKER) -> None:
    """A resting order of another trader, by default of the maker."""
    town.run(key, lambda client: client.place(1, side, price, lots))
