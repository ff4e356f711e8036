# pragma version 0.4.3
"""
@title Margin: what an account is worth, what it must hold, and which changes are legal
@license MIT
@notice Cross margin over all positions at their mark prices, in token units: equity = collateral + sum of size * mark * unit;
        requirement = sum of |exposure| * mark * unit * margin fraction, rounded up, the fraction by the size's tier, and
        of an order margin for each order's leaf and each position: everybody keeps them, and so they cost their owner.
        An isolated position is one in a sub-account of its own. Twin: `shared/rules/margin.py`. Where Python asks the state
        for markets, these functions take them: one a used place of the account, same index.
@dev Bounds: an exposure is at most 2**41 lots, a price below 2**24 ticks, a unit below 2**32, so a value is below 2**97, the
     sum of eight below 2**100, a value times a rate or margin (at most 2**20 ppm) below 2**117; an order margin is below
     2**64, and those of an account's 256 orders and eight positions are below 2**73. A collateral: all there
     is on L1 is below 2**112, and no account falls deeper than its positions are worth, below 2**100 for each of 2**24
     accounts; so no account holds more than 2**127, and the products of is_fill_legal stay below 2**230.
"""

import errors
from codec import integers
from codec import records
from rules import calls
from rules import exits
from rules import levels
from rules import marks
from rules import phases
from rules import positions
from rules import scale
from state import leaves
from state import registers
from state import store

# Stands for every market.
EVERY: constant(uint256) = 2**16


@internal
@pure
def _set_markets(
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    first: uint256,
    markets: leaves.Market[leaves.MAX_POSITIONS],
) -> DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]:
    """
    @return The values with the markets that `settle_account` took from leaf `first` on. A place that had no market is
            empty; a listed market has a unit.
    """
    written: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = values
    next: uint256 = first
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if markets[i].unit != 0:
            written[next] = leaves.encode_market(markets[i])
            next += 1
    return written


@internal
@pure
def compute_value(size: int256, price: int256, market: leaves.Market) -> int256:
    """
    @return Signed worth of `size` lots at `price` ticks, token units, exact.
    """
    return size * price * convert(market.unit, int256)


@internal
@pure
def compute_fee(amount: int256, rate: int256) -> int256:
    """
    @return Fee on a fill worth `amount` >= 0 at `rate` ppm: charges round up, rebates (negative) round toward zero.
    """
    return integers.div_ceil(amount * rate, convert(integers.PPM, int256))


@internal
@pure
def weigh_initial(exposure: int256, market: leaves.Market, risen: uint256) -> int256:
    """
    @return `exposure` lots (>= 0), each times the initial margin fraction, ppm, of the tier it lies in: marginal tiers, as
            Binance has them for its maintenance margin ("Leverage and Margin": maintenance amount); raised by so much
            of the way to all it is worth (`scale.vy`).
    """
    lots: uint256 = convert(exposure, uint256)
    weight: uint256 = self.weigh(lots, market, market.initial_margin, market.tier1_initial, market.tier2_initial)
    return convert(scale.scale_weight(weight, lots * integers.PPM, risen), int256)


@internal
@pure
def weigh_maintenance(exposure: int256, market: leaves.Market) -> int256:
    """
    @return As `weigh_initial`, with the maintenance margin fractions.
    """
    lots: uint256 = convert(exposure, uint256)
    base: uint256 = market.maintenance_margin
    return convert(self.weigh(lots, market, base, market.tier1_maintenance, market.tier2_maintenance), int256)


@internal
@pure
def weigh(lots: uint256, market: leaves.Market, base: uint256, tier1: uint256, tier2: uint256) -> uint256:
    """
    @return The lots, each times the fraction, ppm, of the base or the tier it lies in.
    """
    weight: uint256 = lots * base
    if market.tier1_size != 0:
        weight += self.get_beyond(lots, market.tier1_size) * (tier1 - base)
    if market.tier2_size != 0:
        weight += self.get_beyond(lots, market.tier2_size) * (tier2 - tier1)
    return weight


@internal
@pure
def get_beyond(lots: uint256, size: uint256) -> uint256:
    """
    @return Those of the lots that lie beyond a tier's size.
    """
    return max(lots, size) - size


