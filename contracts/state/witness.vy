# pragma version 0.4.3
"""
@title Witness: the leaves a step touches, folded into the running state root
@license MIT
@notice The state is a sparse Merkle tree of depth 40: leaf = keccak(value), absent leaf = keccak of no bytes, node =
        keccak(left || right), the key's lowest bit at the leaf. Path j is valid against the root after leaves 0..j-1
        have got their new values. Twin of `fold` in `shared/state/tree.py`.
"""

from rules import phases
from state import keys
from state import leaves


struct Leaf:
    key: uint256
    value: Bytes[leaves.ACCOUNT_BYTES]              # before the step
    bitmap: uint256                                 # bit h set iff the sibling at height h is not an empty subtree
    siblings: DynArray[bytes32, keys.KEY_BITS]      # those siblings, from height 0 upward


@internal
@pure
def fold(
    key: uint256,
    before: Bytes[leaves.ACCOUNT_BYTES],
    after: Bytes[leaves.ACCOUNT_BYTES],
    bitmap: uint256,
    siblings: DynArray[bytes32, keys.KEY_BITS],
) -> (bytes32, bytes32):
    """
    @return The roots of the trees in which `key` holds `before` and `after`, beside the same siblings.
    """
    assert key >> keys.KEY_BITS == 0, "witness_path"
    old: bytes32 = keccak256(before)
    new: bytes32 = keccak256(after)
    nothing: bytes32 = keccak256(b"")
    is_same: bool = old == new
    taken: uint256 = 0
    for height: uint256 in range(keys.KEY_BITS):
        sibling: bytes32 = nothing
        if bitmap >> height & 1 == 1:
            assert taken < len(siblings), "witness_path"
            sibling = siblings[taken]
            taken = unsafe_add(taken, 1)  # at most 40
        nothing = keccak256(concat(nothing, nothing))
        if key >> height & 1 == 1:
            old = keccak256(concat(sibling, old))
            if not is_same:
                new = keccak256(concat(sibling, new))
        else:
            old = keccak256(concat(old, sibling))
            if not is_same:
                new = keccak256(concat(new, sibling))
    assert taken == len(siblings) and bitmap >> keys.KEY_BITS == 0, "witness_path"
    if is_same:
        return old, old
    return old, new


@internal
@pure
def apply_witness(
    state_root: bytes32,
    witness: DynArray[Leaf, phases.MAX_LEAVES],
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
) -> bytes32:
    """
    @notice Check every leaf of the witness against the running root, and fold in its new value.
    @return The state root after the step.
    """
    assert len(values) == len(witness), "witness_leaves"
    root: bytes32 = state_root
    for i: uint256 in range(len(witness), bound=phases.MAX_LEAVES):
        old: bytes32 = empty(bytes32)
        new: bytes32 = empty(bytes32)
        old, new = self.fold(
            witness[i].key, witness[i].value, values[i], witness[i].bitmap, witness[i].siblings
        )
        assert old == root, "witness_path"
        root = new
    return root
