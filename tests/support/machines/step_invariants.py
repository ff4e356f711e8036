"""What must hold after every single step, read from the bytes of the leaves rather than from the rules' objects."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from tests.support.machines.holders import check_holders, read_words

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.rules.margin import PAYMENTS
from setoff.shared.rules.marks import is_fresh
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Level, Market, Order

RESERVED = {phases.MATCH, phases.PROBE, phases.NEXT, phases.FILL, phases.REST, phases.DROP}
"""Phases in which the order in flight holds a reservation of `size` lots that no resting order shows yet."""
SHARED = {phases.UNLINK, phases.UNLIST, phases.SEEK}
"""Phases shared with cancels, and with orders that are not reserved yet: what comes after them tells."""


# Most leaves stay as they are from one step to the next; nothing here changes what was decoded.
_account = lru_cache(4096)(leaves.decode_account)
_order = lru_cache(4096)(leaves.decode_order)
_level = lru_cache(4096)(leaves.decode_level)
_market = lru_cache(4096)(leaves.decode_market)


@dataclass
class Picture:
    """A machine's leaves, decoded."""

    machine: Machine
    accounts: dict[int, Account] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    levels: dict[tuple[int, int, int], Level] = field(default_factory=dict)
    words: dict[int, int] = field(default_factory=dict)
    holders: dict[int, int] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    withdrawn: int = 0

    def __post_init__(self) -> None:
        self.machine.state.commit()
        self.holders = read_words(self.machine.state.tree.items())
        for key, value in self.machine.state.tree.items():
            kind, body = key >> keys.BODY_BITS, key & (1 << keys.BODY_BITS) - 1
            if kind == keys.ACCOUNT:
                self.accounts[body] = _account(value)
            elif kind == keys.ORDER:
                self.orders[body] = _order(value)
            elif kind == keys.LEVEL:
                self.levels[body >> 26, body >> 24 & 3, body & keys.MAX_TICK] = _level(value)
            elif kind == keys.BITMAP:
                self.words[key] = leaves.decode_bitmap(value).word
            elif kind == keys.MARKET:
                self.markets[body] = _market(value)
            elif kind == keys.WITHDRAWAL:
                self.withdrawn += leaves.decode_withdrawal(value).amount


def check_invariants(machine: Machine, deposited: int) -> None:
    """All of them but health; `deposited` is the sum of all deposits that were accepted."""
    picture = Picture(machine)
    check_money(picture, deposited)
    check_positions(picture)
    check_reservations(picture)
    check_lists(picture)
    check_bitmaps(picture)
    check_index(picture)
    check_work(picture)


def check_money(picture: Picture, deposited: int) -> None:
    """Nothing is made and nothing is lost, to the unit.

    A position in a settled future that the sweep has not visited yet stands for the cash it will become.
    """
    regs = picture.machine.regs
    total = sum(account.collateral for account in picture.accounts.values())
    total += sum(market.insurance + market.pool for market in picture.markets.values())
    for account in picture.accounts.values():
        for position in account.positions:
            if position.market and picture.markets[position.market].settled:
                market = picture.markets[position.market]
                total += position.size * market.mark * market.unit
    assert total == regs.owed
    assert regs.owed + picture.withdrawn == deposited
    assert regs.owed >= 0
    assert min((market.insurance for market in picture.markets.values()), default=0) >= 0
    shares = {number: account.shares for number, account in picture.accounts.items()}
    assert shares.pop(keys.BACKSTOP, 0) == sum(shares.values())


def check_positions(picture: Picture) -> None:
    """Every long has its short; open interest is the longs; no market twice, no empty place in use."""
    sizes: defaultdict[int, int] = defaultdict(int)
    longs: defaultdict[int, int] = defaultdict(int)
    for number, account in picture.accounts.items():
        used = [position for position in account.positions if position.market]
        assert len({position.market for position in used}) == len(used)
        for position in used:
            held = position.size or position.bids or position.asks or position.orders
            assert held or is_arming(picture.machine, number, position.market)
            assert abs(position.size) <= records.MAX_POSITION or number == keys.BACKSTOP
            assert position.cost * position.size > 0 or position.cost == position.size == 0
            sizes[position.market] += position.size
            longs[position.market] += max(position.size, 0)
    for number, market in picture.markets.items():
        assert market.open_interest == longs[number]
        assert sizes[number] == 0 or market.settled


def get_phase(machine: Machine) -> int:
    """The phase the machine is in, or goes on with once holders are entered: that changes nothing in the book."""
    regs = machine.regs
    return regs.enrol_phase if regs.phase == phases.ENROL else regs.phase


def is_arming(machine: Machine, account: int, market: int) -> bool:
    """Whether the place is one that an armed order in flight has taken, which reserves nothing else."""
    regs = machine.regs
    in_flight = regs.phase in (phases.MARGIN, phases.REST) and regs.flags & records.ARMED
    return bool(in_flight) and (regs.account, regs.market) == (account, market)


def is_reserved(machine: Machine) -> bool:
    """Whether the order in flight is counted among its account's open orders."""
    regs, phase = machine.regs, get_phase(machine)
    if phase == phases.MARGIN:
        is_payment = regs.kind in PAYMENTS
        return not is_payment and not regs.flags & records.ARMED
    if phase in SHARED:
        return regs.next_phase in (phases.MATCH, phases.DROP)
    return phase in RESERVED and not regs.flags & records.ARMED


