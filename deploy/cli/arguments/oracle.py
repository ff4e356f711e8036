"""`setoff oracle`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments import config
from setoff.deploy.cli.arguments.common import CHAIN, add_options

SOURCES = """\
A source of a market's price is one of
  ccxt:EXCHANGE:SYMBOL     any exchange that ccxt knows, as ccxt:kraken:BTC/USD
  https://…#/a/0/b         JSON at a URL, and a JSON pointer to the number in it;
                           #/a/0/b@/a/0/t has the time of it, too
  file:PATH                the number in a file
  replay:PATH              lines of second,price, over and over (for trials)
Example:
  setoff oracle check --set min_sources=2 \\
      feeds=BTC-PERP=ccxt:kraken:BTC/USD,BTC-PERP=ccxt:coinbase:BTC/USD"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Run it, look at one round or at how it is, its settings."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    run = parts.add_parser("run", help="report prices of several sources, signed, until SIGTERM or SIGINT")
    run.set_defaults(is_service=True)
    check = parts.add_parser(
        "check", help="one round: every source's price, what is not used and why; exit code 1 if a market has no price"
    )
    status = parts.add_parser("status", help="how it is; exit code 1 if somebody has to look at something")
    for part in (run, check, status):
        add_options(part, "exchange", "key", *CHAIN, section="oracle")
    for part in (run, check):
        part.epilog = SOURCES
    config.configure(parts, "oracle")
