"""Keccak-256, the one hash of the protocol.

Everything that L1 re-computes (leaves, nodes, machine hashes, batch hashes) goes through these two functions. The
implementation is safe-pysha3, about 0.6 µs for 64 bytes: seven times faster than pycryptodome from Python.
"""

from sha3 import keccak_256


def keccak(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `data`, as the EVM's KECCAK256 (not NIST SHA3-256) computes it."""
    digest: bytes = keccak_256(data).digest()
    return digest


def hash_pair(left: bytes, right: bytes) -> bytes:
    """The inner node above two 32-byte nodes: keccak(left ‖ right)."""
    digest: bytes = keccak_256(left + right).digest()
    return digest
