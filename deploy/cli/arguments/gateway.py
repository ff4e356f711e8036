"""`setoff gateway`: what may be typed."""

from __future__ import annotations

import argparse
from typing import Final

from setoff.deploy.cli.arguments import config
from setoff.deploy.cli.arguments.common import GIVEN, add_options

STEPS: Final = """\
Three steps:

  setoff wallet new agent.key && setoff agent set 1 $(setoff wallet address agent.key) --key owner.key
  setoff gateway run --key agent.key --account 0xOWNER
  base URL of the bot: http://127.0.0.1:8730, its private key: that of agent.key, its account address: 0xOWNER

With hyperliquid-python-sdk: Exchange(wallet, base_url, account_address=owner). With ccxt.hyperliquid: 'walletAddress',
'privateKey', and urls.api.public, .private (and .ws.public: ws://127.0.0.1:8730/ws). The agent can trade, and cannot
withdraw. A bot with another key of its own: --set bot=ADDRESS. What works is in shared/gateway/README.md."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Run it, and its settings."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    run = parts.add_parser("run", help="serve bots that speak Hyperliquid's API, until SIGTERM or SIGINT")
    run.description = (
        "Serve bots that are written for Hyperliquid's API, unmodified, on this machine: their orders become records "
        "of this exchange, signed with an agent's key."
    )
    run.epilog = STEPS
    run.set_defaults(is_service=True)
    add_options(run, "exchange", "key", section="gateway")
    group = run.add_argument_group("for whom")
    for name, metavar, text in (
        ("account", "ACCOUNT", "the account that is traded for: its owner's address, or its number"),
        ("listen", "HOST:PORT", "where bots find it; 127.0.0.1:8730 if nothing else is said"),
    ):
        variable = f"SETOFF_GATEWAY_{name.upper()}"
        group.add_argument(f"--{name}", dest=GIVEN + name, metavar=metavar, help=f"{text} ({variable})")
    config.configure(parts, "gateway")
