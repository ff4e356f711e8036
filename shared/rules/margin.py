"""Margin: what an account is worth, what it must hold, and which changes are legal.

Twin: ``contracts/rules/margin.vy``. Cross margin over all positions at their mark prices, in token units:
equity = collateral + sum of size * mark * unit;
requirement = sum of |exposure| * mark * unit * margin fraction, rounded up, each lot's fraction by the tier it lies in,
and of an order margin for each order's leaf and each position: everybody keeps them, and so they cost their owner.
An isolated position is one in a sub-account of its own.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_ceil, div_up
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_open
from setoff.shared.rules.exits import check_exit, is_exit
from setoff.shared.rules.levels import can_rest
from setoff.shared.rules.marks import is_expired, is_fresh, settle_funding
from setoff.shared.rules.positions import get_position, is_past_deadline, release
from setoff.shared.rules.scale import scale_weight
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

EVERY: Final = 2**16
"""Stands for every market."""
PAYMENTS: Final = (records.TRANSFER, records.WITHDRAW, records.BACKSTOP_DEPOSIT)
"""Records that spend free collateral."""


def compute_value(size: int, price: int, market: Market) -> int:
    """Signed worth of `size` lots at `price` ticks, token units, exact."""
    return size * price * market.unit


def compute_fee(value: int, rate: int) -> int:
    """Fee on a fill worth `value` >= 0 at `rate` ppm: charges round up, rebates (negative) round toward zero."""
    return div_ceil(value * rate, PPM)


def get_tiers(market: Market) -> tuple[tuple[int, int, int], ...]:
    """(lots beyond which it holds, initial margin, maintenance margin in ppm) of the base and each tier, ascending."""
    tiers = (
        (market.tier1_size, market.tier1_initial, market.tier1_maintenance),
        (market.tier2_size, market.tier2_initial, market.tier2_maintenance),
    )
    return ((0, market.initial_margin, market.maintenance_margin), *(tier for tier in tiers if tier[0]))


def weigh_initial(exposure: int, market: Market, risen: int) -> int:
    """`exposure` lots (>= 0), each times the initial margin fraction, ppm, of the tier it lies in: marginal tiers, as
    Binance has them for its maintenance margin ("Leverage and Margin": maintenance amount); raised by so much of the
    way to all that they are worth (`scale.py`)."""
    weight = weigh(exposure, market, market.initial_margin, market.tier1_initial, market.tier2_initial)
    return scale_weight(weight, exposure * PPM, risen)


def weigh_maintenance(exposure: int, market: Market) -> int:
    """As `weigh_initial`, with the maintenance margin fractions."""
    return weigh(exposure, market, market.maintenance_margin, market.tier1_maintenance, market.tier2_maintenance)


def weigh(lots: int, market: Market, base: int, tier1: int, tier2: int) -> int:
    """`lots` (>= 0), each times the fraction, ppm, of the base or the tier it lies in."""
    weight = lots * base
    if market.tier1_size:
        weight += get_beyond(lots, market.tier1_size) * (tier1 - base)
    if market.tier2_size:
        weight += get_beyond(lots, market.tier2_size) * (tier2 - tier1)
    return weight


def get_beyond(lots: int, size: int) -> int:
    """Those of the lots that lie beyond a tier's size."""
    return max(lots, size) - size


def compute_requirement(weight: int, market: Market) -> int:
    """Margin of lots that are weighed with ppm, token units, rounded up; none once the market is settled."""
    if market.settled:
        return 0
    return div_up(compute_value(weight, market.mark, market), PPM)


def compute_initial(exposure: int, market: Market, risen: int) -> int:
    """Initial margin of `exposure` lots, raised by so much, token units: of any at all one order margin more."""
    if exposure == 0 or market.settled:
        return 0
    return compute_requirement(weigh_initial(exposure, market, risen), market) + market.order_margin


def get_worst_exposure(position: Position) -> int:
    """Largest |size| the position can reach if the open orders of either side fill, lots."""
    return max(abs(position.size + position.bids), abs(position.size - position.asks))


def settle_account(state: State, account: Account, time: int) -> bool:
    """Pay the funding that is due. Returns whether all positions, empty ones with orders too, have a fresh price.

    Leaves: the market of each position, in place order.
    """
    fresh = True
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            settle_funding(account, position, market)
            fresh = fresh and is_fresh(market, time)
    return fresh


