# pragma version 0.4.3
"""
@title Where every history starts
@license MIT
@notice The EIP-712 domain of one deployment, and the machine hash before the first batch: the empty tree, and all
        registers zero but the domain and the delay of requests of the backstop. Twins: `shared/codec/eip712.py`, `Machine.genesis`.
"""

from state import keys
from state import registers

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME: constant(bytes32) = keccak256("Setoff")
VERSION: constant(bytes32) = keccak256("1")


@internal
@view
def _domain_separator(vault: address) -> bytes32:
    """
    @return The EIP-712 domain separator of this chain and this vault.
    """
    return keccak256(abi_encode(DOMAIN_TYPE, NAME, VERSION, chain.id, vault))


@internal
@pure
def _empty_root() -> bytes32:
    """
    @return Root of the sparse Merkle tree without any leaf.
    """
    node: bytes32 = keccak256(b"")
    for _: uint256 in range(keys.KEY_BITS):
        node = keccak256(concat(node, node))
    return node


@internal
@view
def _genesis(vault: address, backstop_delay: uint256) -> bytes32:
    """
    @return Machine hash before the first batch.
    """
    regs: registers.Registers = empty(registers.Registers)
    regs.domain = self._domain_separator(vault)
    regs.backstop_delay = backstop_delay
    return registers.machine_hash(self._empty_root(), registers.hash(regs))
