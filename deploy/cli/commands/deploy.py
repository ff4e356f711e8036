"""`setoff deploy`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from setoff.deploy.cli.connections import check_answers
from setoff.deploy.cli.output import show, tell
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.account import open_account
from setoff.shared.l1.connection import L1
from setoff.shared.params import GWEI, find_preset, preset

if TYPE_CHECKING:
    from setoff.deploy.contracts.deployment import Progress
    from setoff.deploy.contracts.forecast import Forecast
    from setoff.deploy.contracts.verified import Verified


def run(arguments: argparse.Namespace) -> int:
    """Deploy, and write down where; or only say what it would take; or verify what is there."""
    settings = load_client(arguments)
    if arguments.verify:
        return _verify(arguments, settings)
    if arguments.operator is None:
        raise ConfigError("bad_config", "who posts batches is not named: --operator ADDRESS")
    return _deploy(arguments, settings)


def _deploy(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    from setoff.deploy.contracts.deployment import create, finish, open_progress, wish
    from setoff.deploy.contracts.forecast import forecast
    from setoff.deploy.contracts.journal import find_journal
    from setoff.shared.l1.sender import show_ether

    check_answers(settings.rpc_url, arguments.chain)
    l1 = L1(settings.rpc_url, open_account(settings), patience=settings.l1_patience)
    place, say = arguments.out or settings.deployment, partial(tell, arguments)
    journal = find_journal(place)
    if place.exists() and not journal.exists() and not arguments.dry_run:
        raise ConfigError("bad_config", f"{place} is there already: name another --out, or move it away")
    say("the contracts are compiled first, if that was not done here before: half a minute")
    wishes = wish(
        l1,
        preset(arguments.preset),
        operator=arguments.operator,
        lister=arguments.lister or l1.address,
        token="0x" + arguments.token.hex() if arguments.token else None,
        least_deposit=arguments.least_deposit,
    )
    if arguments.dry_run:
        progress = open_progress(l1, wishes, journal if journal.exists() else None)
        return _tell_forecast(arguments, forecast(progress))
    progress = open_progress(l1, wishes, journal, say)
    before = l1.balance(l1.address)
    if progress.missing:
        if place.exists():
            text = f"not all contracts of {place} are on this chain: name another --out, or move it and {journal} away"
            raise ConfigError("wrong_deployment", text)
        _check(forecast(progress), say)
        try:
            create(progress, say)
        except (ChainError, ConfigError) as error:
            raise _advise(error, progress) from error
    deployment = finish(progress)
    verified = _save(place, deployment, l1)
    paid = show_ether(before - l1.balance(l1.address))
    say(f"{paid} ETH were paid; every contract is as compiled, its arguments too:")
    for line in _list_verified(verified):
        say(line)
    written = f"court {deployment.court}, vault {deployment.vault}: written to {place}"
    show(arguments, {"file": place, **asdict(deployment), "verified": [asdict(entry) for entry in verified]}, written)
    return 0


def _save(place: Path, deployment: Deployment, l1: L1) -> list[Verified]:
    """Verify it, and write it down; the names that a file which is there has for markets stay."""
    from setoff.deploy.contracts.verified import verify_contracts

    verified = verify_contracts(l1, deployment)[1]
    if place.exists():
        former = Deployment.load(place)
        if replace(former, names=deployment.names) != deployment:
            raise ConfigError("wrong_deployment", f"{place} is of another deployment: name another --out")
    else:
        deployment.save(place)
    return verified


def _check(found: Forecast, say: partial[None]) -> None:
    """Raises ConfigError if it cannot work; nothing was sent then."""
    for warning in found.warnings:
        say(f"warning: {warning}")
    if found.problems:
        raise ConfigError("bad_config", "nothing was sent: " + "; ".join(found.problems))


def _advise(error: ChainError | ConfigError, progress: Progress) -> ChainError | ConfigError:
    count, total = len(progress.there), len(progress.steps)
    told = f"{error.detail}; {count} of {total} contracts are there: the same command goes on, and pays for none twice"
    return type(error)(error.reason, told, error.numbers)


def _tell_forecast(arguments: argparse.Namespace, found: Forecast) -> int:
    from setoff.shared.l1.sender import show_ether

    rows = [
        (creation.name, creation.address, "is there" if creation.is_there else f"{creation.gas:,}",
         f"{creation.code:,}", f"{creation.initcode:,}")
        for creation in found.creations
    ]  # fmt: skip
    lines = [
        *_align(("contract", "address", "gas", "code", "initcode"), rows),
        f"{sum(not creation.is_there for creation in found.creations)} transactions, {found.gas:,} gas; "
        f"a block has room for {found.block_gas:,}, code for 24,576 bytes, initcode for 49,152",
        f"{show_ether(found.cost)} ETH at {found.price / GWEI:.3f} gwei a gas (at most {show_ether(found.at_most)} ETH "
        f"are asked for); {found.account} has {show_ether(found.balance)} ETH on chain {found.chain}",
        *(f"warning: {warning}" for warning in found.warnings),
        *(f"it cannot work: {problem}" for problem in found.problems),
        "nothing was sent",
    ]
    show(arguments, found.to_json(), *lines)
    return 1 if found.problems else 0


def _verify(arguments: argparse.Namespace, settings: ClientSettings) -> int:
    from setoff.deploy.contracts.verified import verify_contracts

    deployment = Deployment.load(arguments.verify)
    check_answers(settings.rpc_url, deployment.chain_id)
    tell(arguments, "the contracts are compiled first, if that was not done here before: half a minute")
    l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=settings.l1_patience)
    terms, verified = verify_contracts(l1, deployment)
    wishes = terms.wishes
    said = "as the file tells" if terms.are_told else "read from L1, for the file is of before they were told"
    lines = [
        *_list_verified(verified),
        f"operator {wishes.operator}, lister {wishes.lister}, token {deployment.token}",
        f"parameters {said}: {find_preset(wishes.params.terms()) or 'of their own'}",
        "every contract is as compiled here, was given what the file says, and names the others",
    ]
    facts = {
        "verified": [asdict(entry) for entry in verified], "operator": wishes.operator, "lister": wishes.lister,
        "parameters": wishes.params.to_dict(), "are_told": terms.are_told,
    }  # fmt: skip
    show(arguments, facts, *lines)
    return 0


def _list_verified(verified: list[Verified]) -> list[str]:
    rows = [(entry.name, entry.address, f"{entry.size:,}", entry.arguments) for entry in verified]
    return [*_align(("contract", "address", "bytes as compiled", "of them arguments"), rows)]


def _align(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns; what begins with a digit and is no address stands at the right."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if cell[:1].isdigit() and not cell.startswith("0x") else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]
