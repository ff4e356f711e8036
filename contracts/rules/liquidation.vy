# pragma version 0.4.3
"""
@title Liquidation, forced by the rulebook: sweep, and slices to the book
@license MIT
@notice An account below maintenance loses its orders, one after the other; then its largest position is offered to the
        book in slices, at its least price or better: a little from the mark, more if the account is deep below, and never
        beyond the zero price, at which it gives up just that position's share of equity. After the first slice an account
        that is not deep below waits a while. Then what the book does not take goes to the backstop vault (`backstop.vy`),
        and what that cannot take to the opposite accounts in the order of their scores (`deleveraging.vy`). A sweep of the
        holders of a market ends only when each is healthy, waits, or has nothing left that could be reduced.
        A debt is closed in the market that made it. Its insurance pays first, but for no change by an index that comes
        back after long: who kept the reports out knew it, and may hold both sides. The rest is closed between the mark
        before the change and the mark, where each on the other side has gained as much a lot. What that does not bring
        stays the account's own.
        Twin: `shared/rules/liquidation.py`. Where Python changes accounts and markets in place, these functions return
        them; where it returns a position, they return its place.
@dev Bounds as in margin.vy: equities within 128 bits, margins and values of a position below 2**117, so a product of two of
     them is far inside 256 bits. Every divisor is positive: a target has a margin, so the sum of margins is, and so is
     its size; a unit is from the listing on.
"""

