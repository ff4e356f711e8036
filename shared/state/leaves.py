"""Typed leaves and their fixed encoding in 32-byte words. Twin: ``contracts/state/leaves.vy``.

A leaf's value is the concatenation of its words; fields are packed big-endian from the high end of a word. A leaf whose
words are all zero is the absent leaf: it encodes to ``b""`` and ``b""`` decodes to it. The classes below say what a
leaf's fields are and how wide, and nothing says it again (``layout.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Annotated, Final

from setoff.shared.codec.layout import I32, I64, I128, I256, U8, U16, U32, U64, U128, U192, U256, Address, At
from setoff.shared.codec.records import MESSAGE_BYTES, ExchangeTerms, MarketParameters
from setoff.shared.state.layout import WORD, Layout

MAX_POSITIONS: Final = 8
MAX_SIGNERS: Final = 7

ACCOUNT_BYTES: Final = 704
ORDER_BYTES: Final = 64
LEVEL_BYTES: Final = 32
BITMAP_BYTES: Final = 32
MARKET_BYTES: Final = 320
ORACLE_BYTES: Final = 128
SIGNERS_BYTES: Final = 256
WITHDRAWAL_BYTES: Final = 96
AGENT_BYTES: Final = 96
PARKED_BYTES: Final = 160
REQUEST_BYTES: Final = 64
TERMS_BYTES: Final = 64
ACTIVITY_BYTES: Final = 32

_POSITION_BYTES: Final = 64
_REPORT_BYTES: Final = 16


@dataclass(slots=True, eq=False)
class Position:
    """One market's net position of an account."""

    market: U16 = 0
    """Its id, 0 in a free place."""
    size: Annotated[I64, At(8)] = 0
    """Lots, signed."""
    bids: U64 = 0
    """Lots of the account's buy orders in the book, and of one in flight."""
    asks: U64 = 0
    """Lots of its sell orders."""
    cost: I128 = 0
    """Token units, signed: what the open lots were bought for (sold for, negative)."""
    funding: I128 = 0
    """The market's funding index up to which the position has paid."""
    orders: Annotated[U16, At(2)] = 0
    """How many orders of the account are in the market, resting or armed, dead or alive."""
    waited: U16 = 0
    """Of the backstop: offers that nobody took. What it may lose to be rid of the position grows with them."""

    def clear_if_empty(self) -> None:
        """Free the place of a position that holds nothing any more."""
        if self.size == 0 and self.bids == 0 and self.asks == 0 and self.orders == 0:
            self.market = 0
            self.cost = 0
            self.funding = 0
            self.waited = 0


@dataclass(slots=True, eq=False)
class Account:
    """A trader's account; a sub-account uses neither owner, sessions nor nonces, its master's count."""

    deadline: U64 = 0
    """Seconds, when all its orders die, 0 for never."""
    session: U32 = 0
    """The highest of its agents so far."""
    owner: Address = bytes(20)
    collateral: I256 = 0
    """Token units: deposits, fees and the notional of every fill, so that equity = it + sum of size * mark * unit."""
    generation: Annotated[U32, At(64)] = 0
    """Of those shares: they are void if it is not that of the vault's own account."""
    paused_until: U32 = 0
    """Seconds, until when its liquidation waits after a first slice; it stays when that is over."""
    shares: U128 = 0
    """Of the backstop vault (on the vault's own account: all of them)."""
    nonce_top: U64 = 0
    """Highest nonce seen."""
    nonce_bitmap: U256 = 0
    """Bit i is set iff nonce_top - i was used."""
    orders: U256 = 0
    """Bit i is set iff order slot i holds an order, resting or armed, dead or alive."""
    exit_since: U64 = 0
    """Seconds, the beginning of the limit on withdrawals under which it last took money out."""
    taken: U192 = 0
    """Token units that it took out under that limit."""
    positions: list[Position] = field(default_factory=lambda: [Position() for _ in range(MAX_POSITIONS)])
    """In the places after these words."""


