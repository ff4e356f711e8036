# pragma version 0.4.3
# pragma evm-version cancun
"""
@title L1 message queue
@license MIT
@notice Everything that enters the exchange from L1, in order: deposits, listings and changes of markets, its terms, oracle signers,
        records that somebody sends here because the operator left them out, and the end of the exchange once its
        operator is gone. A message's body is 124 bytes, as a record's; behind it stands the time at which it was queued
        (8 bytes), by which the machine judges how old a price is, however late a batch consumes it. The queue is a hash
        chain: queue_hash(0) = 0, queue_hash(i + 1) = keccak(queue_hash(i) || keccak(body i || time i)); a batch consumes
        messages in order and commits to the hash after its last one.
        What changes the rules for those who trade is first proposed here, for all to see; it can be queued when the
        listing delay has passed, by anybody: in the order of the proposals, and within a week, so that what was agreed
        on last is not undone by something older that lay waiting.
        The rules themselves never change here. Other rules are another exchange, with contracts of its own: that one is to
        follow is announced here, so that whoever trades or watches has the listing delay to make up its mind.
@dev Layout of the bodies: type (1 byte), then the fields in big-endian order, then zeros.
"""

from codec import records

BODY: constant(uint256) = 124
DEPOSIT: constant(bytes1) = 0x81
LIST_MARKET: constant(bytes1) = 0x82
SET_SIGNER: constant(bytes1) = 0x83
SET_MARKET: constant(bytes1) = 0x84
FORCED: constant(bytes1) = 0x85
WIND_DOWN_MESSAGE: constant(bytes1) = 0x86
SET_TERMS: constant(bytes1) = 0x87
RECORD_BODY: constant(uint256) = 60
ENACTABLE_TIME: public(constant(uint256)) = 604_800   # seconds for which a proposal can be queued once its delay has passed
MAX_PASSED: constant(uint256) = 256                    # dead proposals that one `enact` passes over


interface Inbox:
    def operator_posted_at() -> uint256: view


struct Proposal:
    body: Bytes[BODY]      # the message; empty once it is queued or taken back
    enactable: uint256     # when it may be queued, unix seconds


event MessageQueued:
    index: indexed(uint256)
    body: Bytes[BODY]
    queue_hash: bytes32   # after this message
    timestamp: uint256


event Proposed:
    id: indexed(uint256)
    body: Bytes[BODY]
    enactable: uint256    # unix seconds


event Enacted:
    id: indexed(uint256)
    message: uint256      # its index in the queue


event Revoked:
    id: indexed(uint256)


event SuccessorAnnounced:
    vault: indexed(address)   # the successor's; zero: none any more
    due: uint256              # unix seconds: from when on it is meant to be used


VAULT: public(immutable(address))
INBOX: public(immutable(Inbox))
LISTER: public(immutable(address))
LISTING_DELAY: public(immutable(uint256))    # seconds
WIND_DOWN: public(immutable(uint256))        # seconds without a batch of the operator's after which the exchange may end
LEAST_QUORUM: public(immutable(uint256))     # of oracle signers, that can be proposed

count: public(uint256)
queue_hash: public(HashMap[uint256, bytes32])
queued_at: public(HashMap[uint256, uint256])
is_winding_down: public(bool)
proposal_count: public(uint256)
next_proposal: public(uint256)    # those below it are queued, taken back or expired
proposals: HashMap[uint256, Proposal]
successor: public(address)        # the vault of the exchange that is announced to follow on this one; zero: none is
successor_due: public(uint256)    # unix seconds: from when on that one is meant to be used


@deploy
def __init__(
    vault: address, inbox: address, lister: address, listing_delay: uint256, wind_down: uint256, least_quorum: uint256
):
    """
    @param vault The one contract that queues deposits.
    @param inbox What knows when the operator last posted.
    @param lister The one account that proposes markets, changes of them, and oracle signers.
    @param listing_delay Seconds for which a proposal is public before it can be queued.
    @param wind_down Seconds for which the operator must have been silent before the exchange may be ended; longer than
           the silence after which others may post.
    @param least_quorum The fewest oracle signers whose reports may make a price. With less than three, one that is false
           decides it: for trials only.
    """
    assert vault != empty(address) and inbox != empty(address), "zero_address"
    assert listing_delay < 2**64 and wind_down < 2**64, "bad_terms"
    VAULT = vault
    INBOX = Inbox(inbox)
    LISTER = lister
    LISTING_DELAY = listing_delay
    WIND_DOWN = wind_down
    LEAST_QUORUM = least_quorum


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
def force_as(body: Bytes[RECORD_BODY]) -> uint256:
    """
    @notice Queue a record past the operator, in the name of the caller instead of with a signature: so an account that
            belongs to a contract, or to a key that signs transactions only, can act too.
    @param body The record's body, 60 bytes. Its nonce counts as in any record.
    @return The message's index. From the force delay on no batch is accepted that leaves it out.
    """
    assert len(body) == RECORD_BODY, "message_length"
    return self._append(
        concat(FORCED, convert(msg.sender, bytes20), slice(body, 0, RECORD_BODY), empty(bytes32), empty(bytes11))
    )


