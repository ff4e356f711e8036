"""`setoff agent`: keys that may trade for an account, and no more than trade."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from setoff.deploy.cli.connections import ask_exchange, to_facts
from setoff.deploy.cli.market_words import show_time
from setoff.deploy.cli.output import show
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.wire.scopes import Scope

DAY: Final = 86_400
NOBODY: Final = bytes(20)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what came of it."""
    if arguments.action == "list":
        agents = ask_exchange(arguments, SetoffClient.account)["agents"]
        show(arguments, agents, *map(describe_agent, agents) if agents else ["no agent may trade for the account"])
    else:
        result, lines = ask_exchange(arguments, lambda client: act_and_describe(client, arguments))
        show(arguments, to_facts(result), f"accepted as record {result.sequence}, batch {result.batch}", *lines)
    return 0


async def act_and_describe(client: SetoffClient, arguments: argparse.Namespace) -> tuple[SubmitResult, list[str]]:
    """Do it; and who may now do what."""
    before = find_agent(await client.account(), arguments.number)
    result = await act(client, arguments)
    account = await client.account()
    after = find_agent(account, arguments.number)
    if after is not None:
        lines = [
            f"  it may trade for account {account['account']}, and cannot withdraw:",
            f"  {describe_agent(after)}",
            f"next: with its key, setoff trade … --account {account['account']} --agent {arguments.number}; "
            f"or setoff gateway run --account {account['account']}",
        ]
        return result, lines
    which = f"agent {arguments.number} of account {account['account']}"
    said = f"  there was no {which}" if before is None else f"  {before['key']} may trade no more as {which}"
    left = len(account["orders"])
    return result, [said + (f"; {left} open orders stay: `setoff trade cancel --all` takes them back" if left else "")]


def find_agent(account: Mapping[str, Any], number: int) -> Mapping[str, Any] | None:
    """Who has that number among an account's agents now."""
    return next((agent for agent in account["agents"] if int(agent["agent"]) == number), None)


async def act(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """Name an agent, or take its right away. Raises Refusal with its reason."""
    if arguments.action == "remove":
        return await client.set_agent(arguments.number, NOBODY, 0)
    expiry = await client.now() + int(arguments.days * DAY)
    return await client.set_agent(arguments.number, arguments.address, expiry, read_scope(arguments))


def describe_agent(agent: Mapping[str, Any]) -> str:
    """An agent as the exchange shows it, for people."""
    return f"{agent['agent']}  {agent['key']}  until {show_time(int(agent['expiry']))}  {describe_scope(agent)}"


def read_scope(arguments: argparse.Namespace) -> Scope:
    """What the options of `add_scope` say."""
    return Scope(
        tuple(arguments.only_sub),
        tuple(arguments.only_kind),
        tuple(arguments.only_market),
        arguments.only_close,
        arguments.max_size,
    )


def describe_scope(agent: Mapping[str, Any]) -> str:
    """The scope of an agent as the exchange shows it, for people."""
    names = (("subs", "sub-accounts"), ("markets", "markets"), ("kinds", "kinds"))
    parts = [f"{text} {' '.join(map(str, agent[name])) or 'all'}" for name, text in names]
    if agent["closes_only"]:
        parts.append("closes only")
    if int(agent["max_size"]):
        parts.append(f"orders of {agent['max_size']} lots at most")
    return ", ".join(parts)
