"""Records and messages: the 124-byte inputs of the machine. Twin: ``contracts/codec/records.vy``.

A record is a 60-byte body and a 64-byte compact signature (EIP-2098): exactly four blob field elements of 31 bytes.
The body of most starts with ``type u8 | account u32 | nonce u64``, big-endian; what follows depends on the type, and
the rest is zero. A message comes from the L1 queue, has a type of 0x80 or more, and no signature. Whatever comes from
the queue is stamped: its 124 bytes and the time at which it was queued, MESSAGE_BYTES together.

The classes below say what a body's fields are, and nothing says it again: how they are packed, signed, and shown as
JSON follows from their annotations (``layout.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Annotated, Any, Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.layout import (
    I32,
    U8,
    U16,
    U24,
    U32,
    U40,
    U64,
    U128,
    Address,
    At,
    Body,
    Bytes8,
    Bytes32,
    Bytes60,
    Bytes88,
    InputType,
    Range,
    Width,
    fields_of,
    make_integer_decoder,
)
from setoff.shared.errors import InputError

RECORD_BYTES: Final = 124
BODY_BYTES: Final = 60
SIGNATURE_BYTES: Final = 64
STAMP_BYTES: Final = 8
MESSAGE_BYTES: Final = RECORD_BYTES + STAMP_BYTES

ORDER: Final = 1
CANCEL: Final = 2
TRANSFER: Final = 3
WITHDRAW: Final = 4
REPORT: Final = 5
CANCEL_ALL: Final = 6
AMEND: Final = 7
SCHEDULE_CANCEL: Final = 8
SET_AGENT: Final = 9
CRANK: Final = 10
BULK: Final = 11
LEG_PAGE: Final = 12
BACKSTOP_DEPOSIT: Final = 13
BACKSTOP_WITHDRAW: Final = 14
FIRST_MESSAGE: Final = 0x80
DEPOSIT: Final = 0x81
LIST_MARKET: Final = 0x82
SET_SIGNER: Final = 0x83
SET_MARKET: Final = 0x84
FORCED: Final = 0x85
WIND_DOWN: Final = 0x86
SET_TERMS: Final = 0x87
LIQUIDATION: Final = 0x7F
"""Kind of the machine's own orders, which no record has."""

BUY: Final = 0
SELL: Final = 1
# Flags of an order: time in force (two bits), reduce-only, what happens to orders of one owner that meet (two bits).
GTC: Final = 0
IOC: Final = 1
POST_ONLY: Final = 2
FOK: Final = 3
TIME_IN_FORCE: Final = 3
REDUCE_ONLY: Final = 4
CANCEL_MAKER: Final = 0
CANCEL_TAKER: Final = 8
CANCEL_BOTH: Final = 16
SELF_TRADE: Final = 24
ABOVE: Final = 32
BELOW: Final = 64
ARMED: Final = 96

# A leg page holds up to 8 legs of 11 bytes. Beside time in force, reduce-only and self-trade rule a leg's flags say
# SELL_LEG, or CANCEL_LEG (then without price and size).
LEGS_PER_PAGE: Final = 8
LEG_BYTES: Final = 11
SELL_LEG: Final = 32
CANCEL_LEG: Final = 64

AGENT_KINDS: Final = 1 << ORDER | 1 << CANCEL | 1 << CANCEL_ALL | 1 << AMEND | 1 << SCHEDULE_CANCEL | 1 << BULK
"""Types of records that an agent may sign: bit t for type t."""

# Bounds of market parameters.
MAX_POSITION: Final = 2**38
MAX_UNIT: Final = 2**32
MAX_FEE: Final = 100_000
TEN_THOUSAND: Final = 10_000
MAX_ACTIVITY: Final = 2**96
"""Token units: above what any owner's activity counts."""

Account = Annotated[int, Width("uint32", "unknown_account")]
Market = Annotated[int, Width("uint16", "unknown_market")]
OrderSlot = Annotated[int, Width("uint16", "order_slot_out_of_range")]
Price = Annotated[int, Width("uint32", "price_out_of_range")]
Size = Annotated[int, Width("uint64", "size_out_of_range")]
Amount = Annotated[int, Width("uint128", "amount_out_of_range")]
Signer = Annotated[int, Width("uint32", "unknown_signer")]
ReportTime = Annotated[int, Width("uint64", "future_report")]
Time = Annotated[int, Width("uint64", is_time=True)]


