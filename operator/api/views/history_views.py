"""What the API shows of the history: rows of its tables, with names and decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from setoff.operator.api.views.market_views import get_tree
from setoff.operator.api.views.record_views import MS
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.errors import OUTCOMES
from setoff.shared.machine.machine import AUCTION, LIQUIDATION, TRADE, UNWIND
from setoff.shared.state.store import State
from setoff.shared.wire.api import history_answers as answers
from setoff.shared.wire.api.decimals import Scaled
from setoff.shared.wire.api.record_answers import FILL_KINDS, FLAGS, SIDES
from setoff.shared.wire.api.record_answers import Fill as FillAnswer

Row = dict[str, Any]

STAGES: Final = ("posted", "claimed", "confirmed")
"""Of a batch on L1, one after the other."""

_TRADE: Final = Scaled(answers.Trade)
_FILL: Final = Scaled(FillAnswer)
_ACCOUNT_FILL: Final = Scaled(answers.AccountFill)
_ORDER: Final = Scaled(answers.PastOrder)
_CANDLE: Final = Scaled(answers.Candle)
_PRICE: Final = Scaled(answers.Price)
_ENTRY: Final = Scaled(answers.LedgerEntry)


def show_trade(scales: Scales, row: Row) -> Row:
    """For everybody."""
    scale = scales[row["market"]]
    shown = {name: row[name] for name in ("fill", "batch", "time", "market", "price", "value")}
    shown |= {"time_ms": row["time"] * MS, "kind": FILL_KINDS[row["kind"]], "symbol": scale.symbol}
    shown |= {"side": SIDES[row["side"]], "size": str(row["size"])}
    return shown | {"decimal": _TRADE.show(shown, scale)}


def show_past_fill(scales: Scales, row: Row) -> Row:
    """As `show_fill` shows it, but for the order slots, which nobody can name any more."""
    scale = scales[row["market"]]
    shown = {name: row[name] for name in ("fill", "batch", "input_index", "time", "market", "price", "taker", "maker")}
    shown |= {"time_ms": row["time"] * MS, "kind": FILL_KINDS[row["kind"]], "symbol": scale.symbol}
    shown |= {"side": SIDES[row["side"]], "size": str(row["size"])}
    shown |= {"taker_order_slot": None, "maker_order_slot": None}
    return shown | {"decimal": _FILL.show(shown, scale)}


def show_account_fill(scales: Scales, account: int, row: Row) -> Row:
    """For one of its accounts."""
    is_taker = row["taker"] == account
    shown = show_past_fill(scales, row)
    own = row["own"]
    if own is not None:
        has_slot = (TRADE, AUCTION) if is_taker else (TRADE, LIQUIDATION, UNWIND, AUCTION)
        if row["kind"] in has_slot:
            shown["taker_order_slot" if is_taker else "maker_order_slot"] = own["order_slot"]
    shown |= {
        "account": account,
        "is_taker": is_taker,
        "order": own and own["id"],
        "record": own and own["record"],
        "client": own["client"] if own else "0",
        "value": row["value"],
        "fee": row["taker_fee"] if is_taker else row["maker_fee"],
    }
    return shown | {"decimal": _ACCOUNT_FILL.show(shown, scales[row["market"]])}


def end_by_time(exchange: Exchange, row: Row) -> Row:
    """An order of the history, as expired once its time or its account's dead-man's switch has come: the machine takes
    such an order out when it meets it, and so the history has it open until then."""
    if row["status"] != "open":
        return row
    time = exchange.machine.regs.time
    deadline = State(get_tree(exchange)).account(row["account"]).deadline
    ends = [at for at in (row["expiry"], deadline) if 0 < at <= time]
    return row | {"status": "expired", "closed_time": min(ends)} if ends else row


def show_past_order(scales: Scales, row: Row) -> Row:
    """An order of the history."""
    scale = scales[row["market"]]
    names = ("record", "batch", "input_index", "time", "account", "order_slot", "market", "price", "expiry", "client")
    shown = {"order": row["id"]} | {name: row[name] for name in names}
    shown |= {
        "time_ms": row["time"] * MS,
        "symbol": scale.symbol,
        "side": SIDES[row["side"]],
        "flags": FLAGS[row["flags"] & records.TIME_IN_FORCE],
        "reduce_only": bool(row["flags"] & records.REDUCE_ONLY),
        "size": str(row["size"]),
        "filled": str(row["filled"]),
        "trigger_price": row["trigger"] or None,
        "replaces": row["replaces"],
        "status": row["status"],
        "reason": row["reason"],
        "closed_time": row["closed_time"],
    }
    return shown | {"decimal": _ORDER.show(shown, scale)}


def show_candle(scales: Scales, row: Row) -> Row:
    """A candle."""
    shown = {name: row[name] for name in ("start", "open", "high", "low", "close", "value", "trades")}
    shown |= {"start_ms": row["start"] * MS, "volume": str(row["volume"])}
    return shown | {"decimal": _CANDLE.show(shown, scales[row["market"]])}


def show_price(scales: Scales, row: Row) -> Row:
    """Index and mark."""
    shown = {"time": row["time"], "time_ms": row["time"] * MS, "index": row["index_price"], "mark": row["mark"]}
    return shown | {"decimal": _PRICE.show(shown, scales[row["market"]])}


def show_rate(row: Row) -> Row:
    """A funding rate."""
    return {"time": row["time"], "time_ms": row["time"] * MS, "rate": row["rate"], "paid": row["paid"]}


def show_entry(scales: Scales, row: Row) -> Row:
    """An entry of a ledger."""
    names = ("batch", "input_index", "time", "account", "kind", "amount", "market", "peer", "about")
    shown = {"entry": row["id"], "time_ms": row["time"] * MS} | {name: row[name] for name in names}
    return shown | {"decimal": _ENTRY.show_tokens(shown, scales.tokens)}


def show_past_record(row: Row, closed: int, landings: Mapping[str, Row]) -> Row:
    """A record; batches below `closed` are closed, and `landings` are what L1 has of its own."""
    names = ("sequence", "batch", "input_index", "time", "type", "account", "nonce", "agent", "hash")
    shown = {name: row[name] for name in names}
    stage = _find_stage(landings) or ("closed" if row["batch"] < closed else "executed")
    return shown | {"time_ms": row["time"] * MS, "outcome": OUTCOMES[row["outcome"]], "stage": stage}


def show_past_batch(row: Row, epoch: int, landings: Mapping[str, Row]) -> Row:
    """A closed batch."""
    names = ("batch", "time", "first_record", "records", "first_message", "messages", "end")
    shown = {name: row[name] for name in names}
    shown |= {"time_ms": row["time"] * MS, "epoch": epoch, "stage": _find_stage(landings) or "closed"}
    return shown | {stage: _show_landing(landings.get(stage)) for stage in STAGES}


def _find_stage(landings: Mapping[str, Row]) -> str | None:
    """The last one that there is."""
    return next((stage for stage in reversed(STAGES) if stage in landings), None)


def _show_landing(row: Row | None) -> Row | None:
    return None if row is None else {"transaction": row["transaction"], "block": row["block"]}
