"""What of a setting may be seen: passwords, and keys that are part of an address, never."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, urlsplit

MORE: Final = "…"
"""Stands for the rest of an address."""
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+]*://[^\s,;\"'<>|]+", re.IGNORECASE)
_LEAST, _LEAST_OF_PATH = 6, 12
"""Characters from which on a part of an address is looked for by itself in what is logged: shorter ones are words."""


def hide(url: str) -> str:
    """The URL of a store for people: without user, password and whatever else its query may hold."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def show_url(url: str) -> str:
    """The URL of a node or a service for people: its host, for what follows is often a key."""
    scheme, _, rest = url.partition("://")
    place, slash, path = re.split(r"([/?#]|$)", rest, maxsplit=1)
    return f"{scheme}://{place.rpartition('@')[2]}" + (f"/{MORE}" if path or slash in ("?", "#") else slash)


def show_urls(text: str) -> str:
    """A text for people with all URLs in it as `show_url` has them, those of stores as `hide` does."""
    return _ADDRESS.sub(lambda found: _show(found.group()), text)


def find_secrets(text: str) -> Iterator[str]:
    """The parts of the URLs in a text that nobody may see, wherever they stand alone."""
    for found in _ADDRESS.finditer(text):
        try:
            parts = urlsplit(found.group())
        except ValueError:
            continue
        secrets = [parts.password or "", parts.query, *(value for _, value in parse_qsl(parts.query))]
        yield from (secret for secret in secrets if len(secret) >= _LEAST)
        yield from (part for part in parts.path.split("/") if len(part) >= _LEAST_OF_PATH)


def _show(url: str) -> str:
    return show_url(url) if url.lower().startswith(("http", "ws")) else hide(url)
