"""The log of a service's processes: lines for people, or JSON, an object a line; never a key, a password or an address
with one in it, and of other libraries only what is wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from setoff.shared.config.deployment_file import is_hex
from setoff.shared.config.key_file import KEY_BYTES
from setoff.shared.config.setting import list_settings
from setoff.shared.config.settings import Settings
from setoff.shared.config.shown import MORE, find_secrets, show_urls

JSON: Final = "json"
OURS: Final = ("setoff", "__main__")
"""The loggers that the level is for: all others tell warnings and worse."""
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; all else are fields."""


def set_up(settings: Settings, process: str = "") -> None:
    """Have this process log as its settings say, on the standard error; `process`: its name, else the service's."""
    set_up_for(settings.log_level, settings.log_format, process or settings.section, list_secrets(settings))


def set_up_for(level: str, form: str, process: str, secrets: Iterable[str] = ()) -> None:
    """The same, of what a process was told by another one; `secrets`: what is never to be seen."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(process, list(secrets), as_json=form == JSON))
    handler.addFilter(_is_wanted)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


def list_secrets(settings: Settings) -> list[str]:
    """What is never to be seen of these settings, the longest first."""
    found: set[str] = set()
    for name, item in list_settings(type(settings)).items():
        value = getattr(settings, name)
        if isinstance(value, str):
            found |= set(find_secrets(value))
            if item.about.is_secret and is_hex(value, KEY_BYTES):
                found.add(value.removeprefix("0x"))
    return sorted(found, key=len, reverse=True)


class Formatter(logging.Formatter):
    """A line of the log."""

    def __init__(self, process: str, secrets: list[str], *, as_json: bool) -> None:
        super().__init__(f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s".replace("  ", " "))
        self._process = process
        self._secrets = secrets
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; or text, with a traceback behind it if there is one."""
        return json.dumps(self._to_object(record)) if self._as_json else self._hide(super().format(record))

    def _to_object(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "message": self._hide(record.getMessage()),
        }
        if fields:
            found["fields"] = {name: self._hide(str(value)) if isinstance(value, str) or not _is_plain(value) else value
                               for name, value in fields.items()}  # fmt: skip
        if record.exc_info:
            found["exception"] = self._hide(self.formatException(record.exc_info))
        return found

    def _hide(self, text: str) -> str:
        text = show_urls(text)
        for secret in self._secrets:
            text = text.replace(secret, MORE)
        return text


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _is_wanted(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS
