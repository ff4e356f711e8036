"""Quotes on both sides of a market, replaced together: one signature for all that goes and all that comes.

quoter = Quoter(client, "BTC-PERP")
await quoter.replace(bids=[(Decimal(77990), Decimal("0.01"))], asks=[(Decimal(78010), Decimal("0.01"))])
await quoter.pull()
"""

from __future__ import annotations

from collections.abc import Sequence

from setoff.shared.codec.records import CANCEL_LEG, POST_ONLY, SELL_LEG, Leg
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.market_scales import Number
from setoff.shared.sdk.submission import SubmitResult

Quote = tuple[Number, Number]
"""Price and size: Decimal or text in decimals, whole numbers in ticks and lots."""


class Quoter:
    """The quotes of one client in one market, in order slots of their own."""

    def __init__(self, client: SetoffClient, market: int | str, flags: int = POST_ONLY) -> None:
        """`flags` of the orders; as they are, none of them trades when it comes in."""
        self._client = client
        self._market = market
        self._flags = flags
        self._slots: list[int] = []

    @property
    def order_slots(self) -> tuple[int, ...]:
        """Those that it uses."""
        return tuple(self._slots)

    async def replace(self, bids: Sequence[Quote], asks: Sequence[Quote]) -> SubmitResult:
        """Take the last quotes back, and put these in their place; what cannot be taken is passed over, and is 0 in the
        result's `legs`, which begin with those taken back.

        Raises InputError, Refusal, or Unavailable but "pending"; then the last ones stand. After Unavailable("pending")
        either do: to replace them again, or to `pull`, is right in any case, for what is sent begins with taking back
        whatever is in these order slots, so that no quote stands twice.
        """
        await self._client.load()
        market, scales = await self._client.find_market(self._market), await self._client.scales()
        wanted = [(0, *quote) for quote in bids] + [(SELL_LEG, *quote) for quote in asks]
        while len(self._slots) < len(wanted):
            self._slots.append(await self._client.take_order_slot())
        legs = [Leg(CANCEL_LEG, market, slot) for slot in self._slots]
        for slot, (side, price, size) in zip(self._slots, wanted, strict=False):
            ticks, lots = scales.read_price(market, price), scales.read_size(market, size)
            legs.append(Leg(side | self._flags, market, slot, ticks, lots))
        return await self._client.bulk(legs)

    async def pull(self) -> SubmitResult | None:
        """Take all of them back; None if there never were any."""
        market = await self._client.find_market(self._market)
        return await self._client.bulk([Leg(CANCEL_LEG, market, slot) for slot in self._slots]) if self._slots else None
