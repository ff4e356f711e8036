"""Typed leaves and their fixed encoding in 32-byte words. Twin: ``contracts/state/leaves.vy``.

A leaf's value is the concatenation of its words; fields are packed big-endian from the high end of a word. A leaf whose
words are all zero is the absent leaf: it encodes to ``b""`` and ``b""`` decodes to it.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

MAX_POSITIONS: Final = 8
MAX_SIGNERS: Final = 7
MARGIN_TIERS: Final = 2

ACCOUNT_BYTES: Final = 640
ORDER_BYTES: Final = 64
LEVEL_BYTES: Final = 32
BITMAP_BYTES: Final = 32
MARKET_BYTES: Final = 288
ORACLE_BYTES: Final = 128
SIGNERS_BYTES: Final = 256
WITHDRAWAL_BYTES: Final = 96
AGENT_BYTES: Final = 32
PARKED_BYTES: Final = 128

_ACCOUNT: Final = Struct(">IQ20s32s4xI16sQ32s")
_POSITION: Final = Struct(">H6xqQQ16s16s")
_ORDER: Final = Struct(">HBBIQQQIIQQI4x")
_LEVEL: Final = Struct(">QQQQ")
_MARKET: Final = Struct(">QIIIiII" + "IIIIQQ" + "32s32s" + "16sqQ" + "IIIIQQ" + "QQQII" + "QIIQII" + "QI20x")
_REPORT: Final = Struct(">IQ4x")
_SIGNERS: Final = Struct(">HHI24x")
_WITHDRAWAL: Final = Struct(">24xQ12x20s16x16s")
_AGENT: Final = Struct(">Q4x20s")

_EMPTY_POSITION: Final = bytes(64)


class Position:
    """One market's net position of an account.

    market: id, 0 in a free place; size: lots, signed; bids, asks: lots of the account's open orders that could still
    trade on each side; cost: token units, signed: what the open lots were bought for (sold for, negative); funding: the
    market's funding index up to which the position has paid.
    """

    __slots__ = ("asks", "bids", "cost", "funding", "market", "size")

    def __init__(
        self, market: int = 0, size: int = 0, bids: int = 0, asks: int = 0, cost: int = 0, funding: int = 0
    ) -> None:
        self.market = market
        self.size = size
        self.bids = bids
        self.asks = asks
        self.cost = cost
        self.funding = funding

    def clear_if_empty(self) -> None:
        """Free the place of a position that holds nothing any more."""
        if self.size == 0 and self.bids == 0 and self.asks == 0:
            self.market = 0
            self.cost = 0
            self.funding = 0


class Account:
    """A trader's account; a sub-account uses neither owner nor nonces, its master's count.

    epoch: which of its orders live: those that entered under the same; deadline: seconds, when all its orders die, 0
    for never; owner: 20-byte address; collateral: token units, signed quote balance (deposits, fees and the notional
    of every fill, so that equity = collateral + sum of size * mark * unit); subs: highest sub-account in use; shares:
    of the backstop vault (on the vault's own account: all of them); nonce_top: highest nonce seen; nonce_bitmap: bit i
    set iff nonce_top - i was used; positions: MAX_POSITIONS places.
    """

    __slots__ = (
        "collateral",
        "deadline",
        "epoch",
        "nonce_bitmap",
        "nonce_top",
        "owner",
        "positions",
        "shares",
        "subs",
    )

    def __init__(self) -> None:
        self.epoch = 0
        self.deadline = 0
        self.owner = bytes(20)
        self.collateral = 0
        self.subs = 0
        self.shares = 0
        self.nonce_top = 0
        self.nonce_bitmap = 0
        self.positions = [Position() for _ in range(MAX_POSITIONS)]


class Order:
    """A resting order, or what is left of it: lots of `market` at `price` ticks, a node of its level's FIFO list.

    side: 0 buy, 1 sell; prev, next: handles, 0 at the ends; epoch: its account's when it entered; expiry: seconds, 0
    for never; client: the trader's own id of it; sequence: number of its acceptance; trigger: ticks, the mark price at
    which an armed order (see its flags) enters the book, 0 for an order that is in it.
    """

    __slots__ = (
        "client",
        "epoch",
        "expiry",
        "flags",
        "market",
        "next",
        "prev",
        "price",
        "sequence",
        "side",
        "size",
        "trigger",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Make it a free order slot."""
        self.market = 0
        self.side = 0
        self.flags = 0
        self.price = 0
        self.size = 0
        self.prev = 0
        self.next = 0
        self.epoch = 0
        self.expiry = 0
        self.client = 0
        self.sequence = 0
        self.trigger = 0


class Level:
    """A price level: FIFO list from `head` (oldest) to `tail`; `size` lots in `count` orders."""

    __slots__ = ("count", "head", "size", "tail")

    def __init__(self) -> None:
        self.head = 0
        self.tail = 0
        self.size = 0
        self.count = 0


class Bitmap:
    """256 bits of a side's index of non-empty price levels."""

    __slots__ = ("word",)

    def __init__(self) -> None:
        self.word = 0


class Market:
    """A market: its parameters, and what changes with trading. A perpetual, or a dated future if it has an expiry.

    Parameters: unit: token units per lot and tick; initial_margin, maintenance_margin, close_out: ppm of the notional;
    taker_fee, maker_fee (negative: a rebate): ppm of the fill; band: ppm around the mark for orders; max_age: seconds
    an index stays fresh; step_band: ppm an index may move at a time; funding_cap: ppm of the index, bound of the
    premium of which an hour's funding is an eighth; max_open_interest, max_position: lots; impact: lots a best level
    needs to count for the mid price; expiry: seconds, 0 for a perpetual; tierN: from `size` lots on, other margins.

    State: best_bid, best_ask, stop_above, stop_below (nearest armed levels), mark, index: ticks, 0 for none;
    index_time: seconds; open_interest: lots; insurance: token units of the insurance fund, which takes the fees; pool:
    token units of funding paid in and not yet out; funding: token units a lot has paid since listing, times 2**32;
    premium: smoothed premium of the book over the index, ticks times 2**16; sampled: seconds, its last sample;
    halted_until: seconds; settled: 1 once a dated future has its settlement price (in mark); twap_sum, twap_count:
    index samples for it.
    """

    __slots__ = (
        "band",
        "best_ask",
        "best_bid",
        "close_out",
        "expiry",
        "funding",
        "funding_cap",
        "halted_until",
        "impact",
        "index",
        "index_time",
        "initial_margin",
        "insurance",
        "maintenance_margin",
        "maker_fee",
        "mark",
        "max_age",
        "max_open_interest",
        "max_position",
        "open_interest",
        "pool",
        "premium",
        "sampled",
        "settled",
        "step_band",
        "stop_above",
        "stop_below",
        "taker_fee",
        "tier1_initial",
        "tier1_maintenance",
        "tier1_size",
        "tier2_initial",
        "tier2_maintenance",
        "tier2_size",
        "twap_count",
        "twap_sum",
        "unit",
    )

    def __init__(self) -> None:
        self.unit = 0
        self.initial_margin = 0
        self.maintenance_margin = 0
        self.taker_fee = 0
        self.maker_fee = 0
        self.band = 0
        self.max_age = 0
        self.best_bid = 0
        self.best_ask = 0
        self.mark = 0
        self.index = 0
        self.index_time = 0
        self.open_interest = 0
        self.insurance = 0
        self.pool = 0
        self.funding = 0
        self.premium = 0
        self.sampled = 0
        self.step_band = 0
        self.funding_cap = 0
        self.close_out = 0
        self.settled = 0
        self.max_open_interest = 0
        self.max_position = 0
        self.impact = 0
        self.halted_until = 0
        self.expiry = 0
        self.stop_above = 0
        self.stop_below = 0
        self.tier1_size = 0
        self.tier1_initial = 0
        self.tier1_maintenance = 0
        self.tier2_size = 0
        self.tier2_initial = 0
        self.tier2_maintenance = 0
        self.twap_sum = 0
        self.twap_count = 0


class Oracle:
    """The latest report of each registered signer on one market: `prices` in ticks, `times` in seconds."""

    __slots__ = ("prices", "times")

    def __init__(self) -> None:
        self.prices = [0] * MAX_SIGNERS
        self.times = [0] * MAX_SIGNERS


class Signers:
    """The oracle's registered signers: 20-byte `owners`, of which `count` places are used; `max_age` in seconds."""

    __slots__ = ("count", "max_age", "owners", "quorum")

    def __init__(self) -> None:
        self.count = 0
        self.quorum = 0
        self.max_age = 0
        self.owners = [bytes(20)] * MAX_SIGNERS


class Withdrawal:
    """A withdrawal the machine granted: L1 pays `amount` token units to `owner` once the root is confirmed."""

    __slots__ = ("account", "amount", "owner")

    def __init__(self) -> None:
        self.account = 0
        self.owner = bytes(20)
        self.amount = 0


class Agent:
    """A key that may trade for a master account until `expiry` (seconds); `address` 20 bytes."""

    __slots__ = ("address", "expiry")

    def __init__(self) -> None:
        self.expiry = 0
        self.address = bytes(20)


class Parked:
    """A record of the L1 queue that the machine had no time for yet: the `body` of its message, b"" for none."""

    __slots__ = ("body",)

    def __init__(self) -> None:
        self.body = b""


Leaf = Account | Order | Level | Bitmap | Market | Oracle | Signers | Withdrawal | Agent | Parked


def _signed_word(value: int) -> bytes:
    return value.to_bytes(32, "big", signed=True)


def _signed_half(value: int) -> bytes:
    return value.to_bytes(16, "big", signed=True)


def _signed(word: bytes) -> int:
    return int.from_bytes(word, "big", signed=True)


def encode_account(leaf: Account) -> bytes:
    """20 words, or b"" for an account that does not exist."""
    parts = [
        _ACCOUNT.pack(
            leaf.epoch,
            leaf.deadline,
            leaf.owner,
            _signed_word(leaf.collateral),
            leaf.subs,
            leaf.shares.to_bytes(16, "big"),
            leaf.nonce_top,
            leaf.nonce_bitmap.to_bytes(32, "big"),
        )
    ]
    for p in leaf.positions:
        if p.market:
            parts.append(
                _POSITION.pack(p.market, p.size, p.bids, p.asks, _signed_half(p.cost), _signed_half(p.funding))
            )
        else:
            parts.append(_EMPTY_POSITION)
    return _absent_if_zero(b"".join(parts))


def decode_account(value: bytes) -> Account:
    """The inverse of `encode_account`."""
    if not value:
        return Account()
    leaf = Account.__new__(Account)  # not through __init__, whose eight positions would be thrown away
    leaf.epoch, leaf.deadline, leaf.owner, collateral, leaf.subs, shares, leaf.nonce_top, bitmap = _ACCOUNT.unpack_from(
        value
    )
    leaf.collateral = _signed(collateral)
    leaf.shares = int.from_bytes(shares, "big")
    leaf.nonce_bitmap = int.from_bytes(bitmap, "big")
    leaf.positions = [
        Position(market, size, bids, asks, _signed(cost), _signed(funding)) if market else Position()
        for market, size, bids, asks, cost, funding in _POSITION.iter_unpack(value[_ACCOUNT.size :])
    ]
    return leaf


def encode_order(leaf: Order) -> bytes:
    """2 words, or b"" for a free order slot."""
    return _absent_if_zero(
        _ORDER.pack(
            leaf.market,
            leaf.side,
            leaf.flags,
            leaf.price,
            leaf.size,
            leaf.prev,
            leaf.next,
            leaf.epoch,
            leaf.expiry,
            leaf.client,
            leaf.sequence,
            leaf.trigger,
        )
    )


def decode_order(value: bytes) -> Order:
    """The inverse of `encode_order`."""
    leaf = Order()
    if value:
        (
            leaf.market,
            leaf.side,
            leaf.flags,
            leaf.price,
            leaf.size,
            leaf.prev,
            leaf.next,
            leaf.epoch,
            leaf.expiry,
            leaf.client,
            leaf.sequence,
            leaf.trigger,
        ) = _ORDER.unpack(value)
    return leaf


def encode_level(leaf: Level) -> bytes:
    """1 word, or b"" for a level without orders."""
    return _absent_if_zero(_LEVEL.pack(leaf.head, leaf.tail, leaf.size, leaf.count))


def decode_level(value: bytes) -> Level:
    """The inverse of `encode_level`."""
    leaf = Level()
    if value:
        leaf.head, leaf.tail, leaf.size, leaf.count = _LEVEL.unpack(value)
    return leaf


def encode_bitmap(leaf: Bitmap) -> bytes:
    """1 word, or b"" for no bit set."""
    return leaf.word.to_bytes(32, "big") if leaf.word else b""


def decode_bitmap(value: bytes) -> Bitmap:
    """The inverse of `encode_bitmap`."""
    leaf = Bitmap()
    leaf.word = int.from_bytes(value, "big")
    return leaf


def encode_market(leaf: Market) -> bytes:
    """9 words, or b"" for a market that is not listed."""
    return _absent_if_zero(
        _MARKET.pack(
            leaf.unit,
            leaf.initial_margin,
            leaf.maintenance_margin,
            leaf.taker_fee,
            leaf.maker_fee,
            leaf.band,
            leaf.max_age,
            leaf.best_bid,
            leaf.best_ask,
            leaf.mark,
            leaf.index,
            leaf.index_time,
            leaf.open_interest,
            _signed_word(leaf.insurance),
            _signed_word(leaf.pool),
            _signed_half(leaf.funding),
            leaf.premium,
            leaf.sampled,
            leaf.step_band,
            leaf.funding_cap,
            leaf.close_out,
            leaf.settled,
            leaf.max_open_interest,
            leaf.max_position,
            leaf.impact,
            leaf.halted_until,
            leaf.expiry,
            leaf.stop_above,
            leaf.stop_below,
            leaf.tier1_size,
            leaf.tier1_initial,
            leaf.tier1_maintenance,
            leaf.tier2_size,
            leaf.tier2_initial,
            leaf.tier2_maintenance,
            leaf.twap_sum,
            leaf.twap_count,
        )
    )


def decode_market(value: bytes) -> Market:
    """The inverse of `encode_market`."""
    leaf = Market()
    if value:
        (
            leaf.unit,
            leaf.initial_margin,
            leaf.maintenance_margin,
            leaf.taker_fee,
            leaf.maker_fee,
            leaf.band,
            leaf.max_age,
            leaf.best_bid,
            leaf.best_ask,
            leaf.mark,
            leaf.index,
            leaf.index_time,
            leaf.open_interest,
            insurance,
            pool,
            funding,
            leaf.premium,
            leaf.sampled,
            leaf.step_band,
            leaf.funding_cap,
            leaf.close_out,
            leaf.settled,
            leaf.max_open_interest,
            leaf.max_position,
            leaf.impact,
            leaf.halted_until,
            leaf.expiry,
            leaf.stop_above,
            leaf.stop_below,
            leaf.tier1_size,
            leaf.tier1_initial,
            leaf.tier1_maintenance,
            leaf.tier2_size,
            leaf.tier2_initial,
            leaf.tier2_maintenance,
            leaf.twap_sum,
            leaf.twap_count,
        ) = _MARKET.unpack(value)
        leaf.insurance = _signed(insurance)
        leaf.pool = _signed(pool)
        leaf.funding = _signed(funding)
    return leaf


def encode_oracle(leaf: Oracle) -> bytes:
    """4 words (seven reports of 16 bytes, the last 16 bytes zero), or b"" before the first report."""
    reports = [_REPORT.pack(leaf.prices[i], leaf.times[i]) for i in range(MAX_SIGNERS)]
    return _absent_if_zero(b"".join(reports) + bytes(16))


def decode_oracle(value: bytes) -> Oracle:
    """The inverse of `encode_oracle`."""
    leaf = Oracle()
    if value:
        for i in range(MAX_SIGNERS):
            leaf.prices[i], leaf.times[i] = _REPORT.unpack_from(value, 16 * i)
    return leaf


def encode_signers(leaf: Signers) -> bytes:
    """8 words, or b"" before the first signer."""
    words = [_SIGNERS.pack(leaf.count, leaf.quorum, leaf.max_age)]
    words += [bytes(12) + owner for owner in leaf.owners]
    return _absent_if_zero(b"".join(words))


def decode_signers(value: bytes) -> Signers:
    """The inverse of `encode_signers`."""
    leaf = Signers()
    if value:
        leaf.count, leaf.quorum, leaf.max_age = _SIGNERS.unpack_from(value)
        leaf.owners = [value[32 * i + 44 : 32 * i + 64] for i in range(MAX_SIGNERS)]
    return leaf


def encode_withdrawal(leaf: Withdrawal) -> bytes:
    """3 words: account, owner, amount (no packing: L1 rebuilds this leaf to pay it)."""
    return _absent_if_zero(_WITHDRAWAL.pack(leaf.account, leaf.owner, leaf.amount.to_bytes(16, "big")))


def decode_withdrawal(value: bytes) -> Withdrawal:
    """The inverse of `encode_withdrawal`."""
    leaf = Withdrawal()
    if value:
        leaf.account, leaf.owner, amount = _WITHDRAWAL.unpack(value)
        leaf.amount = int.from_bytes(amount, "big")
    return leaf


def encode_agent(leaf: Agent) -> bytes:
    """1 word, or b"" for no agent."""
    return _absent_if_zero(_AGENT.pack(leaf.expiry, leaf.address))


def decode_agent(value: bytes) -> Agent:
    """The inverse of `encode_agent`."""
    leaf = Agent()
    if value:
        leaf.expiry, leaf.address = _AGENT.unpack(value)
    return leaf


def encode_parked(leaf: Parked) -> bytes:
    """4 words (the 124 bytes of the message, then 4 zero bytes), or b"" for none."""
    return leaf.body.ljust(PARKED_BYTES, b"\0") if leaf.body else b""


def decode_parked(value: bytes) -> Parked:
    """The inverse of `encode_parked`."""
    leaf = Parked()
    leaf.body = value[:124]
    return leaf


def _absent_if_zero(value: bytes) -> bytes:
    return value if value.strip(b"\0") else b""
