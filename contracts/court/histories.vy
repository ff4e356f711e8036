# pragma version 0.4.3
"""
@title Histories
@license MIT
@notice A history commits to the machine hash after every position of an epoch: a Merkle root over 32^7 leaves, with a
        bond. It is opened 32 nodes at a time, and fixes its openings: nobody can lie in the middle of one, anybody can
        move for one. An opening is shown in events, never read from calldata.

    STANDING -> OUT -> PAID         eliminated in a match
    STANDING -> PAID
"""

from court import claims
from court import merkle
from court import terms

uses: claims
uses: terms


event Joined:
    key: indexed(bytes32)
    root: indexed(bytes32)
    end: bytes32
    owner: address
    children: bytes32[32]


event Eliminated:
    key: indexed(bytes32)
    root: indexed(bytes32)
    opponent: bytes32
    cause: String[7]        # "timeout" or "proof"


struct History:
    state: uint256
    owner: address
    end: bytes32
    joined_at: uint256
    place: uint256          # in the order of joins, from 1


ABSENT: constant(uint256) = 0
STANDING: constant(uint256) = 1
OUT: constant(uint256) = 2
PAID: constant(uint256) = 3

HEIGHT: constant(uint256) = 35     # of the tree, and so the length of a leaf's path

# A history takes two words: its end and this one, packed as owner | joined_at (40 bits) | place (48 bits) | state (8 bits).
packed: HashMap[bytes32, HashMap[bytes32, uint256]]     # key -> root
ends: HashMap[bytes32, HashMap[bytes32, bytes32]]


@external
@payable
@nonreentrant
def join(key: bytes32, children: bytes32[32], end: bytes32, path: bytes32[30]) -> bytes32:
    """
    @notice Stand for a history of a claim: its root's 32 children, and the proof that its last leaf is `end`. A
            history that ends otherwise than the claim joins before t0 + T, the first of them starts the dispute (t1);
            one that defends the claim's end joins from then on and before t1 + T. A root joins once.
    @param path The last leaf's 30 siblings below the last child, lowest first.
    @dev Money: takes the bond, exactly.
    @return The root.
    """
    assert claims._is_open(key), "claim_state"
    assert msg.value == terms.TERMS.bond, "wrong_value"
    assert end != empty(bytes32), "zero_hash"
    period: uint256 = terms.TERMS.challenge_period
    if end != claims.claim_of[key].end:
        assert block.timestamp < claims.claim_of[key].claimed_at + period, "too_late"
        if claims.claim_of[key].disputed_at == 0:
            claims.claim_of[key].disputed_at = block.timestamp
            claims.claim_of[key].state = claims.DISPUTED
    else:
        assert claims.claim_of[key].disputed_at != 0, "not_disputed"
        assert block.timestamp < claims.claim_of[key].disputed_at + period, "too_late"
    # The last leaf is on the right at every height.
    node: bytes32 = end
    for sibling: bytes32 in path:
        node = merkle._hash_pair(sibling, node)
    assert node == children[31], "history_end"
    root: bytes32 = merkle._root_of_32(children)
    assert self.packed[key][root] == 0, "history_exists"

    place: uint256 = claims._stand(key, end)
    self.packed[key][root] = convert(msg.sender, uint256) << 96 | block.timestamp << 56 | place << 8 | STANDING
    self.ends[key][root] = end
    log Joined(key=key, root=root, end=end, owner=msg.sender, children=children)
    return root


@external
@view
def history_of(key: bytes32, root: bytes32) -> History:
    """
    @return A history of a claim, by its root; all zero if there is none.
    """
    return History(
        state=self._state(key, root),
        owner=self._owner(key, root),
        end=self.ends[key][root],
        joined_at=self._joined_at(key, root),
        place=self._place(key, root),
    )


@internal
@view
def _state(key: bytes32, root: bytes32) -> uint256:
    return self.packed[key][root] & 255


@internal
@view
def _owner(key: bytes32, root: bytes32) -> address:
    return convert(self.packed[key][root] >> 96, address)


@internal
@view
def _joined_at(key: bytes32, root: bytes32) -> uint256:
    return (self.packed[key][root] >> 56) & (2**40 - 1)


@internal
@view
def _place(key: bytes32, root: bytes32) -> uint256:
    """
    @return Its place in the order of joins, from 1.
    """
    return (self.packed[key][root] >> 8) & (2**48 - 1)


@internal
def _set_state(key: bytes32, root: bytes32, state: uint256):
    self.packed[key][root] = self.packed[key][root] >> 8 << 8 | state


@internal
@view
def _is_standing(key: bytes32, root: bytes32) -> bool:
    return self._state(key, root) == STANDING


@internal
@view
def _delay(key: bytes32, root: bytes32) -> uint256:
    """
    @return Seconds of its clock that a history spent before it joined: since t0 if it differs from the claim, since t1
            if it defends it. Always less than T.
    """
    since: uint256 = claims.claim_of[key].disputed_at
    if self.ends[key][root] != claims.claim_of[key].end:
        since = claims.claim_of[key].claimed_at
    return self._joined_at(key, root) - since


@internal
def _eliminate(key: bytes32, root: bytes32, opponent: bytes32, cause: String[7]):
    self._set_state(key, root, OUT)
    claims._fall(key, self.ends[key][root])
    log Eliminated(key=key, root=root, opponent=opponent, cause=cause)
