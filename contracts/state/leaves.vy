# pragma version 0.4.3
"""
@title Typed leaves and their fixed encoding in 32-byte words
@license MIT
@notice A leaf's value is the concatenation of its words; fields are packed big-endian from the high end of a word. A
        leaf whose words are all zero is the absent leaf: it encodes to no bytes and no bytes decode to it. Twin:
        `shared/state/leaves.py`.
@dev Decoding is total over values of the right length. Encoding relies on bounds that the rules keep: every field below
     the width it is packed in (positions at most 2**38 lots, orders 2**31, a level and open interest below 2**64,
     handles 2**36, ticks 2**24, costs and funding indices within 128 bits, shares 2**120, times, counters of orders and
     nonces below 2**64, sessions 2**32; the index samples of a settlement price are fewer than 2**32, as a signer gives at most
     one a second).
"""

MAX_POSITIONS: constant(uint256) = 8
MAX_SIGNERS: constant(uint256) = 7

ACCOUNT_BYTES: constant(uint256) = 704
ORDER_BYTES: constant(uint256) = 64
LEVEL_BYTES: constant(uint256) = 32
BITMAP_BYTES: constant(uint256) = 32
MARKET_BYTES: constant(uint256) = 320
ORACLE_BYTES: constant(uint256) = 128
SIGNERS_BYTES: constant(uint256) = 256
WITHDRAWAL_BYTES: constant(uint256) = 96
AGENT_BYTES: constant(uint256) = 96
PARKED_BYTES: constant(uint256) = 160
REQUEST_BYTES: constant(uint256) = 64
TERMS_BYTES: constant(uint256) = 64
ACTIVITY_BYTES: constant(uint256) = 32

_U8: constant(uint256) = 2**8 - 1
_U16: constant(uint256) = 2**16 - 1
_U32: constant(uint256) = 2**32 - 1
_U64: constant(uint256) = 2**64 - 1
_U128: constant(uint256) = 2**128 - 1
_U192: constant(uint256) = 2**192 - 1


struct Position:
    market: uint256    # id, 0 in a free place
    orders: uint256    # how many orders of the account are in the market, resting or armed, dead or alive
    waited: uint256    # of the backstop: offers that nobody took
    size: int256       # lots, signed
    bids: uint256      # lots of the account's buy orders in the book, and of one in flight
    asks: uint256      # lots of its sell orders
    cost: int256       # token units, signed: what the open lots were bought for
    funding: int256    # the market's funding index up to which the position has paid


struct Account:
    deadline: uint256          # seconds, when all its orders die, 0 for never
    session: uint256           # the highest of its agents so far
    owner: address
    collateral: int256         # token units
    generation: uint256        # of those shares: void if it is not that of the vault's own account
    paused_until: uint256      # seconds, until when its liquidation waits after a first slice; it stays when that is over
    shares: uint256            # of the backstop vault (on the vault's own account: all of them)
    nonce_top: uint256         # highest nonce seen
    nonce_bitmap: uint256      # bit i set iff nonce_top - i was used
    orders: uint256            # bit i set iff order slot i holds an order, resting or armed, dead or alive
    exit_since: uint256        # seconds, the beginning of the limit on withdrawals under which it last took money out
    taken: uint256             # token units that it took out under that limit
    positions: Position[MAX_POSITIONS]


struct Order:
    market: uint256      # 0 in a free order slot
    side: uint256        # 0 buy, 1 sell
    flags: uint256
    price: uint256       # ticks
    size: uint256        # lots left
    prev: uint256        # handle of the older neighbour, 0 at the head
    next: uint256        # handle of the younger neighbour, 0 at the tail
    expiry: uint256      # seconds, 0 for never
    client: uint256      # the trader's own id of it
    sequence: uint256    # number of its acceptance
    trigger: uint256     # ticks, the mark at which an armed order enters the book, 0 for an order that is in it
    partner: uint256     # 1 + the order slot of the armed order that leaves when this one fires, 0 for none


struct Level:
    head: uint256     # handle of the oldest order
    tail: uint256     # handle of the youngest
    size: uint256     # lots
    count: uint256    # orders


struct Bitmap:
    word: uint256


