# pragma version 0.4.3
"""
@title Records and messages: the 124-byte inputs of the machine
@license MIT
@notice A record is a 60-byte body and a 64-byte compact signature (EIP-2098). The body starts with `type u8 | account
        u32 | nonce u64`, big-endian; what follows depends on the type, and the rest is zero. A message comes from the
        L1 queue, has a type of 0x80 or more, and no signature. Whatever comes from the queue is stamped: its 124 bytes
        and the time at which it was queued, MESSAGE_BYTES together. Twin: `shared/codec/records.py`.
@dev Every function takes exactly 124 bytes, so no read goes beyond the end.
"""

RECORD_BYTES: constant(uint256) = 124
BODY_BYTES: constant(uint256) = 60
SIGNATURE_BYTES: constant(uint256) = 64
STAMP_BYTES: constant(uint256) = 8
MESSAGE_BYTES: constant(uint256) = RECORD_BYTES + STAMP_BYTES

ORDER: constant(uint256) = 1
CANCEL: constant(uint256) = 2
TRANSFER: constant(uint256) = 3
WITHDRAW: constant(uint256) = 4
REPORT: constant(uint256) = 5
CANCEL_ALL: constant(uint256) = 6
AMEND: constant(uint256) = 7
SCHEDULE_CANCEL: constant(uint256) = 8
SET_AGENT: constant(uint256) = 9
CRANK: constant(uint256) = 10
BULK: constant(uint256) = 11
LEG_PAGE: constant(uint256) = 12
BACKSTOP_DEPOSIT: constant(uint256) = 13
BACKSTOP_WITHDRAW: constant(uint256) = 14
FIRST_MESSAGE: constant(uint256) = 128
DEPOSIT: constant(uint256) = 129
LIST_MARKET: constant(uint256) = 130
SET_SIGNER: constant(uint256) = 131
SET_MARKET: constant(uint256) = 132
FORCED: constant(uint256) = 133
WIND_DOWN: constant(uint256) = 134
SET_TERMS: constant(uint256) = 135
# Kind of the machine's own orders, which no record has.
LIQUIDATION: constant(uint256) = 127

BUY: constant(uint256) = 0
SELL: constant(uint256) = 1
# Flags of an order: time in force (two bits), reduce-only, what happens to orders of one owner that meet (two bits).
GTC: constant(uint256) = 0
IOC: constant(uint256) = 1
POST_ONLY: constant(uint256) = 2
FOK: constant(uint256) = 3
TIME_IN_FORCE: constant(uint256) = 3
REDUCE_ONLY: constant(uint256) = 4
CANCEL_MAKER: constant(uint256) = 0
CANCEL_TAKER: constant(uint256) = 8
CANCEL_BOTH: constant(uint256) = 16
SELF_TRADE: constant(uint256) = 24
ABOVE: constant(uint256) = 32
BELOW: constant(uint256) = 64
ARMED: constant(uint256) = 96

# A leg page holds up to 8 legs of 11 bytes: flags u8 | market u8 | order_slot u8 | price u24 | size u40; market 0 is no
# leg. Beside time in force, reduce-only and self-trade rule the flags say SELL_LEG, or CANCEL_LEG (then without price
# and size).
LEGS_PER_PAGE: constant(uint256) = 8
LEG_BYTES: constant(uint256) = 11
SELL_LEG: constant(uint256) = 32
CANCEL_LEG: constant(uint256) = 64

# Types of records that an agent may sign: bit t for type t.
AGENT_KINDS: constant(uint256) = 1 << ORDER | 1 << CANCEL | 1 << CANCEL_ALL | 1 << AMEND | 1 << SCHEDULE_CANCEL | 1 << BULK

# Bounds of market parameters.
MAX_POSITION: constant(uint256) = 2**38
MAX_UNIT: constant(uint256) = 2**32
MAX_FEE: constant(uint256) = 100_000
TEN_THOUSAND: constant(uint256) = 10_000
# Token units: above what any owner's activity counts.
MAX_ACTIVITY: constant(uint256) = 2**96

