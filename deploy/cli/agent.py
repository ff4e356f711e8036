"""`setoff agent`: keys that may trade for an account, and no more than trade."""

from __future__ import annotations

import argparse
import time
from typing import Final

from setoff.deploy.cli.wallet import add_exchange, ask_exchange
from setoff.shared.sdk.client import SetoffClient

DAY: Final = 86_400
NOBODY: Final = bytes(20)


def configure(parser: argparse.ArgumentParser) -> None:
    """Name one, take one away, list them."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    name = actions.add_parser("set", help="let a key trade for the account, its sub-accounts included")
    name.add_argument("number", type=int, help="of the agent, 1 to 8")
    name.add_argument("address", type=parse_address, help="of the agent's key")
    name.add_argument("--days", type=float, default=30, help="how long it may; now %(default)s")
    remove = actions.add_parser("remove", help="take its right away, at once")
    remove.add_argument("number", type=int)
    show = actions.add_parser("list", help="the agents of the account")
    for action in (name, remove, show):
        add_exchange(action)
    parser.epilog = "An agent trades with its own --key, --account and --agent."


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what came of it."""
    ask_exchange(arguments, lambda client: act(client, arguments))
    return 0


async def act(client: SetoffClient, arguments: argparse.Namespace) -> None:
    """One action at the exchange. Raises Refusal with its reason."""
    if arguments.action == "list":
        for agent in (await client.account())["agents"]:
            until = time.strftime("%Y-%m-%d %H:%M", time.localtime(agent["expiry"]))
            print(f"{agent['agent']}  {agent['key']}  until {until}")
        return
    if arguments.action == "set":
        result = await client.set_agent(
            arguments.number, arguments.address, await client.now() + int(arguments.days * DAY)
        )
    else:
        result = await client.set_agent(arguments.number, NOBODY, 0)
    print(f"accepted as record {result.sequence}, batch {result.batch}")


def parse_address(text: str) -> bytes:
    """20 bytes in hex. Raises ValueError, which argparse explains."""
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != len(NOBODY):
        raise ValueError(f"{text} is no address")
    return data
