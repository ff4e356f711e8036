"""The client against a real exchange: nonces, order slots, typed errors, the stream."""

import asyncio

import pytest
from eth_account import Account
from tests.support.processes.running_operator import Running

from setoff.deploy.simulation.sample_traffic import oracle_key, trader_key
from setoff.shared.codec.records import BUY, IOC, POST_ONLY, SELL
from setoff.shared.sdk import KeySigner, Refusal, SetoffClient, Unavailable, WalletSigner


async def test_trades(exchange: Running) -> None:
    async with exchange.trader(1) as seller, exchange.trader(2) as buyer:
        resting = await seller.place(1, SELL, 101, 5)
        assert (resting.resting, resting.filled, resting.fills) == (5, 0, ())
        taken = await buyer.place(1, BUY, 102, 3)
        assert (taken.resting, taken.filled) == (0, 3)
        assert taken.sequence == resting.sequence + 1
        assert [order["size"] for order in await seller.orders()] == ["2"]
        assert (await seller.cancel(resting.order_slot)).fills == ()
        assert await seller.orders() == []
        assert (await buyer.account())["positions"][0]["size"] == "3"
        assert [fill["size"] for fill in await buyer.fills(after=0, account=2)] == ["3"]
        assert (await buyer.book(1))["asks"] == []
        assert (await buyer.markets())[0]["mark"] == 100


async def test_moves_money(exchange: Running) -> None:
    async with exchange.trader(1) as payer, exchange.trader(2) as payee:
        before = int((await payee.account())["collateral"])
        await payer.transfer(2, 1000)
        assert int((await payee.account())["collateral"]) == before + 1000
        result = await payer.withdraw(500)
        while True:
            try:
                proof = await payer.withdrawal(0)
                break
            except Refusal as error:
                assert error.reason == "not_found"
                await asyncio.sleep(0.05)
        assert (proof.account, proof.amount, proof.owner) == (1, 500, KeySigner(trader_key(1)).address)
        batch = await payer.batch(result.batch)
        assert proof.epoch == result.batch == batch["batch"]


async def test_reports_prices(exchange: Running) -> None:
    async with SetoffClient(exchange.url, KeySigner(oracle_key(0))) as oracle:
        await oracle.report(0, exchange.traffic.time + 1, 1, 110)
        assert (await oracle.markets())[0]["mark"] == 110


async def test_says_why_not(exchange: Running) -> None:
    async with exchange.trader(1) as client, exchange.trader(2) as other:
        with pytest.raises(Refusal) as caught:
            await client.place(1, BUY, 100, 0)
        assert caught.value.reason == "size_out_of_range"
        await other.place(1, SELL, 101, 1)
        with pytest.raises(Refusal) as caught:
            await client.place(1, BUY, 101, 1, POST_ONLY)
        assert caught.value.reason == "would_cross"
        with pytest.raises(Refusal) as caught:
            await client.cancel(17)
        assert caught.value.reason == "unknown_order"
        assert (await client.place(1, BUY, 101, 1, IOC)).filled == 1
    async with exchange.trader(9) as stranger:
        with pytest.raises(Refusal) as caught:
            await stranger.place(1, BUY, 100, 1)
        assert caught.value.reason == "not_found"
    async with SetoffClient("http://127.0.0.1:9", KeySigner(trader_key(1))) as nowhere:
        with pytest.raises(Unavailable):
            await nowhere.info()


async def test_many_orders_at_once(exchange: Running) -> None:
    async with exchange.trader(1) as client:
        await client.load()
        results = await asyncio.gather(*[client.place(1, BUY, 60 + i % 30, 1) for i in range(200)])
        assert len({result.order_slot for result in results}) == 200
        assert len(await client.orders()) == 200


async def test_uses_order_slots_again(exchange: Running) -> None:
    async with exchange.trader(1) as maker, exchange.trader(2) as taker:
        for _ in range(300):
            assert (await maker.place(1, SELL, 100, 1)).resting == 1
            assert (await taker.place(1, BUY, 100, 1)).filled == 1


async def test_two_clients_of_one_account(exchange: Running) -> None:
    """A nonce that the other one used is refused once; then the client has asked again."""
    async with exchange.trader(1) as one, exchange.trader(1) as two:
        await one.place(1, BUY, 90, 1)
        await two.place(1, BUY, 90, 1, order_slot=100)
        with pytest.raises(Refusal) as caught:
            await one.place(1, BUY, 90, 1, order_slot=101)
        assert caught.value.reason == "nonce_used"
        await one.place(1, BUY, 90, 1, order_slot=101)


async def test_a_wallet_signs(exchange: Running) -> None:
    wallet = Account.from_key(trader_key(1))
    signer = WalletSigner(
        bytes.fromhex(wallet.address[2:]), lambda data: bytes(wallet.sign_typed_data(full_message=data).signature)
    )
    async with SetoffClient(exchange.url, signer) as client:
        assert (await client.place(1, BUY, 90, 1)).resting == 1


async def test_streams(exchange: Running) -> None:
    async with exchange.trader(1) as client:
        stream = client.stream(["records", "batches"])
        following = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.1)
        await client.place(1, BUY, 90, 1)
        told = [await asyncio.wait_for(following, 5)]
        told.append(await asyncio.wait_for(anext(stream), 5))
        assert {message["channel"] for message in told} == {"records", "batches"}
        await stream.aclose()  # type: ignore[attr-defined]
