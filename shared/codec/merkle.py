"""Plain binary Merkle trees over a power of two of 32-byte nodes: node = keccak(left ‖ right).

The data root of a batch and the openings of a history are such trees; the sparse tree of the state is another matter.
Siblings are always listed from the leaf upward.
"""

from collections.abc import Sequence

from setoff.shared.codec.hashing import hash_pair


def parents(nodes: Sequence[bytes]) -> list[bytes]:
    """The layer above an even number of nodes."""
    return [hash_pair(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]


def merkle_root(nodes: Sequence[bytes]) -> bytes:
    """The root over 2^n nodes. Raises ValueError for another number of them."""
    if len(nodes).bit_count() != 1:
        raise ValueError(f"a Merkle tree needs a power of two of nodes, not {len(nodes)}")
    while len(nodes) > 1:
        nodes = parents(nodes)
    return nodes[0]


def merkle_path(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """The n siblings of the node at `index` of 2^n. Raises IndexError if there is no such node."""
    if not 0 <= index < len(nodes):
        raise IndexError(f"no node {index} among {len(nodes)}")
    siblings: list[bytes] = []
    while len(nodes) > 1:
        siblings.append(nodes[index ^ 1])
        nodes, index = parents(nodes), index >> 1
    return siblings


def climb(node: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """The root that `node` at `index` has with these siblings."""
    for height, sibling in enumerate(siblings):
        node = hash_pair(sibling, node) if (index >> height) & 1 else hash_pair(node, sibling)
    return node
