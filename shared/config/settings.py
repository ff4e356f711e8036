"""Settings of the services: a TOML file, the environment over it, and a default for everything that can have one.

The top level of the file holds what all services share, `[operator]` and `[watcher]` what is theirs. A shared setting
`rpc_url` is overridden by the variable `SETOFF_RPC_URL`, the operator's `listen` by `SETOFF_OPERATOR_LISTEN`; plain
`REDIS_URL` works too. Every error names the setting.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from setoff.shared.config.deployment_file import Deployment, is_hex
from setoff.shared.errors import ConfigError

_MISSING: Final = object()
LISTS: Final = frozenset({"rpc_url", "peers"})
"""Settings that hold several values, separated by commas; a file may have them as a list."""
_BOOLEANS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service needs. Numbers of seconds may be fractions."""

    section: ClassVar[str] = ""

    deployment: Path = Path("var/deployment.json")
    """The file that says where the contracts are."""
    rpc_url: str = "http://127.0.0.1:8545"
    """JSON-RPC of the L1 node; several, separated by commas (in TOML also a list): the first that answers is asked, and
    where it matters all are, and have to agree."""
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
        urls = [url.strip() for url in self.rpc_url.split(",")]
        require(
            all(url and is_url(url) for url in urls),
            "rpc_url",
            "must be http(s) URLs, separated by commas (WebSocket addresses, ws://, are not asked)",
        )
        require(len(urls) == len(set(urls)), "rpc_url", "names an endpoint twice")
        require(
            not self.redis_url or self.redis_url.startswith(("redis://", "rediss://", "unix://")),
            "redis_url",
            "must start with redis://, rediss:// or unix://",
        )
        require(is_url(self.beacon_url), "beacon_url", "must be an http URL, or empty")
        require(0 <= self.redis_port <= 65535, "redis_port", "must be a port")
        require(self.confirmations >= 0, "confirmations", "must be 0 or more")
        require(self.l1_poll > 0, "l1_poll", "must be more than 0 seconds")
        require(self.l1_patience > 0, "l1_patience", "must be more than 0 seconds")
        require(self.log_level in ("debug", "info", "warning", "error"), "log_level", "must be a level's name")

    def load_deployment(self) -> Deployment:
        """Where the contracts are. Raises ConfigError."""
        return Deployment.load(self.deployment)


def parse_listen(text: str) -> tuple[str, int]:
    """("127.0.0.1", 8700) of "127.0.0.1:8700". Raises ConfigError."""
    host, _, port = text.rpartition(":")
    require(bool(host) and port.isdecimal() and int(port) <= 65535, "listen", f"must be host:port, not '{text}'")
    return host.strip("[]"), int(port)


def read_key(text: str, setting: str) -> bytes:
    """A private key given in hex or as the name of a file that holds it. Raises ConfigError, which never shows it."""
    require(bool(text), setting, "is not set")
    if not is_hex(text, 32):
        try:
            text = Path(text).expanduser().read_text().strip()
        except (OSError, ValueError):
            raise ConfigError("bad_config", f"{setting}: is neither 32 bytes of hex nor a readable file") from None
        require(is_hex(text, 32), setting, "names a file that does not hold 32 bytes of hex")
    return bytes.fromhex(text.removeprefix("0x"))


def is_url(text: str) -> bool:
    """Whether it is an http URL, or empty."""
    return not text or text.startswith(("http://", "https://"))


def require(holds: bool, setting: str, problem: str) -> None:
    """Raises ConfigError, naming the setting, unless it holds."""
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
        require(name in common, name, f"{path} has no such setting at its top level")
    own = data.get(section, {}) if section else {}
    require(isinstance(own, dict), section, f"must be a section of {path}")
    for name in own:
        require(name in known, f"{section}.{name}", "there is no such setting")
    return values | own


def _parse(kind: str, value: Any, setting: str) -> Any:
    """`value`, from TOML or as text from the environment, as a field's type."""
    if kind == "bool":
        parsed = _BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        require(isinstance(parsed, bool), setting, f"must be true or false, not '{value}'")
        return parsed
    if kind in ("int", "float"):
        try:
            number = float(value) if kind == "float" else int(str(value))
        except (TypeError, ValueError):
            raise ConfigError("bad_config", f"{setting}: must be a number, not '{value}'") from None
        require(not isinstance(value, bool) and abs(number) < 1e18, setting, f"must be a number, not '{value}'")
        return number
    if setting in LISTS and isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ",".join(value)
    require(isinstance(value, str), setting, f"must be text, not '{value}'")
    return Path(value).expanduser() if kind == "Path" else value
