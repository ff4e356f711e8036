# pragma version 0.4.3
"""
@title Typed leaves and their fixed encoding in 32-byte words
@license MIT
@notice A leaf's value is the concatenation of its words; fields are packed big-endian from the high end of a word. A
        leaf whose words are all zero is the absent leaf: it encodes to no bytes and no bytes decode to it. Twin:
        `shared/state/leaves.py`.
@dev Decoding is total over values of the right length. Encoding relies on bounds that the rules keep: every field below
     the width it is packed in (positions at most 2**42 lots, orders 2**40, handles 2**32, ticks 2**24, counters of
     orders and nonces below 2**64).
"""

MAX_POSITIONS: constant(uint256) = 8
MAX_SIGNERS: constant(uint256) = 7

ACCOUNT_BYTES: constant(uint256) = 640
ORDER_BYTES: constant(uint256) = 64
LEVEL_BYTES: constant(uint256) = 32
BITMAP_BYTES: constant(uint256) = 32
MARKET_BYTES: constant(uint256) = 96
ORACLE_BYTES: constant(uint256) = 128
SIGNERS_BYTES: constant(uint256) = 256
WITHDRAWAL_BYTES: constant(uint256) = 96

_U8: constant(uint256) = 2**8 - 1
_U16: constant(uint256) = 2**16 - 1
_U32: constant(uint256) = 2**32 - 1
_U64: constant(uint256) = 2**64 - 1


struct Position:
    market: uint256    # id, 0 in a free place
    size: int256       # lots, signed
    bids: uint256      # lots of open buy orders
    asks: uint256      # lots of open sell orders
    cost: int256       # token units, signed: what the open lots were bought for


struct Account:
    owner: address
    collateral: int256         # token units
    nonce_top: uint256         # highest nonce seen
    nonce_bitmap: uint256      # bit i set iff nonce_top - i was used
    positions: Position[MAX_POSITIONS]


struct Order:
    market: uint256      # 0 in a free order slot
    side: uint256        # 0 buy, 1 sell
    flags: uint256
    price: uint256       # ticks
    size: uint256        # lots left
    prev: uint256        # handle of the older neighbour, 0 at the head
    next: uint256        # handle of the younger neighbour, 0 at the tail
    sequence: uint256    # number of its acceptance
    nonce: uint256       # its record's


struct Level:
    head: uint256     # handle of the oldest order
    tail: uint256     # handle of the youngest
    size: uint256     # lots
    count: uint256    # orders


struct Bitmap:
    word: uint256


struct Market:
    unit: uint256                  # token units per lot and tick
    initial_margin: uint256        # ppm
    maintenance_margin: uint256    # ppm
    taker_fee: uint256             # ppm
    maker_fee: int256              # ppm, negative for a rebate
    band: uint256                  # ppm around the mark
    best_bid: uint256              # ticks, 0 for none
    best_ask: uint256
    mark: uint256
    index: uint256
    index_time: uint256            # seconds
    open_interest: uint256         # lots
    fees: int256                   # token units collected


struct Oracle:
    prices: uint256[MAX_SIGNERS]    # ticks
    times: uint256[MAX_SIGNERS]     # seconds


struct Signers:
    count: uint256      # places used
    quorum: uint256
    max_age: uint256    # seconds
    owners: address[MAX_SIGNERS]


struct Withdrawal:
    account: uint256
    owner: address
    amount: uint256    # token units


@internal
@pure
def _low(word: uint256, width: uint256) -> int256:
    """
    @return The low `width` bits (at most 128) of a word as a two's complement number.
    """
    data: int256 = convert(word & ((1 << width) - 1), int256)
    if word >> (width - 1) & 1 == 1:
        data -= convert(1 << width, int256)
    return data


@internal
@pure
def _bits(data: int256) -> uint256:
    """
    @return The two's complement word of a signed number.
    """
    return convert(convert(data, bytes32), uint256)


@internal
@pure
def _number(word: uint256) -> int256:
    """
    @return The signed number of a two's complement word.
    """
    return convert(convert(word, bytes32), int256)


@internal
@pure
def _address(word: uint256) -> address:
    """
    @return The address in the low 160 bits of a word.
    """
    return convert(convert(word & (2**160 - 1), uint160), address)


