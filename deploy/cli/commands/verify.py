"""`setoff verify`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from setoff.deploy.cli.connections import open_reader
from setoff.deploy.cli.inspection.difference import describe_differences
from setoff.deploy.cli.inspection.executed import Alone, Executed, make_executed
from setoff.deploy.cli.inspection.spots import check_spots
from setoff.deploy.cli.inspection.verdict import Verdict, compare, is_claimed, read_court
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.dispute.trace_provider import Epochs, find_executed
from setoff.shared.errors import ConfigError, StateError, WitnessError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.watcher.checks.given_machines import MEGABYTE, is_url, list_machines, take_machine
from setoff.watcher.checks.known_start import (
    KnownHash,
    check_posted,
    find_end,
    find_last_given,
    find_last_start,
    find_start,
    hash_epoch,
)
from setoff.watcher.checks.spot_check import Server
from setoff.watcher.execution.verify import Execution, read_batches, verify_epoch, verify_from

TRUSTED: Final = {
    "executed": "everything before it was executed here, too",
    "confirmed": "its start is the one that L1 has confirmed: what L1 confirmed before was not looked at",
    "claimed": "its start is ONLY CLAIMED: L1 has not confirmed it, and it may be false. So this says that the epoch "
    "ends so if it begins so, and nothing of what came before: verify those epochs, too, or leave --from out",
}
"""By where a start is from: what the verdict rests on."""


def run(arguments: argparse.Namespace) -> int:
    """Execute the epoch, from genesis or from a machine that is given; exit code 1 if L1 holds another end, even if
    only claimed."""
    check_source(arguments)
    reader = open_reader(load_with_source(arguments))
    court = ProvenCourt(reader.proven, reader.deployment.court)
    epoch = find_epoch(arguments, reader, court)
    if epoch is None:
        show(arguments, {"epoch": None, "agrees": None}, "no epoch is posted yet: there is nothing to verify")
        return 0
    start = machine = None
    if arguments.spot is not None:
        return run_spots(arguments, reader, court, epoch)
    if arguments.source:
        check_posted(reader, epoch)
        start, machine = find_machine(reader, court, epoch, arguments.source, arguments.most)
        execution, _ = verify_from(reader, epoch, machine.copy(), _report)
    else:
        execution, _ = verify_epoch(reader, epoch, _report)
    tell_progress("")
    verdict = compare(court, epoch, hash_epoch(reader, epoch), execution, lambda: is_claimed(reader, epoch))
    if start is not None and not start.is_confirmed:
        verdict = weaken(reader, court, epoch, execution, verdict)
    differences = list(find_differences(reader, epoch, machine)) if verdict.agrees is False else []
    tell_progress("")
    tell(arguments, execution, verdict, differences, "executed" if start is None else start.word)
    return 1 if verdict.agrees is False else 0


def check_source(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for options that do not go together."""
    if arguments.spot is not None and not is_url(arguments.source or ""):
        raise ConfigError("bad_config", "spot: it takes --from URL, a watcher that serves witness bundles")
    if arguments.spot == 0:
        raise ConfigError("bad_config", "spot: one batch or more")


def load_with_source(arguments: argparse.Namespace) -> ClientSettings:
    """The settings; whoever gives a machine or bundles may have blobs, too, that nodes have let go of."""
    settings = load_client(arguments)
    if not is_url(arguments.source or ""):
        return settings
    return replace(settings, peers=",".join((*settings.peer_urls, arguments.source.rstrip("/"))))


def run_spots(arguments: argparse.Namespace, reader: ChainReader, court: ProvenCourt, epoch: int) -> int:
    """Run some batches of the epoch from bundles of whoever is named; returns the exit code."""
    check_posted(reader, epoch)
    start = find_start(reader, court, epoch)
    end = find_end(reader, court, epoch, start.machine_hash)
    facts: dict[str, Any] = {"epoch": epoch, "start": start.machine_hash, "start_is": start.word}
    if end is None:
        why = "L1 has not confirmed an end yet, and nobody has claimed one"
        show(arguments, {**facts, "end": None, "agrees": None, "why": why}, f"epoch {epoch}: {why}")
        return 0
    server = Server(arguments.source, arguments.most * MEGABYTE, report=tell_progress)
    found = check_spots(reader, server, epoch, arguments.spot, start, end, tell_progress)
    tell_progress("")
    batches = reader.deployment.epoch_batches
    facts |= {"end": end.machine_hash, "end_is": end.word, "agrees": found.agrees, "why": found.why}
    facts |= {"batches": batches, "drawn": found.drawn, "differences": found.differences}
    show(
        arguments,
        {**facts, "probability": float(found.probability)},
        f"epoch {epoch}: {len(found.drawn)} of {batches} batches, from 0x{start.machine_hash.hex()} to the {end.word} "
        f"end 0x{end.machine_hash.hex()}",
        TRUSTED[start.word],
        *found.lines,
        f"verdict: {found.why}",
        *found.differences,
    )
    return found.code


