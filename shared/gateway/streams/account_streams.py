"""What happens to an account, as bots subscribe to it: each stream yields the data of its messages.

The exchange pushes that something happened; what it was is read from its history, which is a moment behind: it is asked
again until it has it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from setoff.shared.errors import SetoffError
from setoff.shared.gateway.assets import Json
from setoff.shared.gateway.house import House
from setoff.shared.gateway.info import FILLS, Info, show_asset_data, show_state
from setoff.shared.gateway.orders.live import read_live
from setoff.shared.gateway.parties import Party
from setoff.shared.gateway.views import account_views as accounts
from setoff.shared.gateway.views.fundings import show_fundings
from setoff.shared.gateway.views.pages import read_after
from setoff.shared.sdk import Refusal, SetoffClient, Unavailable

Subscription = Mapping[str, Any]
Answer = TypeVar("Answer")
BEHIND: Final = 0.05
"""Seconds after which the history is asked again."""
PATIENCE: Final = 30.0
"""Seconds after which it is not asked again for one thing."""
IDLE: Final = 3.0
"""Seconds without news after which open orders are looked at: of those that time ends nothing is pushed."""
BEGUN: Final = None
"""What a stream of news yields once all that happens from then on will be told."""
BEGAN: Final = "subscribed"
"""The channel under which `watch` tells that another one goes on from here: what was before has to be looked at."""
NOBODY: Final = ("not_found", "unknown_account")
"""Reasons why the history has nothing of an account: it is not there yet."""
AWAY: Final = 1.0
"""Seconds after which an exchange is asked again that is not there: no stream ends for that, and none has a gap."""
NOT_THERE: Final = 2.0
"""Seconds after which is looked again for an account that is not there."""


def _party(house: House, subscription: Subscription) -> Party:
    return house.parties.find(subscription.get("user"))


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What is answered, as soon as the exchange is there. Raises Refusal."""
    while True:
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(AWAY)


async def look_first(look: Callable[[], Awaitable[object]]) -> None:
    """See what there is, as soon as the exchange is there; of an account that is not there yet nothing. Raises
    Refusal."""
    try:
        await patiently(look)
    except Refusal as error:
        if error.reason not in NOBODY:
            raise


async def watch(
    client: SetoffClient, name: str, *channels: str, idle: float | None = None, tells_begin: bool = False
) -> AsyncIterator[tuple[str, Json]]:
    """(channel, data) of what happens to an account in these channels, as it comes; from its first deposit on. After
    `idle` seconds with nothing a channel "", if that is named. If it `tells_begin`, BEGAN with the number of the last
    record then, each time that a channel is subscribed to, again after a lost connection, too."""
    while True:
        with suppress(Refusal, Unavailable):
            await client.account(name)
            break
        await asyncio.sleep(NOT_THERE)
    queue: asyncio.Queue[tuple[str, Json] | SetoffError] = asyncio.Queue(4096)

    def begin() -> None:
        if tells_begin and not queue.full():
            queue.put_nowait((BEGAN, {}))

    async def read(channel: str) -> None:
        try:
            async for message in client.subscribe(channel, account=name, patience=math.inf, on_begin=begin):
                await queue.put((channel, message["data"]))
        except SetoffError as error:
            await queue.put(error)
        except Exception as error:  # nobody waits for this task: its end has to be told
            await queue.put(Unavailable("not_ready", f"the channel {channel} has ended: {error!r}"))

    readers = [asyncio.create_task(read(channel)) for channel in channels]
    try:
        while True:
            try:
                async with asyncio.timeout(idle):
                    told = await queue.get()
            except TimeoutError:
                yield "", {}
                continue
            if isinstance(told, SetoffError):
                raise told
            if told[0] == BEGAN:
                told = BEGAN, {"sequence": await patiently(partial(_find_last_record, client))}
            yield told
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def _find_last_record(client: SetoffClient) -> int:
    """The number of the exchange's last record, -1 for none."""
    return int((await client.status())["records"]) - 1


async def _has_record(client: SetoffClient, sequence: int) -> bool:
    """Whether the history has a record, and so all before it."""
    if sequence < 0:
        return True
    try:
        await client.record(sequence)
    except Refusal:
        return False
    return True


