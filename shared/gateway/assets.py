"""The markets of an exchange as assets: numbered from 0 on, named by coins, with prices and sizes as decimals."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.codec.integers import PPM
from setoff.shared.errors import DataError
from setoff.shared.gateway.refusals import BAD_PRICE, BAD_SIZE, BAD_TICK, NO_SIZE, BotError
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.sdk import SetoffClient
from setoff.shared.sdk.bounded_answers import reading
from setoff.shared.sdk.market_scales import MarketScales
from setoff.shared.state import keys
from setoff.shared.wire.scales import MarketScale, Step

PERPETUAL: Final = "-PERP"
"""What the symbols of perpetuals end with, and their coins do not."""
COLLATERAL: Final = "USDC"
"""What bots call the collateral, whatever it is: libraries know no other name."""
FRESH: Final = 0.4
"""Seconds for which what was read of the markets is shown again."""

Json = dict[str, Any]
Check = Callable[[MarketScales], Awaitable[None]]
_log = logging.getLogger(__name__)


class Asset(NamedTuple):
    """A market as bots know it; `coin` is its name, `number` what orders call it, `market` our number of it."""

    number: int
    market: int
    coin: str
    scale: MarketScale
    leverage: int
    """At most: what the initial margin of a small position comes to, rounded down."""

    def show_price(self, ticks: int) -> str:
        """Ticks as a decimal."""
        return self.scale.tick.show(ticks)

    def show_size(self, lots: int) -> str:
        """Lots as a decimal."""
        return self.scale.lot.show(lots)

    def show_middle(self, bid: int, ask: int) -> str:
        """The middle of two prices, ticks, exactly."""
        return self.scale.tick._replace(mantissa=5 * self.scale.tick.mantissa, places=self.scale.tick.places + 1).show(
            bid + ask
        )

    def read_price(self, text: object) -> int:
        """Ticks of a decimal. Raises BotError for one that is no whole number of them, or out of range."""
        ticks = self._read(self.scale.tick, text, BAD_TICK)
        if not 1 <= ticks <= keys.MAX_TICK:
            raise BotError(f"{BAD_PRICE} asset={self.number}")
        return ticks

    def read_size(self, text: object) -> int:
        """Lots of a decimal. Raises BotError for one that is no whole number of them, or not above 0."""
        lots = self._read(self.scale.lot, text, BAD_SIZE)
        if lots < 1:
            raise BotError(f"{NO_SIZE if lots == 0 else BAD_SIZE} asset={self.number}")
        return lots

    def _read(self, step: Step, text: object, refusal: str) -> int:
        if not isinstance(text, str):
            raise BotError(f"{refusal} asset={self.number} (a decimal number is a text here)")
        try:
            return step.read(text, "it", "price_out_of_range")
        except Exception as error:
            raise BotError(f"{refusal} asset={self.number} ({getattr(error, 'detail', '')})") from None


class Universe:
    """The assets of an exchange, read anew where one is asked for that was not there, and their markets as they are."""

    def __init__(self, client: SetoffClient, check: Check | None = None) -> None:
        """`check`: of the scales of new markets, before they are used; it raises DataError."""
        self._client = client
        self._check = check
        self._reading = asyncio.Lock()
        self._markets: list[Json] = []
        self._read_at = LONG_AGO
        self.assets: list[Asset] = []
        self.scales: MarketScales
        self.bases: list[str] = []
        """What markets are about."""

    async def load(self) -> None:
        """Read which markets there are. New ones come behind those that are known, which keep numbers and scales.

        Raises Unavailable, and DataError where the exchange describes a known one otherwise than before: nothing of it
        is taken over.
        """
        info = await self._client.info()
        try:
            scales = self._client.take_scales(info)
            if self._check is not None and len(scales.units) != len(self.assets):
                await self._check(scales)
        except DataError as error:
            _log.error("what the exchange says of its markets is not used: %s", error)
            raise
        with reading("what the exchange says of its markets"):
            shown = {int(market["market"]): market for market in info["markets"]}
            known = [asset.market for asset in self.assets]
            markets = known + sorted(shown.keys() - set(known))
            assets = [_make(number, shown[market], scales) for number, market in enumerate(markets)]
            bases = list(dict.fromkeys(str(shown[market]["base"]) for market in markets))
        self.assets, self.scales, self.bases = assets, scales, bases

    async def find(self, coin: object) -> Asset:
        """The asset of a coin. Raises BotError."""
        for _ in range(2):
            for asset in self.assets:
                if asset.coin == coin:
                    return asset
            await self.load()
        raise BotError(f"Unknown coin {coin}: there are {', '.join(asset.coin for asset in self.assets)}")

    async def at(self, number: object) -> Asset:
        """The asset of a number. Raises BotError."""
        for _ in range(2):
            if isinstance(number, int) and 0 <= number < len(self.assets):
                return self.assets[number]
            await self.load()
        raise BotError(f"Unknown asset {number}: there are {len(self.assets)}")

    def of_market(self, market: int) -> Asset:
        """The asset of one of our markets, which is known."""
        return next(asset for asset in self.assets if asset.market == market)

    def show_amount(self, units: int) -> str:
        """Token units as a decimal of the currency."""
        return self.scales.tokens.show(units)

    async def markets(self) -> list[Json]:
        """All markets as they are, in the order of the assets; at most FRESH old."""
        async with self._reading:
            if time.monotonic() >= self._read_at + FRESH:
                found = await self._client.markets()
                with reading("what the exchange says of its markets"):
                    shown = {int(market["market"]): market for market in found}
                if shown.keys() != {asset.market for asset in self.assets}:
                    await self.load()
                with reading("what the exchange says of its markets"):
                    self._markets = [shown[asset.market] for asset in self.assets]
                self._read_at = time.monotonic()
            return self._markets


def _make(number: int, market: Mapping[str, Any], scales: MarketScales) -> Asset:
    coin = str(market["symbol"]).removesuffix(PERPETUAL)
    leverage = max(PPM // int(market["initial_margin"]), 1)
    return Asset(number, int(market["market"]), coin, scales[int(market["market"])], leverage)
