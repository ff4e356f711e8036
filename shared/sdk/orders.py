"""Orders of an account: placed, armed, changed, taken back; one by one or many under one signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bodies import get_bound, give_way, make_body, name_partner
from setoff.shared.sdk.bounded_answers import reading
from setoff.shared.sdk.market_scales import Number
from setoff.shared.sdk.submission import Submission, SubmitResult
from setoff.shared.state import keys
from setoff.shared.wire.leg_pages import make_leg_pages
from setoff.shared.wire.slippage import SLIPPAGE

TRIES: Final = 4
"""So many order slots are tried where another client of the account is quicker."""
AT_ONCE: Final = 60
"""Seconds for which an order that is to trade at once can be taken, if its expiry is not named."""
_AT_ONCE: Final = (records.IOC, records.FOK)


def _leave_first(first: SubmitResult, error: Refusal | Unavailable, why: str) -> Unavailable:
    """Of a pair one is there, so it is not to be sent again."""
    text = f"the order above stands in order slot {first.order_slot}: {why}: {error.detail}"
    left = Unavailable("pending", text, {"order_slot": str(first.order_slot), **error.numbers})
    left.record = error.record
    return left


class Orders(Submission):
    """Keeps the order slots of its account."""

    _next_order_slot = 0
    _reserved: frozenset[int] = frozenset()
    _sending: frozenset[int] = frozenset()
    """Order slots of orders that are on their way."""
    _asking = 0
    """How often the exchange is being asked which are free."""
    _named: frozenset[int] = frozenset()
    """Those of orders that were on their way since then: what it answers may not know them yet."""

    async def place(
        self,
        market: int | str,
        side: int,
        price: Number,
        size: Number,
        flags: int = records.GTC,
        order_slot: int | None = None,
        *,
        expiry: int = 0,
        trigger: Number = 0,
        client: int = 0,
        partner: int | None = None,
    ) -> SubmitResult:
        """Place an order in a free order slot, unless `order_slot` names one.

        `market`: its number or symbol. `price` and `size`: whole numbers are ticks and lots, a Decimal or a text is in
        decimals, as the price 77990.5 and the size 0.001; InputError names the nearest ones for what lies between.
        `flags`: time in force, REDUCE_ONLY, self-trade rule; ABOVE or BELOW with a `trigger` (ticks of the mark) for
        an order that is armed. `expiry`: seconds; `client`: an id of one's own (see `cancel_client`); `partner`: order
        slot of an armed order on the other side of the mark: whichever fires takes the other out. An agent that has
        not all sub-accounts signs CANCEL_TAKER where no rule against self-trade is named: no other may be its.
        An order that is to trade at once (IOC, FOK) expires in AT_ONCE seconds where no `expiry` is named. Where
        another client was quicker in an order slot, another is tried under the same nonce: one of them counts at most.
        After Unavailable("pending") the order may stand: placed again, it may stand twice; see `submit`.
        """
        account = await self.load()
        flags = give_way(flags) if self._gives_way else flags
        number, ticks, lots, at = await self._read_order(market, price, size, trigger)
        is_at_once = not expiry and not flags & records.ARMED and flags & records.TIME_IN_FORCE in _AT_ONCE
        nonce: int | None = None
        for last in range(TRIES - 1, -1, -1):
            slot = await self._free_order_slot() if order_slot is None else order_slot
            self._note_order(slot)
            self._sending |= {slot}
            end = await self._clock.now(self.now) + AT_ONCE if is_at_once else expiry
            nonce = self._nonces.take() if nonce is None else nonce
            fields = (number, side, flags, slot, ticks, lots, end, at, client, name_partner(partner))
            try:
                result = await self.submit(self.sign(make_body("Order", account, nonce, self._agent, *fields)))
            except Refusal as error:
                if error.reason != "order_slot_taken":
                    self._busy.discard(slot)
                if is_at_once and error.reason == "order_expired":
                    self._clock.forget()
                elif order_slot is not None or error.reason != "order_slot_taken":
                    raise
                if not last:
                    raise
                self._nonces.keep(nonce)
                continue
            finally:
                self._sending -= {slot}
            if not result.resting and not result.is_paused:
                self._busy.discard(slot)
            return result
        raise AssertionError("the last try has returned or raised")

    async def place_market(
        self, market: int | str, side: int, size: Number, *, flags: int = 0, slippage: int = SLIPPAGE, client: int = 0
    ) -> SubmitResult:
        """Trade up to `size` at once, at the mark or at most `slippage` ppm worse; what is left is given up.

        The mark is the one that the exchange tells. Whatever that is, the rules fill nothing beyond min(`band`,
        `maintenance_margin`) from the true one; who wants to depend on no word names a price: `place` with IOC.
        """
        shown = await self.market(market)
        with reading("the market"):
            bound = get_bound(int(shown["mark"]), side, min(slippage, int(shown["band"])))
        return await self.place(market, side, bound, size, flags | records.IOC, client=client)

    async def place_stop(
        self,
        market: int | str,
        side: int,
        size: Number,
        flags: int,
        trigger: Number,
        *,
        expiry: int = 0,
        client: int = 0,
        partner: int | None = None,
    ) -> SubmitResult:
        """Arm a market order: once the mark has risen (ABOVE in `flags`) or fallen (BELOW) to `trigger`, up to `size`
        trades at once, no farther from the mark then than an order may pay; what is left is given up."""
        worst = keys.MAX_TICK if side == records.BUY else 1
        flags = flags & ~records.TIME_IN_FORCE | records.IOC
        return await self.place(
            market, side, worst, size, flags, expiry=expiry, trigger=trigger, client=client, partner=partner
        )

    async def place_pair(
        self,
        market: int | str,
        side: int,
        size: Number,
        above: Number,
        below: Number,
        *,
        flags: int = records.REDUCE_ONLY,
        expiry: int = 0,
    ) -> tuple[SubmitResult, SubmitResult]:
        """Arm two market orders, as `place_stop`, of which one fires: when the mark has risen to `above` or fallen to
        `below` ticks. The other leaves then. Returns both, that above first; if one is refused there is none.

        Raises Unavailable("pending") where it is not known what became of one of them: the other stands then.
        """
        flags &= ~records.ARMED
        first = await self.place_stop(market, side, size, flags | records.ABOVE, above, expiry=expiry)
        try:
            second = await self.place_stop(
                market, side, size, flags | records.BELOW, below, expiry=expiry, partner=first.order_slot
            )
        except Refusal as refusal:
            try:
                await self.cancel(first.order_slot)
            except (Refusal, Unavailable) as error:
                raise _leave_first(
                    first, error, f"the one below was refused ({refusal}), and it was not taken back"
                ) from error
            raise
        except Unavailable as error:
            raise _leave_first(first, error, "what became of the one below is not known") from error
        return first, second

    async def close_position(self, market: int | str, *, slippage: int = SLIPPAGE) -> SubmitResult:
        """Close the position in a market at once, as far as the book takes it. Raises Refusal("not_reducing")."""
        shown = await self.account()
        with reading("the account"):
            sizes = {int(position["market"]): int(position["size"]) for position in shown["positions"]}
        size = sizes.get(await self.find_market(market), 0)
        if not size:
            raise Refusal("not_reducing", f"there is no position in market {market}")
        side = records.SELL if size > 0 else records.BUY
        return await self.place_market(market, side, abs(size), flags=records.REDUCE_ONLY, slippage=slippage)

    async def cancel(self, order_slot: int, client: int = 0) -> SubmitResult:
        """Take back the order in `order_slot`, if its client id is `client` (0: whatever it is)."""
        result = await self.submit(await self._signed("Cancel", order_slot, client))
        self._busy.discard(order_slot)
        return result

    async def cancel_client(self, client: int) -> SubmitResult:
        """Take back the order with this client id, wherever it is. Raises Refusal("unknown_order")."""
        orders = await self.orders()
        with reading("the orders"):
            found = [int(order["order_slot"]) for order in orders if int(order["client"]) == client]
        for order_slot in found:
            return await self.cancel(order_slot, client)
        raise Refusal("unknown_order", f"no open order has client id {client}")

    async def cancel_all(self) -> SubmitResult:
        """Take back every order of the account at once, armed ones too."""
        result = await self.submit(await self._signed("CancelAll"))
        self._busy.clear()
        return result

    async def amend(self, order_slot: int, price: Number, size: Number) -> SubmitResult:
        """Give the order in `order_slot` a new price and size, as `place` has them; less at the same price keeps
        its turn.

        Raises Refusal("unknown_order") for a decimal where there is no order, for then nobody knows of which market.
        """
        if not isinstance(price, int) or not isinstance(size, int):
            orders = await self.orders()
            with reading("the orders"):
                market = next((int(order["market"]) for order in orders if order["order_slot"] == order_slot), None)
            if market is None:
                raise Refusal("unknown_order", f"there is no open order in order slot {order_slot}")
            _, price, size, _ = await self._read_order(market, price, size, 0)
        result = await self.submit(await self._signed("Amend", order_slot, price, size))
        if not result.resting and not result.is_paused:
            self._busy.discard(order_slot)
        return result

    async def schedule_cancel(self, deadline: int) -> SubmitResult:
        """Dead-man's switch: every order dies at `deadline` (seconds; 0: never) unless this is called again."""
        return await self.submit(await self._signed("ScheduleCancel", deadline))

    async def bulk(self, legs: Sequence[Leg]) -> SubmitResult:
        """Many orders and cancels under one signature, in slots of the caller's; what cannot be taken is passed over.

        Raises InputError("malformed_record") for no legs or too many.
        """
        first, leg_pages = make_leg_pages(legs)
        result = await self.submit(await self._signed("Bulk", first), leg_pages)
        for leg, resting in zip(legs, result.legs, strict=False):
            if leg.flags & records.CANCEL_LEG:
                self._busy.discard(leg.order_slot)
            elif resting or result.is_paused:
                self._note_order(leg.order_slot)
        return result

    async def _read_order(
        self, market: int | str, price: Number, size: Number, trigger: Number
    ) -> tuple[int, int, int, int]:
        """What of an order is signed: market, ticks, lots, ticks."""
        number = await self.find_market(market)
        if isinstance(price, int) and isinstance(size, int) and isinstance(trigger, int):
            return number, price, size, trigger
        scales = await self.scales()
        ticks, at = scales.read_price(number, price), scales.read_price(number, trigger)
        return number, ticks, scales.read_size(number, size), at

    async def take_order_slot(self) -> int:
        """A free order slot that `place` leaves alone from now on, for who names slots."""
        await self.load()
        order_slot = await self._free_order_slot()
        self._reserved |= {order_slot}
        return order_slot

    def _note_order(self, order_slot: int) -> None:
        """It is taken, or will be."""
        self._busy.add(order_slot)
        if self._asking:
            self._named |= {order_slot}

    async def _ask_order_slots(self) -> None:
        """Find out which order slots fills have freed. Orders on their way keep theirs."""
        if not self._asking:
            self._named = self._sending
        self._asking += 1
        try:
            orders = await self.orders()
        finally:
            self._asking -= 1
        with reading("the orders"):
            self._busy = {int(order["order_slot"]) for order in orders} | self._named

    async def _free_order_slot(self) -> int:
        """An order slot that nothing known occupies; slots freed by fills are found by asking."""
        count = keys.MAX_ORDER_SLOT + 1
        if len(self._busy) >= count:
            await self._ask_order_slots()
        for step in range(count):
            order_slot = (self._next_order_slot + step) % count
            if order_slot not in self._busy | self._reserved:
                self._next_order_slot = (order_slot + 1) % count
                return order_slot
        raise Refusal("order_slot_taken", f"all {count} order slots of the account hold orders")
