"""The court and its model side by side, compared in everything one can see, with the gas that the court credited."""

from tests.support.courts.arena import SINK, Arena
from tests.support.courts.side_by_side import PEOPLE, SideBySide, raw

from setoff.deploy.simulation.reference_court import Claim, ReferenceCourt
from setoff.shared.codec.hashing import keccak

EPOCHS = 3


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


class Twins(SideBySide):
    """Court and model, compared in everything that the court shows. `reset` begins anew."""

    model: MeteredModel

    def __init__(self) -> None:
        self.arena = Arena(epochs=EPOCHS)
        self._begin = self.arena.now
        self._snapshot = self.arena.chain.snapshot()
        self.reset()

    def reset(self) -> None:
        """Back to a court at which nothing has happened."""
        chain = self.arena.chain
        chain.restore(self._snapshot)
        self._snapshot = chain.snapshot()
        chain.set_time(self._begin)
        self.begin(self.arena, MeteredModel)
        self.model.arena = self.arena
        self._sunk = chain.balance(SINK)

    @property
    def now(self) -> int:
        """Time of the next call."""
        return self.model.now

    def set_time(self, time: int) -> None:
        """Time of the calls from now on."""
        self.arena.chain.set_time(time)
        self.model.now = time

    def compare(self) -> None:
        """Everything that the court shows, and its money."""
        arena, model = self.arena, self.model
        court, chain = arena.court, arena.chain
        super().compare()
        assert chain.balance(SINK) - self._sunk == model.burnt
        for who in PEOPLE:
            assert court.has_room(who) == model.has_room(raw(who))
            assert court.stake_of(who) == model.stake_of.get(raw(who), 0)
        assert court.stake_count() == len(model.stakes)
        for id, stake in enumerate(model.stakes, 1):
            owner, held, count, slashed = court.stake_at(id)
            assert (raw(owner), held, count, slashed) == (stake.owner, stake.held, stake.open, stake.slashed)
        for epoch in range(EPOCHS + 1):
            assert court.start_of(epoch) == model.start_of.get(epoch, bytes(32))
        for key, claim in model.claims.items():
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
                if claim.state in (2, 3) and all(
                    claim.histories[root].state == 1 for root in (match.earlier, match.later)
                ):
                    (*fields_, node, other), _, expiry = court.match_of(key, match.earlier, match.later)
                    assert fields_ == [
                        *(match.earlier, match.later, match.level, match.prefix, match.since),
                        *(match.earlier_used, match.later_used),
                    ]
                    assert (node, other) == (match.earlier_node, match.later_node)
                    assert match.level == 7 or expiry == model._expiry(claim, match)
