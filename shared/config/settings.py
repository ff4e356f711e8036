"""Settings: what is given on the command line, else the environment, else a TOML file, else a default.

The top level of the file holds what all services share, `[operator]`, `[watcher]` and so on what is theirs. A shared
setting `rpc_url` is overridden by the variable `SETOFF_RPC_URL`, the operator's `listen` by `SETOFF_OPERATOR_LISTEN`,
the client's `exchange` by `SETOFF_EXCHANGE`; plain `REDIS_URL` works too. Every error names the setting, and all that
is wrong is told at once. `shared/config/SETTINGS.md` has them all.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Self

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.limits import AtLeast, Between, Listen, MoreThan, OneOf, RedisUrl, Url
from setoff.shared.config.setting import list_settings, setting
from setoff.shared.errors import ConfigError

SERVICES: Final = ("operator", "watcher", "oracle", "gateway")
"""Sections of services, which each have a command `config`."""
SECTIONS: Final = (*SERVICES, "client")
"""Of a file."""

LISTS: Final = frozenset({"rpc_url", "peers", "feeds", "webhook"})
"""Settings that hold several values, separated by commas; a file may have them as a list."""
LONGEST_NAME: Final = 255
"""Bytes of a name in a path, as systems have it."""
_BOOLEANS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Reading(NamedTuple):
    """What was found: values and where each of them came from, by setting, and all that is wrong with them."""

    values: dict[str, Any]
    origins: dict[str, str]
    problems: list[str]
    """Of single settings."""
    conflicts: list[str]
    """Between settings."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service needs. Numbers of seconds may be fractions."""

    section: ClassVar[str] = ""
    prefix: ClassVar[str] = "SETOFF_"
    """Of the variables of the section's own settings."""
    needs_deployment: ClassVar[bool] = True

    deployment: Path = setting(
        Path("var/deployment.json"), "The file that says where the contracts are; `setoff deploy` writes it."
    )
    rpc_url: str = setting(
        "http://127.0.0.1:8545",
        """JSON-RPC of the L1 node; several, separated by commas (in TOML also a list): the first that answers is asked,
        and where it matters all are, and have to agree. WebSocket addresses, ws://, are not asked.""",
        limit=Url(is_list=True),
    )
    beacon_url: str = setting(
        "",
        """Beacon API of a consensus node, for batches in blobs; empty: none (development chains keep blobs
        themselves).""",
        limit=Url(is_optional=True),
    )
    redis_url: str = setting(
        "",
        """A Redis server, also REDIS_URL; empty: an embedded one that keeps its data in `redis_dir`. One server: a
        Sentinel is not asked for another, for one that takes over may lack what was acknowledged.""",
        limit=RedisUrl(),
    )
    redis_dir: Path = setting(Path("var/redis"), "Where the embedded server keeps its data.")
    redis_port: int = setting(0, "Port of the embedded server; 0: a free one.", limit=Between(0, 65535))
    confirmations: int = setting(
        12,
        "Blocks on top of an L1 event before it counts; 0 on a chain that never reorganises.",
        unit="blocks",
        limit=AtLeast(0),
    )
    l1_poll: float = setting(1.0, "Time between looks at L1.", unit="seconds", limit=MoreThan(0))
    l1_patience: float = setting(
        60.0,
        "Time without an answer from L1 before the service says that it is not ready.",
        unit="seconds",
        limit=MoreThan(0),
    )
    log_level: str = setting(
        "info",
        "What the log tells; of other libraries never less than warnings.",
        limit=OneOf(("debug", "info", "warning", "error")),
    )
    log_format: str = setting(
        "text",
        """How the log is written: lines for people, or JSON, an object a line (time in UTC, level, logger, process,
        message, fields).""",
        limit=OneOf(("text", "json")),
    )

    @classmethod
    def load(
        cls, path: Path | None = None, env: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
    ) -> Self:
        """What `given` says by name, else the environment (`os.environ` by default), else the file (if there is one);
        every value is checked.

        Raises ConfigError, which names each setting that is unknown or cannot work.
        """
        values, _, problems, conflicts = cls.read(path, env, given)
        if problems := [*problems, *conflicts]:
            raise ConfigError("bad_config", "; ".join(problems))
        return cls(**values)

    @classmethod
    def read(
        cls, path: Path | None = None, env: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
    ) -> Reading:
        """The same, without an error: what is wrong is told beside what could be read."""
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        problems: list[str] = []
        known = list_settings(cls)
        for name, value, origin, problem in cls._find(path, env, given or {}):
            if problem:
                problems.append(problem)
            elif name not in origins:
                item = known[name]
                try:
                    values[name] = _parse(item.type, value, name, origin, is_secret=item.about.is_secret)
                    origins[name] = origin
                    problem = item.find_problem(values[name])
                except ConfigError as error:
                    problem = error.detail
                if problem:
                    values.pop(name, None)
                    problems.append(problem)
        return Reading(values, origins, problems, cls(**values).find_conflicts())

    @classmethod
    def _find(
        cls, path: Path | None, env: Mapping[str, str], given: Mapping[str, str]
    ) -> Iterator[tuple[str, Any, str, str]]:
        """Setting, value, where it stands, what is wrong with that: what wins comes first."""
        known = list_settings(cls)
        for name, value in given.items():
            problem = "" if name in known else f"{name}: there is no such setting; {_suggest(cls.section)}"
            yield name, value, "the command line", problem
        for name in known:
            variable = cls.get_variable(name)
            for each in (variable, "REDIS_URL") if name == "redis_url" else (variable,):
                if each in env:
                    yield name, env[each], each, ""
        try:
            data = _read_file(path)
        except ConfigError as error:
            yield "", None, "", error.detail
            return
        for name, value in data.items():
            if name in SECTIONS:
                if not isinstance(value, dict):
                    yield name, None, "", f"{name}: must be a section of {path}"
            elif name not in list_settings(Settings):
                yield name, None, "", f"{name}: {path} has no such setting at its top level; {_suggest(cls.section)}"
            else:
                yield name, value, f"{path}", ""
        own = data.get(cls.section, {}) if cls.section else {}
        for name, value in own.items() if isinstance(own, dict) else ():
            problem = (
                "" if name in known else f"{cls.section}.{name}: there is no such setting; {_suggest(cls.section)}"
            )
            yield name, value, f"{path} [{cls.section}]", problem

    @classmethod
    def get_variable(cls, name: str) -> str:
        """The variable of the environment for a setting."""
        return (Settings.prefix if name in list_settings(Settings) else cls.prefix) + name.upper()

    def check(self) -> None:
        """Raises ConfigError, which names every setting that cannot work."""
        problems = [
            problem
            for item in list_settings(type(self)).values()
            if (problem := item.find_problem(getattr(self, item.name)))
        ]
        if problems := [*problems, *self.find_conflicts()]:
            raise ConfigError("bad_config", "; ".join(problems))

    def find_conflicts(self) -> list[str]:
        """What cannot work together, of settings that each for itself could."""
        return []

    def find_deployment(self) -> Deployment | None:
        """As `load_deployment`; None where nobody has named a file and there is none at the usual place: who has named
        one wants what is signed to be held against it. Raises ConfigError.
        """
        is_named = self.deployment != type(self).__dataclass_fields__["deployment"].default
        return self.load_deployment() if is_named or self.deployment.is_file() else None

    def load_deployment(self) -> Deployment:
        """Where the contracts are. Raises ConfigError."""
        return Deployment.load(self.deployment)


