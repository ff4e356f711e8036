"""The life of orders, told by what records ask for and what becomes of the leaves of the order slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from setoff.operator.history.rows import Rows
from setoff.operator.history.tables import ORDERS
from setoff.shared.codec import records
from setoff.shared.errors import ACCEPTED, OUTCOMES
from setoff.shared.machine.machine import AUCTION, LIQUIDATION, TRADE, UNWIND, Fill
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Order
from setoff.shared.wire.leg_pages import read_legs

_CLOSERS: Final = {
    records.CANCEL: "cancelled",
    records.CANCEL_ALL: "cancelled",
    records.SCHEDULE_CANCEL: "cancelled",
    records.LEG_PAGE: "cancelled",
}
"""What an order that leaves, not filled, leaves for, by the type of the input."""


@dataclass
class _Live:
    """An order that can still trade: its id, its size and what is filled of it (lots), until when it can (seconds)."""

    id: int
    size: int
    filled: int
    expiry: int


@dataclass(frozen=True)
class Moment:
    """An input, and when it ran."""

    batch: int
    input_index: int
    time: int
    record: int | None
    """Its number among posted records, None for a message."""


class OrderLives:
    """All orders that can still trade, by their handles."""

    def __init__(self, next_id: int, live: Mapping[int, tuple[int, int, int, int]]) -> None:
        """`live`: (id, size, filled, expiry) of each, by handle."""
        self.next_id = next_id
        self._live = {handle: _Live(*known) for handle, known in live.items()}

    def follow(
        self,
        rows: Rows,
        moment: Moment,
        body: bytes,
        account: int,
        outcome: int,
        fills: Iterable[Fill],
        changed: Mapping[int, tuple[bytes, bytes]],
    ) -> list[tuple[int | None, int | None]]:
        """After an input: `changed` are the leaves that it used, before and after, `account` whose record it is.
        Returns the ids of each fill's orders, taker's and maker's."""
        asked = list(_list_orders(body, account, changed))
        entered: list[tuple[int, _Live]] = []
        gone: dict[int, _Live] = {}
        for handle, order in asked:
            old = self._live.pop(handle, None)
            if old is not None:
                gone[handle] = old
            made = self._enter(rows, moment, handle, order, None if old is None else old.id)
            if old is not None:
                self._close(rows, moment, old, "amended" if body[0] == records.AMEND else "cancelled", "")
            entered.append((handle, made))
            self._live[handle] = made
        ids = [self._attribute(fill, entered, gone) for fill in fills]
        for key, (_, after) in changed.items():
            if key >> keys.BODY_BITS == keys.ORDER:
                handle = key & (1 << keys.BODY_BITS) - 1
                self._settle(rows, moment, handle, leaves.decode_order(after), body[0], outcome)
        for handle, made in entered:
            if self._live.get(handle) is made and keys.order_key(handle) not in changed:
                self._settle(rows, moment, handle, Order(), body[0], outcome)
        return ids

    def _enter(self, rows: Rows, moment: Moment, handle: int, order: Order, replaces: int | None) -> _Live:
        number, self.next_id = self.next_id, self.next_id + 1
        rows.added[ORDERS].append(
            {
                "id": number, "batch": moment.batch, "input_index": moment.input_index, "time": moment.time,
                "record": moment.record, "account": keys.handle_account(handle),
                "order_slot": keys.handle_order_slot(handle), "market": order.market, "side": order.side,
                "flags": order.flags, "price": order.price, "size": order.size, "expiry": order.expiry,
                "trigger": order.trigger, "client": str(order.client), "replaces": replaces, "filled": 0,
                "status": "open", "reason": "", "closed_batch": None, "closed_time": None,
            }
        )  # fmt: skip
        return _Live(number, order.size, 0, order.expiry)

    def _attribute(
        self, fill: Fill, entered: list[tuple[int, _Live]], gone: Mapping[int, _Live]
    ) -> tuple[int | None, int | None]:
        taker = maker = None
        if fill.kind in (TRADE, AUCTION):
            handle = keys.order_handle(fill.taker, fill.taker_order_slot)
            own = [live for at, live in entered if at == handle and live.filled < live.size]
            live = own[0] if own else self._live.get(handle) or gone.get(handle)
            taker = _fill(live, fill.size)
        if fill.kind in (TRADE, LIQUIDATION, UNWIND, AUCTION):
            handle = keys.order_handle(fill.maker, fill.maker_order_slot)
            maker = _fill(gone.get(handle) or self._live.get(handle), fill.size)
        return taker, maker

    def _settle(self, rows: Rows, moment: Moment, handle: int, leaf: Order, kind: int, outcome: int) -> None:
        """What is there now in an order slot, against what was."""
        live = self._live.get(handle)
        if leaf.market:
            if live is None:  # one of a parked record, that this input has let in
                live = self._live[handle] = self._enter(rows, moment, handle, leaf, None)
            self._note(rows, live, status="open")
            return
        if live is None:
            return
        del self._live[handle]
        if live.filled >= live.size:
            self._close(rows, moment, live, "filled", "")
        elif outcome != ACCEPTED:
            self._close(rows, moment, live, "refused" if not live.filled else "cancelled", OUTCOMES[outcome])
        elif live.expiry and live.expiry <= moment.time:
            self._close(rows, moment, live, "expired", "")
        elif kind in (records.ORDER, records.AMEND):
            self._close(rows, moment, live, "cancelled", "not_resting")
        else:
            self._close(rows, moment, live, "cancelled", "" if kind in _CLOSERS else "pruned")

    def _close(self, rows: Rows, moment: Moment, live: _Live, status: str, reason: str) -> None:
        self._note(rows, live, status=status, reason=reason, closed_batch=moment.batch, closed_time=moment.time)

    def _note(self, rows: Rows, live: _Live, **values: Any) -> None:
        rows.orders.setdefault(live.id, {}).update(filled=live.filled, **values)


def _fill(live: _Live | None, size: int) -> int | None:
    if live is None:
        return None
    live.filled += size
    return live.id


def _list_orders(body: bytes, account: int, changed: Mapping[int, tuple[bytes, bytes]]) -> Iterable[tuple[int, Order]]:
    """The orders that an input asks for, by handle; an amended one is that which was there, with another quote."""
    if body[0] == records.ORDER:
        order = records.decode_order(body)
        yield (
            keys.order_handle(order.account, order.order_slot),
            Order(
                market=order.market, side=order.side, flags=order.flags, price=order.price, size=order.size,
                expiry=order.expiry, trigger=order.trigger, client=order.client,
            ),
        )  # fmt: skip
    elif body[0] == records.AMEND:
        amend = records.decode_amend(body)
        handle = keys.order_handle(amend.account, amend.order_slot)
        before, _ = changed.get(keys.order_key(handle), (b"", b""))
        amended = leaves.decode_order(before)
        if amended.market:
            amended.price, amended.size = amend.price, amend.size
            yield handle, amended
    elif body[0] == records.LEG_PAGE:
        for leg in read_legs([body]):
            if leg.market and not leg.flags & records.CANCEL_LEG:
                side = records.SELL if leg.flags & records.SELL_LEG else records.BUY
                flags = leg.flags & (records.TIME_IN_FORCE | records.REDUCE_ONLY | records.SELF_TRADE)
                quote = Order(market=leg.market, side=side, flags=flags, price=leg.price, size=leg.size)
                yield keys.order_handle(account, leg.order_slot), quote
