"""`setoff operator rebuild`, `backup` and `restore`: the store, from L1 and from copies."""

from __future__ import annotations

import argparse
import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from redis import Redis

from setoff.contracts.verification import check_deployment
from setoff.deploy.cli.output import show, tell, tell_progress
from setoff.deploy.cli.settings import load_service
from setoff.operator.history.keeper import choose_url
from setoff.operator.pulse import read_status
from setoff.operator.rescue.backup import Backup, Copied, restore
from setoff.operator.rescue.promises import GivenRecord, LostRecord, read_given, read_known
from setoff.operator.rescue.rebuild import Rebuilder, Rebuilt
from setoff.operator.sequencer.journal import STORE_TIMEOUT, Journal, connect
from setoff.operator.sequencer.messages import QueueMessages
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches
from setoff.operator.sequencer.recovery import Recovery
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ConfigError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.da.registry import find_module
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.posted import read_batches
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.l1.receipts import Bond, ReceiptsContract
from setoff.shared.params import ETHER

SHOWN: Final = 50
"""Lost records that are listed for people; JSON has all of them."""


def run(arguments: argparse.Namespace) -> int:
    """Do the part asked for; exit code 1 where something that was promised is lost."""
    settings = load_service(arguments, OperatorSettings)
    deployment = settings.load_deployment()
    if arguments.part == "backup":
        return copy_log(arguments, settings, deployment)
    reader = ChainReader(
        L1(settings.rpc_url, chain_id=deployment.chain_id), deployment, DataPlaces(settings.beacon_url)
    )
    check_deployment(reader.l1, deployment)
    contract = ReceiptsContract(reader.l1, deployment.receipts)
    given = read_given(arguments.given, deployment.domain, contract.operator())
    with open_store(settings, deployment) as (server, redis):
        if arguments.part == "restore":
            copied = restore(redis, deployment.namespace, arguments.file)
            tell(arguments, f"{arguments.file}: {describe_copy(copied)}")
        is_dry = getattr(arguments, "dry_run", False)
        bond = contract.bond()
        horizon = settings.receipt_horizon or bond.exit_delay // 2
        own = choose_url(settings, deployment) if arguments.from_history else ""
        made = rebuild(settings, deployment, reader, server, redis, given, own, horizon=horizon, is_dry=is_dry)
        rebuilt = asyncio.run(made)
    return show_rebuilt(arguments, settings, deployment, bond, rebuilt)


@contextmanager
def open_store(settings: OperatorSettings, deployment: Deployment) -> Iterator[tuple[RedisServer, Redis]]:
    """The operator's store, which nothing of the operator uses now. Raises StateError if something does."""
    with RedisServer.open(settings) as server, server.client(socket_timeout=STORE_TIMEOUT) as redis:
        alive = [each.process for each in read_status(redis, deployment) if each.is_alive]
        if alive:
            raise StateError("not_ready", f"the {' and the '.join(alive)} of this store run: stop the operator first")
        yield server, redis


async def rebuild(
    settings: OperatorSettings,
    deployment: Deployment,
    reader: ChainReader,
    server: RedisServer,
    redis: Redis,
    given: dict[int, GivenRecord],
    own: str,
    *,
    horizon: int,
    is_dry: bool,
) -> Rebuilt:
    """Bring the store to where L1 is, and beyond: by what was given, and by the history at the URL `own`, if any."""
    begun = time.monotonic()

    def report(batch: int, count: int) -> None:
        tell_progress(f"batch {batch} of {count} on L1, {time.monotonic() - begun:.0f} s")

    redis_client = connect(server.url)
    try:
        journal = Journal(redis_client, deployment.namespace)
        outbox = Outbox(redis, deployment.namespace)
        recovery = Recovery(journal, outbox, deployment, find_module(settings.data).number)
        rebuilder = Rebuilder(
            redis, deployment.namespace, journal, recovery,
            QueueMessages(reader, settings.confirmations), InboxBatches(reader),
            ProvenCourt(reader.proven, deployment.court), deployment.epoch_batches, settings.batches_kept, report,
            horizon=horizon, force_delay=Inbox(reader.l1, deployment).force_delay(),
        )  # fmt: skip
        tell_progress("reading the store, and what L1 holds")
        return await rebuilder.run(
            lambda first: read_batches(reader, first),
            given,
            read_own=lambda first: read_known(own, first) or (),
            is_dry=is_dry,
        )
    finally:
        tell_progress("")
        await redis_client.aclose()


