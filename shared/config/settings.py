"""Settings of the services: a TOML file, the environment over it, and a default for everything that can have one.

The top level of the file holds what all services share, `[operator]` and `[watcher]` what is theirs. A shared setting
`rpc_url` is overridden by the variable `SETOFF_RPC_URL`, the operator's `listen` by `SETOFF_OPERATOR_LISTEN`; plain
`REDIS_URL` works too. Every error names the setting.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from setoff.shared.codec import eip712
from setoff.shared.errors import ConfigError

_MISSING: Final = object()
_BOOLEANS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are: addresses as 0x-strings, `block` the one to read logs from."""

    chain_id: int
    token: str
    vault: str
    queue: str
    inbox: str
    judge: str
    court: str
    receipts: str
    block: int = 0
    epoch_batches: int = 1

    @property
    def vault_bytes(self) -> bytes:
        """The vault's 20-byte address."""
        return bytes.fromhex(self.vault.removeprefix("0x"))

    @property
    def domain(self) -> bytes:
        """The 32-byte EIP-712 domain separator."""
        return eip712.domain_separator(self.chain_id, self.vault_bytes)

    @property
    def namespace(self) -> str:
        """Prefix of this deployment's keys in Redis, so that two deployments never share one."""
        return f"setoff:{self.domain.hex()[:16]}"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the JSON file. Raises ConfigError if it is missing, unreadable or incomplete."""
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            raise ConfigError("bad_config", f"deployment: there is no file {path}") from None
        except (OSError, ValueError) as error:
            raise ConfigError("bad_config", f"deployment: {path} cannot be read: {error}") from None
        if not isinstance(data, dict):
            raise ConfigError("bad_config", f"deployment: {path} is not a JSON object")
        values: dict[str, Any] = {}
        for item in dataclasses.fields(cls):
            value = data.get(item.name, _MISSING if item.default is dataclasses.MISSING else item.default)
            if item.type == "int":
                good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            else:
                good = isinstance(value, str) and _is_hex(value, 20)
            if not good:
                raise ConfigError("bad_config", f"deployment: {path} has no usable '{item.name}'")
            values[item.name] = value
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write the JSON file, its folder too; readers see the old file or the whole new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
        draft.replace(path)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service needs. Numbers of seconds may be fractions."""

    section: ClassVar[str] = ""

    deployment: Path = Path("var/deployment.json")
    """The file that says where the contracts are."""
    rpc_url: str = "http://127.0.0.1:8545"
    """JSON-RPC of the L1 node."""
    beacon_url: str = ""
    """Beacon API of a consensus node, for batches in blobs; empty: none (development chains keep blobs themselves)."""
    redis_url: str = ""
    """A Redis server; empty: an embedded one that keeps its data in `redis_dir`."""
    redis_dir: Path = Path("var/redis")
    redis_port: int = 0
    """Port of the embedded server; 0: a free one."""
    confirmations: int = 12
    """Blocks on top of an L1 event before it counts; 0 on a chain that never reorganises."""
    l1_poll: float = 1.0
    """Seconds between looks at L1."""
    l1_patience: float = 60.0
    """Seconds without an answer from L1 before the service says that it is not ready."""
    log_level: str = "info"

    @classmethod
    def load(cls, path: Path | None = None, env: Mapping[str, str] | None = None) -> Self:
        """Read the file (if there is one) and the environment (`os.environ` by default), and check every value.

        Raises ConfigError, naming the setting, for one that is unknown or cannot work.
        """
        env = os.environ if env is None else env
        fields = {item.name: item for item in dataclasses.fields(cls)}
        values = {
            name: _parse(str(fields[name].type), value, name)
            for name, value in _read(path, cls.section, set(fields)).items()
        }
        shared = {item.name for item in dataclasses.fields(Settings)}
        for name, item in fields.items():
            variable = f"SETOFF_{name.upper()}" if name in shared else f"SETOFF_{cls.section}_{name}".upper()
            text = env.get(variable)
            if text is None and name == "redis_url":
                text = env.get("REDIS_URL")
            if text is not None:
                values[name] = _parse(str(item.type), text, f"{name} ({variable})")
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Check what one field alone can tell. Raises ConfigError("bad_config")."""
        _require(self.rpc_url.startswith(("http://", "https://", "ws://", "wss://")), "rpc_url", "must be an http URL")
        _require(
            not self.redis_url or self.redis_url.startswith(("redis://", "rediss://", "unix://")),
            "redis_url",
            "must start with redis://, rediss:// or unix://",
        )
        _require(_is_url(self.beacon_url), "beacon_url", "must be an http URL, or empty")
        _require(0 <= self.redis_port <= 65535, "redis_port", "must be a port")
        _require(self.confirmations >= 0, "confirmations", "must be 0 or more")
        _require(self.l1_poll > 0, "l1_poll", "must be more than 0 seconds")
        _require(self.l1_patience > 0, "l1_patience", "must be more than 0 seconds")
        _require(self.log_level in ("debug", "info", "warning", "error"), "log_level", "must be a level's name")

    def load_deployment(self) -> Deployment:
        """Where the contracts are. Raises ConfigError."""
        return Deployment.load(self.deployment)


@dataclass(frozen=True, kw_only=True)
class OperatorSettings(Settings):
    """The sequencer's and the publisher's settings."""

    section: ClassVar[str] = "operator"

    listen: str = "127.0.0.1:8700"
    """Where the API listens, host:port; port 0 takes a free one."""
    data: str = "calldata"
    """Where the records of batches are posted: the name of a data availability module, calldata or blobs."""
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
    max_waiting: int = 4096
    """Records that may wait for the machine before more are refused."""
    max_per_client: int = 512
    """Records of one network address that may be on their way at once."""
    max_unposted: int = 512
    """Closed batches that may wait for L1 before records are refused."""
    max_unposted_age: float = 1800.0
    """Seconds for which a closed batch may wait for L1 before records are refused."""
    max_body: int = 65536
    """Bytes of a request's body."""
    snapshot_batches: int = 64
    """Batches between two snapshots, after which the log before them is cut off."""
    allow_volatile_store: bool = False
    """Run although the store may lose what it acknowledged. For experiments."""
    key: str = field(default="", repr=False)
    """Private key that posts and claims: hex, or the name of a file that holds it."""
    receipts: bool = True
    """Sign a receipt for each record taken, with `key`, behind the bond in the receipts contract."""
    receipt_horizon: int = 0
    """Seconds from a batch's timestamp to the deadline of its receipts; 0: twice the inbox's MAX_SKEW."""

    def check(self) -> None:
        super().check()
        parse_listen(self.listen)
        _require(self.blob_fee_cap >= 1, "blob_fee_cap", "must be 1 gwei or more")
        _require(self.batch_interval >= 0, "batch_interval", "must be 0 seconds or more")
        _require(self.heartbeat >= 0, "heartbeat", "must be 0 seconds or more")
        _require(self.crank_interval >= 0, "crank_interval", "must be 0 seconds or more")
        _require(self.receipt_horizon >= 0, "receipt_horizon", "must be 0 seconds or more")
        for name in ("max_waiting", "max_per_client", "max_unposted", "snapshot_batches"):
            _require(getattr(self, name) >= 1, name, "must be 1 or more")
        _require(self.max_unposted_age > 0, "max_unposted_age", "must be more than 0 seconds")
        _require(self.max_body >= 1024, "max_body", "must be 1024 bytes or more")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    def private_key(self) -> bytes:
        """The 32-byte key. Raises ConfigError if there is none."""
        return read_key(self.key, "operator.key")


