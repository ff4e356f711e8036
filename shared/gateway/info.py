"""What a bot can ask: the types of `POST /info`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from setoff.shared.errors import SetoffError
from setoff.shared.gateway.assets import Json
from setoff.shared.gateway.house import House
from setoff.shared.gateway.orders.actions import read_oid
from setoff.shared.gateway.orders.live import read_live
from setoff.shared.gateway.parties import Party, make_sub_address
from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.gateway.views import account_views as accounts
from setoff.shared.gateway.views import candles
from setoff.shared.gateway.views.fundings import show_fundings
from setoff.shared.gateway.views.market_views import show_meta, show_spot_meta
from setoff.shared.gateway.views.order_history import find_order, list_orders
from setoff.shared.gateway.views.pages import read_latest
from setoff.shared.gateway.views.spans import read_span

Request = Mapping[str, Any]
FILLS: Final = 2000
"""Fills that are shown at once, as the next."""
ENTRIES: Final = 2000
EMPTY: Final = ("userTwapSliceFills", "userVaultEquities", "delegations", "delegatorRewards", "delegatorHistory")
"""Lists of what there is nothing of here."""
DEX: Final = ("", None)
"""The only exchange that there is here has no name."""


class Info:
    """Answers what is asked of markets and accounts."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._tellers: dict[str, Callable[[Request], Awaitable[Any]]] = {
            "meta": self._meta,
            "metaAndAssetCtxs": self._contexts,
            "allMids": self._mids,
            "l2Book": house.markets.book,
            "recentTrades": self._trades,
            "candleSnapshot": self._candles,
            "fundingHistory": house.markets.funding,
            "exchangeStatus": self._status,
            "perpDexs": self._dexs,
            "spotMeta": self._spot_meta,
            "spotMetaAndAssetCtxs": self._spot_contexts,
            "clearinghouseState": self._state,
            "spotClearinghouseState": self._spot_state,
            "openOrders": self._open_orders,
            "frontendOpenOrders": self._full_orders,
            "orderStatus": self._order_status,
            "historicalOrders": self._past_orders,
            "userFills": self._fills,
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._funding,
            "userNonFundingLedgerUpdates": self._ledger,
            "userFees": self._fees,
            "userRateLimit": self._rate_limit,
            "userRole": self._role,
            "subAccounts": self._subs,
            "extraAgents": self._agents,
            "activeAssetData": self._asset_data,
            "userAbstraction": self._abstraction,
            "userDexAbstraction": self._dex_abstraction,
            "maxBuilderFee": self._builder_fee,
            "referral": self._referral,
            **dict.fromkeys(EMPTY, self._nothing),
        }

    async def tell(self, request: Request) -> Any:
        """The answer. Raises Misshapen, BotError, Refusal, Unavailable."""
        teller = self._tellers.get(str(request.get("type")))
        if teller is None:
            raise Misshapen(f"info: there is no {str(request.get('type'))[:40]!r} here")
        if request.get("dex") not in DEX:
            raise Misshapen(f"info: there is no exchange {str(request.get('dex'))[:40]!r} here")
        return await teller(request)

    # --- markets -----------------------------------------------------------------------------------------------------

    async def _meta(self, _: Request) -> Json:
        return await self._house.markets.meta()

    async def _contexts(self, _: Request) -> list[Any]:
        return [show_meta(self._house.universe, await self._house.universe.markets()),
                await self._house.markets.contexts()]  # fmt: skip

    async def _mids(self, _: Request) -> Json:
        return dict(await self._house.markets.mids())

    async def _trades(self, request: Request) -> list[Json]:
        return await self._house.markets.trades(await self._house.universe.find(request.get("coin")))

    async def _candles(self, request: Request) -> list[Json]:
        return await candles.show_snapshot(self._house.client, self._house.universe, request)

    async def _status(self, _: Request) -> Json:
        shown = await self._house.client.status()
        obstacle = shown["obstacle"]
        return {"time": time.time_ns() // 1_000_000, "specialStatuses": None if obstacle is None else [obstacle]}

    async def _dexs(self, _: Request) -> list[None]:
        return [None]

    async def _spot_meta(self, _: Request) -> Json:
        return show_spot_meta(self._house.universe)

    async def _spot_contexts(self, _: Request) -> list[Any]:
        return [show_spot_meta(self._house.universe), []]

    # --- an account --------------------------------------------------------------------------------------------------

    def _party(self, request: Request) -> Party:
        return self._house.parties.find(request.get("user"))

    async def _state(self, request: Request) -> Json:
        return await show_state(self._house, self._party(request))

    async def _spot_state(self, request: Request) -> Json:
        self._party(request)
        return {"balances": []}

    async def _open_orders(self, request: Request) -> list[Json]:
        return [self._house.orders.show_live(live) for live in await self._live(request)]

    async def _full_orders(self, request: Request) -> list[Json]:
        return [self._house.orders.show_full(live) for live in await self._live(request)]

    async def _live(self, request: Request) -> list[Any]:
        return await or_nothing(read_live(self._house.client, self._party(request).name, has_past=True))

    async def _order_status(self, request: Request) -> Json:
        party, oid = self._party(request), read_oid(request.get("oid"))
        if await self._house.account(party) is None:
            return {"status": "unknownOid"}
        is_recent = self._house.cloids.is_recent(oid)
        return await find_order(self._house.client, party.name, self._house.orders, oid, is_recent=is_recent)

    async def _past_orders(self, request: Request) -> list[Json]:
        return await or_nothing(list_orders(self._house.client, self._party(request).name, self._house.orders))

    async def _fills(self, request: Request) -> list[Json]:
        fills = await or_nothing(self._house.fills(self._party(request)).read())
        return fills[: -FILLS - 1 : -1]

    async def _fills_by_time(self, request: Request) -> list[Json]:
        first, last = read_span(request)
        fills = await or_nothing(self._house.fills(self._party(request)).read())
        return [fill for fill in fills if first <= fill["time"] <= last][:FILLS]

    async def _funding(self, request: Request) -> list[Json]:
        first, last = read_span(request)
        party = self._party(request)
        rows = await or_nothing(
            read_latest(self._house.client, "ledger", party.name, "entries", ENTRIES, kind="funding")
        )
        wanted = [entry for entry in reversed(rows) if first <= int(entry["time_ms"]) <= last]
        return await show_fundings(self._house.client, self._house.universe, self._house.fills(party), wanted)

    async def _ledger(self, request: Request) -> list[Json]:
        first, last = read_span(request)
        rows: list[Json] = []
        for kind in accounts.LEDGER:
            rows += await or_nothing(
                read_latest(self._house.client, "ledger", self._party(request).name, "entries", ENTRIES, kind=kind)
            )
        rows.sort(key=lambda entry: int(entry["entry"]))
        told = (accounts.show_entry(self._house.universe, row) for row in rows if first <= int(row["time_ms"]) <= last)
        return [entry for entry in told if entry is not None]

    async def _fees(self, request: Request) -> Json:
        account = await self._house.account(self._party(request))
        return accounts.show_fees(await self._house.universe.markets(), account)

    async def _rate_limit(self, request: Request) -> Json:
        self._party(request)
        return {"cumVlm": "0", "nRequestsUsed": 0, "nRequestsCap": 2**31 - 1}

    async def _role(self, request: Request) -> Json:
        party = self._party(request)
        if party.address == self._house.agent:
            return {"role": "agent", "data": {"user": "0x" + self._house.parties.owner.hex()}}
        if party.sub and party.address != "0x" + self._house.parties.owner.hex():
            return {"role": "subAccount", "data": {"master": "0x" + self._house.parties.owner.hex()}}
        return {"role": "missing" if await self._house.account(party) is None else "user"}

    async def _subs(self, request: Request) -> list[Json] | None:
        """Those of our own account that have anything."""
        party = self._party(request)
        account = await self._house.account(party)
        if party.sub is None or account is None:
            return None
        owner, found = self._house.parties.owner, []
        for sub in range(1, int(account["subs"]) + 1):
            address = "0x" + make_sub_address(owner, sub).hex()
            state = await show_state(self._house, self._house.parties.find(address))
            found.append({"name": str(sub), "subAccountUser": address, "master": "0x" + owner.hex(),
                          "clearinghouseState": state, "spotState": {"balances": []}})  # fmt: skip
        return found or None

    async def _agents(self, request: Request) -> list[Json]:
        account = await self._house.account(self._party(request))
        return [] if account is None else [
            {"name": str(agent["agent"]), "address": agent["key"], "validUntil": int(agent["expiry"]) * 1000}
            for agent in account["agents"]
        ]  # fmt: skip

    async def _asset_data(self, request: Request) -> Json:
        return await show_asset_data(self._house, self._party(request), request.get("coin"))

    async def _abstraction(self, request: Request) -> str:
        self._party(request)
        return "disabled"

    async def _dex_abstraction(self, request: Request) -> bool:
        self._party(request)
        return False

    async def _builder_fee(self, request: Request) -> int:
        self._party(request)
        return 0

    async def _nothing(self, request: Request) -> list[Any]:
        self._party(request)
        return []

    async def _referral(self, request: Request) -> Json:
        self._party(request)
        return {"referredBy": None, "cumVlm": "0", "unclaimedRewards": "0", "claimedRewards": "0",
                "builderRewards": "0", "referrerState": None, "rewardHistory": []}  # fmt: skip


async def show_state(house: House, party: Party) -> Json:
    """What an account is worth now."""
    account = await house.account(party)
    if account is None:
        return accounts.show_no_state()
    return accounts.show_state(house.universe, house.leverages(party), account)


async def show_asset_data(house: House, party: Party, coin: object) -> Json:
    """What an account could trade of an asset."""
    asset = await house.universe.find(coin)
    account = await house.account(party) or {"free": 0}
    mark = int((await house.universe.markets())[asset.number]["mark"])
    return accounts.show_asset_data(house.universe, house.leverages(party), asset, account, mark, party.address)


async def or_nothing(asking: Awaitable[list[Any]]) -> list[Any]:
    """What there is; nothing of an address that has no account."""
    try:
        return await asking
    except SetoffError as error:
        if error.reason in ("not_found", "unknown_account"):
            return []
        raise
