"""What a bot can do: the actions of `POST /exchange`, by type."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.errors import SetoffError
from setoff.shared.gateway.assets import Universe
from setoff.shared.gateway.order_ids import Cloids, hash_cloid
from setoff.shared.gateway.orders.desk import Desk
from setoff.shared.gateway.orders.wanted import Wanted, read_wanted
from setoff.shared.gateway.refusals import BotError, Misshapen, to_told

Json = dict[str, Any]
Action = Mapping[str, Any]

MAX_BATCH: Final = 1000
"""Orders, changes or cancels in one action."""
SOON: Final = 5000
"""Milliseconds: a dead-man's switch is set no nearer."""
MONEY: Final = frozenset(
    {
        "usdSend", "withdraw3", "spotSend", "usdClassTransfer", "sendAsset", "vaultTransfer", "subAccountTransfer",
        "subAccountSpotTransfer", "cDeposit", "cWithdraw", "tokenDelegate", "agentSendAsset", "createVault",
    }
)  # fmt: skip
"""Actions that move money, which an agent's key cannot."""
ABSENT: Final = {
    "updateIsolatedMargin": "Cross margin is all that there is: an isolated position is one in a sub-account.",
    "topUpIsolatedOnlyMargin": "Cross margin is all that there is: an isolated position is one in a sub-account.",
    "twapOrder": "TWAP orders do not exist on this exchange.",
    "twapCancel": "TWAP was never placed, already canceled, or filled.",
    "approveBuilderFee": "Builder fees do not exist on this exchange.",
    "setReferrer": "Referrers do not exist on this exchange.",
    "approveAgent": "An agent is named by the account's owner: setoff agent set.",
    "createSubAccount": "Sub-accounts need not be made: there are fifteen, and a transfer opens one.",
    "reserveRequestWeight": "There is no request weight to buy on this exchange.",
}
"""Actions that there is nothing for, and what is said of them."""


