"""The `setoff` command: finds out what was typed, imports what does it, and ends with a documented exit code."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

from setoff.deploy.cli.advice import SERVICES, find_advice
from setoff.deploy.cli.arguments.common import add_json
from setoff.deploy.cli.arguments.parser import Parser, describe_groups, list_leaves
from setoff.deploy.cli.exit_codes import BUG, DONE, INTERRUPTED, MEANINGS, NOT_POSSIBLE, PENDING, find_exit_code
from setoff.deploy.cli.sent import SENT
from setoff.deploy.cli.table import COMMANDS
from setoff.shared import BUILD
from setoff.shared.build import BuildError
from setoff.shared.errors import ConfigError, SetoffError

EPILOG: Final = """\
New here? `setoff demo` shows everything in two minutes; `setoff devnet` leaves you a chain to try the rest on.
`setoff COMMAND --help` explains each command.

Exit codes:
"""
TRACE: Final = "SETOFF_TRACE"
"""Environment: not empty shows where an error comes from that nobody has foreseen."""

_SETTING: Final = re.compile(r"[a-z0-9_]+=.*", re.DOTALL)


def make_parser(chosen: str | None, *, is_whole: bool = False) -> Parser:
    """The parser; only the chosen command's own arguments are filled in, unless it is to be whole."""
    codes = "\n".join(f"  {code:<4}  {text}" for code, text in MEANINGS.items())
    parser = Parser(
        prog="setoff",
        description="An off-chain settlement system for derivatives whose whole rulebook L1 can enforce.",
        epilog=EPILOG + codes,
    )
    parser.add_argument("--version", action="store_true", help="as the command `version`")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        sub = commands.add_parser(name, help=purpose)
        if is_whole or name == chosen:
            sub.set_defaults(module=name)
            importlib.import_module(f"setoff.deploy.cli.arguments.{name}").configure(sub)
            for leaf in list_leaves(sub):
                if not leaf.get_default("is_service"):
                    add_json(leaf)
    describe_groups(parser)
    return parser


def spread_settings(words: Sequence[str]) -> list[str]:
    """`--set a=1 b=2` as `--set=a=1 --set=b=2`: how many follow, only their form tells."""
    spread: list[str] = []
    is_setting = False
    for word in words:
        if word == "--set":
            is_setting = True
            spread.append(word)
        elif is_setting and _SETTING.fullmatch(word):
            if spread[-1] == "--set":
                spread.pop()
            spread.append(f"--set={word}")
        else:
            is_setting = False
            spread.append(word)
    return spread


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be anything
    words = spread_settings(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        words = ["version"]
    elif BUILD.is_stale:
        print(f"setoff: {BUILD.reason}", file=sys.stderr)
    chosen = next((word for word in words if not word.startswith("-")), None)
    parsed = argparse.Namespace()
    SENT.clear()
    try:
        parsed = make_parser(chosen).parse_args(words)
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        code: int = importlib.import_module(f"setoff.deploy.cli.commands.{parsed.module}").run(parsed)
    except (SetoffError, BuildError) as error:
        return tell_error(error, as_json=getattr(parsed, "json", False))
    except KeyboardInterrupt:
        tell_sent()
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 # or the interpreter complains when it flushes it
        return DONE
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] in ("setoff", *sys.stdlib_module_names):
            raise
        what = f"node: `setoff {chosen}` needs the package {error.name.partition('.')[0]}"
        return tell_error(ConfigError("bad_config", what), as_json=getattr(parsed, "json", False))
    except Exception as error:
        if os.environ.get(TRACE):
            raise
        tell_sent()
        print(f"setoff: a fault of this program: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"next: {TRACE}=1 before the same command shows where; please report that", file=sys.stderr)
        return BUG
    return code


def tell_error(error: SetoffError | BuildError, *, as_json: bool) -> int:
    """Say what is wrong and what to do next; returns the exit code.

    Where something was sent before, "try again" would send it twice: then what was sent is said, and the exit code is
    that of what is pending.
    """
    advice, code = find_advice(error) if isinstance(error, SetoffError) else "", find_exit_code(error)
    sent = SENT.describe()
    if sent and code == NOT_POSSIBLE:
        advice, code = SERVICES["pending"], PENDING
    print(f"setoff: {error}", file=sys.stderr)
    tell_sent()
    if advice:
        print(f"next: {advice}", file=sys.stderr)
    if as_json:
        reason = error.reason if isinstance(error, SetoffError) else "build"
        detail = error.detail if isinstance(error, SetoffError) else str(error)
        told: dict[str, Any] = {"error": reason, "detail": detail, "next": advice}
        if isinstance(error, SetoffError) and error.numbers:
            told["numbers"] = error.numbers
        if sent:
            told["sent"] = sent
        print(json.dumps(told, indent=2))
    return code


def tell_sent() -> None:
    """Say what the command has sent so far."""
    for line in SENT.describe():
        print(f"sent: {line}", file=sys.stderr)
