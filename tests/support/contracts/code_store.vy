# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Records in code
@license MIT
@notice A data availability module as a third party could write one: the records of a batch are the code of a contract,
        behind a byte that stops whoever runs it, so that it stays as it is for ever. The data root is the code's hash.
"""

from interfaces import data_module

implements: data_module

RECORD_BYTES: constant(uint256) = 124

store: HashMap[bytes32, address]


@external
def commit(record_count: uint256, data: Bytes[1024]) -> bytes32:
    """
    @param data One word: the contract's address.
    """
    assert len(data) == 32, "data_commitment"
    target: address = extract32(data, 0, output_type=address)
    assert target.codesize == 1 + record_count * RECORD_BYTES, "data_commitment"
    assert slice(target.code, 0, 1) == b"\x00", "data_commitment"
    data_root: bytes32 = target.codehash
    self.store[data_root] = target
    return data_root


@external
@view
def check_record(
    data_root: bytes32, record_count: uint256, index: uint256, record_page: Bytes[992], siblings: DynArray[bytes32, 7]
) -> Bytes[124]:
    """
    @param record_page Nothing: the code is at hand.
    """
    target: address = self.store[data_root]
    assert target.codesize == 1 + record_count * RECORD_BYTES and index < record_count, "wrong_input"
    assert len(record_page) == 0 and len(siblings) == 0, "wrong_input"
    return slice(target.code, 1 + index * RECORD_BYTES, RECORD_BYTES)