@dataclass(slots=True, eq=False)
class Order:
    """A resting order, or what is left of it: a node of its level's FIFO list."""

    market: U16 = 0
    """0 in a free order slot."""
    side: U8 = 0
    """0 buy, 1 sell."""
    flags: U8 = 0
    price: U32 = 0
    """Ticks."""
    size: U64 = 0
    """Lots left."""
    prev: U64 = 0
    """Handle of the older neighbour, 0 at the head."""
    next: U64 = 0
    """Handle of the younger neighbour, 0 at the tail."""
    expiry: U32 = 0
    """Seconds, 0 for never."""
    client: U64 = 0
    """The trader's own id of it."""
    sequence: U64 = 0
    """Number of its acceptance."""
    trigger: U32 = 0
    """Ticks, the mark at which an armed order (see its flags) enters the book, 0 for an order that is in it."""
    partner: U16 = 0
    """1 + the order slot of the armed order that leaves when this one fires, and the other way round, 0 for none."""

    def clear(self) -> None:
        """Make it a free order slot."""
        ORDER.clear(self)


@dataclass(slots=True, eq=False)
class Level:
    """A price level: a FIFO list of orders."""

    head: U64 = 0
    """Handle of the oldest order."""
    tail: U64 = 0
    """Handle of the youngest."""
    size: U64 = 0
    """Lots."""
    count: U64 = 0
    """Orders."""


@dataclass(slots=True, eq=False)
class Bitmap:
    """256 bits of an index: of a side's price levels that have orders, or of a market's holders."""

    word: U256 = 0


@dataclass(slots=True, eq=False)
class Market(MarketParameters):
    """A market: its parameters, and what changes with trading. A perpetual, or a dated future if it has an expiry."""

    best_bid: Annotated[U32, At(32)] = 0
    """Ticks, 0 for none, as are the next three."""
    best_ask: U32 = 0
    mark: U32 = 0
    index: U32 = 0
    index_time: U64 = 0
    """Seconds."""
    open_interest: U64 = 0
    """Lots."""
    insurance: I128 = 0
    """Token units of the insurance fund, which takes the fees."""
    revenue: I128 = 0
    """Token units of fees that came into it since the backstop and the treasury last got their shares."""
    pool: I256 = 0
    """Token units of funding paid in and not yet out."""
    funding: I128 = 0
    """Token units a lot has paid since listing, times 2**32."""
    premium: I64 = 0
    """Smoothed premium of the book over the index, ticks times 2**16."""
    sampled: U64 = 0
    """Seconds, its last sample."""
    scale: Annotated[U8, At(173)] = 0
    """Of `scale.FULL` parts of the way to full margin, how far its initial margins have risen with open interest."""
    index_flags: U8 = 0
    """INDEX_CUT, INDEX_RETURNING: whether it is not where the reports are, or was not when it came."""
    settled: U8 = 0
    """1 once a dated future has its settlement price (in mark)."""
    halted_until: Annotated[U64, At(200)] = 0
    """Seconds."""
    stop_above: Annotated[U32, At(216)] = 0
    """Ticks, the nearest armed levels, 0 for none."""
    stop_below: U32 = 0
    twap_sum: Annotated[U64, At(256)] = 0
    """Ticks times seconds, for the settlement price: each index with the time it held before the expiry."""
    twap_time: U32 = 0
    """Seconds that are in it."""
    anchor: U32 = 0
    """Ticks, from which the index moves at most the step band within an interval: the index at its beginning."""
    anchor_time: U64 = 0
    """Seconds, when that interval began."""
    held_since: Annotated[U64, At(288)] = 0
    """Seconds, since when the index is what it is: when it was last set or weighed."""
    mark_anchor: Annotated[U32, At(300)] = 0
    """As `anchor`, of the mark."""
    basis0: I32 = 0
    """Ticks from the index to where the book said that the price was, in the last sample; before it the next two."""
    basis1: I32 = 0
    basis2: I32 = 0
    excess: I32 = 0
    """Ticks, signed, by which the index lay outside the impact prices in the last sample, beyond a taker's fee."""


@dataclass(slots=True, eq=False)
class Oracle:
    """The latest report of each registered signer on one market."""

    prices: list[int] = field(default_factory=lambda: [0] * MAX_SIGNERS)
    """Ticks."""
    times: list[int] = field(default_factory=lambda: [0] * MAX_SIGNERS)
    """Seconds."""


