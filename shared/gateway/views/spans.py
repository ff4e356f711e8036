"""Spans of time that requests name."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from setoff.shared.gateway.refusals import Misshapen

AHEAD: Final = 86_400_000
"""Milliseconds that a span without an end goes on beyond now: the exchange's clock is another."""


def read_span(request: Mapping[str, Any]) -> tuple[int, int]:
    """`startTime` and `endTime`, milliseconds. Raises Misshapen."""
    first, last = request.get("startTime"), request.get("endTime")
    for value in (first, last):
        is_time = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not is_time:
            raise Misshapen("startTime and endTime are in milliseconds")
    return int(first or 0), time.time_ns() // 1_000_000 + AHEAD if last is None else int(last)
