"""Phases of the machine and the bounds that keep every record short. Twin: ``contracts/rules/phases.vy``.

fetch ── message, reject ──────────────────────────────────────────────────────▶ IDLE
  ├─ order ─▶ ADMIT ─▶ MARGIN ─▶ MATCH ─▶ PROBE ─▶ FILL ─┬▶ MATCH …, or home when nothing is left
  │            │ ▲                 │ ▲       │ └─▶ UNLINK ◀┘ (maker exhausted, dead, unfunded, or the taker's own)
  │            ▼ │                 │ └─ NEXT ◀ (fill-or-kill: count first, level by level)
  │           UNLINK (a dead order ├─▶ REST ─▶ LIST ─▶ home       what is left rests in the book
  │           in the slot)         └─▶ DROP ─▶ home               what is left is given up
  ├─ amend ─▶ AMEND ─▶ home, or UNLINK ─▶ ADMIT …
  ├─ cancel ─▶ UNLINK ─▶ UNLIST ─▶ SEEK ─▶ `resume`
  ├─ cancel-all, schedule-cancel ─▶ CLEAR ─▶ home
  ├─ transfer ─▶ MARGIN ─▶ TRANSFER ─▶ home
  └─ withdraw ─▶ MARGIN ─▶ WITHDRAW ─▶ home
"""

from __future__ import annotations

from typing import Final

IDLE: Final = 0
ADMIT: Final = 1
MARGIN: Final = 2
MATCH: Final = 3
PROBE: Final = 4
FILL: Final = 5
UNLINK: Final = 6
UNLIST: Final = 7
SEEK: Final = 8
REST: Final = 9
LIST: Final = 10
DROP: Final = 11
TRANSFER: Final = 12
WITHDRAW: Final = 13
REPORT: Final = 14
CLEAR: Final = 15
AMEND: Final = 16
NEXT: Final = 17

#: Names by number, for people.
NAMES: Final[tuple[str, ...]] = (
    "idle",
    "admit",
    "margin",
    "match",
    "probe",
    "fill",
    "unlink",
    "unlist",
    "seek",
    "rest",
    "list",
    "drop",
    "transfer",
    "withdraw",
    "report",
    "clear",
    "amend",
    "next",
)

#: Makers one order may visit; what is left then is given up.
MAX_MATCHES: Final = 4096
#: Real steps one record can take: two a maker counted (probe, next), six a maker visited (match, probe, fill, unlink,
#: unlist, seek), and the fixed ones.
RECORD_STEP_BOUND: Final = 8 * MAX_MATCHES + 32
#: Real steps of a batch after which its records are refused (its messages, one step each, come first and are not).
BATCH_STEP_CAP: Final = 2**22
#: Leaves the widest step touches (probe: order, account and eight markets).
MAX_LEAVES: Final = 10

MAX_ORDER_SIZE: Final = 2**40
MAX_POSITION: Final = 2**42
MAX_AMOUNT: Final = 2**96
MAX_UNIT: Final = 2**32
MAX_FEE: Final = 100_000
