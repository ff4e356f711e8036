"""What the API shows, as JSON: accounts, orders, books, markets, batches, receipts.

Amounts are token units, prices ticks, sizes lots. Integers that can pass 2^53 are decimal strings. Views read the state
tree, so they never disturb the leaves the rules work on.
"""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.auctions import show_auction, show_auctions
from setoff.operator.api.book import BookReader
from setoff.operator.sequencer.exchange import Exchange, NumberedFill, SealedBatch, SubmitResult
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import Field, fields_of
from setoff.shared.codec.records import ExchangeTerms, MarketParameters
from setoff.shared.errors import OUTCOMES
from setoff.shared.machine.exits import Exit, compute_exit
from setoff.shared.machine.machine import AUCTION, LIQUIDATION, TRADE, UNWIND
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.fees import compute_rate, get_activity
from setoff.shared.rules.levels import is_armed
from setoff.shared.rules.liquidation import compute_liquidation_price, compute_maintenance, compute_position_margin
from setoff.shared.rules.margin import (
    EVERY,
    compute_health,
    compute_order_margin,
    compute_value,
    get_tiers,
    settle_account,
)
from setoff.shared.rules.marks import compute_funding, is_fresh
from setoff.shared.rules.positions import is_live
from setoff.shared.rules.shares import get_shares
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree
from setoff.shared.wire.scopes import Scope

SIDES: Final = ("buy", "sell")
FLAGS: Final = ("gtc", "ioc", "post_only", "fok")
SELF_TRADE: Final = ("cancel_maker", "cancel_taker", "cancel_both")
FILL_KINDS: Final = ("trade", "liquidation", "unwind", "takeover", "deleverage", "auction")

_PARAMETERS: Final = fields_of(MarketParameters)
_TERMS: Final = fields_of(ExchangeTerms)


def get_tree(exchange: Exchange) -> Tree:
    """The state as it is now."""
    exchange.machine.state.commit()
    return exchange.machine.state.tree


def show_fill(numbered: NumberedFill) -> dict[str, Any]:
    """One trade; `fill` is its gap-free number. The order slots are null on a side that has no order of a trader."""
    fill = numbered.fill
    has_maker_order_slot = fill.kind in (TRADE, LIQUIDATION, UNWIND, AUCTION)
    return {
        "fill": numbered.number,
        "batch": numbered.batch,
        "input_index": numbered.input_index,
        "time": numbered.time,
        "kind": FILL_KINDS[fill.kind],
        "market": fill.market,
        "side": SIDES[fill.side],
        "price": fill.price,
        "size": str(fill.size),
        "taker": fill.taker,
        "taker_order_slot": fill.taker_order_slot if fill.kind in (TRADE, AUCTION) else None,
        "maker": fill.maker,
        "maker_order_slot": fill.maker_order_slot if has_maker_order_slot else None,
    }


def show_result(result: SubmitResult) -> dict[str, Any]:
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
        "fills": [show_fill(fill) for fill in result.fills],
    }
    if kind == records.BULK:
        shown["leg_pages"] = result.leg_pages
        shown["legs"] = [str(resting) for resting in result.legs]
    if result.signed:
        shown["receipts"] = [signed.to_json() for signed in result.signed]
    return shown


def show_account(exchange: Exchange, account: int) -> dict[str, Any]:
    """Money, health, positions, orders, the owner's next nonce, and the agents of an account or sub-account.

    `equity` is what the rules see: after the funding that is due (`funding`, which `collateral` does not have yet).
    `order_margin`: the part of `requirement` that the account's `order_count` orders need for being kept, the dead ones
    too that nobody has met yet. `exit`: what of `free` may leave the account now, from when on more may, and all of it
    (seconds; 0: all of it now); what leaves a sub-account for its master is not limited.
    """
    tree = get_tree(exchange)
    state, regs, time = State(tree), exchange.machine.regs, exchange.machine.regs.time
    master = state.account(keys.get_master(account))
    leaf = state.account(account)
    collateral, deadline = leaf.collateral, leaf.deadline
    are_fresh = settle_account(state, leaf, time)
    equity, initial = compute_health(regs, state, leaf, EVERY)
    _, maintenance, close_out = compute_maintenance(state, leaf)
    return {
        "account": account,
        "master": keys.get_master(account),
        "sub": keys.get_sub(account),
        "subs": find_subs(tree, account),
        "owner": "0x" + master.owner.hex(),
        "collateral": str(collateral),
        "funding": str(leaf.collateral - collateral),
        "equity": str(equity),
        "requirement": str(initial),
        "order_margin": str(0 if regs.winding_since else compute_order_margin(state, leaf)),
        "order_count": leaf.orders.bit_count(),
        "maintenance": str(maintenance),
        "close_out": str(close_out),
        "free": str(equity - initial),
        "exit": show_exit(compute_exit(regs, account, leaf, equity - initial, time)),
        "buffer": str(equity - maintenance),
        "is_fresh": are_fresh,
        "shares": str(get_shares(leaf, state.account(keys.BACKSTOP))),
        **show_activity(state, keys.get_master(account), time),
        "request": show_request(state, account),
        "deadline": deadline,
        "next_nonce": str(master.nonce_top + 1),
        "nonce_top": str(master.nonce_top),
        "nonce_bitmap": hex(master.nonce_bitmap),
        "session": master.session,
        "positions": show_positions(state, leaf, equity - maintenance),
        "agents": show_agents(tree, account, time),
        "orders": show_orders(exchange, account),
    }


