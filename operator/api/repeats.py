"""A record that was taken before is answered again with what became of it: so one whose answer was lost is sent again,
the same bytes, and never counts twice."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from setoff.operator.api.views.history_views import show_past_fill
from setoff.operator.api.views.scales import Scales
from setoff.operator.history.queries import History, Row
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import OUTCOMES, SetoffError

REASONS: Final = frozenset(("nonce_used", "nonce_too_old"))
"""Refusals that a record meets which was taken before."""
WAITS: Final = (0.0, 0.1, 0.3)
"""Seconds before each look: the history is a moment behind."""


class Repeats:
    """Finds records of one deployment in its history."""

    def __init__(self, history: History, scales: Scales) -> None:
        self._history = history
        self._scales = scales

    async def find(self, record: bytes, refusal: SetoffError) -> dict[str, Any] | None:
        """The answer to a record of 124 bytes that was taken before, None if it was not, or nobody knows."""
        if refusal.reason not in REASONS or not self._history.is_kept:
            return None
        try:
            for wait in WAITS:
                await asyncio.sleep(wait)
                if (found := await asyncio.to_thread(self._look, record)) is not None:
                    return found
        except SetoffError:
            pass
        return None

    def _look(self, record: bytes) -> dict[str, Any] | None:
        row = self._history.find_by_hash("0x" + keccak(record).hex())
        if row is None:
            return None
        pages = self._history.find_pages(row["sequence"]) if row["type"] == records.BULK else []
        inputs = [row, *pages]
        orders = self._history.find_orders_of([each["sequence"] for each in inputs])
        fills = self._history.find_fills_of(row["batch"], [each["input_index"] for each in inputs])
        shown = {name: row[name] for name in ("sequence", "batch", "input_index", "type", "account", "nonce")}
        shown |= {
            "outcome": OUTCOMES[row["outcome"]],
            "resting": str(sum(map(_get_resting, orders)) if row["type"] != records.BULK else 0),
            "is_paused": False,
            "is_repeat": True,
            "fills": [show_past_fill(self._scales, fill) for fill in fills],
        }
        if row["type"] == records.BULK:
            shown |= {"leg_pages": len(pages), "legs": [str(_get_resting(order)) for order in orders]}
        return shown


def _get_resting(order: Row) -> int:
    """What rests of an order now, lots."""
    return int(order["size"] - order["filled"]) if order["status"] == "open" else 0
