"""The markets of an exchange by their symbols, and between decimals and what is signed: ticks, lots, token units.

An exchange says what its markets are called, and what a tick and a lot of each are. What they are worth together is
L1's (`unit`): where the exchange says otherwise its decimals are not used. `check_names` holds them against a
deployment file, `listed_units.py` against L1 itself, `check_kept` against what the exchange said before.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from setoff.shared.config.market_names import MarketNames, find_made
from setoff.shared.errors import DataError
from setoff.shared.sdk.answers import Refusal
from setoff.shared.wire.near_names import tell_no_market
from setoff.shared.wire.scales import MarketScale, Step

Number = int | Decimal | str
"""A whole number of ticks, lots or token units; or a decimal, of quote per base, base or the collateral's currency."""


class MarketScales:
    """What `GET /v1/info` said of the markets."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        """Raises DataError where ticks and lots are not worth what L1's unit says."""
        self.tokens = Step(1, int(info["collateral"]["decimals"]))
        self.units: dict[int, int] = {}
        self._scales: dict[int, MarketScale] = {}
        self._numbers: dict[str, int] = {}
        for shown in info["markets"]:
            number, symbol, unit = int(shown["market"]), str(shown["symbol"]), int(shown["unit"])
            tick, lot = Step.of(str(shown["tick_size"])), Step.of(str(shown["lot_size"]))
            scale = MarketScale(symbol, shown["base"], shown["quote"], tick, lot, self.tokens)
            if not scale.is_true(unit):
                worth = tick.size * lot.size / self.tokens.size
                raise DataError(
                    "data_mismatch", f"a lot of {symbol} at one tick is worth {unit} token units, not {worth}"
                )
            if number in self._scales or symbol in self._numbers:
                raise DataError("data_mismatch", f"market {number}, {symbol}, is there twice")
            self.units[number], self._scales[number], self._numbers[symbol] = unit, scale, number

    def find(self, market: int | str) -> int:
        """The number of a market. Raises Refusal("not_found")."""
        number = market if isinstance(market, int) else self._numbers.get(market.upper(), 0)
        if number not in self._scales:
            raise Refusal("not_found", tell_no_market(market, [*self._numbers]))
        return number

    def __getitem__(self, market: int | str) -> MarketScale:
        """What a market's ticks and lots are. Raises Refusal("not_found")."""
        return self._scales[self.find(market)]

    def read_price(self, market: int | str, price: Number) -> int:
        """Ticks. Raises InputError("price_out_of_range") with the nearest ones for what lies between two."""
        if isinstance(price, int):
            return price
        return self[market].tick.read(price, "the price", "price_out_of_range")

    def read_size(self, market: int | str, size: Number) -> int:
        """Lots. Raises InputError("size_out_of_range") with the nearest ones for what lies between two."""
        return size if isinstance(size, int) else self[market].lot.read(size, "the size", "size_out_of_range")

    def read_amount(self, amount: Number) -> int:
        """Token units. Raises InputError("amount_out_of_range")."""
        if isinstance(amount, int):
            return amount
        return self.tokens.read(amount, "the amount", "amount_out_of_range")

    def check_names(self, names: MarketNames) -> None:
        """Hold symbols and lots against a deployment file's; a market that it does not name is as the exchange says.

        So is one that the exchange calls as the rule does where there is no name: the file named it after the exchange
        was started. Raises DataError.
        """
        coin = names.collateral
        if self.tokens != Step(1, coin.decimals):
            raise DataError("data_mismatch", f"the deployment file gives {coin.symbol} {coin.decimals} decimals")
        for name in names.markets:
            if self._numbers.get(name.symbol, name.market) != name.market:
                raise DataError("data_mismatch", f"{name.symbol} is market {name.market} by the deployment file")
            scale = self._scales.get(name.market)
            if scale is None or (find_made(scale.symbol) == name.market and scale.lot.size == 1):
                continue
            if (scale.symbol, scale.base, scale.lot.size) != (name.symbol, name.base, Step.of(name.lot).size):
                text = (
                    f"market {name.market} is {name.symbol} by the deployment file, with lots of {name.lot} {name.base}"
                )
                raise DataError("data_mismatch", f"{text}; the exchange says {scale.symbol}, {scale.lot.show(1)}")

    def check_kept(self, before: MarketScales) -> None:
        """Hold them against what was told before: markets may be new, and none may change while a program runs.

        Raises DataError.
        """
        if self.tokens != before.tokens:
            raise DataError("data_mismatch", "the exchange divides its collateral otherwise than before")
        for number, scale in before._scales.items():
            if self._scales.get(number) != scale or self.units[number] != before.units[number]:
                text = f"the exchange describes market {number}, {scale.symbol}, otherwise than before, or not at all"
                raise DataError("data_mismatch", text)
