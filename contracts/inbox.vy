# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Inbox
@license MIT
@notice The posted batches: what the machine runs, in which order, final when posted. It keeps one hash a batch. The
        records themselves are with a data availability module: module 0 is the calldata of the posting transaction,
        committed as a Merkle root over record pages of 8; the others are contracts, fixed at deployment. Twin:
        `shared/machine/batch.py`.
@dev A module is a contract with the two functions of `interfaces/data_module.vyi`. The one question of the rest of the system:
     is this record at this index of this batch (`check_record`)?
"""

from interfaces import data_module
from court import batches
from court import merkle


interface Queue:
    def count() -> uint256: view
    def queue_hash(index: uint256) -> bytes32: view
    def queued_at(index: uint256) -> uint256: view


struct Posting:
    timestamp: uint256
    message_count: uint256
    record_count: uint256
    data: Bytes[MAX_POSTING]    # what the module wants to know of the records; empty without any


event BatchPosted:
    number: indexed(uint256)
    batch_hash: indexed(bytes32)
    parent: bytes32
    timestamp: uint256
    first_message: uint256
    message_count: uint256
    first_record: uint256
    record_count: uint256
    module: uint256
    data_root: bytes32
    queue_hash: bytes32


QUEUE: public(immutable(Queue))
OPERATOR: public(immutable(address))
MAX_SKEW: public(immutable(uint256))       # seconds a batch's timestamp may lie behind the block's
FORCE_DELAY: public(immutable(uint256))    # seconds after which a message can no longer be left out
SILENCE: public(immutable(uint256))        # seconds without a batch of the operator's after which anybody may post
EPOCH_BATCHES: public(immutable(uint256))  # batches that one claim covers
EPOCH_INTERVAL: public(immutable(uint256)) # least seconds between the beginnings of two epochs
MODULES: immutable(DynArray[address, MAX_MODULES])

RETURN_TIME: constant(uint256) = 3600      # seconds that `reserve` gives the operator, once it may begin an epoch

MAX_RECORD_BYTES: constant(uint256) = batches.MAX_INPUTS * batches.RECORD_BYTES
RECORD_PAGE_BYTES: constant(uint256) = batches.RECORDS_PER_PAGE * batches.RECORD_BYTES
RECORDS_START: constant(uint256) = 4 + 6 * 32      # in the calldata of `post`
MAX_RECORD_PAGES: constant(uint256) = batches.MAX_INPUTS // batches.RECORDS_PER_PAGE
MAX_MODULES: constant(uint256) = 8
MAX_POSTING: constant(uint256) = 1024
MAX_POSTINGS: constant(uint256) = 6

count: public(uint256)
batch_hash: public(HashMap[uint256, bytes32])
messages_consumed: public(uint256)
records_posted: public(uint256)
timestamp: public(uint256)                 # of the last batch
operator_posted_at: public(uint256)        # block time of the operator's last own post, at first of the deployment
epoch_began_at: public(uint256)            # block time of the first batch of the last epoch begun
reserved_until: public(uint256)            # until then the inbox is closed to others (`reserve`)
has_reserved: public(bool)                  # since the operator's last own post


@deploy
def __init__(
    queue: address,
    operator: address,
    max_skew: uint256,
    force_delay: uint256,
    silence: uint256,
    epoch_batches: uint256,
    epoch_interval: uint256,
    modules: DynArray[address, MAX_MODULES],
):
    """
    @param operator An account without code: what it posts is its transaction's calldata, for everybody to read.
    @param modules The data availability modules: module n is the n-th of them, counted from 1.
    """
    assert queue != empty(address) and operator != empty(address), "zero_address"
    # An operator that fills its epochs at once must not count as silent while it waits for the next one to begin.
    assert silence > max_skew and silence > epoch_interval and epoch_batches > 0, "bad_terms"
    QUEUE = Queue(queue)
    OPERATOR = operator
    MAX_SKEW = max_skew
    FORCE_DELAY = force_delay
    SILENCE = silence
    EPOCH_BATCHES = epoch_batches
    EPOCH_INTERVAL = epoch_interval
    for module: address in modules:
        assert module != empty(address), "zero_address"
    MODULES = modules
    self.operator_posted_at = block.timestamp


@external
@nonreentrant
def post(
    number: uint256,
    timestamp: uint256,
    message_count: uint256,
    expected: bytes32,
    records: Bytes[MAX_RECORD_BYTES],
):
    """
    @notice Post the next batch: the next `message_count` messages of the queue, then `records`. Only the operator
            may, or anybody once the inbox is open (`opens_at`), but then messages only; always from an account without
            code, so that the records are the calldata of the transaction itself.
    @param number The number of batches so far: a second try of the same batch reverts.
    @param timestamp Unix seconds: the machine's time. Not before the last batch's, not in the future, at most
           MAX_SKEW old.
    @param message_count No message that was FORCE_DELAY old at `timestamp` may be left out, unless the batch is full of
           messages.
    @param expected Hash of the batch that this makes. So a posting binds what it builds on: after a reorg it does not
           come to lie on other batches or other messages than its sender has seen.
    @param records Concatenated records of 124 bytes; messages and records together at most 1024.
    """
    assert msg.sender == tx.origin and not msg.sender.is_contract, "caller_has_code"
    record_count: uint256 = len(records) // batches.RECORD_BYTES
    assert len(records) == record_count * batches.RECORD_BYTES, "record_length"
    # One encoding only, so that everybody reads the records at the same place: arguments, then the records, then zeros
    # up to a whole word.
    assert convert(slice(msg.data, 4 + 4 * 32, 32), uint256) == 5 * 32, "calldata_encoding"
    assert len(msg.data) == RECORDS_START + (len(records) + 31) // 32 * 32, "calldata_encoding"
    header: batches.Header = self._check(number, timestamp, message_count, record_count, staticcall QUEUE.count())
    header.parent = self._hash_before(number)
    header.data_root = self._data_root(record_count)
    header.queue_hash = self._queue_hash(header)
    assert self._append(header) == expected, "batch_hash"
    self._note_poster()


@external
@nonreentrant
def post_data(module: uint256, number: uint256, expected: bytes32, postings: DynArray[Posting, MAX_POSTINGS]):
    """
    @notice Post the next batches, as `post` does one, with their records at a data availability module.
    @param module From 1 on.
    @param number Of the first of them: the number of batches so far.
    @param expected Hash of the last of them: through the parents it binds them all, as in `post`.
    @param postings The batches in their order. One without records needs nothing of the module.
    """
    assert module >= 1 and module <= len(MODULES), "no_such_module"
    assert len(postings) > 0, "batch_number"
    next: uint256 = number
    last: bytes32 = self._hash_before(number)
    # What is the same for all of them is read and written once: six full batches then cost 42 gas a record.
    queued: uint256 = staticcall QUEUE.count()
    queue_hash: bytes32 = empty(bytes32)
    for posting: Posting in postings:
        header: batches.Header = self._check(
            next, posting.timestamp, posting.message_count, posting.record_count, queued
        )
        header.parent = last
        header.module = module
        if next == number or posting.message_count > 0:
            queue_hash = self._queue_hash(header)
        header.queue_hash = queue_hash
        if posting.record_count > 0:
            header.data_root = extcall data_module(MODULES[module - 1]).commit(posting.record_count, posting.data)
            assert header.data_root != empty(bytes32), "data_commitment"
        last = self._append(header)
        next += 1
    assert last == expected, "batch_hash"
    self._note_poster()


@external
@view
def check_record(
    header: batches.Header, input_index: uint256, record_page: Bytes[RECORD_PAGE_BYTES], siblings: DynArray[bytes32, 7]
) -> Bytes[batches.RECORD_BYTES]:
    """
    @notice The record in `input_index` of a posted batch. Reverts unless `record_page` and `siblings` prove it.
    @param header Of the batch: must hash to what was posted under its number.
    @param record_page In module 0 the record page of 8 (the last one of a batch may be shorter) that the record is on.
    @param siblings Of that record page under the data root, lowest first.
    """
    assert header.number < self.count and batches._hash_header(header) == self.batch_hash[header.number], "wrong_input"
    assert input_index >= header.message_count and input_index < header.message_count + header.record_count, "wrong_input"
    record: uint256 = input_index - header.message_count
    if header.module > 0:
        body: Bytes[batches.RECORD_BYTES] = staticcall data_module(MODULES[header.module - 1]).check_record(
            header.data_root, header.record_count, record, record_page, siblings
        )
        assert len(body) == batches.RECORD_BYTES, "wrong_input"
        return body
    place: uint256 = record // batches.RECORDS_PER_PAGE
    first: uint256 = place * batches.RECORDS_PER_PAGE
    assert len(record_page) == min(batches.RECORDS_PER_PAGE, header.record_count - first) * batches.RECORD_BYTES, "wrong_input"
    record_page_count: uint256 = (header.record_count + batches.RECORDS_PER_PAGE - 1) // batches.RECORDS_PER_PAGE
    assert len(siblings) == self._depth(record_page_count), "wrong_input"
    assert merkle._climb(keccak256(record_page), place, siblings) == header.data_root, "wrong_input"
    return slice(record_page, (record - first) * batches.RECORD_BYTES, batches.RECORD_BYTES)


@external
@view
def module_count() -> uint256:
    """
    @return Number of data availability modules besides calldata.
    """
    return len(MODULES)


@external
@view
def module_at(module: uint256) -> address:
    """
    @return The contract of a data availability module, counted from 1.
    """
    assert module >= 1 and module <= len(MODULES), "no_such_module"
    return MODULES[module - 1]


@external
@view
def opens_at() -> uint256:
    """
    @return From when on (unix seconds) anybody may post messages, if the operator posts nothing before: it has been
            silent for SILENCE then, or has not completed an epoch in as long, so that nothing in it can be claimed;
            not in the time that its `reserve` gives it.
    """
    return self._opens_at()


@external
@view
def paced_until() -> uint256:
    """
    @return From when on (unix seconds) the next batch may be posted, as far as the pace of epochs goes: zero if it begins
            none.
    """
    return self._paced_until(self.count)


@external
def reserve():
    """
    @notice Close the inbox to others, so that the operator can come back: otherwise whoever posts in every block would
            take the number of each of its batches. RETURN_TIME, after the EPOCH_INTERVAL for which an epoch that others
            have just begun and filled keeps everybody out. Only the operator may, once until it has posted.
    """
    assert msg.sender == OPERATOR, "not_the_operator"
    assert not self.has_reserved, "too_early"
    self.has_reserved = True
    self.reserved_until = block.timestamp + EPOCH_INTERVAL + RETURN_TIME


@internal
@view
def _opens_at() -> uint256:
    since: uint256 = self.operator_posted_at
    if self.count % EPOCH_BATCHES > 0:
        since = min(since, self.epoch_began_at)
    return max(since + SILENCE, self.reserved_until)


@internal
@view
def _paced_until(number: uint256) -> uint256:
    if number == 0 or number % EPOCH_BATCHES > 0:
        return 0
    return self.epoch_began_at + EPOCH_INTERVAL


@internal
@view
def _check(
    number: uint256, timestamp: uint256, message_count: uint256, record_count: uint256, queued: uint256
) -> batches.Header:
    """
    @param queued The number of messages in the queue.
    @return The header of the next batch, if such a batch may be posted by the caller now; without its parent, its
            records' commitment and the queue's hash.
    """
    if msg.sender != OPERATOR:
        # Messages have their order from L1; the order of records is the operator's alone.
        assert block.timestamp >= self._opens_at() and record_count == 0, "not_the_operator"
    assert number == self.count, "batch_number"
    # Epochs are claimed, checked and paid out one claim interval after another: posted faster, they would only pile up
    # before those who wait for their money. Inside an epoch nothing is paced.
    assert block.timestamp >= self._paced_until(number), "epoch_too_early"
    assert timestamp >= self.timestamp and timestamp <= block.timestamp, "batch_timestamp"
    assert timestamp + MAX_SKEW >= block.timestamp, "batch_timestamp"
    # One bound after the other, so that their sum cannot overflow.
    assert message_count <= batches.MAX_INPUTS and record_count <= batches.MAX_INPUTS, "batch_size"
    assert message_count + record_count <= batches.MAX_INPUTS, "batch_size"

    first_message: uint256 = self.messages_consumed
    end_message: uint256 = first_message + message_count
    assert end_message <= queued, "no_such_message"
    if end_message < queued and message_count < batches.MAX_INPUTS:
        # Messages are queued in the order of time, so the first left out is the oldest. Its age is taken at the batch's
        # own time, so that a sealed batch stays as valid as it was while it waits for L1.
        assert staticcall QUEUE.queued_at(end_message) + FORCE_DELAY > timestamp, "message_left_out"
    return batches.Header(
        parent=empty(bytes32),
        number=number,
        timestamp=timestamp,
        first_message=first_message,
        message_count=message_count,
        first_record=self.records_posted,
        record_count=record_count,
        module=0,
        data_root=empty(bytes32),
        queue_hash=empty(bytes32),
    )


@internal
@view
def _hash_before(number: uint256) -> bytes32:
    """
    @return Hash of the batch before this one; zero before the first.
    """
    if number == 0:
        return empty(bytes32)
    return self.batch_hash[number - 1]


@internal
@view
def _queue_hash(header: batches.Header) -> bytes32:
    """
    @return The queue's running hash behind the last message of the batch.
    """
    return staticcall QUEUE.queue_hash(header.first_message + header.message_count)


@internal
def _note_poster():
    """
    @notice Note that the operator is there, if it is who posts.
    """
    if msg.sender == OPERATOR:
        self.operator_posted_at = block.timestamp
        self.has_reserved = False


@internal
def _append(header: batches.Header) -> bytes32:
    """
    @notice Add the batch with this header, which was checked.
    @return Its hash.
    """
    batch_hash: bytes32 = batches._hash_header(header)
    self.batch_hash[header.number] = batch_hash
    self.count = header.number + 1
    self.messages_consumed = header.first_message + header.message_count
    self.records_posted = header.first_record + header.record_count
    self.timestamp = header.timestamp
    if header.number % EPOCH_BATCHES == 0:
        self.epoch_began_at = block.timestamp
    log BatchPosted(
        number=header.number,
        batch_hash=batch_hash,
        parent=header.parent,
        timestamp=header.timestamp,
        first_message=header.first_message,
        message_count=header.message_count,
        first_record=header.first_record,
        record_count=header.record_count,
        module=header.module,
        data_root=header.data_root,
        queue_hash=header.queue_hash,
    )
    return batch_hash


@internal
@pure
def _depth(record_page_count: uint256) -> uint256:
    """
    @return Levels of the Merkle tree over `record_page_count` pages (at least one), padded to a power of two.
    """
    depth: uint256 = 0
    for _: uint256 in range(7):
        if 1 << depth >= record_page_count:
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
    layer: bytes32[MAX_RECORD_PAGES] = empty(bytes32[MAX_RECORD_PAGES])
    whole: uint256 = record_count // batches.RECORDS_PER_PAGE
    for i: uint256 in range(whole, bound=MAX_RECORD_PAGES):
        layer[i] = keccak256(slice(msg.data, RECORDS_START + i * RECORD_PAGE_BYTES, RECORD_PAGE_BYTES))
    record_page_count: uint256 = whole
    rest: uint256 = record_count % batches.RECORDS_PER_PAGE
    if rest > 0:
        layer[whole] = self._hash_short_record_page(RECORDS_START + whole * RECORD_PAGE_BYTES, rest)
        record_page_count += 1
    width: uint256 = 1 << self._depth(record_page_count)
    for _: uint256 in range(7):
        if width == 1:
            break
        width >>= 1
        for i: uint256 in range(width, bound=64):
            layer[i] = merkle._hash_pair(layer[2 * i], layer[2 * i + 1])
    return layer[0]


@internal
@view
def _hash_short_record_page(start: uint256, count: uint256) -> bytes32:
    """
    @return Hash of a record page of 1 to 7 records that begins at `start` of the calldata.
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
