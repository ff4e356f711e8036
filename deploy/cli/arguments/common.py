"""Arguments that many commands take: settings that have an option of their own, the file of settings, `--json`.

What such an option says wins over the environment, and that over the file: `deploy/cli/settings.py` puts them together.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final, NamedTuple

from setoff.deploy.cli.arguments.words import parse_count, parse_path

GIVEN: Final = "given_"
"""What the names of attributes begin with that hold settings given by an option."""


class Option(NamedTuple):
    """The option for a setting."""

    flag: str
    metavar: str
    help: str


OPTIONS: Final[dict[str, Option]] = {
    "exchange": Option("--exchange", "URL", "the operator's API (SETOFF_EXCHANGE)"),
    "key": Option("--key", "KEY", "private key in hex, or better a file that holds it, or a keystore (SETOFF_KEY)"),
    "key_password": Option("--key-password", "FILE", "that holds a keystore's password (SETOFF_KEY_PASSWORD)"),
    "key_account": Option("--key-account", "ADDRESS", "--key is a remote signer's URL: its account that signs"),
    "rpc_url": Option("--rpc", "URL", "the L1 node (SETOFF_RPC_URL)"),
    "deployment": Option("--deployment", "FILE", "where the contracts are (SETOFF_DEPLOYMENT)"),
    "receipts": Option("--receipts", "FOLDER", "where the operator's signed receipts are kept (SETOFF_RECEIPTS)"),
    "beacon_url": Option("--beacon", "URL", "a consensus node, for batches in blobs (SETOFF_BEACON_URL)"),
    "peers": Option("--peers", "URL", "watchers that keep old blobs, with commas between (SETOFF_PEERS)"),
}
"""By setting."""

CHAIN: Final = ("rpc_url", "deployment")
LOCAL_KEYS: Final = ("oracle", "gateway")
"""Services whose key is never a remote signer's: they sign records, many and fast."""
EXCHANGE: Final = ("exchange", "key", *CHAIN, "receipts")


def add_options(parser: argparse.ArgumentParser, *names: str, section: str = "") -> None:
    """The options of these settings, `--config` and `--set`; `section`: of the service whose settings they are."""
    group = parser.add_argument_group("settings", "An option wins over the environment, that over the file.")
    for name in _with_all_of_a_key(names, section):
        flag, metavar, text = OPTIONS[name]
        if section and name in ("key", "key_password", "exchange"):
            text = text.replace("SETOFF_", f"SETOFF_{section}_".upper())
        group.add_argument(flag, dest=GIVEN + name, metavar=metavar, help=text)
    group.add_argument("--config", type=parse_path, metavar="FILE", help="settings, a TOML file (SETOFF_CONFIG)")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="overrides",
        help="any setting; several may follow" + (f": `setoff {section} config` lists them" if section else ""),
    )


def _with_all_of_a_key(names: Sequence[str], section: str) -> list[str]:
    """What else belongs to a key goes behind it."""
    more = ["key_password"] if section in LOCAL_KEYS else ["key_password", "key_account"]
    return [each for name in names for each in ([name, *more] if name == "key" else [name])]


def add_service(parser: argparse.ArgumentParser, section: str) -> None:
    """The settings of an operator or a watcher."""
    add_options(parser, "key", *CHAIN, section=section)


def add_exchange(parser: argparse.ArgumentParser) -> None:
    """An exchange, a key, and for whom it acts: `--sub`, or `--account` and `--agent`."""
    add_options(parser, *EXCHANGE)
    group = parser.add_argument_group("for whom")
    group.add_argument("--sub", type=parse_count, metavar="N", default=0, help="the account's sub-account N, 1 to 15")
    group.add_argument(
        "--account", dest="principal", metavar="ACCOUNT", default="", help="that the key trades for, as its --agent"
    )
    group.add_argument(
        "--agent", type=parse_count, metavar="N", default=0, help="the number of the key among its agents"
    )


def add_chain(parser: argparse.ArgumentParser, *more: str) -> None:
    """The L1 node and the deployment, and whatever else is named."""
    add_options(parser, *more, *CHAIN)


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON, and nothing else, on the standard output")