class OrderBody(NamedTuple):
    """A limit order.

    side: BUY or SELL; flags: time in force | REDUCE_ONLY | self-trade rule | ABOVE or BELOW for an armed order;
    order_slot: one of the account's; price: ticks; size: lots; expiry: seconds, 0 for never; trigger: mark price in
    ticks that lets an armed order enter, else 0; client: the trader's own id of it; partner: 1 + order slot of the
    armed order that leaves when this one fires, and takes this one out when it fires, 0 for none; agent: number of the
    agent who signs, 0 the owner.
    """

    account: Account
    nonce: U64
    market: Market
    side: U8
    flags: U8
    order_slot: OrderSlot
    price: Price
    size: Size
    expiry: U32 = 0
    trigger: U32 = 0
    client: U64 = 0
    partner: OrderSlot = 0
    agent: U8 = 0


class CancelBody(NamedTuple):
    """Cancels the order in `order_slot`, if its client id is `client` (0: whatever it is)."""

    account: Account
    nonce: U64
    order_slot: OrderSlot
    client: U64 = 0
    agent: U8 = 0


class CancelAllBody(NamedTuple):
    """Cancels every order of the account, at once."""

    account: Account
    nonce: U64
    agent: U8 = 0


class AmendBody(NamedTuple):
    """Gives the order in `order_slot` a new price and size left; a smaller size at the same price keeps its turn."""

    account: Account
    nonce: U64
    order_slot: OrderSlot
    price: Price
    size: Size
    agent: U8 = 0


class ScheduleCancelBody(NamedTuple):
    """Dead-man's switch: every order of the account dies at `deadline` (seconds; 0: never) unless it is set anew."""

    account: Account
    nonce: U64
    deadline: U64
    agent: U8 = 0


class SetAgentBody(NamedTuple):
    """Lets `key` (an address, 20 bytes) trade for the account as its agent number `agent` until `expiry` (seconds).

    Address zero takes away the right of whoever has that number. session: higher than any before, of all the account's
    agents; it is the upper half of this agent's nonces. The rest is what the agent may touch, zero for everything.
    subs: bit s stands for sub-account s (0: the master itself); kinds: bit t for records of type t; markets: up to
    eight market numbers, a byte each; limits: CLOSES_ONLY, and the most lots of an order (`rules/agents.py`).
    """

    account: Account
    nonce: U64
    agent: U8
    key: Address
    expiry: U64
    session: U32
    subs: U16 = 0
    kinds: U16 = 0
    markets: Bytes8 = bytes(8)
    limits: U16 = 0


class CrankBody(NamedTuple):
    """Lets time pass on a market: samples the premium, pays funding, settles; needs no signature, account or nonce."""

    account: Account
    nonce: U64
    market: Market


class BulkBody(NamedTuple):
    """One signature for the leg pages that follow: `leg_pages` is the hash of the first, which names the next."""

    account: Account
    nonce: U64
    leg_pages: Bytes32
    agent: U8 = 0


class BackstopDepositBody(NamedTuple):
    """Puts `amount` token units into the backstop vault, for shares."""

    account: Account
    nonce: U64
    amount: Amount


class BackstopWithdrawBody(NamedTuple):
    """Turns `shares` of the backstop vault back into collateral."""

    account: Account
    nonce: U64
    shares: Amount


class Leg(NamedTuple):
    """One order or cancel of a leg page; see LEGS_PER_PAGE for the flags. Market 0 is no leg."""

    flags: U8
    market: U8
    order_slot: U8
    price: U24 = 0
    size: U40 = 0


class LegPageBody(NamedTuple):
    """Its legs (8 of 11 bytes), and the hash of the `following` leg page, zero after the last; no account, no nonce."""

    legs: Bytes88
    following: Bytes32


class TransferBody(NamedTuple):
    """Moves `amount` token units of collateral to account `peer`."""

    account: Account
    nonce: U64
    peer: Account
    amount: Amount


class WithdrawBody(NamedTuple):
    """Takes `amount` token units out, to the account's owner on L1."""

    account: Account
    nonce: U64
    amount: Amount


