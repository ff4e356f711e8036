"""What an operator can be told: the shared settings, and those of sequencer and publisher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from setoff.shared.config.key_settings import AccountSettings
from setoff.shared.config.limits import AtLeast, Between, Listen, Matching, MoreThan
from setoff.shared.config.networks import Networks
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import parse_listen
from setoff.shared.config.webhook_settings import WebhookSettings
from setoff.shared.console.settings import ConsoleSettings


class DataModule:
    """The name of a data availability module. All that reads and posts their data is loaded only when one is named:
    most processes that read settings need none of it."""

    @property
    def text(self) -> str:
        from setoff.shared.l1.da.registry import MODULES

        return f"one of {', '.join(module.name for module in MODULES.values())}"

    def holds(self, value: str) -> bool:
        from setoff.shared.l1.da.registry import MODULES

        return any(module.name == value for module in MODULES.values())


@dataclass(frozen=True, kw_only=True)
class OperatorSettings(ConsoleSettings, AccountSettings, WebhookSettings):
    """The sequencer's and the publisher's settings; `api`: the processes that face the clients."""

    section: ClassVar[str] = "operator"
    prefix: ClassVar[str] = "SETOFF_OPERATOR_"

    listen: str = setting(
        "127.0.0.1:8700",
        "Where the API listens, host:port; port 0 takes a free one.",
        limit=Listen(),
        read_by="sequencer",
    )
    data: str = setting(
        "calldata",
        """Where the records of batches are posted: the name of a data availability module
        (`shared/l1/da/registry.py`). Calldata takes the place of blobs where the L1 node does not take any.""",
        limit=DataModule(),
        read_by="sequencer",
    )
    blob_fee_cap: int = setting(
        500,
        """What a unit of blob gas may cost at most. Nodes take either blob transactions of an account or others at a
        time, so each kind waits for the other; where a move in a dispute waits for blobs and its deadline presses, more
        is paid, up to the bond.""",
        unit="gwei",
        limit=AtLeast(1),
        read_by="publisher",
    )
    batch_interval: float = setting(
        0.0,
        "Time after which a batch that is not full is closed; 0: as few as the deployment's claims can keep up with.",
        unit="seconds",
        limit=AtLeast(0),
        read_by="sequencer",
    )
    heartbeat: float = setting(
        600.0,
        """Time without a batch before an empty one is closed; 0: never. An idle operator, too, must complete an epoch
        within the deployment's silence, or L1 lets others post: times the batches of an epoch it must stay below
        that.""",
        unit="seconds",
        limit=AtLeast(0),
        read_by="sequencer",
    )
    crank_interval: int = setting(
        60,
        """Time after which a market with a fresh price has a crank though nothing else happens; 0: at expiry only.""",
        unit="seconds",
        limit=AtLeast(0),
        read_by="sequencer",
    )
    api_processes: int = setting(
        1,
        """Processes that face the clients, so that the machine has a core to itself; each has the limits below for
        itself. 0: the sequencer's own process does it.""",
        unit="processes",
        limit=Between(0, 64),
        read_by="sequencer",
    )
    max_waiting: int = setting(
        4096,
        "Records that may be on their way, wherever they wait, before more are refused.",
        unit="records",
        limit=AtLeast(1),
        read_by="sequencer api",
    )
    max_wait: float = setting(
        2.0,
        "Time for which a record may wait for its client's turn before it is refused.",
        unit="seconds",
        limit=MoreThan(0),
        read_by="api",
    )
    max_per_client: int = setting(
        512,
        "Records of one network address that may be on their way at once.",
        unit="records",
        limit=AtLeast(1),
        read_by="api",
    )
    max_connections: int = setting(
        4096,
        "Connections that may be open at once, fewer where the process may not have so many descriptors.",
        unit="connections",
        limit=AtLeast(1),
        read_by="api",
    )
    max_connections_per_client: int = setting(
        128,
        """Of those, from one network address (of IPv6: its first 64 bits), and never more than are still free, but for
        four. Where none are free, who comes from a network (of IPv4 16 bits, of IPv6 32) that has fewer than the
        largest gets in for the newest connection of that.""",
        unit="connections",
        limit=AtLeast(1),
        read_by="api",
    )
    trusted_proxies: str = setting(
        "",
        """Proxies before the API, addresses or networks, separated by commas: of what they forward the client is
        whoever X-Forwarded-For names last that is none of them, and their connections are bounded only in all. From
        everybody else the header counts for nothing.""",
        limit=Networks(),
        read_by="api",
    )
    max_unposted: int = setting(
        512,
        "Closed batches that may wait for L1 before records are refused.",
        unit="batches",
        limit=AtLeast(1),
        read_by="sequencer",
    )
    max_unposted_age: float = setting(
        1800.0,
        "Time for which a closed batch may wait for L1 before records are refused.",
        unit="seconds",
        limit=MoreThan(0),
        read_by="sequencer",
    )
    history_url: str = setting(
        "",
        """The database that keeps the history (orders, fills, candles, ledgers), as a URL of SQLAlchemy; empty: a file
        of SQLite in `history_dir`; off: none is kept.""",
        limit=Matching("(|off|[a-z][a-z0-9+]*://.*)", "empty, off, or a URL of SQLAlchemy"),
        is_secret=True,  # it may hold a password
        read_by="sequencer api",
    )
    history_dir: Path = setting(
        Path("var/history"), "Where the files of SQLite are, one for each deployment.", read_by="api"
    )
    max_body: int = setting(65536, "Size of a request's body.", unit="bytes", limit=AtLeast(1024), read_by="api")
    snapshot_batches: int = setting(
        64,
        "Batches between two snapshots, after which the log before them is cut off.",
        unit="batches",
        limit=AtLeast(1),
        read_by="sequencer",
    )
    batches_kept: int = setting(
        7 * 86400,
        """Time for which batches that L1 holds, and a snapshot stands for, stay in the store: longer than any
        reorg.""",
        unit="seconds",
        limit=AtLeast(0),
        read_by="sequencer",
    )
    allow_volatile_store: bool = setting(
        False, "Run although the store may lose what it acknowledged. For experiments.", read_by="sequencer"
    )
    key: str = setting(
        "",
        """Private key that posts and claims: hex, or the name of a file that holds it or a keystore. Or the URL of a
        remote signer: then without `receipts`, and with `data` in calldata.""",
        is_secret=True,
        read_by="sequencer publisher",
    )
    receipts: bool = setting(
        True,
        "Sign a receipt for each record taken, with `key`, behind the bond in the receipts contract.",
        read_by="sequencer publisher",
    )
    receipt_horizon: int = setting(
        0,
        "Time from a batch's timestamp to the deadline of its receipts; 0: half the delay of the bond's exit.",
        unit="seconds",
        limit=AtLeast(0),
        read_by="sequencer",
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    def find_conflicts(self) -> list[str]:
        """What a remote signer cannot do: it signs one thing at a time, of the kinds that its protocol has."""
        found = []
        if self.has_remote_key and self.receipts:
            found.append(
                "key, receipts: a remote signer cannot sign receipts, which have to be there before every answer and"
                " are signed in groups: set operator.receipts=false, or give the key as a keystore"
            )
        if self.has_remote_key and self.data != "calldata":
            found.append(
                f"key, data: a remote signer signs no transactions with {self.data}: set operator.data=calldata, or"
                " give the key as a keystore"
            )
        return found
