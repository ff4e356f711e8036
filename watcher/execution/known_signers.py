"""Signers of coming batches, found once by workers that have nothing else to do, for whoever executes these.

    {prefix}:signers:{hash}   of a batch, by its hash: the first 8 bytes of keccak of batch hash and signers, then 20
                              bytes for each signed record in their order, zeros where the signature is not valid

They are advice, as a fast path is: what is damaged reads as what is not there, some of each batch are found again by
whoever uses them, steps that are taken plainly (those drawn at random, a disputed epoch's history) find theirs
themselves, and a worker that met a false one uses none any more. Who could write a false one here could write what an
epoch ends at.
"""

from __future__ import annotations

import logging
import random
from typing import Final, cast

from setoff.shared.codec import eip712
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import SIGNED
from setoff.shared.machine.batch import Batch
from setoff.watcher.store import Store

LASTS: Final = 3600
"""Seconds for which they are kept, if nobody has a use for them."""

SAMPLE: Final = 8
"""Signers of a batch that are found again."""

ADDRESS: Final = 20
SUM: Final = 8

_draw: Final = random.SystemRandom()

log = logging.getLogger(__name__)


class KnownSigners:
    """Of one watcher, as one worker sees them."""

    def __init__(self, store: Store, domain: bytes) -> None:
        """`domain`: the EIP-712 domain separator."""
        self._store = store
        self._domain = domain
        self._is_believed = True
        self.used = 0
        """Signers that were not found again."""

    def has(self, batch_hash: bytes) -> bool:
        """Whether those of a batch are known."""
        return bool(self._store.redis.exists(self._key(batch_hash)))

    def find(self, batch: Batch) -> None:
        """Find those of a batch whose records were held against its hash."""
        batch_hash = batch.header.hash()
        if not self.has(batch_hash):
            found = b"".join(each or bytes(ADDRESS) for each in eip712.find_signers(self._domain, batch.records))
            value = keccak(batch_hash + found)[:SUM] + found
            self._store.redis.set(self._key(batch_hash), value, ex=LASTS)

    def use(self, batch: Batch) -> None:
        """If those of a batch are known, let the machine have them, once, which is about to run its first input."""
        batch_hash = batch.header.hash()
        value = cast("bytes | None", self._store.redis.get(self._key(batch_hash))) if self._is_believed else None
        signed = [record for record in batch.records if record[0] in SIGNED]
        if value is None or len(value) != SUM + ADDRESS * len(signed) or not signed:
            return
        found = value[SUM:]
        if keccak(batch_hash + found)[:SUM] != value[:SUM]:
            return
        signers = [found[at : at + ADDRESS] for at in range(0, len(found), ADDRESS)]
        known = [None if signer == bytes(ADDRESS) else signer for signer in signers]
        for place in _draw.sample(range(len(signed)), min(SAMPLE, len(signed))):
            if eip712.recover_signer(self._domain, signed[place]) != known[place]:
                self._is_believed = False
                log.critical("a signer of batch %d in Redis is false: all are found again", batch.header.number)
                return
        self.used += len(known)
        eip712.note_signers(self._domain, batch.records, known)
        self._store.redis.delete(self._key(batch_hash))

    def _key(self, batch_hash: bytes) -> str:
        return self._store.key("signers", batch_hash.hex())
