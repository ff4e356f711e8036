"""Liquidation, forced by the rulebook: sweep, and slices to the book.

An account below maintenance loses its orders, one after the other; then its largest position is offered to the book in
slices, at its least price or better: a little from the mark, more if the account is deep below, and never beyond the
zero price, at which it gives up just that position's share of equity. After the first slice an account that is not deep
below waits a while. Then what the book does not take goes to the backstop vault (`backstop.py`), and what that cannot
take to the opposite accounts in the order of their scores (`deleveraging.py`). A sweep of the holders of a market ends
only when each is healthy, waits, or has nothing left that could be reduced.

A debt is closed in the market that made it. Its insurance pays first, but not where the change could be seen coming,
by whoever may hold both sides: by an index that comes after a cut or an old one, or after long; at a settlement; nor
for an account that was below its maintenance margin before the change. The rest is closed between the mark before the
change and the mark, where each on the other side has gained as much a lot. What that does not bring stays the account's
own.
"""

from __future__ import annotations

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM, div_floor, div_up
from setoff.shared.rules import phases
from setoff.shared.rules.calls import is_calling
from setoff.shared.rules.exits import note_draw
from setoff.shared.rules.holders import get_visited, pass_visited
from setoff.shared.rules.margin import compute_requirement, compute_value, settle_account, weigh_maintenance
from setoff.shared.rules.marks import is_fresh
from setoff.shared.rules.orders import unlink_first
from setoff.shared.rules.positions import find_position, reserve
from setoff.shared.rules.work import begin_order, is_out_of_steps
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market, Position
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def step_sweep(regs: Registers, state: State) -> None:
    """Visit one holder: settle what is due, and begin its liquidation if it is below maintenance.

    First its orders leave the book, one a visit, so that a piece of work stays small. In a wind-down only a debt is
    liquidated, never through the book: every position is about to be closed at its mark. During a call of its market a
    position waits as long as its account is above the close-out margin, below which the book is not asked. While more
    than half of the way from that to maintenance is left, only the book is asked for a first slice, and then the
    account waits.
    Leaves: account, the market of each of its positions, in place order.
    """
    number = get_visited(regs.sweep_end, regs.sweep_word)
    account = state.account(number)
    settle_account(state, account, regs.time)
    settle_expired(state, account)
    equity, maintenance, close_out = compute_maintenance(state, account)
    least = 0 if regs.winding_since else maintenance
    target = find_target(regs, state, account, equity) if equity < least and regs.skip_account == 0 else None
    regs.skip_account = 0
    is_gentle = 2 * equity > maintenance + close_out
    if target is None or (is_gentle and regs.time < account.paused_until):
        go_on(regs, account)
        return
    if account.orders:
        regs.clear()
        regs.return_phase = phases.WORK
        unlink_first(regs, number, account, phases.WORK)
        return
    market = state.market(target.market)
    if equity > close_out and is_calling(market, regs.time):
        go_on(regs, account)
        return
    loss = compute_loss(regs, target, market)
    if equity < 0:
        is_insured = market.index_flags & phases.INDEX_RETURNING == 0 and equity + loss >= maintenance
        drawn = min(-equity, market.insurance) if is_insured else 0
        account.collateral += drawn
        market.insurance -= drawn
        note_draw(regs, drawn)
        equity += drawn
    side = records.SELL if target.size > 0 else records.BUY
    share = compute_share(target, market, equity, maintenance, close_out, loss)
    price = compute_zero_price(target, market, share)
    if equity <= close_out:
        begin_order(regs, number, target.market, side, price, abs(target.size), phases.WORK)
        regs.phase = phases.TAKEOVER
    else:
        size = div_up(abs(target.size), phases.LIQUIDATION_SLICES)
        reserve(target, side, size)
        return_phase = phases.LIQUIDATED
        if is_gentle and regs.time >= account.paused_until + phases.LIQUIDATION_WINDOW:
            account.paused_until = regs.time + phases.LIQUIDATION_PAUSE
            return_phase = phases.WORK
        begin_order(regs, number, target.market, side, price, size, return_phase)


def settle_expired(state: State, account: Account) -> None:
    """Close the positions in settled dated futures at the settlement price. Leaves: as `settle_account`."""
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            if market.settled:
                account.collateral += compute_value(position.size, market.mark, market)
                market.open_interest -= max(position.size, 0)
                position.size = 0
                position.cost = 0
                position.clear_if_empty()


