"""What an order's own fields promise its owner: its limit, not to take, only to close, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from setoff.shared.codec import records
from setoff.shared.machine.machine import TRADE, Fill
from setoff.shared.state import keys


class Promise(NamedTuple):
    """What an order was sent with."""

    side: int
    flags: int
    price: int


class Promises:
    """Of the orders that were sent as records of their own (no legs, none amended), by account and slot."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], Promise] = {}

    def check(self, body: bytes, outcome: str, fills: Sequence[Fill], sizes: Mapping[int, int]) -> Iterator[str]:
        """Sentences about what was broken by this input; `sizes`: lots that each account held before it."""
        order = records.decode_order(body) if body[0] == records.ORDER else None
        if body[0] == records.AMEND:
            amend = records.decode_amend(body)
            self._made.pop((amend.account, amend.order_slot), None)
        if order:
            place = order.account, order.order_slot
            if outcome == "accepted" or any((fill.taker, fill.taker_order_slot) == place for fill in fills):
                self._made[place] = Promise(order.side, order.flags, order.price)
        trades = [fill for fill in fills if fill.kind == TRADE]
        if trades:
            yield from self._check_trades(trades)
            yield from self._check_reduced(trades, sizes)
        if order and order.flags & records.TIME_IN_FORCE == records.FOK and not order.flags & records.ARMED:
            yield from check_all_or_nothing(order, sum(fill.size for fill in trades), sizes)

    def _check_trades(self, trades: Sequence[Fill]) -> Iterator[str]:
        for fill in trades:
            if keys.get_master(fill.taker) == keys.get_master(fill.maker):
                yield f"{fill.taker} traded with itself"
            taker = self._made.get((fill.taker, fill.taker_order_slot))
            maker = self._made.get((fill.maker, fill.maker_order_slot))
            if taker and is_beyond(taker, fill.side, fill.price):
                yield f"an order at {taker.price} was filled at {fill.price}"
            if maker and is_beyond(maker, 1 - fill.side, fill.price):
                yield f"a resting order at {maker.price} was filled at {fill.price}"
            if taker and taker.side == fill.side and taker.flags & records.TIME_IN_FORCE == records.POST_ONLY:
                yield "a post-only order took"

    def _check_reduced(self, trades: Sequence[Fill], sizes: Mapping[int, int]) -> Iterator[str]:
        now = dict(sizes)
        for fill in trades:
            for account, slot, side in (
                (fill.taker, fill.taker_order_slot, fill.side),
                (fill.maker, fill.maker_order_slot, 1 - fill.side),
            ):
                before = now.get(account, 0)
                now[account] = before + (fill.size if side == records.BUY else -fill.size)
                promise = self._made.get((account, slot))
                is_bound = promise and promise.side == side and promise.flags & records.REDUCE_ONLY
                if is_bound and (before * now[account] < 0 or abs(now[account]) > abs(before)):
                    yield f"a reduce-only order brought account {account} from {before} to {now[account]} lots"


def is_beyond(promise: Promise, side: int, price: int) -> bool:
    """Whether a fill on the order's side is at a worse price than its limit."""
    if promise.side != side:
        return False
    return price > promise.price if side == records.BUY else price < promise.price


def check_all_or_nothing(order: records.OrderBody, filled: int, sizes: Mapping[int, int]) -> Iterator[str]:
    """Of a fill-or-kill order."""
    asked = order.size
    if order.flags & records.REDUCE_ONLY:
        held = sizes.get(order.account, 0)
        asked = min(asked, max(0, -held if order.side == records.BUY else held))
    if filled not in (0, asked):
        yield f"{filled} of {asked} lots of a fill-or-kill order were filled"