# The types as EIP-712 writes them.
ORDER_TYPE: constant(String[184]) = "Order(uint32 account,uint64 nonce,uint16 market,uint8 side,uint8 flags,uint16 order_slot,uint32 price,uint64 size,uint32 expiry,uint32 trigger,uint64 client,uint16 partner,uint8 agent)"
CANCEL_TYPE: constant(String[79]) = "Cancel(uint32 account,uint64 nonce,uint16 order_slot,uint64 client,uint8 agent)"
CANCEL_ALL_TYPE: constant(String[50]) = "CancelAll(uint32 account,uint64 nonce,uint8 agent)"
AMEND_TYPE: constant(String[89]) = "Amend(uint32 account,uint64 nonce,uint16 order_slot,uint32 price,uint64 size,uint8 agent)"
SCHEDULE_CANCEL_TYPE: constant(String[71]) = "ScheduleCancel(uint32 account,uint64 nonce,uint64 deadline,uint8 agent)"
BULK_TYPE: constant(String[63]) = "Bulk(uint32 account,uint64 nonce,bytes32 leg_pages,uint8 agent)"
BACKSTOP_DEPOSIT_TYPE: constant(String[59]) = "BackstopDeposit(uint32 account,uint64 nonce,uint128 amount)"
BACKSTOP_WITHDRAW_TYPE: constant(String[60]) = "BackstopWithdraw(uint32 account,uint64 nonce,uint128 shares)"
SET_AGENT_TYPE: constant(String[144]) = "SetAgent(uint32 account,uint64 nonce,uint8 agent,address key,uint64 expiry,uint32 session,uint16 subs,uint16 kinds,bytes8 markets,uint16 limits)"
TRANSFER_TYPE: constant(String[64]) = "Transfer(uint32 account,uint64 nonce,uint32 peer,uint128 amount)"
WITHDRAW_TYPE: constant(String[52]) = "Withdraw(uint32 account,uint64 nonce,uint128 amount)"
REPORT_TYPE: constant(String[60]) = "Report(uint32 signer,uint64 time,uint16 market,uint32 price)"


struct OrderBody:
    account: uint256
    nonce: uint256
    market: uint256
    side: uint256
    flags: uint256
    order_slot: uint256
    price: uint256
    size: uint256
    expiry: uint256
    trigger: uint256
    client: uint256
    partner: uint256
    agent: uint256


struct CancelBody:
    account: uint256
    nonce: uint256
    order_slot: uint256
    client: uint256
    agent: uint256


struct CancelAllBody:
    account: uint256
    nonce: uint256
    agent: uint256


struct AmendBody:
    account: uint256
    nonce: uint256
    order_slot: uint256
    price: uint256
    size: uint256
    agent: uint256


struct ScheduleCancelBody:
    account: uint256
    nonce: uint256
    deadline: uint256
    agent: uint256


struct SetAgentBody:
    account: uint256
    nonce: uint256
    agent: uint256
    key: address
    expiry: uint256
    session: uint256
    subs: uint256
    kinds: uint256
    markets: bytes8
    limits: uint256


struct CrankBody:
    account: uint256
    nonce: uint256
    market: uint256


struct BulkBody:
    account: uint256
    nonce: uint256
    leg_pages: bytes32
    agent: uint256


struct BackstopDepositBody:
    account: uint256
    nonce: uint256
    amount: uint256


struct BackstopWithdrawBody:
    account: uint256
    nonce: uint256
    shares: uint256


struct Leg:
    flags: uint256
    market: uint256
    order_slot: uint256
    price: uint256
    size: uint256


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
    signer: uint256
    time: uint256
    market: uint256
    price: uint256


struct DepositBody:
    account: uint256
    owner: address
    amount: uint256


