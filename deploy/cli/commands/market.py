"""`setoff market`: what the lister decides, each of it first a proposal that everybody can see on L1."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from setoff.deploy.cli.amounts import DECIMALS
from setoff.deploy.cli.connections import connect
from setoff.deploy.cli.output import show
from setoff.deploy.cli.settings import load_client
from setoff.deploy.contracts import listing, tiers
from setoff.deploy.contracts.listing import Proposal
from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import MarketName, MarketNames
from setoff.shared.errors import ConfigError
from setoff.shared.l1.account import open_account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.succession import find_successor
from setoff.shared.state.leaves import MAX_SIGNERS
from setoff.shared.wire.scales import MarketScale, Step


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what waits for what."""
    if arguments.action == "list":
        return _list_at_once(arguments)
    call, terms = _encode_proposal(arguments)
    if getattr(arguments, "dry_run", False):
        show(arguments, terms, *(f"{name:<20} {value}" for name, value in terms.items()))
        return 0
    settings = load_client(arguments)
    deployment = settings.load_deployment()
    l1 = connect(settings, deployment, None if arguments.action == "proposals" else open_account(settings))
    if arguments.action == "proposals":
        _show_proposals(arguments, l1, deployment)
    elif arguments.action == "announce":
        listing.announce(l1, deployment, arguments.vault, arguments.days)
        found = find_successor(l1, deployment)
        said = found.describe(int(time.time())) if found else "taken back: no exchange follows"
        show(arguments, {"successor": found._asdict() if found else None}, said)
    elif arguments.action == "enact":
        listing.enact(l1, deployment, arguments.id)
        show(arguments, {"enacted": arguments.id}, "queued: the next batches must take it")
    elif arguments.action == "revoke":
        listing.revoke(l1, deployment, arguments.id)
        show(arguments, {"revoked": arguments.id}, "taken back")
    else:
        if arguments.action == "signer":
            listing.check_quorum(l1, deployment, arguments.quorum)
        proposal = listing.propose(l1, deployment, call)
        waits = f"proposal {proposal.id}, {_when(proposal)}: {proposal.describe()}"
        show(arguments, _to_facts(proposal), waits)
    return 0


def _list_at_once(arguments: argparse.Namespace) -> int:
    """On a development chain, where no listing has to wait, a market that takes the next number."""
    from setoff.deploy.devnet.anvil import dev_keys
    from setoff.deploy.devnet.devnet import BITCOIN, DEPLOYER, enact
    from setoff.deploy.devnet.faucet import check_is_devnet

    settings = load_client(arguments)
    deployment = settings.load_deployment()
    check_is_devnet(deployment, "a lister whose key everybody has")
    l1 = connect(settings, deployment, dev_keys()[DEPLOYER])
    found = ChainReader(l1, deployment).messages(deployment.block, l1.head().number)
    number = 1 + sum(message.body[0] == records.LIST_MARKET for message in found)
    terms = listing.make_terms(number, asdict(BITCOIN.parameters), *_read_terms(arguments))
    name = MarketName(number, str(arguments.name), str(arguments.name).partition("-")[0], arguments.lot)
    names = deployment.names
    for each in names.markets:
        if each.symbol == name.symbol and each.market != number:
            raise ConfigError("bad_config", f"name: {name.symbol} is market {each.market} already")
    tokens = Step(1, names.collateral.decimals)
    unit = terms.parameters.unit
    scale = MarketScale.make(name.symbol, name.base, names.collateral.symbol, lot=name.lot, unit=unit, tokens=tokens)
    others = tuple(each for each in names.markets if each.market != number)
    # As the file has them they are checked: a symbol that is taken, or is none, is refused before anything is sent.
    listed = [asdict(each) for each in (*others, name)]
    names = MarketNames.read({"collateral": asdict(names.collateral), "markets": listed})
    if arguments.dry_run:
        shown = listing.to_names(terms)
        show(arguments, shown, *(f"{key:<20} {value}" for key, value in shown.items()))
        return 0
    replace(deployment, names=names).save(settings.deployment)  # first: an operator calls it so from the beginning
    enact(l1, deployment, [listing.encode_listing(terms)])
    tick, lot = scale.tick.show(1), scale.lot.show(1)
    show(
        arguments,
        {"market": number, "symbol": name.symbol, "tick_size": tick, "lot_size": lot},
        f"market {number} is {name.symbol}: a lot is {lot} {scale.base}, a tick {tick} {scale.quote}",
        "the next batch lists it, and an operator with this deployment file calls it so. It needs a price:",
        f"next, with a signer's key: setoff oracle run --key FILE --set min_sources=1 feeds={name.symbol}=file:PATH",
    )
    return 0


