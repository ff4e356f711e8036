"""Why an order was refused: its price, its size, its slot, its market."""

from __future__ import annotations

from setoff.operator.api.refusals.question import Explanation, Question
from setoff.operator.api.views.book import BookReader
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.orders import get_fill_band
from setoff.shared.rules.positions import find_position, get_closable, is_live
from setoff.shared.state import keys, leaves


def explain_price_range(q: Question) -> Explanation:
    """A price is in ticks."""
    text = f"the price is {q.regs.price} ticks, and has to be 1 to {keys.MAX_TICK}"
    return Explanation(text, {"price_ticks": q.regs.price, "lowest_ticks": 1, "highest_ticks": keys.MAX_TICK})


def explain_size_range(q: Question) -> Explanation:
    """A size is in lots."""
    most = phases.MAX_ORDER_SIZE
    text = f"the size is {q.regs.size} lots, and has to be 1 to {most}: send several orders for more"
    return Explanation(text, {"size_lots": str(q.regs.size), "most_lots": str(most)})


def explain_band(q: Question) -> Explanation:
    """The limit is too far from the mark: what pays more may be less far."""
    market, is_buy = q.market, q.regs.side == records.BUY
    paying = get_fill_band(market) * market.mark // PPM
    giving = market.band * market.mark // PPM
    low, high = (market.mark - giving, market.mark + paying) if is_buy else (market.mark - paying, market.mark + giving)
    low = max(1, low)
    text = (
        f"a {'buy' if is_buy else 'sell'} order's limit may be {q.price(low)} to {q.price(high)} now, by the mark of "
        f"{q.price(market.mark)}, and not {q.price(q.regs.price)}: choose one within, or wait for the mark"
    )
    return Explanation(text, q.prices(price=q.regs.price, lowest=low, highest=high, mark=market.mark))


def explain_slot_range(q: Question) -> Explanation:
    """There are so many slots."""
    text = f"an account has the order slots 0 to {keys.MAX_ORDER_SLOT}"
    return Explanation(text, {"highest_order_slot": keys.MAX_ORDER_SLOT})


def explain_slot_taken(q: Question) -> Explanation:
    """Another order is there."""
    free = next((slot for slot in range(keys.MAX_ORDER_SLOT + 1) if not q.account.orders >> slot & 1), None)
    what = (
        "all slots hold orders: cancel one" if free is None else f"slot {free} is free; or cancel or amend that order"
    )
    text = f"order slot {q.regs.order_slot} holds an order: {what}"
    return Explanation(text, {"order_slot": q.regs.order_slot, "free_order_slot": free})


def explain_unknown_order(q: Question) -> Explanation:
    """Nothing is there that can still trade, or another order."""
    slot, order = q.regs.order_slot, q.in_slot
    live = [number for number in range(q.account.orders.bit_length()) if q.account.orders >> number & 1]
    if q.kind == records.ORDER:
        text = "its partner is no armed order of this market on the other side of the mark that has none yet"
    elif order.market and is_live(order, q.account, q.time):
        text = f"the order in slot {slot} has the client id {order.client}, and not {q.regs.client}"
        return Explanation(text, {"order_slot": slot, "client": str(order.client)})
    else:
        text = f"slot {slot} holds no order that can still trade: it has been filled, cancelled, or has expired"
    return Explanation(text, {"order_slot": slot, "orders": len(live)})


def explain_no_price(q: Question) -> Explanation:
    """Before the first report of a quorum."""
    signers = q.state.signers()
    text = (
        f"{q.scale.symbol} has no price yet: its oracle's signers have to report, {signers.quorum} of {signers.count}"
    )
    return Explanation(text, {"quorum": signers.quorum, "signers": signers.count})


def explain_stale_price(q: Question) -> Explanation:
    """An index that is too old, of this market or of one in which the account is."""
    numbers = {position.market for position in q.account.positions} | {q.market_id}
    told, oldest = [], 0
    for number in sorted(numbers - {0}):
        market = q.state.market(number)
        age = q.time - market.index_time
        if not market.settled and age > market.max_age:
            told.append(f"{q.scales[number].symbol}'s is {age} s old ({market.max_age} s at most)")
            oldest = max(oldest, age)
    why = "; ".join(told) or "it was when this was refused, and is new again: send it again"
    text = f"the price is too old to open positions or take money out: {why}; orders that only close are taken"
    return Explanation(text, {"age_seconds": oldest, "time_at": q.time})


def explain_too_many_positions(q: Question) -> Explanation:
    """An account has so many places."""
    markets = [q.scales[position.market].symbol for position in q.account.positions if position.market]
    text = (
        f"an account has positions or orders in {leaves.MAX_POSITIONS} markets at most: {', '.join(markets)}; close "
        "one with its orders, or use a sub-account"
    )
    return Explanation(text, {"most": leaves.MAX_POSITIONS})


