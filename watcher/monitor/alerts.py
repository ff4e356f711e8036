"""What somebody should look at: the one form in which every part of the monitor says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WARNING: Final = "warning"
CRITICAL: Final = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at."""

    level: str
    """"warning" or "critical"."""
    key: str
    """Of the claim that it is about, as 0x-string; "" if it is about none."""
    text: str
