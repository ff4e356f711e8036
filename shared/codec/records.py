"""Records and messages: the 124-byte inputs of the machine. Twin: ``contracts/codec/records.vy``.

A record is a 60-byte body and a 64-byte compact signature (EIP-2098): exactly four blob field elements of 31 bytes.
The body starts with ``type u8 | account u32 | nonce u64``, big-endian; what follows depends on the type, and the rest
is zero. A message comes from the L1 queue, has a type of 0x80 or more, and no signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

RECORD_BYTES: Final = 124
BODY_BYTES: Final = 60
SIGNATURE_BYTES: Final = 64

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
#: Kind of the machine's own orders, which no record has.
LIQUIDATION: Final = 0x7F

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

# A leg page holds up to 8 legs of 11 bytes: flags u8 | market u8 | order_slot u8 | price u24 | size u40; market 0 is no
# leg. Beside time in force, reduce-only and self-trade rule the flags say SELL_LEG, or CANCEL_LEG (then without price
# and size).
LEGS_PER_PAGE: Final = 8
LEG_BYTES: Final = 11
SELL_LEG: Final = 32
CANCEL_LEG: Final = 64

_HEAD: Final = Struct(">BIQ")
_ORDER: Final = Struct(">BIQHBBHIQIIQB")
_CANCEL: Final = Struct(">BIQHQB")
_CANCEL_ALL: Final = Struct(">BIQB")
_AMEND: Final = Struct(">BIQHIQB")
_SCHEDULE_CANCEL: Final = Struct(">BIQQB")
_SET_AGENT: Final = Struct(">BIQB20sQ")
_TRANSFER: Final = Struct(">BIQI16s")
_WITHDRAW: Final = Struct(">BIQ16s")
_REPORT: Final = Struct(">BIQHI")
_DEPOSIT: Final = Struct(">BI20s16s")
_CRANK: Final = Struct(">BIQH")
_BULK: Final = Struct(">BIQ32sB")
_BACKSTOP: Final = Struct(">BIQ16s")
_LIST_MARKET: Final = Struct(">BHQIIIiIIIIIQQQQQIIQII")
_SET_SIGNER: Final = Struct(">BH20sHI")
_FORCED: Final = Struct(">B20s60s")
_WIND_DOWN: Final = Struct(">B")

_SIZES: Final[dict[int, int]] = {
    ORDER: _ORDER.size,
    CANCEL: _CANCEL.size,
    CANCEL_ALL: _CANCEL_ALL.size,
    AMEND: _AMEND.size,
    SCHEDULE_CANCEL: _SCHEDULE_CANCEL.size,
    SET_AGENT: _SET_AGENT.size,
    CRANK: _CRANK.size,
    BULK: _BULK.size,
    LEG_PAGE: RECORD_BYTES,
    BACKSTOP_DEPOSIT: _BACKSTOP.size,
    BACKSTOP_WITHDRAW: _BACKSTOP.size,
    TRANSFER: _TRANSFER.size,
    WITHDRAW: _WITHDRAW.size,
    REPORT: _REPORT.size,
    DEPOSIT: _DEPOSIT.size,
    LIST_MARKET: _LIST_MARKET.size,
    SET_SIGNER: _SET_SIGNER.size,
    SET_MARKET: _LIST_MARKET.size,
    FORCED: _FORCED.size,
    WIND_DOWN: _WIND_DOWN.size,
}


class OrderBody(NamedTuple):
    """A limit order.

    side: BUY or SELL; flags: time in force | REDUCE_ONLY | self-trade rule | ABOVE or BELOW for an armed order;
    order_slot: one of the account's; price: ticks; size: lots; expiry: seconds, 0 for never; trigger: mark price in
    ticks that lets an armed order enter, else 0; client: the trader's own id of it; agent: number of the agent who
    signs, 0 the owner.
    """

    account: int
    nonce: int
    market: int
    side: int
    flags: int
    order_slot: int
    price: int
    size: int
    expiry: int = 0
    trigger: int = 0
    client: int = 0
    agent: int = 0


class CancelBody(NamedTuple):
    """Cancels the order in `order_slot`, if its client id is `client` (0: whatever it is)."""

    account: int
    nonce: int
    order_slot: int
    client: int = 0
    agent: int = 0


class CancelAllBody(NamedTuple):
    """Cancels every order of the account, at once."""

    account: int
    nonce: int
    agent: int = 0


class AmendBody(NamedTuple):
    """Gives the order in `order_slot` a new price and size left; a smaller size at the same price keeps its turn."""

    account: int
    nonce: int
    order_slot: int
    price: int
    size: int
    agent: int = 0


class ScheduleCancelBody(NamedTuple):
    """Dead-man's switch: every order of the account dies at `deadline` (seconds; 0: never) unless it is set anew."""

    account: int
    nonce: int
    deadline: int
    agent: int = 0


