"""A scenario file: TOML, every key checked. What a key means is said at the class that it fills.

    text = "what this shows"
    kind = "court"                       # or "exchange"
    [network] [params] [flow] [expect]   # a table each
    [[actor]] [[fault]]                  # as many as it takes

A *cue* says when: "claimed", "joined 2", "moved 3 +10": after the event, the second of its kind, the third and ten
seconds of the chain's time later.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeVar

from setoff.deploy.simulation.lies import CLAIM_LIES
from setoff.deploy.simulation.scenario.liars import LEVELS, PLACES
from setoff.shared.errors import ConfigError
from setoff.shared.params import PRESETS, Params

T = TypeVar("T")

SHAPES: Final = ("leaf", "from", "hollow", "random", "named")
FAULT_KINDS: Final = ("reorg", "restart", "outage", "censor", "corrupt")
KINDS: Final = ("court", "exchange")
ENDS: Final = ("true", "false", "none")
CAUSES: Final = ("proof", "timeout", "any")
BONDS: Final = ("back", "lost", "none")
CALLS: Final = ("claim", "join", "move", "timeout", "prove", "install", "void", "settle", "release", "advance")
EVENTS: Final = {
    name.lower(): name
    for name in ("BatchPosted", "Claimed", "Joined", "Moved", "Eliminated", "Installed", "Settled", "Voided")
} | {"posted": "BatchPosted"}


class Cue(NamedTuple):
    """When: after the event `event` (a name of the court's or the inbox's) has come so many `times`, and so many
    seconds of the chain's time more."""

    event: str
    times: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ConfigError."""
        found = re.fullmatch(r"(\w+)(?: (\d+))?(?: \+(\d+))?", text)
        if found is None or found[1] not in EVENTS:
            raise ConfigError("bad_config", f"'{text}' is no cue: an event ({', '.join(EVENTS)}), count, +seconds")
        return cls(EVENTS[found[1]], int(found[2] or 1), int(found[3] or 0))


@dataclass(frozen=True, slots=True)
class Network:
    """Where it is played."""

    rpc: str = ""
    """An L1 node; empty: an anvil of its own."""
    keys: str = ""
    """File with private keys of funded accounts, a line each: deployer, operator, and the actors in order."""
    block_time: int = 0
    """Of the anvil, seconds; 0: a block a transaction."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What is posted."""

    epochs: int = 1
    records: int = 24
    """Records a batch (of kind "court") or in all (of kind "exchange")."""
    seed: int = 0
    seconds: float = 9.0
    """How long the trading takes (kind "exchange")."""
    batch_interval: float = 1.5
    traders: int = 6
    confirmations: int = 0
    """Blocks on top of a deposit before the operator credits it (kind "exchange")."""


