# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A judge for tests of the court alone
@notice A machine of a few steps: the first MICROS micro-steps of the first INPUTS_PER_BATCH inputs of each batch hash on,
        all other positions leave the machine as it is. The proof is a number: how many further hashes the judge has to do.
"""

INPUTS_PER_BATCH: constant(uint256) = 3
MICROS: constant(uint256) = 4


@external
@view
def step(
    first_batch: uint256, batch_count: uint256, position: uint256, pre: bytes32, proof: Bytes[32768]
) -> bytes32:
    assert len(proof) >= 32, "wrong_input"
    work: uint256 = convert(slice(proof, 0, 32), uint256)
    waste: bytes32 = pre
    for _: uint256 in range(work, bound=100_000):
        waste = keccak256(waste)
    batch: uint256 = position >> 30
    input_index: uint256 = (position >> 20) & 1023
    micro: uint256 = position & (2**20 - 1)
    if batch >= batch_count or input_index >= INPUTS_PER_BATCH or micro >= MICROS:
        return pre
    return keccak256(abi_encode(pre, first_batch, position))
