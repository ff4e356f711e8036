# pragma version 0.4.3
"""
@title Records and messages: the 124-byte inputs of the machine
@license MIT
@notice A record is a 60-byte body and a 64-byte compact signature (EIP-2098). The body starts with `type u8 | account
        u32 | nonce u64`, big-endian; what follows depends on the type, and the rest is zero. A message comes from the
        L1 queue, has a type of 0x80 or more, and no signature. Twin: `shared/codec/records.py`.
@dev Every function takes exactly 124 bytes, so no read goes beyond the end.
"""

RECORD_BYTES: constant(uint256) = 124
BODY_BYTES: constant(uint256) = 60
SIGNATURE_BYTES: constant(uint256) = 64

ORDER: constant(uint256) = 1
CANCEL: constant(uint256) = 2
TRANSFER: constant(uint256) = 3
WITHDRAW: constant(uint256) = 4
REPORT: constant(uint256) = 5
FIRST_MESSAGE: constant(uint256) = 128
DEPOSIT: constant(uint256) = 129
LIST_MARKET: constant(uint256) = 130
SET_SIGNER: constant(uint256) = 131

BUY: constant(uint256) = 0
SELL: constant(uint256) = 1
GTC: constant(uint256) = 0
IOC: constant(uint256) = 1
POST_ONLY: constant(uint256) = 2


struct OrderBody:
    account: uint256
    nonce: uint256
    market: uint256
    side: uint256
    flags: uint256
    place: uint256
    price: uint256
    size: uint256


struct CancelBody:
    account: uint256
    nonce: uint256
    place: uint256


struct TransferBody:
    account: uint256
    nonce: uint256
    peer: uint256
    amount: uint256


struct WithdrawBody:
    account: uint256
    nonce: uint256
    amount: uint256


struct ReportBody:
    account: uint256
    nonce: uint256
    market: uint256
    price: uint256


struct DepositBody:
    account: uint256
    owner: address
    amount: uint256


struct ListMarketBody:
    market: uint256
    unit: uint256
    initial_margin: uint256
    maintenance_margin: uint256
    taker_fee: uint256
    maker_fee: int256
    band: uint256


struct SetSignerBody:
    number: uint256
    owner: address
    quorum: uint256
    max_age: uint256


@internal
@pure
def _read(data: Bytes[RECORD_BYTES], start: uint256, width: uint256) -> uint256:
    """
    @return The `width` bytes (1 to 32) from `start` as a number; start <= 92.
    """
    return convert(extract32(data, start), uint256) >> (256 - 8 * width)


@internal
@pure
def _size_of(kind: uint256) -> uint256:
    """
    @return Bytes of the fields of a type, 0 for an unknown type.
    """
    if kind == ORDER:
        return 31
    if kind == CANCEL:
        return 15
    if kind == TRANSFER:
        return 33
    if kind == WITHDRAW:
        return 29
    if kind == REPORT:
        return 19
    if kind == DEPOSIT:
        return 41
    if kind == LIST_MARKET:
        return 31
    if kind == SET_SIGNER:
        return 29
    return 0


@internal
@pure
def decode_order(body: Bytes[RECORD_BYTES]) -> OrderBody:
    """
    @return Fields of an order's body.
    """
    return OrderBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        market=self._read(body, 13, 2),
        side=self._read(body, 15, 1),
        flags=self._read(body, 16, 1),
        place=self._read(body, 17, 2),
        price=self._read(body, 19, 4),
        size=self._read(body, 23, 8),
    )


@internal
@pure
def decode_cancel(body: Bytes[RECORD_BYTES]) -> CancelBody:
    """
    @return Fields of a cancel's body.
    """
    return CancelBody(account=self._read(body, 1, 4), nonce=self._read(body, 5, 8), place=self._read(body, 13, 2))


@internal
@pure
def decode_transfer(body: Bytes[RECORD_BYTES]) -> TransferBody:
    """
    @return Fields of a transfer's body.
    """
    return TransferBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        peer=self._read(body, 13, 4),
        amount=self._read(body, 17, 16),
    )


@internal
@pure
def decode_withdraw(body: Bytes[RECORD_BYTES]) -> WithdrawBody:
    """
    @return Fields of a withdrawal's body.
    """
    return WithdrawBody(account=self._read(body, 1, 4), nonce=self._read(body, 5, 8), amount=self._read(body, 13, 16))


@internal
@pure
def decode_report(body: Bytes[RECORD_BYTES]) -> ReportBody:
    """
    @return Fields of an oracle report's body.
    """
    return ReportBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        market=self._read(body, 13, 2),
        price=self._read(body, 15, 4),
    )


@internal
@pure
def decode_deposit(message: Bytes[RECORD_BYTES]) -> DepositBody:
    """
    @return Fields of a deposit message.
    """
    return DepositBody(
        account=self._read(message, 1, 4),
        owner=convert(convert(self._read(message, 5, 20), uint160), address),
        amount=self._read(message, 25, 16),
    )


@internal
@pure
def decode_list_market(message: Bytes[RECORD_BYTES]) -> ListMarketBody:
    """
    @return Fields of a listing message.
    """
    maker_fee: int256 = convert(self._read(message, 23, 4), int256)
    if maker_fee >= 2**31:
        maker_fee -= 2**32
    return ListMarketBody(
        market=self._read(message, 1, 2),
        unit=self._read(message, 3, 8),
        initial_margin=self._read(message, 11, 4),
        maintenance_margin=self._read(message, 15, 4),
        taker_fee=self._read(message, 19, 4),
        maker_fee=maker_fee,
        band=self._read(message, 27, 4),
    )


@internal
@pure
def decode_set_signer(message: Bytes[RECORD_BYTES]) -> SetSignerBody:
    """
    @return Fields of a signer message.
    """
    return SetSignerBody(
        number=self._read(message, 1, 2),
        owner=convert(convert(self._read(message, 3, 20), uint160), address),
        quorum=self._read(message, 23, 2),
        max_age=self._read(message, 25, 4),
    )


@internal
@pure
def get_head(body: Bytes[RECORD_BYTES]) -> (uint256, uint256, uint256):
    """
    @return (type, account, nonce) of a record's body.
    """
    return self._read(body, 0, 1), self._read(body, 1, 4), self._read(body, 5, 8)


@internal
@pure
def is_canonical(data: Bytes[RECORD_BYTES]) -> bool:
    """
    @return Whether the type is known and every byte after its fields (up to the signature, if any) is zero.
    """
    kind: uint256 = self._read(data, 0, 1)
    start: uint256 = self._size_of(kind)
    if start == 0:
        return False
    end: uint256 = BODY_BYTES
    if kind >= FIRST_MESSAGE:
        end = RECORD_BYTES
    for _: uint256 in range(4):
        if start >= end:
            break
        # The next 32 bytes, or what is left: the low bytes of the word that ends where they end.
        width: uint256 = min(32, end - start)
        start += width
        if convert(extract32(data, start - 32), uint256) << (256 - 8 * width) != 0:
            return False
    return True