def show_rebuilt(
    arguments: argparse.Namespace, settings: OperatorSettings, deployment: Deployment, bond: Bond, rebuilt: Rebuilt
) -> int:
    """Say what was found, and what is lost."""
    known = read_known(choose_url(settings, deployment), rebuilt.records)
    horizon = settings.receipt_horizon or bond.exit_delay // 2
    latest = max([rebuilt.time, *(each.time for each in known or ())])
    due = latest + horizon
    facts = rebuilt._asdict() | {
        "lost": None if known is None else [each._asdict() for each in known],
        "bond_wei": bond.held,
        "due": due,
    }
    run_again = rebuilt.on_l1 - rebuilt.kept
    lines = [
        f"L1 holds {rebuilt.on_l1} batches with {rebuilt.held} records, up to {format_time(rebuilt.time)}",
        f"the store had {rebuilt.kept} of them; {run_again} were run again",
        "L1 has confirmed nothing yet that could be compared"
        if rebuilt.confirmed is None
        else f"the start of epoch {rebuilt.confirmed}, which L1 has confirmed, is the one found here",
    ]
    if kept := rebuilt.records - rebuilt.held - rebuilt.given:
        lines.append(f"{kept} records that L1 does not hold are in the store: they will be posted")
    if rebuilt.given:
        lines.append(f"{rebuilt.given} records come back from elsewhere: they will be posted under their numbers")
    lines += describe_losses(known, rebuilt.records, horizon)
    if known or known is None:
        lines += describe_stakes(bond, known, rebuilt.records, due)
    if getattr(arguments, "dry_run", False):
        lines.append("nothing was changed")
    else:
        lines.append("next: `setoff operator run`")
    show(arguments, facts, *lines)
    return 1 if known else 0


def describe_losses(known: list[LostRecord] | None, first: int, horizon: int) -> list[str]:
    """What was acknowledged and is nowhere but in the history."""
    if known is None:
        return [
            f"WHAT IS LOST IS NOT KNOWN: no history was kept (history_dir, history_url). Records from number {first} "
            "on that were acknowledged are on L1 nowhere"
        ]
    if not known:
        return [
            f"nothing is lost that the history knows of: it has no record from number {first} on. It follows the log "
            "by a moment: of the last instant it may have missed some"
        ]
    lines = [
        f"LOST: {len(known)} records that were acknowledged are on L1 nowhere: numbers {known[0].sequence} to "
        f"{known[-1].sequence} (and perhaps some of the last instant, which the history has missed)"
    ]
    for each in known[:SHOWN]:
        name = records.TYPES[each.kind].name if each.kind in records.TYPES else f"type {each.kind}"
        whose = f" of account {each.account}, nonce {each.nonce}" if each.account else ""
        lines.append(
            f"  {each.sequence}  {name}{whose}, {format_time(each.time)}, due {format_time(each.time + horizon)}"
        )
    if len(known) > SHOWN:
        lines.append(f"  and {len(known) - SHOWN} more: --json has them all")
    return lines


def describe_stakes(bond: Bond, known: list[LostRecord] | None, first: int, due: int) -> list[str]:
    """What the receipts for what is lost can cost, and what can be done."""
    whose = "receipts that nobody here knows of" if known is None else "their receipts"
    return [
        f"AT STAKE: the bond of {bond.held / ETHER:g} ETH stands behind {whose}. Whoever holds one takes it as soon as "
        f"another record is posted at its number, {first} or later, or once its deadline passes: {format_time(due)} at "
        "the latest",
        "what helps, before anything is posted: `setoff operator rebuild --from-history` posts what the operator's own "
        "history has; or have the traders hand over their receipt files, which hold the records (`setoff receipts "
        "list` names the file): `setoff operator rebuild --given FILE…`",
    ]


def copy_log(arguments: argparse.Namespace, settings: OperatorSettings, deployment: Deployment) -> int:
    """Write a copy."""
    server = RedisServer.find(settings)
    if server is None:
        raise ConfigError("bad_config", f"redis_dir: no store runs in {settings.redis_dir.resolve()}")
    with server.client() as redis:
        backup = Backup(redis, deployment.namespace, tell_progress)
        if arguments.follow:
            stop = threading.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())

            def is_begun(copied: Copied) -> None:
                tell(arguments, f"{arguments.file}: {describe_copy(copied)}; it follows now")

            copied = backup.follow(arguments.file, stop.is_set, is_begun)
        else:
            copied = backup.write(arguments.file)
    tell_progress("")
    show(arguments, copied._asdict(), f"{arguments.file}: {describe_copy(copied)}")
    return 0


def describe_copy(copied: Copied) -> str:
    """What a copy holds."""
    return (
        f"a snapshot before batch {copied.next}, {copied.commits} commits after it, {copied.batches} batches before; "
        f"as of {format_time(int(copied.taken_at))}"
    )


def format_time(seconds: int) -> str:
    """Unix seconds for people."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