class ReportBody(NamedTuple):
    """Price (ticks) of a market at `time` (seconds) by the oracle signer with this index."""

    signer: Signer
    time: ReportTime
    market: Market
    price: Price


class DepositBody(NamedTuple):
    """Message: `amount` token units locked in the vault for `account`, which belongs to `owner` (20 bytes)."""

    account: Account
    owner: Address
    amount: Amount


@dataclass(slots=True)
class MarketParameters:
    """What a listing says of a market. The market's leaf keeps each of them (`state/leaves.py`), where `At` says.

    The defaults are those of a listing that leaves them out; what else the rules ask of them beside the ranges is in
    `rules/listing.py`.
    """

    unit: Annotated[U64, At(0), Range(1, MAX_UNIT - 1)]
    """Token units per lot and tick; it stays what it was when the market was listed."""
    initial_margin: Annotated[U32, Range(high=PPM)]
    """Ppm of the notional, as the next."""
    maintenance_margin: Annotated[U32, Range(low=1)]
    taker_fee: Annotated[U32, Range(high=MAX_FEE)]
    """Ppm of the fill."""
    maker_fee: Annotated[I32, Range(high=MAX_FEE)]
    """Ppm of the fill; negative for a rebate."""
    band: Annotated[U32, Range(1, PPM)]
    """Ppm around the mark, for orders, and of the index, for a sample of the premium."""
    max_age: Annotated[U32, Range(low=1)] = 60
    """Seconds an index stays fresh."""
    step_band: Annotated[U32, At(160), Range(1, PPM)] = 100_000
    """Ppm an index may move within an interval (`rules/phases.py`)."""
    funding_cap: Annotated[U32, Range(high=MAX_FEE)] = 5_000
    """Ppm of the index: bound of the premium, an eighth of which is paid an hour."""
    close_out: U32 = 0
    """Ppm of the notional."""
    max_open_interest: Annotated[U64, At(176)] = 2**44
    """Lots."""
    max_position: Annotated[U64, Range(1, MAX_POSITION)] = 2**38
    """Lots."""
    impact: U64 = 1
    """Lots a best level needs to count for the mid price."""
    expiry: Annotated[Time, At(208)] = 0
    """Seconds, 0 for a perpetual; it stays what it was when the market was listed."""
    tier1_size: Annotated[U64, At(224)] = 0
    """Lots, beyond which each bears the next two margins (ppm); 0 where there is no such tier."""
    tier1_initial: U32 = 0
    tier1_maintenance: U32 = 0
    tier2_size: U64 = 0
    """As tier 1."""
    tier2_initial: U32 = 0
    tier2_maintenance: U32 = 0
    order_margin: Annotated[U64, At(280)] = 0
    """Token units of initial margin for each order that has a leaf, and once for a position."""
    backstop_cap: Annotated[U32, At(296)] = 0
    """Ppm of the backstop's equity that its position is worth at most, 0 for no such limit."""
    call_minutes: Annotated[U8, At(172)] = 0
    """Minutes for which it collects orders for an auction, after listing and when it is halted; 0: it holds none."""


class ListMarketBody(NamedTuple):
    """Message: a market and its parameters."""

    market: U16
    parameters: MarketParameters


class SetMarketBody(NamedTuple):
    """Message: new parameters of a market, which keeps its unit and expiry."""

    market: U16
    parameters: MarketParameters


class ForcedBody(NamedTuple):
    """Message: the record `body` (60 bytes), whose signer is `sender` (20 bytes), who put it into the queue on L1."""

    sender: Address
    body: Bytes60


class SetSignerBody(NamedTuple):
    """Message: oracle signer `number` is `owner`; `quorum` and `max_age` (seconds) of the whole set."""

    number: U16
    owner: Address
    quorum: U16
    max_age: U32


