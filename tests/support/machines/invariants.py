"""What must hold in every state, between inputs and after every single step of one: money, positions, orders, book."""

from collections import Counter, defaultdict
from operator import itemgetter

from tests.support.machines.holders import check_holders, expect_words
from tests.support.machines.picture import Picture, count_credit

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.rules.margin import PAYMENTS
from setoff.shared.rules.marks import is_fresh
from setoff.shared.state import keys, leaves
from setoff.shared.state.registers import Registers

RESERVED = {phases.MATCH, phases.PROBE, phases.NEXT, phases.FILL, phases.REST, phases.DROP}
"""Phases in which the order in flight holds a reservation of `size` lots that no resting order shows yet."""
SHARED = {phases.UNLINK, phases.UNLIST, phases.SEEK}
"""Phases shared with cancels, and with orders that are not reserved yet: what comes after them tells."""

NOBODY = bytes(20)
ZEROES = frozenset(bytes(size) for size in range(leaves.ACCOUNT_BYTES + 1))
"""Values that no leaf has: it is absent then."""


def check_invariants(machine: Machine, deposited: int, *, was_called_off: bool = False) -> None:
    """All of them but health; `deposited` is the sum of all deposits that were accepted.

    `was_called_off`: whether a wind-down was, which no record can do; armed orders that the mark reached in it wait.
    """
    machine.state.commit()
    picture, regs = Picture.of(machine.state.tree.items()), machine.regs
    assert ZEROES.isdisjoint(map(itemgetter(1), machine.state.tree.items()))
    check_money(picture, regs, deposited)
    check_positions(picture, regs)
    check_reservations(picture, regs)
    check_lists(picture, regs)
    check_pairs(picture)
    check_bitmaps(picture, regs)
    check_index(picture, regs)
    check_work(regs)
    check_requests(picture, regs)
    check_exits(picture, regs)
    if not was_called_off:
        check_triggers(picture, regs)


def check_money(picture: Picture, regs: Registers, deposited: int) -> None:
    """Nothing is made and nothing is lost, to the unit."""
    money, shares = count_credit(regs)
    assert picture.money() + money == regs.owed
    assert regs.owed + picture.withdrawn == deposited
    assert regs.owed >= 0
    assert all(market.insurance >= 0 for market in picture.markets.values())
    accounts = picture.accounts.items()
    generation, issued = next(((a.generation, a.shares) for number, a in accounts if number == keys.BACKSTOP), (0, 0))
    held = sum(a.shares for number, a in accounts if number != keys.BACKSTOP and a.generation == generation)
    held += sum(
        request.amount
        for request in picture.requests.values()
        if request.kind == records.BACKSTOP_WITHDRAW and request.generation == generation
    )
    assert held + shares == issued


def check_positions(picture: Picture, regs: Registers) -> None:
    """Every long has its short; open interest is the longs; no market twice, no empty place in use.

    Every master account but the backstop's has an owner.
    """
    sizes: defaultdict[int, int] = defaultdict(int)
    longs: defaultdict[int, int] = defaultdict(int)
    for number, account in picture.accounts.items():
        assert number == keys.BACKSTOP or number > keys.MAX_ACCOUNT or account.owner != NOBODY
        used = picture.positions[number]
        assert len({position.market for position in used}) == len(used)
        for position in used:
            market, size = position.market, position.size
            held = size or position.bids or position.asks or position.orders
            assert held or is_arming(regs, number, market)
            assert abs(size) <= records.MAX_POSITION or number == keys.BACKSTOP
            assert position.cost * size > 0 or position.cost == size == 0
            sizes[market] += size
            longs[market] += max(size, 0)
    assert sizes.keys() <= picture.markets.keys()
    for number, leaf in picture.markets.items():
        assert leaf.open_interest == longs[number]
        assert sizes[number] == 0 or leaf.settled


def get_phase(regs: Registers) -> int:
    """The phase the machine is in, or goes on with once holders are entered, or with the next record.

    Neither changes anything in the book.
    """
    if regs.phase == phases.IDLE and regs.has_work:
        return regs.next_phase
    return regs.enrol_phase if regs.phase == phases.ENROL else regs.phase


def is_arming(regs: Registers, account: int, market: int) -> bool:
    """Whether the place is one that an armed order in flight has taken, which reserves nothing else."""
    in_flight = regs.phase in (phases.MARGIN, phases.REST) and regs.flags & records.ARMED
    return bool(in_flight) and (regs.account, regs.market) == (account, market)


