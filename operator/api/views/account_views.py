"""What the API shows of accounts: money, health, positions, orders, agents; and of the backstop vault.

Views read the state tree, so they never disturb the leaves the rules work on.
"""

from __future__ import annotations

from typing import Any, Final

from setoff.operator.api.views.market_views import get_tree
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.machine.exits import Exit, compute_exit
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.fees import compute_rate, get_activity
from setoff.shared.rules.levels import is_armed
from setoff.shared.rules.liquidation import compute_liquidation_price, compute_maintenance, compute_position_margin
from setoff.shared.rules.margin import (
    EVERY,
    compute_health,
    compute_initial,
    compute_order_margin,
    compute_value,
    get_worst_exposure,
    settle_account,
)
from setoff.shared.rules.positions import is_live
from setoff.shared.rules.shares import get_shares
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order, Position
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree
from setoff.shared.wire.api import account_answers as answers
from setoff.shared.wire.api.decimals import Scaled
from setoff.shared.wire.api.record_answers import FLAGS, SELF_TRADE, SIDES
from setoff.shared.wire.scales import MarketScale, Step
from setoff.shared.wire.scopes import Scope

_ACCOUNT: Final = Scaled(answers.Account)
_BACKSTOP: Final = Scaled(answers.Backstop)
_EXIT: Final = Scaled(answers.Exit)
_ORDER: Final = Scaled(answers.Order)
_POSITION: Final = Scaled(answers.Position)
_FINER: Final = 1000
"""Parts of a tick that an average price is shown in."""


def show_account(scales: Scales, exchange: Exchange, account: int) -> dict[str, Any]:
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
    shown = {
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
        "exit": show_exit(scales.tokens, compute_exit(regs, account, leaf, equity - initial, time)),
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
        "positions": show_positions(scales, state, leaf, equity - maintenance, is_ending=bool(regs.winding_since)),
        "agents": show_agents(tree, account, time),
        "orders": show_orders(scales, exchange, account),
    }
    return shown | {"decimal": _ACCOUNT.show_tokens(shown, scales.tokens)}


def show_exit(tokens: Step, room: Exit) -> dict[str, Any]:
    """What may leave an account, and when."""
    shown = {"now": str(room.now), "more_at": room.more_at, "all_at": room.all_at}
    return shown | {"decimal": _EXIT.show_tokens(shown, tokens)}


def show_activity(state: State, master: int, time: int) -> dict[str, Any]:
    """What an owner's fills of the last weeks are worth in taker's fees, token units, and how much less a market's
    fees are for it now: of the next fill, in ppm of the market's taker fee."""
    terms, activity = state.terms(), get_activity(state.activity(master), time)
    savings = {name: compute_rate(getattr(terms, name), activity, terms) for name in ("taker_saving", "maker_saving")}
    return {"activity": str(activity), **savings}


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


def show_positions(
    scales: Scales, state: State, account: Account, buffer: int, *, is_ending: bool
) -> list[dict[str, Any]]:
    """The positions of a settled account whose equity is `buffer` token units above its maintenance margin. In the end
    of an exchange (`is_ending`) no order counts."""
    shown: list[dict[str, Any]] = []
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            value = compute_value(position.size, market.mark, market)
            price = compute_liquidation_price(position, market, buffer)
            scale = scales[position.market]
            needed = compute_initial(
                abs(position.size) if is_ending else get_worst_exposure(position), market, market.scale
            )
            own = min(needed, market.order_margin)
            one = {
                "market": position.market,
                "symbol": scale.symbol,
                "size": str(position.size),
                "cost": str(position.cost),
                "bids": str(position.bids),
                "asks": str(position.asks),
                "orders": position.orders,
                "mark": market.mark,
                "value": str(value),
                "profit": str(value - position.cost),
                "maintenance": str(compute_position_margin(position, market)),
                "initial": str(needed - own),
                "kept": str(own + (0 if is_ending else position.orders * market.order_margin)),
                "liquidation_price": price,
                "distance": None if price is None else abs(market.mark - price) * PPM // market.mark,
                "entry_price": show_entry(position, market, scale),
            }
            shown.append(one | {"decimal": _POSITION.show(one, scale)})
    return shown


def show_entry(position: Position, market: Market, scale: MarketScale) -> str | None:
    """What a lot of the position has cost on average, in decimals, to the thousandth of a tick; None without one."""
    if not position.size:
        return None
    lots, sign = abs(position.size) * market.unit, 1 if position.size > 0 else -1
    finer = (2 * _FINER * position.cost * sign + lots) // (2 * lots)
    return scale.tick._replace(places=scale.tick.places + 3).show(finer)


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


def show_orders(scales: Scales, exchange: Exchange, account: int) -> list[dict[str, Any]]:
    """The account's orders that can still trade, armed ones too, by order slot."""
    tree, time = get_tree(exchange), exchange.machine.regs.time
    leaf = State(tree).account(account)
    found: list[dict[str, Any]] = []
    for order_slot in range(leaf.orders.bit_length()):
        if leaf.orders >> order_slot & 1:
            order = leaves.decode_order(tree.get(keys.order_key(keys.order_handle(account, order_slot))))
            if is_live(order, leaf, time):
                found.append({"order_slot": order_slot, **show_order(scales, order)})
    return found


def show_order(scales: Scales, order: Order) -> dict[str, Any]:
    """One order; `trigger` is null unless it is armed; so is `partner`, the order slot of the one that leaves when this
    one fires, and the other way round."""
    trigger: dict[str, Any] | None = None
    scale = scales[order.market]
    if is_armed(order):
        trigger = {"above" if order.flags & records.ABOVE else "below": order.trigger}
    shown = {
        "market": order.market,
        "symbol": scale.symbol,
        "side": SIDES[order.side],
        "flags": FLAGS[order.flags & records.TIME_IN_FORCE],
        "reduce_only": bool(order.flags & records.REDUCE_ONLY),
        "self_trade": SELF_TRADE[(order.flags & records.SELF_TRADE) // records.CANCEL_TAKER],
        "price": order.price,
        "size": str(order.size),
        "expiry": order.expiry,
        "trigger": trigger,
        "trigger_price": order.trigger if trigger else None,
        "partner": order.partner - 1 if order.partner else None,
        "client": str(order.client),
        "sequence": order.sequence,
    }
    return shown | {"decimal": _ORDER.show(shown, scale)}


def show_backstop(scales: Scales, exchange: Exchange) -> dict[str, Any]:
    """The backstop vault: what it is worth, who could take how much out, and its positions."""
    shown = show_account(scales, exchange, keys.BACKSTOP)
    regs = exchange.machine.regs
    kept = ("collateral", "funding", "equity", "requirement", "maintenance", "free", "shares", "positions", "is_fresh")
    found = {name: shown[name] for name in kept}
    return found | {
        "decimal": _BACKSTOP.show_tokens(found, scales.tokens),
        "delay": regs.backstop_delay,
        "withdrawals_limited_until": compute_exit(regs, keys.BACKSTOP, Account(), 0, regs.time).all_at,
    }