struct MarketParameters:
    unit: uint256                 # token units a lot and tick
    initial_margin: uint256       # ppm of the notional, as the next
    maintenance_margin: uint256
    taker_fee: uint256            # ppm of the fill
    maker_fee: int256             # ppm of the fill; negative: a rebate
    band: uint256                 # ppm around the mark, for orders
    max_age: uint256              # seconds an index stays fresh
    step_band: uint256            # ppm an index may move in an interval
    funding_cap: uint256          # ppm of the index: bound of the premium, whose eighth is paid an hour
    close_out: uint256            # ppm of the notional
    max_open_interest: uint256    # lots
    max_position: uint256         # lots
    impact: uint256               # lots a best level needs to count for the mid price
    expiry: uint256               # seconds, 0 for a perpetual
    tier1_size: uint256           # lots, beyond which each bears the next two margins; 0 for no such tier
    tier1_initial: uint256
    tier1_maintenance: uint256
    tier2_size: uint256
    tier2_initial: uint256
    tier2_maintenance: uint256
    order_margin: uint256         # token units of initial margin for each order that has a leaf, and once for a position
    backstop_cap: uint256         # ppm of the backstop's equity that its position is worth at most, 0 for no such limit
    call_minutes: uint256         # minutes for which it collects orders for an auction, 0 if it holds none


struct ListMarketBody:
    market: uint256
    parameters: MarketParameters


struct ForcedBody:
    sender: address            # who put it into the queue on L1
    body: Bytes[RECORD_BYTES]  # a record whose signer that is: 60 bytes, and zeros for the signature


struct SetSignerBody:
    number: uint256
    owner: address
    quorum: uint256
    max_age: uint256


struct ExchangeTerms:
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


struct SetTermsBody:
    terms: ExchangeTerms


@internal
@pure
def _read(data: Bytes[RECORD_BYTES], start: uint256, width: uint256) -> uint256:
    """
    @return The `width` bytes (1 to 32) from `start` as a number; they end within the 124 bytes.
    """
    # The last word of the data starts at 92: what begins behind that is cut out of it.
    at: uint256 = min(start, RECORD_BYTES - 32)
    return convert(extract32(data, at), uint256) << (8 * (start - at)) >> (256 - 8 * width)


@internal
@pure
def _size_of(kind: uint256) -> uint256:
    """
    @return Bytes of the fields of a type, 0 for an unknown type.
    """
    if kind == ORDER:
        return 50
    if kind == CANCEL:
        return 24
    if kind == CANCEL_ALL:
        return 14
    if kind == AMEND:
        return 28
    if kind == SCHEDULE_CANCEL:
        return 22
    if kind == SET_AGENT:
        return 60
    if kind == CRANK:
        return 15
    if kind == BULK:
        return 46
    if kind == LEG_PAGE:
        return 124
    if kind == BACKSTOP_DEPOSIT:
        return 29
    if kind == BACKSTOP_WITHDRAW:
        return 29
    if kind == TRANSFER:
        return 33
    if kind == WITHDRAW:
        return 29
    if kind == REPORT:
        return 19
    if kind == DEPOSIT:
        return 41
    if kind == LIST_MARKET:
        return 124
    if kind == SET_SIGNER:
        return 29
    if kind == SET_MARKET:
        return 124
    if kind == FORCED:
        return 81
    if kind == WIND_DOWN:
        return 1
    if kind == SET_TERMS:
        return 65
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
        order_slot=self._read(body, 17, 2),
        price=self._read(body, 19, 4),
        size=self._read(body, 23, 8),
        expiry=self._read(body, 31, 4),
        trigger=self._read(body, 35, 4),
        client=self._read(body, 39, 8),
        partner=self._read(body, 47, 2),
        agent=self._read(body, 49, 1),
    )


@internal
@pure
def decode_cancel(body: Bytes[RECORD_BYTES]) -> CancelBody:
    """
    @return Fields of a cancel's body.
    """
    return CancelBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        order_slot=self._read(body, 13, 2),
        client=self._read(body, 15, 8),
        agent=self._read(body, 23, 1),
    )