struct Market:
    unit: uint256                  # token units per lot and tick
    initial_margin: uint256        # ppm of the notional, as are the next three
    maintenance_margin: uint256
    taker_fee: uint256
    maker_fee: int256              # negative for a rebate
    band: uint256                  # ppm around the mark, for orders
    max_age: uint256               # seconds an index stays fresh
    best_bid: uint256              # ticks, 0 for none, as are the next three
    best_ask: uint256
    mark: uint256
    index: uint256
    index_time: uint256            # seconds
    open_interest: uint256         # lots
    insurance: int256              # token units of the insurance fund, which takes the fees
    revenue: int256                # token units of fees in it since the backstop and the treasury last got their shares
    pool: int256                   # token units of funding paid in and not yet out
    funding: int256                # token units a lot has paid since listing, times 2**32
    premium: int256                # smoothed premium of the book over the index, ticks times 2**16
    sampled: uint256               # seconds, its last sample
    step_band: uint256             # ppm an index may move in an interval
    funding_cap: uint256           # ppm of the index: bound of the premium, an eighth of which is paid an hour
    close_out: uint256             # ppm of the notional
    call_minutes: uint256          # minutes for which it collects orders for an auction, 0 if it holds none
    scale: uint256                 # of 255 parts of the way to full margin, how far its initial margins have risen
    index_flags: uint256           # INDEX_CUT, INDEX_RETURNING: it is not where the reports are, or was not when it came
    settled: uint256               # 1 once a dated future has its settlement price (in mark)
    max_open_interest: uint256     # lots
    max_position: uint256          # lots
    impact: uint256                # lots a best level needs to count for the mid price
    halted_until: uint256          # seconds
    expiry: uint256                # seconds, 0 for a perpetual
    stop_above: uint256            # ticks, the nearest armed levels, 0 for none
    stop_below: uint256
    tier1_size: uint256            # lots, beyond which each bears the next two margins in ppm; 0 for no such tier
    tier1_initial: uint256
    tier1_maintenance: uint256
    tier2_size: uint256
    tier2_initial: uint256
    tier2_maintenance: uint256
    twap_sum: uint256              # ticks times seconds, for the settlement price: each index with the time it held
    twap_time: uint256             # seconds that are in it
    anchor: uint256                # ticks, from which the index moves at most the step band within an interval
    anchor_time: uint256           # seconds, when that interval began
    order_margin: uint256          # token units of initial margin for each order that has a leaf, and once for a position
    held_since: uint256            # seconds, since when the index is what it is
    backstop_cap: uint256          # ppm of the backstop's equity that its position is worth at most, 0 for no such limit
    mark_anchor: uint256           # as the anchor, of the mark
    basis0: int256                 # ticks from the index to the middle of the impact prices, in the last sample; before it
    basis1: int256
    basis2: int256
    excess: int256                 # ticks by which the index lay outside the impact prices in the last sample


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


struct Agent:
    expiry: uint256          # seconds
    address: address
    markets: uint256         # eight numbers of markets it may trade in, a byte each, 0 for all
    subs: uint256            # bit s is set for sub-account s, 0 for all
    kinds: uint256           # bit t is set for records of type t, 0 for all
    limits: uint256          # of its orders (`rules/agents.vy`), 0 for none
    nonce_top: uint256       # highest nonce seen; its upper half is the session
    nonce_bitmap: uint256    # bit i is set iff nonce_top - i was used, or is of another session


struct Parked:
    message: Bytes[132]   # a stamped record that the machine had no time for yet, none for a free place


struct Request:
    amount: uint256        # token units to be put into the backstop, or shares to be taken out; 0 for no request
    due: uint256           # seconds, from when on it is settled
    generation: uint256    # of the shares
    kind: uint256          # type of the record that asked
    next: uint256          # the account that asked after it, 0 for none


struct Terms:
    low: uint256             # token units of activity, from which fees fall
    high: uint256            # and up to which; 0: they do not
    taker_saving: uint256    # ppm of the market's taker fee, by which that falls at most, as the next
    maker_saving: uint256    # by which the maker's fee falls at most
    most_rebate: uint256     # ppm of the fee that the taker of a fill pays
    backstop_share: uint256  # ppm of the fees that a market keeps, as the next
    treasury_share: uint256
    insurance_floor: uint256  # ppm of what a market's open interest is worth, that its insurance keeps
    treasury: uint256        # a master account, 0 for none
    scale_from: uint256      # ten-thousandths of a market's largest open interest, from which its initial margins rise
    scale_most: uint256      # ten-thousandths of the way to full margin, which they have risen then