@internal
@pure
def encode_account(leaf: Account) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 20 words, or no bytes for an account that does not exist.
    """
    words: uint256[20] = empty(uint256[20])
    words[0] = convert(leaf.owner, uint256)
    words[1] = self._bits(leaf.collateral)
    words[2] = leaf.nonce_top
    words[3] = leaf.nonce_bitmap
    used: bool = words[0] | words[1] | words[2] | words[3] != 0
    for i: uint256 in range(MAX_POSITIONS):
        p: Position = leaf.positions[i]
        if p.market != 0:
            used = True
            words[4 + 2 * i] = p.market << 240 | (self._bits(p.size) & _U64) << 128 | p.bids << 64 | p.asks
            words[5 + 2 * i] = self._bits(p.cost)
    if not used:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_account(data: Bytes[ACCOUNT_BYTES]) -> Account:
    """
    @return The inverse of `encode_account`.
    """
    leaf: Account = empty(Account)
    if len(data) == 0:
        return leaf
    words: uint256[20] = abi_decode(data, uint256[20])
    leaf.owner = self._address(words[0])
    leaf.collateral = self._number(words[1])
    leaf.nonce_top = words[2] & _U64
    leaf.nonce_bitmap = words[3]
    for i: uint256 in range(MAX_POSITIONS):
        word: uint256 = words[4 + 2 * i]
        if word != 0:
            leaf.positions[i] = Position(
                market=word >> 240,
                size=self._low(word >> 128, 64),
                bids=word >> 64 & _U64,
                asks=word & _U64,
                cost=self._number(words[5 + 2 * i]),
            )
    return leaf


@internal
@pure
def encode_order(leaf: Order) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 2 words, or no bytes for a free order slot.
    """
    words: uint256[2] = [
        leaf.market << 240
        | leaf.side << 232
        | leaf.flags << 224
        | leaf.price << 192
        | leaf.size << 128
        | leaf.prev << 64
        | leaf.next,
        leaf.sequence << 64 | leaf.nonce,
    ]
    if words[0] | words[1] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_order(data: Bytes[ACCOUNT_BYTES]) -> Order:
    """
    @return The inverse of `encode_order`.
    """
    if len(data) == 0:
        return empty(Order)
    words: uint256[2] = abi_decode(data, uint256[2])
    return Order(
        market=words[0] >> 240,
        side=words[0] >> 232 & _U8,
        flags=words[0] >> 224 & _U8,
        price=words[0] >> 192 & _U32,
        size=words[0] >> 128 & _U64,
        prev=words[0] >> 64 & _U64,
        next=words[0] & _U64,
        sequence=words[1] >> 64 & _U64,
        nonce=words[1] & _U64,
    )


@internal
@pure
def encode_level(leaf: Level) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 1 word, or no bytes for a level without orders.
    """
    word: uint256 = leaf.head << 192 | leaf.tail << 128 | leaf.size << 64 | leaf.count
    if word == 0:
        return b""
    return abi_encode(word)


@internal
@pure
def decode_level(data: Bytes[ACCOUNT_BYTES]) -> Level:
    """
    @return The inverse of `encode_level`.
    """
    if len(data) == 0:
        return empty(Level)
    word: uint256 = abi_decode(data, uint256)
    return Level(head=word >> 192, tail=word >> 128 & _U64, size=word >> 64 & _U64, count=word & _U64)


@internal
@pure
def encode_bitmap(leaf: Bitmap) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 1 word, or no bytes for no bit set.
    """
    if leaf.word == 0:
        return b""
    return abi_encode(leaf.word)


@internal
@pure
def decode_bitmap(data: Bytes[ACCOUNT_BYTES]) -> Bitmap:
    """
    @return The inverse of `encode_bitmap`.
    """
    if len(data) == 0:
        return empty(Bitmap)
    return Bitmap(word=abi_decode(data, uint256))


