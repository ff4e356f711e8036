"""The client's ways to trade beyond a plain order: agents, sub-accounts, market orders, bulk records, switches."""

import asyncio

import pytest
from tests.support.processes.running_operator import Running

from setoff.deploy.simulation.sample_traffic import START_TIME, agent_key, oracle_key
from setoff.shared.codec.records import ABOVE, BUY, CANCEL_LEG, FOK, IOC, REDUCE_ONLY, SELL, SELL_LEG, Leg
from setoff.shared.errors import InputError
from setoff.shared.sdk import KeySigner, Refusal, SetoffClient
from setoff.shared.sdk.bodies import get_bound, make_body
from setoff.shared.wire.scopes import Scope


async def test_market_orders_are_bounded(exchange: Running) -> None:
    async with exchange.trader(1) as seller, exchange.trader(2) as buyer:
        for price in (100, 101, 103):
            await seller.place(1, SELL, price, 2)
        taken = await buyer.place_market(1, BUY, 10, slippage=20_000)
        assert (taken.filled, taken.resting, [fill["price"] for fill in taken.fills]) == (4, 0, [100, 101])
        await seller.place(1, BUY, 99, 3)
        closed = await buyer.close_position(1)
        assert closed.filled == 3 and closed.fills[0]["side"] == "sell"
        assert (await buyer.account())["positions"][0]["size"] == "1"
        with pytest.raises(Refusal, match="not_reducing"):
            await buyer.place(1, BUY, 100, 1, IOC | REDUCE_ONLY)
        with pytest.raises(Refusal, match="unfillable"):
            await buyer.place(1, BUY, 103, 9, FOK)
    async with exchange.trader(3) as idle:
        with pytest.raises(Refusal, match="not_reducing"):
            await idle.close_position(1)


async def test_stops_at_the_market_trade_when_the_mark_comes(exchange: Running) -> None:
    async with exchange.trader(1) as maker, exchange.trader(2) as client:
        await maker.place(1, SELL, 110, 4)
        armed = await client.place_stop(1, BUY, 9, ABOVE, 105, expiry=START_TIME + 600, client=7)
        (order,) = await client.orders()
        assert (armed.resting, order["client"], order["expiry"]) == (9, "7", START_TIME + 600)
        exchange.l1.time += 5
        await asyncio.sleep(0.1)
        async with SetoffClient(exchange.url, KeySigner(oracle_key(0))) as signer:
            await signer.report(0, exchange.l1.time, 1, 106)
        assert (await client.account())["positions"][0]["size"] == "4"
        assert await client.orders() == []


async def test_a_pair_is_taken_whole_or_not_at_all(exchange: Running) -> None:
    async with exchange.trader(1) as maker, exchange.trader(2) as client:
        await maker.place(1, SELL, 110, 4)
        with pytest.raises(Refusal, match="would_trigger"):
            await client.place_pair(1, BUY, 3, 105, 101, flags=0)
        assert await client.orders() == []
        first, second = await client.place_pair(1, BUY, 3, 105, 95, flags=0, expiry=START_TIME + 600)
        shown = {order["order_slot"]: (order["trigger"], order["partner"]) for order in await client.orders()}
        assert shown == {
            first.order_slot: ({"above": 105}, second.order_slot),
            second.order_slot: ({"below": 95}, first.order_slot),
        }
        exchange.l1.time += 5
        await asyncio.sleep(0.1)
        async with SetoffClient(exchange.url, KeySigner(oracle_key(0))) as signer:
            await signer.report(0, exchange.l1.time, 1, 106)
        assert (await client.account())["positions"][0]["size"] == "3"
        assert await client.orders() == []


def test_bounds_stay_in_range() -> None:
    assert get_bound(100, BUY, 10_000) == 101 and get_bound(100, SELL, 10_000) == 99
    assert get_bound(2**24 - 1, BUY, 10_000) == 2**24 - 1 and get_bound(1, SELL, 10**6) == 1


async def test_orders_by_their_own_ids(exchange: Running) -> None:
    async with exchange.trader(1) as client:
        placed = await client.place(1, BUY, 90, 5, client=2**60)
        await client.place(1, BUY, 120, 5, ABOVE, trigger=110, client=7)
        with pytest.raises(Refusal, match="unknown_order"):
            await client.cancel(placed.order_slot, client=8)
        amended = await client.amend(placed.order_slot, 91, 9)
        assert (amended.order_slot, amended.resting) == (placed.order_slot, 9)
        assert [(order["client"], order["price"]) for order in await client.orders()] == [(str(2**60), 91), ("7", 120)]
        await client.cancel_client(2**60)
        await client.cancel_client(7)
        assert await client.orders() == []
        with pytest.raises(Refusal, match="unknown_order"):
            await client.cancel_client(7)


