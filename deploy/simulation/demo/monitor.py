"""Watches L1 for the demo: what was posted, claimed, disputed and confirmed, as figures and as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from setoff.deploy.contracts.events import Event, read_events
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.connection import L1

LEVELS: Final = 7


def short(data: bytes) -> str:
    """The first bytes of a hash, for people."""
    return "0x" + data.hex()[:8]


class Monitor:
    """All events so far, read again on every look, so that a reorg needs no care."""

    def __init__(self, l1: L1, deployment: Deployment, names: Mapping[str, str] | None = None) -> None:
        """`names` tells who an address (0x-string, lower case) is."""
        self.events: list[Event] = []
        self._l1 = l1
        self._deployment = deployment
        self._names = dict(names or {})
        self._told: set[tuple[bytes, int]] = set()

    def look(self) -> list[Event]:
        """Read L1; returns the events that no look before has seen."""
        self.events = read_events(self._l1, self._deployment)
        new = [event for event in self.events if event.place not in self._told]
        self._told.update(event.place for event in new)
        return new

    def named(self, name: str, **arguments: object) -> list[Event]:
        """The events of that name with these arguments."""
        return [
            event
            for event in self.events
            if event.name == name and all(event.arguments[key] == value for key, value in arguments.items())
        ]

    def who(self, address: str) -> str:
        """Who an address is."""
        return self._names.get(address.lower(), address[:10])

    # --- figures -----------------------------------------------------------------------------------------------------

    @property
    def posted(self) -> int:
        """Batches on L1."""
        return len(self.named("BatchPosted"))

    @property
    def claimed(self) -> int:
        """Epochs with a claim."""
        return len({event["epoch"] for event in self.named("Claimed")})

    @property
    def confirmed(self) -> int:
        """Epochs whose end is confirmed."""
        return max((event["epoch"] for event in self.named("Advanced")), default=0)

    @property
    def disputed_keys(self) -> list[bytes]:
        """Keys with at least one history, in the order of their first."""
        return list(dict.fromkeys(event["key"] for event in self.named("Joined")))

    def end_of(self, epoch: int) -> bytes:
        """The confirmed machine hash at the end of an epoch, b"" if it is not confirmed yet."""
        found = self.named("Advanced", epoch=epoch + 1)
        return found[-1]["start"] if found else b""

    @property
    def loose_claims(self) -> int:
        """Claims whose start is known to be false, and which are not closed as moot."""
        starts = {event["epoch"]: event["start"] for event in self.named("Advanced")}
        closed = {event["key"] for event in self.events if event.name in ("Mooted", "Settled", "Voided")}
        return sum(
            event["start"] != starts.get(event["epoch"], event["start"]) and event["key"] not in closed
            for event in self.named("Claimed")
        )

    def epoch_of(self, key: bytes) -> int:
        """The epoch that the claim `key` is about."""
        return int(self.named("Claimed", key=key)[0]["epoch"])

    # --- sentences ---------------------------------------------------------------------------------------------------

    def sentences(self, events: Iterable[Event]) -> list[tuple[str, str]]:
        """(sentence, style) for the events that people care about."""
        told = []
        for event in events:
            tell = _TELLERS.get(event.name)
            if tell:
                told.append(tell(self, event))
        return told

    def _owner_of(self, key: bytes, root: bytes) -> str:
        joined = self.named("Joined", key=key, root=root)
        return self.who(joined[0]["owner"]) if joined else short(root)

    def _claimed(self, event: Event) -> tuple[str, str]:
        return (
            f"{self.who(event['claimant'])} claims that epoch {event['epoch']} ends at {short(event['end'])}",
            "",
        )

    def _joined(self, event: Event) -> tuple[str, str]:
        history = f"a history that ends at {short(event['end'])}"
        return f"{self.who(event['owner'])} puts a bond on {history} of epoch {self.epoch_of(event['key'])}", "yellow"

    def _moved(self, event: Event) -> tuple[str, str]:
        mover = self._owner_of(event["key"], event["mover"])
        return (
            f"move {event['level'] + 1} of {LEVELS}, for {mover}: the first difference is in part {event['index']}",
            "yellow",
        )

    def _eliminated(self, event: Event) -> tuple[str, str]:
        loser = self._owner_of(event["key"], event["root"])
        cause = {"proof": "L1 ran the step and got another state", "timeout": "the clock ran out"}[event["cause"]]
        return f"the history of {loser} is out: {cause}", "bold red"

    def _installed(self, event: Event) -> tuple[str, str]:
        is_disputed = event["key"] in self.disputed_keys
        manner = "after the dispute" if is_disputed else "undisputed"
        return (
            f"epoch {self.epoch_of(event['key'])} ends at {short(event['end'])}, {manner}",
            "bold green" if is_disputed else "green",
        )

    def _mooted(self, event: Event) -> tuple[str, str]:
        return f"the claim on epoch {self.epoch_of(event['key'])} stood on a false start: moot", ""

    def _slashed(self, event: Event) -> tuple[str, str]:
        return f"the stake behind the lie is slashed; the reward goes to {self.who(event['payee'])}", "bold red"

    def _withdrawn(self, event: Event) -> tuple[str, str]:
        return f"the vault pays {event['amount'] / 10**6:,.2f} tUSD to {self.who(event['owner'])}", "bold green"


_TELLERS: Final[dict[str, Callable[[Monitor, Event], tuple[str, str]]]] = {
    "Claimed": Monitor._claimed,
    "Joined": Monitor._joined,
    "Moved": Monitor._moved,
    "Eliminated": Monitor._eliminated,
    "Installed": Monitor._installed,
    "Mooted": Monitor._mooted,
    "Slashed": Monitor._slashed,
    "Withdrawn": Monitor._withdrawn,
}
