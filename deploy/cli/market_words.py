"""A market in the words of who trades there: what it is, what it costs now, what an order needs, and what it pays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from setoff.deploy.cli.amounts import Money
from setoff.shared.wire.scales import Step

PPM_A_PERCENT: Final = 10_000


def describe_market(market: Mapping[str, Any], now: int, money: Money) -> list[str]:
    """A market as the exchange shows it; `now`: the exchange's time, unix seconds. The rest is in `--json`."""
    base, quote = market["base"], market["quote"]
    tick, lot = Step.of(str(market["tick_size"])), Step.of(str(market["lot_size"]))
    expiry = int(market["expiry"])
    kind = f"future until {show_time(expiry)}" if expiry else "perpetual"
    rows = [
        ("market", f"{market['symbol']}, number {market['market']}: a {kind} on {base}, priced in {quote}"),
        ("state", describe_state(market)),
        ("tick, lot", f"prices in steps of {tick.show(1)} {quote}, sizes in steps of {lot.show(1)} {base}"),
        ("mark", _or_none(tick, int(market["mark"]), quote, "none yet")),
        ("index", describe_index(market, tick, now)),
        ("best bid, ask", " / ".join(_or_none(tick, int(market[side]), quote) for side in ("best_bid", "best_ask"))),
        ("funding", describe_funding(market)),
        ("margin", describe_tier(market["tiers"][0], "of what a position is worth")),
        *(("", describe_tier(tier, f"of what is beyond {lot.show(int(tier['size']))} {base}"))
          for tier in market["tiers"][1:]),
        ("each order", f"and each position keeps {money.show(int(market['order_margin']))} more of the initial margin"),
        ("fees", f"taker {show_percent(market['taker_fee'])}, maker {show_percent(market['maker_fee'])}"
                 f"{', which is paid to the maker' if int(market['maker_fee']) < 0 else ''}"),
        ("price band", f"a limit may be {show_percent(market['band'])} from the mark, less far where it pays more"),
        ("limits", f"a position of {lot.show(int(market['max_position']))} {base}, "
                   f"of {lot.show(int(market['max_open_interest']))} {base} together; "
                   f"{lot.show(int(market['open_interest']))} {base} are open"),
    ]  # fmt: skip
    return [f"{name:<14} {text}" for name, text in rows]


def describe_state(market: Mapping[str, Any]) -> str:
    """Whether it trades."""
    if market["is_settled"]:
        return "settled: positions were closed at its last price"
    if market["auction"] is not None:
        return f"collects orders for an auction until {show_time(market['auction']['until'])}"
    if int(market["halted_until"]):
        return f"halted until {show_time(int(market['halted_until']))}: orders that only close are taken"
    if not int(market["index"]):
        return "waits for its first price"
    return "open" if market["is_fresh"] else "waits for a fresh price of the oracle"


def describe_index(market: Mapping[str, Any], tick: Step, now: int) -> str:
    """What the oracle has said, and when."""
    if not int(market["index"]):
        return "none yet"
    age = f"of {max(0, now - int(market['index_time']))} s ago; it counts for {market['max_age']} s"
    return f"{_or_none(tick, int(market['index']), market['quote'])}, {age}"


def describe_funding(market: Mapping[str, Any]) -> str:
    """Who pays whom."""
    rate = float(market["funding_rate"])
    if not rate:
        return "nothing now"
    payer, payee = ("long", "short") if rate > 0 else ("short", "long")
    return f"{show_percent(abs(rate))} of the index an hour now, {payer} positions to {payee} ones"


def describe_tier(tier: Mapping[str, Any], of: str) -> str:
    """Margins of one tier."""
    initial, maintenance = show_percent(tier["initial_margin"]), show_percent(tier["maintenance_margin"])
    leverage = 100 * PPM_A_PERCENT / max(int(tier["initial_margin"]), 1)
    return f"initial {initial}, maintenance {maintenance} {of} (leverage {leverage:.4g} at most)"


def show_percent(ppm: float) -> str:
    """Millionths as percent."""
    return f"{float(ppm) / PPM_A_PERCENT:.6g} %"


def show_time(seconds: int) -> str:
    """UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _or_none(tick: Step, ticks: int, quote: str, otherwise: str = "none") -> str:
    return f"{tick.show(ticks)} {quote}" if ticks else otherwise