async def stream_state(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`clearinghouseState`: what the account is worth, each time that it changes."""
    party = _party(house, subscription)
    yield {"dex": "", "user": party.address, "clearinghouseState": await show_state(house, party)}
    async for _, account in watch(house.client, party.name, "account"):
        state = accounts.show_state(house.universe, house.leverages(party), account)
        yield {"dex": "", "user": party.address, "clearinghouseState": state}


async def stream_spot_state(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`spotState`: there is nothing spot."""
    party = _party(house, subscription)
    yield {"user": party.address, "spotState": {"balances": []}}


async def stream_web_data(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`webData2`: an account and all assets at once."""
    party, info = _party(house, subscription), Info(house)
    asked = {"user": party.address}
    async for _ in watch(house.client, party.name, "account"):
        contexts = await info.tell({"type": "metaAndAssetCtxs"})
        yield {
            "user": party.address,
            "clearinghouseState": await info.tell({"type": "clearinghouseState", **asked}),
            "openOrders": await info.tell({"type": "frontendOpenOrders", **asked}),
            "meta": contexts[0],
            "assetCtxs": contexts[1],
            "serverTime": time.time_ns() // 1_000_000,
            "agentAddress": house.agent,
            "isVault": False,
        }


async def stream_asset_data(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`activeAssetData`: what the account could trade of an asset."""
    party = _party(house, subscription)
    yield await show_asset_data(house, party, subscription.get("coin"))
    async for _ in watch(house.client, party.name, "account"):
        yield await show_asset_data(house, party, subscription.get("coin"))


async def _new_fills(house: House, party: Party, kept: dict[str, Any]) -> AsyncIterator[tuple[bool, list[Json]]]:
    """(whether they are those before, fills oldest first). `kept`: how many were told, so that none is left out when
    this is begun again."""
    book = house.fills(party)
    if "fills" not in kept:
        await look_first(book.read)
        kept["fills"] = book.count
    yield True, list(book.fills)
    async for channel, fill in watch(house.client, party.name, "account_fills", tells_begin=True):
        until = time.monotonic() + PATIENCE
        while True:
            await patiently(book.read)
            if channel == BEGAN:
                has_all = await patiently(partial(_has_record, house.client, int(fill["sequence"])))
                await patiently(book.read)
            else:
                has_all = bool(book.fills) and book.fills[-1]["tid"] >= int(fill["fill"])
            if has_all or time.monotonic() > until:
                break
            await asyncio.sleep(BEHIND)
        fresh = book.count - kept["fills"]
        if fresh:
            kept["fills"] = book.count
            yield False, list(book.fills)[-fresh:]


async def stream_fills(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`userFills`: first the latest, then each."""
    party = _party(house, subscription)
    async for is_snapshot, fills in _new_fills(house, party, {}):
        told = fills[: -FILLS - 1 : -1] if is_snapshot else fills
        yield {"user": party.address, "fills": told} | ({"isSnapshot": True} if is_snapshot else {})


async def stream_events(house: House, subscription: Subscription, kept: dict[str, Any]) -> AsyncIterator[Json | None]:
    """`userEvents`: fills, as they come."""
    async for is_snapshot, fills in _new_fills(house, _party(house, subscription), kept):
        yield BEGUN if is_snapshot else {"fills": fills}


async def _new_entries(house: House, party: Party, *kinds: str) -> AsyncIterator[tuple[bool, list[Json]]]:
    """(whether they are those before, entries of the account's ledger, oldest first)."""
    last = dict.fromkeys(kinds, -1)

    async def read() -> list[Json]:
        found: list[Json] = []
        for kind in kinds:
            rows = await read_after(house.client, "ledger", party.name, "entries", "entry", last[kind], kind=kind)
            last[kind] = int(rows[-1]["entry"]) if rows else last[kind]
            found += rows
        return sorted(found, key=lambda entry: int(entry["entry"]))

    before: list[Json] = []
    with suppress(Refusal):
        before = await patiently(read)
    yield True, before
    async for _ in watch(house.client, party.name, "account"):
        for pause in (0, BEHIND, 10 * BEHIND):  # what the change was, the history may not know yet
            await asyncio.sleep(pause)
            if entries := await patiently(read):
                yield False, entries


async def stream_fundings(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`userFundings`: first the latest, then each."""
    party = _party(house, subscription)
    async for is_snapshot, entries in _new_entries(house, party, "funding"):
        shown = await show_fundings(house.client, house.universe, house.fills(party), entries)
        told = [{"time": each["time"]} | {name: each["delta"][name] for name in _FUNDING} for each in shown]
        yield {"user": party.address, "fundings": told} | ({"isSnapshot": True} if is_snapshot else {})


_FUNDING: Final = ("coin", "usdc", "szi", "fundingRate", "nSamples")


async def stream_ledger(house: House, subscription: Subscription) -> AsyncIterator[Json]:
    """`userNonFundingLedgerUpdates`: first the latest, then each."""
    party = _party(house, subscription)
    async for is_snapshot, entries in _new_entries(house, party, *accounts.LEDGER):
        told = [shown for entry in entries if (shown := accounts.show_entry(house.universe, entry)) is not None]
        yield {"user": party.address, "nonFundingLedgerUpdates": told} | ({"isSnapshot": True} if is_snapshot else {})


async def stream_orders(
    house: House, subscription: Subscription, kept: dict[str, Any]
) -> AsyncIterator[list[Json] | None]:
    """`orderUpdates`: each order that comes, changes or leaves, with its status."""
    party = _party(house, subscription)
    if "orders" not in kept:
        lives = OrderLives(house, party)
        await look_first(lives.begin)
        kept["orders"] = lives
    lives = kept["orders"]
    yield BEGUN
    channels = ("account_records", "account_fills", "account")
    async for channel, data in watch(house.client, party.name, *channels, idle=IDLE, tells_begin=True):
        if not channel:
            if lives.has_open and (updates := await patiently(lives.look)):
                yield updates
            continue
        until = time.monotonic() + PATIENCE
        while True:
            # First whether it is there, then the look: what comes in between is told, too.
            has_all = await patiently(partial(lives.has_seen, channel, data))
            if updates := await patiently(lives.look):
                yield updates
            if has_all or time.monotonic() > until:
                break
            await asyncio.sleep(BEHIND)


class OrderLives:
    """The orders of an account as the history has them, read on: what has become of them since the last look."""

    def __init__(self, house: House, party: Party) -> None:
        self._house = house
        self._name = party.name
        self._last = -1
        self._open: dict[int, str] = {}
        """By number in the history: what was filled of it (lots), as it was told."""

    @property
    def has_open(self) -> bool:
        """Whether any could still trade at the last look."""
        return bool(self._open)

    async def begin(self) -> None:
        """Take what there is for known."""
        await self.look()

    async def look(self) -> list[Json]:
        """What is new, in the order in which it came. What fails changes nothing: the next look has it."""
        client = self._house.client
        fresh = await read_after(client, "orders", self._name, "orders", "order", self._last)
        rows = {int(order["order"]): order for order in fresh}
        if waiting := [number for number in self._open if number not in rows]:
            page = await client.history("orders", self._name, status="open", limit=1000)
            rows |= {int(order["order"]): order for order in page["orders"] if int(order["order"]) in self._open}
            for number in waiting:
                if number not in rows:  # it is open no more
                    page = await client.history("orders", self._name, before=number + 1, limit=1)
                    rows |= {int(order["order"]): order for order in page["orders"] if int(order["order"]) == number}
        if fresh:
            self._last = int(fresh[-1]["order"])
        told = [self._tell(number, rows[number]) for number in sorted(rows)]
        return [update for update in told if update is not None]

    def _tell(self, number: int, order: Json) -> Json | None:
        before, filled = self._open.get(number), str(order["filled"])
        if order["status"] == "open":
            self._open[number] = filled
        else:
            self._open.pop(number, None)
        if order["status"] == "amended" or (order["status"] == "open" and before == filled):
            return None  # the order that it was amended to is told
        return self._house.orders.show_past(order)

    async def has_seen(self, channel: str, data: Json) -> bool:
        """Whether the history has what was told in a channel."""
        client = self._house.client
        if channel in ("account_records", BEGAN):
            return await _has_record(client, int(data["sequence"]))
        if channel == "account_fills":
            page = await client.history("fills", self._name, limit=1)
            return bool(page["fills"]) and int(page["fills"][0]["fill"]) >= int(data["fill"])
        live = {live.order_slot for live in await read_live(client, self._name)}
        page = await client.history("orders", self._name, status="open", limit=1000)
        return live == {int(order["order_slot"]) for order in page["orders"]}
