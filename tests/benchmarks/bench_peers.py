"""The same orders through order books that others wrote: what rules, signature and root cost beside matching.

The flow: a book of 2,000 orders, then 8,192 events of one market (40 % take, 30 % rest, 30 % cancel), played in turn
by each engine; lots traded have to be the same everywhere. The others match, and do nothing else.
"""

import os
import time
from statistics import median
from typing import Final

from tests.support.machines.standing_book import DOMAIN
from tests.support.peers import engines
from tests.support.peers.flow import Play, make_play

from setoff.shared.codec import eip712, records, signatures

ROUNDS: Final = 5
HERE: Final = {
    "liquibook": engines.Liquibook,
    "orderly-chaos": engines.OrderlyChaos,
    "lightmatchingengine": engines.Light,
    "pyorderbook": engines.PyOrderBook,
}


def _play_here(play: Play) -> tuple[int, int, int]:
    """Nanoseconds of processor time for all batches: signatures, root, and everything."""
    begin = time.process_time_ns()
    for batch in play.batches:
        for record in batch.records:
            signatures.recover(eip712.digest(DOMAIN, record), record[records.BODY_BYTES :])
    alone = time.process_time_ns() - begin
    machine = play.machine.copy()
    machine.hash()
    hashing = 0
    begin = time.process_time_ns()
    for batch in play.batches:
        machine.run_batch(batch)
        executed = time.process_time_ns()
        machine.hash()
        hashing += time.process_time_ns() - executed
    return alone, hashing, time.process_time_ns() - begin


def run() -> dict[str, float]:
    """Microseconds of processor time an event on one core, by engine; and the ratio of our rules to liquibook."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # a thread on the other one would help some of them, and not the others
    try:
        return _run()
    finally:
        os.sched_setaffinity(0, cores)


def _run() -> dict[str, float]:
    play = make_play()
    events = len(play.events)
    ours: list[tuple[int, int, int]] = []
    others: dict[str, list[int]] = {name: [] for name in HERE}
    for _ in range(ROUNDS):
        ours.append(_play_here(play))
        for name, engine in HERE.items():
            lots, nanoseconds = engines.play_here(engine, play.before, play.events)
            assert lots == play.lots, f"{name} traded {lots} lots, the machine {play.lots}"
            others[name].append(nanoseconds)
    node = engines.play_in_node(play.before, play.events, ROUNDS)
    assert node.lots == play.lots, f"nodejs-order-book traded {node.lots} lots, the machine {play.lots}"
    others["nodejs-order-book"] = node.times

    signature, root, whole = (median(each) / events / 1e3 for each in zip(*ours, strict=True))
    figures = {
        "events": events,
        "lots traded": play.lots,
        "Setoff, signature, rules and root_us": whole,
        "Setoff, rules alone_us": whole - signature - root,
        "Setoff, signature alone_us": signature,
        "Setoff, root alone_us": root,
    }
    figures |= {f"{name}, matching alone_us": median(times) / events / 1e3 for name, times in others.items()}
    figures["rules to liquibook"] = (whole - signature - root) / (median(others["liquibook"]) / events / 1e3)
    return figures
