"""The court's rules in Python: the same calls, reasons, events and money as `contracts/court.vy`, without a chain.

It is what strategies are played against in tests and simulations, by the thousands, and the second reading of the
rules: a test plays both with the same calls. Calls are methods named as in the ABI; they raise `Revert` before they
change anything. Twin: `contracts/court/{claims,histories,matches,credits,settlement,stakes,payments}.vy`.

Gas does not exist here, so a credited call counts with its limit (`params.MOVE_GAS`, …).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.dispute import events
from setoff.shared.dispute.bisection import Move, verify_move
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.events import Event
from setoff.shared.dispute.game import NOBODY
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import StateError
from setoff.shared.machine.batch import encode_words, epoch_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.history import EPOCH
from setoff.shared.params import MOVE_GAS, PROVE_GAS, TIMEOUT_GAS

ABSENT, CLAIMED, DISPUTED, INSTALLED, SETTLED, VOID, MOOT = range(7)
STANDING, OUT, PAID = 1, 2, 3

Judge = Callable[[int, int, int, bytes, bytes], bytes]
"""(first batch, batch count, position, pre, proof) to the machine hash after the step. Raises Revert."""


class Revert(StateError):
    """The court refuses the call; `reason` is the contract's."""


def require(condition: bool, reason: str) -> None:
    """The contract's `assert`."""
    if not condition:
        raise Revert(reason)


@dataclass(slots=True)
class Stake:
    """Struct `Stake` of `stakes.vy`."""

    owner: bytes
    held: int
    open: int = 1
    slashed: bool = False


@dataclass(slots=True)
class StoredHistory:
    """Struct `StoredHistory` of `histories.vy`."""

    owner: bytes
    end: bytes
    joined_at: int
    place: int
    state: int = STANDING


@dataclass(slots=True)
class Match:
    """Struct `Match` of `matches.vy`."""

    earlier: bytes
    later: bytes
    since: int
    earlier_node: bytes
    later_node: bytes
    level: int = 0
    prefix: int = 0
    earlier_used: int = 0
    later_used: int = 0


@dataclass(slots=True)
class Claim:
    """Struct `Claim` of `claims.vy`, with what the contract keeps in maps beside it."""

    state: int
    epoch: int
    start: bytes
    end: bytes
    stake: int
    claimed_at: int
    base: tuple[bytes, bytes]
    """(epoch hash, start): what rounds are counted for."""
    disputed_at: int = 0
    standing: int = 0
    ends: int = 0
    result: bytes = ZERO
    winner: bytes = ZERO
    by: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    histories: dict[bytes, StoredHistory] = field(default_factory=dict)
    matches: dict[tuple[bytes, bytes], Match] = field(default_factory=dict)
    credits: dict[tuple[bytes, bytes], dict[bytes, int]] = field(default_factory=dict)
    """(loser, winner) to wei by who acted."""
    slices: dict[bytes, int] = field(default_factory=dict)