@internal
@pure
def compute_requirement(weight: int256, market: leaves.Market) -> int256:
    """
    @return Margin of lots that are weighed with ppm, token units, rounded up; none once the market is settled.
    """
    if market.settled != 0:
        return 0
    worth: int256 = self.compute_value(weight, convert(market.mark, int256), market)
    return convert(integers.div_up(convert(worth, uint256), integers.PPM), int256)


@internal
@pure
def compute_initial(exposure: int256, market: leaves.Market, risen: uint256) -> int256:
    """
    @return Initial margin of `exposure` lots, raised by so much, token units: of any at all one order margin more.
    """
    if exposure == 0 or market.settled != 0:
        return 0
    needed: int256 = self.compute_requirement(self.weigh_initial(exposure, market, risen), market)
    return needed + convert(market.order_margin, int256)


@internal
@pure
def get_worst_exposure(position: leaves.Position) -> int256:
    """
    @return Largest |size| the position can reach if the open orders of either side fill, lots.
    """
    return max(
        abs(position.size + convert(position.bids, int256)), abs(position.size - convert(position.asks, int256))
    )


@internal
@pure
def settle_account(
    w: store.Witness, first: uint256, account: leaves.Account, time: uint256
) -> (leaves.Account, leaves.Market[leaves.MAX_POSITIONS], bool):
    """
    @notice Pay the funding that is due.
            Leaves: the market of each position, in place order: the witness from leaf `first` to its end.
    @return The account, the market of each position by the position's place, and whether all positions, empty ones with
            orders too, have a fresh price.
    """
    settled: leaves.Account = account
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = True
    next: uint256 = first
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if settled.positions[i].market != 0:
            market: leaves.Market = store.market(w, next, settled.positions[i].market)
            next += 1
            settled, market = marks.settle_funding(settled, i, market)
            fresh = fresh and marks.is_fresh(market, time)
            markets[i] = market
    store.check_count(w, next)
    return settled, markets, fresh


@internal
@pure
def compute_equity(account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]) -> int256:
    """
    @return What the account is worth at its markets' marks, token units.
    """
    equity: int256 = account.collateral
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market != 0:
            mark: int256 = convert(markets[i].mark, int256)
            equity += self.compute_value(account.positions[i].size, mark, markets[i])
    return equity


@internal
@pure
def compute_health(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS], crowded: uint256
) -> (int256, int256):
    """
    @param crowded The market whose margins count as they have risen with its open interest, EVERY for all of them, 0 for
           none.
    @return (equity, initial margin with its orders) in token units. In a wind-down no order can trade any more, so that
            none of them counts.
    """
    equity: int256 = account.collateral
    requirement: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0:
            market: leaves.Market = markets[i]
            equity += self.compute_value(position.size, convert(market.mark, int256), market)
            risen: uint256 = market.scale if crowded in [position.market, EVERY] else 0
            if regs.winding_since != 0:
                requirement += self.compute_initial(abs(position.size), market, risen)
            else:
                requirement += self.compute_initial(self.get_worst_exposure(position), market, risen)
                requirement += convert(position.orders * market.order_margin, int256)
    return equity, requirement


@internal
@pure
def compute_order_margin(account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]) -> int256:
    """
    @return What the leaves of the account's orders need, token units.
    """
    needed: uint256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market != 0:
            needed += account.positions[i].orders * markets[i].order_margin
    return convert(needed, int256)


@internal
@pure
def is_fill_legal(
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    market_id: uint256,
    delta: int256,
    price: uint256,
    rate: int256,
) -> bool:
    """
    @return Whether the account may take a fill of `delta` lots (signed) at `price` ticks and a fee of `rate` ppm: if the
            positions after it (open orders aside) are funded, or if it strictly lowers the requirement and does not
            worsen the ratio of equity to requirement (compared by cross-multiplication).
    """
    equity: int256 = 0
    others: int256 = 0
    equity, others = self.compute_others(account, markets, market_id)
    place: uint256 = positions.get_position(account, market_id)
    return self.is_change_legal(equity, others, account.positions[place].size, markets[place], delta, price, rate)


