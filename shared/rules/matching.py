"""Price-time matching: the best level, its oldest order, one fill a step. Twin: ``contracts/rules/matching.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import div_floor
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_calling
from setoff.shared.rules.fees import charge_fees
from setoff.shared.rules.holders import enrol
from setoff.shared.rules.levels import can_rest, get_best
from setoff.shared.rules.margin import compute_fee, compute_health, compute_value, is_fill_legal, settle_account
from setoff.shared.rules.positions import apply_fill, get_closable, get_position, is_live, release
from setoff.shared.rules.work import is_out_of_steps, pause
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Order
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def is_crossing(side: int, limit: int, best: int) -> bool:
    """Whether an order of `side` with this limit trades against the other side's `best` (0 for none)."""
    return best != 0 and (best <= limit if side == records.BUY else best >= limit)


def step_match(regs: Registers, state: State) -> None:
    """Find the next maker, or decide what becomes of the rest of the order.

    However many makers there are, it meets them all: if the input has no steps left, the next record goes on. An order
    of the machine's own is left instead, for the account will be visited again; a fill-or-kill order has counted how
    few makers it needs, and is never cut in two. While a call lasts nobody is met.
    Leaves: market; where an order goes on, the other side's best level.
    """
    market = state.market(regs.market)
    other = 1 - regs.side
    best = get_best(market, other)
    if is_calling(market, regs.time) or not is_crossing(regs.side, regs.price, best):
        leave_book(regs)
    elif is_out_of_steps(regs) and regs.flags & records.TIME_IN_FORCE != records.FOK:
        pause_order(regs)
    else:
        level = state.level(regs.market, other, best)
        regs.cursor = level.head
        regs.level_market = regs.market
        regs.level_side = other
        regs.tick = best
        regs.phase = phases.PROBE


def pause_order(regs: Registers) -> None:
    """The input ends in the middle of the order: it goes on with the next record, and has no outcome any more."""
    if regs.kind == records.LIQUIDATION:
        drop(regs, errors.ACCEPTED)
        return
    if regs.return_phase == phases.IDLE:
        regs.return_phase = phases.WORK
    pause(regs, phases.MARGIN)


def leave_book(regs: Registers) -> None:
    """Nothing in the book meets the order (any more): what is left of it rests or is given up."""
    if can_rest(regs.flags):
        regs.level_market = regs.market
        regs.level_side = regs.side
        regs.tick = regs.price
        regs.phase = phases.REST
    else:
        drop(regs, errors.UNFILLABLE if regs.scanning else errors.ACCEPTED)


def drop(regs: Registers, outcome: int) -> None:
    """Give up what is left of the order, for this reason (none if it is accepted)."""
    if outcome != errors.ACCEPTED and regs.return_phase == phases.IDLE:
        regs.outcome = outcome
    regs.phase = phases.DROP


def step_probe(regs: Registers, state: State) -> None:
    """Decide what happens to the maker at the cursor: filled, or pruned if dead, unfunded or the taker's own.

    Leaves: maker's order; maker's account and the market of each of its positions, unless maker and taker have one
    owner.
    """
    order = state.order(regs.cursor)
    maker = keys.handle_account(regs.cursor)
    if keys.get_master(maker) == keys.get_master(regs.account):
        meet_own_order(regs, order)
        return
    account = state.account(maker)
    settle_account(state, account, regs.time)
    legal = can_maker_fill(regs, state, account, order)
    if regs.scanning:
        count_maker(regs, order, legal and is_maker_sure(regs, state, account, order, regs.price))
    elif not legal:
        regs.next_phase = phases.MATCH
        regs.phase = phases.UNLINK
    elif regs.flags & records.TIME_IN_FORCE == records.POST_ONLY:
        drop(regs, errors.WOULD_CROSS)
    else:
        regs.phase = phases.FILL


def can_maker_fill(regs: Registers, state: State, account: Account, order: Order) -> bool:
    """Whether the maker can trade anything, now and by itself; how much of what is left to trade goes to `lots`.

    Leaves: as `settle_account`.
    """
    regs.lots = 0
    if is_live(order, account, regs.time):
        regs.lots = min(regs.size - regs.fok_lots, order.size)
        if order.flags & records.REDUCE_ONLY:
            regs.lots = min(regs.lots, get_closable(get_position(account, regs.market), order.side))
    delta = -regs.lots if regs.side == records.BUY else regs.lots
    return regs.lots > 0 and is_fill_legal(
        state, account, regs.market, delta, order.price, get_maker_rate(state.market(regs.market))
    )


def meet_own_order(regs: Registers, order: Order) -> None:
    """Self-trade prevention: orders of one owner (sub-accounts included) never trade with each other."""
    rule = regs.flags & records.SELF_TRADE
    if regs.scanning:
        if rule == records.CANCEL_MAKER:
            count_maker(regs, order, False)
        else:
            drop(regs, errors.SELF_TRADE)
    elif rule == records.CANCEL_TAKER:
        drop(regs, errors.SELF_TRADE)
    else:
        regs.next_phase = phases.DROP if rule == records.CANCEL_BOTH else phases.MATCH
        regs.phase = phases.UNLINK


def is_maker_sure(regs: Registers, state: State, account: Account, order: Order, highest: int) -> bool:
    """Where makers are only counted: whether this one can fill all its open orders of that side, however they come.

    For each is judged again when it trades, and those before it count then. `highest`: ticks, at which it may trade.
    Leaves: as `settle_account`.
    """
    market = state.market(regs.market)
    position = get_position(account, regs.market)
    lots = position.bids if order.side == records.BUY else position.asks
    if order.flags & records.REDUCE_ONLY and lots > get_closable(position, order.side):
        return False
    best = get_best(market, order.side)
    delta = lots if order.side == records.BUY else -lots
    loss = max(0, compute_value(delta, best - market.mark, market))
    rate = get_maker_rate(market)
    # Each fill rounds its fee up, and there is at most one for each of the account's order slots.
    charged = compute_fee(compute_value(lots, max(best, highest), market), rate) + keys.MAX_ORDER_SLOT
    equity, requirement = compute_health(regs, state, account, regs.market)
    return equity - loss - charged >= requirement


def count_maker(regs: Registers, order: Order, legal: bool) -> None:
    """Fill-or-kill, first pass: count what the maker at the cursor would trade, and go on to the one after it."""
    if legal:
        regs.fok_lots += regs.lots
    regs.cursor = order.next
    regs.matches += 1
    if regs.fok_lots == regs.size:
        regs.scanning = 0
        regs.fok_lots = 0
        regs.matches = 0
        regs.phase = phases.MATCH
    elif regs.matches == phases.MAX_MATCHES:
        drop(regs, errors.UNFILLABLE)
    else:
        regs.phase = phases.PROBE if regs.cursor else phases.NEXT


def step_fill(regs: Registers, state: State) -> None:
    """Trade with the maker at the cursor, at the maker's price; whose position that opens is entered as a holder.

    An account in liquidation pays its fee. Leaves: market, level, maker's order, maker's account, taker's account; in a
    liquidation the backstop; as `charge_fees`.
    """
    market = state.market(regs.market)
    level = state.level(regs.market, regs.level_side, regs.tick)
    order = state.order(regs.cursor)
    maker = state.account(keys.handle_account(regs.cursor))
    taker = state.account(regs.account)
    is_taker_opening = get_position(taker, regs.market).size == 0
    is_maker_opening = get_position(maker, regs.market).size == 0
    size = regs.lots
    delta = size if regs.side == records.BUY else -size
    if is_liquidation(regs):
        charge_liquidation(market, taker, state.account(keys.BACKSTOP), compute_liquidation_fee(regs, market))
    notional = compute_value(size, regs.tick, market)
    taker_fee, maker_fee = charge_fees(regs, state, market, keys.handle_account(regs.cursor), notional)
    apply_trade(market, taker, regs.market, regs.side, delta, regs.tick, taker_fee)
    apply_trade(market, maker, regs.market, regs.level_side, -delta, regs.tick, maker_fee)
    order.size -= size
    level.size -= size
    regs.size -= size
    regs.next_phase = phases.MATCH if regs.size else regs.return_phase
    regs.phase = regs.next_phase if order.size else phases.UNLINK
    if is_taker_opening:
        enrol(regs, regs.account)
    if is_maker_opening:
        enrol(regs, keys.handle_account(regs.cursor))


def get_maker_rate(market: Market) -> int:
    """Maker's fee, ppm, at most: what a rebate will be is the taker's fee's matter."""
    return max(0, market.maker_fee)


def is_liquidation(regs: Registers) -> bool:
    """Whether the order in the registers closes for an account in liquidation; an offer of the backstop does not."""
    return regs.kind == records.LIQUIDATION and regs.account != keys.BACKSTOP


def compute_liquidation_fee(regs: Registers, market: Market) -> int:
    """Fee, token units, of a fill of the lots in the registers at the tick of the level: part of a maintenance margin.

    Taken from what the maker pays beyond the least price: so the account gets that at least, and nobody's debt grows.
    """
    better = regs.tick - regs.price if regs.side == records.SELL else regs.price - regs.tick
    rate = market.maintenance_margin // phases.LIQUIDATION_PART
    fee = compute_fee(compute_value(regs.lots, regs.tick, market), rate)
    return min(fee, compute_value(regs.lots, better, market))


def charge_liquidation(market: Market, account: Account, backstop: Account, fee: int) -> None:
    """The fee of an account in liquidation, token units: half to the backstop, the other half to the insurance."""
    half = div_floor(fee, 2)
    account.collateral -= fee
    backstop.collateral += half
    market.insurance += fee - half


def apply_trade(market: Market, account: Account, market_id: int, side: int, delta: int, price: int, fee: int) -> None:
    """One side of a fill: cash, fee, position, reservation, open interest (counted on the long side)."""
    position = get_position(account, market_id)
    account.collateral -= compute_value(delta, price, market) + fee
    market.insurance += fee
    market.revenue += fee
    market.open_interest -= max(position.size, 0)
    apply_fill(position, delta, price, market)
    market.open_interest += max(position.size, 0)
    release(position, side, abs(delta))
