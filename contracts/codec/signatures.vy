# pragma version 0.4.3
"""
@title secp256k1 signatures in compact form (EIP-2098)
@license MIT
@notice r, then s with the parity of R's y in its top bit; 64 bytes. Taken iff 0 < r < n, 0 < s <= n/2 and recovery
        succeeds. Twin: `shared/codec/signatures.py`.
"""

CURVE_ORDER: constant(uint256) = 115792089237316195423570985008687907852837564279074904382605163141518161494337
HALF_ORDER: constant(uint256) = CURVE_ORDER // 2
_PARITY: constant(uint256) = 1 << 255


@internal
@pure
def recover(digest: bytes32, signature: Bytes[64]) -> address:
    """
    @return The address that signed `digest`, zero where the 64-byte signature is not valid.
    """
    r: uint256 = convert(extract32(signature, 0), uint256)
    word: uint256 = convert(extract32(signature, 32), uint256)
    s: uint256 = word & (_PARITY - 1)
    if s == 0 or s > HALF_ORDER:
        return empty(address)
    v: uint256 = 27 + (word >> 255)
    # The precompile refuses r = 0, r >= n and an r that is no point's x: it answers nothing, which reads as zero.
    return ecrecover(digest, v, r, s)
