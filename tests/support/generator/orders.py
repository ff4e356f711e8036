"""Orders and what becomes of them."""

from __future__ import annotations

from random import Random

from tests.support.generator.players import (
    FLAG_EDGES,
    MAX_UINT64,
    ORDER_SLOT_EDGES,
    ORDER_SLOTS,
    PRICE_EDGES,
    SIZE_EDGES,
    Players,
)

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.rules.margin import EVERY, compute_health
from setoff.shared.state import keys
from setoff.shared.state.leaves import Order


class Orders(Players):
    """Orders that trade, rest and wait, their changes and their ends."""

    def order(self) -> bytes:
        rng = self.rng
        flags = rng.choices((records.GTC, records.IOC, records.POST_ONLY, records.FOK), (70, 14, 10, 3))[0]
        flags |= rng.choice((0, 0, 0, 0, records.REDUCE_ONLY))
        return self.order_with(flags)

    def fok(self) -> bytes:
        """A fill-or-kill order that reaches through some levels of the book."""
        rng = self.rng
        account, market, side = self.some_account(), rng.choice((1, 2)), rng.randint(0, 1)
        mark = self.read_market(market).mark or self.first_price(market)
        reach = rng.randint(1, max(2, mark // 20))
        price = min(max(1, mark + reach if side == records.BUY else mark - reach), keys.MAX_TICK)
        return self.order_of(account, side, price, rng.randint(1, 4000), records.FOK, market=market)

    def armed(self) -> bytes:
        rng = self.rng
        flags = (
            rng.choice((records.ABOVE, records.BELOW))
            | rng.choices((records.GTC, records.IOC, records.FOK), (6, 6, 1))[0]
        )
        return self.order_with(flags | rng.choice((0, 0, records.REDUCE_ONLY)))

    def order_of(
        self, account: int, side: int, price: int, size: int, flags: int = records.GTC, *, market: int
    ) -> bytes:
        """A sound order."""
        nonce = self.next_nonce(account)
        body = records.OrderBody(account, nonce, market, side, flags, self.some_order_slot(account), price, size)
        return self.by(account, records.encode(body))

    def order_with(self, flags: int) -> bytes:
        """A signed order with these flags, now and then with wrong ones."""
        rng = self.rng
        account, market = self.some_account(), self.some_market()
        mark = self.read_market(market).mark or self.first_price(market)
        side = rng.randint(0, 1)
        price = self.some_price(market, side)
        size = rng.choice((1, 2, 3, 7, 20, 50, rng.randint(1, 500), rng.randint(1, 20_000)))
        if self.is_large:
            size = rng.choice((1, 2**20, 2**30, phases.MAX_ORDER_SIZE, rng.randint(1, 2**31)))
        elif rng.random() < 0.25:
            size = self.all_in(account, market)
        position = next((p for p in self.read_account(account).positions if p.market == market), None)
        if position is not None and position.size and rng.random() < (0.9 if flags & records.REDUCE_ONLY else 0.2):
            # Close, close in part, or flip.
            side = records.SELL if position.size > 0 else records.BUY
            size = rng.choice((abs(position.size), abs(position.size) + 1, max(1, abs(position.size) // 2)))
        if rng.random() < 0.02:
            size = rng.choice(SIZE_EDGES)
        flags |= rng.choice((0, 0, 0, records.CANCEL_TAKER, records.CANCEL_BOTH))
        trigger = 0
        if flags & records.ARMED:
            away = rng.randint(0 if rng.random() < 0.1 else 1, max(2, mark // 30))
            trigger = mark + away if flags & records.ABOVE else max(1, mark - away)
        if rng.random() < 0.01:
            flags |= rng.choice(FLAG_EDGES)
        if rng.random() < 0.01:
            trigger = rng.choice(PRICE_EDGES)
        if rng.random() < 0.01:
            side = rng.choice((2, 255))
        agent = self.some_agent()
        body = records.OrderBody(
            account,
            self.next_nonce(account, agent),
            market,
            side,
            flags,
            self.some_order_slot(account),
            price,
            min(size, MAX_UINT64),
            rng.choice((*([0] * 20), self.time, self.time + 1, self.time + 40, 2**32 - 1)),
            min(trigger, 2**32 - 1),
            rng.choice((0, 0, 1, 2, MAX_UINT64)),
            self.some_partner(account, market, flags),
            agent,
        )
        return self.by(account, records.encode(body), agent)

    def some_partner(self, account: int, market: int, flags: int) -> int:
        """Of an armed order often one that waits, and of any now and then a slot that is none."""
        rng = Random(f"{account} {market} {flags} {self.machine.regs.sequence}")
        if rng.random() < 0.005:
            return rng.choice((1, 2, 3, 256, 257, 2**16 - 1))
        if not flags & records.ARMED or rng.random() < 0.3:
            return 0
        waiting = [order_slot + 1 for order_slot in range(ORDER_SLOTS) if self.order_at(account, order_slot).trigger]
        return rng.choice(waiting) if waiting else 0

    def all_in(self, account: int, market: int) -> int:
        """Lots that take most of the account's equity as margin."""
        leaf = self.read_market(market)
        equity, requirement = compute_health(self.machine.regs, self.state, self.read_account(account), EVERY)
        lot = max(1, leaf.mark * leaf.unit * leaf.initial_margin // PPM)
        return min(max(1, (equity - requirement) * self.rng.randint(5, 10) // (10 * lot)), phases.MAX_ORDER_SIZE)

    def some_price(self, market: int, side: int) -> int:
        """A price near the mark, at the best of the other side, at the edge of the band, or of the field."""
        rng = self.rng
        leaf = self.read_market(market)
        mark = leaf.mark or self.first_price(market)
        spread = max(2, mark // 100)
        price = mark + rng.randint(-spread, spread)
        roll = rng.random()
        if roll < 0.35:
            best = leaf.best_ask if side == records.BUY else leaf.best_bid
            price = best + rng.randint(-1, 1) if best else price
        elif roll < 0.40:
            reach = leaf.band * mark // PPM
            price = rng.choice((mark - reach, mark - reach - 1, mark + reach, mark + reach + 1))
        elif roll < 0.42:
            price = rng.choice(PRICE_EDGES)
        return min(max(price, 0), 2**32 - 1)

    def some_order_slot(self, account: int) -> int:
        """Mostly a free order slot."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(ORDER_SLOT_EDGES)
        free = [order_slot for order_slot in range(ORDER_SLOTS) if not self.order_at(account, order_slot).market]
        return rng.choice(free) if free and rng.random() < 0.9 else rng.randrange(ORDER_SLOTS)

    def used_order_slot(self, account: int) -> int:
        """Mostly a slot with an order in it."""
        rng = self.rng
        order_slots = [order_slot for order_slot in range(ORDER_SLOTS) if self.order_at(account, order_slot).market]
        return (
            rng.choice(order_slots)
            if order_slots and rng.random() < 0.85
            else rng.choice((*range(ORDER_SLOTS), *ORDER_SLOT_EDGES))
        )

    def order_at(self, account: int, order_slot: int) -> Order:
        return self.state.order(keys.order_handle(account, order_slot))

    def cancel(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        client = self.rng.choice((0, 0, 0, 1, 2))
        body = records.CancelBody(
            account, self.next_nonce(account, agent), self.used_order_slot(account), client, agent
        )
        return self.by(account, records.encode(body), agent)

    def cancel_all(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        body = records.CancelAllBody(account, self.next_nonce(account, agent), agent)
        return self.by(account, records.encode(body), agent)

    def amend(self) -> bytes:
        rng = self.rng
        account, agent = self.some_account(), self.some_agent()
        order_slot = self.used_order_slot(account)
        order = self.order_at(account, min(order_slot, keys.MAX_ORDER_SLOT))
        price, size = order.price, rng.choice((order.size, max(1, order.size - 1), order.size // 2, order.size + 1))
        if rng.random() < 0.5 and order.market:
            price = self.some_price(order.market, order.side)
        if rng.random() < 0.03:
            size = rng.choice(SIZE_EDGES)
        body = records.AmendBody(account, self.next_nonce(account, agent), order_slot, price, size, agent)
        return self.by(account, records.encode(body), agent)

    def schedule_cancel(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        deadline = self.rng.choice((0, self.time - 1, self.time, self.time + 1, self.time + 30, MAX_UINT64))
        body = records.ScheduleCancelBody(account, self.next_nonce(account, agent), deadline, agent)
        return self.by(account, records.encode(body), agent)
