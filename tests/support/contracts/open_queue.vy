# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A queue that takes anything
@license MIT
@notice For tests: the hash over messages as the inbox and the judge read it, without the real queue's checks of what is
        queued, so that the machine and the judge meet every body that 124 bytes can hold, and every time.
"""

count: public(uint256)
queue_hash: public(HashMap[uint256, bytes32])
queued_at: public(HashMap[uint256, uint256])


@external
def append(message: Bytes[132]):
    """
    @notice Queue any message, with whatever time.
    """
    index: uint256 = self.count
    self.queue_hash[index + 1] = keccak256(concat(self.queue_hash[index], keccak256(message)))
    self.queued_at[index] = block.timestamp
    self.count = index + 1
