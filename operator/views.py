"""What the API shows, as JSON: accounts, orders, books, markets, batches, receipts.

Amounts are token units, prices ticks, sizes lots. Integers that can pass 2^53 are decimal strings. Views read the state
tree, so they never disturb the leaves the rules work on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from setoff.operator.exchange import Exchange, NumberedFill, Receipt, SealedBatch
from setoff.shared.codec import records
from setoff.shared.errors import OUTCOMES
from setoff.shared.rules.margin import compute_health
from setoff.shared.state import keys, leaves
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

SIDES: Final = ("buy", "sell")
FLAGS: Final = ("gtc", "ioc", "post_only")


def get_tree(exchange: Exchange) -> Tree:
    """The state as it is now."""
    exchange.machine.state.commit()
    return exchange.machine.state.tree


def show_fill(numbered: NumberedFill) -> dict[str, Any]:
    """One trade; `fill` is its gap-free number."""
    fill = numbered.fill
    return {
        "fill": numbered.number,
        "batch": numbered.batch,
        "slot": numbered.slot,
        "time": numbered.time,
        "market": fill.market,
        "side": SIDES[fill.side],
        "price": fill.price,
        "size": str(fill.size),
        "taker": fill.taker,
        "taker_slot": fill.taker_place,
        "maker": fill.maker,
        "maker_slot": fill.maker_place,
    }


def show_receipt(receipt: Receipt) -> dict[str, Any]:
    """The answer to an accepted record."""
    kind, account, nonce = records.get_head(receipt.record)
    return {
        "sequence": receipt.sequence,
        "batch": receipt.batch,
        "slot": receipt.slot,
        "outcome": OUTCOMES[0],
        "type": kind,
        "account": account,
        "nonce": str(nonce),
        "resting": str(receipt.resting),
        "fills": [show_fill(fill) for fill in receipt.fills],
    }


def show_account(exchange: Exchange, account: int) -> dict[str, Any]:
    """Money, health, positions and the next nonce of an account that exists."""
    tree = get_tree(exchange)
    leaf = leaves.decode_account(tree.get(keys.account_key(account)))
    equity, requirement = compute_health(State(tree), leaf)
    return {
        "account": account,
        "owner": "0x" + leaf.owner.hex(),
        "collateral": str(leaf.collateral),
        "equity": str(equity),
        "requirement": str(requirement),
        "free": str(equity - requirement),
        "next_nonce": str(leaf.nonce_top + 1),
        "nonce_top": str(leaf.nonce_top),
        "nonce_bitmap": hex(leaf.nonce_bitmap),
        "positions": [
            {
                "market": position.market,
                "size": str(position.size),
                "cost": str(position.cost),
                "bids": str(position.bids),
                "asks": str(position.asks),
            }
            for position in leaf.positions
            if position.market
        ],
        "orders": show_orders(tree, account),
    }


def show_orders(tree: Tree, account: int) -> list[dict[str, Any]]:
    """The account's open orders, by slot."""
    found: list[dict[str, Any]] = []
    for slot in range(keys.MAX_SLOT + 1):
        value = tree.get(keys.order_key(keys.order_handle(account, slot)))
        if value:
            order = leaves.decode_order(value)
            found.append(
                {
                    "slot": slot,
                    "market": order.market,
                    "side": SIDES[order.side],
                    "flags": FLAGS[order.flags],
                    "price": order.price,
                    "size": str(order.size),
                    "sequence": order.sequence,
                    "nonce": str(order.nonce),
                }
            )
    return found


def show_market(tree: Tree, market: int) -> dict[str, Any]:
    """Parameters and prices of a listed market."""
    leaf = leaves.decode_market(tree.get(keys.market_key(market)))
    return {
        "market": market,
        "unit": str(leaf.unit),
        "initial_margin": leaf.initial_margin,
        "maintenance_margin": leaf.maintenance_margin,
        "taker_fee": leaf.taker_fee,
        "maker_fee": leaf.maker_fee,
        "band": leaf.band,
        "best_bid": leaf.best_bid,
        "best_ask": leaf.best_ask,
        "mark": leaf.mark,
        "index": leaf.index,
        "index_time": leaf.index_time,
        "open_interest": str(leaf.open_interest),
        "fees": str(leaf.fees),
    }


def show_book(tree: Tree, market: int, depth: int) -> dict[str, Any]:
    """The best `depth` levels of both sides, best first."""
    return {
        "market": market,
        "bids": list(_levels(tree, market, records.BUY, depth)),
        "asks": list(_levels(tree, market, records.SELL, depth)),
    }


def show_batch(sealed: SealedBatch, posted: bool | None) -> dict[str, Any]:
    """A closed batch: its header, its end, and whether it is on L1 (None: not known)."""
    header = sealed.batch.header
    shown: dict[str, Any] = {
        "batch": header.number,
        "hash": "0x" + header.hash().hex(),
        "parent": "0x" + header.parent.hex(),
        "timestamp": header.timestamp,
        "first_message": header.first_message,
        "message_count": header.message_count,
        "record_count": header.record_count,
        "data_root": "0x" + header.data_root.hex(),
        "messages": "0x" + header.messages.hex(),
        "end": "0x" + sealed.end.hex(),
    }
    if posted is not None:
        shown["posted"] = posted
    return shown


def _levels(tree: Tree, market: int, side: int, depth: int) -> Iterator[dict[str, Any]]:
    for tick in _ticks(tree, market, side):
        if depth <= 0:
            return
        depth -= 1
        level = leaves.decode_level(tree.get(keys.level_key(market, side, tick)))
        yield {"price": tick, "size": str(level.size), "orders": level.count}


def _ticks(tree: Tree, market: int, side: int, depth: int = 0, prefix: int = 0) -> Iterator[int]:
    """Ticks with orders, best first: a walk over the bitmap words."""
    shift = 16 - 8 * depth
    word = leaves.decode_bitmap(tree.get(keys.bitmap_key(market, side, depth, prefix))).word
    while word:
        bit = word.bit_length() - 1 if side == records.BUY else (word & -word).bit_length() - 1
        word ^= 1 << bit
        tick = prefix | bit << shift
        if depth == 2:
            yield tick
        else:
            yield from _ticks(tree, market, side, depth + 1, tick)