class ReferenceCourt:
    """One court. Set `now` before a call; whoever watches `log` sees what happened, in order."""

    def __init__(self, terms: Terms, genesis: bytes, judge: Judge, now: int = 1) -> None:
        self.terms = terms
        self.judge = judge
        self.now = now
        self.log: list[Event] = []
        self.batch_hashes: list[bytes] = []
        """The inbox: append to it to post a batch."""
        self.claims: dict[bytes, Claim] = {}
        self.start_of: dict[int, bytes] = {0: genesis}
        self.stood_at: dict[tuple[int, bytes], int] = {}
        self.stakes: list[Stake] = []
        self.stake_of: dict[bytes, int] = {}
        self.owed: dict[bytes, int] = defaultdict(int)
        self.wallets: dict[bytes, int] = defaultdict(int)
        """Wei everybody has won or lost at this court so far: what it took in is negative."""
        self.balance = 0
        self.burnt = 0
        self._rounds: dict[tuple[bytes, bytes], int] = defaultdict(int)

    def call(self, call: Call, sender: bytes, gas_price: int = 0) -> Any:
        """Run one call as a transaction of `sender`. Raises Revert, and then nothing has changed."""
        function = getattr(self, call.function)
        if call.function in ("claim", "join"):
            result = function(sender, call.value, *call.arguments)
            self.wallets[sender] -= call.value
            self.balance += call.value
            return result
        require(call.value == 0, "wrong_value")
        if call.function in ("move", "timeout", "prove"):
            return function(sender, gas_price, *call.arguments)
        if call.function == "unstake":
            return function(sender, *call.arguments)
        return function(*call.arguments)

    # --- claims.vy ---

    def claim(self, sender: bytes, value: int, epoch: int, start: bytes, end: bytes) -> bytes:
        """Claim that `epoch` from `start` ends at `end`."""
        count = self.terms.epoch_batches
        require((epoch + 1) * count <= len(self.batch_hashes), "epoch_not_posted")
        require(start != ZERO and end != ZERO, "zero_hash")
        require(self.start_of.get(epoch, start) == start, "start_contradicted")
        if epoch > 0:
            stood_at = self.stood_at.get((epoch - 1, start))
            require(stood_at is not None and self.now >= stood_at + self.terms.claim_interval, "claim_too_early")
        base = (self.epoch_hash(epoch), start)
        round = self._rounds[base]
        key = keccak(encode_words(*base, round))
        require(key not in self.claims, "already_claimed")
        require(value == (0 if self.has_room(sender) else self.terms.stake), "wrong_value")
        self._stand_for(epoch, end, self.now)
        self.claims[key] = Claim(CLAIMED, epoch, start, end, self._open_stake(sender, value), self.now, base)
        self.log.append(events.Claimed(self.now, key, epoch, start, end, round, sender, base[0]))
        return key

    def _stand_for(self, epoch: int, end: bytes, claimed_at: int) -> None:
        """Somebody stands for `end` under a claim made then."""
        self.stood_at[epoch, end] = min(self.stood_at.get((epoch, end), claimed_at), claimed_at)

    def install(self, key: bytes, end: bytes) -> None:
        """Fix the end of a claim."""
        claim = self._claim(key, CLAIMED, DISPUTED)
        period = self.terms.challenge_period
        require(self.now >= claim.claimed_at + period, "too_early")
        if claim.state == CLAIMED:
            require(end == claim.end, "wrong_end")
            claim.state = SETTLED
            self._close(claim.stake)
            self.log.append(events.Installed(self.now, key, end))
            self.log.append(events.Settled(self.now, key, ZERO, end))
            return
        require(claim.ends == 1, "ends_differ")
        require(claim.by[end] > 0, "wrong_end")
        if end != claim.end:
            require(self.now >= claim.disputed_at + period, "too_early")
        claim.state, claim.result = INSTALLED, end
        self.log.append(events.Installed(self.now, key, end))

    def void(self, key: bytes) -> None:
        """Give a dispute up."""
        claim = self._claim(key, DISPUTED)
        period = self.terms.challenge_period
        if claim.standing == 0:
            require(self.now >= claim.disputed_at + period, "too_early")
        else:
            require(claim.ends >= 2, "one_end_stands")
            require(self.now >= claim.disputed_at + 3 * period, "too_early")
        claim.state = VOID
        round = self._rounds[claim.base]
        self._rounds[claim.base] = round + 1
        self.log.append(events.Voided(self.now, key, round))
        if claim.by[claim.end] == 0:
            self._slash(claim.stake, NOBODY)
        else:
            self._close(claim.stake)

    def advance(self, epoch: int) -> None:
        """Walk one epoch on."""
        require(epoch in self.start_of, "start_unknown")
        require(epoch + 1 not in self.start_of, "already_advanced")
        claim = self.claims.get(self.key_of(epoch, self.start_of[epoch]))
        require(claim is not None and claim.state in (INSTALLED, SETTLED), "not_installed")
        assert claim is not None
        self.start_of[epoch + 1] = claim.result if claim.disputed_at else claim.end
        self.log.append(events.Advanced(self.now, epoch + 1, self.start_of[epoch + 1]))

    def reclaim(self, key: bytes) -> None:
        """Close an unsettled claim on a false start."""
        require(self._is_false_start(key), "start_not_false")
        self._moot(key, self._claim(key, CLAIMED, DISPUTED, INSTALLED))

    def epoch_hash(self, epoch: int) -> bytes:
        """Commitment to the inputs of an epoch. Raises Revert before it is posted."""
        count = self.terms.epoch_batches
        require((epoch + 1) * count <= len(self.batch_hashes), "epoch_not_posted")
        return epoch_hash(epoch, count, self.batch_hashes[(epoch + 1) * count - 1])

    def key_of(self, epoch: int, start: bytes) -> bytes:
        """The key of a claim on that start in the present round."""
        base = (self.epoch_hash(epoch), start)
        return keccak(encode_words(*base, self._rounds[base]))

    # --- histories.vy ---

    def join(
        self, sender: bytes, value: int, key: bytes, children: Sequence[bytes], end: bytes, path: Sequence[bytes]
    ) -> bytes:
        """Stand for a history."""
        claim = self._claim(key, CLAIMED, DISPUTED)
        require(value == self.terms.bond, "wrong_value")
        require(end != ZERO, "zero_hash")
        period = self.terms.challenge_period
        if end != claim.end:
            require(self.now < claim.claimed_at + period, "too_late")
        else:
            require(claim.disputed_at != 0, "not_disputed")
            require(self.now < claim.disputed_at + period, "too_late")
        require(climb(end, EPOCH.positions - 1, path) == children[31], "history_end")
        root = merkle_root(children)
        require(root not in claim.histories, "history_exists")
        if claim.disputed_at == 0:
            claim.disputed_at, claim.state = self.now, DISPUTED
        claim.ends += claim.by[end] == 0
        claim.by[end] += 1
        claim.standing += 1
        self._stand_for(claim.epoch, end, claim.claimed_at)
        claim.histories[root] = StoredHistory(sender, end, self.now, len(claim.histories) + 1)
        self.log.append(events.Joined(self.now, key, root, end, sender, tuple(children)))
        return root

    # --- matches.vy ---

    def move(
        self,
        sender: bytes,
        gas_price: int,
        key: bytes,
        mover: bytes,
        opponent: bytes,
        index: int,
        children: Sequence[bytes],
        their_child: bytes,
        common: Sequence[bytes],
        mine: Sequence[bytes],
        theirs: Sequence[bytes],
    ) -> None:
        """Descend to the first child in which the two histories differ."""
        claim, match = self._match(key, mover, opponent)
        require(match.level < EPOCH.levels, "match_sealed")
        require(on_turn(match) == mover, "not_on_turn")
        require(self.now < self._expiry(claim, match), "clock_run_out")
        require(0 <= index < EPOCH.fanout, "child_index")
        is_last = match.level == EPOCH.levels - 1
        require(len(children) == (1 if is_last else EPOCH.fanout), "children_length")
        my_child = merkle_root(children)
        require(my_child != their_child, "children_equal")
        move = Move(index, list(children), their_child, list(common), list(mine), list(theirs))
        is_later = match.later == mover
        nodes = (match.later_node, match.earlier_node) if is_later else (match.earlier_node, match.later_node)
        require(verify_move(move, *nodes, is_last=is_last), "wrong_opening")
        if is_later:
            match.later_used += self.now - match.since
            match.later_node, match.earlier_node = my_child, their_child
        else:
            match.earlier_used += self.now - match.since
            match.earlier_node, match.later_node = my_child, their_child
        match.since = self.now
        match.prefix = EPOCH.fanout * match.prefix + index
        match.level += 1
        claim.matches[match.earlier, match.later] = match
        self.log.append(
            events.Moved(
                self.now, key, mover, opponent, match.level - 1, index, tuple(children), my_child, their_child, sender
            )
        )
        self._credit(claim, opponent, mover, sender, MOVE_GAS, gas_price)

    def timeout(self, sender: bytes, gas_price: int, key: bytes, a: bytes, b: bytes) -> None:
        """Eliminate the side on turn, whose clock has run out."""
        claim, match = self._match(key, a, b)
        require(match.level < EPOCH.levels, "match_sealed")
        require(self.now >= self._expiry(claim, match), "clock_runs")
        loser = on_turn(match)
        winner = match.later if loser == match.earlier else match.earlier
        self._eliminate(key, claim, loser, winner, "timeout", sender)
        self._credit(claim, loser, winner, sender, TIMEOUT_GAS, gas_price)

    def prove(
        self,
        sender: bytes,
        gas_price: int,
        key: bytes,
        a: bytes,
        b: bytes,
        pre: bytes,
        path: Sequence[bytes],
        proof: bytes,
    ) -> None:
        """Judge a sealed match."""
        claim, match = self._match(key, a, b)
        require(match.level == EPOCH.levels, "match_not_sealed")
        position = match.prefix
        if position == 0:
            require(len(path) == 0 and pre == claim.start, "wrong_pre")
        else:
            require(len(path) == EPOCH.depth, "wrong_pre")
            require(climb(pre, position - 1, path) in (a, b), "wrong_pre")
        count = self.terms.epoch_batches
        post = self.judge(claim.epoch * count, count, position, pre, proof)
        for leaf, loser, winner in (
            (match.earlier_node, match.earlier, match.later),
            (match.later_node, match.later, match.earlier),
        ):
            if leaf != post:
                self._eliminate(key, claim, loser, winner, "proof", sender)
                self._credit(claim, loser, winner, sender, PROVE_GAS, gas_price)

    # --- settlement.vy ---

    def settle(self, key: bytes, winner: bytes) -> None:
        """Name the winner of an installed claim."""
        claim = self._claim(key, INSTALLED)
        require(self._is_true_start(claim), "start_not_confirmed")
        payee = NOBODY
        if winner == ZERO:
            require(claim.standing == 0, "history_standing")
        else:
            require(self._is_standing(claim, winner), "history_not_standing")
            if claim.standing > 1:
                require(self.now >= claim.disputed_at + 3 * self.terms.challenge_period, "history_standing")
            payee = claim.histories[winner].owner
        claim.state, claim.winner = SETTLED, winner
        self.log.append(events.Settled(self.now, key, winner, claim.result))
        if claim.result == claim.end:
            self._close(claim.stake)
        else:
            self._slash(claim.stake, payee)

    def release(self, key: bytes, root: bytes) -> None:
        """Pay out a history's bond."""
        claim = self._claim(key, SETTLED, VOID)
        require(self._is_true_start(claim), "start_not_confirmed")
        history = claim.histories.get(root)
        require(history is not None and history.state in (STANDING, OUT), "history_not_held")
        assert history is not None
        owner, amount, bond = NOBODY, 0, self.terms.bond
        was_standing = history.state == STANDING
        history.state = PAID
        if was_standing:
            owner, amount = history.owner, bond
        elif claim.winner == ZERO:
            self._burn(bond)
        else:
            share = bond - self.terms.bond_burn
            kept = min(sum(claim.credits.get((root, claim.winner), {}).values()), share)
            claim.slices[root] = kept
            owner, amount = claim.histories[claim.winner].owner, share - kept
            self._burn(self.terms.bond_burn)
        self._owe(owner, amount)
        self.log.append(events.Released(self.now, key, root, owner, amount))

    def redeem(self, key: bytes, root: bytes, mover: bytes) -> None:
        """Pay `mover` his credits against an eliminated history."""
        claim = self.claims.get(key)
        require(claim is not None, "nothing_owed")
        assert claim is not None
        credits = claim.credits.get((root, claim.winner), {})
        amount = min(credits.get(mover, 0), claim.slices.get(root, 0))
        require(amount > 0, "nothing_owed")
        credits[mover] = 0
        claim.slices[root] -= amount
        self._owe(mover, amount)
        self.log.append(events.Redeemed(self.now, key, root, mover, amount))

    def reclaim_history(self, key: bytes, root: bytes) -> None:
        """Refund the bond of a history on a false start."""
        require(self._is_false_start(key), "start_not_false")
        claim = self.claims.get(key)
        history = claim.histories.get(root) if claim else None
        require(history is not None and history.state in (STANDING, OUT), "history_not_held")
        assert claim is not None and history is not None
        history.state = PAID
        if claim.state in (CLAIMED, DISPUTED, INSTALLED):
            self._moot(key, claim)
        self._owe(history.owner, self.terms.bond)
        self.log.append(events.Reclaimed(self.now, key, root, history.owner))

    # --- stakes.vy and payments.vy ---

    def has_room(self, claimant: bytes) -> bool:
        """Whether the claimant's stake takes another claim."""
        id = self.stake_of.get(claimant, 0)
        if id == 0:
            return False
        stake = self.stakes[id - 1]
        return not stake.slashed and stake.open < self.terms.stake_claims

    def unstake(self, sender: bytes, id: int) -> None:
        """Take back a stake."""
        stake = self.stakes[id - 1] if 1 <= id <= len(self.stakes) else Stake(NOBODY, 0, 0)
        require(stake.owner == sender, "not_the_owner")
        require(stake.open == 0, "stake_open")
        require(not stake.slashed, "stake_slashed")
        require(stake.held > 0, "nothing_owed")
        amount, stake.held = stake.held, 0
        if self.stake_of.get(sender) == id:
            self.stake_of[sender] = 0
        self.log.append(events.Unstaked(self.now, id))
        self._owe(sender, amount)

    def collect(self, owner: bytes) -> None:
        """Send what is owed."""
        amount = self.owed[owner]
        require(amount > 0, "nothing_owed")
        self.owed[owner] = 0
        self.log.append(events.Collected(self.now, owner, amount))
        self.wallets[owner] += amount
        self.balance -= amount

    # --- internal ---

    def _claim(self, key: bytes, *states: int) -> Claim:
        claim = self.claims.get(key)
        require(claim is not None and claim.state in states, "claim_state")
        assert claim is not None
        return claim

    def _is_true_start(self, claim: Claim) -> bool:
        return self.start_of.get(claim.epoch) == claim.start

    def _is_false_start(self, key: bytes) -> bool:
        claim = self.claims.get(key)
        if claim is None:
            # The contract reads an empty claim: epoch 0 has a confirmed start, and zero is not it.
            return True
        return self.start_of.get(claim.epoch, claim.start) != claim.start

    def _is_standing(self, claim: Claim, root: bytes) -> bool:
        return root in claim.histories and claim.histories[root].state == STANDING

    def _match(self, key: bytes, a: bytes, b: bytes) -> tuple[Claim, Match]:
        """A claim and the match of two of its histories, which both stand."""
        claim = self._claim(key, DISPUTED, INSTALLED)
        require(a != b, "same_history")
        require(self._is_standing(claim, a) and self._is_standing(claim, b), "history_not_standing")
        earlier, later = (a, b) if claim.histories[a].place < claim.histories[b].place else (b, a)
        since = claim.histories[later].joined_at
        return claim, claim.matches.get((earlier, later)) or Match(earlier, later, since, earlier, later)

    def _expiry(self, claim: Claim, match: Match) -> int:
        root = on_turn(match)
        history = claim.histories[root]
        delay = history.joined_at - (claim.claimed_at if history.end != claim.end else claim.disputed_at)
        used = match.later_used if root == match.later else match.earlier_used
        return match.since + self.terms.challenge_period - delay - used

    def _eliminate(self, key: bytes, claim: Claim, loser: bytes, winner: bytes, cause: str, sender: bytes) -> None:
        history = claim.histories[loser]
        history.state = OUT
        claim.by[history.end] -= 1
        claim.ends -= claim.by[history.end] == 0
        claim.standing -= 1
        self.log.append(events.Eliminated(self.now, key, loser, winner, cause, sender))

    def _credit(self, claim: Claim, loser: bytes, winner: bytes, who: bytes, gas: int, gas_price: int) -> None:
        credits = claim.credits.setdefault((loser, winner), {})
        credits[who] = credits.get(who, 0) + gas * min(gas_price, self.terms.gas_price_cap)

    def _moot(self, key: bytes, claim: Claim) -> None:
        claim.state = MOOT
        self._close(claim.stake)
        self.log.append(events.Mooted(self.now, key))

    def _open_stake(self, claimant: bytes, value: int) -> int:
        if self.has_room(claimant):
            id = self.stake_of[claimant]
            self.stakes[id - 1].open += 1
            return id
        self.stakes.append(Stake(claimant, value))
        id = self.stake_of[claimant] = len(self.stakes)
        self.log.append(events.Staked(self.now, id, claimant))
        return id

    def _close(self, id: int) -> None:
        stake = self.stakes[id - 1]
        stake.open -= 1
        if stake.open == 0 and stake.slashed:
            rest, stake.held = stake.held, 0
            self._burn(rest)

    def _slash(self, id: int, payee: bytes) -> None:
        stake, reward = self.stakes[id - 1], self.terms.stake_reward
        if not stake.slashed:
            rewards = self.terms.stake_claims * reward
            stake.slashed = True
            self._burn(stake.held - rewards)
            stake.held = rewards
        stake.held -= reward
        if payee == NOBODY:
            self._burn(reward)
        else:
            self._owe(payee, reward)
        self.log.append(events.Slashed(self.now, id, payee))
        self._close(id)

    def _owe(self, owner: bytes, amount: int) -> None:
        if amount > 0:
            self.owed[owner] += amount
            self.log.append(events.Owed(self.now, owner, amount))

    def _burn(self, amount: int) -> None:
        if amount > 0:
            self.log.append(events.Burnt(self.now, amount))
            self.burnt += amount
            self.balance -= amount


def on_turn(match: Match) -> bytes:
    """Root of the history on turn in a running match."""
    return match.earlier if match.level % 2 else match.later