@internal
@pure
def decode_cancel_all(body: Bytes[RECORD_BYTES]) -> CancelAllBody:
    """
    @return Fields of a cancel-all's body.
    """
    return CancelAllBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        agent=self._read(body, 13, 1),
    )


@internal
@pure
def decode_amend(body: Bytes[RECORD_BYTES]) -> AmendBody:
    """
    @return Fields of an amend's body.
    """
    return AmendBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        order_slot=self._read(body, 13, 2),
        price=self._read(body, 15, 4),
        size=self._read(body, 19, 8),
        agent=self._read(body, 27, 1),
    )


@internal
@pure
def decode_schedule_cancel(body: Bytes[RECORD_BYTES]) -> ScheduleCancelBody:
    """
    @return Fields of a dead-man's switch's body.
    """
    return ScheduleCancelBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        deadline=self._read(body, 13, 8),
        agent=self._read(body, 21, 1),
    )


@internal
@pure
def decode_set_agent(body: Bytes[RECORD_BYTES]) -> SetAgentBody:
    """
    @return Fields of the body that names an agent.
    """
    return SetAgentBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        agent=self._read(body, 13, 1),
        key=convert(convert(self._read(body, 14, 20), uint160), address),
        expiry=self._read(body, 34, 8),
        session=self._read(body, 42, 4),
        subs=self._read(body, 46, 2),
        kinds=self._read(body, 48, 2),
        markets=convert(convert(self._read(body, 50, 8), uint64), bytes8),
        limits=self._read(body, 58, 2),
    )


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
def decode_crank(body: Bytes[RECORD_BYTES]) -> CrankBody:
    """
    @return Fields of a crank.
    """
    return CrankBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        market=self._read(body, 13, 2),
    )


@internal
@pure
def decode_bulk(body: Bytes[RECORD_BYTES]) -> BulkBody:
    """
    @return Fields of a bulk record's body.
    """
    return BulkBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        leg_pages=extract32(body, 13),
        agent=self._read(body, 45, 1),
    )


@internal
@pure
def decode_backstop_deposit(body: Bytes[RECORD_BYTES]) -> BackstopDepositBody:
    """
    @return Fields of the body of a deposit into the backstop vault.
    """
    return BackstopDepositBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        amount=self._read(body, 13, 16),
    )


@internal
@pure
def decode_backstop_withdraw(body: Bytes[RECORD_BYTES]) -> BackstopWithdrawBody:
    """
    @return Fields of the body of a withdrawal from the backstop vault.
    """
    return BackstopWithdrawBody(
        account=self._read(body, 1, 4),
        nonce=self._read(body, 5, 8),
        shares=self._read(body, 13, 16),
    )


@internal
@pure
def decode_leg(leg: uint256) -> Leg:
    """
    @return Fields of a leg, given as the number of its 11 bytes.
    """
    return Leg(
        flags=leg >> 80,
        market=leg >> 72 & 255,
        order_slot=leg >> 64 & 255,
        price=leg >> 40 & (2**24 - 1),
        size=leg & (2**40 - 1),
    )


