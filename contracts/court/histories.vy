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

history_of: public(HashMap[bytes32, HashMap[bytes32, History]])      # key -> root


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
    assert self.history_of[key][root].state == ABSENT, "history_exists"

    self.history_of[key][root] = History(
        state=STANDING,
        owner=msg.sender,
        end=end,
        joined_at=block.timestamp,
        place=claims._stand(key, end),
    )
    log Joined(key=key, root=root, end=end, owner=msg.sender, children=children)
    return root


@internal
@view
def _is_standing(key: bytes32, root: bytes32) -> bool:
    return self.history_of[key][root].state == STANDING


@internal
@view
def _delay(key: bytes32, root: bytes32) -> uint256:
    """
    @return Seconds of its clock that a history spent before it joined: since t0 if it differs from the claim, since t1
            if it defends it. Always less than T.
    """
    since: uint256 = claims.claim_of[key].disputed_at
    if self.history_of[key][root].end != claims.claim_of[key].end:
        since = claims.claim_of[key].claimed_at
    return self.history_of[key][root].joined_at - since


@internal
def _eliminate(key: bytes32, root: bytes32, opponent: bytes32, cause: String[7]):
    self.history_of[key][root].state = OUT
    claims._fall(key, self.history_of[key][root].end)
    log Eliminated(key=key, root=root, opponent=opponent, cause=cause)