@external
def wind_down() -> uint256:
    """
    @notice Begin the end of the exchange, for good. Anybody may, once, when the operator has posted nothing for WIND_DOWN.
    @return The message's index.
    """
    assert not self.is_winding_down, "winding_down"
    assert block.timestamp >= staticcall INBOX.operator_posted_at() + WIND_DOWN, "too_early"
    self.is_winding_down = True
    return self._append(concat(WIND_DOWN_MESSAGE, empty(bytes32), empty(bytes32), empty(bytes32), empty(bytes27)))


@external
def propose_listing(listing: records.ListMarketBody) -> uint256:
    """
    @notice Propose a new market. Only the lister may; the rules refuse parameters that cannot work, and what does not
            fit into the message reverts.
    @return The proposal's id.
    """
    return self._propose(records.encode_list_market(LIST_MARKET, listing))


@external
def propose_change(listing: records.ListMarketBody) -> uint256:
    """
    @notice Propose other parameters for a market. Only the lister may; the rules keep the market's unit and expiry, and
            refuse parameters that cannot work.
    @return The proposal's id.
    """
    return self._propose(records.encode_list_market(SET_MARKET, listing))


@external
def propose_terms(terms: records.SetTermsBody) -> uint256:
    """
    @notice Propose other terms of the whole exchange. Only the lister may; the rules refuse terms that cannot work.
    @return The proposal's id.
    """
    return self._propose(records.encode_set_terms(SET_TERMS, terms))


@external
def propose_signer(index: uint16, signer: address, quorum: uint16, max_age: uint32) -> uint256:
    """
    @notice Propose a change of one oracle signer. Only the lister may.
    @param index Which of the signers, from 0.
    @param signer Its address; zero takes it away.
    @param quorum Number of fresh reports that make a price, at least LEAST_QUORUM.
    @param max_age Seconds a report stays fresh.
    @return The proposal's id.
    """
    assert convert(quorum, uint256) >= LEAST_QUORUM, "quorum_too_small"
    return self._propose(
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
def enact(id: uint256) -> uint256:
    """
    @notice Queue a proposal whose delay has passed. Anybody may, once, within ENACTABLE_TIME, and after every earlier
            one that can still be queued.
    @return The message's index.
    """
    proposal: Proposal = self.proposals[id]
    assert len(proposal.body) == BODY, "no_such_proposal"
    assert block.timestamp >= proposal.enactable, "too_early"
    assert block.timestamp < proposal.enactable + ENACTABLE_TIME, "proposal_expired"
    next: uint256 = self.next_proposal
    for _: uint256 in range(MAX_PASSED):
        if next == id:
            break
        earlier: Proposal = self.proposals[next]
        is_dead: bool = len(earlier.body) == 0 or block.timestamp >= earlier.enactable + ENACTABLE_TIME
        assert is_dead, "earlier_proposal"
        next += 1
    assert next == id, "earlier_proposal"
    self.next_proposal = id + 1
    self.proposals[id] = empty(Proposal)
    index: uint256 = self._append(proposal.body)
    log Enacted(id=id, message=index)
    return index


@external
def revoke(id: uint256):
    """
    @notice Take back a proposal that is not queued yet. Only the lister may.
    """
    assert msg.sender == LISTER, "not_the_lister"
    assert len(self.proposals[id].body) == BODY, "no_such_proposal"
    self.proposals[id] = empty(Proposal)
    log Revoked(id=id)


@external
def announce(vault: address, due: uint256):
    """
    @notice Announce the exchange that follows on this one, by its vault, or with zero that none does. Only the lister may.
            It changes nothing here: money is withdrawn as ever, and every rule goes on being enforced.
    @param due Unix seconds, no sooner than the listing delay from now.
    """
    assert msg.sender == LISTER, "not_the_lister"
    assert vault != VAULT, "bad_terms"
    assert vault == empty(address) or due >= block.timestamp + LISTING_DELAY, "too_early"
    self.successor = vault
    self.successor_due = due
    log SuccessorAnnounced(vault=vault, due=due)


@external
@view
def proposal_at(id: uint256) -> (Bytes[BODY], uint256):
    """
    @return The message that a proposal would queue, and from when on (unix seconds). Reverts if there is none that waits.
    """
    proposal: Proposal = self.proposals[id]
    assert len(proposal.body) == BODY, "no_such_proposal"
    return proposal.body, proposal.enactable


@external
@view
def message_at(index: uint256) -> (bytes32, uint256):
    """
    @return The queue hash after message `index`, and when it was queued (unix seconds). Reverts if there is none.
    """
    assert index < self.count, "no_such_message"
    return self.queue_hash[index + 1], self.queued_at[index]


@internal
def _append(body: Bytes[BODY]) -> uint256:
    index: uint256 = self.count
    queue_hash: bytes32 = keccak256(
        concat(self.queue_hash[index], keccak256(concat(body, convert(convert(block.timestamp, uint64), bytes8))))
    )
    self.queue_hash[index + 1] = queue_hash
    self.queued_at[index] = block.timestamp
    self.count = index + 1
    log MessageQueued(index=index, body=body, queue_hash=queue_hash, timestamp=block.timestamp)
    return index


@internal
def _propose(body: Bytes[BODY]) -> uint256:
    assert msg.sender == LISTER, "not_the_lister"
    id: uint256 = self.proposal_count
    enactable: uint256 = block.timestamp + LISTING_DELAY
    self.proposals[id] = Proposal(body=body, enactable=enactable)
    self.proposal_count = id + 1
    log Proposed(id=id, body=body, enactable=enactable)
    return id