@dataclass(frozen=True, slots=True)
class Lie:
    """What is false in a history."""

    shape: str
    """"leaf": one leaf; "from": all leaves from there on; "hollow": a node with nothing below; "random": a root with
    nothing below; "named": a machine that breaks a rule (`FAULTS`)."""
    place: str = "real"
    """Where (`PLACES`)."""
    level: int = 1
    """Of the hollow node, 1 to 6."""
    end: str = "false"
    """Of "hollow" and "random": whether the last leaf is false, too."""
    name: str = ""
    """Of "named"."""

    def check(self) -> None:
        """Raises ConfigError."""
        _one_of("lie.shape", self.shape, SHAPES)
        _one_of("lie.place", self.place, tuple(PLACES))
        _one_of("lie.end", self.end, ("true", "false"))
        if self.shape == "named":
            _one_of("lie.name", self.name, tuple(CLAIM_LIES))
        if not 1 <= self.level < LEVELS:
            raise ConfigError("bad_config", f"lie.level: 1 to {LEVELS - 1}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with an account of his own."""

    name: str
    """"operator" posts the batches; all others watch."""
    count: int = 1
    """So many of them, name-1, name-2, …, each with a lie of his own."""
    claims: bool = False
    """Whether he claims epochs that nobody has claimed. The operator does anyway."""
    lie: Lie | None = None
    """None: he is honest."""
    epoch: int = 0
    """The epoch lied about; of later ones a liar knows nothing."""
    silent_from: int = LEVELS + 1
    """He makes no move from this level on (7: no proof; 0: nothing but joining)."""
    enters: str = ""
    """A cue; empty: from the beginning."""
    deference: int = 0
    dies: str = ""
    """Of the operator of an exchange: a cue at which its processes are killed; empty: it lives."""
    returns: int = 0
    """So many seconds of the chain's time after its death it is started again, with all that it had stored; 0: never,
    and what it had stored is lost."""
    liveness_keeper: bool = False
    """Of a watcher of an exchange: whether it posts and claims while the operator is silent, and ends the exchange."""

    def check(self) -> None:
        """Raises ConfigError."""
        if not re.fullmatch(r"[a-z][a-z0-9]*", self.name) or not 1 <= self.count <= 100:
            raise ConfigError("bad_config", f"actor '{self.name}': a name is of small letters, count 1 to 100")
        if self.lie:
            self.lie.check()
        for cue in (self.enters, self.dies):
            if cue:
                Cue.parse(cue)
        if self.dies and (self.name != "operator" or self.lie):
            raise ConfigError("bad_config", "actor.dies: for an operator that tells no lie")
        if self.returns < 0 or (self.returns and not self.dies):
            raise ConfigError("bad_config", "actor.returns: seconds after the death of an operator that dies")
        if self.liveness_keeper and (self.name != "watcher" or self.lie):
            raise ConfigError("bad_config", "actor.liveness_keeper: for honest watchers")

    @property
    def is_honest(self) -> bool:
        """Whether he tells the truth and plays for it to the end."""
        return self.lie is None and self.silent_from > LEVELS

    def names(self) -> list[str]:
        """One a person."""
        return [self.name] if self.count == 1 else [f"{self.name}-{number}" for number in range(1, self.count + 1)]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong."""

    kind: str
    """"reorg": the last blocks are gone; "restart": an actor (of kind "exchange": a process, killed) stops and begins
    anew; "outage": the node does not answer; "censor": calls get into no block; "corrupt": batches in a watcher's
    Redis are spoilt."""
    at: str
    """A cue."""
    actor: str = ""
    """Whom it hits; empty: everybody."""
    seconds: int = 0
    """How long it lasts, on the chain's clock; of an outage of kind "exchange" on the wall's."""
    depth: int = 3
    """Of a reorg, blocks."""
    calls: tuple[str, ...] = CALLS
    """That are censored."""

    def check(self) -> None:
        """Raises ConfigError."""
        _one_of("fault.kind", self.kind, FAULT_KINDS)
        Cue.parse(self.at)
        for call in self.calls:
            _one_of("fault.calls", call, CALLS)


@dataclass(frozen=True, slots=True)
class Expect:
    """What has to be found on chain in the end. Who is not named must not be eliminated."""

    end: str = "true"
    """The confirmed end of every epoch: "true" or "false", or "none" if none is to be confirmed."""
    eliminated: dict[str, str] = field(default_factory=dict)
    """Actor to how: "proof", "timeout", "any"."""
    bonds: dict[str, str] = field(default_factory=dict)
    """Actor to "back", "lost", or "none" for one who never had a bond in it."""
    moves: tuple[int, ...] = ()
    """Least and most moves of all matches together."""
    slashed: bool | None = None
    """Whether a stake was."""
    within: float = 2.0
    """Challenge periods from a claim to its installation, at most."""
    round: int = 0
    """Of the claim that is installed: how often it was given up before."""
    wind_down: bool | None = None
    """Where the operator dies: whether the exchange is ended, every market settled, and everybody paid everything; or
    goes on as if nothing had been."""

    def check(self) -> None:
        """Raises ConfigError."""
        _one_of("expect.end", self.end, ENDS)
        for cause in self.eliminated.values():
            _one_of("expect.eliminated", cause, CAUSES)
        for bond in self.bonds.values():
            _one_of("expect.bonds", bond, BONDS)
        if self.moves and len(self.moves) != 2:
            raise ConfigError("bad_config", "expect.moves: [least, most]")


@dataclass(frozen=True, slots=True)
class Script:
    """A whole scenario."""

    name: str
    text: str
    kind: str
    network: Network
    params: Params
    flow: Flow
    actors: tuple[Actor, ...]
    faults: tuple[Fault, ...]
    expect: Expect
    patience: float = 240.0
    """Seconds on the wall after which it has failed."""
    fast: bool = False
    """Whether it belongs to the short test run."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises ConfigError, naming what cannot work."""
        try:
            data = tomllib.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError("bad_config", f"{path} cannot be read: {error}") from None
        try:
            return cls.from_dict(path.stem, data)
        except ConfigError as error:
            raise ConfigError(error.reason, f"{path.name}: {error.detail}") from None

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> Self:
        """A scenario as `tomllib` reads it. Raises ConfigError."""
        values = dict(data)
        actors = [dict(actor) for actor in values.pop("actor", [])]
        for actor in actors:
            if "lie" in actor:
                actor["lie"] = _fill(Lie, actor["lie"], "lie")
        script = _fill(
            cls,
            {
                "name": name,
                "network": _fill(Network, values.pop("network", {}), "network"),
                "params": _params(values.pop("params", {})),
                "flow": _fill(Flow, values.pop("flow", {}), "flow"),
                "actors": tuple(_fill(Actor, actor, "actor") for actor in actors),
                "faults": tuple(_fill(Fault, fault, "fault") for fault in values.pop("fault", [])),
                "expect": _fill(Expect, values.pop("expect", {}), "expect"),
                **values,
            },
            "the scenario",
        )
        script.check()
        return script

    def check(self) -> None:
        """Raises ConfigError."""
        _one_of("kind", self.kind, KINDS)
        for actor in self.actors:
            actor.check()
        for fault in self.faults:
            fault.check()
        self.expect.check()
        names = [actor.name for actor in self.actors]
        if len(set(names)) != len(names) or "operator" not in names:
            raise ConfigError("bad_config", "actor: every name once, and one is the operator")
        for named in (*self.expect.eliminated, *self.expect.bonds, *(f.actor for f in self.faults if f.actor)):
            _one_of("an actor's name", named, tuple(names))
        if self.kind == "exchange":
            self._check_exchange()
        elif any(actor.dies or actor.liveness_keeper for actor in self.actors) or self.expect.wind_down is not None:
            raise ConfigError("bad_config", "dies, liveness_keeper, wind_down: for scenarios of kind exchange")

    def _check_exchange(self) -> None:
        watchers = [actor for actor in self.actors if actor.name != "operator"]
        if self.network.rpc:
            raise ConfigError("bad_config", "network.rpc: the processes of an exchange play on an anvil of their own")
        for actor in self.actors:
            if actor.lie and actor.lie.shape != "named":
                raise ConfigError("bad_config", "lie.shape: the processes of an exchange tell named lies only")
        operator = next(actor for actor in self.actors if actor.name == "operator")
        if (self.expect.wind_down is not None) != bool(operator.dies):
            raise ConfigError("bad_config", "expect.wind_down: said where the operator dies, and only there")
        if operator.dies and any(actor.lie for actor in self.actors):
            raise ConfigError("bad_config", "actor.lie: where the operator dies, everybody else is honest")
        if operator.dies and not operator.returns and not any(actor.liveness_keeper for actor in watchers):
            raise ConfigError("bad_config", "actor.liveness_keeper: without one nobody takes the operator's place")
        if operator.returns >= self.params.wind_down:
            raise ConfigError("bad_config", f"actor.returns: the exchange may be ended after {self.params.wind_down} s")
        if [actor.name for actor in watchers] != ["watcher", "slanderer"][: len(watchers)] or not watchers:
            raise ConfigError("bad_config", "actor: an exchange has an operator, watchers, perhaps a slanderer")


def _params(values: Mapping[str, Any]) -> Params:
    """`preset` and what is to be different; without a word the demo's, with clocks for a busy machine."""
    values = dict(values or {"challenge_period": 60, "computation": 40})
    name = str(values.pop("preset", "demo"))
    _one_of("params.preset", name, tuple(PRESETS))
    return Params.from_dict(PRESETS[name].to_dict() | values)


def _fill(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A dataclass from a table; lists become tuples."""
    if not isinstance(values, Mapping):
        raise ConfigError("bad_config", f"{where}: is no table")
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigError("bad_config", f"{where}: has no '{name}', but {', '.join(fields)}")
    try:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    except TypeError as error:
        raise ConfigError("bad_config", f"{where}: {error}") from None


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError("bad_config", f"{what}: '{value}' is none of {', '.join(allowed)}")
