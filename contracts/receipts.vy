# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Receipts
@license MIT
@notice The bond behind the operator's receipts. Whoever shows a receipt that was broken takes it: half is burnt, half
        is his. A receipt is broken by another one for its place, by another record posted there, or by a batch after
        its deadline that does not reach it.
@dev Nothing here can be stopped or argued: each call decides from what it was given and what the inbox holds. An
     honest operator gives one receipt a record, in the order in which it posts, and can never be prosecuted.
"""

from codec import receipts
from court import batches
from court import genesis
from court import payments

initializes: payments
exports: payments.__interface__


interface Inbox:
    def OPERATOR() -> address: view
    def batch_hash(number: uint256) -> bytes32: view
    def check_record(
        header: batches.Header, input_index: uint256, record_page: Bytes[992], siblings: DynArray[bytes32, 7]
    ) -> Bytes[batches.RECORD_BYTES]: view


event BondDeposited:
    amount: uint256
    bond: uint256       # all of it now


event ExitAnnounced:
    exit_at: uint256    # unix seconds


event BondWithdrawn:
    amount: uint256


event Slashed:
    prosecutor: indexed(address)
    sequence: indexed(uint256)      # of the broken receipt
    receipt: indexed(bytes32)       # its digest
    reward: uint256
    burnt: uint256


INBOX: public(immutable(Inbox))
OPERATOR: public(immutable(address))
DOMAIN: public(immutable(bytes32))          # EIP-712, the records' own
BOND: public(immutable(uint256))            # wei with which receipts count as bonded
EXIT_DELAY: public(immutable(uint256))      # seconds from the announcement of an exit to the bond's return

bond: public(uint256)                       # wei that a broken receipt costs
exit_at: public(uint256)                    # unix seconds from which the bond can be withdrawn; 0: no exit announced
is_used: public(HashMap[bytes32, bool])     # digests of receipts that have taken a bond


@deploy
def __init__(vault: address, inbox: address, bond: uint256, exit_delay: uint256):
    """
    @param vault Of whose domain the records are; `inbox` where they are posted, which names the operator.
    """
    assert vault != empty(address) and inbox != empty(address), "zero_address"
    assert bond > 1 and exit_delay > 0, "bad_terms"
    INBOX = Inbox(inbox)
    OPERATOR = staticcall Inbox(inbox).OPERATOR()
    DOMAIN = genesis._domain_separator(vault)
    BOND = bond
    EXIT_DELAY = exit_delay


# --- the bond --------------------------------------------------------------------------------------------------------


@external
@payable
@nonreentrant
def deposit_bond():
    """
    @notice Put up the bond, or more of it. Only the operator may; an announced exit is called off.
    """
    assert msg.sender == OPERATOR, "not_the_owner"
    assert msg.value > 0, "zero_amount"
    self.bond += msg.value
    self.exit_at = 0
    log BondDeposited(amount=msg.value, bond=self.bond)


@external
@nonreentrant
def announce_exit():
    """
    @notice Begin to take the bond back. Only the operator may; until it is withdrawn it can still be slashed.
    """
    assert msg.sender == OPERATOR, "not_the_owner"
    assert self.bond > 0, "no_bond"
    assert self.exit_at == 0, "exit_announced"
    self.exit_at = block.timestamp + EXIT_DELAY
    log ExitAnnounced(exit_at=self.exit_at)


@external
@nonreentrant
def withdraw_bond():
    """
    @notice Take the bond back, EXIT_DELAY after the announcement. The money is owed to the operator.
    """
    assert msg.sender == OPERATOR, "not_the_owner"
    assert self.exit_at != 0, "exit_not_announced"
    assert block.timestamp >= self.exit_at, "too_early"
    amount: uint256 = self.bond
    self.bond = 0
    self.exit_at = 0
    log BondWithdrawn(amount=amount)
    payments._owe(OPERATOR, amount)


@external
@view
def is_bonded() -> bool:
    """
    @return Whether the whole bond is there, and no exit announced.
    """
    return self.bond >= BOND and self.exit_at == 0


# --- prosecution -----------------------------------------------------------------------------------------------------


@external
@nonreentrant
def prosecute_conflict(
    first: receipts.Receipt,
    first_signature: Bytes[receipts.MAX_SIGNATURE],
    second: receipts.Receipt,
    second_signature: Bytes[receipts.MAX_SIGNATURE],
):
    """
    @notice Two receipts that cannot both be kept: of one sequence number with another record or running hash, or of
            `second` as the number after `first` with a running hash that does not continue it.
    """
    digest: bytes32 = self._verify(first, first_signature)
    other: bytes32 = self._verify(second, second_signature)
    if first.sequence == second.sequence:
        assert first.record != second.record or first.running != second.running, "receipts_agree"
    else:
        next: uint256 = convert(first.sequence, uint256) + 1
        assert convert(second.sequence, uint256) == next, "receipts_agree"
        assert receipts.extend(first.running, second.record) != second.running, "receipts_agree"
    self.is_used[other] = True
    self._slash(convert(first.sequence, uint256), digest)


@external
@nonreentrant
def prosecute_contradiction(
    receipt: receipts.Receipt,
    signature: Bytes[receipts.MAX_SIGNATURE],
    header: batches.Header,
    record_page: Bytes[992],
    siblings: DynArray[bytes32, 7],
):
    """
    @notice A batch was posted that has another record in the receipt's place. Whether the deadline has passed does not
            matter.
    @param header Of the posted batch with that place; `record_page` and `siblings` prove the record, see the inbox.
    """
    digest: bytes32 = self._verify(receipt, signature)
    sequence: uint256 = convert(receipt.sequence, uint256)
    assert sequence >= header.first_record, "wrong_input"
    # The inbox checks the header, and that the input index is within the batch.
    record: Bytes[batches.RECORD_BYTES] = staticcall INBOX.check_record(
        header, header.message_count + (sequence - header.first_record), record_page, siblings
    )
    assert keccak256(record) != receipt.record, "receipt_kept"
    self._slash(sequence, digest)


@external
@nonreentrant
def prosecute_omission(receipt: receipts.Receipt, signature: Bytes[receipts.MAX_SIGNATURE], header: batches.Header):
    """
    @notice A batch with a timestamp after the deadline was posted that ends before the receipt's place.
    """
    digest: bytes32 = self._verify(receipt, signature)
    assert batches._hash_header(header) == staticcall INBOX.batch_hash(header.number), "wrong_input"
    sequence: uint256 = convert(receipt.sequence, uint256)
    assert header.timestamp > convert(receipt.deadline, uint256), "too_early"
    assert header.first_record + header.record_count <= sequence, "receipt_kept"
    self._slash(sequence, digest)


@internal
@view
def _verify(receipt: receipts.Receipt, signature: Bytes[receipts.MAX_SIGNATURE]) -> bytes32:
    """
    @return The digest of a receipt that the operator has signed and that has not taken a bond before.
    """
    assert receipts.recover(DOMAIN, receipt, signature) == OPERATOR, "bad_signature"
    digest: bytes32 = receipts.digest(DOMAIN, receipt)
    assert not self.is_used[digest], "receipt_used"
    return digest


@internal
def _slash(sequence: uint256, digest: bytes32):
    """
    @notice The whole bond goes: half is burnt, rounded up, so that no accomplice of the operator ever saves more.
    """
    amount: uint256 = self.bond
    assert amount > 0, "no_bond"
    self.is_used[digest] = True
    self.bond = 0
    self.exit_at = 0
    reward: uint256 = amount // 2
    log Slashed(prosecutor=msg.sender, sequence=sequence, receipt=digest, reward=reward, burnt=amount - reward)
    payments._owe(msg.sender, reward)
    payments._burn(amount - reward)
