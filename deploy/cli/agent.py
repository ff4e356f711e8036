"""`setoff agent`: keys that may trade for an account, and no more than trade."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any, Final

from setoff.deploy.cli.wallet import add_exchange, ask_exchange
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.wire.scopes import KINDS, MAX_MARKETS, Scope

DAY: Final = 86_400
NOBODY: Final = bytes(20)


def configure(parser: argparse.ArgumentParser) -> None:
    """Name one, take one away, list them."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    name = actions.add_parser("set", help="let a key trade for the account: all of it, or what --only-… says")
    name.add_argument("number", type=int, help="of the agent, 1 to 8")
    name.add_argument("address", type=parse_address, help="of the agent's key")
    name.add_argument("--days", type=float, default=30, help="how long it may; now %(default)s")
    add_scope(name)
    remove = actions.add_parser("remove", help="take its right away, at once")
    remove.add_argument("number", type=int)
    show = actions.add_parser("list", help="the agents of the account")
    for action in (name, remove, show):
        add_exchange(action)
    parser.epilog = (
        "An agent trades with its own --key, --account and --agent, and has nonces of its own: it cannot use up yours. "
        "What it can lose is what is in the sub-accounts that it may trade for: put no more there than that. After "
        "'remove' nothing counts that it has signed, also if you name the same key again; but its orders stay until "
        "you cancel them (setoff trade cancel --all). If the exchange does not answer: 'setoff force agent NUMBER'. "
        "Never name a key again that was in strange hands: they may have signed for a time to come."
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what came of it."""
    ask_exchange(arguments, lambda client: act(client, arguments))
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """One action at the exchange. Raises Refusal with its reason."""
    if arguments.action == "list":
        for agent in (await client.account())["agents"]:
            until = time.strftime("%Y-%m-%d %H:%M", time.localtime(agent["expiry"]))
            print(f"{agent['agent']}  {agent['key']}  until {until}  {describe_scope(agent)}")
        return
    if arguments.action == "set":
        result = await client.set_agent(
            arguments.number,
            arguments.address,
            await client.now() + int(arguments.days * DAY),
            read_scope(arguments),
        )
    else:
        result = await client.set_agent(arguments.number, NOBODY, 0)
    print(f"accepted as record {result.sequence}, batch {result.batch}")


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Options that say what an agent may touch."""
    parser.add_argument("--only-sub", type=int, action="append", default=[], metavar="N",
                        help="only this sub-account, 0 for the account itself; may be given again. Its orders then "
                             "give way to your others (self-trade rule: cancel taker)")  # fmt: skip
    parser.add_argument("--only-market", type=int, action="append", default=[], metavar="MARKET",
                        help=f"only this market; may be given again, up to {MAX_MARKETS} of them. Such an agent cannot "
                             "cancel all orders at once, or set a dead-man's switch")  # fmt: skip
    parser.add_argument("--only-kind", choices=list(KINDS), action="append", default=[], metavar="KIND",
                        help=f"only records of this kind; may be given again: {', '.join(KINDS)}")  # fmt: skip
    parser.add_argument("--only-close", action="store_true",
                        help="only reduce-only orders, which close positions and open none, and cancels")  # fmt: skip
    parser.add_argument("--max-size", type=int, default=0, metavar="LOTS",
                        help="of one order, however many it sends; ten binary digits of it count")  # fmt: skip


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
