"""The trader's commands against a running exchange: what they send, and what they print."""

import argparse
import asyncio
import json
from unittest.mock import AsyncMock

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.processes.commands import Command
from tests.support.processes.running_operator import Running

import setoff.deploy.cli.main as cli
from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.commands.trade import report
from setoff.deploy.cli.commands.withdraw import request
from setoff.deploy.cli.exit_codes import PENDING
from setoff.deploy.simulation.sample_traffic import agent_key, oracle_key, trader_key
from setoff.shared.codec.signatures import address_of
from setoff.shared.errors import SetoffError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient, SubmitResult


async def test_orders_of_every_kind(exchange: Running, setoff: Command) -> None:
    assert "0 lots filled, 5 rest in order slot 0" in await setoff("trade sell 1 5 101 --client 9")
    assert "3 lots filled, 0 rest" in await setoff("trade buy 1 3", trader_key(2))
    assert "unfillable" in await setoff("trade buy 1 9 101 --flags fok", trader_key(2), code=1)
    assert "0 lots filled, 3 rest" in await setoff("trade sell 1 9 130 --reduce-only", trader_key(2))
    assert "4 rest in order slot" in await setoff("trade buy 1 4 120 --above 110 --flags ioc", trader_key(3))
    shown = await setoff("account", trader_key(3))
    assert "above 110" in shown and "ioc" in shown
    assert "lots filled, 7 rest in order slot 0" in await setoff("trade amend 0 7 102")
    assert "101" not in await setoff("trade book 1")
    assert "every open order dies at 20" in await setoff("trade dead-man 600")
    said = await setoff("trade cancel --client 9")
    assert "taken back: sell 7 M1-PERP at 0.00102, order slot 0" in said and "0 open orders are left" in said
    assert "the switch is off" in await setoff("trade dead-man 0")
    assert "unknown_order" in await setoff("trade cancel --client 9", code=1)
    assert "accepted" in await setoff("trade cancel --all", trader_key(2))
    await setoff("trade buy 1 2 99")
    assert "2 lots filled" in await setoff("trade close 1", trader_key(2))
    assert "not_due" in await setoff("trade crank 1", code=1)
    with pytest.raises(SystemExit):
        await setoff("trade cancel")


async def test_everything_is_json_where_it_is_asked_for(exchange: Running, setoff: Command) -> None:
    placed = json.loads(await setoff("trade sell 1 5 101 --json"))
    assert (placed["outcome"], placed["resting"], placed["fills"]) == ("accepted", 5, [])
    pair = json.loads(await setoff("trade buy 1 3 --above 150 --below 50 --json", trader_key(2)))
    assert [each["resting"] for each in pair] == [3, 3]
    assert json.loads(await setoff("trade book 1 --json"))["asks"][0]["price"] == 101
    assert json.loads(await setoff("trade market 1 --json"))["tiers"]
    assert len(json.loads(await setoff("account --json"))["orders"]) == 1
    assert json.loads(await setoff("transfer 100 .3 --json"))["outcome"] == "accepted"
    assert json.loads(await setoff("backstop deposit 50 --json"))["backstop"]["equity"] == "50000000"
    assert json.loads(await setoff("agent list --json")) == []
    assert json.loads(await setoff("trade cancel --all --json"))["outcome"] == "accepted"


async def test_what_is_not_there_is_said(exchange: Running, setoff: Command) -> None:
    assert "no orders rest" in await setoff("trade book 1")
    assert "no agent may trade" in await setoff("agent list")
    shown = await setoff("account")
    assert "no positions" in shown and "no orders" in shown
    assert "next: `setoff trade buy SYMBOL SIZE PRICE` places an order" in shown
    assert "next: `setoff deposit AMOUNT` brings money here" in await setoff("account 1.5")
    assert "there is no withdrawal 7: 0 were granted" in await setoff("withdraw --index 7", code=1)
    async with SetoffClient("http://me:secret@127.0.0.1:9") as client:
        with pytest.raises(Unavailable, match=r"at 127\.0\.0\.1:9: ") as caught:
            await client.status()
    assert "secret" not in str(caught.value)


