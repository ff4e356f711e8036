"""The `setoff` command: a table of sub-commands. The work is in `commands/`, imported when asked for."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from setoff.shared import BUILD
from setoff.shared.build import BuildError
from setoff.shared.errors import SetoffError


class Command(NamedTuple):
    """A sub-command: the module that has `configure(parser)` and `run(arguments) -> exit code`, and what it is for."""

    module: str
    purpose: str


COMMANDS: Final[dict[str, Command]] = {
    "demo": Command("demo", "a whole market on this machine: trade, settle, and a lie that is caught"),
    "devnet": Command("devnet", "a development chain with the contracts deployed, to play with"),
    "deploy": Command("deploy", "put the contracts on a chain"),
    "market": Command("market", "list markets, change their parameters, name oracle signers: proposals on L1"),
    "operator": Command("operator", "run an exchange"),
    "watcher": Command("watcher", "watch an exchange, and dispute what is false"),
    "wallet": Command("key_file", "make a key in a file, see its address, fill it on a development chain"),
    "account": Command("account", "your account at an exchange: money, positions, orders"),
    "deposit": Command("deposit", "lock collateral on L1"),
    "trade": Command("trade", "place orders, change them, take them back; look at markets and books"),
    "transfer": Command("transfer", "move collateral to another account or sub-account"),
    "agent": Command("agent", "let another key trade for your account"),
    "backstop": Command("backstop", "the vault behind liquidations: have a share of it"),
    "receipts": Command("receipts", "the operator's signed receipts: keep it to its word, or take its bond"),
    "withdraw": Command("withdraw", "take collateral out, to L1"),
    "force": Command("force", "any action through the L1 queue, with the operator or without it"),
    "verify": Command("verify", "re-execute posted batches from L1 alone and compare with what is claimed"),
    "lab": Command("lab", "play disputes in a simulator: every known attack, random games, any number of liars"),
    "scenario": Command("scenario", "challenge games by script, checked on chain; or a lying party on its own"),
    "bench": Command("bench", "measure: a record, a batch, a sweep, a history, gas"),
    "version": Command("version", "print the version, and whether the rules run compiled"),
}

EPILOG: Final = """\
New here? `setoff demo` shows everything in two minutes; `setoff devnet` leaves you a chain to try the rest on.
`setoff COMMAND --help` explains each command.
"""


def make_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser; only the chosen command's own arguments are filled in, so that the others need no import."""
    parser = argparse.ArgumentParser(
        prog="setoff",
        description="An off-chain settlement system for derivatives whose whole rulebook L1 can enforce.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="as the command `version`")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.purpose,
            description=command.purpose[0].upper() + command.purpose[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            importlib.import_module(f"setoff.deploy.cli.{command.module}").configure(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        words = ["version"]
    elif BUILD.is_stale:
        print(f"setoff: {BUILD.reason}", file=sys.stderr)
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        parsed = make_parser(chosen).parse_args(words)
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        code: int = importlib.import_module(f"setoff.deploy.cli.{COMMANDS[parsed.command].module}").run(parsed)
    except (SetoffError, BuildError) as error:
        print(f"setoff: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code