def is_reserved(regs: Registers) -> bool:
    """Whether the order in flight is counted among its account's open orders."""
    phase = get_phase(regs)
    if phase == phases.MARGIN:
        is_payment = regs.kind in PAYMENTS
        return not is_payment and not regs.flags & records.ARMED
    if phase in SHARED:
        return regs.next_phase in (phases.MATCH, phases.DROP)
    return phase in RESERVED and not regs.flags & records.ARMED


def check_reservations(picture: Picture, regs: Registers) -> None:
    """What a position counts as open is exactly its orders in the book, dead ones too, and the order in flight.

    Its count of orders, and the account's word of order slots, are exactly those that have a leaf.
    """
    reserved: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    counts: Counter[tuple[int, int]] = Counter()
    words: defaultdict[int, int] = defaultdict(int)
    for handle, order in picture.orders.items():
        number = keys.handle_account(handle)
        counts[number, order.market] += 1
        words[number] |= 1 << keys.handle_order_slot(handle)
        if not order.flags & records.ARMED:
            reserved[number, order.market, order.side] += order.size
    if is_reserved(regs):
        reserved[regs.account, regs.market, regs.side] += regs.size
    for number, account in picture.accounts.items():
        assert account.orders == words.pop(number, 0)
        for position in picture.positions[number]:
            market = position.market
            assert position.orders == counts.pop((number, market), 0)
            assert position.bids == reserved.pop((number, market, records.BUY), 0)
            assert position.asks == reserved.pop((number, market, records.SELL), 0)
    assert not any(reserved.values())
    assert not counts
    assert not words


def find_used_up(regs: Registers) -> set[int]:
    """Handles of the orders without lots that are about to leave the book: at a fill one, at a call's end two."""
    phase = get_phase(regs)
    used_up = {regs.cursor} if phase == phases.UNLINK else set()
    return used_up | {regs.peer} if phases.PAIR in (phase, regs.next_phase) else used_up


def check_lists(picture: Picture, regs: Registers) -> None:
    """Every level's list leads from head to tail through all its orders and no others, oldest first."""
    seen: set[int] = set()
    used_up = find_used_up(regs)
    for (market, side, tick), level in picture.levels.items():
        size = count = before = last = 0
        handle = level.head
        while handle:
            assert handle not in seen
            order = picture.orders[handle]
            assert (order.market, order.prev) == (market, before)
            if side in (records.BUY, records.SELL):
                assert (order.side, order.price, order.trigger, order.flags & records.ARMED) == (side, tick, 0, 0)
            else:
                assert order.flags & records.ARMED == (records.ABOVE if side == keys.ABOVE else records.BELOW)
                assert order.trigger == tick
            assert order.sequence > last
            assert order.size or handle in used_up
            seen.add(handle)
            size, count, before, last = size + order.size, count + 1, handle, order.sequence
            handle = order.next
        assert (level.tail, level.size, level.count) == (before, size, count)
        assert count
    assert seen == set(picture.orders)


def check_pairs(picture: Picture) -> None:
    """A partner is an armed order of the same account and market, on the other side of the mark, and says the same."""
    for handle, order in picture.orders.items():
        if order.partner:
            other = keys.order_handle(keys.handle_account(handle), order.partner - 1)
            partner = picture.orders[other]
            assert partner.partner == keys.handle_order_slot(handle) + 1
            assert partner.market == order.market
            assert {order.flags & records.ARMED, partner.flags & records.ARMED} == {records.ABOVE, records.BELOW}


def check_bitmaps(picture: Picture, regs: Registers) -> None:
    """Exactly the levels in use are marked, in three words each; the best prices are the best marked ones."""
    listed = set(picture.levels)
    now = (regs.level_market, regs.level_side, regs.tick)
    if regs.phase == phases.LIST:
        listed.discard(now)
    elif regs.phase == phases.UNLIST:
        listed.add(now)
    marked = frozenset((keys.level_tree(market, side), tick) for market, side, tick in listed)
    assert picture.bitmaps == expect_words(marked)
    if regs.phase == phases.SEEK:
        listed.add(now)
    ticks: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for number, side, tick in listed:
        ticks[number, side].append(tick)
    for number, market in picture.markets.items():
        assert market.best_bid == max(ticks[number, records.BUY], default=0)
        assert market.best_ask == min(ticks[number, records.SELL], default=0)
        assert market.stop_above == min(ticks[number, keys.ABOVE], default=0)
        assert market.stop_below == max(ticks[number, keys.BELOW], default=0)
        if regs.phase in (phases.IDLE, phases.WORK):
            # Nothing in the book could have matched, where it has not to wait for an auction.
            assert market.call_minutes or not (market.best_bid and market.best_ask) or market.best_bid < market.best_ask


