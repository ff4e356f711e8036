# pragma version 0.4.3
"""
@title Claims and the confirmed chain
@license MIT
@notice A claim is a statement about a pure function: these batches, started at machine hash s, end at e. It lives under
        its key, so claims never wait for each other; the confirmed chain is a walk from genesis over those whose start
        is the end before.

    ABSENT -> CLAIMED -> SETTLED                              undisputed through the challenge period
            CLAIMED -> DISPUTED -> INSTALLED -> SETTLED     one end was left standing
                       DISPUTED -> VOID                     none, or several: the next round's claim has another key
    CLAIMED, DISPUTED, INSTALLED -> MOOT                    its start is not the confirmed one: all is refunded
"""

from court import genesis
from court import stakes
from court import terms

uses: stakes
uses: terms


event Claimed:
    key: indexed(bytes32)
    epoch: indexed(uint256)
    start: bytes32
    end: bytes32
    round: uint256
    claimant: address
    epoch_hash: bytes32


event Installed:
    key: indexed(bytes32)
    end: bytes32


event Voided:
    key: indexed(bytes32)
    round: uint256          # of the claim that is void


event Settled:
    key: indexed(bytes32)
    winner: bytes32         # root of the winning history, zero if there is none
    end: bytes32


event Advanced:
    epoch: indexed(uint256)
    start: bytes32


event Mooted:
    key: indexed(bytes32)


struct Claim:
    state: uint256
    epoch: uint256
    start: bytes32
    end: bytes32            # what the claimant said
    stake: uint256          # id of the stake it is on
    claimed_at: uint256     # t0
    disputed_at: uint256    # t1: the first join of a differing history; 0: undisputed
    joined: uint256         # histories so far
    standing: uint256       # histories not eliminated
    ends: uint256           # distinct ends among them
    result: bytes32         # end installed after a dispute
    winner: bytes32         # root of the history that won it


ABSENT: constant(uint256) = 0
CLAIMED: constant(uint256) = 1
DISPUTED: constant(uint256) = 2
INSTALLED: constant(uint256) = 3
SETTLED: constant(uint256) = 4
VOID: constant(uint256) = 5
MOOT: constant(uint256) = 6

claim_of: public(HashMap[bytes32, Claim])
by: public(HashMap[bytes32, HashMap[bytes32, uint256]])     # key -> end -> standing histories with that end
rounds: HashMap[bytes32, uint256]                           # of (epoch hash, start)
# epoch -> end -> when the earliest claim was made under which somebody stands for that end, by claiming it or by a
# history; zero: nobody does
stood_at: public(HashMap[uint256, HashMap[bytes32, uint256]])
start_of: public(HashMap[uint256, bytes32])                 # epoch -> confirmed start; zero: not known yet


@deploy
def __init__(vault: address, backstop_delay: uint256):
    self.start_of[0] = genesis._genesis(vault, backstop_delay)


@external
@payable
@nonreentrant
def claim(epoch: uint256, start: bytes32, end: bytes32) -> bytes32:
    """
    @notice Claim that the batches of `epoch`, started at machine hash `start`, end at `end`. Anybody may, once all its
            batches are posted and the epoch before has been claimed for the claim interval, in a claim under which
            somebody stands for `start` as its end. Nothing else may be claimed under this key, and `start` may not
            contradict the confirmed chain.
    @dev Money: no value if the caller's stake has room (`has_room`), else exactly the stake.
    @return The key.
    """
    batch_count: uint256 = terms.TERMS.epoch_batches
    assert epoch < 2**64 and (epoch + 1) * batch_count <= staticcall terms.INBOX.count(), "epoch_not_posted"
    assert start != empty(bytes32) and end != empty(bytes32), "zero_hash"
    confirmed: bytes32 = self.start_of[epoch]
    assert confirmed == empty(bytes32) or confirmed == start, "start_contradicted"
    if epoch > 0:
        # Paces the keys that an honest watcher may have to defend at once: along the true chain they come one after the
        # other, whatever is claimed elsewhere. Where a claim is false, the history that disputes it stands for the start
        # of the next.
        stood_at: uint256 = self.stood_at[epoch - 1][start]
        assert stood_at != 0 and block.timestamp >= stood_at + terms.TERMS.claim_interval, "claim_too_early"
    self._stand_for(epoch, end, block.timestamp)

    epoch_hash: bytes32 = self._epoch_hash(epoch)
    round: uint256 = self.rounds[keccak256(abi_encode(epoch_hash, start))]
    key: bytes32 = keccak256(abi_encode(epoch_hash, start, round))
    assert self.claim_of[key].state == ABSENT, "already_claimed"

    self.claim_of[key].state = CLAIMED
    self.claim_of[key].epoch = epoch
    self.claim_of[key].start = start
    self.claim_of[key].end = end
    self.claim_of[key].claimed_at = block.timestamp
    self.claim_of[key].stake = stakes._open(msg.sender, msg.value)
    log Claimed(
        key=key, epoch=epoch, start=start, end=end, round=round, claimant=msg.sender, epoch_hash=epoch_hash
    )
    return key


