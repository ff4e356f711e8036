"""What must hold in every state: no unit is lost, every lot has two sides, and the book is what the orders say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tests.support.judge.bench import Step
from tests.support.machines.holders import check_holders, read_words

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules.levels import get_best, get_level_side, get_level_tick, is_highest_first
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order

SIDES = (records.BUY, records.SELL, keys.ABOVE, keys.BELOW)

# A step leaves most of its leaves as the step before did. What these give is only read.
read_account = lru_cache(4096)(leaves.decode_account)
read_market = lru_cache(4096)(leaves.decode_market)


@dataclass
class Picture:
    """Leaves by kind, decoded."""

    accounts: dict[int, Account] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    bitmaps: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    withdrawn: int = 0

    @classmethod
    def of(cls, items: Mapping[int, bytes]) -> Picture:
        picture = cls()
        for key, value in items.items():
            kind, body = key >> keys.BODY_BITS, key & (1 << keys.BODY_BITS) - 1
            if kind == keys.ACCOUNT:
                picture.accounts[body] = read_account(value)
            elif kind == keys.ORDER:
                picture.orders[body] = leaves.decode_order(value)
            elif kind == keys.MARKET:
                picture.markets[body] = read_market(value)
            elif kind == keys.BITMAP:
                place = body >> 20, body >> 18 & 3, body >> 16 & 3, body & 0xFFFF
                picture.bitmaps[place] = leaves.decode_bitmap(value).word
            elif kind == keys.WITHDRAWAL:
                picture.withdrawn += leaves.decode_withdrawal(value).amount
        return picture

    def money(self) -> int:
        """Token units owed: collateral, insurance and funding pools, and what settled positions are worth (each account
        gets that when it is next visited)."""
        total = sum(account.collateral for account in self.accounts.values())
        total += sum(market.insurance + market.pool for market in self.markets.values())
        for market, lots in self.lots().items():
            leaf = self.markets.get(market)
            if leaf is not None and leaf.settled:
                total += lots * leaf.mark * leaf.unit
        return total

    def lots(self) -> Counter[int]:
        """Sum of all positions, by market."""
        lots: Counter[int] = Counter()
        for account in self.accounts.values():
            for position in account.positions:
                lots[position.market] += position.size
        return lots


def check_conservation(step: Step) -> None:
    """A step changes what there is only by what the vault owes; and the sum of no market's positions."""
    if step.old == step.new:
        assert step.after.owed == step.before.owed, step.kind
        return
    before, after = Picture.of(step.old), Picture.of(step.new)
    assert after.money() - before.money() == step.after.owed - step.before.owed, step.kind
    assert after.withdrawn - before.withdrawn == max(0, step.before.owed - step.after.owed), step.kind
    for market in before.lots() | after.lots():
        same = before.lots()[market] == after.lots()[market]
        assert same or (step.kind == "sweep" and after.markets[market].settled), step.kind


def check_state(machine: Machine, deposited: int) -> None:
    """The whole state of an idle machine: money, lots, open interest, shares, reservations, and the book."""
    items = dict(machine.state.tree.items())
    assert all(value.strip(b"\0") for value in items.values())
    picture = Picture.of(items)
    assert picture.money() == machine.regs.owed
    assert picture.withdrawn + machine.regs.owed == deposited
    lots = picture.lots()
    longs: Counter[int] = Counter()
    for number, account in picture.accounts.items():
        used = [position.market for position in account.positions if position.market]
        assert len(used) == len(set(used))
        for position in account.positions:
            longs[position.market] += max(position.size, 0)
            holds = position.size or position.bids or position.asks or position.orders
            assert bool(position.market) == bool(holds)
            assert position.size or not position.cost
            assert holds or not position.funding
        assert number == keys.BACKSTOP or account.owner != bytes(20) or number > keys.MAX_ACCOUNT
    for number, market in picture.markets.items():
        assert market.open_interest == longs[number]
        assert market.settled or lots[number] == 0
        assert market.insurance >= 0
    shares = {number: account.shares for number, account in picture.accounts.items()}
    assert shares.pop(keys.BACKSTOP, 0) == sum(shares.values())
    check_reservations(picture)
    check_book(items, picture)
    held = {(p.market, number) for number, account in picture.accounts.items() for p in account.positions if p.size}
    settled = {number for number, market in picture.markets.items() if market.settled}
    check_holders(read_words(items.items()), held, settled, machine.regs)


def check_reservations(picture: Picture) -> None:
    """Every account's positions count exactly its orders and the lots of those in the book, dead ones too."""
    open_lots: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    counts: Counter[tuple[int, int]] = Counter()
    words: defaultdict[int, int] = defaultdict(int)
    for handle, order in picture.orders.items():
        owner = keys.handle_account(handle)
        counts[owner, order.market] += 1
        words[owner] |= 1 << keys.handle_order_slot(handle)
        if not order.trigger:
            open_lots[owner, order.market][order.side] += order.size
    for number, account in picture.accounts.items():
        assert account.orders == words.pop(number, 0)
        for position in account.positions:
            assert position.orders == counts.pop((number, position.market), 0)
            if position.market:
                assert [position.bids, position.asks] == open_lots.pop((number, position.market), [0, 0])
    assert not open_lots
    assert not counts
    assert not words


def check_book(items: Mapping[int, bytes], picture: Picture) -> None:
    """Levels hold their orders once each, oldest first; bitmaps and best prices name exactly the levels."""
    listed: set[int] = set()
    ticks: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for key, value in items.items():
        if key >> keys.BODY_BITS != keys.LEVEL:
            continue
        market, side, tick = key >> 26 & 0x3FF, key >> 24 & 3, key & keys.MAX_TICK
        level = leaves.decode_level(value)
        ticks[market, side].add(tick)
        size, count, handle, last, sequence = 0, 0, level.head, 0, 0
        while handle:
            order = picture.orders[handle]
            assert handle not in listed
            assert (order.market, order.prev) == (market, last)
            assert (get_level_side(order), get_level_tick(order)) == (side, tick)
            assert order.size > 0
            assert order.sequence > sequence
            listed.add(handle)
            size, count, last, handle, sequence = size + order.size, count + 1, handle, order.next, order.sequence
        assert (size, count, last) == (level.size, level.count, level.tail)
    assert listed == set(picture.orders)
    expected: defaultdict[tuple[int, int, int, int], int] = defaultdict(int)
    for (market, side), found in ticks.items():
        for tick in found:
            for depth in range(3):
                expected[market, side, depth, keys.bitmap_index(depth, tick)] |= 1 << keys.bitmap_bit(depth, tick)
    assert expected == picture.bitmaps
    for number, leaf in picture.markets.items():
        for side in SIDES:
            best = max if is_highest_first(side) else min
            assert get_best(leaf, side) == best(ticks[number, side], default=0)
