"""What is found on chain in the end, against what the scenario expects; and what holds in every game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from setoff.deploy.simulation.scenario.actors import Person
from setoff.deploy.simulation.scenario.flow import Exchange
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.script import Script
from setoff.shared.dispute import events
from setoff.shared.dispute.game import Claim
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtReader
from setoff.shared.machine.data import ZERO

LOST, BACK, NONE = "lost", "back", "none"


def judge_court(script: Script, exchange: Exchange, people: Sequence[Person], reader: CourtReader, l1: L1) -> Report:
    """The report of a game that is over."""
    report = Report(script.name, script.text)
    happened = [event for _, event in reader.contract.events(exchange.deployment.block, l1.head().number)]
    names = {person.address: person for person in people}
    _check_ends(report, script, exchange, reader)
    _check_eliminated(report, script, reader, happened, names)
    _check_bonds(report, script, people, reader, happened)
    _check_course(report, script, reader, happened)
    _check_money(report, reader, happened, l1)
    report.disputes = [_describe(claim, happened, names) for claim in _disputed(reader)]
    for person in people:
        report.actors[person.name]["gained_wei"] = l1.balance(person.address) - person.before
    return report


def _disputed(reader: CourtReader) -> list[Claim]:
    return [claim for claim in reader.court.claims.values() if claim.histories]


def _check_ends(report: Report, script: Script, exchange: Exchange, reader: CourtReader) -> None:
    """What L1 has confirmed."""
    wanted = script.expect.end
    for epoch in range(script.flow.epochs):
        confirmed = bytes(reader.contract.view("confirmed", epoch))
        truth = exchange.run(epoch).end
        found = "none" if confirmed == ZERO else "true" if confirmed == truth else "false"
        report.check(f"the confirmed end of epoch {epoch} is {wanted}", found == wanted, found)
        if wanted == "false" and found == "false":
            break  # what is built on it is nobody's truth


def _check_eliminated(
    report: Report, script: Script, reader: CourtReader, happened: Sequence[events.Event], names: dict[bytes, Person]
) -> None:
    """Who is out, and how; nobody else."""
    found: dict[str, set[str]] = {}
    counted: dict[str, int] = {}
    for event in happened:
        if not isinstance(event, events.Eliminated):
            continue
        history = reader.court.claims[event.key].histories[event.root]
        person = names.get(history.owner)
        name = person.role.name if person else history.owner.hex()
        found.setdefault(name, set()).add(event.cause)
        counted[name] = counted.get(name, 0) + 1
    roles = {person.role.name: person.role for person in names.values()}
    for name, cause in script.expect.eliminated.items():
        causes, count = found.pop(name, set()), counted.get(name, 0)
        good = bool(causes) and (cause == "any" or causes == {cause}) and count >= roles[name].count
        report.check(f"{name} is eliminated by {cause}", good, f"{count} by {', '.join(sorted(causes)) or 'nothing'}")
    report.check("nobody else is eliminated", not found, ", ".join(sorted(found)) or "nobody")


def _check_bonds(
    report: Report, script: Script, people: Sequence[Person], reader: CourtReader, happened: Sequence[events.Event]
) -> None:
    """Where every bond went."""
    bond = reader.court.terms.bond
    for person in people:
        roots = {
            (claim.key, history.root)
            for claim in reader.court.claims.values()
            for history in claim.histories.values()
            if history.owner == person.address
        }
        results = set()
        for key, root in roots:
            kinds = events.Released | events.Reclaimed
            paid = [e for e in happened if isinstance(e, kinds) and (e.key, e.root) == (key, root)]
            whole = [e for e in paid if e.owner == person.address and getattr(e, "amount", bond) == bond]
            results.add(BACK if whole else LOST)
        result = NONE if not results else BACK if results == {BACK} else LOST
        report.actors[person.name] = {"histories": len(roots), "bonds": result}
        wanted = script.expect.bonds.get(person.role.name)
        if wanted is not None:
            report.check(f"bonds of {person.name}: {wanted}", result == wanted, result)
        elif person.role.is_honest and script.expect.end == "true":
            report.check(f"{person.name}, who is honest, loses no bond", result != LOST, result)


def _check_course(report: Report, script: Script, reader: CourtReader, happened: Sequence[events.Event]) -> None:
    """Moves, slashing, rounds, and how long it took."""
    expect, period = script.expect, reader.court.terms.challenge_period
    moves = sum(isinstance(event, events.Moved) for event in happened)
    report.figures["moves"] = moves
    if expect.moves:
        least, most = expect.moves
        report.check(f"{least} to {most} moves", least <= moves <= most, str(moves))
    if expect.slashed is not None:
        slashed = sum(isinstance(event, events.Slashed) for event in happened)
        wanted = "a stake was slashed" if expect.slashed else "no stake was slashed"
        report.check(wanted, bool(slashed) == expect.slashed, str(slashed))
    for event in happened:
        claim = reader.court.claims.get(event.key) if isinstance(event, events.Installed) else None
        if claim is not None:
            took = event.at - claim.claimed_at
            bound = expect.within * period
            report.check(f"epoch {claim.epoch} is installed within {bound:.0f} s", took <= bound, f"{took} s")
            report.check(f"in round {expect.round}", claim.round == expect.round, str(claim.round))


def _check_money(report: Report, reader: CourtReader, happened: Sequence[events.Event], l1: L1) -> None:
    """What the court holds is what it owes: stakes, bonds not paid out, and what waits to be collected."""
    contract, court = reader.contract, reader.court
    held = 0
    for number in range(1, int(contract.view("stake_count")) + 1):
        held += int(contract.view("stake_at", number)[1])
    owners = {history.owner for claim in court.claims.values() for history in claim.histories.values()}
    owners |= {claim.claimant for claim in court.claims.values()}
    owed = sum(int(contract.view("owed", "0x" + owner.hex())) for owner in owners)
    bonds = slices = 0
    for claim in court.claims.values():
        for history in claim.histories.values():
            slices += max(0, int(contract.view("slices", claim.key, history.root)))
            bonds += court.terms.bond if history.state.value != "paid" else 0
    balance = l1.balance(contract.address)
    report.check(
        "the court holds what it owes, to the wei", balance == held + owed + bonds + slices,
        f"{balance} = stakes {held} + owed {owed} + bonds {bonds} + credits {slices}",
    )  # fmt: skip
    report.figures["burnt_wei"] = sum(event.amount for event in happened if isinstance(event, events.Burnt))


def _describe(claim: Claim, happened: Sequence[events.Event], names: dict[bytes, Person]) -> dict[str, Any]:
    about = [event for event in happened if isinstance(event, events.KeyEvent) and event.key == claim.key]
    who = {root: _name(names, history.owner) for root, history in claim.histories.items()}
    installed = [event.at - claim.claimed_at for event in about if isinstance(event, events.Installed)]
    return {
        "epoch": claim.epoch,
        "key": "0x" + claim.key.hex(),
        "round": claim.round,
        "claimant": _name(names, claim.claimant),
        "state": claim.state.value,
        "histories": len(claim.histories),
        "joined": {who[e.root]: e.at - claim.claimed_at for e in about if isinstance(e, events.Joined)},
        "moves": sum(isinstance(event, events.Moved) for event in about),
        "out": [
            {"who": who.get(e.root, "?"), "cause": e.cause, "at": e.at - claim.claimed_at}
            for e in about
            if isinstance(e, events.Eliminated)
        ],
        "installed_at": installed[0] if installed else None,
    }


def _name(names: dict[bytes, Person], address: bytes) -> str:
    person = names.get(address)
    return person.name if person else "0x" + address.hex()
