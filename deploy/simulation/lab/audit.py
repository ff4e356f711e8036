"""What must hold: after every call, and when all is over. A violation ends the game with what was violated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from setoff.deploy.simulation.lab.setting import Setting
from setoff.deploy.simulation.reference_court import (
    CLAIMED,
    DISPUTED,
    INSTALLED,
    MOOT,
    PAID,
    SETTLED,
    STANDING,
    VOID,
    Claim,
    ReferenceCourt,
)
from setoff.shared.dispute import events
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.events import Event
from setoff.shared.dispute.terms import Terms
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.machine.data import ZERO
from setoff.shared.params import MOVE_GAS, PROVE_GAS, TIMEOUT_GAS

MOST_EVENTS: Final = 8
"""Events of one call: a settlement that slashes is the longest."""

AFTER: Final = {
    CLAIMED: {DISPUTED, SETTLED, MOOT},
    DISPUTED: {INSTALLED, VOID, MOOT},
    INSTALLED: {SETTLED, MOOT},
    SETTLED: set[int](),
    VOID: set[int](),
    MOOT: set[int](),
}
"""The states that may follow a claim's state."""


class Violation(AssertionError):
    """Something that must hold does not."""


class Party(Protocol):
    """An honest party, as far as the audit looks at it."""

    name: str
    me: bytes
    gas: dict[str, int]
    """By call: what it paid for."""
    outrun: int
    """Gas of proofs that somebody else had brought before."""


class Game(Protocol):
    """What there is to look over."""

    setting: Setting
    terms: Terms
    model: ReferenceCourt
    truth: dict[int, ExecutedEpoch]
    """Epochs as they are."""
    calls: int

    @property
    def honest(self) -> Sequence[Party]:
        """Those who stand for the truth."""

    @property
    def now(self) -> int:
        """Time of this block."""


