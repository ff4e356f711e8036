# pragma version 0.4.3
"""
@title Settlement
@license MIT
@notice Where a dispute's money goes, once its start is the confirmed one: a standing history has its bond back, an
        eliminated one burns its share, pays the winner's side for its gas, and the rest to the winner's owner.
"""

from court import claims
from court import credits
from court import histories
from court import payments
from court import stakes
from court import terms

uses: claims
uses: credits
uses: histories
uses: payments
uses: stakes
uses: terms


event Released:
    key: indexed(bytes32)
    root: indexed(bytes32)
    owner: address          # who is owed the amount; zero if all was burnt
    amount: uint256


event Redeemed:
    key: indexed(bytes32)
    root: indexed(bytes32)
    mover: indexed(address)
    amount: uint256


event Reclaimed:
    key: indexed(bytes32)
    root: indexed(bytes32)
    owner: address


# What an eliminated history still owes to the movers of the winner's side, wei: key -> root.
slices: public(HashMap[bytes32, HashMap[bytes32, uint256]])


@external
@nonreentrant
def settle(key: bytes32, winner: bytes32):
    """
    @notice Name the winner of an installed claim on the confirmed start: the one history left standing, or from
            t1 + 3T on any that stands. If none does, `winner` is zero. Anybody may call.
    @dev Money: the claim closes if its end was installed; else its stake is slashed, and the reward goes to the
         winner's owner.
    """
    assert claims.claim_of[key].state == claims.INSTALLED, "claim_state"
    assert claims._is_true_start(key), "start_not_confirmed"
    standing: uint256 = claims.claim_of[key].standing
    payee: address = empty(address)
    if winner == empty(bytes32):
        assert standing == 0, "history_standing"
    else:
        assert histories._is_standing(key, winner), "history_not_standing"
        if standing > 1:
            limit: uint256 = claims.claim_of[key].disputed_at + 3 * terms.TERMS.challenge_period
            assert block.timestamp >= limit, "history_standing"
        payee = histories._owner(key, winner)
    claims.claim_of[key].state = claims.SETTLED
    claims.claim_of[key].winner = winner
    result: bytes32 = claims.claim_of[key].result
    log claims.Settled(key=key, winner=winner, end=result)
    if result == claims.claim_of[key].end:
        stakes._close(claims.claim_of[key].stake)
    else:
        stakes._slash(claims.claim_of[key].stake, payee)


@external
@nonreentrant
def release(key: bytes32, root: bytes32):
    """
    @notice Pay out a history's bond, once the claim is settled or void and its start is the confirmed one. Anybody may
            call, once a history.
    @dev Money: standing: the bond goes back to its owner. Eliminated: its share is burnt, the credits of the winner's
         side against it are kept for `redeem`, the rest is owed to the winner's owner; without a winner all is burnt.
    """
    state: uint256 = claims.claim_of[key].state
    assert state == claims.SETTLED or state == claims.VOID, "claim_state"
    assert claims._is_true_start(key), "start_not_confirmed"
    bond: uint256 = terms.TERMS.bond
    history: uint256 = histories._state(key, root)
    winner: bytes32 = claims.claim_of[key].winner
    owner: address = empty(address)
    amount: uint256 = 0
    if history == histories.STANDING:
        histories._set_state(key, root, histories.PAID)
        owner = histories._owner(key, root)
        amount = bond
    else:
        assert history == histories.OUT, "history_not_held"
        histories._set_state(key, root, histories.PAID)
        if winner == empty(bytes32):
            payments._burn(bond)
        else:
            share: uint256 = bond - terms.TERMS.bond_burn
            kept: uint256 = min(credits.credit_total[credits._direction(key, root, winner)], share)
            self.slices[key][root] = kept
            owner = histories._owner(key, winner)
            amount = share - kept
            payments._burn(terms.TERMS.bond_burn)
    payments._owe(owner, amount)
    log Released(key=key, root=root, owner=owner, amount=amount)


@external
@nonreentrant
def redeem(key: bytes32, root: bytes32, mover: address):
    """
    @notice Pay `mover` his credits for the winner's side against the eliminated history `root`, after its release.
            Anybody may call.
    @dev Money: owed out of that history's slice, which is never exceeded.
    """
    direction: bytes32 = credits._direction(key, root, claims.claim_of[key].winner)
    left: uint256 = self.slices[key][root]
    amount: uint256 = min(credits.credit_of[direction][mover], left)
    assert amount > 0, "nothing_owed"
    credits.credit_of[direction][mover] = 0
    self.slices[key][root] = left - amount
    payments._owe(mover, amount)
    log Redeemed(key=key, root=root, mover=mover, amount=amount)


@external
@nonreentrant
def reclaim_history(key: bytes32, root: bytes32):
    """
    @notice Refund the whole bond of a history, standing or not, whose claim's start turned out not to be the confirmed
            one. Closes the claim first if it is not. Anybody may call, once a history.
    """
    assert claims._is_false_start(key), "start_not_false"
    state: uint256 = histories._state(key, root)
    assert state == histories.STANDING or state == histories.OUT, "history_not_held"
    histories._set_state(key, root, histories.PAID)
    if claims._is_unsettled(key):
        claims._moot(key)
    owner: address = histories._owner(key, root)
    payments._owe(owner, terms.TERMS.bond)
    log Reclaimed(key=key, root=root, owner=owner)
