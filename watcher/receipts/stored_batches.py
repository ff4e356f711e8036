"""The batches that receipts are judged by, as the follower has read them."""

from __future__ import annotations

from setoff.shared.errors import InputError, StateError
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.data import ZERO
from setoff.watcher.execution.archive import Archive


class StoredBatches:
    """What the follower has read, as `Posted` of the evidence; batches come through the archive, checked against L1."""

    def __init__(self, archive: Archive, count: int | None = None) -> None:
        """`count`: look at the first so many only."""
        self._archive = archive
        self._store = archive.store
        self._count = self._store.batch_count() if count is None else count

    def before(self, number: int) -> StoredBatches:
        """The batches before that one."""
        return StoredBatches(self._archive, number)

    def count(self) -> int:
        """See `Posted`: as of the beginning, so that one look sees one chain."""
        return self._count

    def header(self, number: int) -> Header:
        """See `Posted`; where Redis has lost it, L1 has it, with the batch's data or without.

        Raises StateError("not_ready") if the batch has gone meanwhile, ChainError.
        """
        place = self._store.batch_place(number)
        if place is None:
            raise StateError("not_ready", f"batch {number} is not read yet")
        if (header := self._store.header(place.hash)) is not None:
            return header
        try:
            header = self._archive.reader.find(number, place.block).header
        except InputError as error:
            raise StateError("not_ready", f"L1 has no batch {number} now") from error
        if header.hash() != place.hash:
            raise StateError("not_ready", f"L1 now has another batch {number}")
        return header

    def batch(self, number: int) -> Batch:
        """See `Posted`."""
        return self._archive.batch(number)

    def block(self, number: int) -> int:
        """In which block a batch was posted. Raises StateError("not_ready")."""
        place = self._store.batch_place(number)
        if place is None:
            raise StateError("not_ready", f"batch {number} is not read yet")
        return place.block

    def hash_on_l1(self, number: int) -> bytes:
        """Hash of batch `number` as L1 has it now, zeros if it has none, by what was read of it. Raises ChainError."""
        return ZERO if self._store.batch_place(number) is None else self._archive.reader.batch_hash(number)

    def kept_header(self, batch_hash: bytes) -> Header | None:
        """The header of a batch that was read some time, on the chain or not."""
        return self._store.header(batch_hash)