class SetAgentBody(NamedTuple):
    """Lets `key` (an address, 20 bytes) trade for the account as its agent number `agent` until `expiry` (seconds)."""

    account: int
    nonce: int
    agent: int
    key: bytes
    expiry: int


class CrankBody(NamedTuple):
    """Lets time pass on a market: samples the premium, pays funding, settles; needs no signature, account or nonce."""

    account: int
    nonce: int
    market: int


class BulkBody(NamedTuple):
    """One signature for the leg pages that follow: `leg_pages` is the hash of the first, which names the next."""

    account: int
    nonce: int
    leg_pages: bytes
    agent: int = 0


class BackstopDepositBody(NamedTuple):
    """Puts `amount` token units into the backstop vault, for shares."""

    account: int
    nonce: int
    amount: int


class BackstopWithdrawBody(NamedTuple):
    """Turns `shares` of the backstop vault back into collateral."""

    account: int
    nonce: int
    shares: int


class Leg(NamedTuple):
    """One order or cancel of a leg page; see LEGS_PER_PAGE for the flags."""

    flags: int
    market: int
    order_slot: int
    price: int = 0
    size: int = 0


class TransferBody(NamedTuple):
    """Moves `amount` token units of collateral to account `peer`."""

    account: int
    nonce: int
    peer: int
    amount: int


class WithdrawBody(NamedTuple):
    """Takes `amount` token units out, to the account's owner on L1."""

    account: int
    nonce: int
    amount: int


class ReportBody(NamedTuple):
    """Price (ticks) of a market at `time` (seconds) by the oracle signer with this index."""

    signer: int
    time: int
    market: int
    price: int


class DepositBody(NamedTuple):
    """Message: `amount` token units locked in the vault for `account`, which belongs to `owner` (20 bytes)."""

    account: int
    owner: bytes
    amount: int


class ListMarketBody(NamedTuple):
    """Message: a market and its parameters, units as in the market leaf; expiry 0 for a perpetual.

    Margin tiers: positions of `tierN_size` lots or more have the margins of tier N; size 0 where there is no such tier.
    """

    market: int
    unit: int
    initial_margin: int
    maintenance_margin: int
    taker_fee: int
    maker_fee: int
    band: int
    max_age: int = 60
    step_band: int = 100_000
    funding_cap: int = 5_000
    close_out: int = 0
    max_open_interest: int = 2**44
    max_position: int = 2**38
    impact: int = 1
    expiry: int = 0
    tier1_size: int = 0
    tier1_initial: int = 0
    tier1_maintenance: int = 0
    tier2_size: int = 0
    tier2_initial: int = 0
    tier2_maintenance: int = 0


class ForcedBody(NamedTuple):
    """Message: the record `body` (60 bytes), whose signer is `sender` (20 bytes), who put it into the queue on L1."""

    sender: bytes
    body: bytes


class SetSignerBody(NamedTuple):
    """Message: oracle signer `number` is `owner`; `quorum` and `max_age` (seconds) of the whole set."""

    number: int
    owner: bytes
    quorum: int
    max_age: int


def _body(packed: bytes) -> bytes:
    return packed.ljust(BODY_BYTES, b"\0")


def _message(packed: bytes) -> bytes:
    return packed.ljust(RECORD_BYTES, b"\0")


def encode_order(o: OrderBody) -> bytes:
    """60-byte body of an order."""
    return _body(_ORDER.pack(ORDER, *o))


