"""What a data availability module is to everything but the rules: its name, its contract, how it is posted to and read.

The machine's side, encoding and proofs, is a `DataModule` (`shared/machine/data.py`), the chain's a contract with the
two functions of `contracts/interfaces/data_module.vyi`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.l1.rpc import Address
from setoff.shared.l1.sidecar import Sidecar
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import DataModule


@dataclass(frozen=True, slots=True)
class DataPlaces:
    """Where data may be had from beside the L1 node itself."""

    beacon_url: str = ""
    """Of a consensus node's standard API."""
    peers: Sequence[str] = ()
    """URLs of watchers."""
    kept: Callable[[bytes], bytes | None] = lambda data_root: None
    """What our own archive has, by data root."""
    keep: Callable[[bytes, bytes], None] = lambda data_root, data: None
    """Puts what was found elsewhere there, with its data root."""


class DataSource(Protocol):
    """Reads a module's data. May be shared by threads."""

    def read(self, posted: PostedBatch) -> bytes:
        """The data of a posted batch with records; the caller checks it against the data root.

        Raises ChainError("data_withheld") if it is not to be had now, DataError if it cannot be what was posted.
        """


class Posting(NamedTuple):
    """A transaction to the inbox that posts batches: its calldata, and the blobs that it carries."""

    data: bytes
    sidecar: Sidecar | None = None
    gas: int = 0
    """What it takes at most, for a node that estimates as if there were no blobs; 0 without blobs."""


@dataclass(frozen=True, slots=True)
class DataAvailability:
    """One module's descriptor; `registry.MODULES` lists them all."""

    name: str
    """What the operator's setting `data` calls it."""
    codec: DataModule
    """Its number, encoding and proofs."""
    contract: str
    """Its contract, a name for `compile_contract`; empty for calldata, which is the inbox's own, and where somebody
    else has deployed it."""
    open_source: Callable[[L1, DataPlaces], DataSource]
    """Makes what reads its data."""
    make_posting: Callable[[L1, Address, Sequence[Batch]], Posting]
    """The call of the inbox at that address that posts these batches, from the account of the L1 connection: the next
    ones, at least one and at most `batch_limit`, all of this module, some perhaps without records. What has to be on L1
    before the call is sent, and waited for, here (`module_at` of the inbox is the module's contract). It may be asked
    for the same batches again, if the posting was refused or more of them are closed. Raises ChainError or DataError if
    that is not possible now."""
    batch_limit: int
    """Batches that one posting takes at most (the inbox takes 6)."""
    load: Callable[[], object] = lambda: None
    """Loads what takes long to load, before the first batch has to wait for it."""

    @property
    def number(self) -> int:
        """The inbox's number of it."""
        return self.codec.number
