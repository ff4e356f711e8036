"""Phases of the machine and the bounds that keep every record short. Twin: ``contracts/rules/phases.vy``.

fetch ── message, reject ──────────────────────────────────────────────────────▶ IDLE
  ├─ order ─▶ ADMIT ─▶ MARGIN ─▶ MATCH ─▶ PROBE ─▶ FILL ─┬▶ MATCH …, or back when nothing is left
  │            │ ▲                 │ ▲       │ └─▶ UNLINK ◀┘ (maker exhausted, dead, unfunded, or the taker's own)
  │            │ │                 │ │       │   (after FILL first ENROL, for each of the two whose position it opened)
  │            ▼ │                 │ └─ NEXT ◀ (fill-or-kill: count first, level by level)
  │           UNLINK (orders dead  ├─▶ REST ─▶ LIST ─▶ back       what is left rests in the book
  │           since a deadline,    └─▶ DROP ─▶ back               what is left is given up
  │           or in the slot)
  ├─ amend ─▶ AMEND ─▶ back, or UNLINK ─▶ ADMIT …
  ├─ cancel ─▶ UNLINK ─▶ UNLIST ─▶ SEEK ─▶ `next_phase`
  ├─ cancel-all, schedule-cancel ─▶ CLEAR ─▶ back, or UNLINK ─▶ CLEAR … (an order each time)
  ├─ transfer ─▶ MARGIN ─▶ TRANSFER ─▶ back
  ├─ withdraw ─▶ MARGIN ─▶ WITHDRAW ─▶ back
  ├─ backstop deposit ─▶ MARGIN ─▶ REQUEST ─▶ WORK ─▶ SHARES ─▶ CREDIT ─▶ WORK …   a backstop withdrawal without MARGIN
  └─ crank ─▶ CRANK ─▶ DESCEND ─▶ DEPTH ─▶ SAMPLE ─▶ WORK …       each side level by level, maker by maker, until
                         ▲ ▲       │ ▲ └▶ UNLINK ─▶ on             `impact` lots are counted
                         └─┴───────┘ └──────────────┘
An auction that is due is held by a crank, or while an order waits before ADMIT:
  APPROACH ─▶ TALLY ─▶ PAIR ─▶ VOUCH ─▶ CROSS ─▶ PAIR …        each side level by level, order by order, until they no
     ▲ ▲       │ ▲ └▶ UNLINK ─▶ on                             longer cross; then the first two, again and again
     └─┴───────┘ └──────────────┘
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
CRANK: Final = 18
LEG: Final = 19
SHARES: Final = 20
WORK: Final = 21
SWEEP: Final = 22
LIQUIDATED: Final = 23
TAKEOVER: Final = 24
RANK: Final = 25
DELEVERAGE: Final = 26
UNWIND: Final = 27
TRIGGER: Final = 28
FIRE: Final = 29
ENROL: Final = 30
STRIKE: Final = 31
GATHER: Final = 32
DESCEND: Final = 33
DEPTH: Final = 34
SAMPLE: Final = 35
APPROACH: Final = 36
TALLY: Final = 37
PAIR: Final = 38
VOUCH: Final = 39
CROSS: Final = 40
REQUEST: Final = 41
CREDIT: Final = 42

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
    "crank",
    "leg",
    "shares",
    "work",
    "sweep",
    "liquidated",
    "takeover",
    "rank",
    "deleverage",
    "unwind",
    "trigger",
    "fire",
    "enrol",
    "strike",
    "gather",
    "descend",
    "depth",
    "sample",
    "approach",
    "tally",
    "pair",
    "vouch",
    "cross",
    "request",
    "credit",
)
"""Names by number, for people."""

MAX_LEG_PAGES: Final = 8
"""Leg pages one bulk record may have."""
MAX_MATCHES: Final = 480
"""Makers a fill-or-kill order may count, two steps each: one that comes to nothing pays no fee, and takes no more steps
than a record's share of its batch, BATCH_STEP_CAP / 2**10 inputs."""
RECORD_STEP_BOUND: Final = 10 * MAX_MATCHES + 4 * 256 + 64
"""Real steps one order can take that does not pause: two a maker counted (probe, next), eight a maker visited (match,
probe, fill; and a second time to take it out: match, probe, unlink, unlist, seek), four an order of the account that is
cancelled (clear or admit, unlink, unlist, seek), one in each of its 256 order slots, and the fixed ones, among them the
taker's enrol."""
WORK_LIMIT: Final = 2**16
"""Real steps after which an input leaves the rest of its order, its legs, the book it measures or the machine's own
work to the next one."""
INPUT_STEP_BOUND: Final = WORK_LIMIT + RECORD_STEP_BOUND + 64
"""Real steps one input can take: those, and the last piece, which is at most one order."""
BATCH_STEP_CAP: Final = 2**20
"""Real steps of a batch after which its records are refused (its messages, one step each, come first and are not)."""
MAX_LEAVES: Final = 10
"""Leaves the widest step touches (probe, depth: order, account and eight markets)."""