async def test_an_order_whose_answer_is_lost_is_not_made_twice(
    exchange: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes go out again; this exchange keeps no history, so that what became of them has to be looked for."""
    sent: list[bytes] = []

    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with exchange.http.request(request.method, exchange.url + request.path_qs, data=body) as answer:
            data = await answer.read()
        if request.path == "/v1/records":
            sent.append(body)
            if len(sent) == 1 and request.transport is not None:
                request.transport.close()
        return web.Response(status=answer.status, body=data, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    async with TestServer(app) as between:
        line = f"trade sell 1 5 101 --exchange {between.make_url('/')} --key {trader_key(1).hex()}"
        assert await asyncio.to_thread(cli.main, line.split()) == PENDING
    told = capsys.readouterr().err
    assert "pending: it was taken, as it seems" in told and "next: do not send it again before you have looked" in told
    assert len(sent) == 2 and sent[0] == sent[1]
    _, shown = await exchange.get("/v1/accounts/1")
    assert len(shown["orders"]) == 1


@pytest.mark.parametrize(
    "first",
    [Refusal("stale_report"), Unavailable("not_ready"), Unavailable("pending")],
    ids=["stale_report", "not_ready", "pending"],
)
async def test_a_repeated_report_outlives_what_passes(first: SetoffError) -> None:
    client = AsyncMock(spec=SetoffClient)
    client.report.side_effect = [first, SubmitResult(0, 0, 0, 0, 0, ()), Refusal("bad_signature")]
    arguments = argparse.Namespace(market=1, price=105, signer=[0], every=0.001, json=False)
    with pytest.raises(Refusal, match="bad_signature"):
        await report(client, arguments)
    assert client.report.await_count == 3
    client.report.side_effect = [first]
    arguments.every = None
    with pytest.raises(type(first)):
        await report(client, arguments)


@pytest.mark.parametrize(
    ("more_at", "said"),
    [
        (7_200, "1,234.500000 USD can leave now, more at 02:00, all of it at 1970-01-01 15:00 UTC"),
        (54_000, "1,234.500000 USD can leave now, all of it at 1970-01-01 15:00 UTC"),
    ],
)
async def test_a_withdrawal_of_too_much_is_told_what_may_leave_when(more_at: int, said: str) -> None:
    client = AsyncMock(spec=SetoffClient)
    client.request_withdrawal.side_effect = Refusal("withdrawals_limited")
    client.account.return_value = {"exit": {"now": "1234500000", "more_at": more_at, "all_at": 54_000}}
    with pytest.raises(Refusal, match=said) as caught:
        await request(client, 10**10, Money("USD", 6))
    assert caught.value.reason == "withdrawals_limited"


async def test_a_withdrawal_that_is_refused_for_something_else_says_that() -> None:
    client = AsyncMock(spec=SetoffClient)
    client.request_withdrawal.side_effect = Refusal("insufficient_margin")
    client.account.return_value = {"exit": {"now": "5", "more_at": 0, "all_at": 0}}
    with pytest.raises(Refusal, match=r"^insufficient_margin$"):
        await request(client, 10**10, Money("USD", 6))


async def test_a_stop_without_a_price_waits(exchange: Running, setoff: Command) -> None:
    assert "0 lots filled, 3 rest" in await setoff("trade buy 1 3 --above 150")
    assert "0 lots filled, 3 rest" in await setoff("trade sell 1 3 --below 50")


async def test_two_that_wait_on_both_sides_are_a_pair(exchange: Running, setoff: Command) -> None:
    shown = await setoff("trade buy 1 3 --above 150 --below 50")
    assert shown.count("0 lots filled, 3 rest") == 2
    account = await setoff("account")
    assert all(word in account for word in ("above 150", "below 50", "or 0", "or 1"))
    assert "have no price" in await setoff("trade buy 1 3 99 --above 150 --below 50", code=1)


async def test_a_market_by_its_symbol_takes_decimals(exchange: Running, setoff: Command) -> None:
    """A lot of M1-PERP is 1, and a tick 0.00001 USD."""
    said = await setoff("trade sell m1-perp 5 0.00101")
    assert "0 lots filled, 5 rest in order slot 0" in said and "M1-PERP: 5 M1 rests" in said
    assert "next: `setoff account` shows it, `setoff trade cancel 0` takes it back" in said
    said = await setoff("trade buy M1-PERP 2 0.00102", trader_key(2))
    assert "M1-PERP: filled 2 M1 at 0.00101 USD" in said and "`setoff trade close MARKET` closes it" in said
    assert "0.00101            3        101            3 in 1" in await setoff("trade book M1-PERP")
    shown = await setoff("account", trader_key(2))
    assert "M1-PERP (1)" in shown and "-0.00002 (-20)" in shown and "999,999.997978 USD" in shown
    assert "2 rest in order slot 0" in await setoff("trade amend 0 2 0.00103 --market M1-PERP")
    assert "2 rest in order slot 1" in await setoff("trade buy M1-PERP 2 --above 0.0015")
    await setoff("trade buy M1-PERP 2 0.00099")
    assert "2 lots filled" in await setoff("trade close M1-PERP --slippage 90000", trader_key(2))
    assert "not_due" in await setoff("trade crank M1-PERP", code=1)
    between = await setoff("trade buy M1-PERP 2 0.000995", code=1)
    assert "price_out_of_range" in between and "0.00099 or 0.001" in between
    assert "name it by its symbol for decimals" in await setoff("trade buy 1 0.5 99", code=1)
    assert "there is no market NONE-PERP; there are M1-PERP" in await setoff("trade buy NONE-PERP 1 1", code=1)


async def test_money_has_a_symbol_and_says_what_is_left(exchange: Running, setoff: Command) -> None:
    said = await setoff("transfer 100 .3")
    assert said.startswith("100.000000 USD moved to account ") and "999,900.000000 USD free are left here" in said


async def test_markets_and_reports(exchange: Running, setoff: Command) -> None:
    exchange.l1.time += 5
    await asyncio.sleep(0.1)
    assert "accepted" in await setoff("trade report 1 105 --signer 0", oracle_key(0))
    shown = await setoff("trade market 1")
    assert "a perpetual on M1, priced in USD" in shown and "0.00105 USD" in shown and len(shown.splitlines()) < 20
    assert all(f"\n{name} " in shown for name in ("tick, lot", "mark", "index", "funding", "margin", "fees"))


async def test_agents_and_sub_accounts(exchange: Running, setoff: Command) -> None:
    agent = agent_key(1, 2)
    said = await setoff(f"agent set 2 0x{address_of(agent).hex()}")
    assert "it may trade for account 1, and cannot withdraw" in said and "UTC  sub-accounts all" in said
    assert address_of(agent).hex() in await setoff("agent list")
    assert "4 rest" in await setoff("trade buy 1 4 90 --account 1 --agent 2", agent)
    assert "moved" in await setoff("transfer 100 .3")
    assert "4 rest" in await setoff("trade buy 1 4 90 --sub 3")
    assert "100.000000" in await setoff("account --sub 3")
    assert "accepted" in await setoff("trade cancel --all --sub 3")
    assert "moved" in await setoff("transfer 100 .0 --sub 3")
    scope = "--only-sub 3 --only-market 1 --only-market 2 --only-kind Order"
    assert "accepted" in await setoff(f"agent set 2 0x{address_of(agent).hex()} {scope}")
    assert "sub-accounts 3, markets 1 2, kinds Order" in await setoff("agent list")
    assert "accepted" in await setoff(f"agent set 4 0x{address_of(agent).hex()} --only-close --max-size 5")
    assert "kinds all, closes only, orders of 5 lots at most" in await setoff("agent list")
    assert "out_of_scope" in await setoff("trade buy 1 4 90 --account 1 --agent 2", agent, code=1)
    assert "malformed_record" in await setoff(f"agent set 3 0x{address_of(agent).hex()} --only-sub 16", code=1)
    assert f"0x{address_of(agent).hex()} may trade no more as agent 2" in await setoff("agent remove 2")
    assert "there was no agent 5" in await setoff("agent remove 5")
    assert "bad_signature" in await setoff("trade cancel --all --account 1 --agent 2", agent, code=1)


async def test_the_backstop(exchange: Running, setoff: Command) -> None:
    assert "equity 50.000000" in await setoff("backstop deposit 50")
    assert "equity 49.999901" in await setoff("backstop withdraw 102400")
    assert "equity 0.000001" in await setoff("backstop withdraw")  # what rounding down left
    assert "shares 0" in await setoff("backstop show")
