"""`setoff agent`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_exchange
from setoff.deploy.cli.arguments.words import parse_address, parse_count, parse_time
from setoff.shared.wire.scopes import KINDS, MAX_MARKETS


def configure(parser: argparse.ArgumentParser) -> None:
    """Name one, take one away, list them."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    name = actions.add_parser("set", help="let a key trade for the account: all of it, or what --only-… says")
    name.add_argument("number", type=parse_count, help="of the agent, 1 to 8")
    name.add_argument("address", type=parse_address, help="of the agent's key")
    name.add_argument("--days", type=parse_time, default=30.0, help="how long it may; now %(default)g")
    add_scope(name)
    remove = actions.add_parser("remove", help="take its right away, at once")
    remove.add_argument("number", type=parse_count, help="of the agent, 1 to 8")
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


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Options that say what an agent may touch."""
    group = parser.add_argument_group("what it may touch")
    group.add_argument("--only-sub", type=parse_count, action="append", default=[], metavar="N",
                       help="only this sub-account, 0 for the account itself; may be given again. Its orders then "
                            "give way to your others (self-trade rule: cancel taker)")  # fmt: skip
    group.add_argument("--only-market", type=parse_count, action="append", default=[], metavar="MARKET",
                       help=f"only this market; may be given again, up to {MAX_MARKETS} of them. Such an agent cannot "
                            "cancel all orders at once, or set a dead-man's switch")  # fmt: skip
    group.add_argument("--only-kind", choices=list(KINDS), action="append", default=[], metavar="KIND",
                       help=f"only records of this kind; may be given again: {', '.join(KINDS)}")  # fmt: skip
    group.add_argument("--only-close", action="store_true",
                       help="only reduce-only orders, which close positions and open none, and cancels")  # fmt: skip
    group.add_argument("--max-size", type=parse_count, default=0, metavar="LOTS",
                       help="of one order, however many it sends; ten binary digits of it count")  # fmt: skip