@internal
@pure
def compute_others(
    account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS], market_id: uint256
) -> (int256, int256):
    """
    @return (equity, initial margin of the positions in other markets than this) in token units.
    """
    equity: int256 = account.collateral
    others: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].market != 0:
            size: int256 = account.positions[i].size
            market: leaves.Market = markets[i]
            equity += self.compute_value(size, convert(market.mark, int256), market)
            if account.positions[i].market != market_id:
                others += self.compute_initial(abs(size), market, 0)
    return equity, others


@internal
@pure
def is_change_legal(
    equity: int256, others: int256, size: int256, market: leaves.Market, delta: int256, price: uint256, rate: int256
) -> bool:
    """
    @return `is_fill_legal` of a position of `size` lots, by what `compute_others` found. Margins that have risen with open
            interest are for what opens: nobody is kept from closing by what others hold.
    """
    change: int256 = self.compute_value(delta, convert(market.mark, int256) - convert(price, int256), market)
    change -= self.compute_fee(self.compute_value(abs(delta), convert(price, int256), market), rate)
    risen: uint256 = 0 if size * delta < 0 and abs(delta) <= abs(size) else market.scale
    before: int256 = others + self.compute_initial(abs(size), market, risen)
    after: int256 = others + self.compute_initial(abs(size + delta), market, risen)
    if equity + change >= after:
        return True
    return after < before and (equity + change) * before >= equity * after


