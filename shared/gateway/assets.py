"""The markets of an exchange as assets: numbered from 0 on, named by coins, with prices and sizes as decimals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.codec.integers import PPM
from setoff.shared.gateway.refusals import BAD_PRICE, BAD_SIZE, BAD_TICK, NO_SIZE, BotError
from setoff.shared.sdk import SetoffClient
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

    def __init__(self, client: SetoffClient) -> None:
        self._client = client
        self._reading = asyncio.Lock()
        self._markets: list[Json] = []
        self._read_at = 0.0
        self.assets: list[Asset] = []
        self.scales: MarketScales
        self.bases: list[str] = []
        """What markets are about."""

    async def load(self) -> None:
        """Read which markets there are. Raises Unavailable, DataError."""
        info = await self._client.info()
        self.bases = list(dict.fromkeys(str(market["base"]) for market in info["markets"]))
        self.scales = await self._client.scales(anew=True)
        shown = sorted(info["markets"], key=lambda market: int(market["market"]))
        self.assets = [self._make(number, market) for number, market in enumerate(shown)]

    def _make(self, number: int, market: Mapping[str, Any]) -> Asset:
        coin = str(market["symbol"]).removesuffix(PERPETUAL)
        leverage = max(PPM // int(market["initial_margin"]), 1)
        return Asset(number, int(market["market"]), coin, self.scales[int(market["market"])], leverage)

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
                if len(found) != len(self.assets):
                    await self.load()
                self._markets = sorted(found, key=lambda market: int(market["market"]))
                self._read_at = time.monotonic()
            return self._markets
