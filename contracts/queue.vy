# pragma version 0.4.3
# pragma evm-version cancun
"""
@title L1 message queue
@license MIT
@notice Everything that enters the exchange from L1, in order: deposits, listings, oracle signers, and records that
        somebody sends here because the operator left them out. A message's body is 124 bytes, as a record's. The
        queue is a hash chain: acc(0) = 0, acc(i + 1) = keccak(acc(i) || keccak(body i)); a batch consumes messages
        in order and commits to the chain after its last one.
@dev Layout of the bodies: type (1 byte), then the fields in big-endian order, then zeros.
"""

BODY: constant(uint256) = 124
DEPOSIT: constant(bytes1) = 0x81
LIST_MARKET: constant(bytes1) = 0x82
SET_SIGNER: constant(bytes1) = 0x83


event MessageQueued:
    index: indexed(uint256)
    body: Bytes[BODY]
    acc: bytes32          # the chain after this message
    timestamp: uint256


VAULT: public(immutable(address))
LISTER: public(immutable(address))

count: public(uint256)
acc: public(HashMap[uint256, bytes32])
queued_at: public(HashMap[uint256, uint256])


@deploy
def __init__(vault: address, lister: address):
    """
    @param vault The one contract that queues deposits.
    @param lister The one account that lists markets and names oracle signers. It can do nothing to what is listed.
    """
    assert vault != empty(address), "zero_address"
    VAULT = vault
    LISTER = lister


@external
def push(body: Bytes[BODY]) -> uint256:
    """
    @notice Queue a deposit. Only the vault may, which holds the money already.
    @return The message's index.
    """
    assert msg.sender == VAULT, "not_the_vault"
    assert len(body) == BODY, "message_length"
    assert slice(body, 0, 1) == concat(DEPOSIT, b""), "message_type"
    return self._append(body)


@external
def force(record: Bytes[BODY]) -> uint256:
    """
    @notice Queue a record past the operator. Anybody may; whether it counts is decided by its own signature.
    @param record 124 bytes: the body of 60 and its compact signature.
    @return The message's index. From the force delay on no batch is accepted that leaves it out.
    """
    assert len(record) == BODY, "message_length"
    assert convert(slice(record, 0, 1), uint256) < 128, "message_type"
    return self._append(record)


@external
def list_market(
    market: uint16,
    unit: uint64,
    initial_margin: uint32,
    maintenance_margin: uint32,
    taker_fee: uint32,
    maker_fee: int32,
    band: uint32,
) -> uint256:
    """
    @notice Queue the listing of a market. Only the lister may; the rules refuse parameters that cannot work.
    @param unit Value of one lot at a price of one tick, in units of the token.
    @param initial_margin Parts per million of the notional, as are the next four.
    @param maker_fee Negative: a rebate.
    @param band How far from the mark an order's price may be.
    @return The message's index.
    """
    assert msg.sender == LISTER, "not_the_lister"
    return self._append(
        concat(
            LIST_MARKET,
            convert(market, bytes2),
            convert(unit, bytes8),
            convert(initial_margin, bytes4),
            convert(maintenance_margin, bytes4),
            convert(taker_fee, bytes4),
            convert(convert(maker_fee, bytes32) << 224, bytes4),
            convert(band, bytes4),
            empty(bytes32),
            empty(bytes32),
            empty(bytes29),
        )
    )


@external
def set_signer(index: uint16, signer: address, quorum: uint16, max_age: uint32) -> uint256:
    """
    @notice Queue a change of one oracle signer. Only the lister may.
    @param index Which of the signers, from 0.
    @param signer Its address; zero takes it away.
    @param quorum Number of fresh reports that make a price.
    @param max_age Seconds a report stays fresh.
    @return The message's index.
    """
    assert msg.sender == LISTER, "not_the_lister"
    return self._append(
        concat(
            SET_SIGNER,
            convert(index, bytes2),
            convert(signer, bytes20),
            convert(quorum, bytes2),
            convert(max_age, bytes4),
            empty(bytes32),
            empty(bytes32),
            empty(bytes31),
        )
    )


@external
@view
def message_at(index: uint256) -> (bytes32, uint256):
    """
    @return The chain after message `index`, and when it was queued (unix seconds). Reverts if there is none.
    """
    assert index < self.count, "no_such_message"
    return self.acc[index + 1], self.queued_at[index]


@internal
def _append(body: Bytes[BODY]) -> uint256:
    index: uint256 = self.count
    acc: bytes32 = keccak256(concat(self.acc[index], keccak256(body)))
    self.acc[index + 1] = acc
    self.queued_at[index] = block.timestamp
    self.count = index + 1
    log MessageQueued(index=index, body=body, acc=acc, timestamp=block.timestamp)
    return index
