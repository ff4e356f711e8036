# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Inbox
@license MIT
@notice The posted batches: what the machine runs, in which order, final when posted. It keeps one hash a batch. The
        records themselves are the calldata of the posting transaction, committed as a Merkle root over pages of 8.
        Twin: `shared/machine/batch.py`.
@dev The data availability module for calldata. Its one question: is this record at this index of this batch?
"""

from lib import batches
from lib import merkle


interface Queue:
    def count() -> uint256: view
    def acc(index: uint256) -> bytes32: view
    def queued_at(index: uint256) -> uint256: view


event BatchPosted:
    number: indexed(uint256)
    batch_hash: indexed(bytes32)
    parent: bytes32
    timestamp: uint256
    first_message: uint256
    message_count: uint256
    record_count: uint256
    data_root: bytes32
    messages: bytes32


QUEUE: public(immutable(Queue))
OPERATOR: public(immutable(address))
MAX_SKEW: public(immutable(uint256))       # seconds a batch's timestamp may lie behind the block's
FORCE_DELAY: public(immutable(uint256))    # seconds after which a message can no longer be left out
SILENCE: public(immutable(uint256))        # seconds without a batch after which anybody may post

MAX_RECORD_BYTES: constant(uint256) = batches.MAX_INPUTS * batches.RECORD_BYTES
PAGE_BYTES: constant(uint256) = batches.PAGE_RECORDS * batches.RECORD_BYTES
RECORDS_START: constant(uint256) = 4 + 5 * 32      # in the calldata of `post`
MAX_PAGES: constant(uint256) = batches.MAX_INPUTS // batches.PAGE_RECORDS

count: public(uint256)
batch_hash: public(HashMap[uint256, bytes32])
messages_consumed: public(uint256)
timestamp: public(uint256)                 # of the last batch
posted_at: public(uint256)                 # block time of the last batch, at first of the deployment
operator_posted_at: public(uint256)        # block time of the operator's last own batch, at first of the deployment


@deploy
def __init__(queue: address, operator: address, max_skew: uint256, force_delay: uint256, silence: uint256):
    """
    @param operator An account without code: what it posts is its transaction's calldata, for everybody to read.
    """
    assert queue != empty(address) and operator != empty(address), "zero_address"
    assert silence > max_skew, "bad_terms"
    QUEUE = Queue(queue)
    OPERATOR = operator
    MAX_SKEW = max_skew
    FORCE_DELAY = force_delay
    SILENCE = silence
    self.posted_at = block.timestamp
    self.operator_posted_at = block.timestamp


@external
def post(number: uint256, timestamp: uint256, message_count: uint256, records: Bytes[MAX_RECORD_BYTES]):
    """
    @notice Post the next batch: the next `message_count` messages of the queue, then `records`. Only the operator
            may, or anybody once the operator has been silent for SILENCE; always from an account without code, so
            that the records are the calldata of the transaction itself.
    @param number The number of batches so far: a second try of the same batch reverts.
    @param timestamp Unix seconds: the machine's time. Not before the last batch's, not in the future, at most
           MAX_SKEW old.
    @param message_count No message older than FORCE_DELAY may be left out, unless the batch is full of messages.
    @param records Concatenated records of 124 bytes; messages and records together at most 1024.
    """
    assert msg.sender == tx.origin and not msg.sender.is_contract, "caller_has_code"
    assert msg.sender == OPERATOR or block.timestamp >= self.operator_posted_at + SILENCE, "not_the_operator"
    assert number == self.count, "batch_number"
    assert timestamp >= self.timestamp and timestamp <= block.timestamp, "batch_timestamp"
    assert timestamp + MAX_SKEW >= block.timestamp, "batch_timestamp"

    record_count: uint256 = len(records) // batches.RECORD_BYTES
    assert len(records) == record_count * batches.RECORD_BYTES, "record_length"
    # One encoding only, so that everybody reads the records at the same place: arguments, then the records, then zeros
    # up to a whole word.
    assert convert(slice(msg.data, 4 + 3 * 32, 32), uint256) == 4 * 32, "calldata_encoding"
    assert len(msg.data) == RECORDS_START + (len(records) + 31) // 32 * 32, "calldata_encoding"
    # One bound after the other, so that their sum cannot overflow.
    assert message_count <= batches.MAX_INPUTS, "batch_size"
    assert message_count + record_count <= batches.MAX_INPUTS, "batch_size"

    first_message: uint256 = self.messages_consumed
    end_message: uint256 = first_message + message_count
    queued: uint256 = staticcall QUEUE.count()
    assert end_message <= queued, "no_such_message"
    if end_message < queued and message_count < batches.MAX_INPUTS:
        # Messages are queued in the order of time, so the first left out is the oldest.
        assert staticcall QUEUE.queued_at(end_message) + FORCE_DELAY > block.timestamp, "message_left_out"

    header: batches.Header = batches.Header(
        parent=empty(bytes32),
        number=number,
        timestamp=timestamp,
        first_message=first_message,
        message_count=message_count,
        record_count=record_count,
        data_root=self._data_root(record_count),
        messages=staticcall QUEUE.acc(end_message),
    )
    if number > 0:
        header.parent = self.batch_hash[number - 1]
    batch_hash: bytes32 = batches._hash_header(header)
    self.batch_hash[number] = batch_hash
    self.count = number + 1
    self.messages_consumed = end_message
    self.timestamp = timestamp
    self.posted_at = block.timestamp
    if msg.sender == OPERATOR:
        self.operator_posted_at = block.timestamp
    log BatchPosted(
        number=number,
        batch_hash=batch_hash,
        parent=header.parent,
        timestamp=timestamp,
        first_message=first_message,
        message_count=message_count,
        record_count=record_count,
        data_root=header.data_root,
        messages=header.messages,
    )


@external
@view
def check_record(
    header: batches.Header, slot: uint256, page: Bytes[PAGE_BYTES], siblings: DynArray[bytes32, 7]
) -> Bytes[batches.RECORD_BYTES]:
    """
    @notice The record in `slot` of a posted batch. Reverts unless `page` and `siblings` prove it.
    @param header Of the batch: must hash to what was posted under its number.
    @param page The page of 8 records (the last one of a batch may be shorter) that the record is on.
    @param siblings Of that page under the data root, lowest first.
    """
    assert header.number < self.count and batches._hash_header(header) == self.batch_hash[header.number], "wrong_input"
    assert slot >= header.message_count and slot < header.message_count + header.record_count, "wrong_input"
    record: uint256 = slot - header.message_count
    place: uint256 = record // batches.PAGE_RECORDS
    first: uint256 = place * batches.PAGE_RECORDS
    assert len(page) == min(batches.PAGE_RECORDS, header.record_count - first) * batches.RECORD_BYTES, "wrong_input"
    page_count: uint256 = (header.record_count + batches.PAGE_RECORDS - 1) // batches.PAGE_RECORDS
    assert len(siblings) == self._depth(page_count), "wrong_input"
    assert merkle._climb(keccak256(page), place, siblings) == header.data_root, "wrong_input"
    return slice(page, (record - first) * batches.RECORD_BYTES, batches.RECORD_BYTES)


@internal
@pure
def _depth(page_count: uint256) -> uint256:
    """
    @return Levels of the Merkle tree over `page_count` pages (at least one), padded to a power of two.
    """
    depth: uint256 = 0
    for _: uint256 in range(7):
        if 1 << depth >= page_count:
            break
        depth += 1
    return depth


@internal
@view
def _data_root(record_count: uint256) -> bytes32:
    """
    @return Merkle root over the hashed pages of the records that the call brought, padded with zeros to a power of two;
            zero without records.
    """
    if record_count == 0:
        return empty(bytes32)
    # Taken from the calldata page by page: a copy of all records in memory would cost more than hashing them.
    layer: bytes32[MAX_PAGES] = empty(bytes32[MAX_PAGES])
    whole: uint256 = record_count // batches.PAGE_RECORDS
    for i: uint256 in range(whole, bound=MAX_PAGES):
        layer[i] = keccak256(slice(msg.data, RECORDS_START + i * PAGE_BYTES, PAGE_BYTES))
    page_count: uint256 = whole
    rest: uint256 = record_count % batches.PAGE_RECORDS
    if rest > 0:
        layer[whole] = self._hash_short_page(RECORDS_START + whole * PAGE_BYTES, rest)
        page_count += 1
    width: uint256 = 1 << self._depth(page_count)
    for _: uint256 in range(7):
        if width == 1:
            break
        width >>= 1
        for i: uint256 in range(width, bound=64):
            layer[i] = merkle._hash_pair(layer[2 * i], layer[2 * i + 1])
    return layer[0]


@internal
@view
def _hash_short_page(start: uint256, count: uint256) -> bytes32:
    """
    @return Hash of a page of 1 to 7 records that begins at `start` of the calldata.
    """
    # What is cut from calldata has a length known to the compiler.
    if count == 1:
        return keccak256(slice(msg.data, start, 124))
    if count == 2:
        return keccak256(slice(msg.data, start, 248))
    if count == 3:
        return keccak256(slice(msg.data, start, 372))
    if count == 4:
        return keccak256(slice(msg.data, start, 496))
    if count == 5:
        return keccak256(slice(msg.data, start, 620))
    if count == 6:
        return keccak256(slice(msg.data, start, 744))
    return keccak256(slice(msg.data, start, 868))