@external
@nonreentrant
def install(key: bytes32, end: bytes32):
    """
    @notice Fix the end of a claim, from t0 + T on. Undisputed it is the claimed one, and the claim closes. Disputed it
            is the one end that all standing histories share; if that is not the claimed one, from t1 + T on, when its
            defenders have had their time. Anybody may call.
    """
    state: uint256 = self.claim_of[key].state
    period: uint256 = terms.TERMS.challenge_period
    assert state == CLAIMED or state == DISPUTED, "claim_state"
    assert block.timestamp >= self.claim_of[key].claimed_at + period, "too_early"
    if state == CLAIMED:
        assert end == self.claim_of[key].end, "wrong_end"
        self.claim_of[key].state = SETTLED
        stakes._close(self.claim_of[key].stake)
        log Installed(key=key, end=end)
        log Settled(key=key, winner=empty(bytes32), end=end)
    else:
        assert self.claim_of[key].ends == 1, "ends_differ"
        assert self.by[key][end] > 0, "wrong_end"
        if end != self.claim_of[key].end:
            assert block.timestamp >= self.claim_of[key].disputed_at + period, "too_early"
        self.claim_of[key].state = INSTALLED
        self.claim_of[key].result = end
        log Installed(key=key, end=end)


@external
@nonreentrant
def void(key: bytes32):
    """
    @notice Give a dispute up: from t1 + T on if no history stands, from t1 + 3T on if several ends do. Never picks
            one: the next claim on this start opens the next round. Anybody may call.
    @dev Money: if no standing history has the claimed end, the claim's stake is slashed, with no payee.
    """
    assert self.claim_of[key].state == DISPUTED, "claim_state"
    period: uint256 = terms.TERMS.challenge_period
    disputed_at: uint256 = self.claim_of[key].disputed_at
    if self.claim_of[key].standing == 0:
        assert block.timestamp >= disputed_at + period, "too_early"
    else:
        assert self.claim_of[key].ends >= 2, "one_end_stands"
        assert block.timestamp >= disputed_at + 3 * period, "too_early"
    self.claim_of[key].state = VOID
    base: bytes32 = keccak256(abi_encode(self._epoch_hash(self.claim_of[key].epoch), self.claim_of[key].start))
    round: uint256 = self.rounds[base]
    self.rounds[base] = round + 1
    log Voided(key=key, round=round)
    if self.by[key][self.claim_of[key].end] == 0:
        stakes._slash(self.claim_of[key].stake, empty(address))
    else:
        stakes._close(self.claim_of[key].stake)


@external
@nonreentrant
def advance(epoch: uint256):
    """
    @notice Walk one epoch on: its claim from the confirmed start is installed or settled, so its end is the confirmed
            start of the next. Anybody may call.
    """
    start: bytes32 = self.start_of[epoch]
    assert start != empty(bytes32), "start_unknown"
    assert self.start_of[epoch + 1] == empty(bytes32), "already_advanced"
    epoch_hash: bytes32 = self._epoch_hash(epoch)
    key: bytes32 = keccak256(
        abi_encode(epoch_hash, start, self.rounds[keccak256(abi_encode(epoch_hash, start))])
    )
    state: uint256 = self.claim_of[key].state
    assert state == INSTALLED or state == SETTLED, "not_installed"
    end: bytes32 = self._result(key)
    self.start_of[epoch + 1] = end
    log Advanced(epoch=epoch + 1, start=end)