from codec import integers
from codec import records
from rules import calls
from rules import exits
from rules import holders
from rules import margin
from rules import marks
from rules import orders
from rules import phases
from rules import positions
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def step_sweep(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Visit one holder: settle what is due, and begin its liquidation if it is below maintenance.
            First its orders leave the book, one a visit, so that a piece of work stays small. In a wind-down only a debt
            is liquidated, never through the book: every position is about to be closed at its mark. During a call of its
            market a position waits as long as its account is above the close-out margin, below which the book is not asked.
            While more than half of the way from that to maintenance is left, only the book is asked for a first slice, and
            then the account waits.
            Leaves: account, the market of each of its positions, in place order.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    number: uint256 = holders.get_visited(regs.sweep_end, regs.sweep_word)
    account: leaves.Account = store.account(w, 0, number)
    markets: leaves.Market[leaves.MAX_POSITIONS] = empty(leaves.Market[leaves.MAX_POSITIONS])
    fresh: bool = False
    account, markets, fresh = margin.settle_account(w, 1, account, regs.time)
    account, markets = self.settle_expired(account, markets)
    equity: int256 = 0
    maintenance: int256 = 0
    close_out: int256 = 0
    equity, maintenance, close_out = self.compute_maintenance(account, markets)
    least: int256 = 0 if regs.winding_since != 0 else maintenance
    target: uint256 = leaves.MAX_POSITIONS
    if equity < least and regs.skip_account == 0:
        target = self.find_target(regs, account, markets, equity)
    regs.skip_account = 0
    is_gentle: bool = 2 * equity > maintenance + close_out
    if target == leaves.MAX_POSITIONS or (is_gentle and regs.time < account.paused_until):
        regs = self.go_on(regs, account)
    elif account.orders != 0:
        regs = registers.clear(regs)
        regs.return_phase = phases.WORK
        regs = orders.unlink_first(regs, number, account, phases.WORK)
    elif equity > close_out and calls.is_calling(markets[target], regs.time):
        regs = self.go_on(regs, account)
    else:
        market: leaves.Market = markets[target]
        loss: int256 = self.compute_loss(regs, account.positions[target], market)
        if equity < 0:
            is_insured: bool = market.index_flags & phases.INDEX_RETURNING == 0 and equity + loss >= maintenance
            drawn: int256 = min(-equity, market.insurance) if is_insured else 0
            account.collateral += drawn
            market.insurance -= drawn
            regs = exits.note_draw(regs, convert(drawn, uint256))
            equity += drawn
            loss -= drawn
            markets[target] = market
        position: leaves.Position = account.positions[target]
        side: uint256 = records.SELL if position.size > 0 else records.BUY
        share: int256 = self.compute_share(position, market, equity, maintenance, close_out, loss)
        price: uint256 = self.compute_zero_price(position, market, share)
        size: uint256 = convert(abs(position.size), uint256)
        if equity <= close_out:
            regs = work.begin_order(regs, number, position.market, side, price, size, phases.WORK)
            regs.phase = phases.TAKEOVER
        else:
            size = integers.div_up(size, phases.LIQUIDATION_SLICES)
            account.positions[target] = positions.reserve(position, side, size)
            return_phase: uint256 = phases.LIQUIDATED
            if is_gentle and regs.time >= account.paused_until + phases.LIQUIDATION_WINDOW:
                account.paused_until = regs.time + phases.LIQUIDATION_PAUSE
                return_phase = phases.WORK
            regs = work.begin_order(regs, number, position.market, side, price, size, return_phase)
    values[0] = leaves.encode_account(account)
    return regs, margin._set_markets(values, 1, markets)


@internal
@pure
def settle_expired(
    account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> (leaves.Account, leaves.Market[leaves.MAX_POSITIONS]):
    """
    @notice Close the positions in settled dated futures at the settlement price.
    @dev Open interest is the sum of all long positions, so taking one of them off never underflows.
    """
    closed: leaves.Account = account
    left: leaves.Market[leaves.MAX_POSITIONS] = markets
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0 and markets[i].settled != 0:
            closed.collateral += margin.compute_value(position.size, convert(markets[i].mark, int256), markets[i])
            left[i].open_interest -= convert(max(position.size, 0), uint256)
            position.size = 0
            position.cost = 0
            closed.positions[i] = leaves.clear_if_empty(position)
    return closed, left


@internal
@pure
def compute_maintenance(
    account: leaves.Account, markets: leaves.Market[leaves.MAX_POSITIONS]
) -> (int256, int256, int256):
    """
    @return (equity, maintenance margin, close-out margin) of the positions, token units.
    """
    equity: int256 = account.collateral
    maintenance: int256 = 0
    close_out: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.market != 0:
            market: leaves.Market = markets[i]
            equity += margin.compute_value(position.size, convert(market.mark, int256), market)
            maintenance += self.compute_position_margin(position, market)
            close_out += margin.compute_requirement(abs(position.size) * convert(market.close_out, int256), market)
    return equity, maintenance, close_out


@internal
@pure
def compute_position_margin(position: leaves.Position, market: leaves.Market) -> int256:
    """
    @return Maintenance margin of a position, token units.
    """
    return margin.compute_requirement(margin.weigh_maintenance(abs(position.size), market), market)


@internal
@pure
def find_target(
    regs: registers.Registers,
    account: leaves.Account,
    markets: leaves.Market[leaves.MAX_POSITIONS],
    equity: int256,
) -> uint256:
    """
    @return Place of the position to reduce first: with the highest maintenance margin and a fresh price (the first of
            equals). An account in debt first loses the one in the market whose price has changed, however old that price
            is. MAX_POSITIONS if no position has a fresh price; fresh is what was so when the sweep began, however long it
            takes.
            Never one that has gained by the change: it waits for the next sweep. So while debts of this change are closed
            nobody comes onto the side that pays for them.
    """
    target: uint256 = leaves.MAX_POSITIONS
    highest: int256 = 0
    for i: uint256 in range(leaves.MAX_POSITIONS):
        position: leaves.Position = account.positions[i]
        if position.size != 0 and not self.has_gained(regs, position, markets[i]):
            if equity < 0 and position.market == regs.trigger_market:
                return i
            if marks.is_fresh(markets[i], regs.sweep_time):
                needed: int256 = self.compute_position_margin(position, markets[i])
                if needed > highest:
                    target = i
                    highest = needed
    return target


@internal
@pure
def has_gained(regs: registers.Registers, position: leaves.Position, market: leaves.Market) -> bool:
    """
    @return Whether the position has gained by the change of the mark that is swept.
    """
    is_better: bool = market.mark > regs.mark_before if position.size > 0 else market.mark < regs.mark_before
    return position.market == regs.trigger_market and is_better


@internal
@pure
def compute_loss(regs: registers.Registers, position: leaves.Position, market: leaves.Market) -> int256:
    """
    @return What the change of the mark that is swept took from the position, token units, and gave to the other side.
    """
    if position.market != regs.trigger_market:
        return 0
    change: int256 = convert(regs.mark_before, int256) - convert(market.mark, int256)
    return max(0, margin.compute_value(position.size, change, market))


@internal
@pure
def compute_share(
    position: leaves.Position,
    market: leaves.Market,
    equity: int256,
    maintenance: int256,
    close_out: int256,
    loss: int256,
) -> int256:
    """
    @return What of the account's equity the closing of the position may cost, token units; negative: what it must bring.
            Its part in the maintenance margin of a LIQUIDATION_PART of that margin, and of what the equity is below the
            middle of the margins, and what the mark is better for it than the index: nobody leaves by failing with a premium
            that goes. All that as long as there is so much. Of a debt the `loss` that made it at most: nobody else gained it.
    """
    if equity < 0:
        return max(equity, -loss)
    middle: int256 = integers.div_floor(maintenance + close_out, 2)
    part: int256 = integers.div_floor(maintenance, convert(phases.LIQUIDATION_PART, int256))
    given: int256 = part + max(0, middle - equity)
    needed: int256 = self.compute_position_margin(position, market)
    change: int256 = convert(market.mark, int256) - convert(market.index, int256)
    premium: int256 = max(0, margin.compute_value(position.size, change, market))
    return min(
        integers.div_floor(equity * needed, maintenance), integers.div_floor(given * needed, maintenance) + premium
    )


@internal
@pure
def compute_zero_price(position: leaves.Position, market: leaves.Market, share: int256) -> uint256:
    """
    @return The worst price, ticks, at which the position may close: it costs no more than `share` token units. Rounded in
            favour of the account.
    """
    room: int256 = integers.div_floor(share, abs(position.size) * convert(market.unit, int256))
    mark: int256 = convert(market.mark, int256)
    price: int256 = mark - room if position.size > 0 else mark + room
    return convert(min(max(price, 1), convert(keys.MAX_TICK, int256)), uint256)


@internal
@pure
def go_on(pre: registers.Registers, account: leaves.Account) -> registers.Registers:
    """
    @notice Go on with the holder after this one, which is taken out of the holders if it holds nothing any more.
    """
    regs: registers.Registers = pre
    place: uint256 = positions.find_position(account, regs.trigger_market)
    if place == leaves.MAX_POSITIONS or account.positions[place].size == 0:
        regs.phase = phases.STRIKE
    else:
        regs.sweep_word = holders.pass_visited(regs.sweep_word)
        regs.phase = phases.WORK
    return regs


@internal
@pure
def step_liquidated(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice After the book: visit the account again if it took anything, or has not been asked to its end; else turn to the
            backstop. Leaves: none.
    """
    regs: registers.Registers = pre
    store.check_count(w, 0)
    regs.return_phase = phases.WORK
    is_book_left: bool = regs.size < regs.amount or work.is_out_of_steps(regs)
    regs.phase = phases.WORK if is_book_left else phases.TAKEOVER
    return regs, w.values