@dataclass(frozen=True, kw_only=True)
class WatcherSettings(Settings):
    """The follower's, the workers' and the challenger's settings."""

    section: ClassVar[str] = "watcher"

    listen: str = "127.0.0.1:8710"
    """Where the watcher takes receipts and serves blobs over HTTP, host:port."""
    peers: str = ""
    """URLs of other watchers, separated by commas, to ask for blobs that nobody else has any more."""
    workers: int = 1
    """Processes that execute batches."""
    snapshot_epochs: int = 16
    """Epochs between two snapshots."""
    key: str = field(default="", repr=False)
    """Private key that disputes: hex, or the name of a file that holds it; empty: only watch."""

    def check(self) -> None:
        super().check()
        parse_listen(self.listen)
        _require(all(_is_url(peer) for peer in self.peer_urls), "peers", "must be http URLs, separated by commas")
        _require(self.workers >= 0, "workers", "must be 0 or more")
        _require(self.snapshot_epochs >= 1, "snapshot_epochs", "must be 1 or more")

    @property
    def peer_urls(self) -> tuple[str, ...]:
        """The other watchers."""
        return tuple(peer.strip() for peer in self.peers.split(",") if peer.strip())

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    def private_key(self) -> bytes:
        """The 32-byte key. Raises ConfigError if there is none."""
        return read_key(self.key, "watcher.key")


