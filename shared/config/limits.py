"""What the value of a setting has to be, in words and as a test, for the check and the reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit


class Limit(Protocol):
    """A condition on one value."""

    @property
    def text(self) -> str:
        """The condition, as in "must be …"."""

    def holds(self, value: Any) -> bool:
        """Whether it holds of a value of the setting's type."""


@dataclass(frozen=True)
class AtLeast:
    """A number from `least` on."""

    least: float

    @property
    def text(self) -> str:
        return f"{self.least:g} or more"

    def holds(self, value: float) -> bool:
        return value >= self.least


@dataclass(frozen=True)
class MoreThan:
    """A number greater than `bound`."""

    bound: float

    @property
    def text(self) -> str:
        return f"more than {self.bound:g}"

    def holds(self, value: float) -> bool:
        return value > self.bound


@dataclass(frozen=True)
class Between:
    """A number from `least` to `most`, both included."""

    least: float
    most: float

    @property
    def text(self) -> str:
        return f"{self.least:g} to {self.most:g}"

    def holds(self, value: float) -> bool:
        return self.least <= value <= self.most


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"one of {', '.join(self.words)}"

    def holds(self, value: str) -> bool:
        return value in self.words


@dataclass(frozen=True)
class Url:
    """An http(s) URL; `is_optional`: or nothing; `is_list`: several, separated by commas, each once."""

    is_optional: bool = False
    is_list: bool = False

    @property
    def text(self) -> str:
        what = "http(s) URLs, separated by commas, each once" if self.is_list else "an http(s) URL"
        return f"{what}, or empty" if self.is_optional else what

    def holds(self, value: str) -> bool:
        if not value.strip():
            return self.is_optional
        urls = [part.strip() for part in value.split(",")] if self.is_list else [value]
        return len(urls) == len(set(urls)) and all(is_url(url) for url in urls)


@dataclass(frozen=True)
class RedisUrl:
    """The URL of a Redis server, or nothing."""

    @property
    def text(self) -> str:
        return "a URL that begins with redis://, rediss:// or unix://, or empty"

    def holds(self, value: str) -> bool:
        return not value or value.startswith(("redis://", "rediss://", "unix://"))


@dataclass(frozen=True)
class Listen:
    """Where to listen: host and port."""

    @property
    def text(self) -> str:
        return "host:port"

    def holds(self, value: str) -> bool:
        host, _, port = value.rpartition(":")
        return bool(host) and port.isascii() and port.isdecimal() and int(port[:6]) <= 65535


@dataclass(frozen=True)
class Matching:
    """Text of a pattern, said in words."""

    pattern: str
    words: str

    @property
    def text(self) -> str:
        return self.words

    def holds(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


def is_url(text: str) -> bool:
    """Whether it is an http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