@internal
@pure
def encode_market(leaf: Market) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 3 words, or no bytes for a market that is not listed.
    """
    words: uint256[3] = [
        leaf.unit << 192
        | leaf.initial_margin << 160
        | leaf.maintenance_margin << 128
        | leaf.taker_fee << 96
        | (self._bits(leaf.maker_fee) & _U32) << 64
        | leaf.band << 32,
        leaf.best_bid << 224
        | leaf.best_ask << 192
        | leaf.mark << 160
        | leaf.index << 128
        | leaf.index_time << 64
        | leaf.open_interest,
        self._bits(leaf.fees),
    ]
    if words[0] | words[1] | words[2] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_market(data: Bytes[ACCOUNT_BYTES]) -> Market:
    """
    @return The inverse of `encode_market`.
    """
    if len(data) == 0:
        return empty(Market)
    words: uint256[3] = abi_decode(data, uint256[3])
    return Market(
        unit=words[0] >> 192,
        initial_margin=words[0] >> 160 & _U32,
        maintenance_margin=words[0] >> 128 & _U32,
        taker_fee=words[0] >> 96 & _U32,
        maker_fee=self._low(words[0] >> 64, 32),
        band=words[0] >> 32 & _U32,
        best_bid=words[1] >> 224,
        best_ask=words[1] >> 192 & _U32,
        mark=words[1] >> 160 & _U32,
        index=words[1] >> 128 & _U32,
        index_time=words[1] >> 64 & _U64,
        open_interest=words[1] & _U64,
        fees=self._number(words[2]),
    )


@internal
@pure
def encode_oracle(leaf: Oracle) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 4 words (seven reports of 16 bytes, the last 16 bytes zero), or no bytes before the first report.
    """
    words: uint256[4] = empty(uint256[4])
    for i: uint256 in range(MAX_SIGNERS):
        report: uint256 = leaf.prices[i] << 96 | leaf.times[i] << 32
        words[i // 2] |= report << (128 - 128 * (i % 2))
    if words[0] | words[1] | words[2] | words[3] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_oracle(data: Bytes[ACCOUNT_BYTES]) -> Oracle:
    """
    @return The inverse of `encode_oracle`.
    """
    leaf: Oracle = empty(Oracle)
    if len(data) == 0:
        return leaf
    words: uint256[4] = abi_decode(data, uint256[4])
    for i: uint256 in range(MAX_SIGNERS):
        report: uint256 = words[i // 2] >> (128 - 128 * (i % 2))
        leaf.prices[i] = report >> 96 & _U32
        leaf.times[i] = report >> 32 & _U64
    return leaf


@internal
@pure
def encode_signers(leaf: Signers) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 8 words, or no bytes before the first signer.
    """
    words: uint256[8] = empty(uint256[8])
    words[0] = leaf.count << 240 | leaf.quorum << 224 | leaf.max_age << 192
    used: bool = words[0] != 0
    for i: uint256 in range(MAX_SIGNERS):
        words[i + 1] = convert(leaf.owners[i], uint256)
        used = used or words[i + 1] != 0
    if not used:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_signers(data: Bytes[ACCOUNT_BYTES]) -> Signers:
    """
    @return The inverse of `encode_signers`.
    """
    leaf: Signers = empty(Signers)
    if len(data) == 0:
        return leaf
    words: uint256[8] = abi_decode(data, uint256[8])
    leaf.count = words[0] >> 240
    leaf.quorum = words[0] >> 224 & _U16
    leaf.max_age = words[0] >> 192 & _U32
    for i: uint256 in range(MAX_SIGNERS):
        leaf.owners[i] = self._address(words[i + 1])
    return leaf


@internal
@pure
def encode_withdrawal(leaf: Withdrawal) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 3 words: account, owner, amount (no packing: the vault rebuilds this leaf to pay it).
    """
    words: uint256[3] = [leaf.account, convert(leaf.owner, uint256), leaf.amount]
    if words[0] | words[1] | words[2] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_withdrawal(data: Bytes[ACCOUNT_BYTES]) -> Withdrawal:
    """
    @return The inverse of `encode_withdrawal`.
    """
    if len(data) == 0:
        return empty(Withdrawal)
    words: uint256[3] = abi_decode(data, uint256[3])
    return Withdrawal(account=words[0] & _U64, owner=self._address(words[1]), amount=words[2] & (2**128 - 1))
