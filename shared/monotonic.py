"""A monotonic clock begins anywhere, on many machines with 0 when they start: 0 is no time before everything."""

from __future__ import annotations

from typing import Final

LONG_AGO: Final = float("-inf")
"""When something happened last that has not happened yet, in monotonic seconds."""
