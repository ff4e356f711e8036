# pragma version 0.4.3
"""
@title Matches
@license MIT
@notice Any two standing histories of a claim are in a match, from the later join on; all matches run at once. A move
        descends to the first of 32 children in which the two differ, and opens the mover's one; after seven the two
        differing leaves are known, and the step before them decides.

    Levels 0 to 6 are running: the later of the two histories is on turn at even levels, the earlier at odd ones.
    Level 7 is sealed. Each side has a clock of T, and only the side on turn ticks; nothing is ever given back.
"""

from court import claims
from court import credits
from court import histories
from court import merkle
from court import terms

uses: claims
uses: credits
uses: histories
uses: terms


event Moved:
    key: indexed(bytes32)
    mover: indexed(bytes32)         # root of the history on turn
    opponent: indexed(bytes32)
    level: uint256                  # before the move
    index: uint256                  # of the first child that differs
    children: DynArray[bytes32, 32] # of the mover's child there; nothing more below level 6
    mover_child: bytes32
    opponent_child: bytes32


struct Match:
    earlier: bytes32        # root of the history that joined first
    later: bytes32
    level: uint256
    prefix: uint256         # position of the nodes, counted on their level; at level 7 the position of the leaves
    since: uint256          # when the turn began
    earlier_used: uint256   # seconds
    later_used: uint256
    earlier_node: bytes32
    later_node: bytes32


SEALED: constant(uint256) = 7

# A match takes three words: the two nodes and this one, packed as since | earlier_used | later_used | prefix | level.
packed: HashMap[bytes32, uint256]
earlier_nodes: HashMap[bytes32, bytes32]
later_nodes: HashMap[bytes32, bytes32]


@external
@nonreentrant
def move(
    key: bytes32,
    mover: bytes32,
    opponent: bytes32,
    index: uint256,
    children: DynArray[bytes32, 32],
    their_child: bytes32,
    common: DynArray[bytes32, 5],
    mine: DynArray[bytes32, 5],
    theirs: DynArray[bytes32, 5],
):
    """
    @notice Descend to the first child in which the two histories differ. The mover's side must be on turn and its
            clock not run out; anybody may call for it.
    @param mover Root of the history on turn; `opponent` the other one's.
    @param index Of the first differing child, 0 to 31.
    @param children The 32 nodes five levels below the mover's child at `index`; at level 6 the child, a leaf, alone.
    @param their_child The opponent's child at `index`.
    @param common Siblings on the left of both paths, from below: the same, so everything left of `index` is equal.
    @param mine Siblings on the right of the mover's path, from below; `theirs` of the opponent's.
    @dev Money: credits the caller, to be paid by the opponent's bond if the mover's history wins.
    """
    gas_before: uint256 = msg.gas
    m: Match = self._load(key, mover, opponent)
    assert m.level < SEALED, "match_sealed"
    assert self._on_turn(m) == mover, "not_on_turn"
    assert block.timestamp < self._expiry(key, m), "clock_run_out"
    assert index < 32, "child_index"

    my_child: bytes32 = empty(bytes32)
    if m.level == SEALED - 1:
        assert len(children) == 1, "children_length"
        my_child = children[0]
    else:
        assert len(children) == 32, "children_length"
        nodes: bytes32[32] = empty(bytes32[32])
        for i: uint256 in range(32):
            nodes[i] = children[i]
        my_child = merkle._root_of_32(nodes)
    assert my_child != their_child, "children_equal"
    self._check_nodes(m, index, my_child, their_child, common, mine, theirs)

    spent: uint256 = block.timestamp - m.since
    if m.later == mover:
        m.later_used += spent
        m.later_node = my_child
        m.earlier_node = their_child
    else:
        m.earlier_used += spent
        m.earlier_node = my_child
        m.later_node = their_child
    m.since = block.timestamp
    m.prefix = 32 * m.prefix + index
    m.level += 1
    self._save(key, m)
    log Moved(
        key=key,
        mover=mover,
        opponent=opponent,
        level=m.level - 1,
        index=index,
        children=children,
        mover_child=my_child,
        opponent_child=their_child,
    )
    credits._credit(key, opponent, mover, gas_before, credits.MOVE_GAS)


@external
@nonreentrant
def timeout(key: bytes32, a: bytes32, b: bytes32):
    """
    @notice Eliminate the side whose turn it is and whose clock has run out, in a match that is not sealed. Anybody may
            call, with the two roots in any order.
    @dev Money: credits the caller for the other side.
    """
    gas_before: uint256 = msg.gas
    m: Match = self._load(key, a, b)
    assert m.level < SEALED, "match_sealed"
    assert block.timestamp >= self._expiry(key, m), "clock_runs"
    loser: bytes32 = self._on_turn(m)
    winner: bytes32 = m.earlier
    if loser == m.earlier:
        winner = m.later
    histories._eliminate(key, loser, winner, "timeout")
    credits._credit(key, loser, winner, gas_before, credits.TIMEOUT_GAS)