def check_index(picture: Picture, regs: Registers) -> None:
    """Whoever holds something in a market is found by the next change of its price."""
    held = {(p.market, number) for number, used in picture.positions.items() for p in used if p.size}
    settled = {number for number, market in picture.markets.items() if market.settled}
    check_holders(picture.holders, held, settled, regs)


def check_work(regs: Registers) -> None:
    """An idle machine has either nothing left to do, or says so, and with what it goes on."""
    # The market under a sweep is that whose armed orders come after it.
    assert regs.trigger_market or not regs.sweeping
    assert regs.sweeping or not regs.deleveraging
    assert regs.deleveraging or not regs.ranking
    if regs.phase == phases.IDLE:
        left = bool(regs.sweeping or regs.trigger_market or regs.unwind or regs.settling)
        assert regs.has_work or (not left and regs.return_phase == phases.IDLE)
        if regs.has_work and regs.next_phase == phases.WORK:
            assert left and regs.return_phase == phases.WORK
        elif regs.has_work and regs.next_phase == phases.LEG:
            assert not left and regs.return_phase == phases.LEG
        elif regs.has_work and regs.next_phase in (phases.TALLY, phases.PAIR):
            assert not left and regs.return_phase == phases.LEG
            assert regs.kind in (records.CRANK, records.ORDER, records.AMEND)
        elif regs.has_work:
            assert regs.next_phase == phases.MARGIN and regs.kind in (records.ORDER, records.AMEND)
            assert regs.return_phase in (phases.WORK, phases.LEG) and regs.size


def check_requests(picture: Picture, regs: Registers) -> None:
    """Requests of the backstop are one list, in the order in which they are due; idle, none waits that could be settled
    without a look at a price."""
    listed: list[int] = []
    due = 0
    number = regs.first_request
    while number:
        assert number not in listed
        listed.append(number)
        request = picture.requests[number]
        assert request.amount and request.due >= due
        assert request.kind in (records.BACKSTOP_DEPOSIT, records.BACKSTOP_WITHDRAW)
        due, number = request.due, request.next
    assert set(listed) == set(picture.requests)
    assert regs.last_request == (listed[-1] if listed else 0)
    assert not (regs.settling and regs.phase == phases.IDLE and not regs.has_work)


def check_exits(picture: Picture, regs: Registers) -> None:
    """What was taken out is counted on masters alone, and under a limit that is there or is over."""
    assert regs.limited_since <= regs.time
    for number, account in picture.accounts.items():
        assert account.exit_since <= regs.limited_since
        assert account.taken == 0 or (account.exit_since and keys.BACKSTOP < number <= keys.MAX_ACCOUNT)


def check_triggers(picture: Picture, regs: Registers) -> None:
    """No armed order whose trigger a fresh mark has reached waits once all work is done; in a wind-down none enters."""
    if regs.phase == phases.IDLE and not regs.has_work and not regs.winding_since:
        for market in picture.markets.values():
            if market.call_minutes or not is_fresh(market, regs.time):
                continue  # until the first change of a price after a call, or an index that is fresh
            assert market.stop_above == 0 or market.stop_above > market.mark
            assert market.stop_below == 0 or market.stop_below < market.mark


def find_unhealthy(machine: Machine) -> list[int]:
    """Accounts below maintenance (in a wind-down: in debt) with a position that has a fresh price, or in debt without
    any position.

    None once the work after a change of price is done. In a market with calls only those at close-out count. Who waits
    after a first slice has more than the middle of the margins.
    """
    state, time = machine.state, machine.regs.time
    found = []
    state.commit()
    for number in Picture.of(state.tree.items()).accounts:
        account = state.account(number)
        equity, maintenance, close_out = compute_maintenance(state, account)
        held = [state.market(position.market) for position in account.positions if position.size]
        least = 0 if machine.regs.winding_since else maintenance
        if any(market.call_minutes for market in held):
            least = min(least, close_out)  # until the first change of a price after a call
        if time < account.paused_until and 2 * equity > maintenance + close_out:
            continue
        if equity < least and (not held or any(is_fresh(market, time) for market in held)):
            found.append(number)
    state.commit()
    return found
