# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Judges that misbehave, for tests
@notice MODE 0: returns nothing. 1: 31 bytes. 2: uses up all gas. 3: tries to change the court while asked. 4: reverts
        with bytes that are no reason. 5: returns more than a hash, and a wrong one. 6: fails without a word.
"""

MODE: immutable(uint256)
touched: public(uint256)


@deploy
def __init__(mode: uint256):
    MODE = mode


@external
@raw_return
def step(
    first_batch: uint256, batch_count: uint256, position: uint256, pre: bytes32, proof: Bytes[32768]
) -> Bytes[65536]:
    if MODE == 0:
        return b""
    if MODE == 1:
        return slice(concat(pre, b""), 0, 31)
    if MODE == 2:
        waste: bytes32 = pre
        for _: uint256 in range(10_000_000):
            waste = keccak256(waste)
    if MODE == 3:
        self.touched += 1
        raw_call(msg.sender, method_id("collect(address)", output_type=Bytes[4]))
    if MODE == 4:
        raw_revert(concat(pre, pre))
    if MODE == 5:
        return concat(keccak256(pre), pre, pre)
    assert MODE != 6
    return b""
