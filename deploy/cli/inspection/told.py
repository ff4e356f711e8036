"""What is told of something: sentences for people, the same as facts for programs."""

from __future__ import annotations

from typing import Any, NamedTuple


class Told(NamedTuple):
    """An explanation; `is_bad`: something is not as it should be."""

    facts: dict[str, Any]
    lines: list[str]
    is_bad: bool = False