@dataclass(slots=True, eq=False)
class Signers:
    """The oracle's registered signers."""

    count: U16 = 0
    """Places used."""
    quorum: U16 = 0
    max_age: U32 = 0
    """Seconds."""
    owners: list[bytes] = field(default_factory=lambda: [bytes(20)] * MAX_SIGNERS)
    """Their addresses."""


@dataclass(slots=True, eq=False)
class Withdrawal:
    """A withdrawal the machine granted: L1 pays `amount` token units to `owner` once the root is confirmed.

    Each field has a word of its own: L1 rebuilds this leaf to pay it.
    """

    account: Annotated[U64, At(24)] = 0
    owner: Annotated[Address, At(44)] = bytes(20)
    amount: Annotated[U128, At(80)] = 0


@dataclass(slots=True, eq=False)
class Agent:
    """A key that may trade for a master account until `expiry` (seconds), with nonces of its own.

    What it may touch is as in the record that named it: 0 for everything.
    """

    expiry: U64 = 0
    address: Annotated[Address, At(12)] = bytes(20)
    markets: U64 = 0
    """Eight numbers of markets, a byte each."""
    subs: U16 = 0
    """Bit s is set for sub-account s."""
    kinds: U16 = 0
    """Bit t is set for records of type t."""
    limits: U16 = 0
    """Of its orders (`rules/agents.py`)."""
    nonce_top: Annotated[U64, At(56)] = 0
    """Highest nonce seen; its upper half is the session."""
    nonce_bitmap: U256 = 0
    """Bit i is set iff nonce_top - i was used, or is of another session."""

    def clear(self) -> None:
        """Make it nobody."""
        Agent.__init__(self)


@dataclass(slots=True, eq=False)
class Parked:
    """A record of the L1 queue that the machine had no time for yet."""

    message: bytes = b""
    """Its 124 bytes and the time at which it was queued, b"" for none."""


@dataclass(slots=True, eq=False)
class Request:
    """What an account has asked of the backstop, to be settled later: a node of the list of all requests."""

    amount: U128 = 0
    """Token units to be put in, or shares to be taken out; 0 for no request."""
    due: U64 = 0
    """Seconds, from when on it is settled."""
    generation: U64 = 0
    """Of the shares."""
    kind: U8 = 0
    """Type of the record that asked."""
    next: U32 = 0
    """The account that asked after it, 0 for none."""

    def clear(self) -> None:
        """Make it no request."""
        Request.__init__(self)


@dataclass(slots=True, eq=False)
class Terms(ExchangeTerms):
    """The exchange's terms, as the last message about them set them."""


@dataclass(slots=True, eq=False)
class Activity:
    """What an owner's fills, as maker and taker, are worth in taker's fees, less with each day."""

    amount: U128 = 0
    """Token units."""
    day: U64 = 0
    """Day (seconds div 86,400) up to which it has become less."""


Leaf = (
    Account
    | Order
    | Level
    | Bitmap
    | Market
    | Oracle
    | Signers
    | Withdrawal
    | Agent
    | Parked
    | Request
    | Terms
    | Activity
)


@dataclass(slots=True, eq=False)
class _Report:
    """A signer's report in an oracle's leaf, in which they stand behind each other."""

    price: U32
    time: U64


POSITION: Final = Layout(Position, _POSITION_BYTES)
ACCOUNT: Final = Layout(Account, ACCOUNT_BYTES - MAX_POSITIONS * _POSITION_BYTES)
"""What stands before an account's positions."""
ORDER: Final = Layout(Order, ORDER_BYTES)
LEVEL: Final = Layout(Level, LEVEL_BYTES)
BITMAP: Final = Layout(Bitmap, BITMAP_BYTES)
MARKET: Final = Layout(Market, MARKET_BYTES)
SIGNERS: Final = Layout(Signers, WORD)
"""What stands before the addresses."""
WITHDRAWAL: Final = Layout(Withdrawal, WITHDRAWAL_BYTES)
AGENT: Final = Layout(Agent, AGENT_BYTES)
REQUEST: Final = Layout(Request, REQUEST_BYTES)
TERMS: Final = Layout(Terms, TERMS_BYTES)
ACTIVITY: Final = Layout(Activity, ACTIVITY_BYTES)

