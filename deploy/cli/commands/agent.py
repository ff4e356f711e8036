"""`setoff agent`: keys that may trade for an account, and no more than trade."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any, Final

from setoff.deploy.cli.connections import ask_exchange, to_facts
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
        result = ask_exchange(arguments, lambda client: act(client, arguments))
        show(arguments, to_facts(result), f"accepted as record {result.sequence}, batch {result.batch}")
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> SubmitResult:
    """Name an agent, or take its right away. Raises Refusal with its reason."""
    if arguments.action == "remove":
        return await client.set_agent(arguments.number, NOBODY, 0)
    expiry = await client.now() + int(arguments.days * DAY)
    return await client.set_agent(arguments.number, arguments.address, expiry, read_scope(arguments))


def describe_agent(agent: Mapping[str, Any]) -> str:
    """An agent as the exchange shows it, for people."""
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(agent["expiry"]))
    return f"{agent['agent']}  {agent['key']}  until {until}  {describe_scope(agent)}"


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


def parse_address(text: str) -> bytes:
    """20 bytes in hex. Raises ValueError, which argparse explains."""
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != len(NOBODY):
        raise ValueError(f"{text} is no address")
    return data
