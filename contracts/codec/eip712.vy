# pragma version 0.4.3
"""
@title EIP-712 digests of the signed records
@license MIT
@notice The domain separator (name "Setoff", version "1", the chain's id, the vault) is a register of the machine.
        Twin: `shared/codec/eip712.py`.
"""

from codec import records

NAME: constant(String[6]) = "Setoff"
VERSION: constant(String[1]) = "1"

DOMAIN_TYPE: constant(String[82]) = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@internal
@pure
def digest(domain: bytes32, body: Bytes[records.RECORD_BYTES]) -> bytes32:
    """
    @return Digest that a trader or oracle signer signs: keccak(0x1901 || domain || hashStruct).
    """
    return keccak256(concat(0x1901, domain, records.struct_hash(body)))
