"""Checks a few batches of an epoch from their witness bundles: no state, no history, no word of anybody's.

The server first says the machine hashes between all batches; they have to begin and end as L1 says, else nothing is
drawn. A false end then has a false batch somewhere: one that does not lead from its hash to the next. Only now batches
are drawn, by the system's randomness, and each is run again from its bundle and from inputs that L1 has. So N of B
batches find a false end with a probability of N/B at least, and all of them always.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from enum import Enum
from fractions import Fraction
from typing import Final, NamedTuple

from setoff.shared.errors import SetoffError, StateError, WitnessError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.witnesses import Rerun, open_bundle, run_bundle
from setoff.shared.wire.witnesses import MOST_BYTES, PATH, read_boundaries
from setoff.watcher.checks.given_machines import ask

PATIENCE: Final = 300.0
"""Seconds in all for which a server that says to come again is asked again: it makes bundles when it has time."""

PAUSE: Final = 2.0
"""Seconds between two questions."""

Report = Callable[[str], None]


class Finding(Enum):
    """What became of a batch."""

    TRUE = "true"
    FALSE = "false"
    """It leads elsewhere than the server says."""
    WITHHELD = "withheld"
    """Its bundle was not given, or was none."""


class CheckedBatch(NamedTuple):
    """A batch that was drawn."""

    number: int
    """Of the batch, in all."""
    finding: Finding
    before: bytes
    """Machine hash before it, as the server says."""
    told: bytes
    """That after it, as the server says."""
    found: bytes
    """That after it, as it was run here; empty where it could not be."""
    why: str
    """Empty for a true one."""
    fragment: Fragment | None = None
    rerun: Rerun | None = None


class Server:
    """Whoever serves witness bundles, as somebody sees it who believes nothing of it."""

    def __init__(self, url: str, most: int, patience: float = PATIENCE, report: Report = lambda words: None) -> None:
        """`most`: bytes of a bundle, as it is sent and unpacked; `patience`: seconds for all that is asked."""
        self._url = url.rstrip("/")
        self._most = most
        self._patience = patience
        self._report = report

    def boundaries(self, epoch: int, commitment: bytes, batches: int) -> list[bytes]:
        """What it says of the machines between the batches of an epoch. Raises StateError, WitnessError."""
        data = self._ask(f"{PATH}/{epoch}", MOST_BYTES)
        try:
            return read_boundaries(data, commitment, batches)
        except WitnessError as error:
            raise WitnessError(error.reason, f"{self._url} gives {error.detail}") from None

    def bundle(self, epoch: int, batch: int, before: bytes) -> Fragment:
        """The bundle of a batch that begins with this machine hash. Raises StateError, WitnessError."""
        return open_bundle(self._ask(f"{PATH}/{epoch}/{batch}", self._most), before, self._most)

    def _ask(self, path: str, most: int) -> bytes:
        while True:
            try:
                return ask(self._url, path, most)
            except StateError as error:
                if error.reason != "overloaded" or self._patience < PAUSE:
                    raise
                self._report(error.detail)
                self._patience -= PAUSE
                time.sleep(PAUSE)


def draw_batches(batches: int, count: int) -> list[int]:
    """So many of the batches of an epoch, numbered from 0 in it, ascending; all where there are no more."""
    return sorted(random.SystemRandom().sample(range(batches), min(count, batches)))


def compute_probability(batches: int, count: int) -> Fraction:
    """With which so many batches, drawn at random, have one among them that is false, if there is but one."""
    return Fraction(min(count, batches), batches)


def check_batches(
    reader: ChainReader, server: Server, epoch: int, boundaries: Sequence[bytes], drawn: Sequence[int], report: Report
) -> list[CheckedBatch]:
    """Run each of these batches of an epoch again. Raises ChainError or DataError if L1 does not give its inputs."""
    return [_check_batch(reader, server, epoch, boundaries, number, report) for number in drawn]


def _check_batch(
    reader: ChainReader, server: Server, epoch: int, boundaries: Sequence[bytes], place: int, report: Report
) -> CheckedBatch:
    number = epoch * reader.deployment.epoch_batches + place
    before, told = boundaries[place], boundaries[place + 1]
    report(f"batch {number}")
    batch = reader.batch(number)
    try:
        fragment = server.bundle(epoch, number, before)
        rerun = run_bundle(fragment, batch)
    except (StateError, WitnessError) as error:
        return CheckedBatch(number, Finding.WITHHELD, before, told, b"", error.detail)
    if rerun.end == told:
        return CheckedBatch(number, Finding.TRUE, before, told, told, "", fragment, rerun)
    why = f"its inputs lead to 0x{rerun.end.hex()}, and not to 0x{told.hex()}"
    return CheckedBatch(number, Finding.FALSE, before, told, rerun.end, why, fragment, rerun)


def find_next_fragment(server: Server, epoch: int, checked: CheckedBatch) -> Fragment | None:
    """What the server says is in the machine after a false batch: as far as the bundle of the next one has it, None
    where it gives none."""
    try:
        return server.bundle(epoch, checked.number + 1, checked.told)
    except SetoffError:
        return None