async def test_everything_at_once(exchange: Running) -> None:
    async with exchange.trader(1) as client, exchange.trader(2) as other:
        quoted = await client.bulk([Leg(0, 1, input_index, 90 + input_index, 2) for input_index in range(5)])
        assert quoted.legs == (2,) * 5 and quoted.filled == 0
        assert (await client.place(1, BUY, 80, 1)).order_slot == 5  # the slots of the legs are known to be busy
        hit = await other.bulk([Leg(SELL_LEG, 1, 0, 93, 5), Leg(CANCEL_LEG, 1, 0)])
        assert (hit.filled, hit.legs) == (4, (0, 0))
        assert await other.orders() == []
        await client.cancel_all()
        assert await client.orders() == []
        await client.place(1, BUY, 90, 1)
        await client.schedule_cancel(START_TIME + 5)
        assert (await client.account())["deadline"] == START_TIME + 5
        await client.schedule_cancel(0)
        with pytest.raises(Refusal, match="not_due"):
            await client.crank(1)


async def test_an_agent_trades_and_cannot_touch_the_money(exchange: Running) -> None:
    key = KeySigner(agent_key(1, 3))
    async with exchange.trader(1) as owner, SetoffClient(exchange.url, key, account=1, agent=3) as agent:
        with pytest.raises(Refusal, match="bad_signature"):
            await agent.place(1, BUY, 90, 1)
        await owner.set_agent(3, key.address, START_TIME + 100)
        result = await agent.place(1, BUY, 90, 1)
        assert [order["order_slot"] for order in await owner.orders()] == [result.order_slot]
        with pytest.raises(InputError, match="money and keys are the owner's"):
            await agent.withdraw(1)
        with pytest.raises(Refusal, match="bad_signature"):  # nor by a client that signs it all the same
            await agent.submit(agent.sign(make_body("Withdraw", 1, 50, 0, 1)))
        await agent.bulk([Leg(CANCEL_LEG, 1, result.order_slot)])
        await owner.set_agent(3, bytes(20), 0)  # the agent has used none of its nonces
        for _ in range(2):
            with pytest.raises(Refusal, match="bad_signature"):
                await agent.place(1, BUY, 90, 1)
        # Named again it has other nonces: what it knows is of no use once, then it has asked.
        await owner.set_agent(3, key.address, START_TIME + 100)
        assert (await agent.place(1, BUY, 90, 1)).resting == 1
        await owner.set_agent(3, key.address, START_TIME + 200)
        with pytest.raises(Refusal, match="nonce_too_old"):
            await agent.place(1, BUY, 90, 1)
        assert (await agent.place(1, BUY, 90, 1)).resting == 1


async def test_an_agent_keeps_to_its_scope_and_gives_way_to_the_owner_s_other_orders(exchange: Running) -> None:
    key = KeySigner(agent_key(1, 3))
    async with exchange.trader(1) as owner, SetoffClient(exchange.url, key, account=1, agent=3, sub=2) as agent:
        await owner.transfer(1 | 2 << 20, 10**6)
        scope = Scope(subs=(2,), markets=(1,))
        with pytest.raises(InputError, match="malformed_record"):
            await owner.set_agent(3, key.address, START_TIME + 100, Scope(kinds=("Withdraw",)))
        await owner.set_agent(3, key.address, START_TIME + 100, scope)
        await owner.place(1, SELL, 110, 1)
        with pytest.raises(Refusal, match="self_trade"):
            await agent.place(1, BUY, 110, 1)
        assert (await agent.place(1, BUY, 90, 1)).resting == 1
        with pytest.raises(Refusal, match="out_of_scope"):
            await agent.cancel_all()
        with pytest.raises(Refusal, match="out_of_scope"):
            await agent.at(1).place(1, BUY, 90, 1)
        assert [order["price"] for order in await owner.orders()] == [110]


async def test_sub_accounts_keep_risks_apart(exchange: Running) -> None:
    async with exchange.trader(1) as master:
        isolated = master.at(2)
        account = await isolated.load()
        assert account == 2 << 20 | 1
        await master.transfer(account, 10**6)
        with pytest.raises(Refusal, match="insufficient_margin"):
            await isolated.place(1, BUY, 100, 10**5)
        placed = await isolated.place(1, BUY, 99, 10)
        await master.place(1, BUY, 98, 10)
        assert [order["price"] for order in await isolated.orders()] == [99]
        await isolated.cancel(placed.order_slot)
        await isolated.transfer(1, 10**6)
        with pytest.raises(Refusal, match="sub_account"):
            await isolated.withdraw(1)


async def test_shares_of_the_backstop(exchange: Running) -> None:
    async with exchange.trader(2) as client:
        await client.backstop_deposit(5000)
        assert (await client.backstop())["equity"] == "5000"
        with pytest.raises(Refusal, match="insufficient_margin"):
            await client.backstop_withdraw(5000 * 1024 + 1)
        await client.backstop_withdraw(2000 * 1024)
        assert (await client.account())["shares"] == (await client.backstop())["shares"] == str(3000 * 1024)


async def test_what_the_machine_does_for_a_report_comes_with_its_receipt(exchange: Running) -> None:
    oracle = SetoffClient(exchange.url, KeySigner(oracle_key(0)))
    async with exchange.trader(1) as one, exchange.trader(2) as two, oracle:
        await one.place(1, SELL, 104, 2)
        await two.place(1, BUY, 110, 2, ABOVE | IOC, trigger=102)
        fired = await oracle.report(0, exchange.traffic.time + 1, 1, 103)
        assert [(fill["taker"], fill["maker"], fill["price"]) for fill in fired.fills] == [(2, 1, 104)]
