# pragma version 0.4.3
"""
@title Phases of the machine and the bounds that keep every record short
@license MIT
@notice What follows what is drawn in the twin: `shared/rules/phases.py`.
"""

IDLE: constant(uint256) = 0
ADMIT: constant(uint256) = 1
MARGIN: constant(uint256) = 2
MATCH: constant(uint256) = 3
PROBE: constant(uint256) = 4
FILL: constant(uint256) = 5
UNLINK: constant(uint256) = 6
UNLIST: constant(uint256) = 7
SEEK: constant(uint256) = 8
REST: constant(uint256) = 9
LIST: constant(uint256) = 10
DROP: constant(uint256) = 11
TRANSFER: constant(uint256) = 12
WITHDRAW: constant(uint256) = 13
REPORT: constant(uint256) = 14
CLEAR: constant(uint256) = 15
AMEND: constant(uint256) = 16
NEXT: constant(uint256) = 17
CRANK: constant(uint256) = 18
LEG: constant(uint256) = 19
SHARES: constant(uint256) = 20
WORK: constant(uint256) = 21
SWEEP: constant(uint256) = 22
LIQUIDATED: constant(uint256) = 23
TAKEOVER: constant(uint256) = 24
RANK: constant(uint256) = 25
DELEVERAGE: constant(uint256) = 26
UNWIND: constant(uint256) = 27
TRIGGER: constant(uint256) = 28
FIRE: constant(uint256) = 29
ENROL: constant(uint256) = 30
STRIKE: constant(uint256) = 31
GATHER: constant(uint256) = 32
DESCEND: constant(uint256) = 33
DEPTH: constant(uint256) = 34
SAMPLE: constant(uint256) = 35
APPROACH: constant(uint256) = 36
TALLY: constant(uint256) = 37
PAIR: constant(uint256) = 38
VOUCH: constant(uint256) = 39
CROSS: constant(uint256) = 40
REQUEST: constant(uint256) = 41
CREDIT: constant(uint256) = 42

# Leg pages one bulk record may have.
MAX_LEG_PAGES: constant(uint256) = 8
# Makers a fill-or-kill order may count, two steps each: one that comes to nothing pays no fee, and takes no more steps than a
# record's share of its batch, BATCH_STEP_CAP / 2**10 inputs.
MAX_MATCHES: constant(uint256) = 480
# Real steps one order can take that does not pause: two a maker counted (probe, next), eight a maker visited (match, probe,
# fill; and a second time to take it out: match, probe, unlink, unlist, seek), four an order of the account that is
# cancelled (clear or admit, unlink, unlist, seek), one in each of its 256 order slots, and the fixed ones, among them the
# taker's enrol.
RECORD_STEP_BOUND: constant(uint256) = 10 * MAX_MATCHES + 4 * 256 + 64
# Real steps after which an input leaves the rest of its order, its legs, the book it measures or the machine's own work to
# the next one.
WORK_LIMIT: constant(uint256) = 2**16
# Real steps one input can take: those, and the last piece, which is at most one order.
INPUT_STEP_BOUND: constant(uint256) = WORK_LIMIT + RECORD_STEP_BOUND + 64
# Real steps of a batch after which its records are refused (its messages, one step each, come first and are not).
BATCH_STEP_CAP: constant(uint256) = 2**20
# Leaves the widest step touches (probe: order, account and eight markets).
MAX_LEAVES: constant(uint256) = 10

# Lots. A level holds at most 2**24 accounts * 2**8 order slots * 2**31 lots = 2**63; open interest stays below 2**62.
MAX_ORDER_SIZE: constant(uint256) = 2**31
MAX_AMOUNT: constant(uint256) = 2**96
MAX_SHARES: constant(uint256) = 2**120

