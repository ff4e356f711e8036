"""Which order slots are free, while orders are on their way and the exchange is asked."""

import asyncio
from typing import Any

from setoff.shared.sdk.orders import Orders
from setoff.shared.state import keys

SLOTS = keys.MAX_ORDER_SLOT + 1


class FullAccount(Orders):
    """All of its slots are taken, as far as it knows; when it is asked, the exchange has orders in all but the last."""

    def __init__(self, free: int) -> None:
        self._busy = set(range(SLOTS))
        self._free = free
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def orders(self, account: Any = None) -> Any:
        shown = [{"order_slot": slot} for slot in range(SLOTS - self._free)]
        self.is_asked.set()
        await self.may_answer.wait()
        return shown

    async def take(self) -> int:
        slot = await self._free_order_slot()
        self._note_order(slot)
        return slot


async def test_what_is_on_its_way_keeps_its_slot_when_fills_have_freed_others() -> None:
    account = FullAccount(free=5)
    before, meanwhile = SLOTS - 5, SLOTS - 4
    account._sending = frozenset({before})
    first, second = (asyncio.create_task(account.take()) for _ in range(2))
    await account.is_asked.wait()
    account._note_order(meanwhile)  # it is sent, and answered, before the exchange has answered
    account.may_answer.set()
    found = {await first, await second, await account.take()}
    assert found == set(range(SLOTS - 3, SLOTS))