def compute_equity(state: State, account: Account) -> int:
    """What the account is worth at its markets' marks, token units. Leaves: as `settle_account`."""
    equity = account.collateral
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            equity += compute_value(position.size, market.mark, market)
    return equity


def compute_health(regs: Registers, state: State, account: Account, crowded: int) -> tuple[int, int]:
    """(equity, initial margin with its orders) in token units. Leaves: as `settle_account`.

    In a wind-down no order can trade any more, so that none of them counts. `crowded`: the market whose margins count
    as they have risen with its open interest, EVERY for all of them, 0 for none.
    """
    equity = account.collateral
    requirement = 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            equity += compute_value(position.size, market.mark, market)
            risen = market.scale if crowded in (position.market, EVERY) else 0
            if regs.winding_since:
                requirement += compute_initial(abs(position.size), market, risen)
            else:
                requirement += compute_initial(get_worst_exposure(position), market, risen)
                requirement += position.orders * market.order_margin
    return equity, requirement


def compute_order_margin(state: State, account: Account) -> int:
    """What the leaves of the account's orders need, token units. Leaves: as `settle_account`."""
    needed = 0
    for position in account.positions:
        if position.market:
            needed += position.orders * state.market(position.market).order_margin
    return needed


def is_fill_legal(state: State, account: Account, market_id: int, delta: int, price: int, rate: int) -> bool:
    """Whether the account may take a fill of `delta` lots (signed) at `price` ticks and a fee of `rate` ppm.

    Legal if the positions after it (open orders aside) are funded, or if it strictly lowers the requirement and does
    not worsen the ratio of equity to requirement (compared by cross-multiplication).
    Leaves: as `settle_account`; `market_id` is among them.
    """
    equity, others = compute_others(state, account, market_id)
    return is_change_legal(
        equity, others, get_position(account, market_id).size, state.market(market_id), delta, price, rate
    )


def compute_others(state: State, account: Account, market_id: int) -> tuple[int, int]:
    """(equity, initial margin of the positions in other markets) in token units. Leaves: as `settle_account`."""
    equity = account.collateral
    others = 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            equity += compute_value(position.size, market.mark, market)
            if position.market != market_id:
                others += compute_initial(abs(position.size), market, 0)
    return equity, others


def is_change_legal(equity: int, others: int, size: int, market: Market, delta: int, price: int, rate: int) -> bool:
    """`is_fill_legal` of a position of `size` lots, by what `compute_others` found.

    Margins that have risen with open interest are for what opens: nobody is kept from closing by what others hold.
    """
    change = compute_value(delta, market.mark - price, market)
    change -= compute_fee(compute_value(abs(delta), price, market), rate)
    risen = 0 if size * delta < 0 and abs(delta) <= abs(size) else market.scale
    before = others + compute_initial(abs(size), market, risen)
    after = others + compute_initial(abs(size + delta), market, risen)
    if equity + change >= after:
        return True
    return after < before and (equity + change) * before >= equity * after


def is_order_legal(regs: Registers, state: State, account: Account) -> bool:
    """Whether the order in the registers, already reserved, may enter. Leaves: as `settle_account`.

    Funded if equity covers the requirement with every order, after the fee and the loss of filling at the limit; an
    order that can only close is judged as the fill it would be. One that may rest has to pay for its leaf in any case.
    """
    equity, requirement = compute_health(regs, state, account, regs.market)
    market = state.market(regs.market)
    leaf = market.order_margin if can_rest(regs.flags) else 0
    delta = regs.size if regs.side == records.BUY else -regs.size
    loss = max(0, compute_value(delta, regs.price - market.mark, market))
    fee = compute_fee(compute_value(regs.size, regs.price, market), market.taker_fee)
    if equity - loss - fee >= requirement + leaf:
        return True
    if not is_closing(regs, account):
        return False
    if not is_fill_legal(state, account, regs.market, delta, regs.price, market.taker_fee):
        return False
    return not can_rest(regs.flags) or max(0, equity) >= compute_order_margin(state, account) + leaf


def is_closing(regs: Registers, account: Account) -> bool:
    """Whether the order in the registers, already reserved, can only close, with all others of its side."""
    position = get_position(account, regs.market)
    return position.size + position.bids <= 0 if regs.side == records.BUY else position.size - position.asks >= 0


def can_open(regs: Registers, account: Account) -> bool:
    """Whether the order in the registers, already reserved, could add to a position, or begin one."""
    return regs.flags & records.REDUCE_ONLY == 0 and not is_closing(regs, account)