@external
@nonreentrant
def reclaim(key: bytes32):
    """
    @notice Close an unsettled claim whose start turned out not to be the confirmed one. Anybody may call.
    @dev Money: nobody loses any. The stake has its room back; histories are refunded by `reclaim_history`.
    """
    assert self._is_false_start(key), "start_not_false"
    assert self._is_unsettled(key), "claim_state"
    self._moot(key)


@external
@view
def confirmed(epoch: uint256) -> bytes32:
    """
    @return The confirmed machine hash at the end of `epoch`, zero while there is none.
    """
    return self.start_of[epoch + 1]


@external
@view
def key_of(epoch: uint256, start: bytes32) -> bytes32:
    """
    @return The key that a claim of `epoch` on `start` has in the present round. Reverts before the epoch is posted.
    """
    epoch_hash: bytes32 = self._epoch_hash(epoch)
    return keccak256(abi_encode(epoch_hash, start, self.rounds[keccak256(abi_encode(epoch_hash, start))]))


@internal
@view
def _epoch_hash(epoch: uint256) -> bytes32:
    """
    @return Commitment to everything the epoch's steps may read: through its parents, the last batch covers all.
    """
    batch_count: uint256 = terms.TERMS.epoch_batches
    last: bytes32 = staticcall terms.INBOX.batch_hash((epoch + 1) * batch_count - 1)
    assert last != empty(bytes32), "epoch_not_posted"
    return keccak256(abi_encode(epoch, batch_count, last))


@internal
@view
def _result(key: bytes32) -> bytes32:
    """
    @return The end of an installed or settled claim.
    """
    if self.claim_of[key].disputed_at == 0:
        return self.claim_of[key].end
    return self.claim_of[key].result


@internal
@view
def _is_open(key: bytes32) -> bool:
    """
    @return Whether histories may still join.
    """
    state: uint256 = self.claim_of[key].state
    return state == CLAIMED or state == DISPUTED


@internal
@view
def _is_disputed(key: bytes32) -> bool:
    """
    @return Whether matches go on: also after the installation, until the winner is settled.
    """
    state: uint256 = self.claim_of[key].state
    return state == DISPUTED or state == INSTALLED


@internal
@view
def _is_unsettled(key: bytes32) -> bool:
    state: uint256 = self.claim_of[key].state
    return state == CLAIMED or state == DISPUTED or state == INSTALLED


@internal
@view
def _is_true_start(key: bytes32) -> bool:
    """
    @return Whether the claim's start is the confirmed one.
    """
    # A claim's start is never zero, an unknown one is.
    return self.start_of[self.claim_of[key].epoch] == self.claim_of[key].start


@internal
@view
def _is_false_start(key: bytes32) -> bool:
    """
    @return Whether the confirmed start is known and another.
    """
    start: bytes32 = self.start_of[self.claim_of[key].epoch]
    return start != empty(bytes32) and start != self.claim_of[key].start


@internal
def _moot(key: bytes32):
    self.claim_of[key].state = MOOT
    stakes._close(self.claim_of[key].stake)
    log Mooted(key=key)


@internal
def _stand_for(epoch: uint256, end: bytes32, claimed_at: uint256):
    """
    @notice Note that somebody stands for `end` under a claim of `epoch` that was made at `claimed_at`.
    """
    earliest: uint256 = self.stood_at[epoch][end]
    if earliest == 0 or claimed_at < earliest:
        self.stood_at[epoch][end] = claimed_at


@internal
def _stand(key: bytes32, end: bytes32) -> uint256:
    """
    @notice Count a history that joins with `end`.
    @return Its place in the order of joins, from 1.
    """
    self._stand_for(self.claim_of[key].epoch, end, self.claim_of[key].claimed_at)
    count: uint256 = self.by[key][end]
    self.by[key][end] = count + 1
    if count == 0:
        self.claim_of[key].ends += 1
    self.claim_of[key].standing += 1
    place: uint256 = self.claim_of[key].joined + 1
    self.claim_of[key].joined = place
    return place


@internal
def _fall(key: bytes32, end: bytes32):
    """
    @notice Count out a history with `end`.
    """
    count: uint256 = self.by[key][end] - 1
    self.by[key][end] = count
    if count == 0:
        self.claim_of[key].ends -= 1
    self.claim_of[key].standing -= 1
