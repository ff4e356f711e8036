"""`setoff market`: what the lister decides, each of it first a proposal that everybody can see on L1."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setoff.deploy.cli.agent import parse_address
from setoff.deploy.cli.wallet import DECIMALS, add_chain
from setoff.shared.errors import ConfigError

if TYPE_CHECKING:
    from setoff.deploy.contracts.listing import Proposal


def configure(parser: argparse.ArgumentParser) -> None:
    """Propose, look, enact, revoke."""
    parser.epilog = (
        "A proposal can be enacted, by anybody, when the listing delay of the deployment has passed, for a week,\n"
        "and in the order of the proposals: revoke what is not to be. Example:\n"
        "  setoff market propose 1 --terms deploy/contracts/presets/bitcoin.toml \\\n"
        "      --tiers deploy/contracts/presets/margin_tiers.json --symbol BTC/USDT:USDT --price 200000 \\\n"
        "      --key lister.key"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    market = actions.add_parser("propose", help="propose a market, or other parameters for one")
    market.add_argument("market", type=int, help="its number: a new one has the next")
    market.add_argument("--change", action="store_true", help="of a market that is there; unit and expiry stay")
    market.add_argument("--terms", type=Path, metavar="FILE", help="TOML file of parameters")
    market.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter, over the file's")
    market.add_argument("--tiers", type=Path, metavar="FILE", help="JSON file of an exchange's margin tiers")
    market.add_argument("--symbol", default="", help="whose tiers")
    market.add_argument("--price", type=int, help="ticks: up to this price the margins are at least those of the tiers")
    market.add_argument("--leverage", default="50,20,5", metavar="N,N,N",
                        help="the most in the base and the two tiers; now %(default)s")  # fmt: skip
    market.add_argument("--dry-run", action="store_true", help="only print what would be proposed")
    terms = actions.add_parser("terms", help="propose terms of the exchange: how fees fall with activity")
    terms.add_argument("--terms", type=Path, metavar="FILE", help="TOML file of them")
    terms.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one of them, over the file's")
    terms.add_argument("--dry-run", action="store_true", help="only print what would be proposed")
    signer = actions.add_parser("signer", help="propose an oracle signer")
    signer.add_argument("number", type=int, help="0 to 6")
    signer.add_argument("address", help="0x…; the zero address takes it away")
    signer.add_argument(
        "--quorum", type=int, required=True, help="fresh reports that make a price: 3 at least, but in a trial"
    )
    signer.add_argument("--max-age", type=int, default=60, help="seconds a report stays fresh; now %(default)s")
    announce = actions.add_parser("announce", help="announce the exchange that follows on this one, with other rules")
    announce.add_argument("vault", help="0x…, its vault; the zero address takes the announcement back")
    announce.add_argument(
        "--days", type=float, help="from when on it is to be used; by default as soon as the listing delay allows"
    )
    shown = actions.add_parser("proposals", help="what waits")
    enact = actions.add_parser("enact", help="queue a proposal whose delay has passed")
    revoke = actions.add_parser("revoke", help="take a proposal back")
    for action in (enact, revoke):
        action.add_argument("id", type=int)
    for action in (market, terms, signer, announce, shown, enact, revoke):
        add_chain(action)
    for action in (market, terms, signer, announce, enact, revoke):
        action.add_argument(
            "--key", default="", help="private key in hex or the file that holds it; mostly the lister's"
        )


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what waits for what."""
    from setoff.deploy.contracts import listing
    from setoff.shared.config.deployment_file import Deployment
    from setoff.shared.config.settings import read_key
    from setoff.shared.l1.connection import L1
    from setoff.shared.l1.succession import find_successor

    call = b""
    if arguments.action == "propose":
        terms = listing.make_terms(arguments.market, *_read_terms(arguments))
        if arguments.dry_run:
            print("\n".join(f"{name:<20} {value}" for name, value in listing.to_names(terms).items()))
            return 0
        call = listing.encode_change(terms) if arguments.change else listing.encode_listing(terms)
    elif arguments.action == "terms":
        file = listing.load_terms(arguments.terms) if arguments.terms else {}
        exchange = listing.make_exchange_terms(file, listing.parse_settings(arguments.set))
        if arguments.dry_run:
            print("\n".join(f"{name:<20} {value}" for name, value in asdict(exchange).items()))
            return 0
        call = listing.encode_terms(exchange)
    elif arguments.action == "signer":
        call = _encode_signer(arguments)
    deployment = Deployment.load(arguments.deployment)
    key = None if arguments.action == "proposals" else read_key(arguments.key, "--key")
    l1 = L1(arguments.rpc, key, chain_id=deployment.chain_id)
    if arguments.action == "proposals":
        for proposal in listing.find_proposals(l1, deployment):
            print(f"{proposal.id}: {_when(proposal)}: {proposal.describe()}")
        if (successor := find_successor(l1, deployment)) is not None:
            print(successor.describe(int(time.time())))
    elif arguments.action == "announce":
        listing.announce(l1, deployment, _read_address(arguments.vault), arguments.days)
        successor = find_successor(l1, deployment)
        print(successor.describe(int(time.time())) if successor else "taken back: no exchange follows")
    elif arguments.action == "enact":
        listing.enact(l1, deployment, arguments.id)
        print("queued: the next batches must take it")
    elif arguments.action == "revoke":
        listing.revoke(l1, deployment, arguments.id)
        print("taken back")
    else:
        if arguments.action == "signer":
            listing.check_quorum(l1, deployment, arguments.quorum)
        proposal = listing.propose(l1, deployment, call)
        print(f"proposal {proposal.id}, {_when(proposal)}: {proposal.describe()}")
    return 0