def parse_listen(text: str) -> tuple[str, int]:
    """("127.0.0.1", 8700) of "127.0.0.1:8700". Raises ConfigError."""
    host, _, port = text.rpartition(":")
    _require(bool(host) and port.isdecimal() and int(port) <= 65535, "listen", f"must be host:port, not '{text}'")
    return host.strip("[]"), int(port)


def read_key(text: str, setting: str) -> bytes:
    """A private key given in hex or as the name of a file that holds it. Raises ConfigError, which never shows it."""
    _require(bool(text), setting, "is not set")
    if not _is_hex(text, 32):
        try:
            text = Path(text).expanduser().read_text().strip()
        except (OSError, ValueError):
            raise ConfigError("bad_config", f"{setting}: is neither 32 bytes of hex nor a readable file") from None
        _require(_is_hex(text, 32), setting, "names a file that does not hold 32 bytes of hex")
    return bytes.fromhex(text.removeprefix("0x"))


def _is_url(text: str) -> bool:
    return not text or text.startswith(("http://", "https://"))


def _is_hex(text: str, length: int) -> bool:
    digits = text.removeprefix("0x")
    return len(digits) == 2 * length and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _require(holds: bool, setting: str, problem: str) -> None:
    if not holds:
        raise ConfigError("bad_config", f"{setting}: {problem}")


def _read(path: Path | None, section: str, known: set[str]) -> dict[str, Any]:
    """The settings that the file holds for `section`."""
    if path is None:
        return {}
    try:
        data = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError("bad_config", f"there is no settings file {path}") from None
    except (OSError, ValueError) as error:
        raise ConfigError("bad_config", f"{path} cannot be read: {error}") from None
    sections = {"operator", "watcher"}
    values = {name: value for name, value in data.items() if name not in sections}
    common = {item.name for item in dataclasses.fields(Settings)}
    for name in values:
        _require(name in common, name, f"{path} has no such setting at its top level")
    own = data.get(section, {}) if section else {}
    _require(isinstance(own, dict), section, f"must be a section of {path}")
    for name in own:
        _require(name in known, f"{section}.{name}", "there is no such setting")
    return values | own


def _parse(kind: str, value: Any, setting: str) -> Any:
    """`value`, from TOML or as text from the environment, as a field's type."""
    if kind == "bool":
        parsed = _BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        _require(isinstance(parsed, bool), setting, f"must be true or false, not '{value}'")
        return parsed
    if kind in ("int", "float"):
        try:
            number = float(value) if kind == "float" else int(str(value))
        except (TypeError, ValueError):
            raise ConfigError("bad_config", f"{setting}: must be a number, not '{value}'") from None
        _require(not isinstance(value, bool) and abs(number) < 1e18, setting, f"must be a number, not '{value}'")
        return number
    _require(isinstance(value, str), setting, f"must be text, not '{value}'")
    return Path(value).expanduser() if kind == "Path" else value