def compute_maintenance(state: State, account: Account) -> tuple[int, int, int]:
    """(equity, maintenance margin, close-out margin) of the positions, token units. Leaves: as `settle_account`."""
    equity = account.collateral
    maintenance = 0
    close_out = 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            equity += compute_value(position.size, market.mark, market)
            maintenance += compute_position_margin(position, market)
            close_out += compute_requirement(abs(position.size) * market.close_out, market)
    return equity, maintenance, close_out


def compute_position_margin(position: Position, market: Market) -> int:
    """Maintenance margin of a position, token units."""
    return compute_requirement(weigh_maintenance(abs(position.size), market), market)


def compute_liquidation_price(position: Position, market: Market, buffer: int) -> int | None:
    """Mark, ticks, from which on the account is below maintenance if every other price stays; None if there is none.

    But for what rounding up adds to a margin.
    """
    size = abs(position.size)
    if size == 0 or market.settled:
        return None
    weight = weigh_maintenance(size, market)
    per_tick = market.unit * (size * PPM - weight if position.size > 0 else size * PPM + weight)
    if per_tick == 0:
        return None
    room = buffer * PPM // per_tick + 1 if buffer >= 0 else 0
    price = market.mark - room if position.size > 0 else market.mark + room
    return price if 1 <= price <= keys.MAX_TICK else None


def find_target(regs: Registers, state: State, account: Account, equity: int) -> Position | None:
    """The position to reduce first: with the highest maintenance margin and a fresh price (the first of equals).

    An account in debt first loses the one in the market whose price has changed, however old that price is. None if no
    position has a fresh price; fresh is what was so when the sweep began, however long it takes.
    Never one that has gained by the change: it waits for the next sweep. So while debts of this change are closed
    nobody comes onto the side that pays for them. Leaves: as `settle_account`.
    """
    target: Position | None = None
    highest = 0
    for position in account.positions:
        if position.size:
            market = state.market(position.market)
            if has_gained(regs, position, market):
                continue
            if equity < 0 and position.market == regs.trigger_market:
                return position
            if is_fresh(market, regs.sweep_time):
                margin = compute_position_margin(position, market)
                if margin > highest:
                    target = position
                    highest = margin
    return target


def has_gained(regs: Registers, position: Position, market: Market) -> bool:
    """Whether the position has gained by the change of the mark that is swept."""
    is_better = market.mark > regs.mark_before if position.size > 0 else market.mark < regs.mark_before
    return position.market == regs.trigger_market and is_better


def compute_loss(regs: Registers, position: Position, market: Market) -> int:
    """What the change of the mark that is swept took from the position, token units, and gave to the other side."""
    if position.market != regs.trigger_market:
        return 0
    return max(0, compute_value(position.size, regs.mark_before - market.mark, market))


def compute_share(position: Position, market: Market, equity: int, maintenance: int, close_out: int, loss: int) -> int:
    """What of the account's equity the closing of the position may cost, token units; negative: what it must bring.

    Its part in the maintenance margin of a LIQUIDATION_PART of that margin, and of what the equity is below the middle
    of the margins, and what the mark is better for it than the index: nobody leaves by failing with a premium. All
    that as long as there is so much. Of a debt the `loss` that made it at most: nobody else gained it.
    """
    if equity < 0:
        return max(equity, -loss)
    middle = div_floor(maintenance + close_out, 2)
    given = div_floor(maintenance, phases.LIQUIDATION_PART) + max(0, middle - equity)
    needed = compute_position_margin(position, market)
    premium = max(0, compute_value(position.size, market.mark - market.index, market))
    return min(div_floor(equity * needed, maintenance), div_floor(given * needed, maintenance) + premium)


def compute_zero_price(position: Position, market: Market, share: int) -> int:
    """The worst price, ticks, at which the position may close: it costs no more than `share` token units.

    Rounded in favour of the account.
    """
    room = div_floor(share, abs(position.size) * market.unit)
    price = market.mark - room if position.size > 0 else market.mark + room
    return min(max(price, 1), keys.MAX_TICK)


def go_on(regs: Registers, account: Account) -> None:
    """Go on with the holder after this one, which is taken out of the holders if it holds nothing any more."""
    position = find_position(account, regs.trigger_market)
    if position is None or position.size == 0:
        regs.phase = phases.STRIKE
    else:
        regs.sweep_word = pass_visited(regs.sweep_word)
        regs.phase = phases.WORK


def step_liquidated(regs: Registers, state: State) -> None:
    """After the book: visit the account again if it took anything, or has not been asked to its end; else turn to the
    backstop. Leaves: none.
    """
    regs.return_phase = phases.WORK
    is_book_left = regs.size < regs.amount or is_out_of_steps(regs)
    regs.phase = phases.WORK if is_book_left else phases.TAKEOVER