@internal
@pure
def is_order_legal(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> bool:
    """
    @return Whether the order in the registers, already reserved, may enter: if equity covers the requirement with every
            order, after the fee and the loss of filling at the limit; an order that can only close is judged as the
            fill it would be. One that may rest has to pay for its leaf in any case.
    """
    equity: int256 = 0
    requirement: int256 = 0
    equity, requirement = self.compute_health(regs, account, markets, regs.market)
    place: uint256 = positions.get_position(account, regs.market)
    market: leaves.Market = markets[place]
    size: int256 = convert(regs.size, int256)
    price: int256 = convert(regs.price, int256)
    delta: int256 = size if regs.side == records.BUY else -size
    loss: int256 = max(0, self.compute_value(delta, price - convert(market.mark, int256), market))
    taker_fee: int256 = convert(market.taker_fee, int256)
    fee: int256 = self.compute_fee(self.compute_value(size, price, market), taker_fee)
    leaf: int256 = convert(market.order_margin, int256) if levels.can_rest(regs.flags) else 0
    if equity - loss - fee >= requirement + leaf:
        return True
    if not self.is_closing(regs, account.positions[place]):
        return False
    if not self.is_fill_legal(account, markets, regs.market, delta, regs.price, taker_fee):
        return False
    return not levels.can_rest(regs.flags) or max(0, equity) >= self.compute_order_margin(account, markets) + leaf


@internal
@pure
def is_closing(regs: registers.Registers, position: leaves.Position) -> bool:
    """
    @return Whether the order in the registers, already reserved, can only close, with all others of its side.
    """
    if regs.side == records.BUY:
        return position.size + convert(position.bids, int256) <= 0
    return position.size - convert(position.asks, int256) >= 0


@internal
@pure
def can_open(regs: registers.Registers, position: leaves.Position) -> bool:
    """
    @return Whether the order in the registers, already reserved, could add to a position, or begin one.
    """
    return regs.flags & records.REDUCE_ONLY == 0 and not self.is_closing(regs, position)


@internal
@pure
def check_order(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> uint256:
    """
    @return Outcome: whether the order in the registers, already reserved, may go on to the book. What can open a position
            needs a fresh price of every other: else equity that nobody may take out could be lost to another account.
    """
    if not self.is_in_time(regs, account, markets) or not self.is_order_legal(regs, account, markets):
        return errors.INSUFFICIENT_MARGIN
    place: uint256 = positions.get_position(account, regs.market)
    if not self.can_open(regs, account.positions[place]):
        return errors.ACCEPTED
    for i: uint256 in range(leaves.MAX_POSITIONS):
        if account.positions[i].size != 0 and i != place and not marks.is_fresh(markets[i], regs.time):
            return errors.STALE_PRICE
    return errors.ACCEPTED


@internal
@pure
def is_in_time(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> bool:
    """
    @return Whether the order in the registers, already reserved, may still trade now. One that was admitted in this input
            may; one that was paused goes on later, and nothing else has been checked since.
    """
    place: uint256 = positions.get_position(account, regs.market)
    market: leaves.Market = markets[place]
    if regs.winding_since != 0 or marks.is_expired(market, regs.time):
        return False
    if positions.is_past_deadline(account, regs.time) or (regs.expiry != 0 and regs.expiry <= regs.time):
        return False
    return calls.is_open(market, regs.time) or not self.can_open(regs, account.positions[place])


@internal
@pure
def check_arming(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    fresh: bool,
) -> uint256:
    """
    @return Outcome: whether the account can bear one more armed order, which reserves no lots. Its leaf is charged on top
            of all else. One that can only close is taken from whoever can pay for all leaves, whatever the positions
            need and however old a price is.
    """
    equity: int256 = 0
    needed: int256 = 0
    equity, needed = self.compute_health(regs, account, markets, regs.market)
    if regs.flags & records.REDUCE_ONLY != 0:
        needed = self.compute_order_margin(account, markets)
    elif not fresh:
        for position: leaves.Position in account.positions:
            if position.size != 0:
                return errors.STALE_PRICE
    leaf: int256 = convert(markets[positions.get_position(account, regs.market)].order_margin, int256)
    return errors.ACCEPTED if max(0, equity) >= needed + leaf else errors.INSUFFICIENT_MARGIN


@internal
@pure
def step_margin(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Check the account in flight before its order or payment goes on; a paused order is checked again.
            Leaves: account, the market of each of its positions. A refused order gives back its reservation, and its
            place.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    is_payment: bool = regs.kind in [records.TRANSFER, records.WITHDRAW, records.BACKSTOP_DEPOSIT]
    # Money that waited in the queue is judged as of when it was asked for: nobody keeps it in by letting prices age.
    time: uint256 = min(registers.get_stamp(regs), regs.time) if is_payment else regs.time
    account, markets, fresh = self.settle_account(w, 1, account, time)
    if is_payment:
        outcome: uint256 = 0
        account, outcome = self.check_payment(regs, account, markets, fresh)
        if outcome != errors.ACCEPTED:
            regs = registers.reject(regs, outcome)
        else:
            regs.phase = self.get_payment_phase(regs.kind)
    elif regs.flags & records.ARMED != 0:
        outcome: uint256 = self.check_arming(regs, account, markets, fresh)
        if outcome != errors.ACCEPTED:
            place: uint256 = positions.get_position(account, regs.market)
            account.positions[place] = leaves.clear_if_empty(account.positions[place])
            regs = registers.reject(regs, outcome)
        else:
            regs.sequence += 1
            regs.phase = phases.REST
    else:
        outcome: uint256 = self.check_order(regs, account, markets)
        if outcome != errors.ACCEPTED:
            place: uint256 = positions.get_position(account, regs.market)
            account.positions[place] = positions.release(account.positions[place], regs.side, regs.size)
            regs = registers.reject(regs, outcome)
        else:
            regs.sequence += 1
            regs.scanning = 1 if regs.flags & records.TIME_IN_FORCE == records.FOK else 0
            regs.phase = phases.MATCH
    values[0] = leaves.encode_account(account)
    return regs, self._set_markets(values, 1, markets)


@internal
@pure
def check_payment(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    fresh: bool,
) -> (leaves.Account, uint256):
    """
    @notice Whether the account can spare the amount in the registers.
    @return The account and the outcome.
    """
    if not fresh:
        return account, errors.STALE_PRICE
    equity: int256 = 0
    requirement: int256 = 0
    # What waited in the queue is not kept in by what others have opened meanwhile.
    equity, requirement = self.compute_health(regs, account, markets, 0 if regs.stamp != 0 else EVERY)
    if equity - convert(regs.amount, int256) < requirement:
        return account, errors.INSUFFICIENT_MARGIN
    if exits.is_exit(regs):
        return exits.check_exit(regs, account, convert(equity - requirement, uint256))
    return account, errors.ACCEPTED


@internal
@pure
def get_payment_phase(kind: uint256) -> uint256:
    """
    @return Phase that carries a checked payment out.
    """
    if kind == records.TRANSFER:
        return phases.TRANSFER
    if kind == records.WITHDRAW:
        return phases.WITHDRAW
    assert kind == records.BACKSTOP_DEPOSIT, "malformed_record"
    return phases.REQUEST