class Actions:
    """Does what a bot asks for, for one account."""

    def __init__(self, universe: Universe, cloids: Cloids, desk: Desk) -> None:
        self._universe = universe
        self._cloids = cloids
        self._desk = desk
        self._doers: dict[str, Callable[[Action], Awaitable[Json]]] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel_by_cloid,
            "modify": self._modify,
            "batchModify": self._batch_modify,
            "scheduleCancel": self._schedule_cancel,
            "updateLeverage": self._update_leverage,
            "noop": self._noop,
        }

    async def do(self, action: Action) -> Json:
        """The answer's `response`. Raises BotError, Misshapen; Unavailable where nobody knows what became of it."""
        kind = str(action.get("type"))
        doer = self._doers.get(kind)
        if doer is None:
            raise Misshapen(f"action: there is no {kind[:40]!r} here")
        return await doer(action)

    # --- orders ------------------------------------------------------------------------------------------------------

    async def _order(self, action: Action) -> Json:
        wires, grouping = _list(action, "orders"), action.get("grouping", "na")
        builder = action.get("builder")
        if isinstance(builder, Mapping) and builder.get("f"):
            raise BotError("Builder fee has not been approved.")
        whole = await self._find_whole(wires) if grouping == "positionTpsl" else None
        read = await asyncio.gather(
            *(read_wanted(self._universe, self._cloids, wire, whole) for wire in wires), return_exceptions=True
        )
        wanted = [each for each in read if isinstance(each, Wanted)]
        checks = dict(zip(map(id, wanted), await self._desk.check_leverage(wanted), strict=True))
        ready = [checks[id(each)] or each if isinstance(each, Wanted) else each for each in read]
        if grouping in ("normalTpsl", "positionTpsl"):
            statuses = await self._place_group(ready, has_parent=grouping == "normalTpsl")
        else:
            tried = await asyncio.gather(*map(self._try, ready), return_exceptions=True)
            statuses = [told for told, _ in self._read_all(ready, tried)]
        return _statuses("order", statuses)

    def _read_all(self, orders: list[Any], tried: list[Any]) -> list[tuple[Any, int | None]]:
        """What is told of each order; raises the first error, and then nothing is told of any: a bot may repeat all."""
        failed = next((each for each in tried if isinstance(each, BaseException)), None)
        if failed is None:
            return tried
        for order, each in zip(orders, tried, strict=False):
            if isinstance(order, Wanted) and isinstance(each, tuple) and each[1] is not None:
                self._desk.keep_untold(order, each)
        raise failed

    async def _find_whole(self, wires: list[Any]) -> int:
        """Lots of the position that orders with a size of 0 are for."""
        first = wires[0] if wires and isinstance(wires[0], Mapping) else {}
        asset = await self._universe.at(first.get("a"))
        try:
            account = await self._desk.client.account(self._desk.name)
        except SetoffError as error:
            raise to_told(error, asset.number) from None
        sizes = {int(position["market"]): abs(int(position["size"])) for position in account["positions"]}
        return sizes.get(asset.market, 0)

    async def _try(self, order: Wanted | BaseException, partner: int | None = None) -> tuple[Any, int | None]:
        """What is told of an order, and its slot if it was taken."""
        try:
            if isinstance(order, Wanted):
                return await self._desk.place(order, partner)
            raise order
        except BotError as error:
            return {"error": str(error)}, None

    async def _place_group(self, orders: list[Any], *, has_parent: bool) -> list[Any]:
        """A parent and the orders that close what it opens; of two that close, one takes the other out."""
        orders = (
            orders[:1] + [_close_only(order) for order in orders[1:]] if has_parent else [*map(_close_only, orders)]
        )
        tried: list[Any] = []
        partner: int | None = None
        for place, order in enumerate(orders):
            is_parent = has_parent and not place
            try:
                tried.append(await self._try(order, partner))
            except Exception as error:
                tried.append(error)
            slot = self._read_all(orders, tried)[-1][1]
            if is_parent and slot is None:
                return [tried[0][0]] * len(orders)
            if not is_parent:
                partner = slot if partner is None else None
        return [told for told, _ in tried]

    async def _cancel(self, action: Action) -> Json:
        wires = _list(action, "cancels")
        return _statuses("cancel", await _all(self._take_back(wire, "a", "o") for wire in wires))

    async def _cancel_by_cloid(self, action: Action) -> Json:
        wires = _list(action, "cancels")
        return _statuses("cancel", await _all(self._take_back(wire, "asset", "cloid") for wire in wires))

    async def _take_back(self, wire: Any, asset_name: str, id_name: str) -> Any:
        if not isinstance(wire, Mapping):
            raise Misshapen("cancel: it is an object")
        try:
            asset = await self._universe.at(wire.get(asset_name))
            await self._desk.cancel(asset, read_oid(wire.get(id_name)))
        except BotError as error:
            return {"error": str(error)}
        return "success"

    async def _modify(self, action: Action) -> Json:
        told = await self._change(action)
        if "error" in told:
            raise BotError(told["error"])
        return {"type": "default"}

    async def _batch_modify(self, action: Action) -> Json:
        wires = _list(action, "modifies")
        return _statuses("order", await _all(map(self._change, wires)))

    async def _change(self, wire: Any) -> Json:
        if not isinstance(wire, Mapping):
            raise Misshapen("modify: it is an object")
        try:
            order = await read_wanted(self._universe, self._cloids, wire.get("order"))
            return await self._desk.modify(read_oid(wire.get("oid")), order)
        except BotError as error:
            return {"error": str(error)}

    # --- the account -------------------------------------------------------------------------------------------------

    async def _schedule_cancel(self, action: Action) -> Json:
        at = action.get("time")
        if at is not None and (not isinstance(at, int) or isinstance(at, bool)):
            raise Misshapen("scheduleCancel: 'time' is in milliseconds")
        if at is not None and at < _now() + SOON - 1000:
            raise BotError("Scheduled cancel time must be at least 5 seconds in the future")
        await self._desk.schedule_cancel(at)
        return {"type": "default"}

    async def _update_leverage(self, action: Action) -> Json:
        asset = await self._universe.at(action.get("asset"))
        leverage = action.get("leverage")
        if not isinstance(leverage, int) or isinstance(leverage, bool):
            raise Misshapen("updateLeverage: 'leverage' is a whole number")
        if action.get("isCross") is not True:
            raise BotError(ABSENT["updateIsolatedMargin"])
        self._desk.leverages.choose(asset, leverage)
        return {"type": "default"}

    async def _noop(self, action: Action) -> Json:
        return {"type": "default"}


def refuse_absent(action: Action) -> None:
    """Raises BotError for an action that nobody can do here, whoever has signed it, and however."""
    kind = str(action.get("type"))
    if kind in MONEY:
        raise BotError(f"Money is moved by the owner's key: the gateway's can only trade ({kind})")
    if kind in ABSENT:
        raise BotError(ABSENT[kind])


def read_oid(value: object) -> int:
    """The number of an order, or what stands for its cloid. Raises BotError, Misshapen."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Misshapen("an order is named by its oid or its cloid")
    return value if isinstance(value, int) else hash_cloid(value)


def _close_only(order: Any) -> Any:
    return order._replace(flags=order.flags | records.REDUCE_ONLY) if isinstance(order, Wanted) else order


def _list(action: Action, name: str) -> list[Any]:
    found = action.get(name)
    if not isinstance(found, list) or len(found) > MAX_BATCH:
        raise Misshapen(f"action: '{name}' is a list of at most {MAX_BATCH}")
    return found


async def _all(doing: Iterable[Awaitable[Any]]) -> list[Any]:
    """What became of each; raises the first error when all are done."""
    done = await asyncio.gather(*doing, return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return done


def _statuses(kind: str, statuses: Any) -> Json:
    return {"type": kind, "data": {"statuses": list(statuses)}}


def _now() -> int:
    return time.time_ns() // 1_000_000
