"""The lies that can be told for trials, by name: what each of them is, in a sentence for people.

How they are told: `faults.py` for those that are faults of the machine, `lying_*.py` for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STEP_LIES: Final[dict[str, str]] = {
    "wrong-root": "an end in which account 1 owns a unit more than it does",
    "wrong-fill": "a fill one tick away from the maker's price",
    "forged-withdrawal": "a withdrawal that nobody asked for",
    "skipped-record": "an order that was posted and is passed over",
    "wrong-price": "a mark one tick away from what index and book give",
    "double-deposit": "a deposit credited twice",
    "skipped-liquidation": "an account below maintenance that keeps its position",
    "wrong-funding": "a unit of funding that no lot owes",
    "extra-fee": "a fee one unit higher than the schedule's",
}
"""Faults of the machine."""

SILENT: Final = "silent"
"""Not a fault of the machine: a wrong root, joined for, and then not a single move."""

BROKEN_RECEIPT: Final = "broken-receipt"
OMITTED_RECORD: Final = "omitted-record"

RECEIPT_LIES: Final[dict[str, str]] = {
    BROKEN_RECEIPT: "a receipt for the place before the record's own, which another record has",
    OMITTED_RECORD: "a record that gets a receipt and is thrown away",
}
"""How an operator can break its word to a trader, about the first order from some batch on."""

CLAIM_LIES: Final[dict[str, str]] = {
    **STEP_LIES,
    SILENT: "a wrong root, and then not a single move: the clock decides",
}
"""What an operator can claim falsely."""


def list_lies(lies: Mapping[str, str]) -> str:
    """A line each."""
    return "\n".join(f"  {name:<19} {text}" for name, text in lies.items())
