"""The players of a scenario at the real court: each has an account, a node, knowledge of his own, and a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from setoff.deploy.simulation.faults import plan_fault
from setoff.deploy.simulation.scenario.flow import Exchange
from setoff.deploy.simulation.scenario.liars import FromHere, Hollow, OneLeaf, RandomRoot, find_place
from setoff.deploy.simulation.scenario.node import Node
from setoff.deploy.simulation.scenario.script import Actor, Lie
from setoff.deploy.simulation.silent_player import SilentPlayer
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import ExecutedEpoch, TraceProvider
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.history import EPOCH

POLL: Final = 0.15
SPREAD: Final = 1.0
COLLECT_FROM: Final = 1


@dataclass
class Book:
    """What somebody knows: epochs by number."""

    runs: dict[int, ExecutedEpoch] = field(default_factory=dict)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """As `Epochs` asks for it."""
        return self.runs.get(epoch)


class Person:
    """One actor in flesh and blood: starts, stops, begins anew."""

    def __init__(
        self, name: str, role: Actor, connect: Callable[[str], L1], url: str, exchange: Exchange, *, needs_node: bool
    ) -> None:
        """`connect` gives his account at an address of a node; `needs_node`: whether something will be done to it."""
        self.name = name
        self.role = role
        self.node = Node(url) if needs_node else None
        self._connect = connect
        self._url = self.node.url if self.node else url
        self._exchange = exchange
        self.book = self._learn()
        self.blocked_until = 0
        """On the chain's clock: until then nothing of his gets through."""
        self.censored: frozenset[str] = frozenset()
        self.policy = Policy(
            claim_after=0 if role.claims or name == "operator" else None,
            deference=role.deference,
            collect_from=COLLECT_FROM,
        )
        self.l1 = connect(self._url)
        self.address = self.l1.address
        self.before = self.l1.balance(self.address)
        self.player: CourtPlayer | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def root(self) -> bytes:
        """Of his history of the epoch that he lies about, or of epoch 0."""
        return self.book.runs[self.role.epoch].run.root

    def enter(self) -> None:
        """Begin to play, with nothing but what is on L1."""
        if self.name != "operator" or self.player is not None:
            self.l1 = self._connect(self._url)
        self.player = CourtPlayer(
            self.l1, self._exchange.deployment.court, self.book, self.policy,
            first_block=self._exchange.deployment.block, spread=SPREAD,
        )  # fmt: skip
        if self.role.silent_from <= EPOCH.levels:
            self.player.player = SilentPlayer(self.address, self.policy, self.role.silent_from)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.player.run, args=(self._stop, POLL), name=self.name, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Stop playing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)
            self._thread = None

    @property
    def is_playing(self) -> bool:
        """Whether he is there."""
        return self._thread is not None

    def close(self) -> None:
        """Leave for good."""
        self.leave()
        if self.node:
            self.node.stop()

    def pending(self, court: CourtState, now: int) -> list[Action]:
        """What he would do at that time, but for what was just refused or cannot get through."""
        if self.player is None or not self.is_playing:
            return []
        paused = self.player.paused
        wanted = self.player.player.choose(court, self.book, now)
        if now < self.blocked_until:
            wanted = [action for action in wanted if _call_of(action) not in self.censored]
            if self.node and self.node.is_dead:
                wanted = []
        return [action for action in wanted if action not in paused]

    def _learn(self) -> Book:
        """What he believes of each epoch; a liar knows nothing of those after his lie."""
        exchange, book = self._exchange, Book()
        count = exchange.params.epoch_batches
        for epoch in range(len(exchange.batches) // count):
            last = exchange.of_epoch(epoch)[-1].header
            is_lie = self.role.lie is not None and epoch == self.role.epoch
            run: TraceProvider = exchange.run(epoch)
            if is_lie and self.role.lie:
                run = tell(self.role.lie, exchange, epoch, self.name)
            run.last_path()
            assert run.root and run.end  # worked out before any thread asks
            book.runs[epoch] = ExecutedEpoch(epoch_hash(epoch, count, last.hash()), last.timestamp, run)
            if is_lie:
                break
        return book


def tell(lie: Lie, exchange: Exchange, epoch: int, name: str) -> TraceProvider:
    """The false history of an epoch, another one for every name. Raises ConfigError if the lie does not fit there."""
    seed = keccak(name.encode())
    honest = exchange.run(epoch)
    if lie.shape == "named":
        stepper = plan_fault(lie.name, exchange.start(epoch), exchange.of_epoch(epoch))
        if stepper is None:
            raise ConfigError("bad_config", f"the lie {lie.name} does not fit into epoch {epoch}")
        return exchange.run(epoch, stepper)
    inputs = [batch.header.inputs for batch in exchange.of_epoch(epoch)]
    end = keccak(seed + b"end") if lie.end == "false" else honest.end
    if lie.shape == "random":
        return RandomRoot(honest, end, seed)
    position = find_place(lie.place, honest, inputs)
    if lie.shape == "leaf":
        return OneLeaf(honest, position, seed)
    if lie.shape == "from":
        return FromHere(honest, position, seed)
    last = find_place("last", honest, inputs)
    return Hollow(honest if lie.end == "true" else OneLeaf(honest, last, end), lie.level, position, seed)


def _call_of(action: Action) -> str:
    """The court's function that an action calls."""
    name = type(action).__name__
    return "reclaim_history" if name == "ReclaimHistory" else name.lower()
