"""`setoff market`: what may be typed."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.arguments.common import add_chain
from setoff.deploy.cli.arguments.words import parse_address, parse_count, parse_market, parse_path, parse_time


def configure(parser: argparse.ArgumentParser) -> None:
    """Propose, look, enact, revoke."""
    parser.epilog = """\
A proposal can be enacted, by anybody, when the listing delay of the deployment has passed, for a week, and in the
order of the proposals: revoke what is not to be. Example:
  setoff market propose 1 --terms deploy/contracts/presets/bitcoin.toml \\
      --tiers deploy/contracts/presets/margin_tiers.json \\
      --symbol BTC/USDT:USDT --price 200000 --key lister.key"""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    market = actions.add_parser("propose", help="propose a market, or other parameters for one")
    market.add_argument("market", type=parse_count, help="its number: a new one has the next")
    market.add_argument("--change", action="store_true", help="of a market that is there; unit and expiry stay")
    market.add_argument("--tiers", type=parse_path, metavar="FILE", help="JSON file of an exchange's margin tiers")
    market.add_argument("--symbol", default="", help="whose tiers")
    market.add_argument(
        "--price", type=parse_count, help="ticks: up to this price the margins are at least those of the tiers"
    )
    market.add_argument("--leverage", default="50,20,5", metavar="N,N,N",
                        help="the most in the base and the two tiers; now %(default)s")  # fmt: skip
    listed = actions.add_parser(
        "list", help="on a development chain: propose a market and enact it at once, with the lister's key of all"
    )
    listed.add_argument("name", type=parse_market, help="its symbol, as ETH-PERP: it goes into the deployment file")
    listed.add_argument("--lot", default="0.0001", metavar="SIZE", help="what a lot is; now %(default)s of the base")
    listed.set_defaults(tiers=None)
    terms = actions.add_parser("terms", help="propose terms of the exchange: how fees fall with activity")
    for action in (market, listed, terms):
        action.add_argument("--terms", type=parse_path, metavar="FILE", help="TOML file of parameters")
        action.add_argument(
            "--parameter", action="append", default=[], metavar="NAME=VALUE", help="one of them, over the file's"
        )
        action.add_argument("--dry-run", action="store_true", help="only print what would be proposed")
    signer = actions.add_parser("signer", help="propose an oracle signer")
    signer.add_argument("number", type=parse_count, help="0 to 6")
    signer.add_argument("address", type=parse_address, help="0x…; the zero address takes it away")
    signer.add_argument(
        "--quorum", type=parse_count, required=True, help="fresh reports that make a price: 3 at least, but in a trial"
    )
    signer.add_argument("--max-age", type=parse_count, default=60, help="seconds a report stays fresh; now %(default)s")
    announce = actions.add_parser("announce", help="announce the exchange that follows on this one, with other rules")
    announce.add_argument(
        "vault", type=parse_address, help="0x…, its vault; the zero address takes the announcement back"
    )
    announce.add_argument(
        "--days", type=parse_time, help="from when on it is to be used; by default as soon as the listing delay allows"
    )
    shown = actions.add_parser("proposals", help="what waits")
    enact = actions.add_parser("enact", help="queue a proposal whose delay has passed")
    revoke = actions.add_parser("revoke", help="take a proposal back")
    for action in (enact, revoke):
        action.add_argument("id", type=parse_count, help="the proposal's number")
    for action in (market, terms, signer, announce, enact, revoke):
        add_chain(action, "key")
    for action in (listed, shown):
        add_chain(action)
