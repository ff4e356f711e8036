# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Records in blobs
@license MIT
@notice The data availability module for EIP-4844 blobs: one batch, one blob. Record i is in the field elements 4·i to
        4·i + 3 of the blob, 31 bytes in each, after a first byte that means nothing. It is proven by one point
        evaluation an element. Twin: `shared/machine/blobs.py`.
"""

from interfaces import data_module

implements: data_module


POINT_EVALUATION: constant(address) = 0x000000000000000000000000000000000000000A
ELEMENTS: constant(uint256) = 4096
MODULUS: constant(uint256) = 52435875175126190479447740508185965837690552500527637822603658699938581184513    # of BLS12-381's scalars
MAX_RECORDS: constant(uint256) = ELEMENTS // 4

# A record page: the blob's commitment, then of each of the four elements its value and its proof.
COMMITMENT: constant(uint256) = 48
VALUE: constant(uint256) = 32
PROOF: constant(uint256) = 48
RECORD_PAGE_BYTES: constant(uint256) = COMMITMENT + 4 * (VALUE + PROOF)

# Element i of a blob is the value of its polynomial at w^r, where w is a 4096th root of unity and r has the twelve bits
# of i in reverse: so bit k of i contributes the factor w^(2^(11 - k)).
BIT_0: constant(uint256) = MODULUS - 1
BIT_1: constant(uint256) = 3465144826073652318776269530687742778270252468765361963008
HIGHER_BITS: constant(uint256[10]) = [
    23674694431658770659612952115660802947967373701506253797663184111817857449850,
    14788168760825820622209131888203028446852016562542525606630160374691593895118,
    36581797046584068049060372878520385032448812009597153775348195406694427778894,
    31519469946562159605140591558550197856588417350474800936898404023113662197331,
    47309214877430199588914062438791732591241783999377560080318349803002842391998,
    36007022166693598376559747923784822035233416720563672082740011604939309541707,
    4214636447306890335450803789410475782380792963881561516561680164772024173390,
    22781213702924172180523978385542388841346373992886390990881355510284839737428,
    49307615728544765012166121802278658070711169839041683575071795236746050763237,
    39033254847818212395286706435128746857159659164139250548781411570340225835782,
]


@external
def commit(record_count: uint256, data: Bytes[1024]) -> bytes32:
    """
    @notice A blob of the present transaction.
    @param data One word: which of the transaction's blobs holds the records.
    @return Its versioned hash.
    """
    assert len(data) == 32 and record_count <= MAX_RECORDS, "data_commitment"
    versioned_hash: bytes32 = blobhash(extract32(data, 0, output_type=uint256))
    assert versioned_hash != empty(bytes32), "data_commitment"
    return versioned_hash


@external
@view
def check_record(
    data_root: bytes32, record_count: uint256, index: uint256, record_page: Bytes[992], siblings: DynArray[bytes32, 7]
) -> Bytes[124]:
    """
    @notice The record at `index` of a blob.
    @param data_root The blob's versioned hash.
    @param record_page The blob's commitment, and of each of the record's four elements the value and the proof.
    @param siblings None.
    """
    assert index < record_count and record_count <= MAX_RECORDS, "wrong_input"
    assert len(record_page) == RECORD_PAGE_BYTES and len(siblings) == 0, "wrong_input"
    commitment: Bytes[COMMITMENT] = slice(record_page, 0, COMMITMENT)
    point: uint256 = self._point(index)
    first: Bytes[31] = self._element(data_root, point, commitment, record_page, 0)
    second: Bytes[31] = self._element(data_root, uint256_mulmod(point, BIT_0, MODULUS), commitment, record_page, 1)
    point = uint256_mulmod(point, BIT_1, MODULUS)
    third: Bytes[31] = self._element(data_root, point, commitment, record_page, 2)
    fourth: Bytes[31] = self._element(data_root, uint256_mulmod(point, BIT_0, MODULUS), commitment, record_page, 3)
    return concat(first, second, third, fourth)


@internal
@pure
def _point(index: uint256) -> uint256:
    """
    @return Where the blob's polynomial has the first element of record `index` as its value.
    """
    roots: uint256[10] = HIGHER_BITS
    point: uint256 = 1
    for bit: uint256 in range(10):
        if index >> bit & 1 == 1:
            point = uint256_mulmod(point, roots[bit], MODULUS)
    return point


@internal
@view
def _element(
    versioned_hash: bytes32, point: uint256, commitment: Bytes[COMMITMENT], record_page: Bytes[992], place: uint256
) -> Bytes[31]:
    """
    @return The 31 bytes of the element at `place` of the record page, once the precompile has confirmed its value at `point`.
    """
    start: uint256 = COMMITMENT + place * (VALUE + PROOF)
    success: bool = False
    response: Bytes[64] = b""
    # It fails for a value or a point that is no scalar, a commitment of another hash, and a wrong proof.
    success, response = raw_call(
        POINT_EVALUATION,
        concat(
            versioned_hash,
            convert(point, bytes32),
            slice(record_page, start, VALUE),
            commitment,
            slice(record_page, start + VALUE, PROOF),
        ),
        max_outsize=64,
        is_static_call=True,
        revert_on_failure=False,
    )
    # A chain without the precompile succeeds with nothing.
    assert success and response == abi_encode(ELEMENTS, MODULUS), "wrong_input"
    return slice(record_page, start + 1, VALUE - 1)
