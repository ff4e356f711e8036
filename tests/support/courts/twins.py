"""The court on a chain and its model: every call goes to both, and both must do the same and come to the same state."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tests.support.courts.arena import SINK, Arena
from tests.support.courts.league import TERMS, check_same
from tests.support.evm import Reverted, address, raw

from setoff.deploy.simulation.lab.machine import judge
from setoff.deploy.simulation.reference_court import Claim, ReferenceCourt, Revert
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.game import CourtState

PEOPLE = [address(name) for name in ("honest", "rival", "third", "claimant")]


class MeteredModel(ReferenceCourt):
    """The model, with the gas that the court really credited: it has none of its own."""

    arena: Arena

    def _credit(self, claim: Claim, loser: bytes, winner: bytes, who: bytes, gas: int, gas_price: int) -> None:
        key = next(key for key, other in self.claims.items() if other is claim)
        credits = claim.credits.setdefault((loser, winner), {})
        credited: int = self.arena.court.credit_of(keccak(key + loser + winner), "0x" + who.hex())
        amount = credited - credits.get(who, 0)
        price = min(gas_price, self.terms.gas_price_cap)
        assert 0 <= amount <= gas * price, f"credited {amount} wei for at most {gas} gas at {price}"
        # What is credited is what the call took, on a warm chain: within the limit there is no rounding to a default.
        assert price == 0 or amount >= 30_000 * price
        credits[who] = credited


class Twins:
    """One court on a chain, one model, and the games rebuilt from the events. `reset` begins anew."""

    model: MeteredModel
    court: CourtState
    taken: dict[str, int]
    """How often each function went through."""

    def __init__(self, epochs: int = 3) -> None:
        self.epochs = epochs
        self.arena = Arena(epochs=epochs)
        self._begin = self.arena.now
        self._snapshot = self.arena.chain.snapshot()
        self.reset()

    def reset(self) -> None:
        """Back to a court at which nothing has happened: deploying one takes longer than playing."""
        arena, chain = self.arena, self.arena.chain
        chain.restore(self._snapshot)
        self._snapshot = chain.snapshot()
        chain.set_time(self._begin)
        self.model = MeteredModel(TERMS, arena.genesis, judge, arena.now)
        self.model.arena = arena
        self.model.batch_hashes = [arena.inbox.batch_hash(number) for number in range(arena.inbox.count())]
        self.court = CourtState(TERMS, arena.genesis)
        self.taken = {}
        self._sunk = chain.balance(SINK)

    @property
    def now(self) -> int:
        """Time of the next call."""
        return self.model.now

    def set_time(self, time: int) -> None:
        """Time of the calls from now on."""
        self.arena.chain.set_time(time)
        self.model.now = time

    def call(self, call: Call, sender: str, gas_price: int = 0) -> str:
        """The same transaction to both; returns the reason for which both refused, or "" and then they compare."""
        court, chain = self.arena.court, self.arena.chain
        arguments = [
            "0x" + value.hex() if isinstance(value, bytes) and len(value) == 20 else value for value in call.arguments
        ]
        logs: list[Any] = []
        held = chain.balance(court.address)
        try:
            getattr(court, call.function)(*arguments, sender=sender, value=call.value, gas_price=gas_price)
            logs = [log for log in chain.last.logs if log.contract == court.address]
            said = ""
        except Reverted as error:
            said = error.reason
        known = len(self.model.log)
        try:
            self.model.call(call, raw(sender), gas_price)
            expected = ""
        except Revert as error:
            expected = error.reason
        assert said == expected, f"{call}: the court says {said!r}, the model {expected!r}"
        happened = self.model.log[known:]
        assert [log.name for log in logs] == [type(event).__name__ for event in happened]
        for log, event in zip(logs, happened, strict=True):
            wanted = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("at", "sender")}
            shown = {
                name: raw(value) if isinstance(value, str) and value.startswith("0x") else value
                for name, value in log.args.items()
            }
            assert shown == wanted
            self.court.apply(event)
        if said:
            assert chain.balance(court.address) == held
        else:
            self.taken[call.function] = self.taken.get(call.function, 0) + 1
            self.compare()
        return said

    def compare(self) -> None:
        """What both have to agree on after every call that went through: the money, the games, and all that shows."""
        court, chain, model = self.arena.court, self.arena.chain, self.model
        assert chain.balance(court.address) == model.balance
        assert chain.balance(SINK) - self._sunk == model.burnt
        check_same(self.court, model)
        for who in PEOPLE:
            assert self.arena.owed(who) == model.owed[raw(who)]
            assert court.has_room(who) == model.has_room(raw(who))
            assert court.stake_of(who) == model.stake_of.get(raw(who), 0)
        assert court.stake_count() == len(model.stakes)
        for id, stake in enumerate(model.stakes, 1):
            owner, held, count, slashed = court.stake_at(id)
            assert (raw(owner), held, count, slashed) == (stake.owner, stake.held, stake.open, stake.slashed)
        for epoch in range(self.epochs + 1):
            assert court.start_of(epoch) == model.start_of.get(epoch, bytes(32))
        for key, claim in model.claims.items():
            self._compare_claim(key, claim)

    def _compare_claim(self, key: bytes, claim: Claim) -> None:
        court, model = self.arena.court, self.model
        shown = court.claim_of(key)
        assert shown == (
            *(claim.state, claim.epoch, claim.start, claim.end, claim.stake, claim.claimed_at, claim.disputed_at),
            *(len(claim.histories), claim.standing, claim.ends, claim.result, claim.winner),
        )
        for root, history in claim.histories.items():
            state, owner, end, joined_at, place = court.history_of(key, root)
            assert (state, raw(owner), end, joined_at, place) == (
                *(history.state, history.owner, history.end, history.joined_at, history.place),
            )
            assert court.by(key, end) == claim.by[end]
            assert court.slices(key, root) == claim.slices.get(root, 0)
        for (loser, winner), credits in claim.credits.items():
            assert court.credit_total(keccak(key + loser + winner)) >= sum(credits.values())
        for match in claim.matches.values():
            if claim.state in (2, 3) and all(claim.histories[root].state == 1 for root in (match.earlier, match.later)):
                (*fields_, node, other), _, expiry = court.match_of(key, match.earlier, match.later)
                assert fields_ == [
                    *(match.earlier, match.later, match.level, match.prefix, match.since),
                    *(match.earlier_used, match.later_used),
                ]
                assert (node, other) == (match.earlier_node, match.later_node)
                assert match.level == 7 or expiry == model._expiry(claim, match)
