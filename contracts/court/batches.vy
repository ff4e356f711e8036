# pragma version 0.4.3
"""
@title Batch headers
@license MIT
@notice What L1 keeps of a batch, in hashed form. Twin of `Header` in `shared/machine/batch.py`: same fields, same order.
"""


struct Header:
    parent: bytes32           # hash of the batch before, zero for batch 0
    number: uint256           # batches are numbered from 0 without gaps
    timestamp: uint256        # unix seconds, never less than the parent's
    first_message: uint256    # queue index of the first message consumed
    message_count: uint256
    first_record: uint256     # number of records in all batches before
    record_count: uint256
    module: uint256           # where the records are: 0 calldata, n the inbox's data availability module n
    data_root: bytes32        # the module's commitment to the records, zero without any
    queue_hash: bytes32       # hash of the queue after the last message consumed so far


RECORD_BYTES: constant(uint256) = 124
RECORDS_PER_PAGE: constant(uint256) = 8
MAX_INPUTS: constant(uint256) = 1024


@internal
@pure
def _hash_header(header: Header) -> bytes32:
    """
    @return The batch hash: keccak of the header's ten words.
    """
    return keccak256(abi_encode(header))
