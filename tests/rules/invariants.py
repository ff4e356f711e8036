"""What must hold after every single step, read from the bytes of the leaves rather than from the rules' objects."""

from collections import defaultdict
from dataclasses import dataclass, field

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Level, Market, Order

#: Phases in which the order in flight holds a reservation of `size` lots that no resting order shows yet.
RESERVED = {
    phases.MARGIN,
    phases.MATCH,
    phases.PROBE,
    phases.FILL,
    phases.UNLINK,
    phases.UNLIST,
    phases.SEEK,
    phases.REST,
    phases.DROP,
}


@dataclass
class Picture:
    """A machine's leaves, decoded."""

    machine: Machine
    accounts: dict[int, Account] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    levels: dict[tuple[int, int, int], Level] = field(default_factory=dict)
    words: dict[int, int] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    withdrawn: int = 0

    def __post_init__(self) -> None:
        self.machine.state.commit()
        for key, value in self.machine.state.tree.items():
            kind, body = key >> keys.BODY_BITS, key & (1 << keys.BODY_BITS) - 1
            if kind == keys.ACCOUNT:
                self.accounts[body] = leaves.decode_account(value)
            elif kind == keys.ORDER:
                self.orders[body] = leaves.decode_order(value)
            elif kind == keys.LEVEL:
                self.levels[body >> 25, body >> 24 & 1, body & keys.MAX_TICK] = leaves.decode_level(value)
            elif kind == keys.BITMAP:
                self.words[key] = leaves.decode_bitmap(value).word
            elif kind == keys.MARKET:
                self.markets[body] = leaves.decode_market(value)
            elif kind == keys.WITHDRAWAL:
                self.withdrawn += leaves.decode_withdrawal(value).amount


def check_invariants(machine: Machine, deposited: int) -> None:
    """All of them; `deposited` is the sum of all deposits that were accepted."""
    picture = Picture(machine)
    check_money(picture, deposited)
    check_positions(picture)
    check_reservations(picture)
    check_lists(picture)
    check_bitmaps(picture)


def check_money(picture: Picture, deposited: int) -> None:
    """Nothing is made and nothing is lost, to the unit."""
    collateral = sum(account.collateral for account in picture.accounts.values())
    fees = [market.fees for market in picture.markets.values()]
    assert collateral + sum(fees) + picture.withdrawn == deposited
    assert min(fees, default=0) >= 0


def check_positions(picture: Picture) -> None:
    """Every long has its short; open interest is the longs; no market twice, no empty place in use."""
    sizes: defaultdict[int, int] = defaultdict(int)
    longs: defaultdict[int, int] = defaultdict(int)
    for account in picture.accounts.values():
        used = [position for position in account.positions if position.market]
        assert len({position.market for position in used}) == len(used)
        for position in used:
            assert position.size or position.bids or position.asks
            assert abs(position.size) <= phases.MAX_POSITION
            assert position.cost * position.size > 0 or position.cost == position.size == 0
            sizes[position.market] += position.size
            longs[position.market] += max(position.size, 0)
    assert not any(sizes.values())
    for number, market in picture.markets.items():
        assert market.open_interest == longs[number]


def check_reservations(picture: Picture) -> None:
    """What a position counts as open is exactly its resting orders, and the order in flight."""
    regs = picture.machine.regs
    reserved: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for handle, order in picture.orders.items():
        reserved[keys.handle_account(handle), order.market, order.side] += order.size
    if regs.kind == records.ORDER and regs.phase in RESERVED:
        reserved[regs.account, regs.market, regs.side] += regs.size
    for number, account in picture.accounts.items():
        for position in account.positions:
            if position.market:
                assert position.bids == reserved.pop((number, position.market, records.BUY), 0)
                assert position.asks == reserved.pop((number, position.market, records.SELL), 0)
    assert not any(reserved.values())


def check_lists(picture: Picture) -> None:
    """Every level's list leads from head to tail through all its orders and no others, oldest first."""
    seen: set[int] = set()
    in_flight = picture.machine.regs.phase == phases.UNLINK
    for (market, side, tick), level in picture.levels.items():
        size = count = before = last = 0
        handle = level.head
        while handle:
            order = picture.orders[handle]
            assert (order.market, order.side, order.price, order.prev) == (market, side, tick, before)
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
    now = (regs.market, regs.level_side, regs.tick)
    if regs.phase == phases.LIST:
        listed.discard(now)
    elif regs.phase == phases.UNLIST:
        listed.add(now)
    words: defaultdict[int, int] = defaultdict(int)
    for market, side, tick in listed:
        for depth in (0, 1, 2):
            words[keys.bitmap_key(market, side, depth, tick)] |= 1 << keys.bitmap_bit(depth, tick)
    assert picture.words == words
    for number, market in picture.markets.items():
        bids = [tick for m, side, tick in listed if (m, side) == (number, records.BUY)]
        asks = [tick for m, side, tick in listed if (m, side) == (number, records.SELL)]
        if regs.phase == phases.SEEK and regs.market == number:
            (bids if regs.level_side == records.BUY else asks).append(regs.tick)
        assert market.best_bid == max(bids, default=0)
        assert market.best_ask == min(asks, default=0)
        if regs.phase == phases.IDLE:
            assert not (bids and asks) or max(bids) < min(asks)
