"""What has to be true after everything that went wrong, held against L1 alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import requests

from setoff.deploy.simulation.chaos.load import Load
from setoff.deploy.simulation.chaos.stage import ASK, Stage
from setoff.deploy.simulation.demo.summary import Check, Reading
from setoff.operator.rescue.promises import read_known
from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.contracts import VAULT, Contract
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.params import Params


def judge(stage: Stage, params: Params, load: Load, liars: Sequence[str]) -> tuple[list[Check], dict[str, Any]]:
    """The checks, and the figures behind them; `liars`: addresses (0x-strings) of who lied on purpose."""
    deployment = stage.devnet.deployment
    reading = Reading(stage.devnet.l1, deployment, params)
    posted = [record for batch in reading.replay.batches for record in batch.records]
    checks = [
        *check_promises(load, posted),
        *_check_chain(reading, liars),
        *_check_money(reading),
        *_check_books(stage, reading, posted),
    ]
    bond = ReceiptsContract(stage.devnet.l1, deployment.receipts).bond()
    checks.append(Check("the bond behind the receipts stands", bond.stands, f"{bond.held} wei"))
    facts = {
        "acknowledged": len(load.taken),
        "posted": len(posted),
        "batches": len(reading.replay.batches),
        "confirmed_epochs": len(reading.confirmed),
        "refused": dict(load.refused),
        "unknown": len(load.unknown),
        "unknown_that_were_posted": len(set(load.unknown) & set(posted)),
        "disputes": len(reading.disputes),
        "fills": reading.replay.fills,
    }
    return checks, facts


def check_promises(load: Load, posted: Sequence[bytes]) -> list[Check]:
    """Everything that was acknowledged, held against all posted records."""
    acknowledged = {taken.sequence: taken.record for taken in load.taken}
    by_record = {taken.record: taken.sequence for taken in load.taken}
    lost = [number for number, record in acknowledged.items() if number >= len(posted) or posted[number] != record]
    times = Counter(posted)
    doubled = [number for number, record in acknowledged.items() if times[record] > 1]
    moved = len(load.taken) - len(acknowledged), len(load.taken) - len(by_record)
    return [
        Check("no acknowledged record is lost: each is on L1 under the number that was promised", not lost,
              f"{len(acknowledged)} acknowledged, {len(lost)} not there: {lost[:5]}"),
        Check("no acknowledged record is there twice", not doubled, f"{len(doubled)}: {doubled[:5]}"),
        Check("no number was promised twice, no record two numbers", moved == (0, 0), str(moved)),
        Check("every receipt was good when it was given", not load.broken, str(load.broken[:3])),
        Check("who traded could stop in good order", load.is_done, f"{len(load.unknown)} records of unknown fate"),
    ]  # fmt: skip


def _check_chain(reading: Reading, liars: Sequence[str]) -> list[Check]:
    run, monitor, true = reading.replay, reading.monitor, reading.true_ends
    ends = [batch.header for batch in run.batches]
    gaps = [
        one.number
        for one, two in pairwise(ends)
        if (two.number, two.first_record, two.first_message)
        != (one.number + 1, one.first_record + one.record_count, one.first_message + one.message_count)
    ]
    refused = {reason: count for reason, count in run.outcomes.items() if reason != "accepted"}
    joined = monitor.named("Joined")
    lies = [event for event in joined if event["end"] != true[monitor.epoch_of(event["key"])]]
    false, honest = {event["root"] for event in lies}, len(joined) - len(lies)  # who lies once defends what is true
    out = {event["root"] for event in monitor.named("Eliminated")}
    lied = {event["owner"].lower() for event in lies}
    return [
        Check("batches follow each other without a gap", not gaps, f"{len(ends)} batches, gaps after {gaps}"),
        Check("re-executed from L1, every input was accepted", not refused, str(refused or run.outcomes.total())),
        Check("every epoch is confirmed", len(reading.confirmed) == len(true),
              f"{len(reading.confirmed)} of {len(true)}"),
        Check("every confirmed end is the true one", reading.confirmed == true[: len(reading.confirmed)], ""),
        Check("every lie was told, and caught", lied == set(liars) and false == out,
              f"{len(liars)} liars, {len(lied)} lied, {len(false)} false histories, {len(out)} eliminated"),
        Check("nobody honest was accused but by liars", bool(liars) or not honest, f"{honest} true histories"),
        Check("no honest stake was slashed", not monitor.named("Slashed"), f"{len(monitor.named('Slashed'))}"),
    ]  # fmt: skip


def _check_money(reading: Reading) -> list[Check]:
    vault, due = reading.balance(reading.deployment.vault), reading.owed.total + reading.unconsumed
    total = int(Contract(reading.l1, VAULT, reading.deployment.vault).view("total"))
    return [
        Check("the vault's tokens equal everything owed, to the unit", vault == due == total, f"{vault}, {due} owed"),
        Check("all positions of a market add up to nothing", not any(reading.owed.net_lots.values()), ""),
    ]


def _check_books(stage: Stage, reading: Reading, posted: Sequence[bytes]) -> list[Check]:
    try:
        status: dict[str, Any] = requests.get(f"{stage.url}/v1/status", timeout=ASK * 3).json()
    except (requests.RequestException, ValueError) as error:
        status = {"machine": f"{type(error).__name__}"}
    machine = "0x" + reading.replay.machine.hash().hex()
    file = stage.disks["history"].folder / f"{stage.devnet.deployment.file_name}.sqlite"
    known = {entry.sequence: entry.hash for entry in read_known(f"sqlite:///{file}", 0) or ()}
    differ = [number for number, record in enumerate(posted) if known.get(number) != keccak(record)]
    executed = stage.count_executed()
    complaints = [*stage.problems("operator"), *stage.problems("watcher")]
    return [
        Check("the operator's machine is the chain's", status.get("machine") == machine, str(status.get("machine"))),
        Check("its history has every record that is posted", not differ and len(known) == len(posted),
              f"{len(known)} known, {len(posted)} posted, not known {differ[:5]}"),
        Check("the watcher has executed every epoch", executed == len(reading.true_ends), str(executed)),
        Check("nobody complains", not complaints, "; ".join(complaints)),
        Check("the API says that it is well", stage.health() == "ready", stage.health()),
    ]  # fmt: skip