struct Activity:
    amount: uint256    # token units: what an owner's fills are worth in taker's fees, less with each day
    day: uint256       # (seconds div 86,400) up to which it has become less


@internal
@pure
def clear_if_empty(position: Position) -> Position:
    """
    @return The position; a free place if it holds nothing any more.
    """
    if position.size == 0 and position.bids == 0 and position.asks == 0 and position.orders == 0:
        return empty(Position)
    return position


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
    @return 22 words, or no bytes for an account that does not exist.
    """
    words: uint256[22] = empty(uint256[22])
    words[0] = leaf.deadline << 192 | leaf.session << 160 | convert(leaf.owner, uint256)
    words[1] = self._bits(leaf.collateral)
    words[2] = leaf.generation << 224 | leaf.paused_until << 192 | leaf.shares << 64 | leaf.nonce_top
    words[3] = leaf.nonce_bitmap
    words[4] = leaf.orders
    words[5] = leaf.exit_since << 192 | leaf.taken
    used: bool = words[0] | words[1] | words[2] | words[3] | words[4] | words[5] != 0
    for i: uint256 in range(MAX_POSITIONS):
        p: Position = leaf.positions[i]
        if p.market != 0:
            used = True
            words[6 + 2 * i] = (
                p.market << 240
                | p.orders << 224
                | p.waited << 208
                | (self._bits(p.size) & _U64) << 128
                | p.bids << 64
                | p.asks
            )
            words[7 + 2 * i] = self._bits(p.cost) << 128 | self._bits(p.funding) & _U128
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
    words: uint256[22] = abi_decode(data, uint256[22])
    leaf.deadline = words[0] >> 192
    leaf.session = words[0] >> 160 & _U32
    leaf.owner = self._address(words[0])
    leaf.collateral = self._number(words[1])
    leaf.generation = words[2] >> 224
    leaf.paused_until = words[2] >> 192 & _U32
    leaf.shares = words[2] >> 64 & _U128
    leaf.nonce_top = words[2] & _U64
    leaf.nonce_bitmap = words[3]
    leaf.orders = words[4]
    leaf.exit_since = words[5] >> 192
    leaf.taken = words[5] & _U192
    for i: uint256 in range(MAX_POSITIONS):
        word: uint256 = words[6 + 2 * i]
        if word != 0:
            money: uint256 = words[7 + 2 * i]
            leaf.positions[i] = Position(
                market=word >> 240,
                orders=word >> 224 & _U16,
                waited=word >> 208 & _U16,
                size=self._low(word >> 128, 64),
                bids=word >> 64 & _U64,
                asks=word & _U64,
                cost=self._low(money >> 128, 128),
                funding=self._low(money, 128),
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
        leaf.expiry << 224 | leaf.client << 160 | leaf.sequence << 96 | leaf.trigger << 64 | leaf.partner << 48,
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
        expiry=words[1] >> 224,
        client=words[1] >> 160 & _U64,
        sequence=words[1] >> 96 & _U64,
        trigger=words[1] >> 64 & _U32,
        partner=words[1] >> 48 & _U16,
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
    @return 10 words, or no bytes for a market that is not listed.
    """
    words: uint256[10] = [
        leaf.unit << 192
        | leaf.initial_margin << 160
        | leaf.maintenance_margin << 128
        | leaf.taker_fee << 96
        | (self._bits(leaf.maker_fee) & _U32) << 64
        | leaf.band << 32
        | leaf.max_age,
        leaf.best_bid << 224
        | leaf.best_ask << 192
        | leaf.mark << 160
        | leaf.index << 128
        | leaf.index_time << 64
        | leaf.open_interest,
        (self._bits(leaf.insurance) & _U128) << 128 | self._bits(leaf.revenue) & _U128,
        self._bits(leaf.pool),
        self._bits(leaf.funding) << 128 | (self._bits(leaf.premium) & _U64) << 64 | leaf.sampled,
        leaf.step_band << 224
        | leaf.funding_cap << 192
        | leaf.close_out << 160
        | leaf.call_minutes << 152
        | leaf.scale << 144
        | leaf.index_flags << 136
        | leaf.settled << 128
        | leaf.max_open_interest << 64
        | leaf.max_position,
        leaf.impact << 192 | leaf.halted_until << 128 | leaf.expiry << 64 | leaf.stop_above << 32 | leaf.stop_below,
        leaf.tier1_size << 192
        | leaf.tier1_initial << 160
        | leaf.tier1_maintenance << 128
        | leaf.tier2_size << 64
        | leaf.tier2_initial << 32
        | leaf.tier2_maintenance,
        leaf.twap_sum << 192 | leaf.twap_time << 160 | leaf.anchor << 128 | leaf.anchor_time << 64 | leaf.order_margin,
        leaf.held_since << 192
        | leaf.backstop_cap << 160
        | leaf.mark_anchor << 128
        | (self._bits(leaf.basis0) & _U32) << 96
        | (self._bits(leaf.basis1) & _U32) << 64
        | (self._bits(leaf.basis2) & _U32) << 32
        | self._bits(leaf.excess) & _U32,
    ]
    used: uint256 = 0
    for word: uint256 in words:
        used |= word
    if used == 0:
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
    words: uint256[10] = abi_decode(data, uint256[10])
    return Market(
        unit=words[0] >> 192,
        initial_margin=words[0] >> 160 & _U32,
        maintenance_margin=words[0] >> 128 & _U32,
        taker_fee=words[0] >> 96 & _U32,
        maker_fee=self._low(words[0] >> 64, 32),
        band=words[0] >> 32 & _U32,
        max_age=words[0] & _U32,
        best_bid=words[1] >> 224,
        best_ask=words[1] >> 192 & _U32,
        mark=words[1] >> 160 & _U32,
        index=words[1] >> 128 & _U32,
        index_time=words[1] >> 64 & _U64,
        open_interest=words[1] & _U64,
        insurance=self._low(words[2] >> 128, 128),
        revenue=self._low(words[2], 128),
        pool=self._number(words[3]),
        funding=self._low(words[4] >> 128, 128),
        premium=self._low(words[4] >> 64, 64),
        sampled=words[4] & _U64,
        step_band=words[5] >> 224,
        funding_cap=words[5] >> 192 & _U32,
        close_out=words[5] >> 160 & _U32,
        call_minutes=words[5] >> 152 & _U8,
        scale=words[5] >> 144 & _U8,
        index_flags=words[5] >> 136 & _U8,
        settled=words[5] >> 128 & _U8,
        max_open_interest=words[5] >> 64 & _U64,
        max_position=words[5] & _U64,
        impact=words[6] >> 192,
        halted_until=words[6] >> 128 & _U64,
        expiry=words[6] >> 64 & _U64,
        stop_above=words[6] >> 32 & _U32,
        stop_below=words[6] & _U32,
        tier1_size=words[7] >> 192,
        tier1_initial=words[7] >> 160 & _U32,
        tier1_maintenance=words[7] >> 128 & _U32,
        tier2_size=words[7] >> 64 & _U64,
        tier2_initial=words[7] >> 32 & _U32,
        tier2_maintenance=words[7] & _U32,
        twap_sum=words[8] >> 192,
        twap_time=words[8] >> 160 & _U32,
        anchor=words[8] >> 128 & _U32,
        anchor_time=words[8] >> 64 & _U64,
        order_margin=words[8] & _U64,
        held_since=words[9] >> 192,
        backstop_cap=words[9] >> 160 & _U32,
        mark_anchor=words[9] >> 128 & _U32,
        basis0=self._low(words[9] >> 96, 32),
        basis1=self._low(words[9] >> 64, 32),
        basis2=self._low(words[9] >> 32, 32),
        excess=self._low(words[9], 32),
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
    return Withdrawal(account=words[0] & _U64, owner=self._address(words[1]), amount=words[2] & _U128)


@internal
@pure
def encode_agent(leaf: Agent) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 3 words, or no bytes for no agent.
    """
    words: uint256[3] = [
        leaf.expiry << 192 | convert(leaf.address, uint256),
        leaf.markets << 192 | leaf.subs << 176 | leaf.kinds << 160 | leaf.limits << 144 | leaf.nonce_top,
        leaf.nonce_bitmap,
    ]
    if words[0] | words[1] | words[2] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_agent(data: Bytes[ACCOUNT_BYTES]) -> Agent:
    """
    @return The inverse of `encode_agent`.
    """
    if len(data) == 0:
        return empty(Agent)
    words: uint256[3] = abi_decode(data, uint256[3])
    return Agent(
        expiry=words[0] >> 192,
        address=self._address(words[0]),
        markets=words[1] >> 192,
        subs=words[1] >> 176 & _U16,
        kinds=words[1] >> 160 & _U16,
        limits=words[1] >> 144 & _U16,
        nonce_top=words[1] & _U64,
        nonce_bitmap=words[2],
    )


@internal
@pure
def encode_parked(leaf: Parked) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 5 words (the 132 bytes of the stamped message, then 28 zero bytes), or no bytes for none.
    """
    if len(leaf.message) == 0:
        return b""
    return concat(leaf.message, empty(bytes28))


@internal
@pure
def decode_parked(data: Bytes[ACCOUNT_BYTES]) -> Parked:
    """
    @return The inverse of `encode_parked`.
    """
    if len(data) == 0:
        return Parked(message=b"")
    return Parked(message=slice(data, 0, 132))


@internal
@pure
def encode_request(leaf: Request) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 2 words, or no bytes for no request.
    """
    words: uint256[2] = [
        leaf.amount << 128 | leaf.due << 64 | leaf.generation,
        leaf.kind << 248 | leaf.next << 216,
    ]
    if words[0] | words[1] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_request(data: Bytes[ACCOUNT_BYTES]) -> Request:
    """
    @return The inverse of `encode_request`.
    """
    if len(data) == 0:
        return empty(Request)
    words: uint256[2] = abi_decode(data, uint256[2])
    return Request(
        amount=words[0] >> 128,
        due=words[0] >> 64 & _U64,
        generation=words[0] & _U64,
        kind=words[1] >> 248,
        next=words[1] >> 216 & _U32,
    )


@internal
@pure
def encode_terms(leaf: Terms) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 2 words, or no bytes before the first terms.
    """
    words: uint256[2] = [
        leaf.low << 128 | leaf.high,
        leaf.taker_saving << 224 | leaf.maker_saving << 192 | leaf.most_rebate << 160 | leaf.backstop_share << 128
        | leaf.treasury_share << 96 | leaf.insurance_floor << 64 | leaf.treasury << 32
        | leaf.scale_from << 16 | leaf.scale_most,
    ]
    if words[0] | words[1] == 0:
        return b""
    return abi_encode(words)


@internal
@pure
def decode_terms(data: Bytes[ACCOUNT_BYTES]) -> Terms:
    """
    @return The inverse of `encode_terms`.
    """
    if len(data) == 0:
        return empty(Terms)
    words: uint256[2] = abi_decode(data, uint256[2])
    return Terms(
        low=words[0] >> 128,
        high=words[0] & _U128,
        taker_saving=words[1] >> 224,
        maker_saving=words[1] >> 192 & _U32,
        most_rebate=words[1] >> 160 & _U32,
        backstop_share=words[1] >> 128 & _U32,
        treasury_share=words[1] >> 96 & _U32,
        insurance_floor=words[1] >> 64 & _U32,
        treasury=words[1] >> 32 & _U32,
        scale_from=words[1] >> 16 & _U16,
        scale_most=words[1] & _U16,
    )


@internal
@pure
def encode_activity(leaf: Activity) -> Bytes[ACCOUNT_BYTES]:
    """
    @return 1 word, or no bytes for an owner without fills.
    """
    word: uint256 = leaf.amount << 128 | leaf.day << 64
    if word == 0:
        return b""
    return abi_encode(word)


@internal
@pure
def decode_activity(data: Bytes[ACCOUNT_BYTES]) -> Activity:
    """
    @return The inverse of `encode_activity`.
    """
    if len(data) == 0:
        return empty(Activity)
    word: uint256 = abi_decode(data, uint256)
    return Activity(amount=word >> 128, day=word >> 64 & _U64)
