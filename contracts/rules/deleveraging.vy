# pragma version 0.4.3
"""
@title Deleveraging: what neither book nor backstop takes is closed against the other side, in the order of a score
@license MIT
@notice A ranking visits all holders of the market and keeps the first RANKED of them. They are used one after the other,
        each until its position is gone, also for the accounts after this one that are closed on the same side in the same
        sweep; only then is there another ranking. So its steps are shared by as many as it serves, however small their
        positions are. Twin: `shared/rules/deleveraging.py`. Where Python changes accounts and markets in place, these
        functions return them.
@dev Bounds as in liquidation.vy. A score is at most 2**16 + 2**96 and an account below 2**24, so an entry of a ranking is
     below 2**121.
"""

from codec import records
from rules import exits
from rules import holders
from rules import margin
from rules import matching
from rules import phases
from rules import positions
from state import leaves
from state import registers
from state import store


@internal
@pure
def begin_deleveraging(pre: registers.Registers) -> registers.Registers:
    """
    @return The registers of a machine that closes the lots in them against the other side, by a ranking of it that is
            left, else a new one.
    """
    regs: registers.Registers = pre
    regs.deleveraging = 1
    if regs.rank_market != regs.market or regs.rank_side != regs.side or regs.ranked0 == 0:
        regs = self.begin_ranking(regs)
    regs.phase = phases.WORK
    return regs


@internal
@pure
def begin_ranking(pre: registers.Registers) -> registers.Registers:
    """
    @return The registers of a machine that ranks all holders against the position in them.
    """
    regs: registers.Registers = pre
    regs.ranking = 1
    regs.rank_end = 0
    regs.rank_word = 0
    regs.rank_market = regs.market
    regs.rank_side = regs.side
    return self.set_ranked(regs, empty(uint256[phases.RANKED]))


@internal
@pure
def get_ranked(regs: registers.Registers) -> uint256[phases.RANKED]:
    """
    @return The ranking in the registers, the first first.
    """
    return [
        regs.ranked0,
        regs.ranked1,
        regs.ranked2,
        regs.ranked3,
        regs.ranked4,
        regs.ranked5,
        regs.ranked6,
        regs.ranked7,
    ]


@internal
@pure
def set_ranked(pre: registers.Registers, ranked: uint256[phases.RANKED]) -> registers.Registers:
    """
    @return The registers with a ranking.
    """
    regs: registers.Registers = pre
    regs.ranked0 = ranked[0]
    regs.ranked1 = ranked[1]
    regs.ranked2 = ranked[2]
    regs.ranked3 = ranked[3]
    regs.ranked4 = ranked[4]
    regs.ranked5 = ranked[5]
    regs.ranked6 = ranked[6]
    regs.ranked7 = ranked[7]
    return regs


@internal
@pure
def get_first_ranked(regs: registers.Registers) -> uint256:
    """
    @return The account that is first in the ranking.
    """
    return phases.RANK_ACCOUNTS - 1 - regs.ranked0 % phases.RANK_ACCOUNTS


@internal
@pure
def drop_first_ranked(regs: registers.Registers) -> registers.Registers:
    """
    @return The registers with the next of the ranking as its first.
    """
    ranked: uint256[phases.RANKED] = self.get_ranked(regs)
    for i: uint256 in range(phases.RANKED - 1):
        ranked[i] = ranked[i + 1]
    ranked[phases.RANKED - 1] = 0
    return self.set_ranked(regs, ranked)


@internal
@pure
def step_rank(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Score one holder for deleveraging against the position in the registers, and rank it among the first.
            Leaves: account, the market of each of its positions, in place order.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    number: uint256 = holders.get_visited(regs.rank_end, regs.rank_word)
    account: leaves.Account = store.account(w, 0, number)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 1, account, regs.time)
    score: uint256 = self.compute_score(regs, account, markets)
    if score != 0:
        # Insert in order: everything lower moves down by one place, the last out.
        entry: uint256 = score * phases.RANK_ACCOUNTS + phases.RANK_ACCOUNTS - 1 - number
        ranked: uint256[phases.RANKED] = self.get_ranked(regs)
        for i: uint256 in range(phases.RANKED):
            if entry > ranked[i]:
                lower: uint256 = ranked[i]
                ranked[i] = entry
                entry = lower
        regs = self.set_ranked(regs, ranked)
    regs.rank_word = holders.pass_visited(regs.rank_word)
    regs.phase = phases.WORK
    values[0] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 1, markets)


