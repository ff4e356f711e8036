"""The checks that ccxt ships for its unified methods: which pass against a gateway, which do not, and why.

The table of the gateway's page is made of this (`format_shipped`), and tests hold it.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tests.support.gateways.ccxt_bot import SYMBOL

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
SYNC: Final = "ccxt.test.exchange.sync"
PRO: Final = "ccxt.pro.test.Exchange"
_ARGUMENTS: Final = {"symbol": SYMBOL, "code": "USDC"}
"""What a check is called with, by the names of its parameters."""


class Shipped(NamedTuple):
    """A check that passes. `without`: the members that it is told not to look at, as ccxt's own runs tell it for one
    exchange or another, each needed, with spaces between. `has`: what the bot is told that the exchange has. `why`."""

    module: str
    without: str = ""
    why: str = ""
    has: Mapping[str, bool] = NOTHING
    code: str = ""
    """What it is called with where that is no symbol of a market, though its parameter is named so."""
    package: str = SYNC


class Failing(NamedTuple):
    """One that cannot pass, what it says then, and why."""

    module: str
    says: str
    why: str
    package: str = SYNC


_CLASS: Final = "its class leaves them out, whatever is answered"
_POSITIONS: Final = "Hyperliquid's positions have no time"
SHIPPED: Final = (
    Shipped("after_construct"),
    Shipped("features"),
    Shipped(
        "load_markets",
        "currencyIdAndCode",
        "its class numbers coins otherwise than markets, as ccxt's own runs know; told that nothing is spot",
        has={"spot": False},
    ),
    Shipped(
        "fetch_currencies",
        "networks deposit withdraw amountOfCurrencies activeMajorCurrencies",
        "its class leaves them out; there are as many currencies as there are coins, and none is moved by a bot",
    ),
    Shipped("fetch_status"),
    Shipped("fetch_ticker"),
    Shipped("fetch_tickers"),
    Shipped("fetch_order_book"),
    Shipped("fetch_l2_order_book"),
    Shipped("fetch_ohlcv"),
    Shipped("fetch_trades"),
    Shipped("fetch_funding_rate_history"),
    Shipped("fetch_balance"),
    Shipped("fetch_positions", "timestamp datetime", _POSITIONS),
    Shipped("fetch_orders", "timeInForce", "it has no word for a post-only order's, Alo"),
    Shipped("fetch_open_orders"),
    Shipped("fetch_closed_orders"),
    Shipped("fetch_my_trades"),
    Shipped("fetch_my_liquidations", code=SYMBOL),
    Shipped("fetch_trading_fee"),
    Shipped("fetch_ledger", "currency account status before after fee direction type", _CLASS),
    Shipped("fetch_deposits", "id network type currency status updated fee", _CLASS),
    Shipped("fetch_withdrawals"),
)
WATCHING: Final = (
    Shipped("watch_balance", package=PRO),
    Shipped("watch_my_trades", package=PRO),
    Shipped("watch_ohlcv", package=PRO),
    Shipped("watch_order_book", package=PRO),
    Shipped("watch_orders", package=PRO),
    Shipped("watch_positions", "timestamp datetime", _POSITIONS, package=PRO),
    Shipped("watch_ticker", package=PRO),
    Shipped("watch_tickers", package=PRO),
    Shipped("watch_trades", package=PRO),
)
FAILING: Final = (
    Failing("fetch_markets", "must return a dict", "wants a dictionary where its class returns a list"),
    Failing("create_order", "'BTC'", "wants a balance of the base and a least amount, which its class has of no swap"),
)
UNTRIED: Final = {
    f"{SYNC}.test_proxies": "asks proxies of ccxt's own on the internet, no exchange",
    f"{PRO}.test_un_watch_positions": "turns to Hyperliquid's own test network first",
}
"""What is not run, by the whole name of its module, and why."""
_METHODS: Final = {"fetch_deposit_withdrawals": "fetchDepositsWithdrawals"}
"""What a check is about, where that is not its own name in other letters."""


def run_check(check: Shipped | Failing, exchange: Any, without: str = "") -> Any:
    """Run it, or return what is to be awaited. Raises whatever it does."""
    run = getattr(importlib.import_module(f"{check.package}.test_{check.module}"), f"test_{check.module}")
    code = check.code if isinstance(check, Shipped) else ""
    named = list(inspect.signature(run).parameters)[2:]
    return run(exchange, dict.fromkeys(without.split(), ""), *[code or _ARGUMENTS[name] for name in named])


def find_shipped(package: str) -> set[str]:
    """The modules of all checks there."""
    folder = Path(str(importlib.import_module(package).__path__[0]))
    return {file.stem.removeprefix("test_") for file in folder.glob("test_*.py")}


def is_of_class(module: str, has: Mapping[str, Any]) -> bool:
    """Whether a check is about a method that the class says it has, or about none."""
    words = re.sub("ohlcv", "OHLCV", module)
    method = _METHODS.get(module, re.sub("_(.)", lambda found: found[1].upper(), words))
    return bool(has.get(method, True))


def format_shipped() -> str:
    """The table of the gateway's page."""
    lines = ["| ccxt's own check | | |", "|---|---|---|"]
    for check in (*SHIPPED, *WATCHING):
        kind = " (pro)" if check.package == PRO else ""
        members = ", ".join(f"`{member}`" for member in check.without.split())
        told = f"without {members}: {check.why}" if members else check.why
        lines.append(f"| `test_{check.module}` | passes{', in part' if members else ''}{kind} | {told} |")
    lines += [f"| `test_{check.module}` | does not pass | {check.why} |" for check in FAILING]
    for name, why in UNTRIED.items():
        kind = " (pro)" if name.startswith(PRO) else ""
        lines.append(f"| `{name.rpartition('.')[2]}` | not run{kind} | {why} |")
    return "\n".join(line.replace("|  |", "| |") for line in lines)
