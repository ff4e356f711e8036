"""Places, changes and cancels the orders of one account, and says what became of them as bots read it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.errors import SetoffError
from setoff.shared.gateway.assets import Asset, Universe
from setoff.shared.gateway.order_ids import is_client_id
from setoff.shared.gateway.orders.leverage import Leverages
from setoff.shared.gateway.orders.live import Live, read_live
from setoff.shared.gateway.orders.wanted import Wanted
from setoff.shared.gateway.refusals import CLOID_USED, NO_MATCH, NOT_MODIFIABLE, NOT_THERE, BotError, to_error, to_told
from setoff.shared.sdk import Refusal, SetoffClient, SubmitResult, Unavailable

Json = dict[str, Any]
Clock = Callable[[], Awaitable[int]]

NONCES: Final = frozenset({"nonce_used", "nonce_too_old", "nonce_too_far"})
"""Refusals after which an order is signed once more: another client of the key was quicker. That the first does
not count is the exchange's word alone, so not more than once."""

MOST_UNTOLD: Final = 1000
"""Orders whose end is kept for who repeats them."""


class Desk:
    """The orders of one account or sub-account."""

    def __init__(self, client: SetoffClient, name: str, universe: Universe, leverages: Leverages, clock: Clock) -> None:
        """`clock`: L1's time, unix seconds, as far as it can be believed."""
        self.client = client
        self._clock = clock
        self.name = name
        self.leverages = leverages
        self._universe = universe
        self._slots: dict[int, int] = {}
        self._clients: dict[int, int] = {}
        self._untold: dict[int, tuple[Wanted, bytes | tuple[Json, int]]] = {}
        """Orders of which a bot was told nothing, by client id."""

    # --- placing -----------------------------------------------------------------------------------------------------

    async def place(self, order: Wanted, partner: int | None = None) -> tuple[Json, int]:
        """Send an order; what became of it, and its order slot. Raises BotError, Unavailable if nobody knows.

        One with the cloid of an order that the bot was told nothing of is that order, and is not sent as another.
        """
        untold = await self._find_untold(order)
        if isinstance(untold, tuple):
            return untold
        result = untold or await self._send(order, partner)
        if result.resting or result.is_paused:
            self._note(order.client, result.order_slot)
        return self._tell(order, order.client, result), result.order_slot

    def keep_untold(self, order: Wanted, what: bytes | tuple[Json, int]) -> None:
        """The bot is not told what became of this order: `what` went out, or what `place` has returned of it. It may
        repeat it, by its cloid."""
        if order.cloid and what:
            self._untold[order.client] = order, what
            while len(self._untold) > MOST_UNTOLD:
                del self._untold[next(iter(self._untold))]

    async def _find_untold(self, order: Wanted) -> tuple[Json, int] | SubmitResult | None:
        """What became of the order with this cloid that the bot was told nothing of: its own bytes are sent again, and
        count once. None where there is none, or it was refused. Raises as `place`."""
        if not order.cloid or order.client not in self._untold:
            return None
        before, what = self._untold[order.client]
        if before.terms != order.terms:
            raise BotError(f"{CLOID_USED} asset={order.asset.number}")
        found: tuple[Json, int] | SubmitResult | None = None
        try:
            found = what if isinstance(what, tuple) else await self.client.submit(what)
        except Refusal as error:
            if error.reason in NONCES:  # the exchange keeps no history that tells what the nonce was used for
                raise Unavailable("pending", f"what became of the order with cloid {order.cloid} is unknown") from None
        except SetoffError as error:
            raise to_told(error, order.asset.number) from None
        del self._untold[order.client]
        return found

    async def _send(self, order: Wanted, partner: int | None) -> SubmitResult:
        asset = order.asset
        for is_last in (False, True):
            try:
                return await self.client.place(
                    asset.market,
                    order.side,
                    order.price,
                    order.size,
                    order.flags,
                    trigger=order.trigger,
                    client=order.client,
                    partner=partner,
                )
            except Refusal as error:
                if error.reason in NONCES and not is_last:
                    continue
                raise await self._explain(error, asset) from None
            except SetoffError as error:
                if isinstance(error, Unavailable) and error.reason == "pending":
                    self.keep_untold(order, error.record)
                raise to_told(error, asset.number) from None
        raise AssertionError("the last try has returned or raised")

    async def _explain(self, error: Refusal, asset: Asset) -> BotError:
        """As bots know it; of what would have matched with the best prices, as they want it."""
        told = to_error(error, asset.number)
        if error.reason != "would_cross":
            return told
        try:
            shown = await self.client.market(asset.market)
        except SetoffError:
            return told
        bid, ask = (asset.show_price(int(shown[name])) for name in ("best_bid", "best_ask"))
        return BotError(str(told).replace("bbo was unknown", f"bbo was {bid}@{ask}"))

    def _tell(self, order: Wanted, oid: int, result: SubmitResult) -> Json:
        """The status of an order that was taken. Raises BotError for one that left nothing."""
        about: Json = {"oid": oid} | ({"cloid": order.cloid} if order.cloid else {})
        if result.resting or result.is_paused or order.is_armed:
            return {"resting": about}
        if not result.filled:
            raise BotError(f"{NO_MATCH} asset={order.asset.number}")
        average = show_average(order.asset, [(int(fill["price"]), int(fill["size"])) for fill in result.fills])
        return {"filled": {"totalSz": order.asset.show_size(result.filled), "avgPx": average, **about}}

    async def check_leverage(self, wanted: Sequence[Wanted]) -> list[BotError | None]:
        """Of each order: why the chosen leverage does not allow it, None where it does. Raises BotError."""
        if not self.leverages.is_needed(wanted):
            return [None] * len(wanted)
        try:
            account, markets = await asyncio.gather(self.client.account(self.name), self._universe.markets())
        except SetoffError as error:
            raise to_told(error) from None
        marks = {int(market["market"]): int(market["mark"]) for market in markets}
        return self.leverages.check(self._universe, account, marks, wanted)

    # --- cancelling and changing -------------------------------------------------------------------------------------

    async def cancel(self, asset: Asset, oid: int) -> None:
        """Take back the order of this number. Raises BotError."""
        slot, client = self._slots.get(oid, -1), oid
        if slot < 0:
            live = await self.find(asset, oid)
            slot, client = live.order_slot, live.client
        try:
            await self.client.cancel(slot, client)
        except SetoffError as error:
            raise to_told(error, asset.number) from None
        finally:
            self._forget(oid)

    async def modify(self, oid: int, order: Wanted) -> Json:
        """Give the order of this number a new price and size, or put another in its place. Raises BotError."""
        try:
            live = await self.find(order.asset, oid)
        except BotError:
            raise BotError(f"{NOT_MODIFIABLE} asset={order.asset.number}") from None
        if not can_amend(live, order):
            await self.cancel(order.asset, oid)
            return (await self.place(order))[0]
        try:
            result = await self.client.amend(live.order_slot, order.price, order.size)
        except Refusal as error:
            self._forget(oid)
            raise await self._explain(error, order.asset) from None
        except SetoffError as error:
            raise to_told(error, order.asset.number) from None
        return self._tell(order, oid, result)

    async def find(self, asset: Asset, oid: int) -> Live:
        """The order of this number that can still trade. Raises BotError."""
        try:
            orders = await read_live(self.client, self.name)
        except SetoffError as error:
            raise to_told(error, asset.number) from None
        for live in orders:
            if live.oid == oid and int(live.shown["market"]) == asset.market:
                return live
        raise BotError(f"{NOT_THERE} asset={asset.number}")

    async def schedule_cancel(self, at: int | None) -> None:
        """Dead-man's switch: `at` is in milliseconds, None for never. Raises BotError."""
        try:
            deadline = 0
            if at is not None:
                # Orders die by the exchange's clock, L1's, which may not be this machine's.
                ahead = at - time.time_ns() // 1_000_000
                deadline = await self._clock() + -(-ahead // 1000)
            await self.client.schedule_cancel(deadline)
        except SetoffError as error:
            raise to_told(error) from None

    def _note(self, client: int, slot: int) -> None:
        before = self._clients.get(slot)
        if before is not None:
            self._slots.pop(before, None)
        self._slots[client], self._clients[slot] = slot, client

    def _forget(self, oid: int) -> None:
        slot = self._slots.pop(oid, None)
        if slot is not None and self._clients.get(slot) == oid:
            del self._clients[slot]


def can_amend(live: Live, order: Wanted) -> bool:
    """Whether an order becomes another by a new price and size alone."""
    shown: Mapping[str, Any] = live.shown
    way = "above" if order.flags & records.ABOVE else "below"
    return (
        int(shown["market"]) == order.asset.market
        and shown["side"] == ("buy" if order.side == records.BUY else "sell")
        and shown["flags"] == ("gtc", "ioc", "post_only", "fok")[order.flags & records.TIME_IN_FORCE]
        and bool(shown["reduce_only"]) == bool(order.flags & records.REDUCE_ONLY)
        and (shown["trigger"] or {}) == ({way: order.trigger} if order.is_armed else {})
        and (order.cloid is None or order.client == live.client)
        and is_client_id(live.client)
    )


def show_average(asset: Asset, fills: Sequence[tuple[int, int]]) -> str:
    """The average price of fills (ticks, lots), to the thousandth of a tick."""
    lots = sum(size for _, size in fills)
    value = sum(price * size for price, size in fills)
    finer = asset.scale.tick._replace(places=asset.scale.tick.places + 3)
    return finer.show((2000 * value + lots) // (2 * lots))