def _read_terms(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Where the parameters come from, in the order in which one wins over the other."""
    from setoff.deploy.contracts import listing, tiers

    typed = listing.parse_settings(arguments.set)
    file = listing.load_terms(arguments.terms) if arguments.terms else {}
    if not arguments.tiers:
        return [file, typed]
    unit = (file | typed).get("unit")
    if not arguments.symbol or type(arguments.price) is not int or arguments.price < 1:
        raise ConfigError("bad_config", "--tiers needs --symbol and --price")
    if type(unit) is not int or unit < 1:
        raise ConfigError("bad_config", "the tiers need the market's unit, from --terms or --set unit=…")
    try:
        leverages = [int(number) for number in arguments.leverage.split(",")]
    except ValueError:
        raise ConfigError("bad_config", f"--leverage {arguments.leverage}: not integers with commas between") from None
    chosen = tiers.choose_tiers(tiers.load_brackets(arguments.tiers, arguments.symbol), leverages)
    return [file, tiers.to_parameters(chosen, unit=unit, price=arguments.price, decimals=DECIMALS), typed]


def _read_address(text: str) -> bytes:
    try:
        return parse_address(text)
    except ValueError:
        raise ConfigError("bad_config", f"{text} is no address") from None


def _encode_signer(arguments: argparse.Namespace) -> bytes:
    from setoff.deploy.contracts import listing
    from setoff.shared.state.leaves import MAX_SIGNERS

    address = _read_address(arguments.address)
    if not (0 <= arguments.number < MAX_SIGNERS and 1 <= arguments.quorum <= MAX_SIGNERS):
        raise ConfigError("bad_parameters", f"there are up to {MAX_SIGNERS} signers, from 0 on")
    if not 1 <= arguments.max_age < 2**32:
        raise ConfigError("bad_parameters", "--max-age is in seconds, from 1 on")
    return listing.encode_signer(arguments.number, address, arguments.quorum, arguments.max_age)


def _when(proposal: Proposal) -> str:
    now = int(time.time())
    if now < proposal.enactable:
        return f"can be enacted in {proposal.enactable - now} s, after those before it"
    if now >= proposal.expiry:
        return "expired: propose it anew"
    return f"can be enacted for another {proposal.expiry - now} s, after those before it"