def encode_cancel(c: CancelBody) -> bytes:
    """60-byte body of a cancel."""
    return _body(_CANCEL.pack(CANCEL, *c))


def encode_cancel_all(c: CancelAllBody) -> bytes:
    """60-byte body of a cancel of all orders."""
    return _body(_CANCEL_ALL.pack(CANCEL_ALL, *c))


def encode_amend(a: AmendBody) -> bytes:
    """60-byte body of an amend."""
    return _body(_AMEND.pack(AMEND, *a))


def encode_schedule_cancel(s: ScheduleCancelBody) -> bytes:
    """60-byte body of a dead-man's switch."""
    return _body(_SCHEDULE_CANCEL.pack(SCHEDULE_CANCEL, *s))


def encode_set_agent(s: SetAgentBody) -> bytes:
    """60-byte body that names an agent."""
    return _body(_SET_AGENT.pack(SET_AGENT, *s))


def encode_transfer(t: TransferBody) -> bytes:
    """60-byte body of a transfer."""
    return _body(_TRANSFER.pack(TRANSFER, t.account, t.nonce, t.peer, t.amount.to_bytes(16, "big")))


def encode_withdraw(w: WithdrawBody) -> bytes:
    """60-byte body of a withdrawal."""
    return _body(_WITHDRAW.pack(WITHDRAW, w.account, w.nonce, w.amount.to_bytes(16, "big")))


def encode_crank(market: int) -> bytes:
    """124-byte record of a crank (market 0: only let the machine go on with its own work)."""
    return _message(_CRANK.pack(CRANK, 0, 0, market))


def encode_bulk(b: BulkBody) -> bytes:
    """60-byte body of the record that signs leg pages."""
    return _body(_BULK.pack(BULK, *b))


def encode_leg_page(legs: Sequence[Leg], following: bytes = bytes(32)) -> bytes:
    """124-byte leg page of up to LEGS_PER_PAGE legs; `following` is the hash of the next page, zero after the last."""
    packed = b"".join(
        bytes((leg.flags, leg.market, leg.order_slot)) + leg.price.to_bytes(3, "big") + leg.size.to_bytes(5, "big")
        for leg in legs
    )
    return bytes((LEG_PAGE,)) + packed.ljust(LEGS_PER_PAGE * LEG_BYTES, b"\0") + following + bytes(3)


def encode_backstop_deposit(b: BackstopDepositBody) -> bytes:
    """60-byte body of a deposit into the backstop vault."""
    return _body(_BACKSTOP.pack(BACKSTOP_DEPOSIT, b.account, b.nonce, b.amount.to_bytes(16, "big")))


def encode_backstop_withdraw(b: BackstopWithdrawBody) -> bytes:
    """60-byte body of a withdrawal of shares from the backstop vault."""
    return _body(_BACKSTOP.pack(BACKSTOP_WITHDRAW, b.account, b.nonce, b.shares.to_bytes(16, "big")))


def encode_report(r: ReportBody) -> bytes:
    """60-byte body of an oracle report."""
    return _body(_REPORT.pack(REPORT, *r))


def encode_deposit(d: DepositBody) -> bytes:
    """124-byte message of a deposit."""
    return _message(_DEPOSIT.pack(DEPOSIT, d.account, d.owner, d.amount.to_bytes(16, "big")))


def encode_list_market(m: ListMarketBody) -> bytes:
    """124-byte message that lists a market."""
    return _message(_LIST_MARKET.pack(LIST_MARKET, *m))


def encode_set_market(m: ListMarketBody) -> bytes:
    """124-byte message that changes a market's parameters."""
    return _message(_LIST_MARKET.pack(SET_MARKET, *m))


def encode_set_signer(s: SetSignerBody) -> bytes:
    """124-byte message that registers an oracle signer."""
    return _message(_SET_SIGNER.pack(SET_SIGNER, *s))


def encode_forced(f: ForcedBody) -> bytes:
    """124-byte message of a record that its sender vouches for."""
    return _message(_FORCED.pack(FORCED, *f))


def encode_wind_down() -> bytes:
    """124-byte message that begins the wind-down."""
    return _message(_WIND_DOWN.pack(WIND_DOWN))