@dataclass(slots=True)
class ExchangeTerms:
    """What holds for the whole exchange, and is kept in the leaf of its terms: how fees fall with an owner's activity,
    who gets them, and how initial margins rise with open interest.

    From `low` to `high` what is saved rises evenly from nothing to the two savings. Where `high` is 0 nothing is
    (`rules/fees.py`).
    """

    low: U128 = 0
    """Token units of activity, as the next."""
    high: Annotated[U128, Range(high=MAX_ACTIVITY)] = 0
    taker_saving: Annotated[U32, Range(high=PPM)] = 0
    """Ppm of the market's taker fee, by which that fee falls at most."""
    maker_saving: Annotated[U32, Range(high=PPM)] = 0
    """Ppm of the market's taker fee, by which the maker's fee falls at most."""
    most_rebate: Annotated[U32, Range(high=PPM)] = 0
    """Ppm of the fee that the taker of a fill pays: its maker gets no more."""
    backstop_share: Annotated[U32, Range(high=PPM)] = 0
    """Ppm of the fees that a market keeps which go on to the backstop."""
    treasury_share: Annotated[U32, Range(high=PPM)] = 0
    """Ppm of them which go on to the treasury."""
    insurance_floor: U32 = 0
    """Ppm of what a market's open interest is worth, that its insurance keeps in any case."""
    treasury: U32 = 0
    """A master account, 0 for none."""
    scale_from: Annotated[U16, Range(high=TEN_THOUSAND)] = 0
    """Ten-thousandths of a market's largest open interest, from which on its initial margins rise."""
    scale_most: Annotated[U16, Range(high=TEN_THOUSAND)] = 0
    """Ten-thousandths of the way to full margin, which they have risen then (`rules/scale.py`), 0: not."""


class SetTermsBody(NamedTuple):
    """Message: the terms of the whole exchange."""

    terms: ExchangeTerms


class WindDownBody(NamedTuple):
    """Message: the exchange begins to wind down."""


def _record(number: int, body: type[Body], *, is_signed: bool = True) -> InputType[Body]:
    return InputType(number, body, BODY_BYTES, is_signed=is_signed)


def _message(number: int, body: type[Body], *, size: int | None = None) -> InputType[Body]:
    return InputType(number, body, RECORD_BYTES, is_signed=False, size=size)


TYPES: Final[dict[int, InputType[Any]]] = {
    each.number: each
    for each in (
        _record(ORDER, OrderBody),
        _record(CANCEL, CancelBody),
        _record(TRANSFER, TransferBody),
        _record(WITHDRAW, WithdrawBody),
        _record(REPORT, ReportBody),
        _record(CANCEL_ALL, CancelAllBody),
        _record(AMEND, AmendBody),
        _record(SCHEDULE_CANCEL, ScheduleCancelBody),
        _record(SET_AGENT, SetAgentBody),
        _record(CRANK, CrankBody, is_signed=False),
        _record(BULK, BulkBody),
        _message(LEG_PAGE, LegPageBody, size=RECORD_BYTES),
        _record(BACKSTOP_DEPOSIT, BackstopDepositBody),
        _record(BACKSTOP_WITHDRAW, BackstopWithdrawBody),
        _message(DEPOSIT, DepositBody),
        _message(LIST_MARKET, ListMarketBody),
        _message(SET_SIGNER, SetSignerBody),
        _message(SET_MARKET, SetMarketBody),
        _message(FORCED, ForcedBody),
        _message(WIND_DOWN, WindDownBody),
        _message(SET_TERMS, SetTermsBody),
    )
}
"""Every type of input, by number. (A leg page fills a whole input, as messages do.)"""
SIGNED: Final = {number: each for number, each in TYPES.items() if each.is_signed}
"""Those that somebody signs."""
UNUSED: Final = max(number for number in TYPES if number < LIQUIDATION) + 1
"""The next number for a record: until then refused as unknown."""

_BY_BODY: Final = {each.body: each for each in TYPES.values()}
_ENCODERS: Final = {each.body: each.encode for each in TYPES.values()}
_SIZES: Final = {number: each.size for number, each in TYPES.items()}
_STRUCT_ENCODERS: Final = {number: each.make_struct_encoder() for number, each in SIGNED.items()}
_HEAD: Final = Struct(">BIQ")
_LEG_SIZES: Final = tuple(field.size for field in fields_of(Leg))


def encode(body: tuple[Any, ...]) -> bytes:
    """The 60-byte body of a record, or a whole message of 124 bytes.

    Takes one of the classes above. Raises struct.error or OverflowError for a number beyond its field.
    """
    return _ENCODERS[type(body)](body)


def encode_crank(market: int) -> bytes:
    """124-byte record of a crank (market 0: only let the machine go on with its own work)."""
    return encode(CrankBody(0, 0, market)).ljust(RECORD_BYTES, b"\0")


