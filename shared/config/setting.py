"""One setting: its meaning, unit and limits, stated where it is defined: for check, sample and reference."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from setoff.shared.config.limits import Limit
from setoff.shared.config.shown import show_urls

T = TypeVar("T")

_ABOUT: Final = "about"
HIDDEN: Final = "(set, not shown)"
"""In the place of what is secret."""


@dataclass(frozen=True)
class About:
    """What is to be known of a setting beside its name, type and default."""

    meaning: str
    unit: str = ""
    """Of a number: what is counted."""
    limit: Limit | None = None
    """What the value has to be; None: whatever its type allows."""
    read_by: tuple[str, ...] = ()
    """Processes that read it; none named: all of the service."""
    is_secret: bool = False
    """Whether its value is never shown."""


def setting(
    default: T,
    meaning: str,
    *,
    unit: str = "",
    limit: Limit | None = None,
    read_by: str = "",
    is_secret: bool = False,
) -> T:
    """The definition of a field of `Settings`; `read_by`: names of processes, with spaces between."""
    about = About(" ".join(meaning.split()), unit, limit, tuple(read_by.split()), is_secret)
    return dataclasses.field(default=default, repr=not is_secret, metadata={_ABOUT: about})


@dataclass(frozen=True)
class Setting:
    """A setting of a kind of service."""

    name: str
    type: str
    """bool, int, float, str or Path."""
    default: Any
    about: About

    def find_problem(self, value: Any) -> str:
        """Why `value` cannot be, "" if it can; of one that is secret it is not shown."""
        limit = self.about.limit
        return "" if limit is None or limit.holds(value) else f"{self.name}: must be {limit.text}"

    def show(self, value: Any) -> Any:
        """The value for people: what is secret is not shown, and of an address its host."""
        if self.about.is_secret and value:
            return HIDDEN
        return show_urls(value) if isinstance(value, str) else value

    def format(self, value: Any) -> str:
        """The value as TOML has it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | Path):
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        return repr(value)


def list_settings(kind: type) -> dict[str, Setting]:
    """The settings of a class of them, by name, in the order in which they are defined."""
    return {
        item.name: Setting(item.name, str(item.type), item.default, item.metadata[_ABOUT])
        for item in dataclasses.fields(kind)
    }