def decode_order(body: bytes) -> OrderBody:
    """Fields of an order's body."""
    return OrderBody(*_ORDER.unpack_from(body)[1:])


def decode_cancel(body: bytes) -> CancelBody:
    """Fields of a cancel's body."""
    return CancelBody(*_CANCEL.unpack_from(body)[1:])


def decode_cancel_all(body: bytes) -> CancelAllBody:
    """Fields of a cancel-all's body."""
    return CancelAllBody(*_CANCEL_ALL.unpack_from(body)[1:])


def decode_amend(body: bytes) -> AmendBody:
    """Fields of an amend's body."""
    return AmendBody(*_AMEND.unpack_from(body)[1:])


def decode_schedule_cancel(body: bytes) -> ScheduleCancelBody:
    """Fields of a dead-man's switch's body."""
    return ScheduleCancelBody(*_SCHEDULE_CANCEL.unpack_from(body)[1:])


def decode_set_agent(body: bytes) -> SetAgentBody:
    """Fields of the body that names an agent."""
    return SetAgentBody(*_SET_AGENT.unpack_from(body)[1:])


def decode_transfer(body: bytes) -> TransferBody:
    """Fields of a transfer's body."""
    _, account, nonce, peer, amount = _TRANSFER.unpack_from(body)
    return TransferBody(account, nonce, peer, int.from_bytes(amount, "big"))


def decode_withdraw(body: bytes) -> WithdrawBody:
    """Fields of a withdrawal's body."""
    _, account, nonce, amount = _WITHDRAW.unpack_from(body)
    return WithdrawBody(account, nonce, int.from_bytes(amount, "big"))


def decode_crank(body: bytes) -> CrankBody:
    """Fields of a crank."""
    return CrankBody(*_CRANK.unpack_from(body)[1:])


def decode_bulk(body: bytes) -> BulkBody:
    """Fields of a bulk record's body."""
    return BulkBody(*_BULK.unpack_from(body)[1:])


def decode_backstop_deposit(body: bytes) -> BackstopDepositBody:
    """Fields of the body of a deposit into the backstop vault."""
    _, account, nonce, amount = _BACKSTOP.unpack_from(body)
    return BackstopDepositBody(account, nonce, int.from_bytes(amount, "big"))


def decode_backstop_withdraw(body: bytes) -> BackstopWithdrawBody:
    """Fields of the body of a withdrawal from the backstop vault."""
    _, account, nonce, shares = _BACKSTOP.unpack_from(body)
    return BackstopWithdrawBody(account, nonce, int.from_bytes(shares, "big"))


def decode_leg(leg: int) -> Leg:
    """Fields of a leg, given as the integer of its 11 bytes."""
    return Leg(leg >> 80, leg >> 72 & 0xFF, leg >> 64 & 0xFF, leg >> 40 & 0xFFFFFF, leg & 0xFFFFFFFFFF)


def decode_report(body: bytes) -> ReportBody:
    """Fields of an oracle report's body."""
    return ReportBody(*_REPORT.unpack_from(body)[1:])


def decode_deposit(message: bytes) -> DepositBody:
    """Fields of a deposit message."""
    _, account, owner, amount = _DEPOSIT.unpack_from(message)
    return DepositBody(account, owner, int.from_bytes(amount, "big"))


def decode_list_market(message: bytes) -> ListMarketBody:
    """Fields of a listing message."""
    return ListMarketBody(*_LIST_MARKET.unpack_from(message)[1:])


def decode_set_signer(message: bytes) -> SetSignerBody:
    """Fields of a signer message."""
    return SetSignerBody(*_SET_SIGNER.unpack_from(message)[1:])


def decode_forced(message: bytes) -> ForcedBody:
    """Fields of a forced message."""
    return ForcedBody(*_FORCED.unpack_from(message)[1:])


def get_head(body: bytes) -> tuple[int, int, int]:
    """(type, account, nonce) of a record's body."""
    kind, account, nonce = _HEAD.unpack_from(body)
    return kind, account, nonce


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
    return not data[size:end].strip(b"\0")