def check_order(regs: Registers, state: State, account: Account) -> int:
    """Whether the order in the registers, already reserved, may go on to the book; returns the outcome.

    What can open a position needs a fresh price of every other: else equity that nobody may take out could be lost to
    another account. Leaves: as `settle_account`.
    """
    if not is_in_time(regs, state, account) or not is_order_legal(regs, state, account):
        return errors.INSUFFICIENT_MARGIN
    if not can_open(regs, account):
        return errors.ACCEPTED
    for position in account.positions:
        if position.size and position.market != regs.market and not is_fresh(state.market(position.market), regs.time):
            return errors.STALE_PRICE
    return errors.ACCEPTED


def is_in_time(regs: Registers, state: State, account: Account) -> bool:
    """Whether the order in the registers, already reserved, may still trade now.

    One that was admitted in this input may; one that was paused goes on later, and nothing else has been checked since.
    Leaves: as `settle_account`.
    """
    market = state.market(regs.market)
    if regs.winding_since or is_expired(market, regs.time):
        return False
    if is_past_deadline(account, regs.time) or (regs.expiry and regs.expiry <= regs.time):
        return False
    return is_open(market, regs.time) or not can_open(regs, account)


def check_arming(regs: Registers, state: State, account: Account, fresh: bool) -> int:
    """Whether the account can bear one more armed order, which reserves no lots; returns the outcome.

    Its leaf is charged on top of all else. One that can only close is taken from whoever can pay for all leaves,
    whatever the positions need and however old a price is. Leaves: as `settle_account`.
    """
    equity, needed = compute_health(regs, state, account, regs.market)
    if regs.flags & records.REDUCE_ONLY:
        needed = compute_order_margin(state, account)
    elif not fresh and any(position.size for position in account.positions):
        return errors.STALE_PRICE
    leaf = state.market(regs.market).order_margin
    return errors.ACCEPTED if max(0, equity) >= needed + leaf else errors.INSUFFICIENT_MARGIN


def step_margin(regs: Registers, state: State) -> None:
    """Check the account in flight before its order or payment goes on; a paused order is checked again.

    Leaves: account, the market of each of its positions. A refused order gives back its reservation, and its place.
    """
    account = state.account(regs.account)
    is_payment = regs.kind in PAYMENTS
    # Money that waited in the queue is judged as of when it was asked for: nobody keeps it in by letting prices age.
    time = min(regs.get_stamp(), regs.time) if is_payment else regs.time
    fresh = settle_account(state, account, time)
    if is_payment:
        outcome = check_payment(regs, state, account, fresh)
        if outcome != errors.ACCEPTED:
            regs.reject(outcome)
        else:
            regs.phase = get_payment_phase(regs.kind)
    elif regs.flags & records.ARMED:
        outcome = check_arming(regs, state, account, fresh)
        if outcome != errors.ACCEPTED:
            get_position(account, regs.market).clear_if_empty()
            regs.reject(outcome)
        else:
            regs.sequence += 1
            regs.phase = phases.REST
    else:
        outcome = check_order(regs, state, account)
        if outcome != errors.ACCEPTED:
            release(get_position(account, regs.market), regs.side, regs.size)
            regs.reject(outcome)
        else:
            regs.sequence += 1
            regs.scanning = 1 if regs.flags & records.TIME_IN_FORCE == records.FOK else 0
            regs.phase = phases.MATCH


def check_payment(regs: Registers, state: State, account: Account, fresh: bool) -> int:
    """Whether the account can spare the amount in the registers; returns the outcome. Leaves: as `settle_account`."""
    if not fresh:
        return errors.STALE_PRICE
    # What waited in the queue is not kept in by what others have opened meanwhile.
    equity, requirement = compute_health(regs, state, account, 0 if regs.stamp else EVERY)
    if equity - regs.amount < requirement:
        return errors.INSUFFICIENT_MARGIN
    return check_exit(regs, account, equity - requirement) if is_exit(regs) else errors.ACCEPTED


def get_payment_phase(kind: int) -> int:
    """Phase that carries a checked payment out."""
    if kind == records.TRANSFER:
        return phases.TRANSFER
    if kind == records.WITHDRAW:
        return phases.WITHDRAW
    if kind == records.BACKSTOP_DEPOSIT:
        return phases.REQUEST
    raise AssertionError(f"a payment of type {kind} without a phase")
