# pragma version 0.4.3
"""
@title Binary Merkle trees over keccak256
@license MIT
@notice node = keccak256(left || right). An index counts leaves from the left; its lowest bit belongs to the lowest height.
"""


@internal
@pure
def _hash_pair(left: bytes32, right: bytes32) -> bytes32:
    """
    @return The node above two nodes.
    """
    return keccak256(concat(left, right))


@internal
@pure
def _join(node: bytes32, sibling: bytes32, is_right: bool) -> bytes32:
    """
    @return The node above `node` and its sibling; `is_right` says on which side `node` is.
    """
    if is_right:
        return keccak256(concat(sibling, node))
    return keccak256(concat(node, sibling))


@internal
@pure
def _root_of_32(nodes: bytes32[32]) -> bytes32:
    """
    @return The node five levels above 32 neighbours.
    """
    layer: bytes32[32] = nodes
    width: uint256 = 16
    for _: uint256 in range(5):
        for i: uint256 in range(width, bound=16):
            layer[i] = keccak256(concat(layer[2 * i], layer[2 * i + 1]))
        width >>= 1
    return layer[0]


@internal
@pure
def _climb(leaf: bytes32, index: uint256, siblings: DynArray[bytes32, 35]) -> bytes32:
    """
    @return The root that `leaf` at `index` leads to, as many heights above it as there are siblings (lowest first).
    """
    node: bytes32 = leaf
    path: uint256 = index
    for sibling: bytes32 in siblings:
        node = self._join(node, sibling, path & 1 == 1)
        path >>= 1
    return node
