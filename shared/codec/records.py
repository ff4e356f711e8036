"""Records and messages: the 124-byte inputs of the machine. Twin: ``contracts/codec/records.vy``.

A record is a 60-byte body and a 64-byte compact signature (EIP-2098): exactly four blob field elements of 31 bytes.
The body starts with ``type u8 | account u32 | nonce u64``, big-endian; what follows depends on the type, and the rest
is zero. A message comes from the L1 queue, has a type of 0x80 or more, and no signature.
"""

from __future__ import annotations

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
FIRST_MESSAGE: Final = 0x80
DEPOSIT: Final = 0x81
LIST_MARKET: Final = 0x82
SET_SIGNER: Final = 0x83

BUY: Final = 0
SELL: Final = 1
GTC: Final = 0
IOC: Final = 1
POST_ONLY: Final = 2

_HEAD: Final = Struct(">BIQ")
_ORDER: Final = Struct(">BIQHBBHIQ")
_CANCEL: Final = Struct(">BIQH")
_TRANSFER: Final = Struct(">BIQI16s")
_WITHDRAW: Final = Struct(">BIQ16s")
_REPORT: Final = Struct(">BIQHI")
_DEPOSIT: Final = Struct(">BI20s16s")
_LIST_MARKET: Final = Struct(">BHQIIIiI")
_SET_SIGNER: Final = Struct(">BH20sHI")

_SIZES: Final[dict[int, int]] = {
    ORDER: _ORDER.size,
    CANCEL: _CANCEL.size,
    TRANSFER: _TRANSFER.size,
    WITHDRAW: _WITHDRAW.size,
    REPORT: _REPORT.size,
    DEPOSIT: _DEPOSIT.size,
    LIST_MARKET: _LIST_MARKET.size,
    SET_SIGNER: _SET_SIGNER.size,
}


class OrderBody(NamedTuple):
    """A limit order: side BUY or SELL; flags GTC, IOC or POST_ONLY; place: order slot; price: ticks; size: lots."""

    account: int
    nonce: int
    market: int
    side: int
    flags: int
    place: int
    price: int
    size: int


class CancelBody(NamedTuple):
    """Cancels the order in slot `place`."""

    account: int
    nonce: int
    place: int


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
    """An oracle signer's price of a market: `account` is the signer's index, `nonce` the price's time in seconds."""

    account: int
    nonce: int
    market: int
    price: int


class DepositBody(NamedTuple):
    """Message: `amount` token units locked in the vault for `account`, which belongs to `owner` (20 bytes)."""

    account: int
    owner: bytes
    amount: int


class ListMarketBody(NamedTuple):
    """Message: the next market and its parameters (unit in token units per lot and tick, the rest in ppm)."""

    market: int
    unit: int
    initial_margin: int
    maintenance_margin: int
    taker_fee: int
    maker_fee: int
    band: int


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
    return _body(_ORDER.pack(ORDER, o.account, o.nonce, o.market, o.side, o.flags, o.place, o.price, o.size))


def encode_cancel(c: CancelBody) -> bytes:
    """60-byte body of a cancel."""
    return _body(_CANCEL.pack(CANCEL, c.account, c.nonce, c.place))


def encode_transfer(t: TransferBody) -> bytes:
    """60-byte body of a transfer."""
    return _body(_TRANSFER.pack(TRANSFER, t.account, t.nonce, t.peer, t.amount.to_bytes(16, "big")))


def encode_withdraw(w: WithdrawBody) -> bytes:
    """60-byte body of a withdrawal."""
    return _body(_WITHDRAW.pack(WITHDRAW, w.account, w.nonce, w.amount.to_bytes(16, "big")))


def encode_report(r: ReportBody) -> bytes:
    """60-byte body of an oracle report."""
    return _body(_REPORT.pack(REPORT, r.account, r.nonce, r.market, r.price))


def encode_deposit(d: DepositBody) -> bytes:
    """124-byte message of a deposit."""
    return _message(_DEPOSIT.pack(DEPOSIT, d.account, d.owner, d.amount.to_bytes(16, "big")))


def encode_list_market(m: ListMarketBody) -> bytes:
    """124-byte message that lists a market."""
    return _message(_LIST_MARKET.pack(LIST_MARKET, *m))


def encode_set_signer(s: SetSignerBody) -> bytes:
    """124-byte message that registers an oracle signer."""
    return _message(_SET_SIGNER.pack(SET_SIGNER, *s))


def decode_order(body: bytes) -> OrderBody:
    """Fields of an order's body."""
    return OrderBody(*_ORDER.unpack_from(body)[1:])


def decode_cancel(body: bytes) -> CancelBody:
    """Fields of a cancel's body."""
    return CancelBody(*_CANCEL.unpack_from(body)[1:])


def decode_transfer(body: bytes) -> TransferBody:
    """Fields of a transfer's body."""
    _, account, nonce, peer, amount = _TRANSFER.unpack_from(body)
    return TransferBody(account, nonce, peer, int.from_bytes(amount, "big"))


def decode_withdraw(body: bytes) -> WithdrawBody:
    """Fields of a withdrawal's body."""
    _, account, nonce, amount = _WITHDRAW.unpack_from(body)
    return WithdrawBody(account, nonce, int.from_bytes(amount, "big"))


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


def get_head(body: bytes) -> tuple[int, int, int]:
    """(type, account, nonce) of a record's body."""
    kind, account, nonce = _HEAD.unpack_from(body)
    return kind, account, nonce


def is_canonical(data: bytes) -> bool:
    """Whether the type is known and every byte after its fields (up to the signature, if any) is zero."""
    kind = data[0]
    size = _SIZES.get(kind)
    if size is None:
        return False
    end = RECORD_BYTES if kind >= FIRST_MESSAGE else BODY_BYTES
    return not data[size:end].strip(b"\0")