def check_reservations(picture: Picture) -> None:
    """What a position counts as open is exactly its orders in the book, dead ones too, and the order in flight.

    Its count of orders, and the account's word of order slots, are exactly those that have a leaf.
    """
    regs = picture.machine.regs
    reserved: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    counts: Counter[tuple[int, int]] = Counter()
    words: defaultdict[int, int] = defaultdict(int)
    for handle, order in picture.orders.items():
        number = keys.handle_account(handle)
        counts[number, order.market] += 1
        words[number] |= 1 << keys.handle_order_slot(handle)
        if not order.flags & records.ARMED:
            reserved[number, order.market, order.side] += order.size
    if is_reserved(picture.machine):
        reserved[regs.account, regs.market, regs.side] += regs.size
    for number, account in picture.accounts.items():
        assert account.orders == words.pop(number, 0)
        for position in account.positions:
            assert position.orders == counts.pop((number, position.market), 0)
            if position.market:
                assert position.bids == reserved.pop((number, position.market, records.BUY), 0)
                assert position.asks == reserved.pop((number, position.market, records.SELL), 0)
    assert not any(reserved.values())
    assert not counts
    assert not words


def check_lists(picture: Picture) -> None:
    """Every level's list leads from head to tail through all its orders and no others, oldest first."""
    seen: set[int] = set()
    in_flight = get_phase(picture.machine) == phases.UNLINK
    for (market, side, tick), level in picture.levels.items():
        size = count = before = last = 0
        handle = level.head
        while handle:
            order = picture.orders[handle]
            assert (order.market, order.prev) == (market, before)
            if side in (records.BUY, records.SELL):
                assert (order.side, order.price, order.trigger, order.flags & records.ARMED) == (side, tick, 0, 0)
            else:
                assert order.flags & records.ARMED == (records.ABOVE if side == keys.ABOVE else records.BELOW)
                assert order.trigger == tick
            assert order.sequence > last
            assert order.size or (in_flight and handle == picture.machine.regs.cursor)
            seen.add(handle)
            size, count, before, last = size + order.size, count + 1, handle, order.sequence
            handle = order.next
        assert (level.tail, level.size, level.count) == (before, size, count)
        assert count
    assert seen == set(picture.orders)


def check_bitmaps(picture: Picture) -> None:
    """Exactly the levels in use are marked, in three words each; the best prices are the best marked ones."""
    regs = picture.machine.regs
    listed = set(picture.levels)
    now = (regs.level_market, regs.level_side, regs.tick)
    if regs.phase == phases.LIST:
        listed.discard(now)
    elif regs.phase == phases.UNLIST:
        listed.add(now)
    words: defaultdict[int, int] = defaultdict(int)
    for place, side, tick in listed:
        for depth in (0, 1, 2):
            words[keys.bitmap_key(keys.level_tree(place, side), depth, tick)] |= 1 << keys.bitmap_bit(depth, tick)
    assert picture.words == words
    if regs.phase == phases.SEEK:
        listed.add(now)
    for number, market in picture.markets.items():
        ticks = [[tick for m, s, tick in listed if (m, s) == (number, side)] for side in range(4)]
        assert market.best_bid == max(ticks[records.BUY], default=0)
        assert market.best_ask == min(ticks[records.SELL], default=0)
        assert market.stop_above == min(ticks[keys.ABOVE], default=0)
        assert market.stop_below == max(ticks[keys.BELOW], default=0)
        if regs.phase in (phases.IDLE, phases.WORK):
            # Nothing in the book could have matched.
            assert not (market.best_bid and market.best_ask) or market.best_bid < market.best_ask


def check_index(picture: Picture) -> None:
    """Whoever holds something in a market is found by the next change of its price."""
    held = {
        (position.market, number)
        for number, account in picture.accounts.items()
        for position in account.positions
        if position.size
    }
    settled = {number for number, market in picture.markets.items() if market.settled}
    check_holders(picture.holders, held, settled, picture.machine.regs)


def check_work(picture: Picture) -> None:
    """An idle machine has either nothing left to do of its own, or says so."""
    regs = picture.machine.regs
    # The market under a sweep is that whose armed orders come after it.
    assert regs.trigger_market or not (regs.sweeping or regs.ranking)
    assert regs.sweeping or not regs.ranking
    if regs.phase == phases.IDLE:
        left = bool(regs.sweeping or regs.trigger_market or regs.unwind or regs.ranking)
        assert regs.has_work == left
        assert regs.return_phase == (phases.WORK if regs.has_work else phases.IDLE)
        if not left:
            for market in picture.markets.values():
                # No armed order whose trigger the mark has reached still waits.
                assert market.stop_above == 0 or market.stop_above > market.mark
                assert market.stop_below == 0 or market.stop_below < market.mark


def find_unhealthy(machine: Machine) -> list[int]:
    """Accounts below maintenance with a position that has a fresh price, or in debt without any position.

    None once the work after a change of price is done.
    """
    state, time = machine.state, machine.regs.time
    found = []
    for number in Picture(machine).accounts:
        account = state.account(number)
        equity, maintenance, _ = compute_maintenance(state, account)
        held = [state.market(position.market) for position in account.positions if position.size]
        if equity < maintenance and (not held or any(is_fresh(market, time) for market in held)):
            found.append(number)
    state.touched.clear()
    return found