@internal
@pure
def decode_report(body: Bytes[RECORD_BYTES]) -> ReportBody:
    """
    @return Fields of an oracle report's body.
    """
    return ReportBody(
        signer=self._read(body, 1, 4),
        time=self._read(body, 5, 8),
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
def encode_list_market(type: bytes1, listing: ListMarketBody) -> Bytes[RECORD_BYTES]:
    """
    @param type That of a listing, or of a change of a market.
    @return The message. Reverts where a number does not fit.
    """
    parameters: MarketParameters = listing.parameters
    return concat(
        type,
        convert(convert(listing.market, uint16), bytes2),
        convert(convert(parameters.unit, uint64), bytes8),
        convert(convert(parameters.initial_margin, uint32), bytes4),
        convert(convert(parameters.maintenance_margin, uint32), bytes4),
        convert(convert(parameters.taker_fee, uint32), bytes4),
        convert(convert(convert(parameters.maker_fee, int32), bytes32) << 224, bytes4),
        convert(convert(parameters.band, uint32), bytes4),
        convert(convert(parameters.max_age, uint32), bytes4),
        convert(convert(parameters.step_band, uint32), bytes4),
        convert(convert(parameters.funding_cap, uint32), bytes4),
        convert(convert(parameters.close_out, uint32), bytes4),
        convert(convert(parameters.max_open_interest, uint64), bytes8),
        convert(convert(parameters.max_position, uint64), bytes8),
        convert(convert(parameters.impact, uint64), bytes8),
        convert(convert(parameters.expiry, uint64), bytes8),
        convert(convert(parameters.tier1_size, uint64), bytes8),
        convert(convert(parameters.tier1_initial, uint32), bytes4),
        convert(convert(parameters.tier1_maintenance, uint32), bytes4),
        convert(convert(parameters.tier2_size, uint64), bytes8),
        convert(convert(parameters.tier2_initial, uint32), bytes4),
        convert(convert(parameters.tier2_maintenance, uint32), bytes4),
        convert(convert(parameters.order_margin, uint64), bytes8),
        convert(convert(parameters.backstop_cap, uint32), bytes4),
        convert(convert(parameters.call_minutes, uint8), bytes1),
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
        parameters=MarketParameters(
            unit=self._read(message, 3, 8),
            initial_margin=self._read(message, 11, 4),
            maintenance_margin=self._read(message, 15, 4),
            taker_fee=self._read(message, 19, 4),
            maker_fee=maker_fee,
            band=self._read(message, 27, 4),
            max_age=self._read(message, 31, 4),
            step_band=self._read(message, 35, 4),
            funding_cap=self._read(message, 39, 4),
            close_out=self._read(message, 43, 4),
            max_open_interest=self._read(message, 47, 8),
            max_position=self._read(message, 55, 8),
            impact=self._read(message, 63, 8),
            expiry=self._read(message, 71, 8),
            tier1_size=self._read(message, 79, 8),
            tier1_initial=self._read(message, 87, 4),
            tier1_maintenance=self._read(message, 91, 4),
            tier2_size=self._read(message, 95, 8),
            tier2_initial=self._read(message, 103, 4),
            tier2_maintenance=self._read(message, 107, 4),
            order_margin=self._read(message, 111, 8),
            backstop_cap=self._read(message, 119, 4),
            call_minutes=self._read(message, 123, 1),
        ),
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
def encode_set_terms(type: bytes1, body: SetTermsBody) -> Bytes[RECORD_BYTES]:
    """
    @return The message. Reverts where a number does not fit.
    """
    terms: ExchangeTerms = body.terms
    return concat(
        type,
        convert(convert(terms.low, uint128), bytes16),
        convert(convert(terms.high, uint128), bytes16),
        convert(convert(terms.taker_saving, uint32), bytes4),
        convert(convert(terms.maker_saving, uint32), bytes4),
        convert(convert(terms.most_rebate, uint32), bytes4),
        convert(convert(terms.backstop_share, uint32), bytes4),
        convert(convert(terms.treasury_share, uint32), bytes4),
        convert(convert(terms.insurance_floor, uint32), bytes4),
        convert(convert(terms.treasury, uint32), bytes4),
        convert(convert(terms.scale_from, uint16), bytes2),
        convert(convert(terms.scale_most, uint16), bytes2),
        empty(bytes32),
        empty(bytes27),
    )


@internal
@pure
def decode_set_terms(message: Bytes[RECORD_BYTES]) -> SetTermsBody:
    """
    @return Fields of a message about the exchange's terms.
    """
    return SetTermsBody(
        terms=ExchangeTerms(
            low=self._read(message, 1, 16),
            high=self._read(message, 17, 16),
            taker_saving=self._read(message, 33, 4),
            maker_saving=self._read(message, 37, 4),
            most_rebate=self._read(message, 41, 4),
            backstop_share=self._read(message, 45, 4),
            treasury_share=self._read(message, 49, 4),
            insurance_floor=self._read(message, 53, 4),
            treasury=self._read(message, 57, 4),
            scale_from=self._read(message, 61, 2),
            scale_most=self._read(message, 63, 2),
        )
    )


@internal
@pure
def decode_forced(message: Bytes[RECORD_BYTES]) -> ForcedBody:
    """
    @return Fields of a forced message.
    """
    return ForcedBody(
        sender=convert(convert(self._read(message, 1, 20), uint160), address),
        body=concat(slice(message, 21, BODY_BYTES), empty(bytes32), empty(bytes32)),
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
def stamp_message(body: Bytes[RECORD_BYTES], time: uint256) -> Bytes[MESSAGE_BYTES]:
    """
    @return The message of 124 bytes `body` that was queued at `time`, unix seconds.
    """
    return concat(body, convert(convert(time, uint64), bytes8))


@internal
@pure
def split_message(message: Bytes[MESSAGE_BYTES]) -> (Bytes[RECORD_BYTES], uint256):
    """
    @return (its 124 bytes, when it was queued, unix seconds) of a message.
    """
    return slice(message, 0, RECORD_BYTES), convert(slice(message, RECORD_BYTES, STAMP_BYTES), uint256)


@internal
@pure
def is_forceable(body: Bytes[RECORD_BYTES]) -> bool:
    """
    @return Whether a record's body may come without a signature from whom the queue names as its sender. Reports are an
            oracle signer's, cranks need nobody, and bulks and their leg pages do not come through the queue.
    """
    kind: uint256 = self._read(body, 0, 1)
    return kind < FIRST_MESSAGE and kind not in [REPORT, CRANK, BULK, LEG_PAGE] and self.is_canonical(body)


@internal
@pure
def is_canonical(data: Bytes[RECORD_BYTES]) -> bool:
    """
    @return Whether the type is known and every byte after its fields (up to the signature, if any) is zero. Of a forced
            message it says nothing about the body within.
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


@internal
@pure
def struct_hash(body: Bytes[RECORD_BYTES]) -> bytes32:
    """
    @return EIP-712's hashStruct of a signed record's body. Reverts for a type that nobody signs.
    """
    kind: uint256 = self._read(body, 0, 1)
    if kind == ORDER:
        return keccak256(abi_encode(keccak256(ORDER_TYPE), self.decode_order(body)))
    if kind == CANCEL:
        return keccak256(abi_encode(keccak256(CANCEL_TYPE), self.decode_cancel(body)))
    if kind == CANCEL_ALL:
        return keccak256(abi_encode(keccak256(CANCEL_ALL_TYPE), self.decode_cancel_all(body)))
    if kind == AMEND:
        return keccak256(abi_encode(keccak256(AMEND_TYPE), self.decode_amend(body)))
    if kind == SCHEDULE_CANCEL:
        return keccak256(abi_encode(keccak256(SCHEDULE_CANCEL_TYPE), self.decode_schedule_cancel(body)))
    if kind == BULK:
        return keccak256(abi_encode(keccak256(BULK_TYPE), self.decode_bulk(body)))
    if kind == BACKSTOP_DEPOSIT:
        return keccak256(abi_encode(keccak256(BACKSTOP_DEPOSIT_TYPE), self.decode_backstop_deposit(body)))
    if kind == BACKSTOP_WITHDRAW:
        return keccak256(abi_encode(keccak256(BACKSTOP_WITHDRAW_TYPE), self.decode_backstop_withdraw(body)))
    if kind == SET_AGENT:
        return keccak256(abi_encode(keccak256(SET_AGENT_TYPE), self.decode_set_agent(body)))
    if kind == TRANSFER:
        return keccak256(abi_encode(keccak256(TRANSFER_TYPE), self.decode_transfer(body)))
    if kind == WITHDRAW:
        return keccak256(abi_encode(keccak256(WITHDRAW_TYPE), self.decode_withdraw(body)))
    assert kind == REPORT, "malformed_record"
    return keccak256(abi_encode(keccak256(REPORT_TYPE), self.decode_report(body)))