@internal
@pure
def compute_score(
    regs: registers.Registers, account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> uint256:
    """
    @return Profit ratio times leverage of the account's position opposite to the one in liquidation; 0 if it has none. A
            position in profit scores SCORE_ONE**2 * (profit / cost) * (notional / equity), and more than any in loss;
            one in loss the less, the larger its loss to its cost.
    """
    equity: int256 = account.collateral
    size: int256 = 0
    profit: int256 = 0
    notional: int256 = 0
    cost: int256 = 1
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0:
            worth: int256 = margin.compute_value(position.size, convert(markets[i].mark, int256), markets[i])
            equity += worth
            if position.market == regs.market:
                size = position.size
                profit = worth - position.cost
                notional = abs(worth)
                cost = max(1, abs(position.cost))
    if size == 0 or (size > 0) == (regs.side == records.SELL):
        return 0
    if profit <= 0:
        loss: uint256 = convert(-profit, uint256) * phases.SCORE_ONE // convert(cost, uint256)
        return phases.SCORE_ONE - min(loss, phases.SCORE_ONE - 1)
    ratio: uint256 = min(convert(profit, uint256) * phases.SCORE_ONE // convert(cost, uint256), phases.MAX_SCORE)
    leverage: uint256 = convert(notional, uint256) * phases.SCORE_ONE // convert(max(1, equity), uint256)
    return phases.SCORE_ONE + ratio * min(leverage, phases.MAX_SCORE)


@internal
@pure
def step_deleverage(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Close against the first of the ranking, without fees; go on with the next once its position is gone. It may have
            traded since it was ranked, and be on the same side by now, or the account in liquidation itself.
            Leaves: account in liquidation, the other account, the market of each of the other's positions, in place order;
            none where both are one.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    number: uint256 = self.get_first_ranked(regs)
    size: uint256 = 0
    left: uint256 = 0
    if number != regs.account:
        account: leaves.Account = store.account(w, 0, regs.account)
        other: leaves.Account = store.account(w, 1, number)
        markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
        fresh: bool = False
        other, markets, fresh = margin.settle_account(w, 2, other, regs.time)
        lots: uint256 = self.get_opposite(regs, other)
        size = min(regs.size, lots)
        left = lots - size
        if size != 0:
            place: uint256 = positions.get_position(other, regs.market)
            market: leaves.Market = markets[place]
            price: uint256 = self.compute_bearable_price(regs, other, markets, market, size)
            market, account, other = self.trade_across(regs, market, account, other, size, price)
            market, account = self.charge_levy(regs, market, account, size, price)
            regs = exits.note_draw(regs, size * market.mark * market.unit)
            markets[place] = market
            values[0] = leaves.encode_account(account)
        values[1] = leaves.encode_account(other)
        values = margin._set_markets(values, 2, markets)
    else:
        store.check_count(w, 0)
    if left == 0:
        regs = self.drop_first_ranked(regs)
    regs.size -= size
    if regs.size == 0:
        regs.deleveraging = 0
    elif regs.ranked0 == 0:
        regs = self.begin_ranking(regs)
    regs.phase = phases.WORK
    return regs, values


@internal
@pure
def get_opposite(regs: registers.Registers, other: leaves.Account) -> uint256:
    """
    @return Lots of the account's position opposite to the one in the registers.
    """
    for position: leaves.Position in other.positions:
        if position.market == regs.market:
            lots: int256 = -position.size if regs.side == records.SELL else position.size
            return convert(max(0, lots), uint256)
    return 0


@internal
@pure
def compute_bearable_price(
    regs: registers.Registers,
    other: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    market: leaves.Market,
    size: uint256,
) -> uint256:
    """
    @return The mark, ticks; for a debt the price in the registers, or that at which `other` keeps nothing. Who is below
            zero already gives back what it gained by the change of price.
    @dev A room below 2**127; the size is not 0.
    """
    equity: int256 = margin.compute_equity(other, markets)
    is_sale: bool = regs.side == records.SELL
    price: uint256 = max(regs.price, market.mark) if is_sale else min(regs.price, market.mark)
    if equity < 0:
        return price
    room: uint256 = convert(equity, uint256) // (size * market.unit)
    return min(price, market.mark + room) if is_sale else max(price, market.mark - min(market.mark, room))


@internal
@pure
def charge_levy(
    regs: registers.Registers, market: leaves.Market, account: leaves.Account, size: uint256, price: uint256
) -> (leaves.Market, leaves.Account):
    """
    @notice Let the account in liquidation have the price in the registers, where it is worse than `price`, at which it has
            traded `size` lots, and the insurance fund the difference.
    @return The market and the account.
    """
    funded: leaves.Market = market
    payer: leaves.Account = account
    worse: int256 = convert(price, int256) - convert(regs.price, int256)
    if regs.side == records.BUY:
        worse = -worse
    levy: int256 = max(0, margin.compute_value(convert(size, int256), worse, market))
    payer.collateral -= levy
    funded.insurance += levy
    return funded, payer


@internal
@pure
def trade_across(
    regs: registers.Registers,
    market: leaves.Market,
    account: leaves.Account,
    other: leaves.Account,
    size: uint256,
    price: uint256,
) -> (leaves.Market, leaves.Account, leaves.Account):
    """
    @notice Trade `size` lots at `price` between an account in liquidation and another, without fees.
    @return The market, the account and the other.
    """
    traded: leaves.Market = market
    closing: leaves.Account = account
    taking: leaves.Account = other
    delta: int256 = convert(size, int256)
    if regs.side == records.SELL:
        delta = -delta
    opposite: uint256 = 1 - regs.side  # a side is 0 or 1
    place: uint256 = positions.get_position(closing, regs.market)
    closing.positions[place] = positions.reserve(closing.positions[place], regs.side, size)
    place = positions.get_position(taking, regs.market)
    taking.positions[place] = positions.reserve(taking.positions[place], opposite, size)
    traded, closing = matching.apply_trade(traded, closing, regs.market, regs.side, delta, price, 0)
    traded, taking = matching.apply_trade(traded, taking, regs.market, opposite, -delta, price, 0)
    return traded, closing, taking
