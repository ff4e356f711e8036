"""What L1 says that an epoch begins with, and ends at: confirmed, or only claimed. Proven storage alone is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from setoff.shared.errors import ConfigError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.machine import Machine

LOOKED_BACK: Final = 64
"""Confirmed starts that are looked at, from the last one back, for one whose machine somebody has."""


class KnownHash(NamedTuple):
    """A machine hash, 32 bytes, and whether L1 has confirmed it; else somebody claims it, and nobody has shown
    otherwise yet."""

    machine_hash: bytes
    is_confirmed: bool

    @property
    def word(self) -> str:
        """For people."""
        return "confirmed" if self.is_confirmed else "claimed"


def hash_epoch(reader: ChainReader, epoch: int) -> bytes:
    """What L1 commits to of an epoch's inputs. Raises ChainError."""
    count = reader.deployment.epoch_batches
    return epoch_hash(epoch, count, reader.batch_hash((epoch + 1) * count - 1))


def check_posted(reader: ChainReader, epoch: int) -> None:
    """Raises InputError("not_found") if not all batches of the epoch are posted, ChainError."""
    if epoch < 0 or (epoch + 1) * reader.deployment.epoch_batches > reader.batch_count():
        raise InputError("not_found", f"the batches of epoch {epoch} are not all posted")


def find_start(reader: ChainReader, court: ProvenCourt, epoch: int) -> KnownHash:
    """The confirmed start of an epoch; where there is none the one to which claims lead from the last confirmed one.

    Raises InputError("not_found") where neither is there, ConfigError("wrong_deployment") where the court began with
    another machine than these rules do, so that what it has confirmed is worth nothing; ChainError.
    """
    genesis = Machine.genesis(*reader.deployment.genesis).hash()
    if court.start_of(0) != genesis:
        raise ConfigError("wrong_deployment", f"the court does not begin with the machine 0x{genesis.hex()}")
    confirmed = court.start_of(epoch)
    if any(confirmed):
        return KnownHash(confirmed, True)
    (last, start), first = find_last_start(reader, court, epoch), find_last_confirmed(court, epoch)
    if last < epoch:
        why = f"L1 knows no start of epoch {epoch}: nobody has claimed an end of epoch {last}"
        raise InputError("not_found", f"{why}; the last confirmed start is that of epoch {first}")
    return start


def find_last_start(reader: ChainReader, court: ProvenCourt, until: int) -> tuple[int, KnownHash]:
    """The last epoch up to this one whose start L1 knows, and its start: confirmed, or where claims lead from there.
    Raises ChainError."""
    *_, last = _follow_claims(reader, court, until)
    return last


def find_last_given(reader: ChainReader, court: ProvenCourt, until: int, given: Collection[bytes]) -> int | None:
    """The last epoch up to this one whose start L1 knows and is one of these machine hashes; None where there is none
    not long before the last confirmed one. Raises ChainError."""
    known = list(_follow_claims(reader, court, until))
    for epoch, start in reversed(known):
        if start.machine_hash in given:
            return epoch
    first = known[0][0]
    earlier = range(first - 1, max(first - LOOKED_BACK, 0) - 1, -1)
    return next((epoch for epoch in earlier if court.start_of(epoch) in given), None)


def _follow_claims(reader: ChainReader, court: ProvenCourt, until: int) -> Iterator[tuple[int, KnownHash]]:
    """Epochs with their starts, from the last confirmed one up to this one as far as claims lead."""
    epoch = find_last_confirmed(court, until)
    start = KnownHash(court.start_of(epoch), True)
    yield epoch, start
    while epoch < until:
        claim = court.claim(hash_epoch(reader, epoch), start.machine_hash)
        if not claim.is_claimed:
            return
        epoch, start = epoch + 1, KnownHash(claim.stands, False)
        yield epoch, start


def find_end(reader: ChainReader, court: ProvenCourt, epoch: int, start: bytes) -> KnownHash | None:
    """What L1 says that an epoch ends at that begins with `start`; None if nobody has claimed it. Raises ChainError."""
    confirmed = court.start_of(epoch + 1)
    if any(confirmed):
        return KnownHash(confirmed, True)
    claim = court.claim(hash_epoch(reader, epoch), start)
    return KnownHash(claim.stands, False) if claim.is_claimed else None


def find_last_confirmed(court: ProvenCourt, until: int) -> int:
    """The last epoch up to this one whose start is confirmed: they are, one after the other, from epoch 0 on."""
    low, high = 0, until + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if any(court.start_of(middle)) else (low, middle)
    return low
