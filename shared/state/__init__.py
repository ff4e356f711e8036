"""The state: the sparse Merkle tree and its leaves."""
