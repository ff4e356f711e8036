# pragma version 0.4.3
"""
@title Terms of the court
@license MIT
@notice Periods and amounts, fixed at deployment. Which values are safe together: `shared/params.py`.
"""


interface Inbox:
    def count() -> uint256: view
    def batch_hash(number: uint256) -> bytes32: view


interface Judge:
    def step(
        first_batch: uint256, batch_count: uint256, position: uint256, pre: bytes32, proof: Bytes[32768]
    ) -> bytes32: view


struct Terms:
    epoch_batches: uint256      # batches that one claim covers
    challenge_period: uint256   # T, seconds
    claim_interval: uint256     # least seconds between the claims of one epoch and of the next, along ends that somebody stands for
    bond: uint256               # B, wei a history
    bond_burn: uint256          # part of B that an eliminated history burns whoever wins, wei
    stake: uint256              # S, wei a claimant
    stake_claims: uint256       # n_max, open claims one stake covers
    stake_reward: uint256       # c, wei that a slashed claim pays to the winner's owner
    gas_price_cap: uint256      # wei a gas that credits count at most


INBOX: public(immutable(Inbox))
JUDGE: public(immutable(Judge))
TERMS: immutable(Terms)


@deploy
def __init__(inbox: address, judge: address, terms: Terms):
    assert inbox != empty(address) and judge != empty(address), "zero_address"
    assert terms.epoch_batches >= 1 and terms.epoch_batches <= 32, "bad_terms"
    assert terms.challenge_period > 0 and terms.stake_claims > 0, "bad_terms"
    assert terms.bond > terms.bond_burn, "bad_terms"
    assert terms.stake >= terms.stake_claims * terms.stake_reward, "bad_terms"
    INBOX = Inbox(inbox)
    JUDGE = Judge(judge)
    TERMS = terms


@external
@view
def get_terms() -> Terms:
    """
    @return The periods and amounts of this court.
    """
    return TERMS
