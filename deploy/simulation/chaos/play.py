"""A run of faults, one after the other, and how long it took after each until all worked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.chaos.faults import Fault, deal
from setoff.deploy.simulation.chaos.judgement import judge
from setoff.deploy.simulation.chaos.load import Load, Taken
from setoff.deploy.simulation.chaos.stage import PRICE, WATCHER, Stage
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.demo.summary import Check
from setoff.deploy.simulation.demo.traders import Trader, derive_key
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox
from setoff.shared.params import DEVNET, Params
from setoff.shared.sdk.receipt_store import ReceiptStore
from setoff.shared.sdk.vault import Vault

TERMS: Final[Params] = replace(DEVNET, challenge_period=240, censorship=200, epoch_batches=2)
"""A watcher that is killed while it disputes loses time: as much is allowed for as for a censor."""
TRADERS: Final = 12
DEPOSIT: Final = 500_000 * 10**6
PAUSE: Final = 0.8
LOOK: Final = 0.15
PATIENCE: Final = 120.0
"""Seconds after which somebody has to come and start everything again."""
ENDING: Final = 420.0
LEAST_FAULTS: Final = 8
"""For which it is worth to wait for a dispute."""
LIES: Final = ("wrong-root", "forged-withdrawal")

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came of one fault; seconds from its end (a kill ends at once), None: never."""

    number: int
    kind: str
    target: str
    lasted: float
    acknowledged: float | None
    """Until a record was taken that was sent after it."""
    posted: float | None
    """Until that record was on L1."""
    watched: float | None
    """Until the watcher had executed it."""
    said: tuple[str, ...]
    """What operator, watcher and API complained of while it lasted."""
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Until all of that was true."""
        found = (self.acknowledged, self.posted, self.watched)
        return None if None in found else max(value for value in found if value is not None)

    def to_json(self) -> dict[str, Any]:
        """As the report has it."""
        return {**asdict(self)} | {"seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the whole run."""

    recoveries: tuple[Recovery, ...]
    checks: tuple[Check, ...]
    facts: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether all recovered by themselves, and everything is true that has to be."""
        return all(check.passed for check in self.checks) and all(
            recovery.seconds is not None and not recovery.notes for recovery in self.recoveries
        )

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        names = ("fault", "at", "times", "needed help", "median", "worst")
        return {
            "passed": self.passed,
            "facts": self.facts,
            "checks": [asdict(check) for check in self.checks],
            "table": [dict(zip(names, row, strict=True)) for row in self.table()],
            "faults": [recovery.to_json() for recovery in self.recoveries],
        }

    def table(self) -> list[tuple[str, str, int, int, str, str]]:
        """By kind and target: times, of them without recovery, seconds to recover in the middle, and at worst."""
        rows = []
        for kind, target in sorted({(each.kind, each.target) for each in self.recoveries}):
            these = [each for each in self.recoveries if (each.kind, each.target) == (kind, target)]
            found = [each.seconds for each in these if each.seconds is not None]
            middle, worst = (f"{median(found):.1f}", f"{max(found):.1f}") if found else ("–", "–")
            rows.append((kind, target, len(these), len(these) - len(found), middle, worst))
        return rows


def play(folder: Path, faults: int, seed: int, tell: Tell, only: str = "") -> Outcome:
    """So many faults by that seed; `only`: of this kind. Raises SetoffError if the exchange does not come up."""
    random = Random(seed)
    with Stage(folder, TERMS.check()) as stage:
        tell("a chain, an operator, a watcher with two workers and a feeder of prices begin")
        stage.start()
        traders = _deposit(stage, seed)
        deployment = stage.devnet.deployment
        store = ReceiptStore.open(folder / "receipts", deployment, None)
        load = Load(stage.url, traders, store, price=PRICE, pause=PAUSE, seed=seed)
        _wait(lambda: stage.health() == "ready", PATIENCE)
        load.start()
        run = _Run(stage, load, tell)
        recoveries, liars = [], list[str]()
        lies_at = {faults * (number + 1) // (len(LIES) + 1): lie for number, lie in enumerate(LIES)}
        lies_at = lies_at if faults >= LEAST_FAULTS else {}
        run.settle()
        bag = (fault for fault in deal(stage, random) if not only or only in (fault.kind, fault.target))
        for number, fault in zip(range(1, faults + 1), bag, strict=False):
            if lie := lies_at.get(number):
                epoch = run.count_batches() // TERMS.epoch_batches + 3
                liars.append(stage.start_liar(lie, epoch))
                tell(f"somebody will dispute what is true of epoch {epoch}: {lie}")
            recoveries.append(run.suffer(number, fault))
        tell("the end: everything is posted, confirmed and held against L1")
        stage.services["oracle"].stop()
        load.stop()
        run.finish(liars)
        checks, facts = judge(stage, TERMS, load, liars)
    return Outcome(tuple(recoveries), tuple(checks), facts)


class _Run:
    """Faults, and what is seen of them."""

    def __init__(self, stage: Stage, load: Load, tell: Tell) -> None:
        self._stage, self._load, self._tell = stage, load, tell
        self._l1 = L1(stage.devnet.chain.url, patience=60.0, timeout=60.0)
        self._inbox = Inbox(self._l1, stage.devnet.deployment)

    def count_batches(self) -> int:
        """On L1."""
        return self._inbox.state().count

    def settle(self) -> None:
        """Wait until all works."""
        self._measure(time.monotonic())

    def suffer(self, number: int, fault: Fault) -> Recovery:
        """Let it happen and be over, and wait until all works again."""
        begun = time.monotonic()
        part = getattr(fault, "part", "")
        fault.begin(self._stage)
        said = self._endure(fault.seconds)
        fault.end(self._stage)
        over = begun if fault.kind == "kill -9" else time.monotonic()
        times = self._measure(over)
        lasted = time.monotonic() - begun
        target = " ".join(word for word in (fault.target, part) if word)
        found = Recovery(number, fault.kind, target, fault.seconds, *times, tuple(said), tuple(fault.notes))
        seconds = "NOT AT ALL" if found.seconds is None else f"{found.seconds:.1f} s"
        notes = "; ".join(fault.notes)
        self._tell(f"{number:>3} {fault.kind} {target}: works again after {seconds}, {lasted:.0f} s in all {notes}")
        if found.seconds is None:
            self._help()
        return found

    def finish(self, liars: list[str]) -> None:
        """Until all is posted, confirmed and paid out."""
        stage, until = self._stage, time.monotonic() + ENDING
        monitor, seen = Monitor(self._l1, stage.devnet.deployment), (-1, 0.0)
        last = max((taken.sequence for taken in self._load.taken), default=0)
        while time.monotonic() < until:
            stage.keep_up()
            monitor.look()
            epochs = monitor.posted // TERMS.epoch_batches
            joined, released = len(monitor.named("Joined")), len(monitor.named("Released"))
            is_over = joined == released and (not liars or joined > 0)
            if self._inbox.state().records_posted > last and monitor.confirmed == epochs and is_over:
                _wait(partial(self._has_executed, epochs), 30.0)
                _wait(lambda: stage.is_posted(self._inbox.state().records_posted), 30.0)
                return
            if len(monitor.events) != seen[0]:
                seen = len(monitor.events), time.monotonic()
            elif time.monotonic() - seen[1] > 6.0 and monitor.claimed == epochs:
                stage.devnet.chain.advance(TERMS.challenge_period)
                seen = -1, 0.0
            time.sleep(1.0)

    def _has_executed(self, epochs: int) -> bool:
        return self._stage.count_executed() == epochs and not self._stage.problems("operator")

    def _endure(self, seconds: float) -> list[str]:
        """Wait while it lasts; what those concerned say of it."""
        until, said = time.monotonic() + seconds, dict[str, None]()
        while time.monotonic() < until:
            self._stage.keep_up()
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
            said |= dict.fromkeys(self._ask())
        return list(said)

    def _ask(self) -> list[str]:
        health = self._stage.health()
        told = [] if health == "ready" else [f"API: {health}"]
        return [*told, *(f"{who}: {each}" for who in ("operator", WATCHER) for each in self._stage.problems(who))]

    def _measure(self, over: float) -> tuple[float | None, float | None, float | None]:
        """Seconds from `over` (monotonic) until a new record was taken, was posted, and was executed by the watcher."""
        acknowledged = posted = watched = None
        taken: Taken | None = None
        target = 0
        while time.monotonic() - over < PATIENCE and watched is None:
            self._stage.keep_up()
            if taken is None and (taken := self._load.since(over)):
                acknowledged = taken.answered - over
            if taken is not None and posted is None:
                state = self._inbox.state()
                if state.records_posted > taken.sequence:
                    posted, target = time.monotonic() - over, state.count // TERMS.epoch_batches
            if posted is not None and self._stage.count_executed() >= target:
                watched = time.monotonic() - over
            time.sleep(LOOK)
        return acknowledged, posted, watched

    def _help(self) -> None:
        """Somebody comes and starts everything again."""
        for service in self._stage.services.values():
            service.stop(20)
            service.start()
        self._tell(f"    said: {'; '.join(self._ask())}")
        self.settle()


def _deposit(stage: Stage, seed: int) -> list[Trader]:
    """Traders with accounts and money."""
    deployment, chain = stage.devnet.deployment, stage.devnet.chain
    faucet, traders = Faucet(chain.connect(FAUCET), deployment), []
    for number in range(TRADERS):
        trader = Trader(derive_key(seed, "trader", number), deployment.domain)
        faucet.give(trader.address, DEPOSIT)
        trader.account = Vault(L1(chain.url, trader.key), deployment).deposit(DEPOSIT)
        traders.append(trader)
    return traders


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(LOOK)
