# pragma version 0.4.3
"""
@title Stakes of claimants
@license MIT
@notice One stake stands for up to `stake_claims` open claims of its owner. The first lie slashes it: all but what the
        rewards of so many lies could cost is burnt at once, and it takes no further claims. So any number of lies on
        one stake pays each winner, and claims never depend on each other.
"""

from court import payments
from court import terms

uses: payments
uses: terms


event Staked:
    id: indexed(uint256)
    owner: indexed(address)


event Slashed:
    id: indexed(uint256)
    payee: address      # who gets the reward; nobody: it is burnt


event Unstaked:
    id: indexed(uint256)


struct Stake:
    owner: address
    held: uint256       # wei of this stake in the contract
    open: uint256       # claims on it that are not closed
    slashed: bool


stake_count: public(uint256)
stake_at: public(HashMap[uint256, Stake])             # by id, from 1
stake_of: public(HashMap[address, uint256])         # the one new claims of this claimant count on; 0: none


@external
@view
def has_room(claimant: address) -> bool:
    """
    @return Whether the claimant's stake takes another claim, so that `claim` needs no value. Else it needs `stake`.
    """
    return self._has_room(self.stake_of[claimant])


@external
@nonreentrant
def unstake(id: uint256):
    """
    @notice Take back a stake that was never slashed and has no open claim. The money is owed to its owner, who calls.
    """
    assert self.stake_at[id].owner == msg.sender, "not_the_owner"
    assert self.stake_at[id].open == 0, "stake_open"
    assert not self.stake_at[id].slashed, "stake_slashed"
    amount: uint256 = self.stake_at[id].held
    assert amount > 0, "nothing_owed"
    self.stake_at[id].held = 0
    if self.stake_of[msg.sender] == id:
        self.stake_of[msg.sender] = 0
    log Unstaked(id=id)
    payments._owe(msg.sender, amount)


@internal
@view
def _has_room(id: uint256) -> bool:
    return id != 0 and not self.stake_at[id].slashed and self.stake_at[id].open < terms.TERMS.stake_claims


@internal
def _open(claimant: address, sent: uint256) -> uint256:
    """
    @notice One more open claim. `sent` is what came with the call: nothing if his stake has room, else a new stake.
    @return The stake's id.
    """
    id: uint256 = self.stake_of[claimant]
    if self._has_room(id):
        assert sent == 0, "wrong_value"
        self.stake_at[id].open += 1
        return id
    assert sent == terms.TERMS.stake, "wrong_value"
    id = self.stake_count + 1
    self.stake_count = id
    self.stake_at[id] = Stake(owner=claimant, held=sent, open=1, slashed=False)
    self.stake_of[claimant] = id
    log Staked(id=id, owner=claimant)
    return id


@internal
def _close(id: uint256):
    """
    @notice A claim closed without a lie. What the last one leaves of a slashed stake is burnt.
    """
    open: uint256 = self.stake_at[id].open - 1
    self.stake_at[id].open = open
    if open == 0 and self.stake_at[id].slashed:
        rest: uint256 = self.stake_at[id].held
        self.stake_at[id].held = 0
        payments._burn(rest)


@internal
def _slash(id: uint256, payee: address):
    """
    @notice A claim closed as a lie: its reward goes to `payee`, or is burnt if there is none.
    """
    reward: uint256 = terms.TERMS.stake_reward
    if not self.stake_at[id].slashed:
        rewards: uint256 = terms.TERMS.stake_claims * reward
        self.stake_at[id].slashed = True
        payments._burn(self.stake_at[id].held - rewards)
        self.stake_at[id].held = rewards
    self.stake_at[id].held -= reward
    if payee == empty(address):
        payments._burn(reward)
    else:
        payments._owe(payee, reward)
    log Slashed(id=id, payee=payee)
    self._close(id)