@external
@nonreentrant
def prove(
    key: bytes32, a: bytes32, b: bytes32, pre: bytes32, path: DynArray[bytes32, 35], proof: Bytes[32768]
):
    """
    @notice Judge a sealed match: run the step before the differing leaves, and eliminate each side whose leaf is not
            its result. Anybody may call, with the two roots in any order.
    @param pre Machine hash before the step: the leaf before, common to both histories; the claim's start at position 0.
    @param path That leaf's 35 siblings under either root, lowest first; none at position 0.
    @param proof What the judge needs to run the step.
    @dev Whatever fails inside the judge, also for want of gas, reverts here: it is never read as a verdict.
         Money: credits the caller for the opponent of each side eliminated.
    """
    gas_before: uint256 = msg.gas
    m: Match = self._load(key, a, b)
    assert m.level == SEALED, "match_not_sealed"
    position: uint256 = m.prefix
    if position == 0:
        assert len(path) == 0 and pre == claims.claim_of[key].start, "wrong_pre"
    else:
        assert len(path) == histories.HEIGHT, "wrong_pre"
        root: bytes32 = merkle._climb(pre, position - 1, path)
        assert root == a or root == b, "wrong_pre"
    batch_count: uint256 = terms.TERMS.epoch_batches
    post: bytes32 = staticcall terms.JUDGE.step(
        claims.claim_of[key].epoch * batch_count, batch_count, position, pre, proof
    )
    # The leaves differ, so at least one of them is wrong.
    if m.earlier_node != post:
        histories._eliminate(key, m.earlier, m.later, "proof")
        credits._credit(key, m.earlier, m.later, gas_before, credits.PROVE_GAS)
    if m.later_node != post:
        histories._eliminate(key, m.later, m.earlier, "proof")
        credits._credit(key, m.later, m.earlier, gas_before, credits.PROVE_GAS)


@external
@view
def match_of(key: bytes32, a: bytes32, b: bytes32) -> (Match, bytes32, uint256):
    """
    @return The match of two standing histories, the root on turn (zero when sealed), and when its clock runs out.
            Reverts unless both stand.
    """
    m: Match = self._load(key, a, b)
    if m.level == SEALED:
        return m, empty(bytes32), 0
    return m, self._on_turn(m), self._expiry(key, m)


@internal
@pure
def _check_nodes(
    m: Match,
    index: uint256,
    my_child: bytes32,
    their_child: bytes32,
    common: DynArray[bytes32, 5],
    mine: DynArray[bytes32, 5],
    theirs: DynArray[bytes32, 5],
):
    """
    @notice Fold both children up with the same siblings on the left and each with its own on the right: both must lead
            to the nodes that the match is at.
    """
    my_node: bytes32 = my_child
    their_node: bytes32 = their_child
    left: uint256 = 0
    right: uint256 = 0
    for height: uint256 in range(5):
        if (index >> height) & 1 == 1:
            assert left < len(common), "wrong_opening"
            my_node = merkle._hash_pair(common[left], my_node)
            their_node = merkle._hash_pair(common[left], their_node)
            left += 1
        else:
            assert right < len(mine) and right < len(theirs), "wrong_opening"
            my_node = merkle._hash_pair(my_node, mine[right])
            their_node = merkle._hash_pair(their_node, theirs[right])
            right += 1
    assert left == len(common) and right == len(mine) and right == len(theirs), "wrong_opening"
    if m.level % 2 == 0:
        assert my_node == m.later_node and their_node == m.earlier_node, "wrong_opening"
    else:
        assert my_node == m.earlier_node and their_node == m.later_node, "wrong_opening"


@internal
@pure
def _on_turn(m: Match) -> bytes32:
    """
    @return Root of the history on turn in a running match.
    """
    if m.level % 2 == 0:
        return m.later
    return m.earlier


@internal
@view
def _expiry(key: bytes32, m: Match) -> uint256:
    """
    @return When the clock of the side on turn runs out.
    """
    used: uint256 = m.earlier_used
    if m.level % 2 == 0:
        used = m.later_used
    # Both are less than T: a history joins, and moves, only before its time is up.
    return m.since + terms.TERMS.challenge_period - histories._delay(key, self._on_turn(m)) - used


@internal
@view
def _load(key: bytes32, a: bytes32, b: bytes32) -> Match:
    """
    @return The match of two histories. Reverts unless the dispute runs and both stand.
    """
    assert claims._is_disputed(key), "claim_state"
    assert a != b, "same_history"
    assert histories._is_standing(key, a) and histories._is_standing(key, b), "history_not_standing"
    m: Match = empty(Match)
    m.earlier = a
    m.later = b
    if histories._place(key, a) > histories._place(key, b):
        m.earlier = b
        m.later = a
    id: bytes32 = keccak256(abi_encode(key, m.earlier, m.later))
    word: uint256 = self.packed[id]
    if word == 0:
        m.since = histories._joined_at(key, m.later)
        m.earlier_node = m.earlier
        m.later_node = m.later
    else:
        m.level = word & 255
        m.prefix = (word >> 8) & (2**40 - 1)
        m.later_used = (word >> 48) & (2**64 - 1)
        m.earlier_used = (word >> 112) & (2**64 - 1)
        m.since = word >> 176
        m.earlier_node = self.earlier_nodes[id]
        m.later_node = self.later_nodes[id]
    return m


@internal
def _save(key: bytes32, m: Match):
    id: bytes32 = keccak256(abi_encode(key, m.earlier, m.later))
    self.packed[id] = m.since << 176 | m.earlier_used << 112 | m.later_used << 48 | m.prefix << 8 | m.level
    self.earlier_nodes[id] = m.earlier_node
    self.later_nodes[id] = m.later_node