def _encode_proposal(arguments: argparse.Namespace) -> tuple[bytes, Mapping[str, Any]]:
    """The call that proposes it, and its terms in names; nothing where nothing is proposed."""
    if arguments.action == "propose":
        terms = listing.make_terms(arguments.market, *_read_terms(arguments))
        encode = listing.encode_change if arguments.change else listing.encode_listing
        return encode(terms), listing.to_names(terms)
    if arguments.action == "terms":
        file = listing.load_terms(arguments.terms) if arguments.terms else {}
        exchange = listing.make_exchange_terms(file, listing.parse_settings(arguments.parameter))
        return listing.encode_terms(exchange), asdict(exchange)
    return (_encode_signer(arguments) if arguments.action == "signer" else b""), {}


def _show_proposals(arguments: argparse.Namespace, l1: L1, deployment: Deployment) -> None:
    found, successor = listing.find_proposals(l1, deployment), find_successor(l1, deployment)
    lines = [f"{proposal.id}: {_when(proposal)}: {proposal.describe()}" for proposal in found]
    show(
        arguments,
        {"proposals": [*map(_to_facts, found)], "successor": successor._asdict() if successor else None},
        *(lines or ["no proposal waits"]),
        *([successor.describe(int(time.time()))] if successor else []),
    )


def _to_facts(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "text": proposal.describe()}


def _read_terms(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Where the parameters come from, in the order in which one wins over the other."""
    typed = listing.parse_settings(arguments.parameter)
    file = listing.load_terms(arguments.terms) if arguments.terms else {}
    if not arguments.tiers:
        return [file, typed]
    unit = (file | typed).get("unit")
    if not arguments.symbol or type(arguments.price) is not int or arguments.price < 1:
        raise ConfigError("bad_config", "--tiers needs --symbol and --price")
    if type(unit) is not int or unit < 1:
        raise ConfigError("bad_config", "the tiers need the market's unit, from --terms or --parameter unit=…")
    try:
        leverages = [int(number) for number in arguments.leverage.split(",")]
    except ValueError:
        raise ConfigError("bad_config", f"--leverage {arguments.leverage}: not integers with commas between") from None
    chosen = tiers.choose_tiers(tiers.load_brackets(arguments.tiers, arguments.symbol), leverages)
    return [file, tiers.to_parameters(chosen, unit=unit, price=arguments.price, decimals=DECIMALS), typed]


def _encode_signer(arguments: argparse.Namespace) -> bytes:
    if not (0 <= arguments.number < MAX_SIGNERS and 1 <= arguments.quorum <= MAX_SIGNERS):
        raise ConfigError("bad_parameters", f"there are up to {MAX_SIGNERS} signers, from 0 on")
    if not 1 <= arguments.max_age < 2**32:
        raise ConfigError("bad_parameters", "--max-age is in seconds, from 1 on")
    return listing.encode_signer(arguments.number, arguments.address, arguments.quorum, arguments.max_age)


def _when(proposal: Proposal) -> str:
    now = int(time.time())
    if now < proposal.enactable:
        return f"can be enacted in {proposal.enactable - now} s, after those before it"
    if now >= proposal.expiry:
        return "expired: propose it anew"
    return f"can be enacted for another {proposal.expiry - now} s, after those before it"
