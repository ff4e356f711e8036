"""A scenario of kind "court": the real contracts and machine, batches posted by hand, actors in threads of their own.

The director watches the chain, gives cues, and lets time pass: on a chain of his own in jumps to the next moment at
which anybody has something to do, elsewhere by waiting. The play is over when nobody will ever do anything again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from setoff.deploy.contracts.compile import compile_all
from setoff.deploy.devnet.anvil import ACCOUNTS, Anvil, dev_keys
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.gas import read_gas
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.scenario.actors import Person
from setoff.deploy.simulation.scenario.flow import Exchange
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.script import Cue, Fault, Script
from setoff.deploy.simulation.scenario.verdict import judge_court
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.key_file import read_key
from setoff.shared.errors import ChainError, ConfigError, StateError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader

LOOK: Final = 0.25
QUIET_LOOKS: Final = 2
"""Looks at which nobody had anything to do, after which time may pass."""
RICH: Final = 1000 * 10**18
"""Wei for actors beyond the funded accounts of a development chain."""


class Stage:
    """The chain and its accounts."""

    def __init__(self, script: Script) -> None:
        """Starts an anvil unless the script names a node. Raises ConfigError."""
        network = script.network
        self.anvil: Anvil | None = None
        self._keys: list[bytes] = []
        if network.rpc:
            if not network.keys:
                raise ConfigError("bad_config", "network.keys: a node of others needs keys of funded accounts")
            lines = Path(network.keys).expanduser().read_text().split()
            self._keys = [read_key(line, "network.keys") for line in lines]
            self.url = network.rpc
        else:
            self.anvil = Anvil(block_time=network.block_time or None)
            self.url = self.anvil.url
        self.reader = L1(self.url)
        if self.reader.chain_id == 1:
            raise ConfigError("bad_config", "scenarios are for test networks")

    def key(self, number: int) -> bytes:
        """The secret of account `number`: 0 deploys, 1 is the operator, then the actors."""
        if self.anvil is None:
            if number >= len(self._keys):
                raise ConfigError("bad_config", f"network.keys: there are {len(self._keys)}, more are needed")
            return self._keys[number]
        if number < ACCOUNTS:
            return dev_keys()[number]
        key = keccak(b"setoff scenario actor %d" % number)
        self.reader.request("anvil_setBalance", "0x" + L1(self.url, key).address.hex(), hex(RICH))
        return key

    def connect(self, number: int) -> Callable[[str], L1]:
        """Account `number` at any address of the node."""
        key = self.key(number)
        return lambda url: L1(url, key, patience=3.0, timeout=5.0)

    def stop(self) -> None:
        """End the chain, if it is ours."""
        if self.anvil:
            self.anvil.stop()


class CourtScenario:
    """One run of it."""

    def __init__(self, script: Script, console: Console, folder: Path) -> None:
        """`folder` gets the deployment's file, so that others can watch."""
        self.script = script
        self.console = console
        self._folder = folder
        self._fired: dict[Fault, int] = {}
        self._outage_ends: list[tuple[int, Callable[[], None]]] = []

    def run(self) -> Report:
        """Play it and judge it. Raises SetoffError if it cannot be played; whatever was started is stopped."""
        console, script = self.console, self.script
        console.chapter(f"{script.name}: {script.text}")
        compile_all()
        stage = Stage(script)
        self._people: list[Person] = []
        try:
            self._stage = stage
            deployer, operator = stage.connect(0)(stage.url), stage.connect(1)(stage.url)
            console.chapter("contracts and batches")
            self._exchange = exchange = Exchange(deployer, operator, script.params)
            exchange.deployment.save(self._folder / "deployment.json")
            console.tell(f"{stage.url}, deployment in {self._folder / 'deployment.json'}")
            exchange.post(script.flow)
            self._first_block = stage.reader.head().number
            if stage.anvil:
                stage.anvil.mine(2)  # so that no reorg reaches the batches
            self._cast()
            console.chapter("the game")
            begun = time.monotonic()
            finished = self._direct()
            for person in self._people:
                person.leave()
            self._reader.poll()
            report = judge_court(script, exchange, self._people, self._reader, stage.reader)
            report.check("the play came to its end", finished, f"{time.monotonic() - begun:.0f} s")
            report.figures["seconds"] = round(time.monotonic() - begun, 1)
            report.figures["gas"] = {
                gas.kind: {"calls": gas.count, "failed": gas.failed, "mean": gas.mean}
                for gas in read_gas(stage.reader, exchange.deployment)
            }
            return report
        finally:
            for person in self._people:
                person.close()
            stage.stop()

    def _cast(self) -> None:
        script, number = self.script, 2
        whole_node = any(fault.kind in ("outage", "censor") and not fault.actor for fault in script.faults)
        hit = {fault.actor for fault in script.faults if fault.kind in ("outage", "censor")}
        for role in script.actors:
            for name in role.names():
                if name == "operator":
                    connect = lambda url: self._exchange.operator if url == self._stage.url else self._operator(url)  # noqa: E731
                else:
                    connect = self._stage.connect(number)
                    number += 1
                needs_node = whole_node or role.name in hit
                self._people.append(Person(name, role, connect, self._stage.url, self._exchange, needs_node=needs_node))
        deployment = self._exchange.deployment
        self._reader = CourtReader(CourtContract(self._stage.reader, deployment.court), deployment.block)
        names = {"0x" + person.address.hex(): person.name for person in self._people}
        self._monitor = Monitor(self._stage.reader, deployment, names)
        for person in self._people:
            if not person.role.enters:
                person.enter()

    def _operator(self, url: str) -> L1:
        return self._stage.connect(1)(url)

    # --- directing ---------------------------------------------------------------------------------------------------

    def _direct(self) -> bool:
        """Until nobody will do anything again; returns whether that came true in time."""
        quiet = 0
        deadline = time.monotonic() + self.script.patience
        while time.monotonic() < deadline:
            self._reader.poll()
            for sentence, style in self._monitor.sentences(self._monitor.look()):
                self.console.tell(sentence, style)
            now = self._stage.reader.now()
            acted = self._give_cues(now)
            busy = [person.name for person in self._people if person.pending(self._reader.court, now)]
            quiet = 0 if busy or acted else quiet + 1
            self.console.update(time=now, moves=len(self._monitor.named("Moved")), busy=", ".join(busy) or "nobody")
            if quiet >= QUIET_LOOKS:
                then = self._next_moment(now)
                if then is None:
                    return True
                if self._stage.anvil:
                    self._stage.anvil.advance(max(1, then - now))
                    quiet = 0
            time.sleep(LOOK)
        return False

    def _give_cues(self, now: int) -> bool:
        """Let actors in and things go wrong when it is time; returns whether anything happened."""
        acted = False
        for person in self._people:
            if person.role.enters and person.player is None and now >= (self._when(person.role.enters) or now + 1):
                self.console.tell(f"{person.name} comes in", "cyan")
                person.enter()
                acted = True
        for fault in self.script.faults:
            when = self._when(fault.at)
            if fault not in self._fired and when is not None and now >= when:
                self._fired[fault] = now
                self._break(fault, now)
                acted = True
        for entry in list(self._outage_ends):
            if now >= entry[0]:
                self._outage_ends.remove(entry)
                entry[1]()
                acted = True
        return acted

    def _when(self, text: str) -> int | None:
        """The time of a cue on the chain's clock, None before its event."""
        cue = Cue.parse(text)
        events = self._monitor.named(cue.event)
        if len(events) < cue.times:
            return None
        block = self._stage.reader.block(events[cue.times - 1].block_number)
        return block.timestamp + cue.seconds

    def _break(self, fault: Fault, now: int) -> None:
        """Let it go wrong."""
        whom = [person for person in self._people if fault.actor in ("", person.role.name)]
        self.console.tell(
            f"{fault.kind}: {', '.join(p.name for p in whom) if fault.actor else 'everybody'}", "bold cyan"
        )
        if fault.kind == "reorg":
            if self._stage.anvil is None:
                raise ConfigError("bad_config", "fault.kind: a reorg needs an anvil of one's own")
            depth = min(fault.depth, self._stage.reader.head().number - self._first_block - 1)
            self._stage.reader.request("anvil_reorg", depth, [])
        elif fault.kind == "restart":
            for person in whom:
                person.leave()
                self._later(now + fault.seconds, person.enter)
        elif fault.kind in ("outage", "censor"):
            for person in whom:
                self._cut_off(person, fault, now)
        else:
            raise ConfigError("bad_config", f"fault.kind: {fault.kind} is for scenarios of kind exchange")

    def _cut_off(self, person: Person, fault: Fault, now: int) -> None:
        node = person.node
        if node is None:
            raise StateError("not_ready", f"{person.name} has no node of his own")
        person.blocked_until = now + fault.seconds
        if fault.kind == "outage":
            node.is_dead = True
        else:
            person.censored = frozenset(fault.calls)
            node.censor(fault.calls)

        def restore() -> None:
            node.is_dead = False
            person.censored = frozenset()
            node.censor(())
            self.console.tell(f"{person.name} gets through again", "cyan")

        self._later(now + fault.seconds, restore)

    def _later(self, when: int, what: Callable[[], None]) -> None:
        self._outage_ends.append((when, what))

    # --- time --------------------------------------------------------------------------------------------------------

    def _next_moment(self, now: int) -> int | None:
        """The next time at which anybody has something to do; None if there is none."""
        period = self.script.params.challenge_period
        moments = {when for when, _ in self._outage_ends}
        for person in self._people:
            if person.role.enters and person.player is None and (when := self._when(person.role.enters)):
                moments.add(when)
        for fault in self.script.faults:
            if fault not in self._fired and (when := self._when(fault.at)):
                moments.add(when)
        certain = sorted(moment for moment in moments if moment > now)
        court = self._reader.court
        waits = {0, *(person.role.deference for person in self._people)}
        for claim in court.unfinished():
            times = {claim.claimed_at + period, claim.changed_at, claim.claimed_at + self.script.params.claim_interval}
            if claim.disputed_at:
                times |= {claim.disputed_at + period, claim.disputed_at + 3 * period}
            for match in claim.turns():
                times |= {match.since} if match.is_sealed else {match.since, claim.expiry(match, period)}
            moments |= {moment + wait for moment in times for wait in waits}
        for claim in court.unpaid():
            moments |= {claim.changed_at + wait for wait in waits}
        for moment in sorted(moment for moment in moments if moment > now):
            if moment in certain or any(person.pending(court, moment) for person in self._people):
                return moment
        return None


def play_court(script: Script, console: Console, folder: Path) -> Report:
    """Run a scenario of kind "court"."""
    scenario = CourtScenario(script, console, folder)
    try:
        return scenario.run()
    except ChainError as error:
        raise StateError("not_ready", f"the director lost the chain: {error}") from error
