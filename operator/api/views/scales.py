"""What markets are called, and what their ticks and lots are in decimals: by the deployment's names and L1's units."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.config.market_names import MarketNames
from setoff.shared.errors import ConfigError
from setoff.shared.state import keys, leaves
from setoff.shared.wire.scales import MarketScale, Step

log = logging.getLogger(__name__)


class Scales:
    """Those of one deployment's markets, as the exchange has them that `get_exchange` gives."""

    def __init__(self, names: MarketNames, get_exchange: Callable[[], Exchange]) -> None:
        self.tokens: Final = Step(1, names.collateral.decimals)
        """A token unit."""
        self.currency: Final = names.collateral.symbol
        self._names = names
        self._get_exchange = get_exchange
        self._exchange: Exchange | None = None  # that is known below
        self._scales: dict[int, MarketScale] = {}
        self._units: dict[int, int] = {}  # token units that one lot is worth at one tick

    def __getitem__(self, market: int) -> MarketScale:
        """Of a listed market."""
        exchange = self._get_exchange()
        if exchange is not self._exchange:
            self._exchange = exchange
            self._scales.clear()
            self._units.clear()
        scale = self._scales.get(market)
        if scale is None:
            exchange.machine.state.commit()
            leaf = leaves.decode_market(exchange.machine.state.tree.get(keys.market_key(market)))
            scale = self._scales[market] = self._make(market, leaf.unit, leaf.expiry)
        return scale

    def take_names(self, names: MarketNames) -> None:
        """Names of markets that had none until now. One that has a name keeps it, for clients have signed by that."""
        if names.collateral != self._names.collateral:
            log.warning(
                "the deployment file calls the collateral otherwise: an operator takes that over when it starts"
            )
        known = {name.market for name in self._names.markets}
        new = tuple(name for name in names.markets if name.market not in known)
        changed = [name.symbol for name in names.markets if name.market in known and name not in self._names.markets]
        if changed:
            log.warning("names that have changed are taken over when the operator starts: %s", ", ".join(changed))
        self._names = replace(self._names, markets=(*self._names.markets, *new))
        for name in new:
            self._scales.pop(name.market, None)
            self._units.pop(name.market, None)
            log.info("market %d is called %s", name.market, name.symbol)

    def value(self, market: int, lots: int, ticks: int) -> int:
        """What so many lots are worth at so many ticks, token units."""
        scale = self[market]
        unit = self._units.get(market)
        if unit is None:
            unit = self._units[market] = int(scale.tick.size * scale.lot.size / scale.tokens.size)
        return lots * ticks * unit

    def find(self, symbol: str, markets: int) -> int:
        """The number of the market called so among the first `markets`, 0 if there is none."""
        for market in range(1, markets + 1):
            if self[market].symbol == symbol.upper():
                return market
        return 0

    def _make(self, market: int, unit: int, expiry: int) -> MarketScale:
        """By its name, or where that cannot be, since its lot makes no decimal of a tick, by the rule's."""
        name, quote = self._names.find(market, expiry), self._names.collateral.symbol
        try:
            return MarketScale.make(name.symbol, name.base, quote, lot=name.lot, unit=unit, tokens=self.tokens)
        except ConfigError as error:
            log.warning("the deployment file's name of market %d is not used: %s", market, error.detail)
            name = MarketNames().find(market, expiry)
            return MarketScale.make(name.symbol, name.base, quote, lot=name.lot, unit=unit, tokens=self.tokens)
