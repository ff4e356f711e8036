# pragma version 0.4.3
"""
@title The backstop vault: anyone may put money in, and it takes over what the book does not
@license MIT
@notice It is an account of its own (keys.BACKSTOP) under the same margin rules as any, so it can lose no more than was put
        into it; its shares are worth its equity. At every crank it offers a part of its position, the farther from the mark
        the longer nobody has taken any.
        Twin: `shared/rules/backstop.py`. Where Python changes accounts in place, these functions return them.
@dev Bounds: amounts are below 2**96, shares below 2**120 and an equity within 128 bits, so a product of two of them is far
     inside 256 bits. An account's shares are a part of the backstop's, so taking them off underflows neither.
"""

from codec import integers
from codec import records
from rules import calls
from rules import deleveraging
from rules import exits
from rules import fees
from rules import holders
from rules import margin
from rules import marks
from rules import phases
from rules import positions
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_takeover(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Move as much of the position in liquidation to the backstop as it may take, at the zero price; deleverage the
            rest. Leaves: account, backstop (unless it is the account), the market of each of the backstop's positions in
            place order (the market in liquidation counts as one, where a place for it is free).
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    account: leaves.Account = store.account(w, 0, regs.account)
    touched: uint256 = 1
    lots: uint256 = 0
    is_opening: bool = False
    if regs.account != keys.BACKSTOP:
        backstop: leaves.Account = store.account(w, 1, keys.BACKSTOP)
        touched = 2
        place: uint256 = positions.find_position(backstop, regs.market)
        if place < leaves.MAX_POSITIONS:
            is_opening = backstop.positions[place].size == 0
            backstop.positions[place].market = regs.market
            markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
            fresh: bool = False
            backstop, markets, fresh = margin.settle_account(w, 2, backstop, regs.time)
            touched = len(w.keys)  # which settle_account has checked
            lots = self.compute_takeover(regs, backstop, markets, place)
            if lots != 0:
                market: leaves.Market = markets[place]
                market, account, backstop = deleveraging.trade_across(
                    regs, market, account, backstop, lots, regs.price
                )
                markets[place] = market
                values[0] = leaves.encode_account(account)
                regs = exits.note_draw(regs, lots * market.mark * market.unit)
                regs.size -= lots
            else:
                backstop.positions[place] = leaves.clear_if_empty(backstop.positions[place])
            values[1] = leaves.encode_account(backstop)
            values = margin._set_markets(values, 2, markets)
    store.check_count(w, touched)
    if regs.size != 0:
        regs = deleveraging.begin_deleveraging(regs)
    else:
        regs.phase = phases.WORK
    if lots != 0 and is_opening:
        regs = holders.enrol(regs, keys.BACKSTOP)
    return regs, values


@internal
@pure
def compute_takeover(
    regs: registers.Registers,
    backstop: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    place: uint256,
) -> uint256:
    """
    @return Lots in the registers that the backstop may take over into its position at `place`: most that are legal. What
            it holds then is worth no more than the market's cap, and if that is a new position no less than dust. None at a
            price that is worse than the mark: a debt is for those who gained by the change that made it. And none by a mark
            that was not fresh when the sweep began.
    """
    market: leaves.Market = markets[place]
    size: int256 = backstop.positions[place].size
    sign: int256 = -1 if regs.side == records.BUY else 1
    mark: int256 = convert(market.mark, int256)
    if convert(regs.price, int256) * sign > mark * sign or not marks.is_fresh(market, regs.sweep_time):
        return 0
    equity: int256 = 0
    others: int256 = 0
    equity, others = margin.compute_others(backstop, markets, regs.market)
    limit: int256 = convert(regs.size, int256)
    if market.backstop_cap != 0:
        money: uint256 = convert(max(0, equity), uint256) * market.backstop_cap
        most: uint256 = money // (integers.PPM * market.mark * market.unit)
        limit = min(limit, max(0, convert(most, int256) - size * sign))
    lots: int256 = limit
    if not margin.is_change_legal(equity, others, size, market, lots * sign, regs.price, 0):
        lots = 0
        for i: uint256 in range(phases.TAKEOVER_BITS):
            more: int256 = lots + convert(1 << (phases.TAKEOVER_BITS - 1 - i), int256)
            if more < limit:
                if margin.is_change_legal(equity, others, size, market, more * sign, regs.price, 0):
                    lots = more
    dust: int256 = margin.compute_value(lots, mark, market) * convert(phases.BACKSTOP_DUST, int256)
    if size == 0 and dust < equity:
        return 0
    return convert(lots, uint256)


@internal
@pure
def step_unwind(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Share the fees of the market, and offer a part of the backstop's position to its book, but in a wind-down or a
            call; then note what came of the offer. Leaves: backstop; before the offer the market, and as `share_revenue`.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    if regs.unwind == 0:
        store.check_count(w, 1)
        regs.return_phase = phases.WORK
        regs.phase = phases.WORK
        values[0] = leaves.encode_account(self.note_offer(regs, store.account(w, 0, keys.BACKSTOP)))
        return regs, values
    market_id: uint256 = regs.unwind
    backstop: leaves.Account = store.account(w, 0, keys.BACKSTOP)
    market: leaves.Market = store.market(w, 1, market_id)
    backstop, market, values = fees.share_revenue(regs, w, 2, backstop, market)
    values[0] = leaves.encode_account(backstop)
    values[1] = leaves.encode_market(market)
    place: uint256 = positions.find_position(backstop, market_id)
    regs.unwind = 0
    is_shut: bool = (
        regs.winding_since != 0 or calls.is_calling(market, regs.time) or not marks.is_fresh(market, regs.time)
    )
    if place == leaves.MAX_POSITIONS or backstop.positions[place].size == 0 or is_shut:
        regs.phase = phases.WORK
        return regs, values
    backstop, market = marks.settle_funding(backstop, place, market)
    position: leaves.Position = backstop.positions[place]
    side: uint256 = records.SELL if position.size > 0 else records.BUY
    size: uint256 = integers.div_up(convert(abs(position.size), uint256), phases.UNWIND_SLICES)
    backstop.positions[place] = positions.reserve(position, side, size)
    values[0] = leaves.encode_account(backstop)
    values[1] = leaves.encode_market(market)
    price: uint256 = self.compute_offer_price(position, market)
    return work.begin_order(regs, keys.BACKSTOP, market_id, side, price, size, phases.UNWIND), values


@internal
@pure
def compute_offer_price(position: leaves.Position, market: leaves.Market) -> uint256:
    """
    @return The worst price, ticks, at which the backstop offers: the mark, and farther from it the longer it has waited. No
            farther than what it gets at least for a position that it takes over.
    @dev A margin is at most PPM, so the width is at most the mark.
    """
    fraction: uint256 = min(position.waited * phases.UNWIND_STEP, market.maintenance_margin // phases.LIQUIDATION_PART)
    width: uint256 = integers.div_up(market.mark * fraction, integers.PPM)
    price: uint256 = market.mark - width if position.size > 0 else market.mark + width
    return min(max(price, 1), keys.MAX_TICK)


@internal
@pure
def note_offer(regs: registers.Registers, backstop: leaves.Account) -> leaves.Account:
    """
    @return The backstop: where nobody took anything the next offer goes farther; where somebody did, half as far. Nothing is
            known of a book that the input had no steps to ask.
    """
    noted: leaves.Account = backstop
    place: uint256 = positions.find_position(backstop, regs.market)
    if place == leaves.MAX_POSITIONS or backstop.positions[place].size == 0:
        return noted
    waited: uint256 = backstop.positions[place].waited
    if regs.size < regs.amount:
        noted.positions[place].waited = waited // 2
    elif not work.is_out_of_steps(regs):
        noted.positions[place].waited = min(waited + 1, phases.UNWIND_WAITS)
    return noted