def explain_position_limit(q: Question) -> Explanation:
    """What the position can reach is more than the market allows."""
    position = find_position(q.account, q.market_id)
    size, bids, asks = (position.size, position.bids, position.asks) if position else (0, 0, 0)
    reach = size + bids if q.regs.side == records.BUY else asks - size
    room = max(0, q.market.max_position - reach)
    text = (
        f"position and orders may reach {q.size(q.market.max_position)}, and are at {q.size(reach)}: order "
        f"{q.size(room)} at most, or cancel others"
    )
    return Explanation(text, q.sizes(limit=q.market.max_position, reached=reach, room=room))


def explain_open_interest(q: Question) -> Explanation:
    """All positions together."""
    market = q.market
    room = max(0, market.max_open_interest - market.open_interest)
    text = (
        f"open interest may be {q.size(market.max_open_interest)}, and is {q.size(market.open_interest)}: order "
        f"{q.size(room)} at most, or wait until others close"
    )
    return Explanation(text, q.sizes(limit=market.max_open_interest, reached=market.open_interest, room=room))


def explain_cross(q: Question) -> Explanation:
    """A post-only order would take."""
    market, is_buy = q.market, q.regs.side == records.BUY
    best = market.best_ask if is_buy else market.best_bid
    behind = best - 1 if is_buy else best + 1
    text = (
        f"the order is post-only, and would trade: the best {'ask' if is_buy else 'bid'} is {q.price(best)}; "
        f"{q.price(behind)} would rest"
    )
    return Explanation(text, q.prices(best=best, resting=behind))


def explain_unfillable(q: Question) -> Explanation:
    """A fill-or-kill order that the book does not fill."""
    other = records.SELL if q.regs.side == records.BUY else records.BUY
    found = 0
    for level in BookReader(q.state.tree, q.time).read(q.market_id, other, keys.MAX_TICK):
        if level.price > q.regs.price if q.regs.side == records.BUY else level.price < q.regs.price:
            break
        found += level.size
    missing = max(0, q.regs.size - found)
    text = (
        f"the book has {q.size(found)} within the limit, {q.size(missing)} too few, and counts those alone whose "
        f"owners can pay, and {phases.MAX_MATCHES} makers at most: order less, pay more, or not fill-or-kill"
    )
    return Explanation(text, q.sizes(found=found, missing=missing))


def explain_self_trade(q: Question) -> Explanation:
    """Its own rule against that."""
    text = "it met an order of its own owner, and its rule is that it leaves: cancel that order, or choose cancel_maker"
    return Explanation(text, {"account": q.regs.account})


def explain_not_reducing(q: Question) -> Explanation:
    """There is nothing to close on that side."""
    position = find_position(q.account, q.market_id)
    size = 0 if position is None else position.size
    closable = 0 if position is None else get_closable(position, q.regs.side)
    text = (
        f"the position is {q.size(size)}, of which this side closes nothing: sell to close a long one, buy a short one"
    )
    return Explanation(text, q.sizes(position=size, closable=closable))


def explain_halted(q: Question) -> Explanation:
    """After a large move, or in a call."""
    until = q.market.halted_until
    what = (
        "it collects orders for an auction, that rest" if q.market.call_minutes else "orders that only close are taken"
    )
    text = f"{q.scale.symbol} is halted until {until} (in {max(0, until - q.time)} s): {what}"
    return Explanation(text, {"until_at": until, "wait_seconds": max(0, until - q.time)})


def explain_expired_market(q: Question) -> Explanation:
    """A dated future at its end."""
    text = f"{q.scale.symbol} expired at {q.market.expiry}: positions are settled at its last price"
    return Explanation(text, {"expiry_at": q.market.expiry, "time_at": q.time})


def explain_expired_order(q: Question) -> Explanation:
    """By the exchange's time."""
    text = (
        f"the order expired at {q.regs.expiry}, and the exchange's time is {q.time}: sign a later expiry, or 0 for none"
    )
    return Explanation(text, {"expiry_at": q.regs.expiry, "time_at": q.time})


def explain_trigger(q: Question) -> Explanation:
    """It would fire at once."""
    is_above = q.regs.flags & records.ABOVE != 0
    text = (
        f"the mark is {q.price(q.market.mark)} already: a trigger that waits for a "
        f"{'rise' if is_above else 'fall'} is {'above' if is_above else 'below'} that, not {q.price(q.regs.trigger)}"
    )
    return Explanation(text, q.prices(mark=q.market.mark, trigger=q.regs.trigger))


def explain_leg_page(q: Question) -> Explanation:
    """Pages belong to one bulk record, in their order."""
    text = (
        f"a bulk record comes with the leg pages that it signs, each by the hash of the one before, 1 to "
        f"{phases.MAX_LEG_PAGES} of them; nothing else has any"
    )
    return Explanation(text, {"most": phases.MAX_LEG_PAGES})
