"""A claim disputed by any number of histories, from events alone."""

from tests.support.courts.league import BEGIN, GENESIS, LIAR, TERMS, batch_hash

from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.events import Claimed, Joined
from setoff.shared.dispute.game import CourtState
from setoff.shared.machine.batch import epoch_hash

KEY = keccak(b"the claim")


def root_of(number: int) -> bytes:
    """The history that joins as number so many, from 0."""
    return keccak(b"root %d" % number)


def crowded_court(liars: int) -> CourtState:
    """A court after so many liars have joined a second apart, and one history before them."""
    court = CourtState(TERMS, GENESIS)
    count = TERMS.epoch_batches
    commitment = epoch_hash(0, count, batch_hash(count - 1))
    court.apply(Claimed(BEGIN, KEY, 0, GENESIS, keccak(b"claimed"), 0, LIAR, commitment))
    for number in range(liars + 1):
        end = keccak(b"end %d" % number)
        court.apply(Joined(BEGIN + number, KEY, root_of(number), end, LIAR, (keccak(b"%d" % number),) * 32))
    return court