def encode_leg_page(legs: Sequence[Leg], following: bytes = bytes(32)) -> bytes:
    """124-byte leg page of up to LEGS_PER_PAGE legs; `following` is the hash of the next one, zero after the last."""
    packed = b"".join(value.to_bytes(size, "big") for leg in legs for size, value in zip(_LEG_SIZES, leg, strict=True))
    return encode(LegPageBody(packed, following)).ljust(RECORD_BYTES, b"\0")


def decode(data: bytes) -> Any:
    """Fields of an input, or of a record's body, of any type. Raises InputError("malformed_record") if unknown."""
    if data[0] not in TYPES:
        raise InputError("malformed_record", f"there is no type {data[0]} of record or message")
    return TYPES[data[0]].decode(data)


def _decoder(body: type[Body]) -> Callable[[bytes], Body]:
    """What reads an input, or a record's body, that is known to be of this type."""
    return _BY_BODY[body].decode


decode_order: Final = _decoder(OrderBody)
decode_cancel: Final = _decoder(CancelBody)
decode_cancel_all: Final = _decoder(CancelAllBody)
decode_amend: Final = _decoder(AmendBody)
decode_schedule_cancel: Final = _decoder(ScheduleCancelBody)
decode_set_agent: Final = _decoder(SetAgentBody)
decode_transfer: Final = _decoder(TransferBody)
decode_withdraw: Final = _decoder(WithdrawBody)
decode_crank: Final = _decoder(CrankBody)
decode_bulk: Final = _decoder(BulkBody)
decode_backstop_deposit: Final = _decoder(BackstopDepositBody)
decode_backstop_withdraw: Final = _decoder(BackstopWithdrawBody)


decode_leg: Final = make_integer_decoder(Leg)
"""Fields of a leg, given as the integer of its 11 bytes."""
decode_report: Final = _decoder(ReportBody)
decode_deposit: Final = _decoder(DepositBody)
decode_list_market: Final = _decoder(ListMarketBody)
decode_set_signer: Final = _decoder(SetSignerBody)
decode_set_terms: Final = _decoder(SetTermsBody)
decode_forced: Final = _decoder(ForcedBody)


def get_head(body: bytes) -> tuple[int, int, int]:
    """(type, account, nonce) of a record's body."""
    kind, account, nonce = _HEAD.unpack_from(body)
    return kind, account, nonce


def stamp_message(body: bytes, time: int) -> bytes:
    """The message of 124 bytes `body` that was queued at `time`, unix seconds."""
    return body + time.to_bytes(STAMP_BYTES, "big")


def split_message(message: bytes) -> tuple[bytes, int]:
    """(its 124 bytes, when it was queued, unix seconds) of a message."""
    return message[:RECORD_BYTES], int.from_bytes(message[RECORD_BYTES:], "big")


def is_forceable(body: bytes) -> bool:
    """Whether a record's body may come without a signature from whom the queue names as its sender.

    Reports are an oracle signer's, cranks need nobody, and bulks and their leg pages do not come through the queue.
    """
    return body[0] < FIRST_MESSAGE and body[0] not in (REPORT, CRANK, BULK, LEG_PAGE) and is_canonical(body)


def is_canonical(data: bytes) -> bool:
    """Whether the type is known and every byte after its fields (up to the signature, if any) is zero.

    Takes an input (124 bytes) or a record's body (60 bytes). Of a forced message it says nothing about the body within.
    """
    kind = data[0]
    size = _SIZES.get(kind)
    if size is None:
        return False
    end = RECORD_BYTES if kind >= FIRST_MESSAGE else BODY_BYTES
    # Cut twice: compiled, a slice whose end lies before its start is an error.
    return not data[:end][size:].strip(b"\0")


def encode_struct(body: bytes) -> bytes:
    """What EIP-712's hashStruct of a signed record's body is the hash of: the type's hash, a word for each field.

    Raises InputError("malformed_record") for a type nobody signs.
    """
    if body[0] not in _STRUCT_ENCODERS:
        raise InputError("malformed_record", f"nobody signs a record of type {body[0]}")
    return _STRUCT_ENCODERS[body[0]](body)


def struct_hash(body: bytes) -> bytes:
    """EIP-712's hashStruct of a signed record's body. Raises InputError("malformed_record") for a type nobody signs."""
    return keccak(encode_struct(body))