def show_exit(room: Exit) -> dict[str, Any]:
    """What may leave an account, and when."""
    return {"now": str(room.now), "more_at": room.more_at, "all_at": room.all_at}


def show_activity(state: State, master: int, time: int) -> dict[str, Any]:
    """What an owner's fills of the last weeks are worth in taker's fees, token units, and how much less a market's
    fees are for it now: of the next fill, in ppm of the market's taker fee."""
    terms, activity = state.terms(), get_activity(state.activity(master), time)
    savings = {name: compute_rate(getattr(terms, name), activity, terms) for name in ("taker_saving", "maker_saving")}
    return {"activity": str(activity), **savings}


def show_terms(exchange: Exchange) -> dict[str, Any]:
    """What holds for the whole exchange: how fees fall with activity."""
    return show_parameters(State(get_tree(exchange)).terms(), _TERMS)


def show_request(state: State, account: int) -> dict[str, Any] | None:
    """What an account has asked of the backstop: from `due` on (seconds) it is settled with the next price; None if it
    has asked nothing, or all is settled."""
    request = state.request(account)
    if request.amount == 0:
        return None
    is_deposit = request.kind == records.BACKSTOP_DEPOSIT
    what = {"amount": str(request.amount)} if is_deposit else {"shares": str(request.amount)}
    return {"kind": "deposit" if is_deposit else "withdraw", **what, "due": request.due}


def find_subs(tree: Tree, account: int) -> int:
    """The highest sub-account of a master that has anything, 0 for none."""
    used = (sub for sub in range(keys.MAX_SUB, 0, -1) if tree.get(keys.account_key(keys.sub_account(account, sub))))
    return next(used, 0) if keys.get_sub(account) == 0 else 0


def show_positions(state: State, account: Account, buffer: int) -> list[dict[str, Any]]:
    """The positions of a settled account whose equity is `buffer` token units above its maintenance margin."""
    shown: list[dict[str, Any]] = []
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            value = compute_value(position.size, market.mark, market)
            price = compute_liquidation_price(position, market, buffer)
            shown.append(
                {
                    "market": position.market,
                    "size": str(position.size),
                    "cost": str(position.cost),
                    "bids": str(position.bids),
                    "asks": str(position.asks),
                    "orders": position.orders,
                    "mark": market.mark,
                    "value": str(value),
                    "profit": str(value - position.cost),
                    "maintenance": str(compute_position_margin(position, market)),
                    "liquidation_price": price,
                    "distance": None if price is None else abs(market.mark - price) * PPM // market.mark,
                }
            )
    return shown


def show_agents(tree: Tree, account: int, time: int) -> list[dict[str, Any]]:
    """The keys that may trade for the account's master now, what for, and the next nonce of each."""
    master = keys.get_master(account)
    found = [
        (number, leaves.decode_agent(tree.get(keys.agent_key(master, number))))
        for number in range(1, keys.MAX_AGENT + 1)
    ]
    return [
        {
            "agent": number,
            "key": "0x" + agent.address.hex(),
            "expiry": agent.expiry,
            **Scope.of(agent).to_json(),
            "session": agent.nonce_top >> SESSION_BITS,
            "next_nonce": str(agent.nonce_top + 1),
        }
        for number, agent in found
        if agent.expiry > time
    ]


def show_orders(exchange: Exchange, account: int) -> list[dict[str, Any]]:
    """The account's orders that can still trade, armed ones too, by order slot."""
    tree, time = get_tree(exchange), exchange.machine.regs.time
    leaf = State(tree).account(account)
    found: list[dict[str, Any]] = []
    for order_slot in range(leaf.orders.bit_length()):
        if leaf.orders >> order_slot & 1:
            order = leaves.decode_order(tree.get(keys.order_key(keys.order_handle(account, order_slot))))
            if is_live(order, leaf, time):
                found.append({"order_slot": order_slot, **show_order(order)})
    return found


