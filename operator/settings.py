"""What an operator can be told: the shared settings, and those of sequencer and publisher."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from setoff.shared.config.settings import Settings, parse_listen, read_key, require
from setoff.shared.l1.da.registry import find_module


@dataclass(frozen=True, kw_only=True)
class OperatorSettings(Settings):
    """The sequencer's and the publisher's settings."""

    section: ClassVar[str] = "operator"

    listen: str = "127.0.0.1:8700"
    """Where the API listens, host:port; port 0 takes a free one."""
    data: str = "calldata"
    """Where the records of batches are posted: the name of a data availability module (`shared/l1/da/registry.py`).
    Calldata takes the place of blobs where the L1 node does not take any."""
    blob_fee_cap: int = 500
    """Gwei a unit of blob gas to pay at most. Nodes take either blob transactions of an account or others at a time, so
    each kind waits for the other; where a move in a dispute waits for blobs and its deadline presses, more is paid, up
    to the bond."""
    batch_interval: float = 0.0
    """Seconds after which a batch that is not full is closed; 0: as few as the deployment's claims can keep up with."""
    heartbeat: float = 600.0
    """Seconds without a batch before an empty one is closed; 0: never. An idle operator, too, must complete an epoch
    within the deployment's silence, or L1 lets others post: times the batches of an epoch it must stay below that."""
    crank_interval: int = 60
    """Seconds after which a market with a fresh price has a crank though nothing else happens; 0: at expiry only."""
    api_processes: int = 1
    """Processes that face the clients, so that the machine has a core to itself; each has the limits below for itself.
    0: the sequencer's own process does it."""
    max_waiting: int = 4096
    """Records that may be on their way, wherever they wait, before more are refused."""
    max_wait: float = 2.0
    """Seconds for which a record may wait for its client's turn before it is refused."""
    max_per_client: int = 512
    """Records of one network address that may be on their way at once."""
    max_connections: int = 4096
    """Connections that may be open at once, fewer where the process may not have so many descriptors."""
    max_connections_per_client: int = 128
    """Of those, from one network address."""
    max_unposted: int = 512
    """Closed batches that may wait for L1 before records are refused."""
    max_unposted_age: float = 1800.0
    """Seconds for which a closed batch may wait for L1 before records are refused."""
    max_body: int = 65536
    """Bytes of a request's body."""
    snapshot_batches: int = 64
    """Batches between two snapshots, after which the log before them is cut off."""
    batches_kept: int = 7 * 86400
    """Seconds for which batches that L1 holds, and a snapshot stands for, stay in the store: longer than any reorg."""
    allow_volatile_store: bool = False
    """Run although the store may lose what it acknowledged. For experiments."""
    key: str = field(default="", repr=False)
    """Private key that posts and claims: hex, or the name of a file that holds it."""
    receipts: bool = True
    """Sign a receipt for each record taken, with `key`, behind the bond in the receipts contract."""
    receipt_horizon: int = 0
    """Seconds from a batch's timestamp to the deadline of its receipts; 0: half the delay of the bond's exit."""

    def check(self) -> None:
        super().check()
        parse_listen(self.listen)
        find_module(self.data)
        require(self.blob_fee_cap >= 1, "blob_fee_cap", "must be 1 gwei or more")
        require(self.batch_interval >= 0, "batch_interval", "must be 0 seconds or more")
        require(self.heartbeat >= 0, "heartbeat", "must be 0 seconds or more")
        require(self.crank_interval >= 0, "crank_interval", "must be 0 seconds or more")
        require(self.receipt_horizon >= 0, "receipt_horizon", "must be 0 seconds or more")
        for name in (
            "max_waiting",
            "max_per_client",
            "max_connections",
            "max_connections_per_client",
            "max_unposted",
            "snapshot_batches",
        ):
            require(getattr(self, name) >= 1, name, "must be 1 or more")
        require(self.max_unposted_age > 0, "max_unposted_age", "must be more than 0 seconds")
        require(0 <= self.api_processes <= 64, "api_processes", "must be 0 to 64")
        require(self.max_wait > 0, "max_wait", "must be more than 0 seconds")
        require(self.batches_kept >= 0, "batches_kept", "must be 0 seconds or more")
        require(self.max_body >= 1024, "max_body", "must be 1024 bytes or more")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    def private_key(self) -> bytes:
        """The 32-byte key. Raises ConfigError if there is none."""
        return read_key(self.key, "operator.key")