MAX_ORDER_SIZE: Final = 2**31
"""Lots. A level holds at most 2**24 accounts * 2**8 order slots * 2**31 lots = 2**63; open interest stays below
2**62."""
MAX_AMOUNT: Final = 2**96
MAX_SHARES: Final = 2**120

HOUR: Final = 3600
MARK_PART: Final = 6
"""One part in so many of the maintenance margin is as far as the book moves a mark from the index, premium and basis
with it: half a percent where that margin is three. Who orders the records can show a book that nobody else can hit."""
SAMPLE_INTERVAL: Final = 60
"""Seconds between two samples of a market's premium."""
PREMIUM_SAMPLES: Final = 8
"""Weight of a sample in the smoothed premium: one part in so many."""
BASIS_TIME: Final = PREMIUM_SAMPLES * SAMPLE_INTERVAL
"""Seconds after which nothing is left of a basis that the book neither shows again nor denies."""
FUNDING_HOURS: Final = 8
"""Hours over which the premium is paid: an hour's funding is one part in so many (dYdX v4, Hyperliquid)."""
MAX_FUNDING_TIME: Final = 2 * SAMPLE_INTERVAL
"""Seconds that one sample pays for at most: time in which nothing was measured is not made up for."""
INDEX_CUT: Final = 1
"""Flag of an index that was cut to the step band: the reports are beyond it, so it is no fresh price."""
INDEX_RETURNING: Final = 2
"""Flag of an index that comes after a cut or an old one, or after long: insurance pays for none of its changes."""
HALT_TIME: Final = 300
"""Seconds a market without calls stays reduce-only after its index ran into the step band; and for which an index has
to have been stale for its market to hold a call when it comes back."""
INDEX_INTERVAL: Final = 60
"""Seconds of batch time within which an index moves at most the step band from where it was at their beginning."""
TWAP_TIME: Final = 1800
"""Seconds before the expiry of a dated future over which the index is averaged for its settlement price."""
DRAW_SHARE: Final = 2**14
"""Draws of an hour limit withdrawals if they are more than one part in so many of all money."""
EXIT_HOURS: Final = 16
"""Hours of a limit, in each of which one part in so many more of an account's free money may leave it."""
EXIT_GRACE: Final = 900
"""Seconds that the time of a batch, and so of a limit, lies behind L1's at most: `params.MAX_SKEW`."""
ORACLE_DEATH: Final = 604_800
"""Seconds without an index after which a market is settled at its last one."""
LONG_GAP: Final = 302_400
"""Seconds without a batch after which the exchange counts as resumed."""
RETURN_TIME: Final = 3600
"""Seconds after that for which its oracles are not dead yet."""
PREMIUM_ONE: Final = 2**16
"""Fixed-point one of the premium (ticks)."""
FUNDING_ONE: Final = 2**32
"""Fixed-point one of the funding index (token units a lot)."""
SCORE_ONE: Final = 2**16
"""Fixed-point one of a deleveraging score."""
MAX_SCORE: Final = 2**48
"""Bound of either factor of a score."""
RANKED: Final = 8
"""Accounts that a ranking keeps: as many as it serves at least before there is another."""
RANK_ACCOUNTS: Final = 2**24
"""Bound of account numbers in an entry of a ranking: score * RANK_ACCOUNTS + RANK_ACCOUNTS - 1 - account."""
LIQUIDATION_SLICES: Final = 4
"""Slices in which a liquidation offers a position to the book."""
LIQUIDATION_PART: Final = 6
"""One part in so many of its maintenance margin is what the closing of a position may cost, if its account is not
deep below, and what its liquidation fee is at most: half a percent where that margin is three (dYdX v4's default)."""
LIQUIDATION_PAUSE: Final = 30
"""Seconds for which an account that is not deep below its margin is left alone after its first slice."""
LIQUIDATION_WINDOW: Final = 600
"""Seconds after such a pause in which there is no other."""
UNWIND_SLICES: Final = 8
"""Slices in which the backstop unwinds a position of its own."""
UNWIND_STEP: Final = 100
"""How far, ppm of it, from the mark an offer of the backstop may trade for each before it that nobody took."""
UNWIND_WAITS: Final = 50
"""Offers that count so at most: half a percent, reached in as many minutes; half of what the preset closes out at."""
VIRTUAL_SHARES: Final = 2**10
"""Shares of the backstop that count as issued and belong to nobody, with a token unit beside what is in it: so a share
of an empty one has a price, a part of a unit, and who deposits little before a profit makes shares dear for nobody."""
VOID_PRICE: Final = 2**30
"""Shares a token unit of equity from which on the backstop's shares may be void: all but one part in 2**20 is lost."""
VOID_PART: Final = 2**10
"""They are if what is left is less than one part in so many of what comes: so no loss voids what is worth anything."""
BACKSTOP_DUST: Final = 256
"""The backstop opens no position that is worth less than one part in so many of its equity: it has eight places."""
TAKEOVER_BITS: Final = 40
"""Bits of the lots of a position that it may take over in part."""