def show_order(order: Order) -> dict[str, Any]:
    """One order; `trigger` is null unless it is armed; so is `partner`, the order slot of the one that leaves when this
    one fires, and the other way round."""
    trigger = None
    if is_armed(order):
        trigger = {"above" if order.flags & records.ABOVE else "below": order.trigger}
    return {
        "market": order.market,
        "side": SIDES[order.side],
        "flags": FLAGS[order.flags & records.TIME_IN_FORCE],
        "reduce_only": bool(order.flags & records.REDUCE_ONLY),
        "self_trade": SELF_TRADE[(order.flags & records.SELF_TRADE) // records.CANCEL_TAKER],
        "price": order.price,
        "size": str(order.size),
        "expiry": order.expiry,
        "trigger": trigger,
        "partner": order.partner - 1 if order.partner else None,
        "client": str(order.client),
        "sequence": order.sequence,
    }


def show_market(exchange: Exchange, market: int) -> dict[str, Any]:
    """Parameters, prices and state of a listed market.

    Rates and fees are ppm; `premium` ppm of the index; `funding_rate` what a long lot pays a short one an hour, as ppm
    of the index, while the book stays as the last sample showed it; `funding` what a lot has paid since listing, in
    token units times 2^32; `auction` what that of a market which collects orders would come to now, else null.
    """
    tree, time = get_tree(exchange), exchange.machine.regs.time
    leaf = leaves.decode_market(tree.get(keys.market_key(market)))
    hourly = compute_funding(leaf, leaf.excess, phases.HOUR)
    return {
        "market": market,
        **show_parameters(leaf),
        "tiers": show_tiers(leaf),
        "best_bid": leaf.best_bid,
        "best_ask": leaf.best_ask,
        "mark": leaf.mark,
        "index": leaf.index,
        "index_time": leaf.index_time,
        "is_fresh": is_fresh(leaf, time),
        "open_interest": str(leaf.open_interest),
        "premium": _ratio(leaf.premium, leaf.index * phases.PREMIUM_ONE),
        "funding_rate": _ratio(hourly, leaf.index * leaf.unit * phases.FUNDING_ONE),
        "funding": str(leaf.funding),
        "sampled": leaf.sampled,
        "insurance": str(leaf.insurance),
        "pool": str(leaf.pool),
        "halted_until": leaf.halted_until if leaf.halted_until > time else 0,
        "auction": show_auction(tree, market, time),
        "is_settled": bool(leaf.settled),
    }


def show_parameters(
    parameters: MarketParameters | ExchangeTerms, names: tuple[Field, ...] = _PARAMETERS
) -> dict[str, Any]:
    """What its listing, and the changes since, say of a market; or the last message of the exchange."""
    shown: dict[str, Any] = {}
    for field in names:
        value = getattr(parameters, field.name)
        shown[field.name] = str(value) if field.is_shown_as_text else value
    return shown


def show_markets(exchange: Exchange) -> list[dict[str, Any]]:
    """All listed markets."""
    return [show_market(exchange, market) for market in range(1, exchange.machine.regs.markets + 1)]


def show_calling(exchange: Exchange) -> list[dict[str, Any]]:
    """The auctions of the markets that collect orders for one."""
    regs = exchange.machine.regs
    return list(show_auctions(get_tree(exchange), regs.markets, regs.time))


def show_tiers(market: Market) -> list[dict[str, Any]]:
    """Margins by size: each tier from `size` lots on."""
    return [
        {"size": str(size), "initial_margin": initial, "maintenance_margin": maintenance}
        for size, initial, maintenance in get_tiers(market)
    ]


def show_backstop(exchange: Exchange) -> dict[str, Any]:
    """The backstop vault: what it is worth, who could take how much out, and its positions."""
    shown = show_account(exchange, keys.BACKSTOP)
    regs = exchange.machine.regs
    kept = ("collateral", "funding", "equity", "requirement", "maintenance", "free", "shares", "positions", "is_fresh")
    return {name: shown[name] for name in kept} | {
        "delay": regs.backstop_delay,
        "withdrawals_limited_until": compute_exit(regs, keys.BACKSTOP, Account(), 0, regs.time).all_at,
    }


def show_book(exchange: Exchange, market: int, depth: int) -> dict[str, Any]:
    """The best `depth` levels of both sides, best first, with the orders on them that can still trade."""
    tree, time = get_tree(exchange), exchange.machine.regs.time
    reader = BookReader(tree, time)
    return {
        "market": market,
        "bids": list(reader.read(market, records.BUY, depth)),
        "asks": list(reader.read(market, records.SELL, depth)),
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


def _ratio(numerator: int, denominator: int) -> float:
    """A ratio in ppm, for people: the rules count in integers."""
    return round(numerator * PPM / denominator, 3) if denominator else 0.0
