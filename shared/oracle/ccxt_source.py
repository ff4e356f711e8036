"""The price of a market at any exchange that ccxt knows, by name. ccxt is an extra: `pip install setoff[oracle]`."""

from __future__ import annotations

import importlib
from typing import Any, Final

from setoff.shared.errors import ConfigError
from setoff.shared.oracle.aggregate import read_price
from setoff.shared.oracle.source import Quote

MILLISECONDS: Final = 1000


class CcxtSource:
    """The middle of bid and ask of `EXCHANGE:SYMBOL`, as kraken:BTC/USD; where one is missing the last price."""

    def __init__(self, name: str, timeout: float) -> None:
        """Raises ConfigError where ccxt is not installed, or knows no such exchange."""
        exchange, _, self._symbol = name.partition(":")
        try:
            ccxt = importlib.import_module("ccxt.async_support")
        except ImportError:
            raise ConfigError("bad_config", f"feeds: ccxt:{name} needs ccxt: pip install 'setoff[oracle]'") from None
        if exchange not in ccxt.exchanges:
            raise ConfigError("bad_config", f"feeds: ccxt knows no exchange '{exchange}'")
        self._exchange = getattr(ccxt, exchange)({"timeout": int(timeout * MILLISECONDS), "enableRateLimit": True})

    async def ask(self) -> Quote:
        """See `Source`. Raises what ccxt raises.

        ccxt asks for an exchange's markets once and keeps what came, nothing after half an answer: as long as the
        symbol is not among them, they are asked for again.
        """
        if not self._is_known():
            await self._exchange.load_markets(True)
        return read_ticker(await self._exchange.fetch_ticker(self._symbol), self._symbol)

    def _is_known(self) -> bool:
        try:
            self._exchange.market(self._symbol)
        except Exception:  # of whichever kind: there are none yet, or not this one
            return False
        return True

    async def close(self) -> None:
        """Close its connections."""
        await self._exchange.close()


def read_ticker(ticker: dict[str, Any], symbol: str | None = None) -> Quote:
    """The price in ccxt's unified ticker, with its time where there is one.

    Raises ValueError where there is none, for a book that is upside down, and for the ticker of another `symbol`.
    """
    if symbol is not None and ticker.get("symbol") not in (None, symbol):
        raise ValueError(f"the answer is about {str(ticker['symbol'])[:40]}")
    bid, ask, at = ticker.get("bid"), ticker.get("ask"), ticker.get("timestamp")
    if bid and ask:
        low, high = read_price(bid), read_price(ask)
        if low > high:
            raise ValueError(f"its bid, {bid}, is above its ask, {ask}")
        price = (low + high) / 2
    else:
        price = read_price(ticker.get("last"))
    return Quote(price, float(read_price(at)) / MILLISECONDS if at else None)
