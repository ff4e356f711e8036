"""What the API shows of records, fills and batches.

Amounts are token units, prices ticks, sizes lots, and beside them decimals. Integers that can pass 2^53 are decimal
strings.
"""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import NumberedFill, SealedBatch, SubmitResult
from setoff.shared.codec import records
from setoff.shared.errors import OUTCOMES
from setoff.shared.machine.machine import AUCTION, LIQUIDATION, TRADE, UNWIND
from setoff.shared.wire.api.record_answers import FILL_KINDS, SIDES

MS: Final = 1000
"""Milliseconds in a second: the exchange's time is L1's, in whole seconds."""


def show_fill(scales: Scales, numbered: NumberedFill) -> dict[str, Any]:
    """One trade; `fill` is its gap-free number. The order slots are null on a side that has no order of a trader."""
    fill, scale = numbered.fill, scales[numbered.fill.market]
    has_maker_order_slot = fill.kind in (TRADE, LIQUIDATION, UNWIND, AUCTION)
    return _show_trade(numbered, scale.symbol) | {
        "input_index": numbered.input_index,
        "taker": fill.taker,
        "taker_order_slot": fill.taker_order_slot if fill.kind in (TRADE, AUCTION) else None,
        "maker": fill.maker,
        "maker_order_slot": fill.maker_order_slot if has_maker_order_slot else None,
        "decimal": {"price": scale.tick.show(fill.price), "size": scale.lot.show(fill.size)},
    }


def show_traded(scales: Scales, numbered: NumberedFill) -> dict[str, Any]:
    """The trade alone, for everybody."""
    fill, scale = numbered.fill, scales[numbered.fill.market]
    value = scales.value(fill.market, fill.size, fill.price)
    decimal = {
        "price": scale.tick.show(fill.price),
        "size": scale.lot.show(fill.size),
        "value": scales.tokens.show(value),
    }
    return _show_trade(numbered, scale.symbol) | {"value": str(value), "decimal": decimal}


def _show_trade(numbered: NumberedFill, symbol: str) -> dict[str, Any]:
    fill = numbered.fill
    return {
        "fill": numbered.number,
        "batch": numbered.batch,
        "time": numbered.time,
        "time_ms": numbered.time * MS,
        "kind": FILL_KINDS[fill.kind],
        "market": fill.market,
        "symbol": symbol,
        "side": SIDES[fill.side],
        "price": fill.price,
        "size": str(fill.size),
    }


def show_result(scales: Scales, result: SubmitResult) -> dict[str, Any]:
    """The answer to a record that was taken; for a bulk record also what its legs left in the book, and how many of its
    pages were taken.

    `is_paused`: the machine goes on with it, and this is what came of it so far (see `SubmitResult`).
    `receipts`: the signed receipts for it and its pages.
    """
    kind, account, nonce = records.get_head(result.record)
    shown: dict[str, Any] = {
        "sequence": result.sequence,
        "batch": result.batch,
        "input_index": result.input_index,
        "outcome": OUTCOMES[result.outcome],
        "type": kind,
        "account": account,
        "nonce": str(nonce),
        "resting": str(result.resting),
        "is_paused": result.is_paused,
        "fills": [show_fill(scales, fill) for fill in result.fills],
    }
    if kind == records.BULK:
        shown["leg_pages"] = result.leg_pages
        shown["legs"] = [str(resting) for resting in result.legs]
    if result.signed:
        shown["receipts"] = [signed.to_json() for signed in result.signed]
    return shown


def show_batch(sealed: SealedBatch, posted: bool | None) -> dict[str, Any]:
    """A closed batch: its header, its end, and whether it is on L1 (None: not known)."""
    header = sealed.batch.header
    shown: dict[str, Any] = {
        "batch": header.number,
        "hash": "0x" + header.hash().hex(),
        "parent": "0x" + header.parent.hex(),
        "timestamp": header.timestamp,
        "timestamp_ms": header.timestamp * MS,
        "first_message": header.first_message,
        "message_count": header.message_count,
        "first_record": header.first_record,
        "record_count": header.record_count,
        "module": header.module,
        "data_root": "0x" + header.data_root.hex(),
        "queue_hash": "0x" + header.queue_hash.hex(),
        "end": "0x" + sealed.end.hex(),
    }
    if posted is not None:
        shown["posted"] = posted
    return shown