def find_epoch(arguments: argparse.Namespace, reader: ChainReader, court: ProvenCourt) -> int | None:
    """The epoch that was asked for, by default the last one posted, or the last whose start L1 knows; None while there
    is none."""
    count = reader.deployment.epoch_batches
    asked: int | None = arguments.epoch if arguments.batch is None else arguments.batch // count
    if asked is not None:
        return asked
    last: int = reader.batch_count() // count - 1
    if last < 0:
        return None
    if arguments.spot is not None:
        return max(find_last_start(reader, court, last + 1)[0] - 1, 0)
    return find_given(reader, court, last, arguments.source) if arguments.source else last


def find_given(reader: ChainReader, court: ProvenCourt, last: int, source: str) -> int:
    """The last epoch up to this one whose start L1 knows and whose machine a server says that it has: an operator keeps
    that of the last confirmed start alone. Of a file, and where nothing is said that helps, the last one."""
    given: set[bytes] = set()
    if is_url(source):
        with contextlib.suppress(StateError, WitnessError):
            given = list_machines(source)
    found = find_last_given(reader, court, last, given) if given else None
    return find_last_start(reader, court, last)[0] if found is None else found


def find_machine(
    reader: ChainReader, court: ProvenCourt, epoch: int, source: str, megabytes: int
) -> tuple[KnownHash, Machine]:
    """The start of an epoch as L1 has it, and the machine there: at genesis our own, else from whoever is named."""
    start = find_start(reader, court, epoch)
    genesis = Machine.genesis(*reader.deployment.genesis)
    if genesis.hash() == start.machine_hash:
        return start, genesis
    tell_progress(f"the machine 0x{start.machine_hash.hex()}")
    return start, take_machine(source, start.machine_hash, megabytes * MEGABYTE)


def weaken(reader: ChainReader, court: ProvenCourt, epoch: int, execution: Execution, verdict: Verdict) -> Verdict:
    """What a verdict is worth from a start that is only claimed: claims on other starts say nothing against it."""
    if verdict.agrees is False and not court.claim(hash_epoch(reader, epoch), execution.start).is_claimed:
        return Verdict(None, "L1 has not confirmed an end yet, and nobody has claimed one on this start")
    return verdict


def tell(
    arguments: argparse.Namespace, execution: Execution, verdict: Verdict, differences: list[str], start: str
) -> None:
    """What came of it. `start`: where it is from, as in TRUSTED."""
    inputs = sum(len(outcomes) for outcomes in execution.outcomes)
    facts: dict[str, Any] = {"epoch": execution.epoch, "inputs": inputs, "start": execution.start, "end": execution.end}
    show(
        arguments,
        {**facts, "agrees": verdict.agrees, "why": verdict.why, "start_is": start, "differences": differences},
        f"epoch {execution.epoch}: {inputs} inputs, from 0x{execution.start.hex()} to 0x{execution.end.hex()}",
        TRUSTED[start],
        verdict.why,
        f"verdict: what was executed here {verdict.text}",
        *differences,
    )


def find_differences(reader: ChainReader, epoch: int, start: Machine | None = None) -> Iterator[str]:
    """Where the false claims about an epoch leave the truth, in words. It is executed again, to be asked for any step:
    from `start`, or from genesis."""
    executed: Epochs
    if start is None:
        executed = Executed(reader, [epoch], _report)
    else:
        executed = Alone(epoch, make_executed(reader, epoch, start, list(read_batches(reader, epoch))))
    for claim in read_court(reader).claims.values():
        known = find_executed(executed, claim) if claim.epoch == epoch else None
        if known is not None and claim.end != known.run.end and isinstance(known.run, EpochRun):
            yield from describe_differences(reader, claim, known.run)


def _report(batch: int) -> None:
    tell_progress(f"batch {batch}")
