"""An account as bots are shown it: what it is worth, its positions, what it pays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from setoff.shared.codec.integers import PPM
from setoff.shared.gateway.assets import Asset, Json, Universe
from setoff.shared.gateway.orders.leverage import Leverages

LEDGER: Final = ("deposit", "withdrawal", "transfer", "backstop", "insurance", "revenue", "liquidation", "deleverage")
"""Kinds of the ledger's entries that are told as such; fills and funding are told elsewhere, and so is what
deleveraging has moved: here is its levy alone."""
NOTHING: Final = {"accountValue": "0", "totalNtlPos": "0", "totalRawUsd": "0", "totalMarginUsed": "0"}


def show_state(universe: Universe, leverages: Leverages | None, account: Mapping[str, Any]) -> Json:
    """What a margin account is worth, to the unit: `accountValue` is the equity, `totalMarginUsed` the initial margin
    with all orders, `withdrawable` what may leave it now."""
    shown = [position for position in account["positions"] if int(position["size"])]
    equity = int(account["equity"])
    values = [int(position["value"]) for position in shown]
    summary = {
        "accountValue": universe.show_amount(equity),
        "totalNtlPos": universe.show_amount(sum(map(abs, values))),
        "totalRawUsd": universe.show_amount(equity - sum(values)),
        "totalMarginUsed": universe.show_amount(int(account["requirement"])),
    }
    return {
        "marginSummary": summary,
        "crossMarginSummary": dict(summary),
        "crossMaintenanceMarginUsed": universe.show_amount(int(account["maintenance"])),
        "withdrawable": universe.show_amount(int(account["exit"]["now"])),
        "assetPositions": [
            {"type": "oneWay", "position": show_position(universe, leverages, position)} for position in shown
        ],
        "time": _now(),
    }


def show_no_state() -> Json:
    """Of an address that has no account."""
    return {
        "marginSummary": dict(NOTHING),
        "crossMarginSummary": dict(NOTHING),
        "crossMaintenanceMarginUsed": "0",
        "withdrawable": "0",
        "assetPositions": [],
        "time": _now(),
    }


def show_position(universe: Universe, leverages: Leverages | None, position: Mapping[str, Any]) -> Json:
    """A position. Its funding since it was opened is not told apart, and told as nothing."""
    asset = universe.of_market(int(position["market"]))
    value, profit = int(position["value"]), int(position["profit"])
    leverage = asset.leverage if leverages is None else leverages.get(asset)
    margin = -(-abs(value) // leverage)
    price = position["liquidation_price"]
    return {
        "coin": asset.coin,
        "szi": asset.show_size(int(position["size"])),
        "leverage": {"type": "cross", "value": leverage},
        "maxLeverage": asset.leverage,
        "entryPx": position["entry_price"],
        "positionValue": universe.show_amount(abs(value)),
        "unrealizedPnl": universe.show_amount(profit),
        "returnOnEquity": show_part(Fraction(profit, margin) if margin else Fraction(0)),
        "liquidationPx": None if price is None else asset.show_price(int(price)),
        "marginUsed": universe.show_amount(margin),
        "cumFunding": {"allTime": "0", "sinceOpen": "0", "sinceChange": "0"},
    }


def show_fees(markets: list[Json], account: Mapping[str, Any] | None) -> Json:
    """The rates of the first market, less what the account's activity saves. Here every market has its own."""
    taker, maker = (Fraction(int(markets[0][name]), PPM) for name in ("taker_fee", "maker_fee"))
    own_taker, own_maker = taker, maker
    if account is not None:
        own_taker -= Fraction(int(account["taker_saving"]), PPM)
        own_maker -= Fraction(int(account["maker_saving"]), PPM)
    return {
        "dailyUserVlm": [],
        "feeSchedule": {
            "cross": show_part(taker),
            "add": show_part(maker),
            "spotCross": "0",
            "spotAdd": "0",
            "tiers": {"vip": [], "mm": []},
            "referralDiscount": "0",
        },
        "userCrossRate": show_part(own_taker),
        "userAddRate": show_part(own_maker),
        "activeReferralDiscount": "0",
    }


def show_entry(universe: Universe, entry: Mapping[str, Any]) -> Json | None:
    """An entry of the ledger that is neither a fill nor funding, None for those."""
    kind, amount = entry["kind"], int(entry["amount"])
    if kind not in LEDGER or (kind == "deleverage" and entry["about"] is not None):
        return None
    shown = universe.show_amount(abs(amount))
    delta: Json
    if kind == "deposit":
        delta = {"type": "deposit", "usdc": shown}
    elif kind == "withdrawal":
        delta = {"type": "withdraw", "usdc": shown, "nonce": int(entry["about"] or 0), "fee": "0"}
    elif kind == "transfer":
        delta = {"type": "internalTransfer", "usdc": universe.show_amount(amount), "fee": "0"}
    else:
        delta = {"type": kind, "usdc": universe.show_amount(amount)}
    return {"time": int(entry["time_ms"]), "hash": f"0x{int(entry['entry']):064x}", "delta": delta}


def show_asset_data(
    universe: Universe, leverages: Leverages | None, asset: Asset, account: Mapping[str, Any], mark: int, user: str
) -> Json:
    """What an account could trade of an asset: its free collateral at the leverage of the market."""
    leverage = asset.leverage if leverages is None else leverages.get(asset)
    free = max(int(account["free"]), 0)
    worth = mark * universe.scales.units[asset.market]
    lots = free * leverage // worth if worth else 0
    return {
        "user": user,
        "coin": asset.coin,
        "leverage": {"type": "cross", "value": leverage},
        "maxTradeSzs": [asset.show_size(lots)] * 2,
        "availableToTrade": [universe.show_amount(free)] * 2,
        "markPx": asset.show_price(mark),
    }


def show_part(part: Fraction) -> str:
    """A part of one, to ten places."""
    scaled = round(part * 10**10)
    text = f"{abs(scaled) // 10**10}.{abs(scaled) % 10**10:010d}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _now() -> int:
    return time.time_ns() // 1_000_000