def parse_listen(text: str) -> tuple[str, int]:
    """("127.0.0.1", 8700) of "127.0.0.1:8700". Raises ConfigError."""
    if not Listen().holds(text):
        raise ConfigError("bad_config", f"listen: must be {Listen().text}, not '{text}'")
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def split(text: str) -> tuple[str, ...]:
    """The parts of a setting that holds several values."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _suggest(section: str) -> str:
    return f"`setoff {section} config` lists them" if section in SERVICES else "see SETTINGS.md"


def _read_file(path: Path | None) -> dict[str, Any]:
    """What the file holds. Raises ConfigError."""
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError("bad_config", f"there is no settings file {path}") from None
    except (OSError, ValueError) as error:
        raise ConfigError("bad_config", f"{path} cannot be read: {error}") from None


def _parse(kind: str, value: Any, name: str, origin: str, *, is_secret: bool) -> Any:
    """`value`, from TOML or as text, as a field's type. Raises ConfigError, which never shows what is secret."""
    named = f"{name} ({origin})"
    if kind == "bool":
        parsed = _BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(parsed, bool):
            raise ConfigError("bad_config", f"{named}: must be true or false, not '{value}'")
        return parsed
    if kind in ("int", "float"):
        try:
            number = float(value) if kind == "float" else int(str(value))
        except (TypeError, ValueError):
            raise ConfigError("bad_config", f"{named}: must be a number, not '{value}'") from None
        if isinstance(value, bool) or not abs(number) < 1e18:
            raise ConfigError("bad_config", f"{named}: must be a number, not '{value}'")
        return number
    if name in LISTS and isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ",".join(value)
    if not isinstance(value, str):
        raise ConfigError("bad_config", f"{named}: must be text" + ("" if is_secret else f", not '{value}'"))
    if kind != "Path":
        return value
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in value.split("/")):
        raise ConfigError("bad_config", f"{named}: no file has so long a name")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ConfigError("bad_config", f"{named}: {error}") from None
