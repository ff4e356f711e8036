"""What the setting `feeds` says: which market has which sources.

    BTC-PERP=ccxt:kraken:BTC/USD, BTC-PERP=https://api.kraken.com/0/public/Ticker?pair=XBTUSD#/result/XXBTZUSD/c/0

A market is named by its symbol or its number; each source is of one of the kinds below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.config.limits import is_url
from setoff.shared.config.settings import split
from setoff.shared.errors import ConfigError

CCXT: Final = "ccxt"
FILE: Final = "file"
REPLAY: Final = "replay"
HTTP: Final = ("http", "https")

KINDS: Final[Mapping[str, str]] = {
    "ccxt:EXCHANGE:SYMBOL": "the middle of bid and ask of any exchange that ccxt knows, else its last price",
    "http(s)://…#/POINTER": "JSON at a URL, and in it the price: a JSON pointer (RFC 6901), as #/data/0/price; "
    "#/price@/time has its time, too",
    "file:PATH": "the number in a file, read anew each time",
    "replay:PATH": "lines of `second,price` over and over, by the clock: all who replay a file see one price at a time",
}
"""What a source may be, and what its price is."""


class SourceName(NamedTuple):
    """A source as it is named: `kind` and what comes after that."""

    kind: str
    rest: str

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.kind}:{self.rest}"


def parse_feeds(text: str) -> dict[str, tuple[SourceName, ...]]:
    """The sources of each market. Raises ConfigError with what is wrong with the first entry that is."""
    found: dict[str, tuple[SourceName, ...]] = {}
    for entry in split(text):
        market, equals, named = entry.partition("=")
        market = market.strip().upper()
        if not equals or not market or ":" in market or "/" in market:
            raise ConfigError("bad_config", f"feeds: '{entry}' is not MARKET=SOURCE, as BTC-PERP=file:price.txt")
        source = parse_source(named.strip())
        if source in found.get(market, ()):
            raise ConfigError("bad_config", f"feeds: {market} has {source} twice: that is one opinion, not two")
        found[market] = (*found.get(market, ()), source)
    return found


def parse_source(text: str) -> SourceName:
    """A source. Raises ConfigError if it is of no kind that there is."""
    kind, _, rest = text.partition(":")
    if kind == CCXT:
        exchange, _, symbol = rest.partition(":")
        is_good = exchange.isidentifier() and bool(symbol)
    elif kind in HTTP:
        url, hash_sign, pointer = text.partition("#")
        is_good = is_url(url) and (not hash_sign or not pointer or pointer.startswith("/"))
    else:
        is_good = kind in (FILE, REPLAY) and bool(rest)
    if not is_good:
        raise ConfigError("bad_config", f"feeds: '{text}' is no source: there are {', '.join(KINDS)}")
    return SourceName(kind, rest)


class Feeds:
    """The condition on the setting `feeds`."""

    @property
    def text(self) -> str:
        """As in "must be …"."""
        return "MARKET=SOURCE, several with commas between; in a URL a comma is %2C"

    def holds(self, value: Any) -> bool:
        """Whether it can be read."""
        try:
            parse_feeds(value)
        except ConfigError:
            return False
        return True
