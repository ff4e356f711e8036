"""What an honest player does next. Pure: the games, what the player knows, the time, who it is; actions come out.

Two rules carry the safety (PROTOCOL, The court): every claim on the true start is compared with what the player
computed itself, also before its predecessor is confirmed, and a join is left out only if that *exact root* is there
already. Then the player answers in every match of its root; claims on other starts decide nothing and are ignored.

A liar plays by the same strategy with false knowledge. Nothing here ever confirms an end that the knowledge does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.game import DECIDED, Claim, ClaimState, CourtState, HistoryState, Match
from setoff.shared.dispute.trace_provider import Epochs, ExecutedEpoch, TraceProvider, find_executed
from setoff.shared.errors import StateError
from setoff.shared.machine.data import ZERO

CLAIMS_A_ROUND: Final = 16

Choice = tuple[int, Action]
"""(time after which it is too late, action); `NO_HURRY` if only comfort depends on it."""

NO_HURRY: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Policy:
    """What a player takes upon itself."""

    claim_after: int | None = None
    """Claim an epoch that nobody has claimed so many seconds after its last batch; None: never."""
    deference: int = 0
    """Seconds for which others' business is left to them: moves for a root somebody else posted, housekeeping on
    claims one has no money in. Every second of it comes off one's own side's clock."""
    collect_from: int = 10**15
    """Least wei worth a transaction to collect."""


@dataclass(frozen=True, slots=True)
class Player:
    """One party at one court."""

    me: bytes
    """Address that acts, 20 bytes."""
    policy: Policy = Policy()

    def choose(self, court: CourtState, epochs: Epochs, now: int) -> list[Action]:
        """All that is to be done at time `now`, most urgent clock first; [] if there is nothing."""
        choices: list[Choice] = []
        for claim in court.unfinished():
            try:
                choices += self._about(court, claim, epochs, now)
            except StateError as error:
                # Its history is still being built: the other games go on.
                if error.reason != "not_ready":
                    raise
        for claim in court.unpaid():
            choices += self._fetch(court, claim, now)
        choices += self._walk(court, epochs, now)
        if court.owed.get(self.me, 0) >= self.policy.collect_from:
            choices.append((NO_HURRY, actions.Collect(self.me)))
        return [action for _, action in sorted(choices, key=lambda choice: choice[0])]

    # --- one claim ---

    def _about(self, court: CourtState, claim: Claim, epochs: Epochs, now: int) -> Iterator[Choice]:
        if court.is_false_start(claim):
            yield from self._reclaim(claim)
            return
        executed = find_executed(epochs, claim)
        if executed is None:
            return
        if claim.state in (ClaimState.CLAIMED, ClaimState.DISPUTED):
            yield from self._join(court, claim, executed, now)
        if claim.state in (ClaimState.DISPUTED, ClaimState.INSTALLED):
            yield from self._play(court, claim, executed, now)
        yield from self._conclude(court, claim, executed.run, now)

    def _join(self, court: CourtState, claim: Claim, executed: ExecutedEpoch, now: int) -> Iterator[Choice]:
        """Stand for the truth if the claim is false, or if it is true and somebody disputes it."""
        deadline = claim.join_deadline(executed.run.end, court.terms.challenge_period)
        if deadline is None or now >= deadline:
            return
        # An eliminated root cannot join again, a standing one need not.
        if executed.run.root not in claim.histories:
            yield deadline, actions.Join(claim.key, executed.run.root)

    def _play(self, court: CourtState, claim: Claim, executed: ExecutedEpoch, now: int) -> Iterator[Choice]:
        """Answer in every match of the true history, whoever posted it."""
        root = executed.run.root
        if not claim.is_standing(root):
            return
        period = court.terms.challenge_period
        patience = 0 if claim.histories[root].owner == self.me else self.policy.deference
        for opponent in claim.standing():
            if opponent.root == root:
                continue
            match = claim.match(root, opponent.root)
            if now < match.since + patience:
                continue
            yield from self._answer(claim, match, root, now, period)

    def _answer(self, claim: Claim, match: Match, root: bytes, now: int, period: int) -> Iterator[Choice]:
        opponent = match.earlier if match.later == root else match.later
        last = claim.disputed_at + 3 * period
        if match.is_sealed:
            yield last, actions.Prove(claim.key, root, opponent)
            return
        expiry = claim.expiry(match, period)
        if match.on_turn == root:
            if now < expiry:
                yield expiry, actions.Move(claim.key, root, opponent, match.level)
        elif now >= expiry:
            yield last, actions.Timeout(claim.key, opponent, root)

    def _conclude(self, court: CourtState, claim: Claim, run: TraceProvider, now: int) -> Iterator[Choice]:
        """Install the true end, settle, or give up what nobody can win."""
        period = court.terms.challenge_period
        limit = claim.disputed_at + 3 * period
        standing = claim.standing()
        due: int | None = None
        action: Action | None = None
        match claim.state:
            case ClaimState.CLAIMED:
                if claim.end == run.end:
                    due, action = claim.claimed_at + period, actions.Install(claim.key, run.end)
            case ClaimState.DISPUTED:
                if claim.ends() == {run.end}:
                    due = claim.claimed_at + period
                    if run.end != claim.end:
                        due = max(due, claim.disputed_at + period)
                    action = actions.Install(claim.key, run.end)
                elif not standing:
                    due, action = claim.disputed_at + period, actions.Void(claim.key)
                elif len(claim.ends()) > 1 and not claim.is_standing(run.root):
                    due, action = limit, actions.Void(claim.key)
            case ClaimState.INSTALLED:
                if court.is_true_start(claim):
                    # Where the truth never had to join, others may be left with false middles: the stake needs one.
                    first = standing[0].root if standing else ZERO
                    winner = run.root if claim.is_standing(run.root) else first
                    due = claim.changed_at if len(standing) <= 1 else limit
                    action = actions.Settle(claim.key, winner)
        if due is not None and action is not None and self._is_time(claim, due, now):
            yield NO_HURRY, action

    # --- money ---

    def _fetch(self, court: CourtState, claim: Claim, now: int) -> Iterator[Choice]:
        """What a decided claim still holds for us."""
        if court.is_true_start(claim):
            yield from self._release(claim, now)
        elif court.is_false_start(claim):
            yield from self._reclaim(claim)

    def _release(self, claim: Claim, now: int) -> Iterator[Choice]:
        """Our bond, the losers' of a dispute we won, the gas we spent for the winner."""
        winner = claim.histories.get(claim.winner)
        for history in claim.histories.values():
            is_credited = (history.root, claim.winner, self.me) in claim.credited
            if history.state is HistoryState.STANDING:
                if history.owner == self.me:
                    yield NO_HURRY, actions.Release(claim.key, history.root)
            elif history.state is HistoryState.OUT:
                if winner is None:
                    continue
                # What the winner's owner is about to do himself needs no second hand, unless he does not do it.
                if winner.owner == self.me or (is_credited and self._is_time(claim, claim.changed_at, now)):
                    yield NO_HURRY, actions.Release(claim.key, history.root)
            elif history.slice > 0 and is_credited:
                yield NO_HURRY, actions.Redeem(claim.key, history.root, self.me)

    def _reclaim(self, claim: Claim) -> Iterator[Choice]:
        """Fetch back what we put on a start that was not the true one."""
        if claim.state not in DECIDED and claim.claimant == self.me:
            yield NO_HURRY, actions.Reclaim(claim.key)
        for history in claim.histories.values():
            if history.owner == self.me and history.state is not HistoryState.PAID:
                yield NO_HURRY, actions.ReclaimHistory(claim.key, history.root)

    def _is_time(self, claim: Claim, due: int, now: int) -> bool:
        """Whether something is due: at once for who has money in the claim, later for others."""
        is_mine = claim.claimant == self.me or any(history.owner == self.me for history in claim.histories.values())
        return now >= (due if is_mine else max(due, claim.changed_at) + self.policy.deference)

    # --- the chain of epochs ---

    def _walk(self, court: CourtState, epochs: Epochs, now: int) -> Iterator[Choice]:
        """Confirm what is installed, and claim what nobody has claimed."""
        epoch, start = court.confirmed, court.start_of[court.confirmed]
        while (executed := epochs.executed(epoch)) and executed.run.start_hash == start:
            claim = court.latest(epoch, start)
            if claim is None or claim.state not in (ClaimState.INSTALLED, ClaimState.SETTLED):
                break
            if claim.result != executed.run.end or not self._is_time(claim, claim.changed_at, now):
                break
            yield NO_HURRY, actions.Advance(epoch)
            epoch, start = epoch + 1, claim.result
        if self.policy.claim_after is None:
            return
        # Claims of one round share a stake that is there already; a new one comes alone.
        room = min(court.room(self.me) or 1, CLAIMS_A_ROUND)
        about_to: int | None = None  # when the claim is made that goes before, if it is ours and on its way
        while (executed := epochs.executed(epoch)) and room:
            start = executed.run.start_hash
            if court.start_of.get(epoch, start) != start:
                return
            round = court.next_round(epoch, start)
            if round is not None:
                stood_at = court.stood_at.get((epoch - 1, start), about_to)
                is_early = epoch > 0 and (stood_at is None or now < stood_at + court.terms.claim_interval)
                if is_early or now < executed.posted_at + self.policy.claim_after:
                    return
                yield NO_HURRY, actions.Claim(epoch, start, round)
                room -= 1
            about_to = None if round is None else now
            epoch += 1


def is_contradicted(court: CourtState, epochs: Epochs) -> bool:
    """Whether the last confirmed start is not what `epochs` computed: an alarm, since no move helps any more."""
    executed = epochs.executed(court.confirmed)
    return executed is not None and executed.run.start_hash != court.start_of[court.confirmed]
