"""What can go wrong: each fault begins, lasts for a while, and is mended as a machine, or whoever is called, would."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from redis.exceptions import RedisError

from setoff.deploy.simulation.chaos.parts import list_descendants
from setoff.deploy.simulation.chaos.stage import WATCHER, Stage

SHORTEST, LONGEST = 2.0, 7.0
"""Seconds that a fault lasts which lasts."""
JUMPS: Final = (-90, -20, 20, 90)
"""Seconds by which a clock is set; each is set back when the fault is over."""
AHEAD: Final = 15
"""Seconds by which the chain's clock jumps: it never goes back."""
REBUILD_SECONDS: Final = 300.0


@dataclass
class Fault(ABC):
    """One of them. `kind` is what the table has a line for, `target` to whom it happens."""

    kind: str
    target: str
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What was seen that should not be."""

    @abstractmethod
    def begin(self, stage: Stage) -> None:
        """Let it happen."""

    def end(self, stage: Stage) -> None:  # noqa: B027 (some are over at once)
        """Let it be over."""


@dataclass
class Kill(Fault):
    """kill -9 of one process of a service; `part` "": of all at once, as where the machine loses them."""

    part: str = ""

    def begin(self, stage: Stage) -> None:
        service = stage.services[self.target]
        if not self.part:
            service.kill()
            return
        for number in _find(stage, self.target, self.part)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


@dataclass
class Stop(Fault):
    """SIGSTOP of a process, or of a whole service, and SIGCONT."""

    part: str = ""
    _stopped: list[int] = field(default_factory=list)

    def begin(self, stage: Stage) -> None:
        if self.target == "chain":
            self._stopped = [stage.devnet.chain.process.pid]
        elif self.part:
            self._stopped = _find(stage, self.target, self.part)[:1]
        elif (process := stage.services[self.target].pid) is not None:
            self._stopped = [process, *list_descendants(process)]
        self._send(signal.SIGSTOP)

    def end(self, stage: Stage) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        for process in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


@dataclass
class DiskFull(Fault):
    """No byte is left where the target writes."""

    def begin(self, stage: Stage) -> None:
        stage.disks[self.target].fill()

    def end(self, stage: Stage) -> None:
        stage.disks[self.target].clear()


@dataclass
class ClockJump(Fault):
    """The wall clock of a service's processes, or of the chain."""

    by: int = 0

    def begin(self, stage: Stage) -> None:
        if self.target == "chain":
            stage.devnet.chain.advance(self.by)
        else:
            stage.clocks[self.target].set(self.by)

    def end(self, stage: Stage) -> None:
        if self.target != "chain":
            stage.clocks[self.target].set(0)


@dataclass
class NodeGone(Fault):
    """The L1 node of the targets answers nothing."""

    def begin(self, stage: Stage) -> None:
        self._set(stage, is_dead=True)

    def end(self, stage: Stage) -> None:
        self._set(stage, is_dead=False)

    def _set(self, stage: Stage, *, is_dead: bool) -> None:
        for who, node in stage.nodes.items():
            if self.target in (who, "both"):
                node.is_dead = is_dead


@dataclass
class Wiped(Fault):
    """The store of a service is empty. A watcher mends that itself; an operator is rebuilt by command."""

    def begin(self, stage: Stage) -> None:
        redis = stage.store(self.target)
        if redis is None:
            self.notes.append("there was no store to wipe")
            return
        with redis:
            try:
                redis.flushall()
            except RedisError as error:
                self.notes.append(f"the store was not wiped: {error}")

    def end(self, stage: Stage) -> None:
        if self.target == WATCHER:
            return
        stage.services["operator"].stop(40)
        given = next(iter(sorted(stage.folder.glob("receipts/*.jsonl"))), None)
        words = ["operator", "rebuild", "--from-history", *(["--given", str(given)] if given else [])]
        code, said = stage.run("operator", words, REBUILD_SECONDS)
        if code:
            self.notes.append(f"the rebuild ended with {code}: {said[-400:]}")
        stage.services["operator"].start()


def deal(stage: Stage, random: Random) -> Iterator[Fault]:
    """Faults without end: each kind at each target once, in an order of chance, and again."""
    while True:
        bag = list(_list(stage, random))
        random.shuffle(bag)
        yield from bag


def _list(stage: Stage, random: Random) -> Iterator[Fault]:
    def lasting() -> float:
        return random.uniform(SHORTEST, LONGEST)

    for who, parts in PARTS.items():
        for part in parts:
            yield Kill("kill -9", who, part=part)
            if who != "oracle":
                yield Stop("stopped", who, lasting(), part=part)
    yield Stop("stopped", "chain", lasting())
    for name, disk in stage.disks.items():
        if disk.is_small:
            yield DiskFull("disk full", name, lasting())
    for who, clock in stage.clocks.items():
        if clock.is_there:
            for by in JUMPS:
                yield ClockJump("clock jumps", who, lasting(), by=by)
    yield ClockJump("clock jumps", "chain", by=AHEAD)
    for who in (*stage.nodes, "both"):
        yield NodeGone("node gone", who, lasting())
        yield NodeGone("node gone", who, 2 * lasting())
    for who in stage.nodes:
        yield Wiped("store wiped", who)


PARTS: Final = {
    "operator": ("", "operator", "store", "store's server", "sequencer", "publisher", "helper"),
    WATCHER: (
        "",
        "supervisor",
        "follower",
        "worker",
        "archivist",
        "challenger",
        "server",
        "store's server",
        "fork server",
    ),
    "oracle": ("",),
}
"""By service: what can be killed and stopped; "" is all of it."""


def _find(stage: Stage, who: str, part: str) -> list[int]:
    until = time.monotonic() + 3.0
    while True:
        found = [number for number, name in stage.parts(who).items() if name == part]
        if found or time.monotonic() > until:
            return found
        time.sleep(0.2)
