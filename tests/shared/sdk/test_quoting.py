"""Quotes that are replaced together, in order slots of their own."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.processes.running_operator import Running

from setoff.shared.codec.records import BUY
from setoff.shared.errors import InputError
from setoff.shared.sdk import Quoter, Refusal, Unavailable


async def test_quotes_come_and_go_together(exchange: Running) -> None:
    async with exchange.trader(1) as client:
        quoter = Quoter(client, "M1-PERP")
        assert await quoter.pull() is None
        kept = await client.place(1, BUY, 80, 1)
        first = await quoter.replace(bids=[(98, 2), (97, 3)], asks=[(Decimal("0.00102"), "2")])
        assert first.legs == (0, 0, 0, 2, 3, 2)
        second = await quoter.replace(bids=[(96, 2)], asks=[])
        assert second.legs == (0, 0, 0, 2)
        with pytest.raises(InputError, match="comes in steps"):
            await quoter.replace(bids=[("0.000961", 2)], asks=[])
        assert sorted(order["price"] for order in await client.orders()) == [80, 96]
        other = await client.place(1, BUY, 81, 1)
        assert other.order_slot not in quoter.order_slots and kept.order_slot not in quoter.order_slots
        await quoter.pull()
        assert sorted(order["price"] for order in await client.orders()) == [80, 81]
        changed = await client.amend(other.order_slot, "0.00082", Decimal(1))
        assert (await client.balance()).orders[1].price == Decimal("0.00082") and changed.resting == 1
        with pytest.raises(Refusal, match="no open order in order slot 99"):
            await client.amend(99, "0.00082", Decimal(1))


async def test_quotes_whose_answer_was_lost_are_replaced_again_and_do_not_stand_twice(exchange: Running) -> None:
    async with exchange.trader(1) as client:
        quoter, send = Quoter(client, "M1-PERP"), client._post_record

        async def lose(payload: dict[str, Any]) -> dict[str, Any]:
            await send(payload)
            raise Unavailable("not_ready", "cut off")

        client._post_record = lose  # type: ignore[method-assign]
        with pytest.raises(Unavailable, match="pending"):
            await quoter.replace(bids=[(98, 2), (97, 3)], asks=[(102, 2)])
        client._post_record = send  # type: ignore[method-assign]
        assert len(await client.orders()) == 3
        await quoter.replace(bids=[(98, 2), (97, 3)], asks=[(102, 2)])
        assert sorted(order["price"] for order in await client.orders()) == [97, 98, 102]
        client._post_record = lose  # type: ignore[method-assign]
        with pytest.raises(Unavailable, match="pending"):
            await quoter.pull()
        client._post_record = send  # type: ignore[method-assign]
        await quoter.pull()
        assert not await client.orders()