REPORT: Final = Layout(_Report, _REPORT_BYTES)
_EMPTY_POSITION: Final = bytes(_POSITION_BYTES)
_POSITIONS_START: Final = ACCOUNT.size
_PLACES: Final = Struct(f"{_POSITION_BYTES}s")
# Of all leaves those that are read and written most, and so without a look at their layouts.
_pack_account, _read_account = ACCOUNT.pack, ACCOUNT.decode
_pack_position, _read_position = POSITION.pack, POSITION.decode


def encode_account(leaf: Account) -> bytes:
    """22 words, or b"" for an account that does not exist."""
    parts = [_pack_account(leaf)]
    for position in leaf.positions:
        parts.append(_pack_position(position) if position.market else _EMPTY_POSITION)
    return _absent_if_zero(b"".join(parts))


def decode_account(value: bytes) -> Account:
    """The inverse of `encode_account`."""
    if not value:
        return Account()
    leaf = _read_account(value[:_POSITIONS_START])
    leaf.positions = [
        _read_position(b"" if place == _EMPTY_POSITION else place)
        for (place,) in _PLACES.iter_unpack(value[_POSITIONS_START:])
    ]
    return leaf


encode_order: Final = ORDER.encode
decode_order: Final = ORDER.decode
encode_level: Final = LEVEL.encode
decode_level: Final = LEVEL.decode
encode_bitmap: Final = BITMAP.encode
decode_bitmap: Final = BITMAP.decode
encode_market: Final = MARKET.encode
decode_market: Final = MARKET.decode


def encode_oracle(leaf: Oracle) -> bytes:
    """4 words (seven reports of 16 bytes, the last 16 bytes zero), or b"" before the first report."""
    reports = [REPORT.pack(_Report(leaf.prices[i], leaf.times[i])) for i in range(MAX_SIGNERS)]
    return _absent_if_zero(b"".join(reports).ljust(ORACLE_BYTES, b"\0"))


def decode_oracle(value: bytes) -> Oracle:
    """The inverse of `encode_oracle`."""
    leaf = Oracle()
    if value:
        for i in range(MAX_SIGNERS):
            report = REPORT.decode(value[_REPORT_BYTES * i : _REPORT_BYTES * (i + 1)])
            leaf.prices[i], leaf.times[i] = report.price, report.time
    return leaf


def encode_signers(leaf: Signers) -> bytes:
    """8 words, or b"" before the first signer."""
    return _absent_if_zero(b"".join([SIGNERS.pack(leaf), *(owner.rjust(WORD, b"\0") for owner in leaf.owners)]))


def decode_signers(value: bytes) -> Signers:
    """The inverse of `encode_signers`."""
    if not value:
        return Signers()
    leaf = SIGNERS.decode(value[:WORD])
    leaf.owners = [value[end - 20 : end] for end in range(2 * WORD, SIGNERS_BYTES + 1, WORD)]
    return leaf


encode_withdrawal: Final = WITHDRAWAL.encode
decode_withdrawal: Final = WITHDRAWAL.decode
encode_agent: Final = AGENT.encode
decode_agent: Final = AGENT.decode


def encode_parked(leaf: Parked) -> bytes:
    """5 words (the 132 bytes of the stamped message, then 28 zero bytes), or b"" for none."""
    return leaf.message.ljust(PARKED_BYTES, b"\0") if leaf.message else b""


def decode_parked(value: bytes) -> Parked:
    """The inverse of `encode_parked`."""
    return Parked(value[:MESSAGE_BYTES])


encode_request: Final = REQUEST.encode
decode_request: Final = REQUEST.decode
encode_terms: Final = TERMS.encode
decode_terms: Final = TERMS.decode
encode_activity: Final = ACTIVITY.encode
decode_activity: Final = ACTIVITY.decode


def _absent_if_zero(value: bytes) -> bytes:
    return value if value.strip(b"\0") else b""