HOUR: constant(uint256) = 3600
# One part in so many of the maintenance margin is as far as the book moves a mark from the index.
MARK_PART: constant(uint256) = 6
# Seconds between two samples of a market's premium.
SAMPLE_INTERVAL: constant(uint256) = 60
# Weight of a sample in the smoothed premium: one part in so many.
PREMIUM_SAMPLES: constant(uint256) = 8
# Seconds after which nothing is left of a basis that the book neither shows again nor denies.
BASIS_TIME: constant(uint256) = PREMIUM_SAMPLES * SAMPLE_INTERVAL
# Hours over which the premium is paid: an hour's funding is one part in so many (dYdX v4, Hyperliquid).
FUNDING_HOURS: constant(uint256) = 8
# Seconds that one sample pays for at most: time in which nothing was measured is not made up for.
MAX_FUNDING_TIME: constant(uint256) = 2 * SAMPLE_INTERVAL
# Flag of an index that was cut to the step band: the reports are beyond it, so it is no fresh price.
INDEX_CUT: constant(uint256) = 1
# Flag of an index that comes after a cut or an old one, or after long: insurance pays for none of its changes.
INDEX_RETURNING: constant(uint256) = 2
# Seconds a market without calls stays reduce-only after its index ran into the step band; and for which an index has to have
# been stale for its market to hold a call when it comes back.
HALT_TIME: constant(uint256) = 300
# Seconds of batch time within which an index moves at most the step band from where it was at their beginning.
INDEX_INTERVAL: constant(uint256) = 60
# Seconds before the expiry of a dated future over which the index is averaged for its settlement price.
TWAP_TIME: constant(uint256) = 1800
# Draws of an hour limit withdrawals if they are more than one part in so many of all money.
DRAW_SHARE: constant(uint256) = 2**14
# Hours of a limit, in each of which one part in so many more of an account's free money may leave it.
EXIT_HOURS: constant(uint256) = 16
# Seconds that the time of a batch, and so of a limit, lies behind L1's at most.
EXIT_GRACE: constant(uint256) = 900
# Seconds without an index after which a market is settled at its last one.
ORACLE_DEATH: constant(uint256) = 604_800
# Seconds without a batch after which the exchange counts as resumed, and for which its oracles then are not dead yet.
LONG_GAP: constant(uint256) = 302_400
RETURN_TIME: constant(uint256) = 3600
# Fixed-point ones: of the premium (ticks), of the funding index (token units a lot), of a deleveraging score.
PREMIUM_ONE: constant(uint256) = 2**16
FUNDING_ONE: constant(uint256) = 2**32
SCORE_ONE: constant(uint256) = 2**16
# Bound of either factor of a score.
MAX_SCORE: constant(uint256) = 2**48
# Accounts that a ranking keeps: as many as it serves at least before there is another.
RANKED: constant(uint256) = 8
# Bound of account numbers in an entry of a ranking: score * RANK_ACCOUNTS + RANK_ACCOUNTS - 1 - account.
RANK_ACCOUNTS: constant(uint256) = 2**24
# Slices in which a liquidation offers a position to the book.
LIQUIDATION_SLICES: constant(uint256) = 4
# One part in so many of its maintenance margin is what the closing of a position may cost, if its account is not deep below,
# and what its liquidation fee is at most.
LIQUIDATION_PART: constant(uint256) = 6
# Seconds for which an account that is not deep below its margin is left alone after its first slice, and after that pause
# the seconds in which there is no other.
LIQUIDATION_PAUSE: constant(uint256) = 30
LIQUIDATION_WINDOW: constant(uint256) = 600
# Slices in which the backstop unwinds a position of its own.
UNWIND_SLICES: constant(uint256) = 8
# How far, ppm of it, from the mark an offer of the backstop may trade for each before it that nobody took; and how many count
# so at most.
UNWIND_STEP: constant(uint256) = 100
UNWIND_WAITS: constant(uint256) = 50
# Shares of the backstop that count as issued and belong to nobody, with a token unit beside what is in it: so a share of an
# empty one has a price, a part of a unit, and who deposits little before a profit makes shares dear for nobody.
VIRTUAL_SHARES: constant(uint256) = 2**10
# Shares a token unit of equity from which on the backstop's shares are void: all but one part in 2**20 is lost.
VOID_PRICE: constant(uint256) = 2**30
# They are if what is left is less than one part in so many of what comes.
VOID_PART: constant(uint256) = 2**10
# The backstop opens no position that is worth less than one part in so many of its equity: it has eight places.
BACKSTOP_DUST: constant(uint256) = 256
# Bits of the lots of a position that it may take over in part.
TAKEOVER_BITS: constant(uint256) = 40