class Audit:
    """Looks over one game."""

    def __init__(self, lab: Game) -> None:
        self._lab = lab
        self.is_delay_bounded = True
        """Whether an honest party was there from the beginning, so that every bound applies."""
        self.delays: list[int] = []
        """Seconds from claim to installation, of first rounds on true starts."""
        self.joins: dict[bytes, int] = defaultdict(int)
        """Bonds that honest parties locked, by claim."""
        self.locked: dict[bytes, int] = defaultdict(int)
        self.most_locked: dict[bytes, int] = defaultdict(int)
        """Wei locked in bonds and stakes by each party, now and at most."""
        self.redeemed: dict[bytes, int] = defaultdict(int)
        self._credited: dict[tuple[bytes, bytes, bytes, bytes], int] = defaultdict(int)
        """(claim, loser, winner, who) to wei, counted here from what happened."""
        self._out: set[tuple[bytes, bytes]] = set()
        self._slashed: set[int] = set()
        self._states: dict[bytes, tuple[int, bytes, bytes]] = {}
        self._paid: set[tuple[bytes, bytes]] = set()
        self._sum = 0

    def fail(self, what: str) -> None:
        """End the game. Raises Violation."""
        lab = self._lab
        raise Violation(f"{what} ({lab.now - 1_000_000} s after the beginning, call {lab.calls}, {lab.setting})")

    def require(self, condition: bool, what: str) -> None:
        """Raises Violation unless the condition holds."""
        if not condition:
            self.fail(what)

    def after_refusal(self, call: Call) -> None:
        """A refused call changed nothing: told by the log and the money."""
        model = self._lab.model
        self.require(self._sum == model.balance, f"a refused {call.function} moved money")

    def after(self, call: Call, price: int, happened: Sequence[Event]) -> None:
        """A call was taken."""
        self.require(len(happened) <= MOST_EVENTS, f"{call.function} does more than a constant number of things")
        for event in happened:
            self._about(event, min(price, self._lab.terms.gas_price_cap))
        self._check_money()
        keys = {event.key for event in happened if isinstance(event, events.KeyEvent)}
        for key in keys:
            self._check_claim(key)
        truth = self._lab.truth
        for event in happened:
            if isinstance(event, events.Advanced):
                self.require(event.start == truth[event.epoch - 1].run.end, "a false end was confirmed")

    def _about(self, event: Event, price: int) -> None:
        lab = self._lab
        honest = {party.me for party in lab.honest}
        match event:
            case events.Joined(_, key, root, _, owner, _):
                self._lock(owner, lab.terms.bond)
                if owner in honest:
                    self.joins[key] += 1
                    self.require(self.joins[key] == 1, "honest parties need more than one bond for a claim")
                    self.require(self._is_true(key, root), "an honest party stands for a lie")
            case events.Moved(_, key, mover, opponent):
                self._credited[key, opponent, mover, event.sender] += MOVE_GAS * price
            case events.Eliminated(_, key, root, opponent, cause):
                self.require(not self._is_true(key, root), f"the truth was eliminated by {cause}")
                self.require((key, root) not in self._out, "a history was eliminated twice")
                self._out.add((key, root))
                gas = TIMEOUT_GAS if cause == "timeout" else PROVE_GAS
                self._credited[key, root, opponent, event.sender] += gas * price
            case events.Installed(at, key, end):
                claim = lab.model.claims[key]
                executed = lab.truth[claim.epoch]
                if claim.start == executed.run.start_hash:
                    self.require(end == executed.run.end, "a false end was installed")
                    self.delays.append(at - claim.claimed_at)
                    if self.is_delay_bounded:
                        self.require(self.delays[-1] <= lab.setting.delay_bound, "the installation came too late")
            case events.Voided(_, key) if self.is_delay_bounded:
                claim = lab.model.claims[key]
                is_true = claim.start == lab.truth[claim.epoch].run.start_hash
                self.require(not is_true, "a dispute on the true start was given up")
            case events.Staked(_, _, owner):
                self._lock(owner, lab.terms.stake)
            case events.Unstaked(_, id):
                self._lock(lab.model.stakes[id - 1].owner, -lab.terms.stake)
            case events.Slashed(_, id, _):
                owner = lab.model.stakes[id - 1].owner
                self.require(owner not in honest, "an honest claimant was slashed")
                if id not in self._slashed:
                    self._slashed.add(id)
                    self._lock(owner, -lab.terms.stake)
            case events.Redeemed(_, _, _, mover, amount):
                self.redeemed[mover] += amount
            case events.Released(_, key, root) | events.Reclaimed(_, key, root):
                self.require((key, root) not in self._paid, "a bond was paid out twice")
                self._paid.add((key, root))
                self._lock(lab.model.claims[key].histories[root].owner, -lab.terms.bond)

    def _lock(self, who: bytes, amount: int) -> None:
        self.locked[who] += amount
        self.most_locked[who] = max(self.most_locked[who], self.locked[who])

    def _is_true(self, key: bytes, root: bytes) -> bool:
        """Whether a history of a claim on the true start is the true one."""
        claim = self._lab.model.claims[key]
        run = self._lab.truth[claim.epoch].run
        return claim.start == run.start_hash and root == run.root

    def _check_money(self) -> None:
        """What the court holds is what it owes, and nothing came from nowhere."""
        model = self._lab.model
        held = sum(stake.held for stake in model.stakes) + sum(model.owed.values())
        for claim in model.claims.values():
            held += sum(claim.slices.values())
            held += model.terms.bond * sum(history.state != PAID for history in claim.histories.values())
        self.require(min((stake.held for stake in model.stakes), default=0) >= 0, "a stake pays more than it holds")
        self.require(min(model.owed.values(), default=0) >= 0, "somebody is owed less than nothing")
        self.require(model.balance == held, f"the court holds {model.balance} wei and owes {held}")
        total = model.balance + model.burnt + sum(model.wallets.values())
        self.require(total == 0, "money came from nowhere")
        self._sum = model.balance

    def _check_claim(self, key: bytes) -> None:
        claim = self._lab.model.claims[key]
        standing = [history for history in claim.histories.values() if history.state == STANDING]
        if claim.state in (CLAIMED, DISPUTED, INSTALLED):
            ends = {history.end for history in standing}
            self.require((claim.standing, claim.ends) == (len(standing), len(ends)), "the counters are wrong")
            for end in ends:
                count = sum(history.end == end for history in standing)
                self.require(claim.by[end] == count, "an end is counted wrongly")
        now = (claim.state, claim.result, claim.winner)
        before = self._states.get(key, now)
        if before != now:
            self.require(now[0] in AFTER[before[0]], f"a claim went from state {before[0]} to {now[0]}")
            self.require(before[1] in (ZERO, now[1]), "an installed end changed")
        self._states[key] = now

    def at_the_end(self) -> None:
        """Nobody has anything left at the court: who has what?"""
        lab, model = self._lab, self._lab.model
        self.require(model.balance == 0, f"{model.balance} wei are left in the court")
        self.require(not any(self.locked.values()), "a bond or a stake stays locked")
        honest = {party.me for party in lab.honest}
        for party in lab.honest:
            wallet, refund = model.wallets[party.me], self.redeemed[party.me]
            self.require(wallet >= refund >= 0, f"{party.name} has lost {refund - wallet} wei")
        for who in {who for *_, who in self._credited} | set(self.redeemed):
            refund, earned = self.redeemed[who], self._earned(who)
            self.require(refund == earned, f"{earned} wei were earned for the winners, and {refund} paid")
        if self.is_delay_bounded:
            self._check_winners()
            self.require(len(model.start_of) > len(lab.truth), "an epoch was not confirmed")
            self._check_liars(honest)

    def _earned(self, who: bytes) -> int:
        """Wei that `who` was credited for the winners' sides of settled claims on the true start."""
        model = self._lab.model
        earned = 0
        for key, claim in model.claims.items():
            if claim.state == SETTLED and model.start_of.get(claim.epoch) == claim.start:
                beaten = [root for root in claim.histories if (key, root) in self._out]
                earned += sum(self._credited.get((key, root, claim.winner, who), 0) for root in beaten)
        return earned

    def _check_winners(self) -> None:
        """Who stood for the truth and won has not even paid for gas, calls that others made superfluous included.

        But for a proof that was outrun: the dearest call, which a liar may bring against itself to have its credit.
        """
        lab, model = self._lab, self._lab.model
        won = {claim.histories[claim.winner].owner for claim in model.claims.values() if claim.winner != ZERO}
        for party in lab.honest:
            paid = (sum(party.gas.values()) - party.outrun) * lab.setting.gas_price
            if party.me in won:
                gain = model.wallets[party.me] - paid
                self.require(gain >= 0, f"{party.name} won, and paid {-gain} wei for it")

    def _false_histories(self, claim: Claim) -> list[bytes]:
        """Owners of the false histories of a claim, one for each.

        A true claim can be installed before anybody needs to stand for it, if its disputers were eliminated by a
        history with the right end and a false middle: then that one is nobody's business.
        """
        truth = self._lab.truth[claim.epoch].run
        return [
            history.owner
            for root, history in claim.histories.items()
            if root != truth.root and (truth.root in claim.histories or history.end != truth.end)
        ]

    def _check_liars(self, honest: set[bytes]) -> None:
        """A lie on a true start costs at least the burnt share of the bond, and all attackers together as much each."""
        lab, model = self._lab, self._lab.model
        lies: dict[bytes, int] = defaultdict(int)
        winners: set[bytes] = set()
        for claim in model.claims.values():
            if claim.start != lab.truth[claim.epoch].run.start_hash:
                continue
            for owner in self._false_histories(claim):
                lies[owner] += 1
            if claim.state == SETTLED and claim.end != lab.truth[claim.epoch].run.end:
                self.require(model.stakes[claim.stake - 1].slashed, "a false claim kept its stake")
            if claim.winner != ZERO:
                winners.add(claim.histories[claim.winner].owner)
        loss = lab.terms.bond_burn
        for who, count in lies.items():
            # Who owns the true history, too, has his own bonds back from himself: he counts among all.
            if who not in winners:
                gain = model.wallets[who] - self.redeemed[who]
                self.require(gain <= -count * loss, f"{count} lies on the true start cost only {-gain} wei")
        together = sum(amount for who, amount in model.wallets.items() if who not in honest)
        self.require(
            together <= -sum(lies.values()) * loss, f"{sum(lies.values())} lies cost all together {-together} wei"
        )
